//! The validator that this node is.

use chain_types::{SecretKey, ValidatorId};

/// A validator's id and the key that signs its proposals and votes.
#[derive(Debug)]
pub(crate) struct Identity {
    pub id: ValidatorId,
    pub key: SecretKey,
}
