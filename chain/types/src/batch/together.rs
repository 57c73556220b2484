//! Many batches' signatures checked together, each with the answer that it would have alone.

use super::{BatchError, HashedBatch, SignedBatch, VerifiedBatch};
use crate::ids::{BatchId, ChainId, ParticipantId};
use crate::registry::ReadyKeys;
use crate::sign::PublicKey;
use crate::sign::submitter::{Claim, which_hold};

impl SignedBatch {
    /// [`Self::verify`] of each of them, in their order.
    pub fn verify_all(
        batches: Vec<Self>,
        chain_id: ChainId,
        keys_of: impl Fn(ParticipantId) -> Option<ReadyKeys>,
    ) -> Vec<Result<VerifiedBatch, BatchError>> {
        let signers = signers(batches.iter().map(|batch| (batch, batch.header.id())), &keys_of);
        let verify = |(batch, signer): (Self, Option<PublicKey>)| match signer {
            None => batch.verify(chain_id, &keys_of),
            Some(key) => {
                batch.check_chain(chain_id)?;
                let id = batch.header.id();
                batch.signed_with(id, key)
            }
        };
        batches.into_iter().zip(signers).map(verify).collect()
    }
}

impl HashedBatch {
    /// [`Self::verify`] of each of them, in their order.
    ///
    /// # Errors
    /// Rejections 107 and 108, of the first that does not hold.
    pub fn verify_all(
        batches: Vec<Self>,
        keys_of: impl Fn(ParticipantId) -> Option<ReadyKeys>,
    ) -> Result<Vec<VerifiedBatch>, BatchError> {
        let signers = signers(batches.iter().map(|hashed| (&hashed.batch, hashed.id)), &keys_of);
        let verify = |(batch, signer): (Self, Option<PublicKey>)| match signer {
            None => batch.verify(&keys_of),
            Some(key) => Ok(batch.signed_with(key)),
        };
        batches.into_iter().zip(signers).map(verify).collect()
    }
}

/// With which key each is signed. `None` where it is to be looked at alone: its submitter is not
/// known or has two keys, or the signature does not hold.
fn signers<'a>(
    batches: impl Iterator<Item = (&'a SignedBatch, BatchId)>,
    keys_of: impl Fn(ParticipantId) -> Option<ReadyKeys>,
) -> Vec<Option<PublicKey>> {
    let claim = |(batch, id): (&SignedBatch, BatchId)| {
        let key = keys_of(batch.header.submitter)?.only()?;
        Some(Claim { key, digest: id.0, signature: batch.signature })
    };
    let claims: Vec<Option<Claim>> = batches.map(claim).collect();
    let known: Vec<Claim> = claims.iter().copied().flatten().collect();
    let mut held = which_hold(&known).into_iter();
    let signer = |claim: Option<Claim>| {
        let claim = claim?;
        held.next().unwrap_or(false).then(|| claim.key.public_key())
    };
    claims.into_iter().map(signer).collect()
}
