//! Signatures of submitters, by the rule of [ZIP-215](https://zips.z.cash/zip-0215): the equation
//! with its cofactor, under which many signatures in one equation are valid exactly if each of them
//! is (docs/adr/0017). Votes keep the strict rule.

use std::fmt;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{VerificationKey, VerificationKeyBytes};
use sha2::{Digest as _, Sha256};

use super::{PublicKey, Signature};
use crate::hash::Digest;

/// Signatures in one equation: more gain little, and one that is wrong costs the more.
pub(crate) const TOGETHER_MAX: usize = 64;
/// So many, with a wrong one among them, are checked one by one.
const ALONE_MAX: usize = 4;

/// A submitter's public key made ready to verify with: a point that is not of small order. Making
/// it takes a fifth of the time that a verification with it takes.
#[derive(Clone, Copy)]
pub(crate) struct SubmitterKey {
    key: PublicKey,
    ready: VerificationKey,
}

impl SubmitterKey {
    /// `None` when the bytes are no such point, so that nothing verifies with them.
    pub(crate) fn new(key: PublicKey) -> Option<Self> {
        let ready = VerificationKey::try_from(key.bytes()).ok().filter(|_| key.is_usable())?;
        Some(Self { key, ready })
    }

    /// Returns the key as the registry has it.
    pub(crate) fn public_key(&self) -> PublicKey {
        self.key
    }

    /// Returns true if `signature` is this key's over `digest`.
    pub(crate) fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        self.ready
            .verify(&ed25519_zebra::Signature::from_bytes(&signature.bytes()), &digest.bytes())
            .is_ok()
    }
}

impl fmt::Debug for SubmitterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.key, formatter)
    }
}

/// A signature to be checked: whose, over what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) key: SubmitterKey,
    pub(crate) digest: Digest,
    pub(crate) signature: Signature,
}

impl Claim {
    fn holds(&self) -> bool {
        self.key.verifies(&self.digest, &self.signature)
    }

    fn to_item(self) -> Item {
        let signature = ed25519_zebra::Signature::from_bytes(&self.signature.bytes());
        Item::from((
            VerificationKeyBytes::from(self.key.key.bytes()),
            signature,
            &self.digest.bytes(),
        ))
    }
}

/// Returns for each claim what [`SubmitterKey::verifies`] says of it, in a third of the time or
/// less when all hold. Wrong ones among them cost up to two and a half times what each costs alone.
pub(crate) fn which_hold(claims: &[Claim]) -> Vec<bool> {
    claims.chunks(TOGETHER_MAX).flat_map(|group| which_of_a_group(group, false)).collect()
}

/// `is_broken`: that not all of the group hold is known.
fn which_of_a_group(group: &[Claim], is_broken: bool) -> Vec<bool> {
    if group.len() == 1 || is_broken && group.len() <= ALONE_MAX {
        return group.iter().map(Claim::holds).collect();
    }
    if !is_broken && all_hold(group) {
        return vec![true; group.len()];
    }
    let (left, right) = group.split_at(group.len() / 2);
    let left = which_of_a_group(left, false);
    // If all on the left hold, the wrong one is on the right.
    let right = which_of_a_group(right, left.iter().all(|holds| *holds));
    [left, right].concat()
}

/// Returns true if all claims hold, in one equation. A wrong one passes with a chance of 2^-128.
fn all_hold(claims: &[Claim]) -> bool {
    let mut verifier = Verifier::new();
    claims.iter().for_each(|claim| verifier.queue(claim.to_item()));
    verifier.verify(factors(claims)).is_ok()
}

/// The equation's random factors, from all that is in it: who makes a signature cannot know them
/// before it is made, and this room needs no source of randomness.
fn factors(claims: &[Claim]) -> ChaCha20Rng {
    let mut hasher = Sha256::new_with_prefix(b"sluice signatures together");
    for Claim { key, digest, signature } in claims {
        hasher.update(key.key.bytes());
        hasher.update(digest.bytes());
        hasher.update(signature.bytes());
    }
    ChaCha20Rng::from_seed(hasher.finalize().into())
}

#[cfg(test)]
mod tests;
