//! What a validator says again, what it keeps for the next height, and how it knows its own key.

use chain_types::{Certificate, Height, Round, ValidatorId, VoteStep};
use consensus_core::{Effect, Input, Message, MuteReason, Standing, Timeout, TimeoutKind};

use crate::lone::{
    HEIGHT, Lone, block, precommit, prevote, proposal, signed_proposal, signed_vote, verdict,
};
use crate::world::validators;

fn timeout(round: u32, kind: TimeoutKind) -> Input {
    Input::Timeout(Timeout { height: HEIGHT, round: Round::new(round), kind })
}

/// After how long a timeout of round 0 was last asked for, in milliseconds.
fn scheduled(effects: &[Effect], of: TimeoutKind) -> Option<u64> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Schedule { timeout, after_ms } if timeout.kind == of => Some(*after_ms),
        _ => None,
    })
}

#[test]
fn votes_of_others_are_relayed_with_the_rebroadcast_timer() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    lone.feed(prevote(1, 0, Some(block(7))));
    lone.feed(prevote(3, 0, None));
    let effects = lone.feed(timeout(0, TimeoutKind::Rebroadcast));
    let relayed = vec![
        signed_vote(1, HEIGHT, 0, VoteStep::Prevote, Some(block(7))),
        signed_vote(3, HEIGHT, 0, VoteStep::Prevote, None),
    ];
    assert!(effects.contains(&Effect::Relay(relayed)), "{effects:?}");
}

#[test]
fn a_hidden_lock_is_shown_before_the_round_ends() {
    let mut lone = Lone::precommitted();
    lone.feed(precommit(1, 0, None));
    let effects = lone.feed(precommit(2, 0, None));
    let polka = effects.iter().position(|effect| {
        matches!(effect, Effect::Send(Message::PolkaCertificate(polka)) if polka.block == block(7))
    });
    let shown = effects.iter().position(
        |effect| matches!(effect, Effect::Restream { block: shown, .. } if *shown == block(7)),
    );
    assert!(polka.is_some() && polka < shown, "{effects:?}");
}

#[test]
fn who_saw_prevotes_of_more_than_a_third_waits_for_the_lock_that_may_be_hidden() {
    let mut lone = Lone::new(0);
    lone.feed(timeout(0, TimeoutKind::Propose));
    let base_ms = 600;
    let nil_precommits = |lone: &mut Lone| {
        lone.feed(prevote(3, 0, None));
        lone.feed(timeout(0, TimeoutKind::Prevote));
        lone.feed(precommit(1, 0, None));
        lone.feed(precommit(2, 0, None));
        scheduled(&lone.effects, TimeoutKind::Precommit)
    };
    for index in [1, 2] {
        lone.feed(prevote(index, 0, Some(block(7))));
    }
    assert_eq!(nil_precommits(&mut lone), Some(base_ms), "two of four prevoted a block");

    let mut lone = Lone::new(0);
    lone.feed(timeout(0, TimeoutKind::Propose));
    lone.feed(prevote(1, 0, Some(block(7))));
    lone.feed(prevote(2, 0, None));
    assert_eq!(nil_precommits(&mut lone), Some(1), "nobody can be locked: the round is over");
}

#[test]
fn a_quorum_of_prevotes_is_known_for_its_block_alone() {
    let mut lone = Lone::new(0);
    for index in [1, 2] {
        lone.feed(prevote(index, 0, Some(block(7))));
        assert!(!lone.consensus.has_polka(&block(7)));
    }
    lone.feed(prevote(3, 0, Some(block(7))));
    assert!(lone.consensus.has_polka(&block(7)));
    assert!(!lone.consensus.has_polka(&block(8)));
}

#[test]
fn a_signature_that_the_guard_does_not_account_for_is_noticed() {
    let own = |height, round, step, byte: u8| {
        Message::Vote(signed_vote(0, Height::new(height), round, step, Some(block(byte))))
    };
    let mut forged = signed_vote(0, Height::new(9), 0, VoteStep::Prevote, Some(block(7)));
    forged.signature =
        signed_vote(1, Height::new(9), 0, VoteStep::Prevote, Some(block(7))).signature;
    let rows = [
        ("its own prevote", own(1, 0, VoteStep::Prevote, 7), None),
        ("its own precommit", own(1, 0, VoteStep::Precommit, 7), None),
        ("an earlier vote", own(0, 3, VoteStep::Precommit, 9), None),
        ("another value", own(1, 0, VoteStep::Prevote, 8), Some(1)),
        ("a later round", own(1, 1, VoteStep::Prevote, 7), Some(1)),
        ("a later height", own(9, 0, VoteStep::Precommit, 7), Some(9)),
        ("a proposal", Message::Proposal(signed_proposal(0, Height::new(4), 0, block(7))), Some(4)),
        ("a forged vote", Message::Vote(forged), None),
    ];
    for (what, message, noticed) in rows {
        let mut lone = Lone::precommitted();
        lone.feed(Input::Message(message));
        assert_eq!(lone.consensus.take_foreign_height(), noticed.map(Height::new), "{what}");
        assert_eq!(lone.consensus.take_foreign_height(), None, "it is told once");
    }
}

#[test]
fn an_own_precommit_in_a_certificate_must_be_accounted_for() {
    let lone = Lone::precommitted();
    let certificate = |height, signer: usize| Certificate {
        height: Height::new(height),
        round: Round::new(0),
        block: block(7),
        signatures: vec![(
            ValidatorId::new(signer as u32),
            signed_vote(signer, Height::new(height), 0, VoteStep::Precommit, Some(block(7)))
                .signature,
        )],
    };
    assert!(!lone.consensus.is_foreign_in(&certificate(1, 0)));
    assert!(!lone.consensus.is_foreign_in(&certificate(2, 1)));
    assert!(lone.consensus.is_foreign_in(&certificate(2, 0)));
}

#[test]
fn a_silenced_key_signs_nothing_at_this_height_nor_at_the_next() {
    let mut lone = Lone::new(0);
    lone.consensus.silence();
    for height in [HEIGHT, Height::new(2)] {
        if height != HEIGHT {
            lone.feed(crate::lone::start(height, validators(4)));
        }
        assert_eq!(lone.consensus.standing(), Standing::Mute(MuteReason::KeyElsewhere));
        for kind in [TimeoutKind::Propose, TimeoutKind::Rebroadcast] {
            lone.feed(Input::Timeout(Timeout { height, round: Round::new(0), kind }));
        }
    }
    assert_eq!(lone.sent, []);
}

#[test]
fn the_last_vote_of_a_validator_is_known_also_when_it_comes_late() {
    let mut lone = Lone::precommitted();
    for index in [1, 2] {
        lone.feed(precommit(index, 0, Some(block(7))));
    }
    assert!(lone.consensus.is_decided());
    let late = signed_vote(3, HEIGHT, 0, VoteStep::Precommit, Some(block(7)));
    assert_eq!(lone.consensus.last_vote_of(ValidatorId::new(3)), None);
    lone.feed(Input::Message(Message::Vote(late)));
    assert_eq!(lone.consensus.last_vote_of(ValidatorId::new(3)), Some(late));
    lone.feed(prevote(3, 0, None));
    assert_eq!(
        lone.consensus.last_vote_of(ValidatorId::new(3)),
        Some(late),
        "an earlier one is no news"
    );
    let mut forged = signed_vote(3, HEIGHT, 5, VoteStep::Precommit, None);
    forged.signature = late.signature;
    lone.feed(Input::Message(Message::Vote(forged)));
    assert_eq!(lone.consensus.last_vote_of(ValidatorId::new(3)), Some(late));
}

#[test]
fn what_is_kept_for_the_next_height_must_verify_by_its_validators() {
    let next = Height::new(2);
    let mut lone = Lone::new(0);
    for index in [1, 2, 3] {
        let vote = signed_vote(index, next, 0, VoteStep::Prevote, Some(block(7)));
        lone.feed(Input::Message(Message::Vote(vote)));
    }
    // Governance has removed all but one of those that spoke.
    let removed = chain_types::ValidatorSet::new(vec![
        validators(4).as_slice()[0],
        validators(4).as_slice()[1],
        validators(6).as_slice()[4],
        validators(6).as_slice()[5],
    ]);
    lone.consensus.expect_height(next, &removed);
    assert!(!lone.consensus.next_height_has_begun());
    let vote = signed_vote(4, next, 0, VoteStep::Prevote, Some(block(7)));
    lone.feed(Input::Message(Message::Vote(vote)));
    assert!(lone.consensus.next_height_has_begun());
}
