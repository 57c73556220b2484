//! Quantities with their units in their type. No `From<u64>`, and the field is private: a unit is
//! given and left on purpose, with `new` and `get`.

use std::fmt;

use bincode::{Decode, Encode};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
        pub struct $name($inner);

        impl $name {
            /// Gives `number` its unit.
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// Returns the number without its unit.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }
    };
}

unit! {
    /// A block's position in the chain; block zero is genesis.
    Height(u64)
}
unit! {
    /// An attempt to decide one height, from zero.
    Round(u32)
}
unit! {
    /// Milliseconds since the Unix epoch, in block time unless said otherwise.
    TimeMs(u64)
}
unit! {
    /// An amount in minor units of its currency. Never negative; sums are made in `u128`.
    Amount(u64)
}
unit! {
    /// An ISO 4217 numeric code: 156 for CNY. The genesis file lists those the chain accepts.
    Currency(u16)
}

impl Height {
    /// The height after this one. A chain does not reach `u64::MAX` blocks.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The height before this one, or `None` for block zero.
    pub const fn previous(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(height) => Some(Self(height)),
            None => None,
        }
    }

    /// The height `blocks` after this one, staying at the largest value instead of overflowing.
    #[must_use]
    pub const fn plus(self, blocks: u64) -> Self {
        Self(self.0.saturating_add(blocks))
    }

    /// The height `blocks` before this one, staying at zero instead of underflowing.
    #[must_use]
    pub const fn minus(self, blocks: u64) -> Self {
        Self(self.0.saturating_sub(blocks))
    }
}

impl Round {
    /// The round after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl TimeMs {
    /// This time and `milliseconds` more, staying at the largest value instead of overflowing.
    #[must_use]
    pub const fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// This time less `milliseconds`, staying at zero instead of underflowing.
    #[must_use]
    pub const fn minus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub(milliseconds))
    }
}

impl Amount {
    /// This amount and `other`, staying at the largest value instead of overflowing.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// This amount less `other`, staying at zero instead of underflowing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Currency {
    /// The three-letter ISO 4217 code, or `None` for a number that ISO 4217 does not list.
    pub fn code(self) -> Option<&'static str> {
        iso_currency::Currency::from_numeric(self.0).map(|currency| currency.code())
    }

    /// The currency of a three-letter ISO 4217 code.
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(|currency| Self(currency.numeric()))
    }

    /// Returns the ISO 4217 code; the three-digit number of a currency that ISO 4217 does not list.
    pub fn code_or_number(self) -> String {
        self.code().map_or_else(|| format!("{:03}", self.0), str::to_owned)
    }

    /// Returns the currency of a text that [`Self::code_or_number`] writes.
    pub fn from_code_or_number(text: &str) -> Option<Self> {
        let currency = Self::from_code(text).or_else(|| text.parse().ok().map(Self));
        currency.filter(|currency| text.len() == 3 && currency.code_or_number() == text)
    }

    /// Decimal digits of the minor unit: 0 for JPY, 2 for CNY, 3 for KWD.
    pub fn exponent(self) -> Option<u16> {
        iso_currency::Currency::from_numeric(self.0)?.exponent()
    }
}
