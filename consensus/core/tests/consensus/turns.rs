//! How long a validator waits for whose turn it is.

use chain_types::{Round, ValidatorId};
use consensus_core::{Effect, Input, Timeout, TimeoutKind};

use crate::lone::{HEIGHT, Lone, block, precommit, prevote, proposal};

fn timeout(round: u32, kind: TimeoutKind) -> Timeout {
    Timeout { height: HEIGHT, round: Round::new(round), kind }
}

/// How long the effects say that the timeout is, if it is scheduled.
fn scheduled(effects: &[Effect], wanted: Timeout) -> Option<u64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Schedule { timeout, after_ms } if *timeout == wanted => Some(*after_ms),
        _ => None,
    })
}

#[test]
fn a_round_in_which_nothing_can_be_decided_is_left_at_once() {
    let mut lone = Lone::new(0);
    lone.feed(Input::Timeout(timeout(0, TimeoutKind::Propose)));
    for index in [2, 3] {
        lone.feed(prevote(index, 0, None));
    }
    // With the own one, two for none; a third makes the quorum.
    assert_eq!(
        scheduled(&lone.feed(precommit(2, 0, None)), timeout(0, TimeoutKind::Precommit)),
        None
    );
    let effects = lone.feed(precommit(3, 0, None));
    assert_eq!(scheduled(&effects, timeout(0, TimeoutKind::Precommit)), Some(1));
    lone.feed(Input::Timeout(timeout(0, TimeoutKind::Precommit)));
    assert_eq!(lone.consensus.round(), Some(Round::new(1)));
}

#[test]
fn a_round_that_may_still_decide_is_waited_for() {
    let mut lone = Lone::precommitted();
    lone.feed(precommit(2, 0, None));
    let effects = lone.feed(precommit(3, 0, None));
    // Two of four for none, one for the block: the fourth and one for none again may decide it.
    assert_eq!(scheduled(&effects, timeout(0, TimeoutKind::Precommit)), Some(600));
}

#[test]
fn whose_turn_it_is_is_known_until_it_is_over() {
    let mut lone = Lone::new(0);
    let awaited = Some((timeout(0, TimeoutKind::Propose), ValidatorId::new(1)));
    assert_eq!(lone.consensus.awaited_proposer(), awaited);
    lone.feed(proposal(1, 0, block(7)));
    assert_eq!(lone.consensus.awaited_proposer(), awaited, "its verdict is not known");
    lone.feed(Input::Timeout(timeout(0, TimeoutKind::Propose)));
    assert_eq!(lone.consensus.awaited_proposer(), None);
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, None));
    }
    lone.feed(Input::Timeout(timeout(0, TimeoutKind::Precommit)));
    let next = Some((timeout(1, TimeoutKind::Propose), ValidatorId::new(2)));
    assert_eq!(lone.consensus.awaited_proposer(), next);
}
