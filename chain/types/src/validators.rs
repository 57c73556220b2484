//! The validators, and how much agreement a decision takes.

use bincode::{Decode, Encode};

use crate::codec;
use crate::hash::{Digest, Domain, hash};
use crate::ids::ValidatorId;
use crate::sign::PublicKey;

/// The most validators of a height: a certificate with all their signatures stays below 16 KiB.
pub const VALIDATORS_MAX: usize = 128;

/// Bytes of the largest [`SetChange`]: everybody of a full set goes, as many others come.
pub const SET_CHANGE_BYTES_MAX: usize = 8 + VALIDATORS_MAX * (5 + 45);

/// A node that votes, with its key and its power.
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

    /// Returns true if `power` is more than two thirds of the total.
    pub fn is_quorum(&self, power: u128) -> bool {
        power * 3 > self.total_power() * 2
    }

    /// The digest that block headers carry.
    pub fn digest(&self) -> Digest {
        hash(Domain::Validators, &[&codec::encode(self)])
    }
}

/// How one set differs from another: for each validator that is not the same in both, strictly
/// ascending by id, its key and power in the other set, or nothing if it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct SetChange(pub Vec<(ValidatorId, Option<(PublicKey, u64)>)>);

impl SetChange {
    /// How `after` differs from `before`.
    pub fn between(before: &ValidatorSet, after: &ValidatorSet) -> Self {
        let gone = before.as_slice().iter().filter(|one| after.get(one.id).is_none());
        let put = after.as_slice().iter().filter(|one| before.get(one.id) != Some(*one));
        let mut changes: Vec<_> = gone.map(|one| (one.id, None)).collect();
        changes.extend(put.map(|one| (one.id, Some((one.public_key, one.power)))));
        changes.sort_unstable_by_key(|(id, _)| *id);
        Self(changes)
    }

    /// The set that `before` becomes; `None` when the change is not the one form of a difference
    /// from it, or leads to more than [`VALIDATORS_MAX`].
    pub fn apply(&self, before: &ValidatorSet) -> Option<ValidatorSet> {
        if !self.0.is_sorted_by(|(one, _), (next, _)| one < next) {
            return None;
        }
        let of = |id| self.0.binary_search_by_key(&id, |(id, _)| *id).is_ok();
        let mut validators: Vec<Validator> =
            before.as_slice().iter().filter(|one| !of(one.id)).copied().collect();
        for (id, put) in &self.0 {
            let put = put.map(|(public_key, power)| Validator { id: *id, public_key, power });
            if before.get(*id) == put.as_ref() {
                return None;
            }
            validators.extend(put);
        }
        (validators.len() <= VALIDATORS_MAX).then(|| ValidatorSet::new(validators))
    }
}
