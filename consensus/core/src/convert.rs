//! Our words to the engine's and back.

use chain_types as chain;
use chain_types::{BlockHash, Certificate, VoteStep};
use malachite_types::{
    CommitCertificate, NilOrVal, PolkaSignature, Round, RoundCertificateType, RoundSignature,
    TimeoutKind as EngineTimeoutKind, VoteType,
};

use crate::certificates::{PolkaCertificate, RoundCertificate, RoundCertificateKind, RoundVote};
use crate::context::{
    EngineAddress, EngineContext, EngineHeight, EngineProposal, EngineSignedProposal,
    EngineSignedVote, EngineValue, EngineVote,
};
use crate::interface::{Timeout, TimeoutKind};
use crate::messages::{Proposal, SignedProposal, SignedVote};

pub(crate) type EnginePolka = malachite_types::PolkaCertificate<EngineContext>;
pub(crate) type EngineRoundCertificate = malachite_types::RoundCertificate<EngineContext>;
pub(crate) type EngineTimeout = malachite_types::Timeout;

pub(crate) fn round_in(round: chain::Round) -> Round {
    Round::new(round.get())
}

/// A round that the engine names in a message or an effect always exists.
pub(crate) fn round_out(round: Round) -> chain::Round {
    chain::Round::new(round.as_u32().unwrap_or(0))
}

pub(crate) fn valid_round_in(round: Option<chain::Round>) -> Round {
    round.map_or(Round::Nil, round_in)
}

pub(crate) fn valid_round_out(round: Round) -> Option<chain::Round> {
    round.as_u32().map(chain::Round::new)
}

pub(crate) const fn height_in(height: chain::Height) -> EngineHeight {
    EngineHeight(height.get())
}

pub(crate) const fn height_out(height: EngineHeight) -> chain::Height {
    chain::Height::new(height.0)
}

fn block_in(block: Option<BlockHash>) -> NilOrVal<BlockHash> {
    block.map_or(NilOrVal::Nil, NilOrVal::Val)
}

fn block_out(block: &NilOrVal<BlockHash>) -> Option<BlockHash> {
    match block {
        NilOrVal::Nil => None,
        NilOrVal::Val(block) => Some(*block),
    }
}

const fn step_in(step: VoteStep) -> VoteType {
    match step {
        VoteStep::Prevote => VoteType::Prevote,
        VoteStep::Precommit => VoteType::Precommit,
    }
}

const fn step_out(step: VoteType) -> VoteStep {
    match step {
        VoteType::Prevote => VoteStep::Prevote,
        VoteType::Precommit => VoteStep::Precommit,
    }
}

pub(crate) fn vote_in(signed: &SignedVote) -> EngineSignedVote {
    let vote = EngineVote {
        height: height_in(signed.vote.height),
        round: round_in(signed.vote.round),
        step: step_in(signed.vote.step),
        value: block_in(signed.vote.block),
        validator: EngineAddress(signed.validator),
    };
    EngineSignedVote::new(vote, signed.signature)
}

/// The vote that is signed, without its voter.
pub(crate) fn bare_vote_out(vote: &EngineVote) -> chain::Vote {
    chain::Vote {
        height: height_out(vote.height),
        round: round_out(vote.round),
        step: step_out(vote.step),
        block: block_out(&vote.value),
    }
}

pub(crate) fn vote_out(signed: &EngineSignedVote) -> SignedVote {
    SignedVote {
        vote: bare_vote_out(&signed.message),
        validator: signed.message.validator.0,
        signature: signed.signature,
    }
}

pub(crate) fn proposal_in(signed: &SignedProposal) -> EngineSignedProposal {
    let proposal = EngineProposal {
        height: height_in(signed.proposal.height),
        round: round_in(signed.proposal.round),
        value: EngineValue(signed.proposal.block),
        pol_round: valid_round_in(signed.proposal.valid_round),
        proposer: EngineAddress(signed.proposal.proposer),
    };
    EngineSignedProposal::new(proposal, signed.signature)
}

/// The proposal that is signed.
pub(crate) fn bare_proposal_out(proposal: &EngineProposal) -> Proposal {
    Proposal {
        height: height_out(proposal.height),
        round: round_out(proposal.round),
        block: proposal.value.0,
        valid_round: valid_round_out(proposal.pol_round),
        proposer: proposal.proposer.0,
    }
}

pub(crate) fn proposal_out(signed: &EngineSignedProposal) -> SignedProposal {
    SignedProposal { proposal: bare_proposal_out(&signed.message), signature: signed.signature }
}

pub(crate) fn polka_in(certificate: &PolkaCertificate) -> EnginePolka {
    EnginePolka {
        height: height_in(certificate.height),
        round: round_in(certificate.round),
        value_id: certificate.block,
        polka_signatures: certificate
            .signatures
            .iter()
            .map(|(id, signature)| PolkaSignature::new(EngineAddress(*id), *signature))
            .collect(),
    }
}

pub(crate) fn polka_out(certificate: &EnginePolka) -> PolkaCertificate {
    PolkaCertificate {
        height: height_out(certificate.height),
        round: round_out(certificate.round),
        block: certificate.value_id,
        signatures: certificate
            .polka_signatures
            .iter()
            .map(|entry| (entry.address.0, entry.signature))
            .collect(),
    }
}

pub(crate) fn round_certificate_in(certificate: &RoundCertificate) -> EngineRoundCertificate {
    EngineRoundCertificate {
        height: height_in(certificate.height),
        round: round_in(certificate.round),
        cert_type: match certificate.kind {
            RoundCertificateKind::Skip => RoundCertificateType::Skip,
            RoundCertificateKind::Precommit => RoundCertificateType::Precommit,
        },
        round_signatures: certificate
            .votes
            .iter()
            .map(|vote| {
                RoundSignature::new(
                    step_in(vote.step),
                    block_in(vote.block),
                    EngineAddress(vote.validator),
                    vote.signature,
                )
            })
            .collect(),
    }
}

pub(crate) fn round_certificate_out(certificate: &EngineRoundCertificate) -> RoundCertificate {
    RoundCertificate {
        height: height_out(certificate.height),
        round: round_out(certificate.round),
        kind: match certificate.cert_type {
            RoundCertificateType::Skip => RoundCertificateKind::Skip,
            RoundCertificateType::Precommit => RoundCertificateKind::Precommit,
        },
        votes: certificate
            .round_signatures
            .iter()
            .map(|entry| RoundVote {
                step: step_out(entry.vote_type),
                block: block_out(&entry.value_id),
                validator: entry.address.0,
                signature: entry.signature,
            })
            .collect(),
    }
}

/// The chain's certificate: signers strictly ascending.
pub(crate) fn certificate_out(certificate: &CommitCertificate<EngineContext>) -> Certificate {
    let mut signatures: Vec<_> = certificate
        .commit_signatures
        .iter()
        .map(|entry| (entry.address.0, entry.signature))
        .collect();
    signatures.sort_by_key(|(id, _)| *id);
    Certificate {
        height: height_out(certificate.height),
        round: round_out(certificate.round),
        block: certificate.value_id,
        signatures,
    }
}

pub(crate) fn timeout_in(timeout: Timeout) -> EngineTimeout {
    let kind = match timeout.kind {
        TimeoutKind::Propose => EngineTimeoutKind::Propose,
        TimeoutKind::Prevote => EngineTimeoutKind::Prevote,
        TimeoutKind::Precommit => EngineTimeoutKind::Precommit,
        TimeoutKind::Rebroadcast => EngineTimeoutKind::Rebroadcast,
    };
    EngineTimeout::new(round_in(timeout.round), kind)
}

/// `None` for the wait after a decision, which we never ask for.
pub(crate) fn timeout_out(height: chain::Height, timeout: EngineTimeout) -> Option<Timeout> {
    let kind = match timeout.kind {
        EngineTimeoutKind::Propose => TimeoutKind::Propose,
        EngineTimeoutKind::Prevote => TimeoutKind::Prevote,
        EngineTimeoutKind::Precommit => TimeoutKind::Precommit,
        EngineTimeoutKind::Rebroadcast => TimeoutKind::Rebroadcast,
        EngineTimeoutKind::FinalizeHeight(_) => return None,
    };
    Some(Timeout { height, round: round_out(timeout.round), kind })
}
