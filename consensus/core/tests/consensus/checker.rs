//! What must hold whatever happens, checked on everything that leaves a node. Shares no code with
//! what it checks.

use std::collections::BTreeMap;

use chain_types::{
    BlockHash, Certificate, ChainId, Digest, Height, Round, Signature, ValidatorId, ValidatorSet,
    Vote, VoteStep,
};
use consensus_core::{Message, Proposal, SignedProposal, SignedVote};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Proposal,
    Prevote,
    Precommit,
}

type Place = (ValidatorId, Height, Round, Kind);

pub struct Checker {
    chain_id: ChainId,
    validators: ValidatorSet,
    decided: BTreeMap<Height, BlockHash>,
    /// Everything ever signed, by anyone: the whole content, so that a changed valid round counts.
    signed: BTreeMap<Place, (String, Signature)>,
    /// The validators that may sign as they like.
    pub villains: Vec<ValidatorId>,
}

impl Checker {
    pub fn new(chain_id: ChainId, validators: ValidatorSet) -> Self {
        Self {
            chain_id,
            validators,
            decided: BTreeMap::new(),
            signed: BTreeMap::new(),
            villains: Vec::new(),
        }
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
        let digest = signed.proposal.digest(self.chain_id);
        let value = format!("{:?}", signed.proposal);
        self.once((proposer, height, round, Kind::Proposal), value, digest, signed.signature);
    }

    fn vote(&mut self, signed: &SignedVote) {
        let kind = match signed.vote.step {
            VoteStep::Prevote => Kind::Prevote,
            VoteStep::Precommit => Kind::Precommit,
        };
        let Vote { height, round, block, .. } = signed.vote;
        let digest = signed.vote.digest(self.chain_id);
        let place = (signed.validator, height, round, kind);
        self.once(place, format!("{block:?}"), digest, signed.signature);
    }

    fn once(&mut self, place: Place, value: String, digest: Digest, signature: Signature) {
        if self
            .signed
            .get(&place)
            .is_some_and(|(first, with)| (first, *with) == (&value, signature))
        {
            return;
        }
        let key = self.validators.get(place.0).unwrap().public_key;
        assert!(key.verifies(&digest, &signature), "{place:?} does not verify");
        if self.villains.contains(&place.0) {
            return;
        }
        let (first, _) = self.signed.entry(place).or_insert_with(|| (value.clone(), signature));
        assert_eq!(*first, value, "{place:?} signed twice");
    }
}
