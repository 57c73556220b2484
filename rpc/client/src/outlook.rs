//! A node's outlook as its reader believes it: signed by that node, of this chain, and of now.

use chain_types::{ChainId, ParticipantId, PublicKey, TimeMs, ValidatorId, codec};
use consensus_scheduler::outlook::{
    OUTLOOK_HEAD_BYTES_MAX, OUTLOOK_PROOF_BYTES_MAX, OutlookHead, OutlookLine,
};
use consensus_scheduler::{OutlookError, OutlookProof, SignedOutlook};
use rpc_api::{OutlookReport, decode_base64};

/// How far the clocks of a node and of its reader may be apart, in milliseconds.
const SKEW_MS: u64 = 5_000;

/// Why an outlook is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlookFault {
    /// Its bytes are not those of an outlook.
    #[error("the outlook's bytes cannot be read; ask a node of this version")]
    Malformed,
    /// It is not what that node says now.
    #[error(transparent)]
    Refuted(#[from] OutlookError),
    /// The line is another submitter's.
    #[error("the outlook's line is of submitter {0}, not of the one that was asked for")]
    OtherSubmitter(ParticipantId),
}

/// Checks the signed bytes of an outlook against the key that the registry has for a node. The
/// numbers beside them are not looked at. Returns the head, and the line if there is one.
///
/// # Errors
/// [`OutlookFault`] for bytes that are malformed, forged, old or of another chain, node or
/// submitter.
pub fn check_outlook(
    report: &OutlookReport,
    chain_id: ChainId,
    node: (ValidatorId, &PublicKey),
    submitter: Option<ParticipantId>,
    now: TimeMs,
) -> Result<(OutlookHead, Option<OutlookLine>), OutlookFault> {
    let malformed = |_| OutlookFault::Malformed;
    let bytes = bytes_of(&report.signed_base64)?;
    let signed: SignedOutlook = codec::decode(&bytes, OUTLOOK_HEAD_BYTES_MAX).map_err(malformed)?;
    let head = *signed.verify(chain_id, node, now, SKEW_MS)?;
    let Some(line) = &report.line else { return Ok((head, None)) };
    let bytes = bytes_of(&line.proof_base64)?;
    let proof: OutlookProof = codec::decode(&bytes, OUTLOOK_PROOF_BYTES_MAX).map_err(malformed)?;
    let line = *proof.verify(&head)?;
    match submitter == Some(line.submitter) {
        true => Ok((head, Some(line))),
        false => Err(OutlookFault::OtherSubmitter(line.submitter)),
    }
}

fn bytes_of(base64: &str) -> Result<Vec<u8>, OutlookFault> {
    decode_base64(base64).ok_or(OutlookFault::Malformed)
}
