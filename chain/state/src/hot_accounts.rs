//! The accounts that a block touches, as they stand so far, what each cause did to them, and what
//! the block's window sums up beside them: an order finds all of it by one slot.

use std::collections::BTreeMap;

use ahash::RandomState;
use chain_types::{Amount, Currency, Height, MerchantId, TimeMs};

use crate::account::{Account, AccountKey, AccountKind, CounterOverflow, difference};
use crate::accounts::{AccountBook, AccountWrite, key_hash};
use crate::collected::{Collected, Due, DueKey};
use crate::merchant_sums::{SumsBook, SumsChange, place_of};
use crate::positions::Positions;
use crate::records::{AccountEntry, EntryCause, WindowParty};
use crate::window::{Gross, WindowChange};

/// An account opened in an [`crate::Overlay`]; good for that overlay only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(usize);

/// An account as it was looked up before it is opened; good only for the overlay that looked it up.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedAccount {
    hash: u64,
    key: AccountKey,
    /// Its index among all accounts and its counters, if there is such an account.
    found: Option<(u32, Account)>,
    /// The sum that the open window had collected for it.
    collected: Option<Collected>,
}

/// Money that goes from one account to another: every change of the books has two legs.
#[derive(Debug, Clone, Copy)]
pub struct Movement {
    /// The account that is debited.
    pub debit: Slot,
    /// The account that is credited.
    pub credit: Slot,
    /// The amount, in minor units of both accounts' currency.
    pub amount: Amount,
    /// The number of orders that it is for.
    pub order_count: u64,
}

#[derive(Debug)]
struct HotAccount {
    key: AccountKey,
    /// Its index in the book; `None` for one that this block may create.
    index: Option<u32>,
    /// The account as the block found it.
    before: Account,
    /// The account as the present cause found it.
    before_cause: Account,
    account: Account,
    is_touched: bool,
    /// True if a settlement was posted to it, which says what happened outside, whatever its cap.
    is_settled: bool,
    /// Orders of the present cause; `None` while that has not touched it.
    order_count: Option<u64>,
    /// The gross sums of its owner in the block's window, once the block changed them.
    gross: Option<Gross>,
    collected: HotCollected,
    /// The part of `collected` that is due and that the block changed, ascending by due time.
    /// Mostly there is one due time.
    dues: Vec<(DueKey, Due)>,
}

/// The sum that the block's window has collected for a merchant's account so far.
#[derive(Debug, Clone, Copy)]
enum HotCollected {
    /// The window was not asked yet.
    Unknown,
    Found(Option<Collected>),
    Changed(Collected),
}

#[derive(Debug)]
pub(crate) struct HotAccounts {
    height: Height,
    time: TimeMs,
    slots: Vec<HotAccount>,
    /// The slot of each account, by the hash of its key.
    slot_at: Positions,
    hashing: RandomState,
    cause: Option<EntryCause>,
    /// The slots that the present cause touched, in order of first touch.
    touched_by_cause: Vec<usize>,
    entries: Vec<AccountEntry>,
}

impl HotAccounts {
    pub(crate) fn new(height: Height, time: TimeMs, hashing: RandomState) -> Self {
        Self {
            height,
            time,
            slots: Vec::new(),
            slot_at: Positions::default(),
            hashing,
            cause: None,
            touched_by_cause: Vec::new(),
            entries: Vec::new(),
        }
    }

    pub(crate) fn open(&mut self, book: &AccountBook, key: AccountKey) -> Slot {
        let hash = key_hash(&self.hashing, &key);
        let found = || book.find_hashed(hash, &key).map(|(index, account)| (index, *account));
        self.open_hashed(hash, key, HotCollected::Unknown, found)
    }

    /// [`Self::open`], of an account that was looked up ahead.
    pub(crate) fn open_expected(&mut self, expected: &ExpectedAccount) -> Slot {
        let ExpectedAccount { hash, key, found, collected } = expected;
        self.open_hashed(*hash, *key, HotCollected::Found(*collected), || *found)
    }

    fn open_hashed(
        &mut self,
        hash: u64,
        key: AccountKey,
        collected: HotCollected,
        found: impl FnOnce() -> Option<(u32, Account)>,
    ) -> Slot {
        let (slots, hashing) = (&self.slots, &self.hashing);
        let next = slots.len();
        let slot = self.slot_at.find_or_add(
            hash,
            next,
            |slot| slots[slot].key == key,
            |slot| key_hash(hashing, &slots[slot].key),
        );
        if let Some(slot) = slot {
            return Slot(slot);
        }
        let found = found();
        let account = found.map_or_else(Account::default, |(_, account)| account);
        self.slots.push(HotAccount {
            key,
            index: found.map(|(index, _)| index),
            before: account,
            before_cause: account,
            account,
            is_touched: false,
            is_settled: false,
            order_count: None,
            gross: None,
            collected,
            dues: Vec::new(),
        });
        Slot(next)
    }

    /// Looks accounts up together: first all hashes, then all places, then all accounts, then what
    /// the window had collected for them.
    pub(crate) fn expect(
        &self,
        book: &AccountBook,
        window: Option<&SumsBook>,
        keys: &[AccountKey],
    ) -> Vec<ExpectedAccount> {
        let hashes: Vec<u64> = keys.iter().map(|key| key_hash(&self.hashing, key)).collect();
        let guesses = book.guess(&hashes);
        let found = |((key, hash), guess): ((&AccountKey, u64), Option<usize>)| {
            let found = guess.and_then(|place| match book.created().get(place) {
                // The first whose hash looks the same is nearly always the right one.
                Some((of, account)) if of == key => Some((u32::try_from(place).ok()?, *account)),
                _ => book.find_hashed(hash, key).map(|(index, account)| (index, *account)),
            });
            ExpectedAccount { hash, key: *key, found, collected: None }
        };
        let mut expected: Vec<ExpectedAccount> =
            keys.iter().zip(hashes).zip(guesses).map(found).collect();
        if let Some(window) = window {
            for expected in &mut expected {
                let sums = expected.found.and_then(|(index, _)| window.of(index));
                expected.collected = sums.map(|sums| sums.collected);
            }
        }
        expected
    }

    pub(crate) fn account(&self, slot: Slot) -> &Account {
        &self.slots[slot.0].account
    }

    pub(crate) fn key(&self, slot: Slot) -> &AccountKey {
        &self.slots[slot.0].key
    }

    /// The gross sums of its owner, if the block changed them.
    pub(crate) fn gross(&mut self, slot: Slot) -> &mut Option<Gross> {
        &mut self.slots[slot.0].gross
    }

    /// Returns the sum that is collected for it so far. `found` looks it up in the window, by the
    /// account's index in the book, if the block has not asked yet.
    pub(crate) fn collected(
        &mut self,
        slot: Slot,
        found: impl FnOnce(u32) -> Option<Collected>,
    ) -> Option<Collected> {
        let hot = &mut self.slots[slot.0];
        match hot.collected {
            HotCollected::Changed(collected) => Some(collected),
            HotCollected::Found(collected) => collected,
            HotCollected::Unknown => {
                // For an account that this block creates nothing was collected.
                let collected = hot.index.and_then(found);
                hot.collected = HotCollected::Found(collected);
                collected
            }
        }
    }

    pub(crate) fn set_collected(&mut self, slot: Slot, collected: Collected) {
        let hot = &mut self.slots[slot.0];
        let is_payable = hot.key.kind == AccountKind::MerchantPayable;
        assert!(is_payable, "{:?} is no merchant's: nothing is collected for it", hot.key);
        hot.collected = HotCollected::Changed(collected);
    }

    /// Returns the account's index in the book; `None` for one that this block may create.
    pub(crate) fn index(&self, slot: Slot) -> Option<u32> {
        self.slots[slot.0].index
    }

    /// Returns the sum that is due for it from orders of one due time, if the block changed it.
    pub(crate) fn due(&self, slot: Slot, key: &DueKey) -> Option<Due> {
        let dues = &self.slots[slot.0].dues;
        place_of(dues, key).ok().map(|at| dues[at].1)
    }

    /// Returns the same sum to be changed. It begins with `first` if the block did not change it
    /// before.
    pub(crate) fn due_mut(&mut self, slot: Slot, key: DueKey, first: Due) -> &mut Due {
        let dues = &mut self.slots[slot.0].dues;
        let at = place_of(dues, &key).unwrap_or_else(|at| {
            if dues.is_empty() {
                dues.reserve_exact(1);
            }
            dues.insert(at, (key, first));
            at
        });
        &mut dues[at].1
    }

    /// Returns true if the block has changed a sum of the window.
    pub(crate) fn has_sums(&self) -> bool {
        let has_changed = |hot: &HotAccount| {
            hot.gross.is_some() || matches!(hot.collected, HotCollected::Changed(_))
        };
        self.slots.iter().any(has_changed)
    }

    /// Ends the present cause, if any, and begins another.
    pub(crate) fn begin(&mut self, cause: Option<EntryCause>) {
        if let Some(ended) = std::mem::replace(&mut self.cause, cause) {
            for slot in std::mem::take(&mut self.touched_by_cause) {
                self.push_entry(ended, slot);
            }
        }
    }

    fn push_entry(&mut self, cause: EntryCause, slot: usize) {
        let hot = &mut self.slots[slot];
        let order_count = hot.order_count.take().unwrap_or_default();
        let before = std::mem::replace(&mut hot.before_cause, hot.account);
        let after = &hot.account;
        let sequence = u32::try_from(self.entries.len());
        assert!(sequence.is_ok(), "more than 2^32 account entries in a block");
        self.entries.push(AccountEntry {
            key: hot.key,
            height: self.height,
            sequence: sequence.unwrap_or_default(),
            cause,
            time: self.time,
            debits_pending: difference(after.debits_pending, before.debits_pending),
            debits_posted: difference(after.debits_posted, before.debits_posted),
            credits_pending: difference(after.credits_pending, before.credits_pending),
            credits_posted: difference(after.credits_posted, before.credits_posted),
            order_count,
            after: hot.account,
        });
    }

    /// Changes both legs, or neither.
    pub(crate) fn change(
        &mut self,
        movement: &Movement,
        debit: impl FnOnce(Account, Amount) -> Result<Account, CounterOverflow>,
        credit: impl FnOnce(Account, Amount) -> Result<Account, CounterOverflow>,
    ) -> Result<(), CounterOverflow> {
        assert!(self.cause.is_some(), "money moved without a cause");
        let (from, to) = (&self.slots[movement.debit.0], &self.slots[movement.credit.0]);
        assert!(movement.debit != movement.credit, "an account was moved to itself");
        assert_eq!(from.key.currency, to.key.currency, "the legs differ in currency");
        let debited = debit(from.account, movement.amount)?;
        let credited = credit(to.account, movement.amount)?;
        self.set(movement.debit, debited, movement.order_count);
        self.set(movement.credit, credited, movement.order_count);
        Ok(())
    }

    /// Makes several changes, or none of them.
    pub(crate) fn change_all(
        &mut self,
        movements: &[Movement],
        debit: impl Fn(Account, Amount) -> Result<Account, CounterOverflow>,
        credit: impl Fn(Account, Amount) -> Result<Account, CounterOverflow>,
    ) -> Result<(), CounterOverflow> {
        let slots = movements.iter().flat_map(|movement| [movement.debit, movement.credit]);
        let before: Vec<(Slot, Account)> = slots.map(|slot| (slot, *self.account(slot))).collect();
        for movement in movements {
            if let Err(overflow) = self.change(movement, &debit, &credit) {
                for (slot, account) in before {
                    self.slots[slot.0].account = account;
                }
                return Err(overflow);
            }
        }
        Ok(())
    }

    /// Sets how far below zero an account may go. The caller has checked that it is not overdrawn.
    pub(crate) fn set_cap(&mut self, slot: Slot, net_debit_cap: u64) {
        assert!(self.cause.is_some(), "a cap changed without a cause");
        let account = Account { net_debit_cap, ..self.slots[slot.0].account };
        self.set(slot, account, 0);
    }

    /// Makes so much more, or less, of an account's balance settled money.
    pub(crate) fn settle(&mut self, slot: Slot, change: i128) -> Result<(), CounterOverflow> {
        assert!(self.cause.is_some(), "money was settled without a cause");
        let account = self.slots[slot.0].account.settled_by(change)?;
        self.set(slot, account, 0);
        Ok(())
    }

    /// Lets an account be taken past its cap by a settlement.
    pub(crate) fn allow_past_cap(&mut self, slot: Slot) {
        self.slots[slot.0].is_settled = true;
    }

    fn set(&mut self, slot: Slot, account: Account, order_count: u64) {
        let hot = &mut self.slots[slot.0];
        hot.account = account;
        hot.is_touched = true;
        if hot.order_count.is_none() {
            self.touched_by_cause.push(slot.0);
        }
        hot.order_count = Some(hot.order_count.unwrap_or(0) + order_count);
    }

    /// Returns the block's writes, new accounts numbered in order of first use, its entries, and
    /// adds what it changed of the window's sums to `window`.
    pub(crate) fn finish(
        mut self,
        book: &AccountBook,
        window: &mut WindowChange,
    ) -> (Vec<AccountWrite>, Vec<AccountEntry>) {
        self.begin(None);
        self.assert_balanced();
        let mut next = book.len();
        let mut writes = Vec::with_capacity(self.slots.len());
        for hot in self.slots {
            if let Some(gross) = hot.gross {
                window.legs.push((WindowParty::of(hot.key), gross));
            }
            if !hot.is_touched {
                let has_sums = matches!(hot.collected, HotCollected::Changed(_));
                assert!(!has_sums, "{:?}: collected for, and not moved", hot.key);
                continue;
            }
            let index = hot.index.unwrap_or_else(|| {
                next += 1;
                next - 1
            });
            writes.push(AccountWrite { index, key: hot.key, account: hot.account });
            if let HotCollected::Changed(collected) = hot.collected {
                let AccountKey { owner, currency, .. } = hot.key;
                let (merchant, dues) = (MerchantId::new(owner), hot.dues);
                window.sums.push(SumsChange {
                    account: index,
                    merchant,
                    currency,
                    collected,
                    dues,
                });
            }
        }
        window.sums.sort_unstable_by_key(|sums| (sums.merchant, sums.currency));
        window.legs.sort_unstable_by_key(|(party, _)| *party);
        (writes, self.entries)
    }

    /// Debits equal credits in every currency, and no account is overdrawn: in release too.
    fn assert_balanced(&self) {
        let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
        for hot in self.slots.iter().filter(|hot| hot.is_touched) {
            let (before, after) = (&hot.before, &hot.account);
            let (posted, pending) = sums.entry(hot.key.currency).or_default();
            *posted += difference(after.debits_posted, before.debits_posted);
            *posted -= difference(after.credits_posted, before.credits_posted);
            *pending += difference(after.debits_pending, before.debits_pending);
            *pending -= difference(after.credits_pending, before.credits_pending);
            // Money outside is the scheme's: it has no floor.
            let has_floor = hot.key.kind != AccountKind::SchemeSettlement && !hot.is_settled;
            // What a settlement took past its cap comes back, and goes no further.
            let is_sound = !has_floor || after.overdrawn() <= before.overdrawn();
            assert!(is_sound, "{:?} is overdrawn: {after:?}", hot.key);
        }
        for (currency, (posted, pending)) in sums {
            assert!(
                posted == 0 && pending == 0,
                "block {}: currency {currency} is off by {posted} posted, {pending} pending",
                self.height
            );
        }
    }
}
