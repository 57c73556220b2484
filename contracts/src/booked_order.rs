//! An order on its way through the books, as far as their rules need it.

use chain_state::{Conversion, Overlay, Reservation};
use chain_types::{Amount, Currency, MerchantId, ParticipantId, QuoteId, RechargeItem, TimeMs};

use crate::lane::LaneKey;

/// An order on its way through the books.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Booking {
    pub(crate) merchant: MerchantId,
    pub(crate) gateway: ParticipantId,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) user: [u8; 16],
    pub(crate) conversion: Option<Conversion>,
    pub(crate) accepted: TimeMs,
}

impl Booking {
    /// The order, not yet converted, as it would be accepted now.
    pub(crate) fn new(overlay: &Overlay<'_>, item: &RechargeItem) -> Self {
        Self {
            merchant: item.merchant(),
            gateway: item.collecting_gateway(),
            amount: item.amount(),
            currency: item.currency(),
            user: item.user,
            conversion: None,
            accepted: overlay.time(),
        }
    }

    /// The order of a reservation.
    pub(crate) fn reserved(held: &Reservation) -> Self {
        Self {
            merchant: held.merchant,
            gateway: held.gateway,
            amount: held.amount,
            currency: held.currency,
            user: held.user,
            conversion: held.conversion,
            accepted: held.accepted,
        }
    }

    /// The quote that it converts by.
    pub(crate) fn quote(&self) -> Option<QuoteId> {
        self.conversion.map(|conversion| conversion.quote)
    }

    /// The lane that it shares with orders of the same merchant, gateway and currencies.
    pub(crate) fn lane(&self) -> LaneKey {
        let payout_currency =
            self.conversion.map_or(self.currency, |conversion| conversion.payout_currency);
        LaneKey {
            merchant: self.merchant,
            gateway: self.gateway,
            currency: self.currency,
            payout_currency,
        }
    }
}
