//! One validator at a time, its peers played by hand: turns, verdicts, equivocation, heights.

use chain_types::{Height, Parameters, Round, ValidatorId, VoteStep};
use consensus_core::{
    Consensus, ConsensusFault, Effect, Equivocation, Input, Message, Standing, Timeout,
    TimeoutKind, Timeouts,
};

use crate::lone::{
    HEIGHT, Lone, block, precommit, prevote, proposal, signed_proposal, signed_vote, start, verdict,
};
use crate::world::{chain_id, key_of, validators};

#[test]
fn a_follower_that_learns_who_it_is_votes_from_the_next_height_on() {
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus = Consensus::new(chain_id(), None, timeouts, None).unwrap();
    consensus.handle(start(Height::new(1), validators(4)));
    let of_another = Lone::precommitted().guard.unwrap();
    let refused = consensus.identify(ValidatorId::new(1), key_of(1), Some(&of_another));
    assert!(matches!(refused, Err(ConsensusFault::GuardOfAnotherValidator { .. })));
    consensus.handle(start(Height::new(2), validators(4)));
    assert_eq!(consensus.standing(), Standing::Following);
    consensus.identify(ValidatorId::new(1), key_of(1), None).unwrap();
    assert_eq!(consensus.standing(), Standing::Following, "height 2 began without it");
    consensus.handle(start(Height::new(3), validators(4)));
    assert_eq!(consensus.standing(), Standing::Voting);
}

#[test]
fn a_block_is_prevoted_only_after_its_verdict_in_either_order() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), None);
    lone.feed(verdict(1, 0, block(7), true));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), Some(Some(block(7))));

    let mut lone = Lone::new(0);
    lone.feed(verdict(1, 0, block(7), true));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), None);
    lone.feed(proposal(1, 0, block(7)));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), Some(Some(block(7))));

    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), false));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 0), Some(None));
}

#[test]
fn a_block_without_verdict_is_not_decided_however_many_precommit_it() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, Some(block(7))));
    }
    assert!(!lone.consensus.is_decided());
    lone.feed(verdict(1, 0, block(7), true));
    assert!(lone.consensus.is_decided());
}

#[test]
fn an_equivocating_voter_is_reported_with_both_votes() {
    let expected = Equivocation::Votes {
        first: signed_vote(3, HEIGHT, 0, VoteStep::Prevote, Some(block(7))),
        second: signed_vote(3, HEIGHT, 0, VoteStep::Prevote, Some(block(8))),
    };
    assert_eq!(expected.validator(), ValidatorId::new(3));
    // When the height is decided here, and when its block comes by other means.
    for decides in [true, false] {
        let mut lone = Lone::new(0);
        lone.feed(prevote(3, 0, Some(block(7))));
        lone.feed(prevote(3, 0, Some(block(8))));
        if decides {
            lone.feed(proposal(1, 0, block(7)));
            lone.feed(verdict(1, 0, block(7), true));
            for index in [1, 2, 3] {
                lone.feed(precommit(index, 0, Some(block(7))));
            }
            assert!(lone.consensus.is_decided());
        }
        lone.feed(start(Height::new(2), validators(4)));
        let found: Vec<_> = lone
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Evidence(equivocation) => Some(equivocation.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(found, std::slice::from_ref(&expected));
    }
}

#[test]
fn an_equivocating_proposer_is_reported_with_both_proposals() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(proposal(1, 0, block(8)));
    lone.feed(start(Height::new(2), validators(4)));
    let expected = Equivocation::Proposals {
        first: signed_proposal(1, HEIGHT, 0, block(7)),
        second: signed_proposal(1, HEIGHT, 0, block(8)),
    };
    assert!(lone.effects.contains(&Effect::Evidence(expected)));
}

#[test]
fn messages_of_the_next_height_wait_and_those_beyond_do_not() {
    let next = Height::new(2);
    let send = |lone: &mut Lone, index, height, step| {
        let vote = signed_vote(index, height, 0, step, Some(block(7)));
        lone.feed(Input::Message(Message::Vote(vote)));
    };
    let mut lone = Lone::new(0);
    for index in [1, 3] {
        send(&mut lone, index, Height::new(3), VoteStep::Prevote);
    }
    lone.consensus.expect_height(next, &validators(4));
    for index in [1, 3] {
        // One validator alone, whatever it says, hurries nobody.
        assert!(!lone.consensus.next_height_has_begun());
        send(&mut lone, index, next, VoteStep::Prevote);
        send(&mut lone, index, next, VoteStep::Precommit);
    }
    // At height 2 the turns are 2, 3, 0, 1.
    let early = signed_proposal(2, next, 0, block(7));
    lone.feed(Input::Message(Message::Proposal(early)));
    send(&mut lone, 2, next, VoteStep::Precommit);
    assert!(lone.consensus.next_height_has_begun());
    lone.feed(start(next, validators(4)));
    assert!(!lone.consensus.next_height_has_begun());
    lone.feed(Input::Verdict {
        height: next,
        round: Round::new(0),
        proposer: ValidatorId::new(2),
        valid_round: None,
        block: block(7),
        valid: true,
    });
    assert!(lone.consensus.is_decided(), "the waiting votes were lost");
}

#[test]
fn a_flood_of_later_messages_is_bounded_a_validator() {
    let next = Height::new(2);
    let vote = |index, step, byte| {
        Input::Message(Message::Vote(signed_vote(index, next, 0, step, Some(block(byte)))))
    };
    let mut lone = Lone::new(0);
    // Validator 3 floods with prevotes, so that its precommit finds no room; the others' do.
    for byte in 0..200 {
        lone.feed(vote(3, VoteStep::Prevote, byte));
    }
    for index in [1, 2, 3] {
        lone.feed(vote(index, VoteStep::Precommit, 7));
    }
    lone.feed(Input::Message(Message::Proposal(signed_proposal(2, next, 0, block(7)))));
    lone.feed(start(next, validators(4)));
    lone.feed(Input::Verdict {
        height: next,
        round: Round::new(0),
        proposer: ValidatorId::new(2),
        valid_round: None,
        block: block(7),
        valid: true,
    });
    assert!(!lone.consensus.is_decided(), "the flood was kept");
    lone.feed(vote(3, VoteStep::Precommit, 7));
    assert!(lone.consensus.is_decided());
}

#[test]
fn inputs_of_other_heights_do_nothing() {
    let mut lone = Lone::new(0);
    let kind = TimeoutKind::Propose;
    let other = Timeout { height: Height::new(9), round: Round::new(0), kind };
    assert_eq!(lone.feed(Input::Timeout(other)), []);
    let early = Input::Propose { height: Height::new(9), round: Round::new(0), block: block(1) };
    assert_eq!(lone.feed(early), []);
    let late = signed_vote(1, Height::new(0), 0, VoteStep::Prevote, None);
    assert_eq!(lone.feed(Input::Message(Message::Vote(late))), []);
}

#[test]
fn before_the_first_height_everything_is_ignored() {
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus = Consensus::new(chain_id(), None, timeouts, None).unwrap();
    assert_eq!(consensus.handle(prevote(1, 0, None)), []);
    assert_eq!(consensus.handle(verdict(1, 0, block(7), true)), []);
    assert_eq!(consensus.replay(&[vec![1, 2]]), []);
    assert_eq!((consensus.height(), consensus.round()), (None, None));
    assert_eq!(consensus.standing(), Standing::Following);
}

#[test]
fn a_key_that_is_not_the_listed_one_only_follows() {
    let timeouts = Timeouts::from(&Parameters::default());
    let identity = Some((ValidatorId::new(1), key_of(2)));
    let mut consensus = Consensus::new(chain_id(), identity, timeouts, None).unwrap();
    let effects = consensus.handle(start(HEIGHT, validators(4)));
    assert_eq!(consensus.standing(), Standing::Following);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::GetBlock { .. })));
}

#[test]
#[should_panic(expected = "a height never starts twice")]
fn a_height_never_starts_twice() {
    let mut lone = Lone::new(0);
    lone.feed(start(HEIGHT, validators(4)));
}

#[test]
fn a_decided_height_sends_its_last_votes_again_but_takes_no_more() {
    let mut lone = Lone::precommitted();
    lone.feed(precommit(1, 0, Some(block(7))));
    lone.feed(precommit(2, 0, Some(block(7))));
    assert!(lone.consensus.is_decided());
    assert_eq!(lone.feed(precommit(3, 0, Some(block(7)))), []);
    let before = lone.sent.len();
    let timeout = Timeout { height: HEIGHT, round: Round::new(0), kind: TimeoutKind::Rebroadcast };
    lone.feed(Input::Timeout(timeout));
    assert_eq!(lone.sent.len(), before + 2);
}

#[test]
fn a_certificate_with_our_precommit_in_it_waits_for_the_guard() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    // With two precommits there already, our own decides before it is sent.
    lone.feed(precommit(1, 0, Some(block(7))));
    lone.feed(precommit(2, 0, Some(block(7))));
    lone.feed(prevote(1, 0, Some(block(7))));
    let effects = lone.feed(prevote(2, 0, Some(block(7))));
    let at = |wanted: fn(&Effect) -> bool| effects.iter().position(wanted).unwrap();
    let decided = at(|effect| matches!(effect, Effect::Decided { .. }));
    assert!(at(|effect| matches!(effect, Effect::Persist(_))) < decided);
    assert!(at(|effect| matches!(effect, Effect::Guard(_))) < decided);
    assert!(at(|effect| matches!(effect, Effect::Send(_))) > decided, "our vote still leaves");
}

#[test]
fn a_locked_validator_prevotes_another_block_only_after_a_later_polka() {
    let mut lone = Lone::precommitted();
    let timeout =
        |round, kind| Input::Timeout(Timeout { height: HEIGHT, round: Round::new(round), kind });
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, None));
    }
    lone.feed(timeout(0, TimeoutKind::Precommit));
    // In round 1 validator 2 proposes something new: we are locked.
    lone.feed(proposal(2, 1, block(9)));
    lone.feed(verdict(2, 1, block(9), true));
    assert_eq!(lone.sent_vote(VoteStep::Prevote, 1), Some(None));
    // A quorum prevotes it all the same: our lock moves.
    for index in [1, 2, 3] {
        lone.feed(prevote(index, 1, Some(block(9))));
    }
    assert_eq!(lone.sent_vote(VoteStep::Precommit, 1), Some(Some(block(9))));
    // And a restart remembers the later lock.
    let after = Lone::restarted(0, lone.log.clone(), lone.guard.clone());
    assert_eq!(after.consensus.standing(), Standing::Voting);
    assert_eq!(after.consensus.round(), Some(Round::new(1)));
    assert_eq!(after.sent_vote(VoteStep::Precommit, 1), Some(Some(block(9))));
}

#[test]
fn it_may_move_between_threads() {
    fn moves<T: Send>() {}
    moves::<Consensus>();
}
