//! The open settlement window: what its collected orders add up to.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use chain_types::{Amount, Currency, Height, MerchantId, ParticipantId, TimeMs, WindowId};

use crate::account::AccountKey;
use crate::map_copy::MapCopy;
use crate::records::{Position, WindowParty, WindowRecord};

/// A reversal of an order of the open window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reversal {
    /// How much less its merchant is paid, in minor units.
    pub amount: Amount,
    /// Block time of the order's acceptance.
    pub accepted: TimeMs,
    /// Block time of its collection.
    pub collected: TimeMs,
    /// True if it was converted.
    pub is_cross_border: bool,
    /// True if nothing of it is left to be paid.
    pub is_whole: bool,
}

/// The sums collected for one merchant in one currency: one instruction at the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Collected {
    /// The sum, in minor units.
    pub amount: Amount,
    /// How many orders were collected, also those that went back since.
    pub order_count: u64,
}

impl Collected {
    /// The sum of one order.
    pub fn first(order: &CollectedOrder) -> Self {
        Self { amount: order.amount, order_count: 1 }
    }

    /// This and one more order; `None` when the sum would not fit one instruction.
    pub fn with(self, order: &CollectedOrder) -> Option<Self> {
        let amount = Amount(self.amount.0.checked_add(order.amount.0)?);
        Some(Self { amount, order_count: self.order_count + 1 })
    }
}

/// Orders of a merchant that have one due time: accepted in one block and collected in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct DueKey {
    /// The merchant who is paid.
    pub merchant: MerchantId,
    /// The currency that they pay.
    pub currency: Currency,
    /// Block time of their acceptance.
    pub accepted: TimeMs,
    /// Block time of their collection.
    pub collected: TimeMs,
    /// True if they were converted.
    pub is_cross_border: bool,
}

/// The sum left to be paid of such orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Due {
    /// The sum, in minor units.
    pub amount: Amount,
    /// How many orders it is of.
    pub order_count: u64,
    /// The gateway that collected the first of them.
    pub gateway: ParticipantId,
    /// The last block time at which their arrival is in time.
    pub deadline: TimeMs,
}

/// One order at the moment of its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectedOrder {
    /// The merchant who is paid.
    pub merchant: MerchantId,
    /// The gateway that collected it.
    pub gateway: ParticipantId,
    /// How much the merchant is paid, in minor units.
    pub amount: Amount,
    /// The currency of the order.
    pub currency: Currency,
    /// Block time of its acceptance.
    pub accepted: TimeMs,
    /// The last block time at which its arrival is in time.
    pub deadline: TimeMs,
    /// True if it was converted.
    pub is_cross_border: bool,
}

/// When and where a window began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WindowOpening {
    /// The number of the window.
    pub id: WindowId,
    /// Block time of its opening.
    pub opened: TimeMs,
    /// The first block of this time or a later one closes it.
    pub closes: TimeMs,
    /// The height of its first block.
    pub first_height: Height,
}

/// The gross sums of a party so far, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Gross {
    /// The sum that it owes.
    pub debits: u128,
    /// The sum that it is owed.
    pub credits: u128,
}

/// The window that is open now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWindow {
    /// When and where it began.
    pub opening: WindowOpening,
    /// By merchant and currency.
    pub collected: BTreeMap<(MerchantId, Currency), Collected>,
    /// By when it is due.
    pub dues: BTreeMap<DueKey, Due>,
    /// The sums of the window's legs, without those that instructions will pay.
    pub legs: BTreeMap<WindowParty, Gross>,
}

impl OpenWindow {
    /// A window in which nothing is collected yet.
    pub fn new(opening: WindowOpening) -> Self {
        let (collected, dues) = (BTreeMap::new(), BTreeMap::new());
        Self { opening, collected, dues, legs: BTreeMap::new() }
    }

    /// The sums due to a merchant in a currency, the earliest accepted orders first.
    pub fn dues_of(
        &self,
        merchant: MerchantId,
        currency: Currency,
    ) -> impl Iterator<Item = (&DueKey, &Due)> {
        let accepted = TimeMs(0);
        let collected = accepted;
        let first = DueKey { merchant, currency, accepted, collected, is_cross_border: false };
        let of_both =
            move |(key, _): &(&DueKey, &Due)| (key.merchant, key.currency) == (merchant, currency);
        self.dues.range(first..).take_while(of_both)
    }

    /// Its report as of now, open. `payout_gateway_of` names the gateway that pays a merchant.
    pub fn report(
        &self,
        payout_gateway_of: impl Fn(MerchantId) -> Option<ParticipantId>,
    ) -> WindowRecord {
        let mut sums = self.legs.clone();
        for ((merchant, currency), collected) in &self.collected {
            let gateway = payout_gateway_of(*merchant);
            assert!(gateway.is_some(), "merchant {merchant} was collected for and is not known");
            let account = AccountKey::liquidity(gateway.unwrap_or_default(), *currency);
            let gross = sums.entry(WindowParty::of(account)).or_default();
            gross.credits += u128::from(collected.amount.0);
        }
        let is_none = |gross: &Gross| (gross.debits, gross.credits) == (0, 0);
        let sums = sums.into_iter().filter(|(_, gross)| !is_none(gross));
        let positions = sums.map(|(party, gross)| Position {
            party,
            gross_debits: gross.debits,
            gross_credits: gross.credits,
        });
        let paid = self.collected.values().filter(|collected| collected.amount.0 > 0);
        WindowRecord {
            id: self.opening.id,
            opened: self.opening.opened,
            first_height: self.opening.first_height,
            closed: None,
            last_height: None,
            order_count: self.collected.values().map(|collected| collected.order_count).sum(),
            instruction_count: paid.count() as u64,
            positions: positions.collect(),
        }
    }
}

/// The copies of the open window's lists.
#[derive(Debug, Default)]
pub(crate) struct WindowCopy {
    pub(crate) collected: MapCopy<(MerchantId, Currency), Collected>,
    pub(crate) dues: MapCopy<DueKey, Due>,
    pub(crate) legs: MapCopy<WindowParty, Gross>,
}

/// The changes that a block makes to the window.
#[derive(Debug, Clone, Default, Encode)]
pub(crate) struct WindowChange {
    /// A window that opens in place of the one before.
    pub(crate) opening: Option<WindowOpening>,
    pub(crate) collected: BTreeMap<(MerchantId, Currency), Collected>,
    /// Each as it is now; nothing is left of one that is zero.
    pub(crate) dues: BTreeMap<DueKey, Due>,
    pub(crate) legs: BTreeMap<WindowParty, Gross>,
}

impl WindowChange {
    pub(crate) fn apply(self, window: &mut OpenWindow, copy: Option<&mut WindowCopy>) {
        let closed = self.opening.map(|opens| std::mem::replace(window, OpenWindow::new(opens)));
        if let Some(copy) = copy {
            if let Some(closed) = closed {
                copy.collected.note_all(closed.collected);
                copy.dues.note_all(closed.dues);
                copy.legs.note_all(closed.legs);
            }
            let (collected, dues, legs) = (&window.collected, &window.dues, &window.legs);
            self.collected.keys().for_each(|key| copy.collected.note(key, collected.get(key)));
            self.dues.keys().for_each(|key| copy.dues.note(key, dues.get(key)));
            self.legs.keys().for_each(|key| copy.legs.note(key, legs.get(key)));
        }
        window.collected.extend(self.collected);
        for (key, due) in self.dues {
            if due.amount.0 > 0 {
                window.dues.insert(key, due);
            } else {
                window.dues.remove(&key);
            }
        }
        window.legs.extend(self.legs);
    }
}
