//! The open settlement window: what its collected orders add up to.

use std::collections::BTreeMap;

use bincode::enc::Encoder;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};
use chain_types::{Amount, Height, MerchantId, ParticipantId, TimeMs, WindowId};

use crate::account::AccountKey;
use crate::map_copy::MapCopy;
use crate::merchant_sums::{MerchantSums, SumsBook, SumsChange, SumsCopy};
use crate::records::{Position, WindowParty, WindowRecord};

/// A reversal of an order of the open window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reversal {
    /// The reduction of its merchant's payment, in minor units.
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

/// The number of a window, its times and its first height.
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
#[derive(Debug, Clone)]
pub struct OpenWindow {
    /// Its number, its times and its first height.
    pub opening: WindowOpening,
    /// The sums that it has collected, by merchant and currency.
    pub(crate) sums: SumsBook,
    /// The gross sums of the window's legs by party, without the sums that instructions will pay.
    pub(crate) legs: BTreeMap<WindowParty, Gross>,
}

impl OpenWindow {
    /// A window in which nothing is collected yet.
    pub fn new(opening: WindowOpening) -> Self {
        Self { opening, sums: SumsBook::new(), legs: BTreeMap::new() }
    }

    /// Returns the sums that it has collected, ascending by merchant and currency.
    pub fn sums(&self) -> Vec<&MerchantSums> {
        self.sums.ascending()
    }

    /// Returns its report as of now, open. `payout_gateway_of` names the gateway that pays a
    /// merchant.
    pub fn report(
        &self,
        payout_gateway_of: impl Fn(MerchantId) -> Option<ParticipantId>,
    ) -> WindowRecord {
        let mut sums = self.legs.clone();
        let (mut order_count, mut instruction_count) = (0, 0);
        for MerchantSums { merchant, currency, collected, .. } in self.sums.iter() {
            let gateway = payout_gateway_of(*merchant);
            assert!(gateway.is_some(), "merchant {merchant} was collected for and is not known");
            let account = AccountKey::liquidity(gateway.unwrap_or_default(), *currency);
            let gross = sums.entry(WindowParty::of(account)).or_default();
            gross.credits += u128::from(collected.amount.get());
            order_count += collected.order_count;
            instruction_count += u64::from(collected.amount.get() > 0);
        }
        let is_none = |gross: &Gross| (gross.debits, gross.credits) == (0, 0);
        let sums = sums.into_iter().filter(|(_, gross)| !is_none(gross));
        let positions = sums.map(|(party, gross)| Position {
            party,
            gross_debits: gross.debits,
            gross_credits: gross.credits,
        });
        WindowRecord {
            id: self.opening.id,
            opened: self.opening.opened,
            first_height: self.opening.first_height,
            closed: None,
            last_height: None,
            order_count,
            instruction_count,
            positions: positions.collect(),
        }
    }
}

/// The copies of the open window's lists.
#[derive(Debug, Default)]
pub(crate) struct WindowCopy {
    pub(crate) sums: SumsCopy,
    pub(crate) legs: MapCopy<WindowParty, Gross>,
}

impl WindowCopy {
    /// The copy of a window, not begun yet.
    pub(crate) fn of(window: &OpenWindow) -> Self {
        Self { sums: SumsCopy::of(&window.sums), legs: MapCopy::default() }
    }
}

/// The changes that a block makes to the window.
#[derive(Debug, Default)]
pub(crate) struct WindowChange {
    /// A window that opens in place of the one before.
    pub(crate) opening: Option<WindowOpening>,
    /// Ascending by merchant and currency.
    pub(crate) sums: Vec<SumsChange>,
    /// The legs that changed, ascending by party.
    pub(crate) legs: Vec<(WindowParty, Gross)>,
}

/// Two lists in the form of maps: the sums collected, and the sums due.
impl Encode for WindowChange {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.opening.encode(encoder)?;
        (self.sums.len() as u64).encode(encoder)?;
        for SumsChange { merchant, currency, collected, .. } in &self.sums {
            (merchant, currency, collected).encode(encoder)?;
        }
        let count: usize = self.sums.iter().map(|sums| sums.dues.len()).sum();
        (count as u64).encode(encoder)?;
        for due in self.sums.iter().flat_map(|sums| &sums.dues) {
            due.encode(encoder)?;
        }
        self.legs.encode(encoder)
    }
}

impl WindowChange {
    pub(crate) fn apply(self, window: &mut OpenWindow, mut copy: Option<&mut WindowCopy>) {
        if let Some(opening) = self.opening {
            window.opening = opening;
            let (sums, legs) = (window.sums.clear(), std::mem::take(&mut window.legs));
            if let Some(copy) = &mut copy {
                copy.sums.note_closed(sums);
                copy.legs.note_all(legs);
            }
        }
        for change in self.sums {
            window.sums.put(change, copy.as_deref_mut().map(|copy| &mut copy.sums));
        }
        for (party, gross) in self.legs {
            if let Some(copy) = &mut copy {
                copy.legs.note(&party, window.legs.get(&party));
            }
            window.legs.insert(party, gross);
        }
    }
}
