//! What a guard and a log bring back, and when a validator must be silent for want of them.

use chain_types::{Digest, Height, Parameters, Round, ValidatorId, VoteStep};
use consensus_core::{
    Consensus, ConsensusFault, Effect, Input, MuteReason, Standing, Timeout, TimeoutKind, Timeouts,
};

use crate::lone::{
    HEIGHT, Lone, block, precommit, prevote, proposal, propose, proposer, signed_vote, skip, start,
    verdict,
};
use crate::world::{chain_id, key_of, validators};

#[test]
fn nothing_signed_leaves_before_it_is_durable() {
    let mut lone = proposer();
    propose(&mut lone, block(7));
    let at = |wanted: fn(&Effect) -> bool| lone.effects.iter().position(wanted).unwrap();
    let persisted = at(|effect| matches!(effect, Effect::Persist(_)));
    let guarded = at(|effect| matches!(effect, Effect::Guard(_)));
    let sent = at(|effect| matches!(effect, Effect::Send(_)));
    assert!(persisted < guarded && guarded < sent);
    assert_eq!(lone.sent.len(), 2, "a proposal and a prevote: {:?}", lone.sent);
}

#[test]
fn the_guard_refuses_a_second_value_with_an_empty_log() {
    let mut first = proposer();
    propose(&mut first, block(7));
    let mut second = Lone::restarted(1, Vec::new(), first.guard.clone());
    assert_eq!(second.consensus.standing(), Standing::Voting);
    propose(&mut second, block(8));
    assert_eq!(second.sent, []);
    assert_eq!(second.guard, first.guard, "the guard has not moved");
    // Not the timeout's vote for none either: a block was prevoted in this round.
    let timeout = Timeout { height: HEIGHT, round: Round::new(0), kind: TimeoutKind::Propose };
    second.feed(Input::Timeout(timeout));
    let again = Timeout { kind: TimeoutKind::Rebroadcast, ..timeout };
    second.feed(Input::Timeout(again));
    assert_eq!(second.sent, []);
}

#[test]
fn the_guard_lets_the_same_value_be_signed_again() {
    let mut first = proposer();
    propose(&mut first, block(7));
    let mut second = Lone::restarted(1, Vec::new(), first.guard.clone());
    propose(&mut second, block(7));
    assert_eq!(second.sent, first.sent, "ed25519 is deterministic");
}

#[test]
fn a_silenced_validator_speaks_again_in_the_next_round() {
    let mut first = proposer();
    propose(&mut first, block(7));
    let mut second = Lone::restarted(1, Vec::new(), first.guard);
    propose(&mut second, block(8));
    for index in [0, 2, 3] {
        second.feed(prevote(index, 0, None));
    }
    for index in [0, 2, 3] {
        second.feed(precommit(index, 0, None));
    }
    let timeout = Timeout { height: HEIGHT, round: Round::new(0), kind: TimeoutKind::Precommit };
    second.feed(Input::Timeout(timeout));
    assert_eq!(second.consensus.round(), Some(Round::new(1)));
    let timeout = Timeout { height: HEIGHT, round: Round::new(1), kind: TimeoutKind::Propose };
    second.feed(Input::Timeout(timeout));
    assert_eq!(second.sent_vote(VoteStep::Prevote, 1), Some(None));
}

#[test]
fn a_log_brings_back_the_lock_and_sends_the_same_votes() {
    let before = Lone::precommitted();
    let after = Lone::restarted(0, before.log.clone(), before.guard.clone());
    assert_eq!(after.consensus.standing(), Standing::Voting);
    assert_eq!(after.sent, before.sent);
    assert_eq!(after.log, before.log, "nothing durable is asked for again");
    assert_eq!(after.guard, before.guard);
}

#[test]
fn a_lost_or_cut_log_silences_a_locked_validator_for_the_height() {
    let before = Lone::precommitted();
    for kept in 0..before.log.len() {
        let log = before.log[..kept].to_vec();
        let mut after = Lone::restarted(0, log, before.guard.clone());
        assert_eq!(after.consensus.standing(), Standing::Mute(MuteReason::LockLost));
        let sent = after.sent.len();
        // Another block in a later round: an amnesiac would vote for it.
        for index in [1, 2, 3] {
            after.feed(precommit(index, 0, None));
        }
        let timeout =
            Timeout { height: HEIGHT, round: Round::new(0), kind: TimeoutKind::Precommit };
        after.feed(Input::Timeout(timeout));
        assert_eq!(after.consensus.round(), Some(Round::new(1)));
        after.feed(proposal(2, 1, block(9)));
        after.feed(verdict(2, 1, block(9), true));
        assert_eq!(after.sent.len(), sent, "a silent validator spoke");
        // It still learns what the others decide, and speaks at the next height.
        for index in [1, 2, 3] {
            after.feed(precommit(index, 1, Some(block(9))));
        }
        assert!(after.consensus.is_decided());
        after.feed(start(Height::new(2), validators(4)));
        assert_eq!(after.consensus.standing(), Standing::Voting);
    }
}

#[test]
fn a_locked_validator_is_silent_until_its_log_is_replayed() {
    let before = Lone::precommitted();
    let identity = Some((ValidatorId::new(0), key_of(0)));
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus =
        Consensus::new(chain_id(), identity, timeouts, before.guard.as_deref()).unwrap();
    consensus.handle(start(HEIGHT, validators(4)));
    assert_eq!(consensus.standing(), Standing::Mute(MuteReason::AwaitingLog));
}

#[test]
fn a_damaged_log_is_read_up_to_the_damage() {
    let mut before = Lone::new(0);
    before.feed(Input::Message(skip(3, None)));
    before.feed(Input::Message(skip(4, None)));
    before.feed(Input::Message(skip(5, None)));
    assert!(before.log.len() >= 3);
    let mut log = before.log.clone();
    log[1] = vec![9, 9, 9];
    let mut after = Lone::restarted(0, log, before.guard);
    assert_eq!(
        after.consensus.round(),
        Some(Round::new(3)),
        "what follows the damage counts for nothing"
    );
    assert_eq!(after.consensus.take_troubles().len(), 1);
}

#[test]
fn a_log_that_leads_to_an_earlier_lock_silences_too() {
    let mut before = Lone::precommitted();
    let to_first_lock = before.log.len();
    before.feed(Input::Message(skip(1, None)));
    before.feed(proposal(2, 1, block(9)));
    before.feed(verdict(2, 1, block(9), true));
    for index in [1, 2, 3] {
        before.feed(prevote(index, 1, Some(block(9))));
    }
    assert_eq!(before.sent_vote(VoteStep::Precommit, 1), Some(Some(block(9))));
    let log = before.log[..to_first_lock].to_vec();
    let after = Lone::restarted(0, log, before.guard);
    assert_eq!(after.consensus.standing(), Standing::Mute(MuteReason::LockLost));
}

#[test]
fn a_replayed_log_asks_for_a_block_only_if_its_round_still_runs() {
    // Round 3 is our own turn.
    let asks = |lone: &Lone| {
        let block = |effect: &&Effect| matches!(effect, Effect::GetBlock { .. });
        lone.effects.iter().filter(block).cloned().collect::<Vec<_>>()
    };
    let wanted = Effect::GetBlock { height: HEIGHT, round: Round::new(3) };
    let mut before = Lone::new(0);
    before.feed(Input::Message(skip(3, None)));
    assert_eq!(asks(&before), std::slice::from_ref(&wanted));
    assert_eq!(asks(&after_replay(&before)), [wanted]);
    before.feed(Input::Message(skip(4, None)));
    assert_eq!(asks(&after_replay(&before)), []);
}

fn after_replay(before: &Lone) -> Lone {
    Lone::restarted(0, before.log.clone(), before.guard.clone())
}

#[test]
fn records_of_other_heights_are_passed_over() {
    let before = Lone::precommitted();
    let identity = Some((ValidatorId::new(0), key_of(0)));
    let timeouts = Timeouts::from(&Parameters::default());
    let mut consensus =
        Consensus::new(chain_id(), identity, timeouts, before.guard.as_deref()).unwrap();
    consensus.handle(start(Height::new(2), validators(4)));
    assert_eq!(consensus.replay(&before.log), []);
    assert_eq!(consensus.standing(), Standing::Voting);
}

#[test]
fn a_guard_that_is_not_ours_is_refused() {
    let guard = Lone::precommitted().guard.unwrap();
    let open = |chain, index: usize, guard: &[u8]| {
        let timeouts = Timeouts::from(&Parameters::default());
        let identity = Some((ValidatorId::new(index as u32), key_of(index)));
        Consensus::new(chain, identity, timeouts, Some(guard)).err()
    };
    assert_eq!(open(chain_id(), 0, &guard), None);
    let another = open(chain_types::ChainId::new(Digest::from_bytes([9; 32])), 0, &guard);
    assert!(matches!(another, Some(ConsensusFault::GuardOfAnotherChain { .. })));
    let another = open(chain_id(), 1, &guard);
    assert!(matches!(another, Some(ConsensusFault::GuardOfAnotherValidator { .. })));
    for cut in 0..guard.len() {
        let cut = open(chain_id(), 0, &guard[..cut]);
        assert!(matches!(cut, Some(ConsensusFault::GuardUnreadable(_))));
    }
    // A follower needs no guard and reads none.
    let timeouts = Timeouts::from(&Parameters::default());
    assert!(Consensus::new(chain_id(), None, timeouts, Some(&[1, 2, 3])).is_ok());
}

/// A log that says "my timeout passed, and I prevoted this block": its first half leads to a vote
/// for none.
fn diverging_log() -> Vec<u8> {
    let own = signed_vote(0, HEIGHT, 0, VoteStep::Prevote, Some(block(7)));
    let mut bytes = vec![1]; // version
    bytes.extend(1_u64.to_le_bytes()); // height
    bytes.extend(2_u64.to_le_bytes()); // two entries
    bytes.extend(3_u32.to_le_bytes()); // a timeout
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes()); // of the proposal
    bytes.extend(0_u32.to_le_bytes()); // a vote
    bytes.extend(chain_types::codec::encode(&own));
    bytes
}

#[test]
fn a_log_that_leads_to_other_votes_silences_the_validator_for_the_height() {
    let mut lone = Lone::restarted(0, vec![diverging_log()], None);
    assert_eq!(lone.consensus.standing(), Standing::Mute(MuteReason::LogDiverged));
    assert_eq!(lone.consensus.take_troubles().len(), 1);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    assert_eq!(lone.sent, []);
    for index in [1, 2, 3] {
        lone.feed(precommit(index, 0, Some(block(7))));
    }
    assert!(lone.consensus.is_decided());
    lone.feed(start(Height::new(2), validators(4)));
    assert_eq!(lone.consensus.standing(), Standing::Voting);
}
