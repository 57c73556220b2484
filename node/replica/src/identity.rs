//! The identity of a node in the registry: its place, its keys, and its say in consensus.

use chain_types::{PublicKey, SecretKey, ValidatorId};

/// A node's place in the registry's list; for a validator, the number of its [`ValidatorId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u32);

impl NodeIndex {
    /// Returns the place of this number, from zero.
    pub const fn new(place: u32) -> Self {
        Self(place)
    }

    /// Returns the number of the place, from zero.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The keys by which a node finds itself in the registry.
#[derive(Debug, Clone)]
pub struct NodeKeys {
    /// The public half of the key of its connections.
    pub network: PublicKey,
    /// The key of its votes.
    pub vote: SecretKey,
}

/// The say of a node in consensus now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing: the registry gives it no power, or it has no key to vote with.
    Follows,
    /// It is a validator, and silent until it is known that its key cannot sign twice: see
    /// `silence`.
    Waits(ValidatorId),
    /// It is a validator, and votes.
    Votes(ValidatorId),
    /// It is a validator whose key signs elsewhere: it is silent until it starts again.
    Silenced(ValidatorId),
}
