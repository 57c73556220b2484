//! The rules of a whole batch, before any of its items is looked at.
//!
//! Rules, in order: the chain is this one (107), the submitter is registered (108), the signature
//! was checked against a key that it has at the block (109), it is not suspended (110), it has a
//! role for the batch's kind (111), valid-until has not passed (112) and lies at most skew plus
//! validity ahead (113). Admission adds, after 109: the batch is not in the chain yet (114), which
//! comes first for it, because who asks again about what is final is told so.
//!
//! 107 to 109 say whose word a batch is: a block with one that breaks them is no block, because
//! whoever reads the chain later could not check it. A batch that breaks another rule gives the
//! code to each of its items in execution, and books nothing.

use chain_state::{State, check_batch_timely};
use chain_types::{BatchError, Participant, Rejection, TimeMs, VerifiedBatch};

/// Checks that a batch is worth pooling: advice, against the committed state and the node's clock.
///
/// # Errors
/// The first of rejections 107 to 109, 114 and 110 to 113 that applies.
pub fn admit(state: &State, batch: &VerifiedBatch, now: TimeMs) -> Result<(), BatchError> {
    let submitter = check_author(state, batch)?;
    if let Some((height, index)) = state.batch_location(&batch.id()) {
        let detail = format!("(batch {} is number {index} of block {height})", batch.id());
        return Err(BatchError::new(Rejection::BatchRepeated, detail));
    }
    check_batch(state, batch, submitter, now)
}

/// 107 to 109: whose word the batch is. Gives the submitter.
pub(crate) fn check_author<'a>(
    state: &'a State,
    batch: &VerifiedBatch,
) -> Result<&'a Participant, BatchError> {
    let header = batch.header();
    let id = header.submitter;
    if header.chain_id != state.chain_id() {
        let detail = format!("(batch {}, chain {})", header.chain_id, state.chain_id());
        return Err(BatchError::new(Rejection::WrongChain, detail));
    }
    let Some(submitter) = state.participant(id) else {
        return Err(BatchError::new(Rejection::SubmitterUnknown, format!("(participant {id})")));
    };
    let keys = state.party_keys(id);
    if !keys.is_some_and(|keys| keys.accept(batch.public_key(), state.height().next())) {
        let detail = format!("(participant {id} has key {})", submitter.public_key);
        return Err(BatchError::new(Rejection::SignatureInvalid, detail));
    }
    Ok(submitter)
}

/// 110 to 113: whether its submitter may say this now.
pub(crate) fn check_batch(
    state: &State,
    batch: &VerifiedBatch,
    submitter: &Participant,
    time: TimeMs,
) -> Result<(), BatchError> {
    let (id, kind) = (submitter.id, batch.kind());
    let valid_until = batch.header().valid_until;
    if submitter.suspended {
        return Err(BatchError::new(Rejection::SubmitterSuspended, format!("(participant {id})")));
    }
    if !submitter.roles.any_of(kind.roles()) {
        let detail = format!("(participant {id}, kind {})", kind.name());
        return Err(BatchError::new(Rejection::RoleMissing, detail));
    }
    check_batch_timely(state.parameters(), valid_until, time).map_err(|rejection| {
        BatchError::new(rejection, format!("(valid until {valid_until}, time {time})"))
    })
}
