//! Evidence against validators: what a block may hold of it, and what it leaves.
//!
//! Operations: none; a proposer puts evidence beside its batches. Rules, in their order: at most
//! [`EVIDENCE_MAX`] a block; ascending by height and validator, none twice; of a registered node;
//! of a height that has begun and is not older than [`EVIDENCE_AGE_HEIGHTS`]; not recorded before;
//! both messages verify with the vote key that the node had at their height and exclude each
//! other. A block that breaks one is invalid. Records: one a piece of evidence. Afterwards: no
//! validator has two records of one height, and the table of what is recorded reaches back no
//! further than evidence may.

use chain_state::{EvidenceRecord, Overlay, Record, State};
use chain_types::evidence::{EVIDENCE_AGE_HEIGHTS, EVIDENCE_MAX, EquivocationFlaw};
use chain_types::{Equivocation, Height, ValidatorId};

/// Why no block of a height may hold a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// There is more than a block may hold.
    #[error("{0} pieces of evidence; at most {EVIDENCE_MAX}")]
    Count(usize),
    /// It does not ascend by height and validator, or stands there twice.
    #[error("evidence does not ascend by height and validator")]
    Order,
    /// The registry had no such node at that height.
    #[error("{0} is not a registered node")]
    Stranger(ValidatorId),
    /// It is of a height that has not begun.
    #[error("evidence of height {0}, which has not begun")]
    Future(Height),
    /// It is of a height too long ago.
    #[error("evidence of height {0}, more than {EVIDENCE_AGE_HEIGHTS} heights ago")]
    Old(Height),
    /// A block has recorded evidence of the same validator and height.
    #[error("evidence against validator {validator} at height {height} is recorded already")]
    Recorded {
        /// The validator that it accuses.
        validator: ValidatorId,
        /// The height of the offence.
        height: Height,
    },
    /// The two messages prove nothing against the validator.
    #[error("evidence that proves nothing: {0}")]
    Flaw(#[from] EquivocationFlaw),
}

/// Checks that the block after `state` may hold this piece of evidence. A proposer asks this before
/// it adds the piece.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_evidence(state: &State, evidence: &Equivocation) -> Result<(), EvidenceError> {
    let (validator, height) = (evidence.validator(), evidence.height());
    let next = state.height().next();
    // What was signed with a key that was withdrawn since is judged with that one.
    let key = state.registry().vote_key(validator.get(), height);
    let key = key.ok_or(EvidenceError::Stranger(validator))?;
    if height > next {
        return Err(EvidenceError::Future(height));
    }
    if height < earliest(next) {
        return Err(EvidenceError::Old(height));
    }
    if state.tables().evidence.contains_key(&(height, validator)) {
        return Err(EvidenceError::Recorded { validator, height });
    }
    Ok(evidence.verify(state.chain_id(), key)?)
}

/// Checks that the block after `state` may hold all this evidence, in this order.
pub(crate) fn check_all(state: &State, evidence: &[Equivocation]) -> Result<(), EvidenceError> {
    if evidence.len() > EVIDENCE_MAX {
        return Err(EvidenceError::Count(evidence.len()));
    }
    let place = |one: &Equivocation| (one.height(), one.validator());
    if !evidence.is_sorted_by(|one, next| place(one) < place(next)) {
        return Err(EvidenceError::Order);
    }
    evidence.iter().try_for_each(|one| check_evidence(state, one))
}

/// Records a block's evidence, and forgets what no block may hold evidence of any more.
pub(crate) fn record(overlay: &mut Overlay<'_>, evidence: &[Equivocation]) {
    let first = (earliest(overlay.height()), ValidatorId::new(0));
    let mut known = overlay.tables().evidence();
    let old: Vec<_> = known.range(..first).map(|(key, ())| *key).collect();
    old.iter().for_each(|key| known.remove(key));
    for (sequence, one) in (0_u32..).zip(evidence) {
        overlay.tables().evidence().put((one.height(), one.validator()), ());
        let (first, second) = one.values();
        let record = EvidenceRecord {
            height: overlay.height(),
            sequence,
            time: overlay.time(),
            validator: one.validator(),
            kind: one.kind(),
            offence_height: one.height(),
            offence_round: one.round(),
            first,
            second,
        };
        overlay.record(Record::Evidence(record));
    }
}

/// The lowest height of evidence in the block of `height`.
fn earliest(height: Height) -> Height {
    height.minus(EVIDENCE_AGE_HEIGHTS)
}
