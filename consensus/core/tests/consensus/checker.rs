//! What must hold whatever happens, checked on everything that leaves a node. Shares no code with
//! what it checks.

use std::collections::BTreeMap;

use chain_types::{
    BlockHash, Certificate, ChainId, Height, Round, ValidatorId, ValidatorSet, Vote, VoteStep,
};
use consensus_core::{Message, Proposal, SignedProposal, SignedVote};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Proposal,
    Prevote,
    Precommit,
}

pub struct Checker {
    chain_id: ChainId,
    validators: ValidatorSet,
    decided: BTreeMap<Height, BlockHash>,
    /// Everything ever signed, by anyone: the whole content, so that a changed valid round counts.
    signed: BTreeMap<(ValidatorId, Height, Round, Kind), String>,
}

impl Checker {
    pub fn new(chain_id: ChainId, validators: ValidatorSet) -> Self {
        Self { chain_id, validators, decided: BTreeMap::new(), signed: BTreeMap::new() }
    }

    /// Agreement, and a certificate that stands on its own.
    pub fn decided(&mut self, certificate: &Certificate) {
        certificate.verify(self.chain_id, &self.validators).unwrap();
        let block = *self.decided.entry(certificate.height).or_insert(certificate.block);
        assert_eq!(block, certificate.block, "two blocks at height {}", certificate.height);
        for (validator, signature) in &certificate.signatures {
            let vote = Vote {
                height: certificate.height,
                round: certificate.round,
                step: VoteStep::Precommit,
                block: Some(certificate.block),
            };
            self.vote(&SignedVote { vote, validator: *validator, signature: *signature });
        }
    }

    /// Every signature verifies, and none excludes an earlier one of the same key.
    pub fn sent(&mut self, message: &Message) {
        match message {
            Message::Proposal(proposal) => self.proposal(proposal),
            Message::Vote(vote) => self.vote(vote),
            Message::PolkaCertificate(polka) => {
                for (validator, signature) in &polka.signatures {
                    let vote = Vote {
                        height: polka.height,
                        round: polka.round,
                        step: VoteStep::Prevote,
                        block: Some(polka.block),
                    };
                    self.vote(&SignedVote { vote, validator: *validator, signature: *signature });
                }
            }
            Message::RoundCertificate(certificate) => {
                for entry in &certificate.votes {
                    let vote = Vote {
                        height: certificate.height,
                        round: certificate.round,
                        step: entry.step,
                        block: entry.block,
                    };
                    let (validator, signature) = (entry.validator, entry.signature);
                    self.vote(&SignedVote { vote, validator, signature });
                }
            }
        }
    }

    fn proposal(&mut self, signed: &SignedProposal) {
        let Proposal { height, round, proposer, .. } = signed.proposal;
        let key = self.validators.get(proposer).unwrap().public_key;
        assert!(key.verifies(&signed.proposal.digest(self.chain_id), &signed.signature));
        self.once((proposer, height, round, Kind::Proposal), format!("{:?}", signed.proposal));
    }

    fn vote(&mut self, signed: &SignedVote) {
        let key = self.validators.get(signed.validator).unwrap().public_key;
        assert!(key.verifies(&signed.vote.digest(self.chain_id), &signed.signature));
        let kind = match signed.vote.step {
            VoteStep::Prevote => Kind::Prevote,
            VoteStep::Precommit => Kind::Precommit,
        };
        let Vote { height, round, block, .. } = signed.vote;
        self.once((signed.validator, height, round, kind), format!("{block:?}"));
    }

    fn once(&mut self, place: (ValidatorId, Height, Round, Kind), value: String) {
        let first = self.signed.entry(place).or_insert_with(|| value.clone());
        assert_eq!(*first, value, "{place:?} signed twice");
    }
}
