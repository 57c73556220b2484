//! The two streams that a link has.

/// One of a peer's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Votes and proposals: small and urgent. When too many wait, the oldest are dropped.
    Consensus,
    /// Batches: large. When too many wait, new ones are dropped; receivers fetch what they miss.
    Bulk,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Consensus, Self::Bulk];

    /// `consensus` or `bulk`: in protocol names, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Bulk => "bulk",
        }
    }
}
