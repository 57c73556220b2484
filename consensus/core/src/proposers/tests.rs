#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_types::{BlockHash, ChainId, Digest, PublicKey, TimeMs, Validator, WindowId, codec};

use super::*;

const PENALTY: u64 = 10;

fn set(count: u32) -> ValidatorSet {
    let validator =
        |id| Validator { id: ValidatorId(id), public_key: PublicKey([id as u8; 32]), power: 1 };
    ValidatorSet::new((0..count).map(validator).collect())
}

fn header(height: u64, round: u32, proposer: ValidatorId) -> BlockHeader {
    BlockHeader {
        protocol_version: 1,
        chain_id: ChainId::default(),
        height: Height(height),
        round: Round(round),
        proposer,
        time: TimeMs(0),
        window: WindowId(0),
        parent: BlockHash::default(),
        batch_count: 0,
        batches_root: Digest::ZERO,
        results_root: Digest::ZERO,
        state_digest: Digest::ZERO,
        validators_hash: Digest::ZERO,
        next_validators_hash: Digest::ZERO,
        parameters_hash: Digest::ZERO,
        party_count: 0,
        parties_root: Digest::ZERO,
        record_count: 0,
        records_root: Digest::ZERO,
    }
}

/// Decides heights one to `heights` with these validators dead; how many rounds failed.
fn failed_rounds(count: u32, dead: &[u32], heights: u64) -> u32 {
    let validators = set(count);
    let mut proposers = Proposers::new();
    let mut failed = 0;
    for height in 1..=heights {
        let mut round = 0;
        let proposer = loop {
            let proposer = proposers.proposer(&validators, Height(height), Round(round));
            if !dead.contains(&proposer.0) {
                break proposer;
            }
            round += 1;
            assert!(round < count, "height {height} never finds a living proposer");
        };
        failed += round;
        proposers.note(&header(height, round, proposer), &validators, PENALTY);
    }
    failed
}

#[test]
fn turns_go_round() {
    let validators = set(4);
    let proposers = Proposers::new();
    for height in 0..20 {
        for round in 0..20 {
            let proposer = proposers.proposer(&validators, Height(height), Round(round));
            assert_eq!(u64::from(proposer.0), (height + u64::from(round)) % 4);
        }
    }
}

#[test]
fn a_failed_turn_costs_the_penalty_and_a_success_forgives() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    // At height 5 it is validator 1's turn, then 2's.
    proposers.note(&header(5, 1, ValidatorId(2)), &validators, PENALTY);
    for height in 6..=15 {
        assert!(proposers.is_passed_over(ValidatorId(1), Height(height)));
        assert_ne!(proposers.proposer(&validators, Height(height), Round(0)), ValidatorId(1));
    }
    assert!(!proposers.is_passed_over(ValidatorId(1), Height(16)));
    let passed_over = |proposers: &Proposers, height| -> Vec<_> {
        proposers.passed_over(Height(height)).collect()
    };
    assert_eq!(passed_over(&proposers, 15), [(ValidatorId(1), Height(15))]);
    assert_eq!(passed_over(&proposers, 16), []);
    proposers.note(&header(6, 3, ValidatorId(1)), &validators, PENALTY);
    assert!(!proposers.is_passed_over(ValidatorId(1), Height(7)));
}

#[test]
fn a_dead_validator_costs_one_round_in_each_penalty() {
    // Its turn comes up to three heights after the penalty ends.
    assert_eq!(failed_rounds(4, &[], 200), 0);
    for dead in 0..4 {
        let failed = failed_rounds(4, &[dead], 200);
        assert!((15..=20).contains(&failed), "validator {dead}: {failed}");
    }
    assert!(failed_rounds(7, &[2, 5], 200) <= 40);
}

#[test]
fn everyone_keeps_a_turn_however_many_are_passed_over() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    proposers.note(&header(1, 3, ValidatorId(0)), &validators, PENALTY);
    for height in 2..=11 {
        assert_eq!(proposers.proposer(&validators, Height(height), Round(0)), ValidatorId(0));
        let mut turns = proposers.order(&validators, Height(height));
        turns.sort();
        assert_eq!(turns, [0, 1, 2, 3].map(ValidatorId));
    }
    // Rounds beyond the last validator begin again, and blame nobody twice.
    proposers.note(&header(12, u32::MAX, ValidatorId(0)), &validators, PENALTY);
    assert!(!proposers.is_passed_over(ValidatorId(0), Height(13)));
    assert!(proposers.is_passed_over(ValidatorId(1), Height(13)));
}

#[test]
fn nobody_is_passed_over_without_a_penalty() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    proposers.note(&header(5, 3, ValidatorId(0)), &validators, 0);
    assert_eq!(proposers, Proposers::new());
}

#[test]
fn the_bytes_are_frozen_and_lead_back() {
    let mut proposers = Proposers::new();
    proposers.note(&header(5, 1, ValidatorId(2)), &set(4), PENALTY);
    let bytes = codec::encode(&proposers);
    let mut expected = 1_u64.to_le_bytes().to_vec();
    expected.extend(1_u32.to_le_bytes());
    expected.extend(15_u64.to_le_bytes());
    assert_eq!(bytes, expected);
    assert_eq!(codec::decode::<Proposers>(&bytes, 1_024).unwrap(), proposers);
}
