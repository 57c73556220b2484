//! Items of FX providers: rates and quotes.

use zerocopy::little_endian::{U16, U64};

use super::item::item;
use crate::ids::QuoteId;
use crate::rate::Rate;
use crate::units::{Amount, Currency, TimeMs};

item! {
    /// An FX provider's rate of a pair: 64 bytes.
    RateItem: 64 {
        /// The currency that is collected: ISO 4217 numeric.
        pub currency: U16,
        /// The currency that is paid out: ISO 4217 numeric.
        pub payout_currency: U16,
        /// The digits of the rate: see [`Rate::mantissa`].
        pub mantissa: U64,
        /// The decimal digits after the point: see [`Rate::scale`].
        pub scale: U16,
        /// When the provider observed it, in milliseconds since the Unix epoch.
        pub observed: U64 => TimeMs,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 42],
    }
}

item! {
    /// An FX provider's offer to convert at a rate, up to a ceiling and a time: 64 bytes.
    QuoteItem: 64 {
        /// The quote's id: its upper 32 bits are the provider's id.
        pub quote_id: U64 => QuoteId,
        /// The currency that is collected: ISO 4217 numeric.
        pub currency: U16,
        /// The currency that is paid out: ISO 4217 numeric.
        pub payout_currency: U16,
        /// The digits of the rate: see [`Rate::mantissa`].
        pub mantissa: U64,
        /// The decimal digits after the point: see [`Rate::scale`].
        pub scale: U16,
        /// How much may be collected under it, in minor units. Not zero.
        pub ceiling: U64 => Amount,
        /// The last block time at which an order may use it.
        pub valid_until: U64 => TimeMs,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 26],
    }
}

impl RateItem {
    /// A rate of `mantissa / 10^scale`. Whether that is within bounds, [`Self::rate`] tells.
    pub fn new(
        (currency, payout_currency): (Currency, Currency),
        (mantissa, scale): (u64, u16),
        observed: TimeMs,
    ) -> Self {
        Self {
            currency: currency.get().into(),
            payout_currency: payout_currency.get().into(),
            mantissa: mantissa.into(),
            scale: scale.into(),
            observed: observed.get().into(),
            spare: [0; 42],
        }
    }

    /// An offer to convert at this rate.
    pub fn quote(&self, id: QuoteId, ceiling: Amount, valid_until: TimeMs) -> QuoteItem {
        QuoteItem {
            quote_id: id.get().into(),
            currency: self.currency,
            payout_currency: self.payout_currency,
            mantissa: self.mantissa,
            scale: self.scale,
            ceiling: ceiling.get().into(),
            valid_until: valid_until.get().into(),
            spare: [0; 26],
        }
    }

    /// The ordered pair: collected and paid out.
    pub fn pair(&self) -> (Currency, Currency) {
        (Currency::new(self.currency.get()), Currency::new(self.payout_currency.get()))
    }

    /// The rate, or `None` when it is out of bounds.
    pub fn rate(&self) -> Option<Rate> {
        Rate::new(self.mantissa.get(), self.scale.get())
    }
}

impl QuoteItem {
    /// The ordered pair: collected and paid out.
    pub fn pair(&self) -> (Currency, Currency) {
        (Currency::new(self.currency.get()), Currency::new(self.payout_currency.get()))
    }

    /// The rate, or `None` when it is out of bounds.
    pub fn rate(&self) -> Option<Rate> {
        Rate::new(self.mantissa.get(), self.scale.get())
    }
}
