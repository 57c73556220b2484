//! Sends as many messages of every kind as it can: forged votes and certificates, proposals that
//! are nobody's, and words that it is further than it can be.

use chain_types::{BlockHash, Height, Round, ValidatorId, Vote, VoteStep};
use consensus_core::{
    Message, PolkaCertificate, Proposal, RoundCertificate, RoundCertificateKind, RoundVote,
    SignedProposal, SignedVote,
};
use node_replica::{Input, PeerMessage};
use rand::Rng as _;

use super::{Scene, Villain};

/// How often it sends.
const EVERY_MS: u64 = 5;
/// How many messages it sends to each then.
const TOGETHER: u32 = 5;

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct Flooder {
    /// A proposal that it has heard, to be changed.
    pattern: Option<PeerMessage>,
}

impl Flooder {
    fn vote(scene: &mut Scene<'_>, height: Height) -> SignedVote {
        let block = Some(BlockHash::new(scene.any_digest()));
        let round = Round::new(scene.random.random_range(0..3));
        let step = VoteStep::Prevote;
        let validator = ValidatorId::new(scene.random.random_range(0..scene.shape.validators));
        let vote = Vote { height, round, step, block };
        SignedVote { vote, validator, signature: scene.forge() }
    }

    fn round_certificate(scene: &mut Scene<'_>, height: Height) -> Message {
        let round = Round::new(scene.random.random_range(0..1_000));
        let vote = |id: u32, scene: &mut Scene<'_>| RoundVote {
            step: VoteStep::Precommit,
            block: None,
            validator: ValidatorId::new(id),
            signature: scene.forge(),
        };
        let votes = (0..scene.shape.validators).map(|id| vote(id, scene)).collect();
        let kind = RoundCertificateKind::Precommit;
        Message::RoundCertificate(RoundCertificate { height, round, kind, votes })
    }

    fn polka(scene: &mut Scene<'_>, height: Height) -> Message {
        let (round, block) = (Round::new(0), BlockHash::new(scene.any_digest()));
        let of = |id: u32, scene: &mut Scene<'_>| (ValidatorId::new(id), scene.forge());
        let signatures = (0..scene.shape.validators).map(|id| of(id, scene)).collect();
        Message::PolkaCertificate(PolkaCertificate { height, round, block, signatures })
    }

    fn proposal(&self, scene: &mut Scene<'_>, height: Height) -> PeerMessage {
        let Some(mut message) = self.pattern.clone() else {
            return PeerMessage::Status { height: Height::new(u64::MAX) };
        };
        if let PeerMessage::Proposal { proposal, block, .. } = &mut message {
            block.header.height = height;
            block.header.state_digest = scene.any_digest();
            let said = Proposal { height, block: block.hash(), ..proposal.proposal };
            *proposal = SignedProposal { proposal: said, signature: scene.forge() };
        }
        message
    }
}

impl Villain for Flooder {
    fn hear(&mut self, _: &mut Scene<'_>, input: Input) -> Option<Input> {
        if let Input::Message { message: message @ PeerMessage::Proposal { .. }, .. } = &input {
            self.pattern = Some(message.clone());
        }
        Some(input)
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        scene.wake_after_ms = Some(EVERY_MS);
        let height = scene.height().plus(u64::from(scene.random.random_bool(0.3)));
        for _ in 0..TOGETHER {
            let message = match scene.random.random_range(0..8) {
                0 => PeerMessage::Consensus(Self::round_certificate(scene, height)),
                1 => PeerMessage::Consensus(Self::polka(scene, height)),
                2 => self.proposal(scene, height),
                3 => PeerMessage::Status { height: Height::new(u64::MAX) },
                _ => PeerMessage::Consensus(Message::Vote(Self::vote(scene, height))),
            };
            scene.tell_all(&message);
        }
    }
}
