//! A block in the making: reads go through to the state, changes are collected beside it.
//!
//! Money moves only by a [`Movement`], which has two legs; no call of this type can change one
//! account alone.

pub(crate) mod rules;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use ahash::RandomState;
use chain_types::{
    Amount, BatchId, Change, Digest, Height, InstructionId, OrderId, ParticipantId, TimeMs,
};

use crate::account::{Account, AccountKey, CounterOverflow};
use crate::accounts_tree::state_digest;
use crate::counts::KeptSince;
use crate::hot_accounts::{ExpectedAccount, HotAccounts, Movement, Slot};
use crate::order_window::ExpectedOrder;
use crate::positions::{Numbering, Positions, hash_of};
use crate::records::{
    BreachRecord, BreachStage, BreachSubject, EntryCause, InstructionRecord, Location, OrderRecord,
    OrderStatus, Record, Reservation, WindowRecord,
};
use crate::registry::Registry;
use crate::slice::BLOCK_BATCHES_LIMIT;
use crate::state::State;
use crate::tables::{TableChanges, TablesView};
use crate::user_book::UserChanges;
use crate::users::{UserDay, UserDayKey, UserId, UserMonth, UserMonthKey};
use crate::window::{WindowChange, WindowOpening};
use crate::writes::{BatchWrite, Changes};

/// As how many positions a report counts at least: reading one has a cost of its own.
const REPORT_POSITIONS_MIN: u64 = 64;

/// The sum of a window for one merchant and currency would not fit one instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the window's sum for this merchant and currency would pass u64::MAX minor units")]
pub struct InstructionOverflow;

/// A missed deadline, as a contract states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breach {
    /// The stage that was missed.
    pub stage: BreachStage,
    /// The late party, if it is one's own fault.
    pub late: Option<ParticipantId>,
    /// The order or instruction that is late.
    pub subject: BreachSubject,
    /// The last block time that would have been in time.
    pub deadline: TimeMs,
}

/// The state with a block's changes so far.
#[derive(Debug)]
pub struct Overlay<'a> {
    state: &'a State,
    height: Height,
    time: TimeMs,
    accounts: HotAccounts,
    orders: Vec<(OrderId, OrderRecord)>,
    order_at: Positions,
    hashing: RandomState,
    steps: BTreeMap<OrderId, OrderRecord>,
    reservations: BTreeMap<OrderId, Option<Reservation>>,
    window_opening: Option<WindowOpening>,
    instructions: BTreeMap<InstructionId, InstructionRecord>,
    batches: Vec<BatchWrite>,
    windows_closed: Vec<WindowRecord>,
    positions_read: u64,
    breaches: Vec<BreachRecord>,
    /// Other records, in the order in which the block left them.
    records: Vec<Record>,
    tables: TableChanges,
    users: UserChanges,
    registry: Option<Arc<Registry>>,
    /// The changes that made it, in their order.
    registry_changes: Vec<Change>,
    merchants_added: usize,
    programmes_added: usize,
}

impl<'a> Overlay<'a> {
    /// The block after the state's, at `time`. `order_count` is how many orders it may bring:
    /// room is made for them at once.
    pub fn new(state: &'a State, time: TimeMs, order_count: usize) -> Self {
        assert!(time > state.time(), "block time {time} is not after {}", state.time());
        let height = state.height().next();
        let hashing = state.hashing().clone();
        let are_users_counted = state.are_users_counted();
        let user_room = if are_users_counted { order_count } else { 0 };
        let users = UserChanges::new(&hashing, user_room);
        Self {
            state,
            height,
            time,
            accounts: HotAccounts::new(height, time, hashing.clone()),
            orders: Vec::with_capacity(order_count),
            order_at: Positions::with_capacity(order_count),
            hashing,
            steps: BTreeMap::new(),
            reservations: BTreeMap::new(),
            window_opening: None,
            instructions: BTreeMap::new(),
            batches: Vec::new(),
            windows_closed: Vec::new(),
            positions_read: 0,
            breaches: Vec::new(),
            records: Vec::new(),
            tables: TableChanges::default(),
            users,
            registry: None,
            registry_changes: Vec::new(),
            merchants_added: 0,
            programmes_added: 0,
        }
    }

    /// The state that the block builds on.
    pub fn state(&self) -> &'a State {
        self.state
    }

    /// The height of the block that is executed.
    pub fn height(&self) -> Height {
        self.height
    }

    /// The time of the block that is executed.
    pub fn time(&self) -> TimeMs {
        self.time
    }

    // Accounts.

    /// Ends the cause before and begins another, which account entries will name.
    pub fn begin(&mut self, cause: EntryCause) {
        self.accounts.begin(Some(cause));
    }

    /// The account of a key, which comes to be with its first movement.
    pub fn open(&mut self, key: AccountKey) -> Slot {
        self.accounts.open(self.state.account_book(), key)
    }

    /// Looks accounts up in the state together, ahead of opening them: each is several misses in
    /// the cache, and misses that do not depend on each other are waited for at the same time.
    pub fn expect_accounts(&self, keys: &[AccountKey]) -> Vec<ExpectedAccount> {
        let window = self.sums_found();
        self.accounts.expect(self.state.account_book(), window.map(|window| &window.sums), keys)
    }

    /// [`Self::open`], of an account that was looked up ahead.
    pub fn open_expected(&mut self, expected: &ExpectedAccount) -> Slot {
        self.accounts.open_expected(expected)
    }

    /// Numbers for keys, found by the state's own hash.
    pub fn numbering(&self) -> Numbering {
        Numbering::new(self.hashing.clone())
    }

    /// An account's counters so far.
    pub fn account(&self, slot: Slot) -> &Account {
        self.accounts.account(slot)
    }

    /// Posts a movement at once.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn transfer(&mut self, movement: &Movement) -> Result<(), CounterOverflow> {
        self.accounts.change(movement, Account::debited, Account::credited)
    }

    /// Makes a movement pending.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn reserve(&mut self, movement: &Movement) -> Result<(), CounterOverflow> {
        self.accounts.change(movement, Account::debit_reserved, Account::credit_reserved)
    }

    /// Posts several movements at once.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn transfer_all(&mut self, movements: &[Movement]) -> Result<(), CounterOverflow> {
        self.accounts.change_all(movements, Account::debited, Account::credited)
    }

    /// Makes several movements pending.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn reserve_all(&mut self, movements: &[Movement]) -> Result<(), CounterOverflow> {
        self.accounts.change_all(movements, Account::debit_reserved, Account::credit_reserved)
    }

    /// Posts several movements that are pending.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn post_all_reserved(&mut self, movements: &[Movement]) -> Result<(), CounterOverflow> {
        self.accounts.change_all(
            movements,
            |account, amount| account.debit_released(amount).debited(amount),
            |account, amount| account.credit_released(amount).credited(amount),
        )
    }

    /// Posts a movement that is pending.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn post_reserved(&mut self, movement: &Movement) -> Result<(), CounterOverflow> {
        self.accounts.change(
            movement,
            |account, amount| account.debit_released(amount).debited(amount),
            |account, amount| account.credit_released(amount).credited(amount),
        )
    }

    /// Undoes a movement that is pending.
    pub fn release(&mut self, movement: &Movement) {
        let released = self.accounts.change(
            movement,
            |account, amount| Ok(account.debit_released(amount)),
            |account, amount| Ok(account.credit_released(amount)),
        );
        assert!(released.is_ok(), "a release only takes away");
    }

    /// Sets how far below zero an account may go, once it is sure that it is not.
    pub fn set_cap(&mut self, slot: Slot, net_debit_cap: Amount) {
        self.accounts.set_cap(slot, net_debit_cap.get());
    }

    /// Makes so much more, or less, of an account's balance settled money.
    ///
    /// # Errors
    /// When it would pass the largest value of a counter; then nothing changed.
    pub fn settle(&mut self, slot: Slot, change: i128) -> Result<(), CounterOverflow> {
        self.accounts.settle(slot, change)
    }

    /// Posts the movements of a settlement at once, whatever the caps of the accounts: it says
    /// what banks have moved outside.
    ///
    /// # Errors
    /// When a counter would overflow; then nothing changed.
    pub fn transfer_settled(&mut self, movements: &[Movement]) -> Result<(), CounterOverflow> {
        self.transfer_all(movements)?;
        for movement in movements {
            self.accounts.allow_past_cap(movement.debit);
        }
        Ok(())
    }

    // Orders.

    /// Looks the orders of a batch up in the state together, ahead of executing them: each is a
    /// miss in the cache, and misses that do not depend on each other are waited for at the same
    /// time.
    pub fn expect_orders(&self, ids: impl Iterator<Item = OrderId>) -> Vec<ExpectedOrder> {
        self.state.recent_orders().expect(ids)
    }

    /// An order so far.
    pub fn order(&self, id: &OrderId) -> Option<OrderRecord> {
        let hash = hash_of(&self.hashing, &id.bytes());
        self.expected_order(id, &ExpectedOrder { hash, is_in_state: true })
    }

    /// An order so far, which was looked up ahead.
    pub fn expected_order(&self, id: &OrderId, expected: &ExpectedOrder) -> Option<OrderRecord> {
        if let Some(record) = self.steps.get(id) {
            return Some(*record);
        }
        match self.order_at.find(expected.hash, |at| self.orders[at].0 == *id) {
            Some(at) => Some(self.orders[at].1),
            None if expected.is_in_state => {
                self.state.recent_orders().get_hashed(expected.hash, id)
            }
            None => None,
        }
    }

    /// Records a new order.
    pub fn insert_order(&mut self, id: OrderId, expected: &ExpectedOrder, record: OrderRecord) {
        let (orders, hashing) = (&self.orders, &self.hashing);
        let before = self.order_at.find_or_add(
            expected.hash,
            orders.len(),
            |at| orders[at].0 == id,
            |at| hash_of(hashing, &orders[at].0.bytes()),
        );
        assert!(before.is_none(), "order {id} was recorded twice");
        self.orders.push((id, record));
    }

    /// Records a later step of an order. An expiry has no operation: its location stays.
    pub fn step_order(&mut self, id: OrderId, status: OrderStatus, step: Option<Location>) {
        let Some(record) = self.order(&id) else { panic!("order {id} is not known") };
        self.steps.insert(id, record.stepped(status, self.height, step));
    }

    /// An open reservation so far.
    pub fn reservation(&self, id: &OrderId) -> Option<Reservation> {
        match self.reservations.get(id) {
            Some(change) => *change,
            None => self.state.reservation(id).copied(),
        }
    }

    /// Opens the reservation of an order.
    pub fn open_reservation(&mut self, id: OrderId, reservation: Reservation) {
        self.reservations.insert(id, Some(reservation));
    }

    /// Closes the reservation of an order.
    pub fn close_reservation(&mut self, id: OrderId) {
        self.reservations.insert(id, None);
    }

    // The contracts' own records.

    /// The contracts' tables so far.
    pub fn tables(&mut self) -> TablesView<'_> {
        TablesView::new(self.state.tables(), &mut self.tables)
    }

    /// Looks up what a batch's orders will count for their users together, ahead of them.
    pub fn expect_users(&mut self, users: &[UserId], months: &[UserMonthKey], days: &[UserDayKey]) {
        self.users.expect(self.state.user_book(), users, months, days);
    }

    /// A user's recharges under a programme so far, to be changed.
    pub fn user_month(&mut self, key: &UserMonthKey) -> &mut UserMonth {
        self.users.month(self.state.user_book(), key)
    }

    /// A user's recharges under a programme so far.
    pub fn user_month_so_far(&mut self, key: &UserMonthKey) -> UserMonth {
        self.users.month_so_far(self.state.user_book(), key)
    }

    /// A user's orders in a currency so far, to be changed.
    pub fn user_day(&mut self, key: &UserDayKey) -> &mut UserDay {
        self.users.day(self.state.user_book(), key)
    }

    /// A user's orders in a currency so far.
    pub fn user_day_so_far(&mut self, key: &UserDayKey) -> UserDay {
        self.users.day_so_far(self.state.user_book(), key)
    }

    /// Lets users' entries of earlier months and days go, now or later. Before any is looked at.
    pub fn keep_users_since(&mut self, since: KeptSince) {
        self.users.keep_since(since);
    }

    /// Leaves a record for readers, in addition to those that follow from other calls.
    pub fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Records a missed deadline.
    pub fn breach(&mut self, breach: Breach) {
        let party = (breach.stage, breach.late.unwrap_or_default());
        let mut counts = self.tables().breach_counts();
        let count = counts.get(&party).copied().unwrap_or_default();
        counts.put(party, count + 1);
        let Ok(sequence) = u32::try_from(self.breaches.len()) else {
            panic!("more than 2^32 breaches in a block")
        };
        self.breaches.push(BreachRecord {
            height: self.height,
            sequence,
            stage: breach.stage,
            late: breach.late,
            subject: breach.subject,
            deadline: breach.deadline,
            noticed: self.time,
        });
    }

    /// Records that a batch is in the chain.
    pub fn record_batch(&mut self, id: BatchId, valid_until: TimeMs, index: u32) {
        assert!(index < BLOCK_BATCHES_LIMIT, "more batches than a block can hold");
        self.batches.push(BatchWrite { id, valid_until, index });
    }

    // The end.

    /// Checks the books and gives everything that changed, with the digest it leads to.
    pub fn finish(mut self) -> Changes {
        self.record_registry();
        let book = self.state.account_book();
        let mut window = WindowChange { opening: self.window_opening, ..WindowChange::default() };
        let (accounts, entries) = self.accounts.finish(book, &mut window);
        let tree = book.change(&accounts);
        let records = (self.windows_closed.into_iter().map(Record::Window))
            .chain(self.instructions.values().cloned().map(Record::Instruction))
            .chain(entries.into_iter().map(Record::AccountEntry))
            .chain(self.breaches.into_iter().map(Record::Breach))
            .chain(self.records);
        let mut changes = Changes {
            height: self.height,
            time: self.time,
            parent: self.state.block_hash(),
            accounts,
            tree,
            orders: self.orders,
            steps: self.steps,
            reservations: self.reservations,
            window,
            records: records.collect(),
            instructions: self.instructions,
            batches: self.batches,
            tables: self.tables,
            users: self.users,
            registry: self.registry,
            registry_changes: self.registry_changes,
            writes: Digest::ZERO,
            digest: Digest::ZERO,
        };
        changes.writes = changes.running_digest(self.state.running_writes());
        changes.digest = state_digest(changes.tree.root(), changes.writes);
        changes
    }
}

impl Movement {
    /// A movement for one order.
    pub const fn of_order(debit: Slot, credit: Slot, amount: Amount) -> Self {
        Self { debit, credit, amount, order_count: 1 }
    }
}
