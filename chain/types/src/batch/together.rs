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
        let verify = |(batch, signer): (Self, Option<Signer>)| match signer {
            None => batch.verify(chain_id, &keys_of),
            Some(signer) => {
                batch.check_chain(chain_id)?;
                let id = batch.header.id();
                batch.signed_with(id, signer?)
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
        let verify = |(batch, signer): (Self, Option<Signer>)| match signer {
            None => batch.verify(&keys_of),
            Some(signer) => Ok(batch.signed_with(signer?)),
        };
        batches.into_iter().zip(signers).map(verify).collect()
    }
}

/// With which key a batch is signed, or that it is not.
type Signer = Result<PublicKey, BatchError>;

/// With which key each is signed. `None` where that is to be looked at alone: its submitter is not
/// known, or has two keys.
fn signers<'a>(
    batches: impl Iterator<Item = (&'a SignedBatch, BatchId)>,
    keys_of: impl Fn(ParticipantId) -> Option<ReadyKeys>,
) -> Vec<Option<Signer>> {
    let claim = |(batch, id): (&'a SignedBatch, BatchId)| {
        let claim = keys_of(batch.header.submitter).and_then(|keys| keys.only());
        (batch, claim.map(|key| Claim { key, digest: id.digest(), signature: batch.signature }))
    };
    let claims: Vec<_> = batches.map(claim).collect();
    let known: Vec<Claim> = claims.iter().filter_map(|(_, claim)| *claim).collect();
    let mut held = which_hold(&known).into_iter();
    let signer = |(batch, claim): (&SignedBatch, Option<Claim>)| {
        let claim = claim?;
        let holds = held.next().unwrap_or(false);
        let key = holds.then(|| claim.key.public_key());
        Some(key.ok_or_else(|| batch.not_signed(BatchId::new(claim.digest))))
    };
    claims.into_iter().map(signer).collect()
}
