//! The interface of a store. One suite of tests runs over [`crate::Store`] and
//! [`crate::MemoryStore`].

use bytes::Bytes;
use chain_state::{
    AccountEntry, AccountKey, BreachRecord, EvidenceRecord, InstructionRecord, OrderRecord,
    PolicyKey, PolicyRecord, ProposalRecord, QuoteRecord, RateKey, RateRecord, RegistryRecord,
    ReturnRecord, TransferRecord, WindowRecord, WindowSettlement,
};
use chain_types::{
    BatchId, BlockHash, Certificate, Digest, ExecutedBlock, Height, InstructionId, OrderId,
    Outcome, ParticipantId, ProposalId, QuoteId, RecordCursor, TimeMs, TransferId, WindowId,
};

use crate::fault::StoreFault;
use crate::model::{BlockRecords, CommittedBlock, InstructionFilter, SubmittedOrder};
use crate::record_paths::{RecordName, RecordPath};

/// The chain on disk, or something that behaves like it.
///
/// One writer, any number of readers at the same time. Writes come in the order stage, commit,
/// stage, commit; heights ascend by one from height 1 (block zero is a function of the genesis
/// file and is not stored). Reads show committed blocks only. Lists take at most
/// [`crate::PAGE_ITEMS_MAX`] items.
///
/// # Errors
/// Every method may return a [`StoreFault`]. After one from a write the store refuses everything
/// but [`StoreFault::OutOfOrder`] and [`StoreFault::NotStaged`], which change nothing.
pub trait ChainStore: Send + Sync {
    /// Makes an executed block of the height after the head durable, with its payload. Returns
    /// once it is on disk. The same block again changes nothing, and a batch that an earlier
    /// block of this height brought is not written twice.
    ///
    /// # Panics
    /// When batches or outcomes are not those of the block.
    fn stage(&self, staged: &ExecutedBlock) -> Result<(), StoreFault>;

    /// Returns true if this block is staged for the height after the head.
    fn is_staged(&self, block: &BlockHash) -> bool;

    /// Makes the staged block of `certificate` the head, indexes what executing it gave and takes
    /// over the orders that left memory. Every read that begins after this returns sees it.
    /// Durable with the next [`Self::stage`] or [`Self::checkpoint`].
    fn commit(&self, certificate: &Certificate, learned: BlockRecords) -> Result<(), StoreFault>;

    /// Indexes again what executing a committed block gave: for blocks between the checkpoint and
    /// the head, after opening, and for the records of genesis at height 0. Any number of times.
    fn reindex(&self, height: Height, learned: BlockRecords) -> Result<(), StoreFault>;

    /// Makes the state after `height` durable, together with everything indexed so far, as one
    /// step. `height` is committed. The checkpoint before it is dropped. A store may take its time:
    /// it asks for one piece after the other.
    fn checkpoint_of(
        &self,
        height: Height,
        pieces: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreFault>;

    /// [`Self::checkpoint_of`] a state that is small.
    fn checkpoint(&self, height: Height, bytes: &[u8]) -> Result<(), StoreFault> {
        self.checkpoint_of(height, &mut std::iter::once(bytes.to_vec()))
    }

    /// The last committed height; `None` when only block zero exists.
    fn head(&self) -> Option<Height>;

    /// The block of a height, with its certificate.
    fn block(&self, height: Height) -> Result<Option<CommittedBlock>, StoreFault>;

    /// The height of a committed block.
    fn block_height(&self, block: &BlockHash) -> Result<Option<Height>, StoreFault>;

    /// The bytes of a block's batches, as they were sent, in the block's order.
    fn payload(&self, height: Height) -> Result<Option<Vec<Bytes>>, StoreFault>;

    /// The outcomes of a block's batches, in the block's order.
    fn outcomes(&self, height: Height) -> Result<Option<Vec<Vec<Outcome>>>, StoreFault>;

    /// The bytes of one batch of a block.
    fn batch_bytes(&self, height: Height, index: u32) -> Result<Option<Bytes>, StoreFault>;

    /// The order of a record as it was submitted: what a reader of one order needs of its block,
    /// without the rest of its batch. `None` when the block or the place in it does not exist; a
    /// fault when what stands there is not what the record says.
    fn submitted_order(&self, record: &OrderRecord) -> Result<Option<SubmittedOrder>, StoreFault>;

    /// The block that holds a batch, and the batch's place in it.
    fn batch_location(&self, batch: &BatchId) -> Result<Option<(Height, u32)>, StoreFault>;

    /// An order that has left memory.
    fn archived_order(&self, order: &OrderId) -> Result<Option<OrderRecord>, StoreFault>;

    /// A window, as last recorded.
    fn window(&self, window: WindowId) -> Result<Option<WindowRecord>, StoreFault>;

    /// Windows, the newest first, from the last or from the one below `before`.
    fn windows(
        &self,
        before: Option<WindowId>,
        limit: usize,
    ) -> Result<Vec<WindowRecord>, StoreFault>;

    /// The word that a window is settled, if it was given.
    fn window_settlement(&self, window: WindowId) -> Result<Option<WindowSettlement>, StoreFault>;

    /// An instruction, as last recorded.
    fn instruction(
        &self,
        instruction: &InstructionId,
    ) -> Result<Option<InstructionRecord>, StoreFault>;

    /// An instruction as the last block up to `height` left it that ended it: by its arrival or by
    /// the return of all that was left. `None` when none did.
    fn ended_instruction(
        &self,
        instruction: &InstructionId,
        height: Height,
    ) -> Result<Option<InstructionRecord>, StoreFault>;

    /// Instructions ascending by window, merchant and currency, from the first or from the one
    /// after `after`.
    fn instructions(
        &self,
        filter: InstructionFilter,
        after: Option<InstructionId>,
        limit: usize,
    ) -> Result<Vec<InstructionRecord>, StoreFault>;

    /// The last of the instructions that a gateway pays now. Looks no further back than over
    /// [`crate::PAGE_ITEMS_MAX`] that it paid and others pay now; then it gives the last of these.
    fn last_instruction(&self, gateway: ParticipantId)
    -> Result<Option<InstructionId>, StoreFault>;

    /// Entries of an account, the oldest first, from the first or from the one after `after`.
    fn account_entries(
        &self,
        account: &AccountKey,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<AccountEntry>, StoreFault>;

    /// The last entry of an account in the blocks up to and with `height`.
    fn account_entry_at(
        &self,
        account: &AccountKey,
        height: Height,
    ) -> Result<Option<AccountEntry>, StoreFault>;

    /// Breaches, the oldest first, from the first or from the one after `after`.
    fn breaches(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<BreachRecord>, StoreFault>;

    /// Evidence against validators, the oldest first, from the first or from the one after `after`.
    fn evidence(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<EvidenceRecord>, StoreFault>;

    /// Returns of an order, ascending by sequence, from the first or from the one after `after`.
    fn returns(
        &self,
        order: &OrderId,
        after: Option<u16>,
        limit: usize,
    ) -> Result<Vec<ReturnRecord>, StoreFault>;

    /// A transfer, as last recorded.
    fn transfer(&self, transfer: &TransferId) -> Result<Option<TransferRecord>, StoreFault>;

    /// Transfers descending by id, which begins with its time, from the last or from the one
    /// below `before`.
    fn transfers(
        &self,
        before: Option<TransferId>,
        limit: usize,
    ) -> Result<Vec<TransferRecord>, StoreFault>;

    /// A provider's rates of a pair, the oldest observation first, from the first or from the one
    /// after `after`.
    fn rates(
        &self,
        key: &RateKey,
        after: Option<TimeMs>,
        limit: usize,
    ) -> Result<Vec<RateRecord>, StoreFault>;

    /// A quote, as issued.
    fn quote(&self, quote: QuoteId) -> Result<Option<QuoteRecord>, StoreFault>;

    /// A provider's quotes as issued, ascending by id, from the first or from the one after
    /// `after`.
    fn quotes(
        &self,
        provider: ParticipantId,
        after: Option<QuoteId>,
        limit: usize,
    ) -> Result<Vec<QuoteRecord>, StoreFault>;

    /// A risk policy, as last set.
    fn policy(&self, policy: &PolicyKey) -> Result<Option<PolicyRecord>, StoreFault>;

    /// Risk policies ascending by scope, subject and currency, from the first or from the one
    /// after `after`.
    fn policies(
        &self,
        after: Option<PolicyKey>,
        limit: usize,
    ) -> Result<Vec<PolicyRecord>, StoreFault>;

    /// A governance proposal, as last recorded.
    fn proposal(&self, proposal: &ProposalId) -> Result<Option<ProposalRecord>, StoreFault>;

    /// Governance proposals descending by id, which begins with its time, from the last or from
    /// the one below `before`.
    fn proposals(
        &self,
        before: Option<ProposalId>,
        limit: usize,
    ) -> Result<Vec<ProposalRecord>, StoreFault>;

    /// The registry under which the block of `height` executes; `None` when that is the one of
    /// the genesis file. `height` is at most the one after the head.
    fn registry_at(&self, height: Height) -> Result<Option<RegistryRecord>, StoreFault>;

    /// Registries that governance made, the oldest first, from the first or from the one after
    /// `after`.
    fn registries(
        &self,
        after: Option<Height>,
        limit: usize,
    ) -> Result<Vec<RegistryRecord>, StoreFault>;

    /// Returns the place of a record that can be proven by itself, if a block has left it.
    fn record_path(&self, record: RecordName) -> Result<Option<RecordPath>, StoreFault>;

    /// The node of the accounts' tree at a place of a kept level after the block of `height`; of
    /// block zero too. `None` when nothing stood there yet, or the index is of a version that kept
    /// no nodes.
    fn account_node_at(
        &self,
        level: u8,
        index: u32,
        height: Height,
    ) -> Result<Option<Digest>, StoreFault>;

    /// The running digest of all writes but the accounts' after the block of `height`; of block
    /// zero too.
    fn writes_digest(&self, height: Height) -> Result<Option<Digest>, StoreFault>;

    /// The first committed block whose time is `time` or later. Block times ascend, so this reads
    /// as many blocks as the head has binary digits.
    fn first_height_from(&self, time: TimeMs) -> Result<Option<Height>, StoreFault> {
        let Some(head) = self.head() else {
            return Ok(None);
        };
        let (mut low, mut high) = (1, head.get() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.block(Height::new(middle))? {
                Some(found) if found.block.header.time < time => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok((low <= head.get()).then_some(Height::new(low)))
    }
}
