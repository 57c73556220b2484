//! Who votes, and how much agreement a decision takes.

use bincode::{Decode, Encode};

use crate::codec;
use crate::hash::{Digest, Domain, hash};
use crate::ids::ValidatorId;
use crate::registry::Node;
use crate::sign::PublicKey;

/// The most validators of a height: a certificate with all their signatures stays below 16 KiB.
pub const VALIDATORS_MAX: usize = 128;

/// One voter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Validator {
    /// Its index in the registry's list of nodes.
    pub id: ValidatorId,
    /// The key of its votes.
    pub public_key: PublicKey,
    /// Its voting power, above zero.
    pub power: u64,
}

/// The validators of a height, ascending by id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
}

impl ValidatorSet {
    /// The set of these validators, sorted by id.
    pub fn new(mut validators: Vec<Validator>) -> Self {
        validators.sort_by_key(|validator| validator.id);
        Self { validators }
    }

    /// The nodes that have power.
    pub fn of_nodes(nodes: &[Node]) -> Self {
        let voters = (0_u32..).zip(nodes).filter(|(_, node)| node.power > 0);
        let validator = |(index, node): (u32, &Node)| Validator {
            id: ValidatorId(index),
            public_key: node.validator_key,
            power: node.power,
        };
        Self::new(voters.map(validator).collect())
    }

    /// The validators, ascending by id.
    pub fn as_slice(&self) -> &[Validator] {
        &self.validators
    }

    /// The validator of an id.
    pub fn get(&self, id: ValidatorId) -> Option<&Validator> {
        let at = self.validators.binary_search_by_key(&id, |validator| validator.id).ok()?;
        self.validators.get(at)
    }

    /// The sum of all powers.
    pub fn total_power(&self) -> u128 {
        self.validators.iter().map(|validator| u128::from(validator.power)).sum()
    }

    /// Whether `power` is more than two thirds of the total.
    pub fn is_quorum(&self, power: u128) -> bool {
        power * 3 > self.total_power() * 2
    }

    /// The digest that block headers carry.
    pub fn digest(&self) -> Digest {
        hash(Domain::Validators, &[&codec::encode(self)])
    }
}
