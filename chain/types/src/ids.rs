//! Names of things. Each is its own type, so that one cannot stand for another.

use std::fmt;
use std::str::FromStr;

use bincode::{Decode, Encode};

use crate::hash::Digest;
use crate::units::{Currency, TimeMs};

macro_rules! digest_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
        pub struct $name(Digest);

        impl $name {
            /// Returns the id that `digest` is.
            pub const fn new(digest: Digest) -> Self {
                Self(digest)
            }

            /// Returns the digest that the id is.
            pub const fn digest(self) -> Digest {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Digest::from_hex(text)
                    .map(Self)
                    .ok_or(IdError { expected: "64 hexadecimal digits" })
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
        pub struct $name($inner);

        impl $name {
            /// Returns the id of this number.
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// Returns the id's number.
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

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected {expected}")]
pub struct IdError {
    /// The form that was expected.
    pub expected: &'static str,
}

digest_id! {
    /// SHA-256 of the genesis file's bytes. Every signed byte is bound to it.
    ChainId
}
digest_id! {
    /// Domain-tagged SHA-256 of a batch header.
    BatchId
}
digest_id! {
    /// Domain-tagged SHA-256 of a block header.
    BlockHash
}
number_id! {
    /// A registered legal party.
    ParticipantId(u32)
}
number_id! {
    /// The id of a registered merchant.
    MerchantId(u64)
}
number_id! {
    /// A validator: its index in the registry's list of nodes, which never changes.
    ValidatorId(u32)
}
number_id! {
    /// A settlement window, counted from zero.
    WindowId(u64)
}

impl WindowId {
    /// The window after this one. A chain does not reach `u64::MAX` windows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Returns the id of these bytes, which need not be a UUIDv7.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Returns the bytes of the id, as they are on the wire.
            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }

            /// A UUIDv7 of `time` with 74 bits of `entropy` (the other bits are not used).
            pub fn new(time: TimeMs, entropy: [u8; 10]) -> Self {
                let uuid = uuid::Builder::from_unix_timestamp_millis(time.get(), &entropy);
                Self(*uuid.as_uuid().as_bytes())
            }

            /// Returns true if version and variant are those of a UUIDv7.
            pub fn is_uuid_v7(self) -> bool {
                self.0[6] >> 4 == 7 && self.0[8] >> 6 == 0b10
            }

            /// The id's own time: its first 48 bits, in milliseconds since the Unix epoch.
            pub fn time(self) -> TimeMs {
                let mut bytes = [0; 8];
                bytes[2..].copy_from_slice(&self.0[..6]);
                TimeMs::new(u64::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&uuid::Uuid::from_bytes(self.0).as_hyphenated(), formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let uuid = uuid::Uuid::try_parse(text).map_err(|_| IdError {
                    expected: "a UUID such as 0190a8e2-7c00-7000-8000-000000000000",
                })?;
                Ok(Self(*uuid.as_bytes()))
            }
        }
    };
}

uuid_id! {
    /// A recharge order's id and idempotency key: a UUIDv7 (RFC 9562) whose last four bytes are the
    /// participant id of its submitter, so that nobody takes another's.
    OrderId
}
uuid_id! {
    /// A liquidity transfer's id and idempotency key: a UUIDv7 made by its maker.
    TransferId
}
uuid_id! {
    /// A governance proposal's id and idempotency key: a UUIDv7 made by its maker.
    ProposalId
}

impl OrderId {
    /// An id of `owner`'s own: a UUIDv7 of `time` with 42 bits of `entropy` (the other bits are not
    /// used).
    pub fn owned(owner: ParticipantId, time: TimeMs, entropy: [u8; 6]) -> Self {
        let mut random = [0; 10];
        random[..6].copy_from_slice(&entropy);
        random[6..].copy_from_slice(&owner.0.to_be_bytes());
        Self::new(time, random)
    }

    /// The same id as another owner's.
    #[must_use]
    pub fn owned_by(mut self, owner: ParticipantId) -> Self {
        self.0[12..].copy_from_slice(&owner.0.to_be_bytes());
        self
    }

    /// The only participant who may submit an order with this id: its last 32 bits.
    pub fn owner(self) -> ParticipantId {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[12..]);
        ParticipantId(u32::from_be_bytes(bytes))
    }
}

number_id! {
    /// An FX quote. Its upper 32 bits are the provider's id, so that nobody takes another's.
    QuoteId(u64)
}

impl QuoteId {
    /// The provider's quote of this number.
    pub const fn of(provider: ParticipantId, number: u32) -> Self {
        Self((provider.0 as u64) << 32 | number as u64)
    }

    /// The provider whose quote it must be.
    pub fn provider(self) -> ParticipantId {
        ParticipantId(u32::try_from(self.0 >> 32).unwrap_or_default())
    }
}

/// One instruction a window, merchant and currency; written `window-merchant-currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct InstructionId {
    /// The window whose collected orders it pays out.
    pub window: WindowId,
    /// The merchant that it pays.
    pub merchant: MerchantId,
    /// The currency that the merchant is paid in.
    pub currency: Currency,
}

impl fmt::Display for InstructionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-{}", self.window, self.merchant, self.currency)
    }
}

impl FromStr for InstructionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError { expected: "window-merchant-currency, such as 12-1001-156" };
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(error);
        let id = Self {
            window: WindowId::new(part()?.parse().map_err(|_| error)?),
            merchant: MerchantId::new(part()?.parse().map_err(|_| error)?),
            currency: Currency::new(part()?.parse().map_err(|_| error)?),
        };
        if parts.next().is_some() { Err(error) } else { Ok(id) }
    }
}
