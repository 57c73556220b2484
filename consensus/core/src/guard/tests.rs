#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([3; 32]));

fn guard() -> Guard {
    Guard::open(CHAIN, ValidatorId::new(2), None).unwrap()
}

fn vote(height: u64, round: u32, step: VoteStep, byte: Option<u8>) -> Signing {
    let block = byte.map(|byte| BlockHash::new(Digest::from_bytes([byte; 32])));
    let vote = Vote { height: Height::new(height), round: Round::new(round), step, block };
    Signing::of_vote(&vote, CHAIN)
}

fn proposal(height: u64, round: u32, byte: u8, valid_round: Option<u32>) -> Signing {
    let proposal = Proposal {
        height: Height::new(height),
        round: Round::new(round),
        block: BlockHash::new(Digest::from_bytes([byte; 32])),
        valid_round: valid_round.map(Round::new),
        proposer: ValidatorId::new(2),
    };
    Signing::of_proposal(&proposal, CHAIN)
}

#[test]
fn one_value_a_place_and_never_backwards() {
    use VoteStep::{Precommit, Prevote};
    // What is asked for, in order, and whether it may be signed.
    let table = [
        (vote(5, 1, Prevote, Some(1)), true),
        (vote(5, 1, Prevote, Some(1)), true),
        (vote(5, 1, Prevote, Some(2)), false),
        (vote(5, 1, Prevote, None), false),
        (vote(5, 0, Prevote, Some(1)), false),
        (vote(4, 9, Prevote, Some(1)), false),
        (vote(5, 1, Precommit, None), true),
        (vote(5, 1, Precommit, Some(1)), false),
        (vote(5, 2, Prevote, None), true),
        (vote(5, 1, Prevote, Some(1)), false),
        (vote(6, 0, Prevote, Some(3)), true),
        (proposal(6, 0, 1, None), true),
        (proposal(6, 0, 1, Some(0)), false),
        (proposal(6, 0, 2, None), false),
        (proposal(6, 0, 1, None), true),
        (proposal(6, 1, 2, Some(0)), true),
    ];
    let mut guard = guard();
    for (row, (signing, allowed)) in table.iter().enumerate() {
        assert_eq!(guard.admit(signing), *allowed, "row {row}");
    }
}

#[test]
fn a_restart_forgets_nothing() {
    let mut before = guard();
    assert!(before.admit(&vote(5, 1, VoteStep::Precommit, Some(1))));
    assert!(before.admit(&vote(5, 2, VoteStep::Precommit, None)));
    let bytes = before.take_changed().unwrap();
    assert_eq!(before.take_changed(), None, "nothing has changed since");
    let mut after = Guard::open(CHAIN, ValidatorId::new(2), Some(&bytes)).unwrap();
    assert!(!after.admit(&vote(5, 2, VoteStep::Precommit, Some(1))));
    assert!(after.admit(&vote(5, 2, VoteStep::Precommit, None)));
    assert!(!after.has_changed());
    // The vote for none has not unlocked the block.
    let block = BlockHash::new(Digest::from_bytes([1; 32]));
    let lock = Lock { height: Height::new(5), round: Round::new(1), block };
    assert_eq!(after.lock_at(Height::new(5)), Some(lock));
    assert_eq!(after.lock_at(Height::new(6)), None);
}

#[test]
fn prevotes_lock_nothing() {
    let mut guard = guard();
    assert!(guard.admit(&vote(5, 1, VoteStep::Prevote, Some(1))));
    assert_eq!(guard.lock_at(Height::new(5)), None);
}

#[test]
fn the_bytes_are_frozen() {
    let mut guard = guard();
    let prevote = vote(5, 1, VoteStep::Prevote, Some(1));
    let precommit = vote(5, 1, VoteStep::Precommit, Some(1));
    assert!(guard.admit(&prevote) && guard.admit(&precommit));
    let place = [&5_u64.to_le_bytes()[..], &1_u32.to_le_bytes()].concat();
    let mut expected = vec![1]; // version
    expected.extend([3; 32]); // chain
    expected.extend(2_u32.to_le_bytes()); // validator
    expected.push(0); // no proposal
    for signing in [&prevote, &precommit] {
        expected.push(1);
        expected.extend(&place);
        expected.extend(signing.digest.bytes());
    }
    expected.push(1); // a lock
    expected.extend(&place);
    expected.extend([1; 32]);
    assert_eq!(guard.take_changed(), Some(expected));
}

#[test]
fn every_cut_and_every_other_version_is_refused() {
    let mut guard = guard();
    assert!(guard.admit(&proposal(6, 0, 1, None)));
    let bytes = guard.take_changed().unwrap();
    for length in 0..bytes.len() {
        assert!(Guard::open(CHAIN, ValidatorId::new(2), Some(&bytes[..length])).is_err());
    }
    let mut other = bytes;
    other[0] = 2;
    assert!(Guard::open(CHAIN, ValidatorId::new(2), Some(&other)).is_err());
}
