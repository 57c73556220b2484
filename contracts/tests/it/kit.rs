//! A small chain to try the rules on: eighteen parties, four merchants, five currencies.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;
use chain_state::{
    Account, AccountEntry, AccountKey, BreachRecord, History, InstructionRecord, Location,
    OrderRecord, OrderRun, OrderStatus, PastCollection, PastOrder, QuoteRecord, Record, State,
    WindowRecord,
};
use chain_types::batch::{BATCH_VERSION, BatchHeader, BatchItem, Items, SignedBatch};
use chain_types::hash::sha256;
use chain_types::{
    Amount, ApprovalItem, ArrivalItem, BatchKind, BlockHeader, BounceItem, ChainGenesis, ChainId,
    Change, CollectItem, ConsentItem, Currency, DebitingItem, Decision, Digest, FailureItem, Flags,
    Height, HoldDecisionItem, InstructionId, LiquidityLine, Merchant, MerchantId, Node, OrderId,
    Outcome, Parameters, Participant, ParticipantId, PartyKeys, PolicyItem, ProposalId,
    ProposalItem, QuoteId, QuoteItem, RateItem, RecallItem, RechargeItem, ReinstructItem,
    ReturnItem, Roles, Round, SecretKey, SettleWindowItem, SettlementDecisionItem, StepInItem,
    TimeMs, TransferAction, TransferDecisionItem, TransferId, TransferItem, VerifiedBatch,
    VoidItem, WindowId, codec, merkle,
};
use contracts::{BlockContext, BlockError, Executed, admit, execute};
use zerocopy::{Immutable, IntoBytes};

/// Settlement operators; each runs one of the four validators.
pub const OPERATORS: [u32; 4] = [1, 2, 3, 4];
pub const SERVICE: u32 = 101;
pub const SERVICE_SUSPENDED: u32 = 102;
pub const SERVICE_SECOND: u32 = 103;
/// Collects; pays merchants 1002.
pub const BANK_A: u32 = 201;
/// Collects; pays merchants 1001 and 1003.
pub const BANK_B: u32 = 202;
/// A suspended gateway; pays merchant 1004.
pub const BANK_SUSPENDED: u32 = 203;
/// A gateway without any liquidity line; pays nobody.
pub const BANK_POOR: u32 = 204;
pub const AUDITOR: u32 = 301;
pub const PROVIDERS: [u32; 3] = [401, 402, 403];
pub const RISK_DESK: u32 = 501;
/// Settlement agents: maker and checker.
pub const AGENTS: [u32; 2] = [601, 602];

pub const SHOP: u64 = 1001;
pub const SHOP_OF_A: u64 = 1002;
pub const SHOP_SUSPENDED: u64 = 1003;
pub const SHOP_OF_SUSPENDED: u64 = 1004;

pub const CNY: u16 = 156;
pub const JPY: u16 = 392;
pub const KWD: u16 = 414;
pub const USD: u16 = 840;
pub const EUR: u16 = 978;
/// A currency that the chain does not accept at first.
pub const GBP: u16 = 826;

/// The time of block zero.
pub const START: TimeMs = TimeMs(1_800_000_000_000);

/// What bank A may collect in CNY at first: opening liquidity and cap.
pub const A_OPENING: u64 = 1_000;
pub const A_CAP: u64 = 9_000;

/// The first key of a participant.
pub fn key_of(participant: u32) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"test key", &participant.to_le_bytes()]).0)
}

/// A key of that name; no participant has it at first.
pub fn key_named(name: &str) -> SecretKey {
    SecretKey::from_seed(&sha256(&[name.as_bytes()]).0)
}

/// The key of a validator's votes; validators count from zero.
pub fn vote_key(validator: u32) -> SecretKey {
    key_named(&format!("validator {}", validator + 1))
}

/// Validator `number`, run by the operator of the same number.
pub fn node(number: u32) -> Node {
    Node {
        name: format!("node-{number}"),
        operator: ParticipantId(number),
        network_key: key_named(&format!("network {number}")).public_key(),
        validator_key: vote_key(number - 1).public_key(),
        power: 1,
    }
}

pub fn genesis() -> ChainGenesis {
    let participant = |id: u32, roles: Roles, suspended: bool| Participant {
        id: ParticipantId(id),
        name: format!("party {id}"),
        roles,
        public_key: key_of(id).public_key(),
        suspended,
        legal_entity: String::new(),
    };
    let merchant = |id: u64, payout_gateway: u32, suspended: bool| Merchant {
        id: MerchantId(id),
        name: format!("merchant {id}"),
        payout_gateway: ParticipantId(payout_gateway),
        payout_account: Digest::ZERO,
        suspended,
        legal_entity: String::new(),
    };
    let line = |gateway: u32, currency: u16, cap: u64, opening: u64| LiquidityLine {
        gateway: ParticipantId(gateway),
        currency: Currency(currency),
        net_debit_cap: Amount(cap),
        opening_liquidity: Amount(opening),
    };
    ChainGenesis {
        chain_id: ChainId(sha256(&[b"a chain for tests"])),
        name: "tests".to_owned(),
        time: START,
        parameters: Parameters {
            order_amount_max: 1_000_000,
            rates_min: 1,
            ..Parameters::default()
        },
        currencies: [CNY, JPY, KWD, USD, EUR].map(Currency).to_vec(),
        participants: vec![
            participant(OPERATORS[0], Roles::SETTLEMENT_OPERATOR, false),
            participant(OPERATORS[1], Roles::SETTLEMENT_OPERATOR, false),
            participant(OPERATORS[2], Roles::SETTLEMENT_OPERATOR, false),
            participant(OPERATORS[3], Roles::SETTLEMENT_OPERATOR, false),
            participant(SERVICE, Roles::RECHARGE_SERVICE, false),
            participant(SERVICE_SUSPENDED, Roles::RECHARGE_SERVICE, true),
            participant(SERVICE_SECOND, Roles::RECHARGE_SERVICE, false),
            participant(BANK_A, Roles::GATEWAY, false),
            participant(BANK_B, Roles::GATEWAY, false),
            participant(BANK_SUSPENDED, Roles::GATEWAY, true),
            participant(BANK_POOR, Roles::GATEWAY, false),
            participant(AUDITOR, Roles::AUDITOR, false),
            participant(PROVIDERS[0], Roles::FX_PROVIDER, false),
            participant(PROVIDERS[1], Roles::FX_PROVIDER, false),
            participant(PROVIDERS[2], Roles::FX_PROVIDER, false),
            participant(RISK_DESK, Roles::RISK_DESK, false),
            participant(AGENTS[0], Roles::SETTLEMENT_AGENT, false),
            participant(AGENTS[1], Roles::SETTLEMENT_AGENT, false),
        ],
        merchants: vec![
            merchant(SHOP, BANK_B, false),
            merchant(SHOP_OF_A, BANK_A, false),
            merchant(SHOP_SUSPENDED, BANK_B, true),
            merchant(SHOP_OF_SUSPENDED, BANK_SUSPENDED, false),
        ],
        liquidity: vec![
            line(BANK_A, CNY, A_CAP, A_OPENING),
            line(BANK_A, JPY, 0, 500),
            line(BANK_B, CNY, 5_000, 0),
            line(BANK_SUSPENDED, CNY, 5_000, 0),
        ],
        lines: Vec::new(),
        nodes: OPERATORS.map(node).to_vec(),
    }
    .with_lines(Amount(u64::MAX))
}

/// The random part of a UUIDv7, which here numbers it.
pub fn entropy(number: u64) -> [u8; 10] {
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    entropy
}

/// The id of order `number` of the recharge service's own, made `offset_ms` after [`START`].
pub fn order_id(number: u64, offset_ms: i64) -> OrderId {
    own_id(SERVICE, TimeMs(START.0.checked_add_signed(offset_ms).unwrap()), number)
}

/// The id of order `number` of a participant's own.
pub fn own_id(owner: u32, time: TimeMs, number: u64) -> OrderId {
    let [.., first, second, third] = number.to_be_bytes();
    OrderId::owned(ParticipantId(owner), time, [0, 0, 0, first, second, third])
}

/// The same id, but another participant's.
pub fn of(owner: u32, id: OrderId) -> OrderId {
    id.owned_by(ParticipantId(owner))
}

/// An order that bank A shall collect for the shop, to be submitted by the recharge service.
pub fn order(id: OrderId, amount: u64) -> RechargeItem {
    RechargeItem {
        order_id: id.0,
        user: [7; 16],
        merchant: SHOP.into(),
        collecting_gateway: BANK_A.into(),
        amount: amount.into(),
        currency: CNY.into(),
        payout_currency: CNY.into(),
        flags: 0.into(),
        fx_quote: 0.into(),
        payout_minimum: 0.into(),
        device: 0.into(),
        network: 0.into(),
        external_reference: [0; 32],
        spare: [0; 6],
    }
}

/// The same, submitted and collected in one step by bank A itself, under an id of its own.
pub fn one_step(id: OrderId, amount: u64) -> RechargeItem {
    RechargeItem { flags: Flags::COLLECTED.into(), ..order(of(BANK_A, id), amount) }
}

pub fn collect(id: OrderId) -> CollectItem {
    CollectItem { order_id: id.0, reference: [1; 32], spare: [0; 16] }
}

pub fn debiting(id: OrderId) -> DebitingItem {
    DebitingItem { order_id: id.0, reference: [1; 32], spare: [0; 16] }
}

pub fn consent(id: OrderId, amount: u64) -> ConsentItem {
    ConsentItem { order_id: id.0, amount: amount.into(), reference: [4; 32], spare: [0; 8] }
}

pub fn void(id: OrderId) -> VoidItem {
    VoidItem { order_id: id.0, reason: 1.into(), reference: [1; 32], spare: [0; 14] }
}

pub fn arrival(window: u64, merchant: u64, amount: u64) -> ArrivalItem {
    ArrivalItem {
        window: window.into(),
        merchant: merchant.into(),
        amount: amount.into(),
        currency: CNY.into(),
        reference: [9; 32],
        attempt: 1.into(),
        spare: [0; 4],
    }
}

pub fn failure(window: u64, merchant: u64, reason: u16) -> FailureItem {
    FailureItem {
        window: window.into(),
        merchant: merchant.into(),
        currency: CNY.into(),
        reason: reason.into(),
        reference: [8; 32],
        attempt: 1.into(),
        spare: [0; 10],
    }
}

/// Part of a collected order that goes back because the user asked for it.
pub fn give_back(id: OrderId, amount: u64, sequence: u16) -> ReturnItem {
    ReturnItem {
        order_id: id.0,
        amount: amount.into(),
        rested_max: 0.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        reference: [3; 32],
        spare: [0; 4],
    }
}

pub fn reinstruct(window: u64, merchant: u64) -> ReinstructItem {
    ReinstructItem {
        window: window.into(),
        merchant: merchant.into(),
        currency: CNY.into(),
        reference: [4; 32],
        attempt: 1.into(),
        spare: [0; 12],
    }
}

pub fn bounce(window: u64, merchant: u64, reason: u16) -> BounceItem {
    BounceItem {
        window: window.into(),
        merchant: merchant.into(),
        currency: CNY.into(),
        reason: reason.into(),
        reference: [7; 32],
        attempt: 1.into(),
        spare: [0; 10],
    }
}

pub fn recall(window: u64, merchant: u64) -> RecallItem {
    RecallItem {
        window: window.into(),
        merchant: merchant.into(),
        currency: CNY.into(),
        reference: [3; 32],
        attempt: 1.into(),
        spare: [0; 12],
    }
}

pub fn step_in(window: u64, merchant: u64, reason: u16) -> StepInItem {
    StepInItem {
        window: window.into(),
        merchant: merchant.into(),
        currency: CNY.into(),
        reason: reason.into(),
        reference: [2; 32],
        attempt: 1.into(),
        spare: [0; 10],
    }
}

pub fn settle_window(window: u64, digest: Digest) -> SettleWindowItem {
    let (digest, reference) = (digest.0, [5; 32]);
    SettleWindowItem { window: window.into(), digest, reference, spare: [0; 24] }
}

/// A checker's word about a settlement as it was proposed.
pub fn decide_settlement(
    proposed: &SettleWindowItem,
    decision: Decision,
) -> SettlementDecisionItem {
    SettlementDecisionItem {
        window: proposed.window,
        decision: decision.number().into(),
        digest: proposed.digest,
        reference: proposed.reference,
        spare: [0; 22],
    }
}

pub fn transfer(id: TransferId, action: TransferAction, to: AccountKey, sum: u64) -> TransferItem {
    TransferItem {
        transfer_id: id.0,
        action: action.number().into(),
        account_kind: u16::from(to.kind.number()).into(),
        owner: to.owner.into(),
        currency: to.currency.0.into(),
        amount: sum.into(),
        reference: [6; 32],
        spare: [0; 26],
    }
}

/// A checker's word about a transfer as it was proposed.
pub fn decide(proposed: &TransferItem, decision: Decision) -> TransferDecisionItem {
    TransferDecisionItem {
        transfer_id: proposed.transfer_id,
        decision: decision.number().into(),
        action: proposed.action,
        amount: proposed.amount,
        reference: [6; 32],
        spare: [0; 4],
    }
}

/// A rate of `digits / 10^scale`, which may be none.
pub fn rate(pair: (u16, u16), (digits, scale): (u64, u16), observed: TimeMs) -> RateItem {
    RateItem::new((Currency(pair.0), Currency(pair.1)), (digits, scale), observed)
}

/// A quote at a published rate.
pub fn quote(id: QuoteId, at: &RateItem, ceiling: u64, until: TimeMs) -> QuoteItem {
    at.quote(id, Amount(ceiling), until)
}

pub fn decide_hold(id: OrderId, decision: Decision) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: id.0,
        decision: decision.number().into(),
        reason: 1.into(),
        reference: [7; 32],
        spare: [0; 12],
    }
}

/// A policy in CNY that limits nothing yet.
pub fn policy(scope: u16, subject: u64) -> PolicyItem {
    PolicyItem {
        scope: scope.into(),
        subject: subject.into(),
        currency: CNY.into(),
        order_max: 0.into(),
        user_day_max: 0.into(),
        day_max: 0.into(),
        hold_above: 0.into(),
        spare: [0; 20],
    }
}

pub fn proposal(id: ProposalId, from: Height, change: &Change) -> ProposalItem {
    ProposalItem::new(id, from, change).unwrap()
}

/// An operator's word about a proposal as it was made.
pub fn vote(proposed: &ProposalItem, decision: Decision) -> ApprovalItem {
    ApprovalItem {
        proposal_id: proposed.proposal_id,
        decision: decision.number().into(),
        digest: proposed.digest().0,
        spare: [0; 14],
    }
}

pub fn instruction_id(window: u64, merchant: u64) -> InstructionId {
    let (window, merchant) = (WindowId(window), MerchantId(merchant));
    InstructionId { window, merchant, currency: Currency(CNY) }
}

/// A block as it stands in the chain.
#[derive(Clone)]
pub struct Decided {
    pub header: BlockHeader,
    pub batches: Vec<VerifiedBatch>,
    pub outcomes: Vec<Vec<Outcome>>,
}

/// A chain of one honest proposer.
#[derive(Clone)]
pub struct Chain {
    pub genesis: ChainGenesis,
    pub state: State,
    pub blocks: Vec<Decided>,
    pub records: Vec<Record>,
    pub retired: BTreeMap<OrderId, OrderRecord>,
    /// Bytes of items and outcomes that contracts asked the past for.
    pub bytes_read: Cell<usize>,
}

impl Chain {
    pub fn new() -> Self {
        Self::of(genesis())
    }

    pub fn of(genesis: ChainGenesis) -> Self {
        let state = State::genesis(&genesis);
        let zero = State::genesis_block(&genesis);
        let zero = Decided { header: zero.header, batches: Vec::new(), outcomes: Vec::new() };
        let records = State::genesis_records(&genesis);
        Self {
            genesis,
            state,
            blocks: vec![zero],
            records,
            retired: BTreeMap::new(),
            bytes_read: Cell::new(0),
        }
    }

    /// A batch of `items` that `submitter` signs, good for a minute of block time.
    pub fn batch(
        &self,
        submitter: u32,
        items: &[impl IntoBytes + Immutable + BatchItem],
    ) -> VerifiedBatch {
        self.batch_until(submitter, self.state.time().plus(60_000), items)
    }

    pub fn batch_until(
        &self,
        submitter: u32,
        valid_until: TimeMs,
        items: &[impl IntoBytes + Immutable + BatchItem],
    ) -> VerifiedBatch {
        self.batch_signed(submitter, &key_of(submitter), valid_until, items)
    }

    /// A batch that `submitter` is said to have signed with `key`.
    pub fn batch_signed<T: IntoBytes + Immutable + BatchItem>(
        &self,
        submitter: u32,
        key: &SecretKey,
        valid_until: TimeMs,
        items: &[T],
    ) -> VerifiedBatch {
        let items: Vec<Vec<u8>> = items.iter().map(|item| item.as_bytes().to_vec()).collect();
        self.batch_of_bytes(T::KIND, submitter, key, valid_until, &items)
    }

    /// The same of items as bytes, which may be no item that a type can say.
    pub fn batch_of_bytes(
        &self,
        kind: BatchKind,
        submitter: u32,
        key: &SecretKey,
        valid_until: TimeMs,
        items: &[Vec<u8>],
    ) -> VerifiedBatch {
        let (chain_id, participant) = (self.genesis.chain_id, ParticipantId(submitter));
        let leaves: Vec<Digest> = items.iter().map(|item| merkle::leaf(item)).collect();
        let header = BatchHeader {
            version: BATCH_VERSION,
            kind: kind.number(),
            chain_id,
            submitter: participant,
            count: u32::try_from(items.len()).unwrap(),
            valid_until,
            items_root: merkle::root(&leaves),
        };
        let signature = key.sign(&header.id().0);
        let bytes = [&codec::encode(&header)[..], &signature.0, &items.concat()].concat();
        let batch = SignedBatch::decode(Bytes::from(bytes)).unwrap();
        let keys = PartyKeys { participant, current: key.public_key(), previous: None };
        batch.verify(chain_id, |_| Some(keys)).unwrap()
    }

    pub fn context(&self, after_ms: u64) -> BlockContext {
        BlockContext {
            height: self.state.height().next(),
            round: Round(0),
            parent_round: Round(0),
            proposer: self.state.validators().as_slice()[0].id,
            time: self.state.time().plus(after_ms),
        }
    }

    /// The block of these batches, `after_ms` after the one before, applied. A batch without an
    /// author (107 to 109) stands in no block: its items get the code, and the block goes without.
    pub fn block(&mut self, after_ms: u64, batches: &[VerifiedBatch]) -> Vec<Vec<Outcome>> {
        let context = self.context(after_ms);
        let (mut held, mut refused) = (batches.to_vec(), BTreeMap::new());
        let executed = loop {
            match execute(&self.state, &context, &held, &[], self) {
                Err(BlockError::Author { id, source }) => {
                    held.retain(|batch| batch.id() != id);
                    refused.insert(id, source);
                }
                executed => break executed.unwrap(),
            }
        };
        let before = self.state.clone();
        let mut outcomes = self.apply(executed, &held).into_iter();
        let mut outcomes_of = |batch: &VerifiedBatch| match refused.get(&batch.id()) {
            None => outcomes.next().unwrap(),
            Some(source) => {
                assert_eq!(admit(&before, batch, context.time).as_ref().err(), Some(source));
                vec![source.rejection.into(); batch.count() as usize]
            }
        };
        batches.iter().map(&mut outcomes_of).collect()
    }

    pub fn apply(&mut self, executed: Executed, batches: &[VerifiedBatch]) -> Vec<Vec<Outcome>> {
        let Executed { block, outcomes, writes } = executed;
        self.records.extend_from_slice(writes.records());
        let retired = self.state.apply(writes);
        self.retired.extend(retired.runs.iter().flat_map(OrderRun::sorted));
        assert_eq!(self.state.digest(), block.header.state_digest);
        assert!(self.state.trial_balance().iter().all(|sums| sums.is_balanced()));
        let (header, batches) = (block.header, batches.to_vec());
        self.blocks.push(Decided { header, batches, outcomes: outcomes.clone() });
        outcomes
    }

    /// The code of one item in a block of its own, a millisecond later.
    pub fn one(
        &mut self,
        submitter: u32,
        item: impl IntoBytes + Immutable + BatchItem + Copy,
    ) -> u16 {
        let batch = self.batch(submitter, &[item]);
        self.block(1, &[batch])[0][0].0
    }

    /// Two operators put a change into effect for the block after the last one, where the notice is
    /// one block.
    pub fn change(&mut self, change: &Change) {
        let next = self.state.height().next();
        let now = self.context(1).time;
        let item = proposal(ProposalId::new(now, entropy(next.0)), next.next(), change);
        let batches = [self.batch(1, &[item]), self.batch(2, &[vote(&item, Decision::Approve)])];
        let outcomes = self.block(1, &batches);
        assert_eq!(outcomes, [[Outcome::APPLIED], [Outcome::APPLIED]]);
    }

    pub fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        self.state.order(id).or_else(|| self.retired.get(id).copied())
    }

    pub fn status(&self, id: &OrderId) -> Option<OrderStatus> {
        self.record(id).map(|record| record.status)
    }

    fn note_read(&self, bytes: usize) {
        self.bytes_read.set(self.bytes_read.get() + bytes);
    }

    pub fn block_at(&self, height: Height) -> &Decided {
        &self.blocks[usize::try_from(height.0).unwrap()]
    }

    fn order_at(&self, at: Location) -> RechargeItem {
        match self.block_at(at.height).batches[at.batch as usize].items() {
            Items::Recharge(items) => items[at.item as usize],
            _ => panic!("no order stands at {at:?}"),
        }
    }

    pub fn liquidity(&self, gateway: u32) -> Account {
        self.account(AccountKey::liquidity(ParticipantId(gateway), Currency(CNY)))
    }

    pub fn payable(&self, merchant: u64) -> Account {
        self.account(AccountKey::payable(MerchantId(merchant), Currency(CNY)))
    }

    pub fn account(&self, key: AccountKey) -> Account {
        self.state.account(&key).copied().unwrap_or_default()
    }

    /// The digest of a window's report: of one that is open, as it would close now.
    pub fn report_digest(&self, window: u64) -> Digest {
        let open = self.state.open_window();
        let closed = self.windows();
        let found = closed.into_iter().chain([&open]).find(|report| report.id.0 == window);
        found.map_or(Digest::ZERO, WindowRecord::digest)
    }

    pub fn windows(&self) -> Vec<&WindowRecord> {
        let windows = self.records.iter().filter_map(|record| match record {
            Record::Window(window) => Some(window),
            _ => None,
        });
        windows.collect()
    }

    pub fn instructions(&self) -> Vec<&InstructionRecord> {
        let instructions = self.records.iter().filter_map(|record| match record {
            Record::Instruction(instruction) => Some(instruction),
            _ => None,
        });
        instructions.collect()
    }

    pub fn entries(&self) -> Vec<&AccountEntry> {
        let entries = self.records.iter().filter_map(|record| match record {
            Record::AccountEntry(entry) => Some(entry),
            _ => None,
        });
        entries.collect()
    }

    pub fn breaches(&self) -> Vec<&BreachRecord> {
        let breaches = self.records.iter().filter_map(|record| match record {
            Record::Breach(breach) => Some(breach),
            _ => None,
        });
        breaches.collect()
    }
}

/// What the store of a real node says of its chain.
impl History for Chain {
    fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        Self::record(self, id)
    }

    fn collected(&self, record: &OrderRecord) -> Option<PastOrder> {
        let OrderRecord { location, status, status_location: step, .. } = *record;
        self.note_read(size_of::<RechargeItem>());
        let BlockHeader { height, time, window, .. } = self.block_at(step.height).header;
        let submitted = self.block_at(location.height).header.time;
        let collection = PastCollection { height, time, window };
        let past = PastOrder { item: self.order_at(location), submitted, collection };
        (status == OrderStatus::Collected).then_some(past)
    }

    fn collection_outcome(&self, record: &OrderRecord) -> Option<Outcome> {
        self.note_read(size_of::<Outcome>());
        let step = record.status_location;
        let outcomes = &self.block_at(step.height).outcomes;
        Some(outcomes[step.batch as usize][step.item as usize])
    }

    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord> {
        self.records.iter().rev().find_map(|record| match record {
            Record::Instruction(found) if found.id == *id => Some(found.clone()),
            _ => None,
        })
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.records.iter().rev().find_map(|record| match record {
            Record::Quote(found) if found.id == id => Some(*found),
            _ => None,
        })
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        self.windows().into_iter().find(|found| found.id == id).cloned()
    }
}
