//! Faults of the operator: what a node finds on its own disk and cannot start with.

use chain_types::{ChainId, ValidatorId};

/// Why consensus refuses to start. The operator's to repair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsensusFault {
    /// The vote guard's bytes do not decode.
    #[error("the vote guard cannot be read ({0})")]
    GuardUnreadable(String),
    /// The vote guard was written on another chain.
    #[error("the vote guard is of chain {found}, not of {expected}")]
    GuardOfAnotherChain {
        /// The chain on which the guard was written.
        found: ChainId,
        /// The one of this node.
        expected: ChainId,
    },
    /// The vote guard was written by another validator.
    #[error("the vote guard is of validator {found}, not of {expected}")]
    GuardOfAnotherValidator {
        /// The validator that wrote the guard.
        found: ValidatorId,
        /// The one of this node.
        expected: ValidatorId,
    },
}
