//! Tests of this room's private parts. Histories, restores and rules are tried in `contracts`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod movements;
mod orders;
mod tree;
mod users;

use std::collections::BTreeMap;

use chain_types::hash::sha256;
use chain_types::{
    Amount, BatchId, BlockHeader, ChainGenesis, ChainId, Currency, Digest, Height, InstructionId,
    LiquidityLine, MerchantId, OrderId, Outcome, Parameters, ParticipantId, TimeMs, WindowId,
    codec,
};
use proptest::prelude::*;

use crate::instructions::InstructionBook;
use crate::order_window::{OrderWindow, is_live};
use crate::recent_batches::RecentBatches;
use crate::*;

const START: TimeMs = TimeMs::new(1_800_000_000_000);
const CNY: Currency = Currency::new(156);
const JPY: Currency = Currency::new(392);

fn genesis() -> ChainGenesis {
    let line = |gateway, currency, opening| LiquidityLine {
        gateway: ParticipantId::new(gateway),
        currency,
        net_debit_cap: Amount::new(50),
        opening_liquidity: Amount::new(opening),
    };
    ChainGenesis {
        chain_id: ChainId::new(sha256(&[b"state tests"])),
        time: START,
        currencies: vec![JPY, CNY],
        liquidity: vec![line(2, CNY, 0), line(1, JPY, 7), line(1, CNY, 100)],
        ..ChainGenesis::default()
    }
}

fn id(number: u64, time: TimeMs) -> OrderId {
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_le_bytes());
    OrderId::new(time, entropy)
}

fn at(height: u64, batch: u32, item: u32) -> Location {
    Location { height: Height::new(height), batch, item }
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

fn instruction(window: u64, deadline: TimeMs, status: InstructionStatus) -> InstructionRecord {
    InstructionRecord {
        id: InstructionId {
            window: WindowId::new(window),
            merchant: MerchantId::new(1),
            currency: CNY,
        },
        gateway: ParticipantId::new(1),
        amount: Amount::new(1),
        amount_returned: Amount::new(0),
        order_count: 1,
        cross_border_count: 0,
        attempt: 1,
        attempt_height: Height::new(1),
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
    let arrived = InstructionStatus::Arrived { time: TimeMs::new(5), location: at(1, 0, 0) };
    for (window, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        book.put(instruction(window, TimeMs::new(deadline), InstructionStatus::Instructed), None);
    }
    book.put(instruction(4, TimeMs::new(10), arrived), None);
    assert!(book.overdue(TimeMs::new(10)).is_empty(), "at its deadline it is in time");
    let windows =
        |ids: Vec<InstructionId>| ids.iter().map(|id| id.window.get()).collect::<Vec<_>>();
    assert_eq!(windows(book.overdue(TimeMs::new(21))), [2, 3]);
    book.settle(TimeMs::new(21), None);
    assert!(book.overdue(TimeMs::new(21)).is_empty());
    assert_eq!(windows(book.overdue(TimeMs::new(31))), [1]);
    let rebuilt = InstructionBook::new(book.records().cloned().collect(), TimeMs::new(21));
    assert_eq!(rebuilt.overdue(TimeMs::new(31)), book.overdue(TimeMs::new(31)));
    assert_eq!(rebuilt.records().count(), 4);
    book.settle(TimeMs::new(5 + instructions::ENDED_KEPT_MS), None);
    assert_eq!(book.records().count(), 4);
    book.settle(TimeMs::new(6 + instructions::ENDED_KEPT_MS), None);
    assert_eq!(book.records().count(), 3, "the arrived one is left to the store");
}

#[test]
fn batches_are_kept_while_they_could_commit() {
    let mut batches = RecentBatches::new(hashing());
    let ids = [1_u8, 2].map(|byte| BatchId::new(Digest::from_bytes([byte; 32])));
    batches.insert(ids[0], TimeMs::new(10), (Height::new(1), 0));
    batches.insert(ids[1], TimeMs::new(11), (Height::new(1), 1));
    batches.forget(TimeMs::new(10));
    assert_eq!(batches.get(&ids[0]), Some((Height::new(1), 0)));
    batches.forget(TimeMs::new(11));
    assert_eq!(batches.get(&ids[0]), None);
    assert_eq!(batches.get(&ids[1]), Some((Height::new(1), 1)));
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
            let key = UserMonthKey { user: id.bytes(), programme: 1, month: 24_300 };
            *overlay.user_month(&key) = UserMonth::new(24_300, 1);
        }
        let changes = overlay.finish();
        let header = BlockHeader {
            height: Height::new(1),
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
    while state.apply_piece(&mut applying, None).is_none() {
        assert_eq!(state.height(), Height::new(0));
        assert!(ids.iter().all(|id| state.order(id).is_none()), "after piece {pieces}");
        pieces += 1;
    }
    assert!(pieces > 3, "users in {pieces} pieces");
    assert_eq!((state.height(), state.digest()), (Height::new(1), whole.digest()));
    for id in &ids {
        let key = UserMonthKey { user: id.bytes(), programme: 1, month: 24_300 };
        assert_eq!(state.order(id), whole.order(id));
        assert!(state.order(id).is_some());
        assert_eq!(state.user_month(&key), UserMonth::new(24_300, 1));
    }
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
    state.height = Height::new(1);
    for number in 0..20_000 {
        let reservation = Reservation {
            submitter: ParticipantId::new(1),
            merchant: MerchantId::new(number),
            gateway: ParticipantId::new(1),
            amount: Amount::new(number),
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
    assert_eq!((restoring.height(), restoring.digest()), (Height::new(1), state.digest()));
    assert_eq!(restoring.blocks_from(), state.order_window());
    assert_eq!(restoring.into_incomplete().checkpoint(), bytes);
}

#[test]
fn an_account_opened_without_money_stands_as_its_line_says() {
    let mut genesis = genesis();
    genesis.liquidity[0].opening_liquidity = Amount::new(0);
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
    let stranger = AccountKey::payable(MerchantId::new(999), Currency::new(156));
    assert_eq!(State::opened_empty(&genesis, &stranger), None);
}
