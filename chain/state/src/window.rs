//! The open settlement window: what its collected orders add up to.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use chain_types::{Amount, Currency, Height, MerchantId, ParticipantId, TimeMs, WindowId};

use crate::account::AccountKey;
use crate::records::{Party, Position, WindowRecord};

/// What is collected for one merchant in one currency: one instruction at the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Collected {
    /// The sum, in minor units.
    pub amount: Amount,
    /// How many orders.
    pub order_count: u64,
    /// Block time at which the first of them was accepted.
    pub earliest_accepted: TimeMs,
    /// Block time at which that one was collected.
    pub earliest_collected: TimeMs,
    /// The gateway that collected that one.
    pub earliest_gateway: ParticipantId,
    /// The earliest block time by which one of them must have arrived.
    pub deadline: TimeMs,
    /// How many of them were converted.
    pub cross_border_count: u64,
}

impl Collected {
    /// The sum of one order, collected at `time`.
    pub fn first(order: &CollectedOrder, time: TimeMs) -> Self {
        Self {
            amount: order.amount,
            order_count: 1,
            earliest_accepted: order.accepted,
            earliest_collected: time,
            earliest_gateway: order.gateway,
            deadline: order.deadline,
            cross_border_count: u64::from(order.is_cross_border),
        }
    }

    /// This and one more order, collected at `time`; `None` when the sum would not fit one
    /// instruction.
    pub fn with(self, order: &CollectedOrder, time: TimeMs) -> Option<Self> {
        let amount = Amount(self.amount.0.checked_add(order.amount.0)?);
        let order_count = self.order_count + 1;
        let earliest =
            if order.accepted < self.earliest_accepted { Self::first(order, time) } else { self };
        let deadline = self.deadline.min(order.deadline);
        let cross_border_count = self.cross_border_count + u64::from(order.is_cross_border);
        Some(Self { amount, order_count, deadline, cross_border_count, ..earliest })
    }
}

/// One order at the moment of its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectedOrder {
    /// Whom it pays.
    pub merchant: MerchantId,
    /// Who collected it.
    pub gateway: ParticipantId,
    /// How much the merchant is paid, in minor units.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Block time of its acceptance.
    pub accepted: TimeMs,
    /// The last block time at which its arrival is in time.
    pub deadline: TimeMs,
    /// Whether it was converted.
    pub is_cross_border: bool,
}

/// When and where a window began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WindowOpening {
    /// Its id.
    pub id: WindowId,
    /// Block time of its opening.
    pub opened: TimeMs,
    /// The first block of this time or a later one closes it.
    pub closes: TimeMs,
    /// Its first block.
    pub first_height: Height,
}

/// What a party owes and is owed so far, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Gross {
    /// What it owes.
    pub debits: u128,
    /// What it is owed.
    pub credits: u128,
}

/// The open window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWindow {
    /// When and where it began.
    pub opening: WindowOpening,
    /// By merchant and currency.
    pub collected: BTreeMap<(MerchantId, Currency), Collected>,
    /// What the legs of the window add up to, but for what instructions will pay.
    pub legs: BTreeMap<Party, Gross>,
}

impl OpenWindow {
    /// A window in which nothing is collected yet.
    pub fn new(opening: WindowOpening) -> Self {
        Self { opening, collected: BTreeMap::new(), legs: BTreeMap::new() }
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
            let gross = sums.entry(Party::of(account)).or_default();
            gross.credits += u128::from(collected.amount.0);
        }
        let positions = sums.into_iter().map(|(party, gross)| Position {
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

/// What a block changes of the window.
#[derive(Debug, Clone, Default, Encode)]
pub(crate) struct WindowChange {
    /// A window that opens in place of the one before.
    pub(crate) opening: Option<WindowOpening>,
    pub(crate) collected: BTreeMap<(MerchantId, Currency), Collected>,
    pub(crate) legs: BTreeMap<Party, Gross>,
}

impl WindowChange {
    pub(crate) fn apply(self, window: &mut OpenWindow) {
        if let Some(opening) = self.opening {
            *window = OpenWindow::new(opening);
        }
        window.collected.extend(self.collected);
        window.legs.extend(self.legs);
    }
}
