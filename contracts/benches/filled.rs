//! What a block, an operation, a checkpoint and a start cost when every table is full: one table
//! of figures, a column for each number of entries.
//!
//! `cargo bench -p contracts --bench filled -- 1000 1000000` fills every table with so many
//! entries. Each figure is the median of its blocks.
// A bench reads the clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chain_state::{
    AccountKey, Copying, EntryCause, HeldOrder, Location, Movement, NoHistory, Overlay,
    PolicyRecord, ProgrammeRecord, ProposalRecord, ProposalStatus, QuoteRecord, RegistrarRecord,
    Returned, State, TransferRecord, TransferStatus, UserDayKey, UserMonth, UserMonthKey,
};
use chain_types::batch::{BatchItem, SignedBatch};
use chain_types::hash::sha256;
use chain_types::operation::LISTED_CHANGES_MAX;
use chain_types::{
    Amount, BlockHeader, CashbackTier, ChainGenesis, ChainId, Change, Currency, Digest, Flags,
    Height, LiquidityLine, ListedChangeItem, Merchant, MerchantId, MerchantItem, Node, OrderId,
    Parameters, Participant, ParticipantId, PartyKeys, PolicyItem, PolicyScope, Programme,
    ProposalId, ProposalItem, PublicKey, QuoteId, Rate, RechargeItem, RegistrarLimits, Roles,
    Round, SecretKey, TimeMs, TransferAction, TransferId, TransferItem, ValidatorId, VerifiedBatch,
};
use contracts::{BlockContext, execute};
use zerocopy::{Immutable, IntoBytes};

const START: TimeMs = TimeMs::new(1_800_000_000_000);
/// So far ahead that nothing of what fills the tables ends meanwhile.
const AHEAD: TimeMs = TimeMs::new(1_800_086_400_000);
const OPERATOR: ParticipantId = ParticipantId::new(1);
const RISK_DESK: ParticipantId = ParticipantId::new(2);
const AGENT: ParticipantId = ParticipantId::new(3);
const GATEWAY: ParticipantId = ParticipantId::new(1_000);
const GATEWAYS: u32 = 1_000;
const REGISTRAR: ParticipantId = ParticipantId::new(4);
const CNY: Currency = Currency::new(156);
/// Entries that one block brings while the tables are filled.
const FILLED_AT_ONCE: u64 = 20_000;
/// Blocks of a figure.
const BLOCKS: usize = 31;

fn key_of(participant: ParticipantId) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"filled", &participant.get().to_le_bytes()]).bytes())
}

fn participant(id: ParticipantId, roles: Roles) -> Participant {
    Participant::new(id, format!("participant {id}"), roles, key_of(id).public_key())
}

fn merchant(number: u64) -> Merchant {
    Merchant::new(MerchantId::new(number + 1), format!("merchant {number}"), gateway(number))
}

fn gateway(number: u64) -> ParticipantId {
    ParticipantId::new(GATEWAY.get() + (number % u64::from(GATEWAYS)) as u32)
}

fn programme(number: u64) -> Programme {
    Programme {
        merchant: MerchantId::new(number + 1),
        currency: CNY,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount::new(0),
        user_month_max: Amount::new(0),
        offset_min: 480,
        is_active: true,
        order_least: Amount::new(13),
        gateways: vec![GATEWAY],
    }
}

fn genesis(entries: u64) -> ChainGenesis {
    let mut participants = vec![
        participant(OPERATOR, Roles::SETTLEMENT_OPERATOR),
        participant(RISK_DESK, Roles::RISK_DESK),
        participant(AGENT, Roles::SETTLEMENT_AGENT),
        participant(REGISTRAR, Roles::GATEWAY.and(Roles::MERCHANT_REGISTRAR)),
    ];
    participants
        .extend((0..u64::from(GATEWAYS)).map(|of| participant(gateway(of), Roles::GATEWAY)));
    let key = key_of(OPERATOR).public_key();
    let node = Node {
        name: "node".to_owned(),
        operator: OPERATOR,
        network_key: key,
        validator_key: PublicKey::from_bytes([1; 32]),
        power: 1,
    };
    ChainGenesis {
        chain_id: ChainId::new(sha256(&[b"filled"])),
        name: String::new(),
        time: START,
        parameters: Parameters {
            governance_approvals: 1,
            governance_notice_heights: 1,
            ..Parameters::default()
        },
        currencies: vec![CNY],
        participants,
        merchants: (0..entries).map(merchant).collect(),
        liquidity: vec![LiquidityLine {
            gateway: GATEWAY,
            currency: CNY,
            net_debit_cap: Amount::new(u64::MAX),
            opening_liquidity: Amount::new(0),
        }],
        lines: Vec::new(),
        nodes: vec![node],
    }
}

/// An id of an entry: ahead of all that is submitted.
fn id(number: u64) -> OrderId {
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    OrderId::new(AHEAD, entropy)
}

fn user(number: u64) -> [u8; 16] {
    let mut user = [0; 16];
    user.copy_from_slice(&sha256(&[&number.to_le_bytes()]).bytes()[..16]);
    user
}

/// A state of which every table has so many entries.
fn filled(genesis: &ChainGenesis, entries: u64) -> State {
    let mut state = State::genesis(genesis);
    for first in (0..entries).step_by(FILLED_AT_ONCE as usize) {
        let mut overlay = Overlay::new(&state, state.time().plus(1), 0);
        overlay.begin(EntryCause::Batch(0));
        let limits =
            RegistrarLimits { gateway: REGISTRAR, added_max: u32::MAX, changed_max: u32::MAX };
        let record = RegistrarRecord { limits, day: 0, added: 0, changed: 0 };
        overlay.tables().registrars().put(REGISTRAR, record);
        for number in first..entries.min(first + FILLED_AT_ONCE) {
            fill(&mut overlay, number);
        }
        let (height, time) = (overlay.height(), overlay.time());
        let changes = overlay.finish();
        let header = BlockHeader {
            height,
            time,
            parent: state.block_hash(),
            state_digest: changes.digest(),
            ..State::genesis_block(genesis).header
        };
        drop(state.apply(changes.seal(&header)));
    }
    state
}

/// A transfer and a proposal that wait for a decision.
fn fill_undecided(overlay: &mut Overlay<'_>, number: u64) {
    let (id, merchant, time) = (id(number), MerchantId::new(number + 1), overlay.time());
    let account = AccountKey::payable(merchant, CNY);
    let location = Location { height: overlay.height(), batch: 0, item: 0 };
    let transfer = TransferRecord {
        id: TransferId::from_bytes(id.bytes()),
        action: TransferAction::Deposit,
        account,
        amount: Amount::new(1),
        reference: [0; 32],
        content: Digest::ZERO,
        maker: AGENT,
        proposed: time,
        location,
        status: TransferStatus::Proposed,
        checker: None,
        checker_reference: [0; 32],
        decided: None,
    };
    overlay.tables().transfers().put(transfer.id, transfer);
    let proposal = ProposalRecord {
        id: ProposalId::from_bytes(id.bytes()),
        change: Change::MerchantSuspended { merchant, suspended: true },
        digest: Digest::ZERO,
        maker: OPERATOR,
        proposed: time,
        activation: Height::new(1 << 40),
        due: Height::new(1 << 40),
        approvals: vec![OPERATOR],
        refusals: Vec::new(),
        status: ProposalStatus::Scheduled,
        failure: 0,
        status_height: overlay.height(),
    };
    overlay.tables().proposals().put(proposal.id, proposal);
}

/// An entry in every table.
fn fill(overlay: &mut Overlay<'_>, number: u64) {
    let (id, merchant) = (id(number), MerchantId::new(number + 1));
    let time = overlay.time();
    let record = ProgrammeRecord {
        number: number as u32,
        versions: vec![(Height::new(1), programme(number))],
    };
    overlay.tables().programmes().put((merchant, CNY), record);
    fill_undecided(overlay, number);
    let quote = QuoteRecord {
        id: QuoteId::new(number),
        currency: CNY,
        payout_currency: Currency::new(840),
        rate: Rate::new(14, 2).unwrap(),
        ceiling: Amount::new(1_000),
        used: Amount::new(0),
        valid_until: AHEAD,
        issued: time,
    };
    overlay.tables().quotes().put(quote.id, quote);
    let policy = PolicyRecord {
        scope: PolicyScope::Merchant,
        subject: merchant.get(),
        currency: CNY,
        order_max: Amount::new(1 << 40),
        user_day_max: Amount::new(1 << 50),
        day_max: Amount::new(0),
        hold_above: Amount::new(0),
        desk: RISK_DESK,
        since: time,
    };
    overlay.tables().policies().put((policy.scope, policy.subject, CNY), policy);
    let returned = Returned { amount: Amount::new(1), fingerprints: vec![[0; 16]] };
    overlay.tables().returned().put(id, returned);
    let held = HeldOrder { submitter: GATEWAY, item: [0; 128], held: time };
    overlay.tables().held().put(id, held);
    let month = UserMonthKey { user: user(number), programme: number as u32, month: 24_325 };
    *overlay.user_month(&month) = UserMonth::new(month.month, 1);
    let _ = overlay.user_day(&UserDayKey { user: user(number), currency: CNY });
    let debit = overlay.open(AccountKey::scheme_settlement(CNY));
    let credit = overlay.open(AccountKey::payable(merchant, CNY));
    overlay.transfer(&Movement::of_order(debit, credit, Amount::new(1))).unwrap();
}

fn context(state: &State) -> BlockContext {
    BlockContext {
        height: state.height().next(),
        round: Round::new(0),
        parent_round: Round::new(0),
        proposer: ValidatorId::new(0),
        time: state.time().plus(100),
    }
}

/// Executes and takes a block of these batches, all of which must apply.
fn block(state: &mut State, batches: &[VerifiedBatch], copying: Option<&mut Copying>) -> Duration {
    let begun = Instant::now();
    let executed = execute(state, &context(state), batches, &[], &NoHistory).unwrap();
    let applied = executed.outcomes.concat();
    assert!(applied.iter().all(|outcome| outcome.is_applied()), "{applied:?}");
    drop(state.apply_beside(executed.writes, copying));
    begun.elapsed()
}

fn signed(
    state: &State,
    by: ParticipantId,
    item: impl IntoBytes + Immutable + BatchItem,
) -> VerifiedBatch {
    signed_all(state, by, &[item])
}

fn signed_all(
    state: &State,
    by: ParticipantId,
    items: &[impl IntoBytes + Immutable + BatchItem],
) -> VerifiedBatch {
    let key = key_of(by);
    let (chain_id, until) = (state.chain_id(), state.time().plus(60_000));
    let bytes = SignedBatch::sign(chain_id, by, &key, until, items);
    let keys = PartyKeys { participant: by, current: key.public_key(), previous: None };
    let signed = SignedBatch::decode(Bytes::from(bytes)).unwrap();
    signed.verify(chain_id, |_| Some(keys)).unwrap()
}

/// An id of something submitted now.
fn fresh(state: &State, number: u64, by: ParticipantId) -> OrderId {
    let [_, _, entropy @ ..] = (number << 8).to_be_bytes();
    OrderId::owned(by, state.time().plus(1), entropy)
}

fn order(state: &State, number: u64, entries: u64) -> VerifiedBatch {
    let some = number * 7_919 % entries;
    let item = RechargeItem {
        order_id: fresh(state, number, GATEWAY).bytes(),
        user: user(some),
        merchant: (some + 1).into(),
        collecting_gateway: GATEWAY.get().into(),
        amount: 100.into(),
        currency: CNY.get().into(),
        payout_currency: CNY.get().into(),
        flags: Flags::COLLECTED.into(),
        ..RechargeItem::default()
    };
    signed(state, GATEWAY, item)
}

fn proposal(state: &State, number: u64, change: &Change) -> VerifiedBatch {
    let id = ProposalId::from_bytes(fresh(state, number, OPERATOR).bytes());
    let item = ProposalItem::new(id, state.height().next().next(), change).unwrap();
    signed(state, OPERATOR, item)
}

/// A list of as many changes of merchants as one holds, and the proposal that makes it at the end
/// of the same block.
fn list(state: &State, number: u64, entries: u64) -> Vec<VerifiedBatch> {
    let changed = |place: u64| Merchant {
        name: format!("merchant {number}"),
        ..merchant((number * 7_919 + place * 331) % entries)
    };
    let items: Vec<ListedChangeItem> = (0..u64::from(LISTED_CHANGES_MAX))
        .map(|place| ListedChangeItem::new(&Change::Merchant(changed(place))).unwrap())
        .collect();
    let (digest, count) = (ListedChangeItem::list_digest(&items), LISTED_CHANGES_MAX);
    let given = signed_all(state, OPERATOR, &items);
    vec![given, proposal(state, number, &Change::List { digest, count })]
}

/// As many changes of merchants by a registrar, who is its own gateway.
fn registered(state: &State, number: u64) -> Vec<VerifiedBatch> {
    let changed = |place: u64| Merchant {
        payout_gateway: REGISTRAR,
        name: format!("merchant {number}"),
        ..merchant(u64::from(u32::MAX) + place)
    };
    let items: Vec<MerchantItem> = (0..u64::from(LISTED_CHANGES_MAX))
        .map(|place| MerchantItem::new(&changed(place)).unwrap())
        .collect();
    vec![signed_all(state, REGISTRAR, &items)]
}

fn transfer(state: &State, number: u64) -> VerifiedBatch {
    let item = TransferItem {
        transfer_id: fresh(state, number, AGENT).bytes(),
        action: TransferAction::Deposit.number().into(),
        account_kind: 1.into(),
        owner: u64::from(GATEWAY.get()).into(),
        currency: CNY.get().into(),
        amount: 1.into(),
        reference: [0; 32],
        spare: [0; 26],
    };
    signed(state, AGENT, item)
}

fn policy(state: &State, number: u64, entries: u64) -> VerifiedBatch {
    let item = PolicyItem {
        scope: PolicyScope::Merchant.number().into(),
        subject: (number % entries + 1).into(),
        currency: CNY.get().into(),
        order_max: (1_000_000 + number).into(),
        ..PolicyItem::default()
    };
    signed(state, RISK_DESK, item)
}

/// The median of blocks of what `next` gives.
fn median(
    state: &mut State,
    number: &mut u64,
    next: impl Fn(&State, u64) -> Vec<VerifiedBatch>,
) -> Duration {
    let mut taken: Vec<Duration> = (0..BLOCKS)
        .map(|_| {
            *number += 1;
            let batches = next(state, *number);
            block(state, &batches, None)
        })
        .collect();
    taken.sort_unstable();
    taken[taken.len() / 2]
}

/// The resident memory of this process, in MiB.
fn memory_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4 / 1_024
}

/// Figures by name, in the order of their names.
type Figures = BTreeMap<&'static str, String>;

fn micros(time: Duration) -> String {
    format!("{:.1} us", time.as_secs_f64() * 1e6)
}

fn measure(entries: u64) -> Figures {
    let mut figures = Figures::new();
    let before = memory_mib();
    let genesis = genesis(entries);
    let mut state = filled(&genesis, entries);
    figures.insert("9 memory", format!("{} MiB", memory_mib() - before));
    let mut number = 0;
    // The first block after all these meets everything that was never looked at.
    median(&mut state, &mut number, |_, _| Vec::new());
    let idle = median(&mut state, &mut number, |_, _| Vec::new());
    figures.insert("1 idle block", micros(idle));
    let of = |time: Duration| micros(time.saturating_sub(idle));
    let taken =
        median(&mut state, &mut number, |state, number| vec![order(state, number, entries)]);
    figures.insert("2 an order, counted for its user, besides", of(taken));
    let taken = median(&mut state, &mut number, |state, number| {
        vec![proposal(state, number, &Change::Merchant(merchant(number % entries)))]
    });
    figures.insert("3 a change of a merchant, besides", of(taken));
    let taken = median(&mut state, &mut number, |state, number| {
        vec![proposal(state, number, &Change::Programme(programme(number % entries)))]
    });
    figures.insert("4 a change of a programme, besides", of(taken));
    let taken = median(&mut state, &mut number, |state, number| vec![transfer(state, number)]);
    figures.insert("5 a transfer, besides", of(taken));
    let taken =
        median(&mut state, &mut number, |state, number| vec![policy(state, number, entries)]);
    figures.insert("6 a policy, besides", of(taken));
    let taken = median(&mut state, &mut number, |state, number| list(state, number, entries));
    figures.insert("6a 3,000 changes in a list, given, proposed and made, besides", of(taken));
    if entries < 1_000_000 {
        let taken = median(&mut state, &mut number, registered);
        figures.insert("6b 3,000 merchants of a registrar, besides", of(taken));
    }
    let begun = Instant::now();
    let mut copying = state.copying();
    figures.insert("7a checkpoint: what the driver waits for", micros(begun.elapsed()));
    let (mut bytes, mut pieces, mut idle_beside) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let begun = Instant::now();
        let piece = state.copy_piece(&mut copying);
        pieces.push(begun.elapsed());
        let Some(piece) = piece else { break };
        bytes.extend(piece);
        idle_beside.push(block(&mut state, &[], Some(&mut copying)));
    }
    idle_beside.sort_unstable();
    pieces.sort_unstable();
    figures.insert("7b its pieces, p99", micros(pieces[pieces.len() * 99 / 100]));
    figures.insert("7c idle block meanwhile", micros(idle_beside[idle_beside.len() / 2]));
    figures.insert("7d its bytes", format!("{} KiB", bytes.len() / 1_024));
    drop(state);
    let begun = Instant::now();
    assert!(State::restore(&genesis, &bytes).is_ok());
    figures.insert(
        "8 start: the checkpoint read",
        format!("{:.0} ms", begun.elapsed().as_secs_f64() * 1e3),
    );
    figures
}

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let asked = if asked.is_empty() { vec![1_000, 1_000_000] } else { asked };
    let measured: Vec<Figures> = asked.iter().map(|entries| measure(*entries)).collect();
    println!(
        "| each table's entries | {} |",
        asked.iter().map(u64::to_string).collect::<Vec<_>>().join(" | ")
    );
    for name in measured[0].keys() {
        let values: Vec<&str> = measured.iter().map(|figures| figures[name].as_str()).collect();
        println!("| {} | {} |", name.split_once(' ').unwrap().1, values.join(" | "));
    }
}
