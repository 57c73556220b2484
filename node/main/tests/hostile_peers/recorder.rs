//! A validator that remembers every signature it hears, and finds two of one key that exclude each
//! other. It can hold back its votes, so that the chain waits for others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use chain_types::{Digest, Height, PublicKey, Round, Signature, ValidatorId, Vote, VoteStep};
use consensus_core::{Message, SignedProposal, SignedVote};
use node_replica::{PeerMessage, WireBlock};

use crate::conduct::{Conduct, Own};

/// A message that a validator signs at most once a height and round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Proposal,
    Prevote,
    Precommit,
}

/// The record of votes that were heard; all clones share it.
#[derive(Clone, Default)]
pub struct Recorder {
    book: Arc<Mutex<Book>>,
    mute: Arc<AtomicBool>,
}

#[derive(Default)]
struct Book {
    signed: BTreeMap<(ValidatorId, Height, Round, Step), Digest>,
    doubles: Vec<String>,
}

impl Recorder {
    /// Holds back its own votes and proposals, or speaks again.
    pub fn set_mute(&self, mute: bool) {
        self.mute.store(mute, Ordering::Relaxed);
    }

    /// Each pair of signatures of one key for one height, round and step that differ.
    pub fn doubles(&self) -> Vec<String> {
        self.book.lock().unwrap().doubles.clone()
    }

    /// How many different signatures of a validator were heard.
    pub fn heard(&self, validator: u32) -> usize {
        let book = self.book.lock().unwrap();
        book.signed.keys().filter(|(id, ..)| id.get() == validator).count()
    }

    /// Fails with every pair.
    pub fn assert_none_signed_twice(&self) {
        let doubles = self.doubles();
        assert!(doubles.is_empty(), "{} pairs:\n{}", doubles.len(), doubles.join("\n"));
    }

    fn vote(&self, own: &Own, vote: &Vote, validator: ValidatorId, signature: &Signature) {
        let step = match vote.step {
            VoteStep::Prevote => Step::Prevote,
            VoteStep::Precommit => Step::Precommit,
        };
        let place = (validator, vote.height, vote.round, step);
        self.note(own, place, vote.digest(own.chain_id), signature);
    }

    fn signed(&self, own: &Own, signed: &SignedVote) {
        self.vote(own, &signed.vote, signed.validator, &signed.signature);
    }

    fn proposal(&self, own: &Own, signed: &SignedProposal) {
        let said = &signed.proposal;
        let place = (said.proposer, said.height, said.round, Step::Proposal);
        self.note(own, place, said.digest(own.chain_id), &signed.signature);
    }

    fn note(
        &self,
        own: &Own,
        place: (ValidatorId, Height, Round, Step),
        digest: Digest,
        signature: &Signature,
    ) {
        let key: Option<PublicKey> = own.validators.get(place.0).map(|known| known.public_key);
        if !key.is_some_and(|key| key.verifies(&digest, signature)) {
            return;
        }
        let mut book = self.book.lock().unwrap();
        let first = *book.signed.entry(place).or_insert(digest);
        if first != digest {
            let (validator, height, round, step) = place;
            let double = format!("validator {validator}, {height}/{round}, {step:?}");
            if !book.doubles.contains(&double) {
                book.doubles.push(double);
            }
        }
    }

    fn message(&self, own: &Own, message: &Message) {
        match message {
            Message::Proposal(signed) => self.proposal(own, signed),
            Message::Vote(signed) => self.signed(own, signed),
            Message::PolkaCertificate(polka) => {
                let vote = Vote {
                    height: polka.height,
                    round: polka.round,
                    step: VoteStep::Prevote,
                    block: Some(polka.block),
                };
                for (validator, signature) in &polka.signatures {
                    self.vote(own, &vote, *validator, signature);
                }
            }
            Message::RoundCertificate(certificate) => {
                for of in &certificate.votes {
                    let vote = Vote {
                        height: certificate.height,
                        round: certificate.round,
                        step: of.step,
                        block: of.block,
                    };
                    self.vote(own, &vote, of.validator, &of.signature);
                }
            }
        }
    }
}

impl Conduct for Recorder {
    fn says(&mut self, _own: &Own, _to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        let speaks = match message {
            PeerMessage::Consensus(_) | PeerMessage::Proposal { .. } | PeerMessage::Votes(_) => {
                !self.mute.load(Ordering::Relaxed)
            }
            _ => true,
        };
        if speaks { vec![message.clone()] } else { Vec::new() }
    }

    fn hears(&mut self, own: &Own, _from: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        match message {
            PeerMessage::Consensus(message) => self.message(own, message),
            PeerMessage::Proposal { proposal, .. } => self.proposal(own, proposal),
            PeerMessage::Votes(votes) => votes.iter().for_each(|signed| self.signed(own, signed)),
            PeerMessage::Heard { vote: Some(signed), .. } => self.signed(own, signed),
            PeerMessage::Heard { .. } | PeerMessage::Ask { .. } | PeerMessage::Status { .. } => {}
        }
        Vec::new()
    }

    fn committed(&mut self, own: &Own, block: &WireBlock) -> Vec<PeerMessage> {
        let certificate = &block.certificate;
        let vote = Vote {
            height: certificate.height,
            round: certificate.round,
            step: VoteStep::Precommit,
            block: Some(certificate.block),
        };
        for (validator, signature) in &certificate.signatures {
            self.vote(own, &vote, *validator, signature);
        }
        Vec::new()
    }
}
