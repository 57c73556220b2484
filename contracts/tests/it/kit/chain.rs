//! A chain of one honest proposer, with the past that contracts may ask for.

use std::cell::Cell;
use std::collections::BTreeMap;

use bytes::Bytes;
use chain_state::{
    Account, AccountEntry, AccountKey, BreachRecord, History, InstructionRecord, Location,
    OrderRecord, OrderRun, OrderStatus, PastCollection, PastOrder, QuoteRecord, Record, State,
    WindowRecord,
};
use chain_types::batch::{BATCH_VERSION, BatchHeader, BatchItem, Items, SignedBatch};
use chain_types::{
    BatchKind, BlockHeader, ChainGenesis, Change, Currency, Decision, Digest, Height,
    InstructionId, MerchantId, OrderId, Outcome, ParticipantId, PartyKeys, ProposalId, QuoteId,
    RechargeItem, Round, SecretKey, TimeMs, VerifiedBatch, WindowId, codec, merkle,
};
use contracts::{BlockContext, BlockError, Executed, admit, execute};
use zerocopy::{Immutable, IntoBytes};

use super::{CNY, entropy, genesis, key_of, proposal, vote};

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
        let (chain_id, participant) = (self.genesis.chain_id, ParticipantId::new(submitter));
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
        let signature = key.sign(&header.id().digest());
        let bytes = [&codec::encode(&header)[..], &signature.bytes(), &items.concat()].concat();
        let batch = SignedBatch::decode(Bytes::from(bytes)).unwrap();
        let keys = PartyKeys { participant, current: key.public_key(), previous: None };
        batch.verify(chain_id, |_| Some(keys)).unwrap()
    }

    pub fn context(&self, after_ms: u64) -> BlockContext {
        BlockContext {
            height: self.state.height().next(),
            round: Round::new(0),
            parent_round: Round::new(0),
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
        let item = proposal(ProposalId::new(now, entropy(next.get())), next.next(), change);
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
        &self.blocks[usize::try_from(height.get()).unwrap()]
    }

    fn order_at(&self, at: Location) -> RechargeItem {
        match self.block_at(at.height).batches[at.batch as usize].items() {
            Items::Recharge(items) => items[at.item as usize],
            _ => panic!("no order stands at {at:?}"),
        }
    }

    pub fn liquidity(&self, gateway: u32) -> Account {
        self.account(AccountKey::liquidity(ParticipantId::new(gateway), Currency::new(CNY)))
    }

    pub fn payable(&self, merchant: u64) -> Account {
        self.account(AccountKey::payable(MerchantId::new(merchant), Currency::new(CNY)))
    }

    pub fn account(&self, key: AccountKey) -> Account {
        self.state.account(&key).copied().unwrap_or_default()
    }

    /// The digest of a window's report: of one that is open, as it would close now.
    pub fn report_digest(&self, window: u64) -> Digest {
        let open = self.state.open_window();
        let closed = self.windows();
        let found = closed.into_iter().chain([&open]).find(|report| report.id.get() == window);
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

/// The answers of a real node's store about its chain.
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
