//! What kind of work a batch is, and whether it is ever shed.

use chain_types::BatchKind;

/// The class of a batch: which queue it waits in, and whether it is shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceClass {
    /// New work, which is shed when there is too much: orders, rates and quotes.
    Order,
    /// Work that others wait for, or that ends or governs work that is there. A duty is never shed
    /// within a tenth of the capacity; beyond it, it is charged to its submitter's share.
    Duty,
    /// A duty that reads the past. A block holds few of them.
    Return,
}

impl ServiceClass {
    /// The number of classes.
    pub(crate) const COUNT: usize = 3;

    /// Returns the class of a kind of batch.
    pub const fn of(kind: BatchKind) -> Self {
        match kind {
            BatchKind::Recharge | BatchKind::Rate | BatchKind::Quote => Self::Order,
            kind if kind.counts_as_returns() => Self::Return,
            _ => Self::Duty,
        }
    }

    /// Returns true for what is never shed.
    pub const fn is_duty(self) -> bool {
        !matches!(self, Self::Order)
    }

    pub(crate) const fn number(self) -> usize {
        self as usize
    }
}
