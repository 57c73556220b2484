//! Making the proofs that receipts hold, from a committed block's own content.

use crate::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BatchHeader, BatchKind};
use crate::block::{Block, Certificate, OUTCOMES_PER_LEAF, outcome_leaves, outcomes_root};
use crate::codec;
use crate::merkle;
use crate::receipt::Inclusion;
use crate::registry::PartyKeys;
use crate::rejection::Outcome;

/// A committed block as proofs are made from it.
#[derive(Debug, Clone, Copy)]
pub struct Provable<'a> {
    /// Header and batch ids.
    pub block: &'a Block,
    /// The quorum that decided it.
    pub certificate: &'a Certificate,
    /// The outcomes of all its batches.
    pub outcomes: &'a [Vec<Outcome>],
    /// The keys of all participants at the block, ascending by id.
    pub parties: &'a [PartyKeys],
}

impl Provable<'_> {
    /// The proof that item `item` of batch `batch`, whose bytes are `bytes`, is in the block with
    /// its outcome; `None` when the block, the batch or the item is not as the places say.
    pub fn include(&self, batch: u32, bytes: &[u8], item: u32) -> Option<Inclusion> {
        let header: BatchHeader =
            codec::decode(bytes.get(..BATCH_HEADER_BYTES)?, BATCH_HEADER_BYTES).ok()?;
        let batch_signature =
            codec::decode(bytes.get(BATCH_HEADER_BYTES..BATCH_PREFIX_BYTES)?, 64).ok()?;
        let item_bytes = BatchKind::from_number(header.kind)?.item_bytes();
        let items: Vec<&[u8]> = bytes.get(BATCH_PREFIX_BYTES..)?.chunks(item_bytes).collect();
        let item_leaves: Vec<_> = items.iter().map(|item| merkle::leaf(item)).collect();
        let batch_at = batch as usize;
        let item_at = item as usize;
        let outcomes = self.outcomes.get(batch_at)?;
        let leaf_at = item_at / OUTCOMES_PER_LEAF;
        let ids = &self.block.batches;
        if ids.get(batch_at) != Some(&header.id()) {
            return None;
        }
        let by_id = |keys: &PartyKeys| keys.participant.cmp(&header.submitter);
        let keys_at = self.parties.binary_search_by(by_id).ok()?;
        let party_leaves: Vec<_> = self.parties.iter().map(PartyKeys::leaf).collect();
        let batch_leaves: Vec<_> =
            ids.iter().map(|id| merkle::leaf(&id.digest().bytes())).collect();
        let result_leaves: Vec<_> = self
            .outcomes
            .iter()
            .map(|outcomes| merkle::leaf(&outcomes_root(outcomes).bytes()))
            .collect();
        Some(Inclusion {
            batch: header,
            batch_signature,
            item: items.get(item_at)?.to_vec(),
            item_index: item,
            item_proof: merkle::prove(&item_leaves, item_at)?,
            outcomes: outcomes.chunks(OUTCOMES_PER_LEAF).nth(leaf_at)?.to_vec(),
            outcome_proof: merkle::prove(&outcome_leaves(outcomes), leaf_at)?,
            batch_index: batch,
            batch_proof: merkle::prove(&batch_leaves, batch_at)?,
            result_proof: merkle::prove(&result_leaves, batch_at)?,
            header: self.block.header.clone(),
            certificate: self.certificate.clone(),
            keys: *self.parties.get(keys_at)?,
            keys_index: u32::try_from(keys_at).ok()?,
            keys_proof: merkle::prove(&party_leaves, keys_at)?,
        })
    }
}
