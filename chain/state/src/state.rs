//! The state after a block: the books and the records that execution reads.

use std::sync::Arc;

use ahash::RandomState;
use chain_types::registry::RegistryBounds;
use chain_types::{
    BatchId, BlockHash, ChainId, Currency, Digest, Height, InstructionId, Merchant, MerchantId,
    Node, OrderId, Parameters, Participant, ParticipantId, PartyKeys, ReadyKeys, TimeMs,
    ValidatorSet, WindowId,
};

use crate::account::{Account, AccountKey};
use crate::accounts::{AccountBook, TrialBalance};
use crate::accounts_tree::{AccountPlace, AccountProof, TreeNode, state_digest};
use crate::copying::Copying;
use crate::instructions::InstructionBook;
use crate::order_window::{OrderWindow, RecentOrders, earliest_needed};
use crate::recent_batches::RecentBatches;
use crate::records::{InstructionRecord, OrderRecord, Reservation, WindowRecord};
use crate::registry::{Registry, RegistryContent};
use crate::reservations::ReservationBook;
use crate::slice::Retired;
use crate::tables::Tables;
use crate::user_book::UserBook;
use crate::users::{UserDay, UserDayKey, UserMonth, UserMonthKey};
use crate::window::OpenWindow;
use crate::writes::{Changes, WriteSet};

/// Users that are taken at a time: less than a tenth of a millisecond.
const PIECE: usize = 128;

/// The state after a block. [`State::genesis`] makes the first, [`State::apply`] each next one.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) registry: Arc<Registry>,
    /// How much the registry holds at most.
    pub(crate) bounds: RegistryBounds,
    pub(crate) height: Height,
    pub(crate) time: TimeMs,
    pub(crate) block_hash: BlockHash,
    pub(crate) accounts: AccountBook,
    /// The running digest of every write that is not an account's.
    pub(crate) writes: Digest,
    pub(crate) orders: OrderWindow,
    pub(crate) reservations: ReservationBook,
    pub(crate) window: OpenWindow,
    pub(crate) instructions: InstructionBook,
    pub(crate) batches: RecentBatches,
    pub(crate) tables: Tables,
    pub(crate) users: UserBook,
    /// Hashes the keys of all tables; no result shows it.
    pub(crate) hashing: RandomState,
}

impl State {
    /// The same state under lower bounds of the registry, for tests that reach them.
    #[must_use]
    pub fn with_bounds(self, bounds: RegistryBounds) -> Self {
        Self { bounds, ..self }
    }

    /// How much the registry holds at most.
    pub fn bounds(&self) -> &RegistryBounds {
        &self.bounds
    }

    /// The height of the last block.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The time of the last block.
    pub fn time(&self) -> TimeMs {
        self.time
    }

    /// The hash of the last block.
    pub fn block_hash(&self) -> BlockHash {
        self.block_hash
    }

    /// Returns the id of the chain.
    pub fn chain_id(&self) -> ChainId {
        self.registry.chain_id
    }

    /// The parameters under which the next block executes.
    pub fn parameters(&self) -> &Parameters {
        &self.registry.content.parameters
    }

    /// The validators who decide the next block.
    pub fn validators(&self) -> &ValidatorSet {
        &self.registry.validators
    }

    /// The currencies that the chain accepts, ascending.
    pub fn currencies(&self) -> &[Currency] {
        &self.registry.content.currencies
    }

    /// Returns the registered participant of an id.
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.registry.content.participant(id)
    }

    /// The keys that a participant's batches may be signed with.
    pub fn party_keys(&self, id: ParticipantId) -> Option<&PartyKeys> {
        self.registry.parties.of(id)
    }

    /// [`Self::party_keys`], made ready to verify with.
    pub fn ready_keys(&self, id: ParticipantId) -> Option<ReadyKeys> {
        self.registry.parties.ready(id)
    }

    /// The keys of all participants, ascending by id, and the Merkle root over them.
    pub fn parties(&self) -> (&[PartyKeys], Digest) {
        (&self.registry.parties.keys, self.registry.parties.root())
    }

    /// Validators and edge nodes; a validator's number is its place.
    pub fn nodes(&self) -> &[Node] {
        &self.registry.content.nodes
    }

    /// The protocol version by which the next block executes.
    pub fn protocol_version(&self) -> u16 {
        self.registry.content.protocol_version
    }

    /// Everything that governance changes, but for merchants and programmes.
    pub fn registry(&self) -> &RegistryContent {
        &self.registry.content
    }

    /// The digests of validators and parameters that the next block's header says.
    pub fn registry_hashes(&self) -> (Digest, Digest) {
        (self.registry.validators_hash, self.registry.parameters_hash)
    }

    /// Returns the records of the contracts.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// A user's recharges under a programme, of the month that the entry says.
    pub fn user_month(&self, key: &UserMonthKey) -> UserMonth {
        self.users.month(key)
    }

    /// A user's orders in a currency, of the day that the entry says.
    pub fn user_day(&self, key: &UserDayKey) -> UserDay {
        self.users.day(key)
    }

    /// All participants, ascending by id.
    pub fn participants(&self) -> &[Participant] {
        &self.registry.content.participants
    }

    /// Returns the registered merchant of an id.
    pub fn merchant(&self, id: MerchantId) -> Option<&Merchant> {
        self.tables.merchants.get(&id).map(|record| &record.merchant)
    }

    /// All merchants, ascending by id.
    pub fn merchants(&self) -> impl Iterator<Item = &Merchant> {
        self.tables.merchants.values().map(|record| &record.merchant)
    }

    /// Returns the first height under governance's last change of a merchant; `None` if it is as
    /// in the genesis file.
    pub fn merchant_changed(&self, id: MerchantId) -> Option<Height> {
        self.tables.merchants.get(&id)?.changed
    }

    /// The open window's id.
    pub fn window(&self) -> WindowId {
        self.window.opening.id
    }

    /// The open window's report as of now.
    pub fn open_window(&self) -> WindowRecord {
        self.window.report(|merchant| self.merchant(merchant).map(|found| found.payout_gateway))
    }

    /// The open window's sums.
    pub fn window_open(&self) -> &OpenWindow {
        &self.window
    }

    /// The digest of the whole state, as the last block's header says it.
    pub fn digest(&self) -> Digest {
        state_digest(self.accounts.root(), self.writes)
    }

    /// The running digest of every write that is not an account's.
    pub fn running_writes(&self) -> Digest {
        self.writes
    }

    pub(crate) fn account_book(&self) -> &AccountBook {
        &self.accounts
    }

    pub(crate) fn hashing(&self) -> &RandomState {
        &self.hashing
    }

    pub(crate) fn user_book(&self) -> &UserBook {
        &self.users
    }

    /// Returns the counters of an account.
    pub fn account(&self, key: &AccountKey) -> Option<&Account> {
        self.accounts.find(key).map(|(_, account)| account)
    }

    /// Accounts ascending by key, beginning at `from` if that is given.
    pub fn accounts(
        &self,
        from: Option<&AccountKey>,
    ) -> impl Iterator<Item = (&AccountKey, &Account)> {
        self.accounts.ascending(from)
    }

    /// Proof of an account's counters in this state.
    pub fn account_proof(&self, key: &AccountKey) -> Option<AccountProof> {
        let (index, account) = self.accounts.find(key)?;
        Some(AccountProof {
            key: *key,
            account: *account,
            index,
            siblings: self.accounts.prove(index),
            writes: self.writes,
        })
    }

    /// Returns the place of an account in the order of creation, which never changes.
    pub fn account_place(&self, key: &AccountKey) -> Option<AccountPlace> {
        let (index, _) = self.accounts.find(key)?;
        Some(AccountPlace { index, count: self.accounts.len() })
    }

    /// The nodes of the accounts' tree that proofs of this state need once it is past; of all
    /// accounts, so only for block zero. [`WriteSet::account_nodes`] gives those of a block.
    pub fn account_nodes(&self) -> Vec<TreeNode> {
        self.accounts.kept_nodes().collect()
    }

    /// All accounts in order of creation. None is ever removed, so those of an earlier block are
    /// the first of these.
    pub fn accounts_created(&self) -> &[(AccountKey, Account)] {
        self.accounts.created()
    }

    /// The sums of every currency over all accounts.
    pub fn trial_balance(&self) -> Vec<TrialBalance> {
        self.accounts.trial_balance()
    }

    /// An order of the duplicate window.
    pub fn order(&self, id: &OrderId) -> Option<OrderRecord> {
        // Those of a block that is being applied are there ahead of it.
        self.orders.get(id).filter(|record| record.location.height <= self.height)
    }

    pub(crate) fn recent_orders(&self) -> &OrderWindow {
        &self.orders
    }

    /// The duplicate window itself, for those who look orders up while blocks are taken.
    pub fn shared_orders(&self) -> RecentOrders {
        self.orders.shared()
    }

    /// How many orders the duplicate window holds.
    pub fn recent_order_count(&self) -> usize {
        self.orders.len()
    }

    /// Returns the open reservation of an order.
    pub fn reservation(&self, id: &OrderId) -> Option<&Reservation> {
        self.reservations.get(id)
    }

    /// How many reservations are open.
    pub fn reservation_count(&self) -> usize {
        self.reservations.len()
    }

    /// The reservations that a block of `time` finds expired, ascending by id.
    pub fn expired_reservations(&self, time: TimeMs) -> Vec<(OrderId, Reservation)> {
        self.reservations.expired(time)
    }

    /// Returns true if a programme or a limit may count users.
    pub(crate) fn are_users_counted(&self) -> bool {
        !self.tables.programmes.is_empty() || !self.tables.policies.is_empty()
    }

    /// An instruction that is outstanding, failed, or arrived a short while ago.
    pub fn instruction(&self, id: &InstructionId) -> Option<&InstructionRecord> {
        self.instructions.get(id)
    }

    /// The instructions that wait for their paying gateway, ascending by id.
    pub fn outstanding_instructions(&self) -> impl Iterator<Item = &InstructionRecord> {
        self.instructions.records().filter(|record| record.is_outstanding())
    }

    /// The outstanding instructions whose deadline a block of `time` finds passed, and none did
    /// before, ascending by deadline.
    pub fn overdue_instructions(&self, time: TimeMs) -> Vec<InstructionId> {
        self.instructions.overdue(time)
    }

    /// Returns the place of a batch whose valid-until time has not passed.
    pub fn batch_location(&self, id: &BatchId) -> Option<(Height, u32)> {
        self.batches.get(id)
    }

    /// The earliest block time from which blocks are needed to rebuild recent orders and batches.
    pub fn order_window(&self) -> TimeMs {
        // Recent batches need less: skew and validity before the present, without a slice's span.
        earliest_needed(self.parameters(), self.time)
    }

    /// Takes a block's changes. The orders that left the duplicate window come back, for the
    /// store.
    pub fn apply(&mut self, writes: WriteSet) -> Retired {
        self.apply_beside(writes, None)
    }

    /// [`Self::apply`], of a state that is being copied.
    pub fn apply_beside(&mut self, writes: WriteSet, mut copying: Option<&mut Copying>) -> Retired {
        let mut applying = Applying::new(writes);
        self.add_orders(&mut applying);
        loop {
            if let Some(retired) = self.apply_piece(&mut applying, copying.as_deref_mut()) {
                return retired;
            }
        }
    }

    /// Adds a block's new orders to the recent ones, ahead of [`Self::apply_piece`] and beside
    /// whoever reads the state. They are not to be seen before the block is taken: see
    /// [`Self::order`].
    pub fn add_orders(&self, applying: &mut Applying) {
        self.check_follows(&applying.changes);
        self.orders.insert_all(&std::mem::take(&mut applying.changes.orders));
    }

    /// Takes a piece of a block's changes, so that whoever shares the state can let readers in
    /// before the next: [`Self::apply`] is done with the piece that gives what left. Until then
    /// the state is the one before, but that users may be counted as after the block; nothing may
    /// be executed on it. A copy that is under way must see each piece.
    pub fn apply_piece(
        &mut self,
        applying: &mut Applying,
        mut copying: Option<&mut Copying>,
    ) -> Option<Retired> {
        self.check_follows(&applying.changes);
        let Applying { block, changes } = applying;
        assert!(changes.orders.is_empty(), "the block's orders come first");
        let users = copying.as_deref_mut().map(|copying| &mut copying.users);
        if !self.users.apply(&mut changes.users, PIECE, users) {
            return None;
        }
        self.height = changes.height;
        self.time = changes.time;
        self.block_hash = *block;
        let accounts = copying.as_deref_mut().map(|copying| &mut copying.accounts);
        self.accounts.apply(&changes.accounts, &changes.tree, accounts);
        self.writes = changes.writes;
        for (id, record) in std::mem::take(&mut changes.steps) {
            self.orders.insert(id, record);
        }
        for (id, change) in std::mem::take(&mut changes.reservations) {
            if let Some(copying) = &mut copying {
                copying.reservations.note(&id, self.reservations.get(&id));
            }
            match change {
                Some(reservation) => self.reservations.insert(id, reservation),
                None => self.reservations.remove(&id),
            }
        }
        let window = copying.as_deref_mut().map(|copying| &mut copying.window);
        std::mem::take(&mut changes.window).apply(&mut self.window, window);
        for record in std::mem::take(&mut changes.instructions).into_values() {
            let copy = copying.as_deref_mut().map(|copying| &mut copying.instructions);
            self.instructions.put(record, copy);
        }
        let copy = copying.as_deref_mut().map(|copying| &mut copying.instructions);
        self.instructions.settle(self.time, copy);
        let tables = copying.map(|copying| &mut copying.tables);
        std::mem::take(&mut changes.tables).apply(&mut self.tables, tables);
        for batch in &changes.batches {
            self.batches.insert(batch.id, batch.valid_until, (self.height, batch.index));
        }
        self.batches.forget(self.time);
        if let Some(registry) = changes.registry.take() {
            self.registry = registry;
        }
        assert_eq!(self.digest(), changes.digest, "the state differs from its digest");
        Some(self.orders.retire(self.parameters(), self.height, self.time))
    }

    fn check_follows(&self, changes: &Changes) {
        assert_eq!(changes.height, self.height.next(), "the block does not follow the state");
        assert_eq!(changes.parent, self.block_hash, "the block has another parent");
    }
}

/// A decided block's changes on their way into the state: see [`State::add_orders`] and
/// [`State::apply_piece`].
#[derive(Debug)]
pub struct Applying {
    block: BlockHash,
    changes: Changes,
}

impl Applying {
    /// Nothing is taken yet.
    pub fn new(writes: WriteSet) -> Self {
        let WriteSet { block, changes } = writes;
        Self { block, changes }
    }
}
