//! The cost of a read, and the class with which it waits.

use rpc_api::LIMIT_MAX;

/// The items of a page that costs no more than the lookup of one item.
const CHEAP_ITEMS: u32 = 20;
/// Items that cost as much as one cheap read.
const ITEMS_PER_UNIT: u32 = 20;
/// The units of a proof: some sixty rows of the index, and the hashes between them.
const PROOF_UNITS: u32 = 20;

/// With which others a read waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadClass {
    /// One row, or a few.
    Cheap = 0,
    /// The outcome of a batch.
    Question = 1,
    /// Pages of lists, and proofs.
    Dear = 2,
}

impl ReadClass {
    pub(crate) const ALL: [Self; 3] = [Self::Cheap, Self::Question, Self::Dear];

    /// The name that figures and details use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cheap => "cheap",
            Self::Question => "question",
            Self::Dear => "dear",
        }
    }
}

/// The cost of a read: its class, and its weight in cheap reads. The weight counts towards its
/// caller's turn and budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    pub(crate) class: ReadClass,
    pub(crate) units: u32,
}

impl Cost {
    /// A row of the index, or what stands in memory.
    pub const CHEAP: Self = Self { class: ReadClass::Cheap, units: 1 };
    /// The outcome of a batch: its block and its items' codes.
    pub const QUESTION: Self = Self { class: ReadClass::Question, units: 1 };
    /// A proof of an account or a window, or a receipt.
    pub const PROOF: Self = Self { class: ReadClass::Dear, units: PROOF_UNITS };
    /// An answer whose length its caller cannot choose: a block, the registry.
    pub const WHOLE: Self = Self { class: ReadClass::Dear, units: 5 };

    /// A page of at most `limit` items.
    pub const fn page(limit: u32) -> Self {
        let limit = if limit < LIMIT_MAX { limit } else { LIMIT_MAX };
        let units = 1 + limit / ITEMS_PER_UNIT;
        let class = if limit <= CHEAP_ITEMS { ReadClass::Cheap } else { ReadClass::Dear };
        Self { class, units }
    }
}
