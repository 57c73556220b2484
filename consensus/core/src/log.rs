//! The bytes of the write-ahead log: which inputs must survive a crash, and in what form.
//!
//! One record holds, in order, every input that has taken effect since the record before it, and
//! is written before anything leaves that may depend on them.

use bincode::{Decode, Encode};
use chain_types::codec::{self, CodecError};
use chain_types::{BlockHash, Height, Round, ValidatorId};
use malachite_core::{Input as EngineInput, ProposedValue};
use malachite_types::{Validity, ValueOrigin};

use crate::certificates::PolkaCertificate;
use crate::context::{EngineAddress, EngineContext, EngineValue};
use crate::convert;
use crate::interface::Timeout;
use crate::messages::{SignedProposal, SignedVote};

/// The first byte of every record.
const LOG_VERSION: u8 = 1;
/// The largest record that is read, in bytes: far above what a height's bounded inputs make.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An input that must survive a crash.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Entry {
    Vote(SignedVote),
    Proposal(SignedProposal),
    Verdict {
        height: Height,
        round: Round,
        proposer: ValidatorId,
        valid_round: Option<Round>,
        block: BlockHash,
        valid: bool,
    },
    Timeout(Timeout),
    Polka(PolkaCertificate),
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Record {
    pub height: Height,
    pub entries: Vec<Entry>,
}

impl Record {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![LOG_VERSION];
        bytes.extend(codec::encode(self));
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        match bytes.split_first() {
            Some((&LOG_VERSION, rest)) => codec::decode(rest, RECORD_BYTES_MAX),
            Some((version, _)) => {
                Err(CodecError::Malformed(format!("log version {version} is not known")))
            }
            None => Err(CodecError::Malformed("no bytes".to_owned())),
        }
    }
}

impl Entry {
    /// The entry of an input that the engine asks to keep, or `None` for one that it must not
    /// ask to keep.
    pub(crate) fn of(height: Height, input: &EngineInput<EngineContext>) -> Option<Self> {
        Some(match input {
            EngineInput::Vote(vote) => Self::Vote(convert::vote_out(vote)),
            EngineInput::Proposal(proposal) => Self::Proposal(convert::proposal_out(proposal)),
            EngineInput::ProposedValue(value, _) => Self::Verdict {
                height: convert::height_out(value.height),
                round: convert::round_out(value.round),
                proposer: value.proposer.0,
                valid_round: convert::valid_round_out(value.valid_round),
                block: value.value.0,
                valid: value.validity.is_valid(),
            },
            EngineInput::TimeoutElapsed(timeout) => {
                Self::Timeout(convert::timeout_out(height, *timeout)?)
            }
            EngineInput::PolkaCertificate(certificate) => {
                Self::Polka(convert::polka_out(certificate))
            }
            EngineInput::StartHeight(..)
            | EngineInput::RoundCertificate(_)
            | EngineInput::Propose(_)
            | EngineInput::SyncValueResponse(_) => return None,
        })
    }

    /// The input that the entry keeps.
    pub(crate) fn input(&self) -> EngineInput<EngineContext> {
        match self {
            Self::Vote(vote) => EngineInput::Vote(convert::vote_in(vote)),
            Self::Proposal(proposal) => EngineInput::Proposal(convert::proposal_in(proposal)),
            Self::Verdict { height, round, proposer, valid_round, block, valid } => {
                let value = ProposedValue {
                    height: convert::height_in(*height),
                    round: convert::round_in(*round),
                    valid_round: convert::valid_round_in(*valid_round),
                    proposer: EngineAddress(*proposer),
                    value: EngineValue(*block),
                    validity: Validity::from_bool(*valid),
                };
                EngineInput::ProposedValue(value, ValueOrigin::Consensus)
            }
            Self::Timeout(timeout) => EngineInput::TimeoutElapsed(convert::timeout_in(*timeout)),
            Self::Polka(certificate) => {
                EngineInput::PolkaCertificate(convert::polka_in(certificate))
            }
        }
    }
}

/// The entries of `height` in order, up to the first record that cannot be read: what follows a
/// gap must not be fed.
pub(crate) fn read_log(wal: &[Vec<u8>], height: Height, troubles: &mut Vec<String>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for bytes in wal {
        match Record::from_bytes(bytes) {
            Ok(record) if record.height == height => entries.extend(record.entries),
            Ok(_) => {}
            Err(error) => {
                troubles.push(format!("a record of the write-ahead log: {error}"));
                break;
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests;
