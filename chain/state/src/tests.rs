//! What is private to this room. Histories, restores and rules are tried in `contracts`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use chain_types::hash::sha256;
use chain_types::merkle::node;
use chain_types::{
    Amount, BatchId, BlockHeader, ChainGenesis, ChainId, Currency, Digest, Height, InstructionId,
    LiquidityLine, MerchantId, OrderId, Outcome, Parameters, ParticipantId, TimeMs, WindowId,
    codec,
};
use proptest::prelude::*;

use crate::accounts_tree::{ACCOUNTS_TREE_DEPTH, AccountsTree};
use crate::counts::{CountKey, Counts, CountsCopy};
use crate::instructions::InstructionBook;
use crate::order_window::{OrderWindow, is_live};
use crate::recent_batches::RecentBatches;
use crate::sections::Reader;
use crate::users::{UserBook, UserChanges};
use crate::*;

const START: TimeMs = TimeMs(1_800_000_000_000);
const CNY: Currency = Currency(156);
const JPY: Currency = Currency(392);

fn genesis() -> ChainGenesis {
    let line = |gateway, currency, opening| LiquidityLine {
        gateway: ParticipantId(gateway),
        currency,
        net_debit_cap: Amount(50),
        opening_liquidity: Amount(opening),
    };
    ChainGenesis {
        chain_id: ChainId(sha256(&[b"state tests"])),
        name: String::new(),
        time: START,
        parameters: Parameters::default(),
        currencies: vec![JPY, CNY],
        participants: Vec::new(),
        merchants: Vec::new(),
        liquidity: vec![line(2, CNY, 0), line(1, JPY, 7), line(1, CNY, 100)],
        lines: Vec::new(),
        nodes: Vec::new(),
    }
}

fn id(number: u64, time: TimeMs) -> OrderId {
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_le_bytes());
    OrderId::new(time, entropy)
}

fn at(height: u64, batch: u32, item: u32) -> Location {
    Location { height: Height(height), batch, item }
}

fn record(location: Location) -> OrderRecord {
    OrderRecord::new(location, &sha256(&[b"leaf"]), Outcome::APPLIED, OrderStatus::Reserved)
}

fn hashing() -> ahash::RandomState {
    HashSeeds::of_chain(genesis().chain_id).hashing()
}

fn window_of_orders() -> OrderWindow {
    OrderWindow::new(hashing())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// An order comes out of its packed form as it went in.
    #[test]
    fn orders_pack_without_loss(
        heights in (1_u64..u64::from(u32::MAX), 0_u64..u64::from(u32::MAX), 0_u64..9),
        places in (0_u32..1 << 19, 0_u32..8_192, 0_u32..1 << 19, 0_u32..8_192),
        outcome in any::<u16>(), leaf in any::<[u8; 32]>(), status in 1_u8..=5, is_stepped: bool,
    ) {
        let (first, more, step) = heights;
        let location = at(first + more, places.0, places.1);
        let status = OrderStatus::from_number(status).unwrap();
        let mut record = OrderRecord::new(location, &Digest(leaf), Outcome(outcome), status);
        if is_stepped {
            let location = at(location.height.0 + step, places.2, places.3);
            record = record.stepped(OrderStatus::Voided, location.height, Some(location));
        }
        let window = window_of_orders();
        let other = self::record(at(first, 0, 0));
        window.insert(id(1, START), other);
        window.insert(id(2, START), record);
        prop_assert_eq!(window.get(&id(2, START)), Some(record));
        prop_assert_eq!(window.get(&id(1, START)), Some(other));
        let far = START.plus(900_000);
        let retired = window.retire(&Parameters::default(), Height(9), far);
        let run = [(id(1, START), other), (id(2, START), record)];
        prop_assert_eq!(&retired.runs, &[OrderRun::of(&run)]);
        prop_assert!(retired.runs[0].sorted().eq(run));
        prop_assert_eq!(retired.runs[0].get(&id(2, START)), Some(record));
    }

    /// A tree changed step by step is the tree made at once, and both are the definition's.
    #[test]
    fn the_tree_is_a_function_of_its_leaves(
        steps in prop::collection::vec(
            prop::collection::btree_map(0_u32..24, any::<[u8; 32]>(), 1..6),
            1..8,
        ),
    ) {
        let mut tree = AccountsTree::new();
        let mut leaves: Vec<Digest> = Vec::new();
        for step in steps {
            let mut change: BTreeMap<u32, Digest> = BTreeMap::new();
            for (index, leaf) in step {
                // New leaves follow the last one.
                let index = index.min(u32::try_from(leaves.len()).unwrap());
                change.insert(index, Digest(leaf));
                if index as usize == leaves.len() {
                    leaves.push(Digest(leaf));
                }
                leaves[index as usize] = Digest(leaf);
            }
            let change = tree.change(change.into_iter().collect());
            tree.apply(&change);
            prop_assert_eq!(change.root(), tree.root());
            prop_assert_eq!(tree.root(), defined_root(&leaves, ACCOUNTS_TREE_DEPTH));
            for index in 0..u32::try_from(leaves.len()).unwrap() {
                let siblings = tree.prove(index);
                let up = |hash, (level, sibling): (usize, &Digest)| match index >> level & 1 {
                    0 => node(&hash, sibling),
                    _ => node(sibling, &hash),
                };
                let root = siblings.iter().enumerate().fold(leaves[index as usize], up);
                prop_assert_eq!(root, tree.root());
            }
        }
    }
}

/// The root by its definition: an absent leaf is zeros, and a node is the hash of its two.
fn defined_root(leaves: &[Digest], depth: usize) -> Digest {
    if depth == 0 {
        return leaves.first().copied().unwrap_or(Digest::ZERO);
    }
    let (left, right) = if leaves.is_empty() {
        let empty = defined_empty(depth - 1);
        (empty, empty)
    } else {
        let middle = leaves.len().min(1 << (depth - 1));
        let right = &leaves[middle..];
        let right = if right.is_empty() {
            defined_empty(depth - 1)
        } else {
            defined_root(right, depth - 1)
        };
        (defined_root(&leaves[..middle], depth - 1), right)
    };
    node(&left, &right)
}

fn defined_empty(depth: usize) -> Digest {
    (0..depth).fold(Digest::ZERO, |below, _| node(&below, &below))
}

#[test]
fn a_slice_leaves_exactly_when_none_of_its_ids_can_commit() {
    let parameters = Parameters::default();
    // START is a multiple of the slice: ids of START .. START + 9,999 share a slice.
    let (first, last, next) = (START, START.plus(SLICE_MS - 1), START.plus(SLICE_MS));
    let window = window_of_orders();
    for (number, time) in [(3, last), (1, first), (2, first), (4, next)] {
        window.insert(id(number, time), record(at(1, 0, 0)));
    }
    let end = last.plus(parameters.order_validity_ms);
    assert!(check_timely(&parameters, id(3, last), end).is_ok(), "it could still commit");
    assert!(window.retire(&parameters, Height(9), end).runs.is_empty());
    assert!(is_live(&parameters, id(1, first), end));
    assert!(check_timely(&parameters, id(3, last), end.plus(1)).is_err());
    assert!(!is_live(&parameters, id(3, last), end.plus(1)));
    let retired = window.retire(&parameters, Height(9), end.plus(1));
    let run: Vec<OrderId> = ids_of(&retired).collect();
    assert_eq!(run, [id(1, first), id(2, first), id(3, last)], "sorted");
    assert_eq!((window.len(), window.get(&id(1, first))), (1, None));
    assert!(window.get(&id(4, next)).is_some());
}

#[test]
fn orders_are_looked_up_together_as_one_by_one() {
    let (window, readers) = (window_of_orders(), window_of_orders().shared());
    let order = |number: u64| id(number << 16, START.plus(number % 3 * 10_000));
    let known: Vec<_> = (0..3_000).map(|number| order(2 * number)).collect();
    let records = (0..).zip(&known).map(|(item, id)| (*id, record(at(7, 0, item))));
    window.insert_all(&records.collect::<Vec<_>>());
    let all: Vec<OrderId> = (0..6_000).map(order).collect();
    let expected = window.expect(all.iter().copied());
    for (number, (id, expected)) in (0..).zip(all.iter().zip(&expected)) {
        let item = u32::try_from(number / 2).unwrap();
        let there = (number % 2 == 0).then(|| record(at(7, 0, item)));
        assert_eq!(expected.is_in_state, there.is_some(), "order {number}");
        assert_eq!(window.get_hashed(expected.hash, id), there, "order {number}");
        assert_eq!(window.shared().look_up(id), Sought { record: there, left: Height(0) });
        assert_eq!(readers.look_up(id).record, None, "another window's");
    }
    let copy = window.clone();
    let retired = window.retire(&Parameters::default(), Height(8), START.plus(900_000));
    let mut ascending = known.clone();
    ascending.sort_unstable();
    assert!(ids_of(&retired).eq(ascending));
    assert_eq!((retired.runs.len(), window.len(), copy.len()), (3, 0, 3_000));
    for id in &known {
        let left = Sought { record: None, left: Height(8) };
        assert_eq!(window.shared().look_up(id), left, "it is elsewhere from block 8 on");
        assert!(retired.runs.iter().any(|run| run.get(id).is_some()));
    }
}

fn ids_of(retired: &Retired) -> impl Iterator<Item = OrderId> + '_ {
    retired.runs.iter().flat_map(OrderRun::sorted).map(|(id, _)| id)
}

#[test]
fn runs_ascend_and_do_not_overlap() {
    let window = window_of_orders();
    for number in (0..500_u64).rev() {
        // Some share a millisecond, in no order.
        window.insert(id(number * 7 % 501, START.plus(number / 9 * 873)), record(at(1, 0, 0)));
    }
    let retired = window.retire(&Parameters::default(), Height(9), START.plus(900_000));
    let ids: Vec<OrderId> = ids_of(&retired).collect();
    assert_eq!(ids.len(), 500);
    assert!(ids.is_sorted());
    for run in &retired.runs {
        let (first, last) = (run.sorted().next().unwrap().0, run.sorted().last().unwrap().0);
        assert!(last.time().0 - first.time().0 < SLICE_MS);
    }
}

#[test]
#[should_panic(expected = "outside its slice")]
fn an_order_below_its_slice_is_a_bug() {
    let window = window_of_orders();
    window.insert(id(1, START), record(at(5, 0, 0)));
    // One of them is in the same part.
    (2..1_000).for_each(|number| window.insert(id(number, START), record(at(4, 0, 0))));
}

fn instruction(window: u64, deadline: TimeMs, status: InstructionStatus) -> InstructionRecord {
    InstructionRecord {
        id: InstructionId { window: WindowId(window), merchant: MerchantId(1), currency: CNY },
        gateway: ParticipantId(1),
        amount: Amount(1),
        amount_returned: Amount(0),
        order_count: 1,
        cross_border_count: 0,
        attempt: 1,
        attempt_height: Height(1),
        failures: 0,
        recalled: None,
        earliest_accepted: START,
        instructed: START,
        deadline,
        status,
        reference: [0; 32],
        cashback: Vec::new(),
    }
}

#[test]
fn overdue_instructions_are_given_once_by_deadline() {
    let mut book = InstructionBook::default();
    let arrived = InstructionStatus::Arrived { time: TimeMs(5), location: at(1, 0, 0) };
    for (window, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        book.put(instruction(window, TimeMs(deadline), InstructionStatus::Instructed), None);
    }
    book.put(instruction(4, TimeMs(10), arrived), None);
    assert!(book.overdue(TimeMs(10)).is_empty(), "at its deadline it is in time");
    let windows = |ids: Vec<InstructionId>| ids.iter().map(|id| id.window.0).collect::<Vec<_>>();
    assert_eq!(windows(book.overdue(TimeMs(21))), [2, 3]);
    book.settle(TimeMs(21), None);
    assert!(book.overdue(TimeMs(21)).is_empty());
    assert_eq!(windows(book.overdue(TimeMs(31))), [1]);
    let rebuilt = InstructionBook::new(book.records().cloned().collect(), TimeMs(21));
    assert_eq!(rebuilt.overdue(TimeMs(31)), book.overdue(TimeMs(31)));
    assert_eq!(rebuilt.records().count(), 4);
    book.settle(TimeMs(5 + instructions::ENDED_KEPT_MS), None);
    assert_eq!(book.records().count(), 4);
    book.settle(TimeMs(6 + instructions::ENDED_KEPT_MS), None);
    assert_eq!(book.records().count(), 3, "the arrived one is left to the store");
}

#[test]
fn batches_are_kept_while_they_could_commit() {
    let mut batches = RecentBatches::new(hashing());
    let ids = [1_u8, 2].map(|byte| BatchId(Digest([byte; 32])));
    batches.insert(ids[0], TimeMs(10), (Height(1), 0));
    batches.insert(ids[1], TimeMs(11), (Height(1), 1));
    batches.forget(TimeMs(10));
    assert_eq!(batches.get(&ids[0]), Some((Height(1), 0)));
    batches.forget(TimeMs(11));
    assert_eq!(batches.get(&ids[0]), None);
    assert_eq!(batches.get(&ids[1]), Some((Height(1), 1)));
}

#[test]
fn opening_liquidity_has_two_legs() {
    let state = State::genesis(&genesis());
    let sums = state.trial_balance();
    let posted: Vec<_> = sums.iter().map(|sum| (sum.currency, sum.debits_posted)).collect();
    assert_eq!(posted, [(CNY, 100), (JPY, 7)]);
    assert!(sums.iter().all(TrialBalance::is_balanced));
    assert_eq!(state.currencies(), [CNY, JPY], "ascending, whatever the file's order");
    let scheme = state.account(&AccountKey::scheme_settlement(CNY)).unwrap();
    assert_eq!((scheme.debits_posted, scheme.balance()), (100, -100));
    let entries = State::genesis_records(&genesis());
    assert_eq!(entries.len(), 4, "a line that opens with nothing has no entry");
}

fn movement(overlay: &mut Overlay<'_>, currencies: [Currency; 2], amount: u64) -> Movement {
    let debit = overlay.open(AccountKey::liquidity(ParticipantId(1), currencies[0]));
    let credit = overlay.open(AccountKey::payable(MerchantId(9), currencies[1]));
    Movement::of_order(debit, credit, Amount(amount))
}

#[test]
#[should_panic(expected = "the legs differ in currency")]
fn a_movement_within_two_currencies_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    let movement = movement(&mut overlay, [CNY, JPY], 1);
    overlay.transfer(&movement).unwrap();
}

#[test]
#[should_panic(expected = "without a cause")]
fn a_movement_without_a_cause_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    let movement = movement(&mut overlay, [CNY, CNY], 1);
    overlay.transfer(&movement).unwrap();
}

#[test]
#[should_panic(expected = "is overdrawn")]
fn a_block_that_overdraws_an_account_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    let movement = movement(&mut overlay, [CNY, CNY], 151);
    overlay.transfer(&movement).unwrap();
    overlay.finish();
}

#[test]
#[should_panic(expected = "only 0 is pending")]
fn a_release_of_what_is_not_pending_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    let movement = movement(&mut overlay, [CNY, CNY], 1);
    overlay.release(&movement);
}

/// An account that was only looked at does not come to be.
#[test]
fn an_account_comes_to_be_with_its_first_movement() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    overlay.open(AccountKey::payable(MerchantId(7), CNY));
    let movement = movement(&mut overlay, [CNY, CNY], 150);
    overlay.reserve(&movement).unwrap();
    assert_eq!(overlay.account(movement.debit).available(), 0);
    overlay.release(&movement);
    let changes = overlay.finish();
    let keys: Vec<_> = changes.accounts.iter().map(|write| write.key.owner).collect();
    assert_eq!(keys, [1, 9]);
    assert_eq!(changes.accounts[1].index, state.accounts.len());
}

#[test]
fn a_block_that_is_applied_piece_by_piece_shows_at_once() {
    let genesis = genesis();
    let mut state = State::genesis(&genesis);
    let ids: Vec<OrderId> = (0..2_500).map(|number| id(number << 16, START)).collect();
    let writes = || {
        let state = State::genesis(&genesis);
        let mut overlay = Overlay::new(&state, START.plus(1), ids.len());
        let expected = overlay.expect_orders(ids.iter().copied());
        for (item, (id, expected)) in (0..).zip(ids.iter().zip(&expected)) {
            overlay.insert_order(*id, expected, record(at(1, 0, item)));
            let key = UserMonthKey { user: id.0, programme: 1, month: 24_300 };
            *overlay.user_month(&key) = UserMonth::new(24_300, 1);
        }
        let changes = overlay.finish();
        let header = BlockHeader {
            height: Height(1),
            time: START.plus(1),
            parent: state.block_hash(),
            state_digest: changes.digest(),
            ..State::genesis_block(&genesis).header
        };
        changes.seal(&header)
    };
    let mut whole = State::genesis(&genesis);
    whole.apply(writes());
    let mut applying = Applying::new(writes());
    state.add_orders(&mut applying);
    let mut pieces = 1;
    while state.apply_piece(&mut applying).is_none() {
        assert_eq!(state.height(), Height(0));
        assert!(ids.iter().all(|id| state.order(id).is_none()), "after piece {pieces}");
        pieces += 1;
    }
    assert!(pieces > 3, "users in {pieces} pieces");
    assert_eq!((state.height(), state.digest()), (Height(1), whole.digest()));
    for id in &ids {
        let key = UserMonthKey { user: id.0, programme: 1, month: 24_300 };
        assert_eq!(state.order(id), whole.order(id));
        assert!(state.order(id).is_some());
        assert_eq!(state.user_month(&key), UserMonth::new(24_300, 1));
    }
}

#[test]
fn counters_do_not_overflow() {
    let almost = i128::MAX.cast_unsigned() - 5;
    let full = Account { debits_posted: almost, credits_pending: almost, ..Account::default() };
    assert!(full.debited(Amount(5)).is_ok());
    assert_eq!(full.debited(Amount(6)), Err(CounterOverflow));
    assert_eq!(full.credit_reserved(Amount(u64::MAX)), Err(CounterOverflow));
    assert_eq!(full.available(), 0);
}

#[test]
fn frozen_numbers_round_trip_and_others_are_refused() {
    for kind in AccountKind::ALL {
        let bytes = codec::encode(kind);
        assert_eq!(bytes, [kind.number()]);
        assert_eq!(codec::decode::<AccountKind>(&bytes, 1).unwrap(), *kind);
    }
    assert!(codec::decode::<AccountKind>(&[0], 1).is_err());
    assert!(codec::decode::<OrderStatus>(&[9], 1).is_err());
    assert!(codec::decode::<BreachStage>(&[5], 1).is_err());
}

/// Lists longer than a section are read back whole.
#[test]
fn a_checkpoint_holds_long_lists() {
    let genesis = genesis();
    let mut state = State::genesis(&genesis);
    state.height = Height(1);
    for number in 0..20_000 {
        let reservation = Reservation {
            submitter: ParticipantId(1),
            merchant: MerchantId(number),
            gateway: ParticipantId(1),
            amount: Amount(number),
            currency: CNY,
            user: [7; 16],
            conversion: None,
            accepted: START,
            expires: START,
        };
        state.reservations.insert(id(number, START), reservation);
    }
    let bytes = state.checkpoint();
    let restoring = State::restore(&genesis, &bytes).unwrap();
    assert_eq!((restoring.height(), restoring.digest()), (Height(1), state.digest()));
    assert_eq!(restoring.blocks_from(), state.order_window());
    assert_eq!(restoring.into_incomplete().checkpoint(), bytes);
}

#[test]
fn a_proof_from_what_is_kept_is_the_states_own() {
    let state = State::genesis(&genesis());
    let accounts = state.accounts_created();
    assert!(accounts.len() > 2, "the test needs some accounts");
    let nodes = state.account_nodes();
    let node_at = |level, index| {
        let found = nodes.iter().find(|node| (node.level, node.index) == (level, index));
        Ok::<_, std::convert::Infallible>(found.map(|node| node.digest))
    };
    for (key, account) in accounts {
        let place = state.account_place(key).unwrap();
        let writes = state.running_writes();
        let Ok(made) = AccountProof::from_kept((*key, *account), place, writes, node_at);
        assert!(made.holds(state.digest()));
        assert_eq!(Some(&made), state.account_proof(key).as_ref());
        let missing = |_, _| Ok::<_, std::convert::Infallible>(None);
        let Ok(others) = AccountProof::from_kept((*key, *account), place, writes, missing);
        assert!(!others.holds(state.digest()), "the other accounts are missing");
    }
    let stranger = AccountKey::payable(MerchantId(999), Currency(156));
    assert_eq!(state.account_place(&stranger), None);
}

#[test]
fn an_account_opened_without_money_stands_as_its_line_says() {
    let mut genesis = genesis();
    genesis.liquidity[0].opening_liquidity = Amount(0);
    let state = State::genesis(&genesis);
    let records = State::genesis_records(&genesis);
    let mut silent = 0;
    for (key, account) in state.accounts_created() {
        let is_told = |record: &Record| matches!(record, Record::AccountEntry(e) if e.key == *key);
        if !records.iter().any(is_told) {
            silent += 1;
            assert_eq!(State::opened_empty(&genesis, key), Some(*account), "{key:?}");
        }
    }
    assert!(silent > 0, "the test needs such an account");
    let stranger = AccountKey::payable(MerchantId(999), Currency(156));
    assert_eq!(State::opened_empty(&genesis, &stranger), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// What is over counts for nothing: a book that forgets gives the digests of one that keeps
    /// all, as does one from its checkpoint; it says of the present month and day what was
    /// counted, and loses what is over.
    #[test]
    fn forgetting_shows_nowhere(blocks in blocks_of_counted()) {
        let (mut kept, mut forgetful) = (UserBook::new(&hashing()), UserBook::new(&hashing()));
        let (mut months, mut days) = (BTreeMap::new(), BTreeMap::new());
        let (mut today, mut since) = (1, 0);
        for (later, are_kept, mut orders) in blocks {
            if later > 0 {
                (months, days) = (BTreeMap::new(), BTreeMap::new());
            }
            today += later;
            orders.iter_mut().for_each(|order| order.month.month = today);
            since = since.max(today - u16::from(are_kept));
            let (mut all, digest) = counted(&kept, today, since, &orders);
            let (mut some, same_digest) = counted(&forgetful, today, since, &orders);
            prop_assert_eq!(&digest, &same_digest);
            prop_assert_eq!(&digest, &counted(&restored(&forgetful), today, since, &orders).1);
            for since in [&mut all.lines.since, &mut all.months.since, &mut all.days.since] {
                *since = KeptSince::default();
            }
            while !kept.apply(&mut all, usize::MAX, None) {}
            // In pieces, as a node does.
            while !forgetful.apply(&mut some, 3, None) {}
            for Counted { month, day, is_booked } in orders {
                *months.entry(month).or_insert(0) += 1;
                *days.entry(day).or_insert(0) += u64::from(is_booked);
            }
            for (key, count) in &months {
                prop_assert_eq!(kept.month(key), UserMonth::new(today, *count));
                prop_assert_eq!(forgetful.month(key), UserMonth::new(today, *count));
            }
            for (key, amount) in days.iter().filter(|(_, amount)| **amount > 0) {
                prop_assert_eq!(kept.day(key), UserDay::new(today, *amount));
                prop_assert_eq!(forgetful.day(key), UserDay::new(today, *amount));
            }
        }
        // Later, as many are counted twice as the book holds: none of before is left.
        let before = forgetful.lines.len();
        let order = |number: usize| {
            let user = (number as u128 + 1_000).to_le_bytes();
            let (programme, currency, is_booked) = (9, CNY, true);
            let month = UserMonthKey { user, programme, month: today + 9 };
            Counted { month, day: UserDayKey { user, currency }, is_booked }
        };
        let orders: Vec<Counted> = (0..before).map(order).collect();
        for _ in 0..2 {
            let mut changes = counted(&forgetful, today + 9, today + 9, &orders).0;
            while !forgetful.apply(&mut changes, 7, None) {}
        }
        prop_assert_eq!(forgetful.lines.len(), before);
    }
}

/// An order as far as it is counted.
#[derive(Debug, Clone, Copy)]
struct Counted {
    month: UserMonthKey,
    day: UserDayKey,
    /// Whether its day is more than looked at.
    is_booked: bool,
}

/// What a block of these orders changes, in the month and the day of that number, and its bytes in
/// the digest; those before `since` are over.
fn counted(book: &UserBook, today: u16, since: u16, orders: &[Counted]) -> (UserChanges, Vec<u8>) {
    let mut changes = UserChanges::new(&hashing(), 0);
    changes.keep_since(KeptSince { month: since, day: since });
    let users: Vec<UserId> = orders.iter().map(|order| order.month.user).collect();
    let months: Vec<UserMonthKey> = orders.iter().map(|order| order.month).collect();
    let days: Vec<UserDayKey> = orders.iter().map(|order| order.day).collect();
    changes.expect(book, &users, &months, &days);
    for Counted { month, day, is_booked } in orders {
        let so_far = changes.day_so_far(book, day);
        if *is_booked {
            let entry = changes.day(book, day);
            assert_eq!(*entry, so_far);
            let amount = if entry.day == today { entry.amount() } else { 0 };
            *entry = UserDay::new(today, amount + 1);
        }
        let entry = changes.month(book, month);
        let count = if entry.month == today { entry.count } else { 0 };
        *entry = UserMonth::new(today, count + 1);
    }
    let mut bytes = Vec::new();
    changes.digest_bytes(&mut bytes);
    (changes, bytes)
}

fn copied<K: CountKey>(counts: &Counts<K>) -> Vec<(K, K::Count)> {
    let (mut copy, mut bytes) = (CountsCopy::of(counts), Vec::new());
    while !copy.put(counts, &mut bytes) {}
    Reader::new(&bytes).counts().unwrap()
}

/// A book as a checkpoint gives it back.
fn restored(book: &UserBook) -> UserBook {
    UserBook {
        lines: Counts::new(hashing(), copied(&book.lines)),
        months: Counts::new(hashing(), copied(&book.months)),
        days: Counts::new(hashing(), copied(&book.days)),
    }
}

/// Blocks, each with how many months and days it is later than the one before, whether those before
/// its own are kept yet, and its orders.
fn blocks_of_counted() -> impl Strategy<Value = Vec<(u16, bool, Vec<Counted>)>> {
    let order = (0_u8..20, 0_u32..3, 0_u16..3, any::<bool>());
    let order = order.prop_map(|(user, programme, currency, is_booked)| {
        let (user, currency) = ([user; 16], Currency(currency));
        let month = UserMonthKey { user, programme, month: 0 };
        Counted { month, day: UserDayKey { user, currency }, is_booked }
    });
    let later = prop_oneof![3 => Just(0_u16), 1 => Just(1), 1 => Just(2)];
    prop::collection::vec((later, any::<bool>(), prop::collection::vec(order, 0..30)), 1..40)
}
