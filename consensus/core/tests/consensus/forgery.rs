//! Messages that no honest validator sends: each is dropped, and honest traffic goes on.

use chain_types::{BlockHash, ChainId, Digest, Height, Round, Signature, ValidatorId, VoteStep};
use consensus_core::{
    Effect, Input, Message, PolkaCertificate, Proposal, RoundCertificate, RoundCertificateKind,
    RoundVote, SignedProposal, SignedVote, Standing,
};

use crate::lone::{
    HEIGHT, Lone, block, precommit, prevote, proposal, signed_proposal, signed_vote, skip, verdict,
};
use crate::world::{chain_id, key_of};

/// Feeds a message that must leave no mark.
#[track_caller]
fn dropped(lone: &mut Lone, message: Message) {
    let round = lone.consensus.round();
    assert_eq!(lone.feed(Input::Message(message)), []);
    assert_eq!(lone.consensus.round(), round);
    assert!(!lone.consensus.is_decided());
}

/// An honest height after the attack: it decides, and the log it left restores it.
fn goes_on(lone: &mut Lone) {
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    for index in [1, 2, 3] {
        lone.feed(prevote(index, 0, Some(block(7))));
    }
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, Some(block(7))));
    }
    assert!(lone.consensus.is_decided());
    let evidence = |effect: &Effect| matches!(effect, Effect::Evidence(_));
    assert!(!lone.effects.iter().any(evidence), "a forgery became evidence");
    assert_eq!(lone.consensus.take_troubles(), Vec::<String>::new());
}

#[test]
fn forged_votes_make_no_quorum() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    lone.sent.clear();
    for index in [1, 2, 3] {
        let honest = signed_vote(index, HEIGHT, 0, VoteStep::Prevote, Some(block(7)));
        // Signed by another's key, by nobody, on another chain, and with each bit turned.
        let stolen = signed_vote(0, HEIGHT, 0, VoteStep::Prevote, Some(block(7))).signature;
        dropped(&mut lone, Message::Vote(SignedVote { signature: stolen, ..honest }));
        let nobody = SignedVote { signature: Signature::from_bytes([0; 64]), ..honest };
        dropped(&mut lone, Message::Vote(nobody));
        let elsewhere =
            key_of(index).sign(&honest.vote.digest(ChainId::new(Digest::from_bytes([9; 32]))));
        dropped(&mut lone, Message::Vote(SignedVote { signature: elsewhere, ..honest }));
        for bit in 0..512 {
            let mut turned = honest.signature.bytes();
            turned[bit / 8] ^= 1 << (bit % 8);
            let signature = Signature::from_bytes(turned);
            dropped(&mut lone, Message::Vote(SignedVote { signature, ..honest }));
        }
        // A prevote's signature under a precommit, another block, another round.
        let mut moved = honest;
        moved.vote.step = VoteStep::Precommit;
        dropped(&mut lone, Message::Vote(moved));
        let mut moved = honest;
        moved.vote.block = Some(block(8));
        dropped(&mut lone, Message::Vote(moved));
        let mut moved = honest;
        moved.vote.round = Round::new(1);
        dropped(&mut lone, Message::Vote(moved));
    }
    assert_eq!(lone.sent, []);
    goes_on(&mut lone);
}

#[test]
fn strangers_have_no_vote() {
    let mut lone = Lone::new(0);
    for index in 4..40 {
        let vote = signed_vote(index, HEIGHT, 0, VoteStep::Precommit, Some(block(7)));
        dropped(&mut lone, Message::Vote(vote));
        dropped(&mut lone, Message::Proposal(signed_proposal(index, HEIGHT, 0, block(7))));
        let next = signed_vote(index, Height::new(2), 0, VoteStep::Prevote, None);
        dropped(&mut lone, Message::Vote(next));
    }
    assert!(!lone.consensus.next_height_has_begun());
    goes_on(&mut lone);
}

#[test]
fn forged_messages_of_the_next_height_do_not_wait() {
    let mut lone = Lone::new(0);
    let mut vote = signed_vote(1, Height::new(2), 0, VoteStep::Prevote, None);
    vote.validator = ValidatorId::new(2);
    dropped(&mut lone, Message::Vote(vote));
    let mut early = signed_proposal(2, Height::new(2), 0, block(7));
    early.proposal.block = block(8);
    dropped(&mut lone, Message::Proposal(early));
    assert!(!lone.consensus.next_height_has_begun());
    goes_on(&mut lone);
}

#[test]
fn only_the_proposer_proposes_and_only_in_its_own_name() {
    let mut lone = Lone::new(0);
    for index in [0, 2, 3] {
        dropped(&mut lone, Message::Proposal(signed_proposal(index, HEIGHT, 0, block(6))));
    }
    let mut stolen = signed_proposal(2, HEIGHT, 0, block(6));
    stolen.proposal.proposer = ValidatorId::new(1);
    dropped(&mut lone, Message::Proposal(stolen));
    let mut elsewhere = signed_proposal(1, HEIGHT, 0, block(6));
    let digest = elsewhere.proposal.digest(ChainId::new(Digest::from_bytes([9; 32])));
    elsewhere.signature = key_of(1).sign(&digest);
    dropped(&mut lone, Message::Proposal(elsewhere));
    let mut changed = signed_proposal(1, HEIGHT, 0, block(6));
    changed.proposal.valid_round = Some(Round::new(0));
    dropped(&mut lone, Message::Proposal(changed));
    goes_on(&mut lone);
}

#[test]
fn a_proposal_cannot_cite_its_own_or_a_later_round() {
    let mut lone = Lone::new(0);
    for cited in [0, 1, u32::MAX] {
        let proposal = Proposal {
            height: HEIGHT,
            round: Round::new(0),
            block: block(6),
            valid_round: Some(Round::new(cited)),
            proposer: ValidatorId::new(1),
        };
        let signature = key_of(1).sign(&proposal.digest(chain_id()));
        dropped(&mut lone, Message::Proposal(SignedProposal { proposal, signature }));
    }
    goes_on(&mut lone);
}

#[test]
fn rounds_far_ahead_are_out_of_reach_of_one_validator() {
    let mut lone = Lone::new(0);
    for round in [11, 1_000, u32::MAX] {
        let vote = signed_vote(3, HEIGHT, round, VoteStep::Prevote, None);
        dropped(&mut lone, Message::Vote(vote));
    }
    goes_on(&mut lone);
}

fn polka(signers: &[usize], block: BlockHash) -> PolkaCertificate {
    let signature = |index: &usize| {
        let vote = signed_vote(*index, HEIGHT, 0, VoteStep::Prevote, Some(block));
        (vote.validator, vote.signature)
    };
    let signatures = signers.iter().map(signature).collect();
    PolkaCertificate { height: HEIGHT, round: Round::new(0), block, signatures }
}

#[test]
fn a_polka_certificate_is_a_quorum_of_distinct_true_prevotes() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    lone.sent.clear();
    for signers in [&[][..], &[1], &[1, 2], &[1, 2, 2], &[1, 1, 1, 1], &[1, 2, 5], &[4, 5, 6]] {
        dropped(&mut lone, Message::PolkaCertificate(polka(signers, block(7))));
    }
    let mut forged = polka(&[1, 2, 3], block(7));
    forged.signatures[2].1 = forged.signatures[1].1;
    dropped(&mut lone, Message::PolkaCertificate(forged));
    let mut moved = polka(&[1, 2, 3], block(7));
    moved.block = block(8);
    dropped(&mut lone, Message::PolkaCertificate(moved));
    let mut later = polka(&[1, 2, 3], block(7));
    later.height = Height::new(2);
    dropped(&mut lone, Message::PolkaCertificate(later));
    let mut long = polka(&[1, 2, 3], block(7));
    long.signatures = vec![long.signatures[0]; 10_000];
    dropped(&mut lone, Message::PolkaCertificate(long));
    assert_eq!(lone.sent, []);
    // The true one makes us precommit.
    lone.feed(Input::Message(Message::PolkaCertificate(polka(&[1, 2, 3], block(7)))));
    assert_eq!(lone.sent_vote(VoteStep::Precommit, 0), Some(Some(block(7))));
}

fn rounds(
    kind: RoundCertificateKind,
    step: VoteStep,
    round: u32,
    signers: &[usize],
) -> RoundCertificate {
    let vote = |index: &usize| {
        let signed = signed_vote(*index, HEIGHT, round, step, None);
        let (validator, signature) = (signed.validator, signed.signature);
        RoundVote { step, block: None, validator, signature }
    };
    let votes = signers.iter().map(vote).collect();
    RoundCertificate { height: HEIGHT, round: Round::new(round), kind, votes }
}

#[test]
fn a_round_certificate_needs_its_power_and_its_kind_of_votes() {
    use RoundCertificateKind::{Precommit, Skip};
    let mut lone = Lone::new(0);
    let bad = [
        rounds(Skip, VoteStep::Prevote, 5, &[]),
        rounds(Skip, VoteStep::Prevote, 5, &[1]),
        rounds(Skip, VoteStep::Prevote, 5, &[1, 1]),
        rounds(Skip, VoteStep::Prevote, 5, &[4, 5, 6]),
        rounds(Precommit, VoteStep::Precommit, 5, &[1, 2]),
        rounds(Precommit, VoteStep::Precommit, 5, &[1, 2, 2]),
        rounds(Precommit, VoteStep::Prevote, 5, &[1, 2, 3]),
    ];
    for certificate in bad {
        dropped(&mut lone, Message::RoundCertificate(certificate));
    }
    let mut forged = rounds(Skip, VoteStep::Prevote, 5, &[1, 2]);
    forged.votes[1].signature = forged.votes[0].signature;
    dropped(&mut lone, Message::RoundCertificate(forged));
    let mut moved = rounds(Skip, VoteStep::Prevote, 5, &[1, 2]);
    moved.round = Round::new(6);
    dropped(&mut lone, Message::RoundCertificate(moved));
    // The true ones lead to their rounds.
    let skip = rounds(Skip, VoteStep::Prevote, 5, &[1, 2]);
    lone.feed(Input::Message(Message::RoundCertificate(skip)));
    assert_eq!(lone.consensus.round(), Some(Round::new(5)));
}

#[test]
fn our_own_name_can_be_forged_by_nobody() {
    let mut lone = Lone::new(0);
    let mut vote = signed_vote(1, HEIGHT, 0, VoteStep::Prevote, Some(block(6)));
    vote.validator = ValidatorId::new(0);
    dropped(&mut lone, Message::Vote(vote));
    goes_on(&mut lone);
}

#[test]
fn our_own_stolen_key_puts_no_words_in_our_log() {
    let mut lone = Lone::new(0);
    for step in [VoteStep::Prevote, VoteStep::Precommit] {
        dropped(&mut lone, Message::Vote(signed_vote(0, HEIGHT, 0, step, Some(block(6)))));
        dropped(&mut lone, Message::Vote(signed_vote(0, Height::new(2), 0, step, Some(block(6)))));
    }
    dropped(&mut lone, Message::Proposal(signed_proposal(0, HEIGHT, 3, block(6))));
    assert!(!lone.consensus.next_height_has_begun());
    goes_on(&mut lone);
    let after = Lone::restarted(0, lone.log, lone.guard);
    assert_eq!(after.consensus.standing(), Standing::Voting);
}

#[test]
fn blocks_of_forged_proposals_leave_room_for_the_true_one() {
    let mut lone = Lone::new(0);
    // Someone makes us execute blocks that validator 1 never proposed.
    for byte in 50..60 {
        let mut forged = signed_proposal(2, HEIGHT, 0, block(byte));
        forged.proposal.proposer = ValidatorId::new(1);
        dropped(&mut lone, Message::Proposal(forged));
        assert_eq!(lone.feed(verdict(1, 0, block(byte), byte % 2 == 0)), []);
    }
    goes_on(&mut lone);
}

#[test]
fn verdicts_on_our_own_turn_do_not_disturb_our_proposal() {
    let mut lone = Lone::new(0);
    for byte in 50..60 {
        assert_eq!(lone.feed(verdict(0, 3, block(byte), false)), []);
    }
    lone.feed(Input::Message(skip(3, None)));
    lone.feed(Input::Propose { height: HEIGHT, round: Round::new(3), block: block(7) });
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 3), Some(Some(block(7))));
    let after = Lone::restarted(0, lone.log.clone(), lone.guard.clone());
    assert_eq!(after.consensus.standing(), Standing::Voting);
    assert_eq!(after.sent_vote(VoteStep::Prevote, 3), Some(Some(block(7))));
}
