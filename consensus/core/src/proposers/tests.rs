#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_types::{
    BlockHash, BlockHeader, Equivocation, PublicKey, Signature, SignedVote, Validator, Vote,
    VoteStep, codec,
};

use super::*;

const PENALTY: u64 = 10;

fn set(count: u32) -> ValidatorSet {
    let validator = |id| Validator {
        id: ValidatorId::new(id),
        public_key: PublicKey::from_bytes([id as u8; 32]),
        power: 1,
    };
    ValidatorSet::new((0..count).map(validator).collect())
}

fn block(height: u64, round: u32, parent_round: u32, proposer: ValidatorId) -> Block {
    let header = BlockHeader {
        protocol_version: 1,
        height: Height::new(height),
        round: Round::new(round),
        parent_round: Round::new(parent_round),
        proposer,
        ..BlockHeader::default()
    };
    Block { header, batches: Vec::new(), evidence: Vec::new() }
}

/// Decides heights one to `heights` with these validators dead; how many rounds failed.
fn failed_rounds(count: u32, dead: &[u32], heights: u64) -> u32 {
    let validators = set(count);
    let mut proposers = Proposers::new();
    let mut failed = 0;
    let mut parent_round = 0;
    for height in 1..=heights {
        let mut round = 0;
        let proposer = loop {
            let proposer = proposers.proposer(&validators, Height::new(height), Round::new(round));
            if !dead.contains(&proposer.get()) {
                break proposer;
            }
            round += 1;
            assert!(round < count, "height {height} never finds a living proposer");
        };
        failed += round;
        let block = block(height, round, parent_round, proposer);
        proposers.note(&block, &validators, PENALTY);
        parent_round = round;
    }
    failed
}

#[test]
fn turns_go_round() {
    let validators = set(4);
    let proposers = Proposers::new();
    for height in 0..20 {
        for round in 0..20 {
            let proposer = proposers.proposer(&validators, Height::new(height), Round::new(round));
            assert_eq!(u64::from(proposer.get()), (height + u64::from(round)) % 4);
        }
    }
}

/// Returns the validators that are passed over at the height after these (height, round, parent
/// round), block by block.
fn passed_over_after(blocks: &[(u64, u32, u32)]) -> Vec<u32> {
    let validators = set(4);
    let mut proposers = Proposers::new();
    let mut next = Height::new(0);
    for (height, round, parent_round) in blocks {
        let proposer = proposers.proposer(&validators, Height::new(*height), Round::new(*round));
        let block = block(*height, *round, *parent_round, proposer);
        proposers.note(&block, &validators, PENALTY);
        next = block.header.height.next();
    }
    (0..4).filter(|id| proposers.is_passed_over(ValidatorId::new(*id), next)).collect()
}

/// At height 4 the turns are 0, 1, 2, 3; each height later they begin with one later.
#[test]
fn whose_turn_decided_nothing_is_passed_over() {
    type Row = (&'static str, &'static [(u64, u32, u32)], &'static [u32]);
    let rows: [Row; 12] = [
        ("all in their first rounds", &[(4, 0, 0), (5, 0, 0)], &[]),
        ("the first turn failed", &[(4, 1, 0)], &[0]),
        ("its round is not judged before the next header", &[(4, 0, 0)], &[]),
        ("a hidden lock: proposed in round 0, decided in round 1", &[(4, 0, 0), (5, 0, 1)], &[0]),
        ("proposed in round 1, decided in round 2", &[(4, 1, 0), (5, 0, 2)], &[0, 1]),
        ("proposed in round 0, decided in round 3", &[(4, 0, 0), (5, 0, 3)], &[0, 1, 2]),
        ("decided after everybody's turn, in the first's", &[(4, 0, 0), (5, 0, 4)], &[1, 2, 3]),
        ("a hidden lock, and then a failed turn", &[(4, 0, 0), (5, 1, 1)], &[0, 1]),
        ("a success forgives once it is known", &[(4, 2, 0), (5, 2, 2), (6, 0, 2)], &[0, 2, 3]),
        ("a proposal without a decision does not", &[(4, 1, 0), (5, 3, 1), (6, 0, 4)], &[0, 1, 2]),
        ("a gap in the heights judges nobody", &[(4, 0, 0), (6, 0, 1)], &[]),
        ("a parent's round before its proposal does not forgive", &[(4, 2, 0), (5, 0, 1)], &[0, 1]),
    ];
    for (what, blocks, passed_over) in rows {
        assert_eq!(passed_over_after(blocks), passed_over, "{what}");
    }
}

#[test]
fn who_hides_locks_is_passed_over_and_everybody_else_goes_on() {
    let (villain, validators) = (ValidatorId::new(1), set(4));
    let mut proposers = Proposers::new();
    let mut parent_round = 0;
    let mut hidden = 0;
    for height in 1..=200 {
        let proposer = proposers.proposer(&validators, Height::new(height), Round::new(0));
        proposers.note(&block(height, 0, parent_round, proposer), &validators, PENALTY);
        parent_round = u32::from(proposer == villain);
        hidden += parent_round;
    }
    assert!((10..=20).contains(&hidden), "{hidden} of 200 heights waited for a second round");
}

#[test]
fn a_failed_turn_costs_the_penalty_and_a_success_forgives() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    // At height 5 it is validator 1's turn, then 2's.
    proposers.note(&block(5, 1, 0, ValidatorId::new(2)), &validators, PENALTY);
    for height in 6..=15 {
        assert!(proposers.is_passed_over(ValidatorId::new(1), Height::new(height)));
        assert_ne!(
            proposers.proposer(&validators, Height::new(height), Round::new(0)),
            ValidatorId::new(1)
        );
    }
    assert!(!proposers.is_passed_over(ValidatorId::new(1), Height::new(16)));
    let passed_over = |proposers: &Proposers, height| -> Vec<_> {
        proposers.passed_over(Height::new(height)).collect()
    };
    assert_eq!(passed_over(&proposers, 15), [(ValidatorId::new(1), Height::new(15))]);
    assert_eq!(passed_over(&proposers, 16), []);
    proposers.note(&block(6, 3, 1, ValidatorId::new(1)), &validators, PENALTY);
    assert!(
        proposers.is_passed_over(ValidatorId::new(1), Height::new(7)),
        "its round is not known yet"
    );
    proposers.note(&block(7, 0, 3, ValidatorId::new(1)), &validators, PENALTY);
    assert!(!proposers.is_passed_over(ValidatorId::new(1), Height::new(8)));
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
    proposers.note(&block(1, 3, 0, ValidatorId::new(0)), &validators, PENALTY);
    for height in 2..=11 {
        assert_eq!(
            proposers.proposer(&validators, Height::new(height), Round::new(0)),
            ValidatorId::new(0)
        );
        let mut turns = proposers.order(&validators, Height::new(height));
        turns.sort();
        assert_eq!(turns, [0, 1, 2, 3].map(ValidatorId::new));
    }
    // Rounds beyond the last validator begin again, and blame nobody twice.
    proposers.note(&block(12, u32::MAX, 0, ValidatorId::new(0)), &validators, PENALTY);
    proposers.note(&block(13, 0, u32::MAX, ValidatorId::new(0)), &validators, PENALTY);
    let passed_over =
        (0..4).filter(|id| proposers.is_passed_over(ValidatorId::new(*id), Height::new(14)));
    assert_eq!(passed_over.count(), 3);
}

#[test]
fn nobody_is_passed_over_without_a_penalty() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    proposers.note(&block(5, 3, 0, ValidatorId::new(0)), &validators, 0);
    proposers.note(&block(6, 0, 5, ValidatorId::new(0)), &validators, 0);
    assert_eq!(proposers.order(&validators, Height::new(8)), [0, 1, 2, 3].map(ValidatorId::new));
}

/// Evidence that nobody verifies here: a block that holds it is committed.
fn evidence(validator: u32) -> Equivocation {
    let vote = |block| SignedVote {
        vote: Vote { height: Height::new(1), round: Round::new(0), step: VoteStep::Prevote, block },
        validator: ValidatorId::new(validator),
        signature: Signature::from_bytes([0; 64]),
    };
    let (first, second) = (vote(None), vote(Some(BlockHash::default())));
    Equivocation::Votes { first, second }
}

#[test]
fn who_signs_twice_comes_last_for_long_and_is_not_forgiven() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    let caught = Block { evidence: vec![evidence(2)], ..block(4, 1, 0, ValidatorId::new(1)) };
    proposers.note(&caught, &validators, PENALTY);
    // Validator 0 failed its turn; 1 and 3 are in good standing.
    assert_eq!(proposers.order(&validators, Height::new(5)), [3, 1, 0, 2].map(ValidatorId::new));
    // Decided in the turn of the one that was caught: that forgives a failed turn, not evidence.
    proposers.note(&block(5, 3, 1, ValidatorId::new(2)), &validators, PENALTY);
    proposers.note(&block(6, 0, 3, ValidatorId::new(1)), &validators, PENALTY);
    let last = Height::new(4 + EVIDENCE_PENALTY_HEIGHTS);
    assert!(proposers.is_caught(ValidatorId::new(2), Height::new(7)));
    assert!(proposers.is_caught(ValidatorId::new(2), last));
    assert!(!proposers.is_passed_over(ValidatorId::new(2), last.next()));
    proposers.note(&block(last.get(), 0, 0, ValidatorId::new(0)), &validators, PENALTY);
    proposers.note(&block(last.get() + 1, 0, 0, ValidatorId::new(0)), &validators, PENALTY);
    assert_eq!(proposers.caught_until.len(), 0, "it is forgotten when it is over");
}

#[test]
fn everyone_keeps_a_turn_however_many_are_caught() {
    let validators = set(4);
    let mut proposers = Proposers::new();
    let caught =
        Block { evidence: (0..4).map(evidence).collect(), ..block(4, 0, 0, ValidatorId::new(0)) };
    proposers.note(&caught, &validators, PENALTY);
    assert_eq!(proposers.order(&validators, Height::new(8)), [0, 1, 2, 3].map(ValidatorId::new));
}

#[test]
fn the_bytes_are_frozen_and_lead_back() {
    let mut proposers = Proposers::new();
    proposers.note(&block(5, 1, 0, ValidatorId::new(2)), &set(4), PENALTY);
    let bytes = codec::encode(&proposers);
    let mut expected = 1_u64.to_le_bytes().to_vec();
    expected.extend(1_u32.to_le_bytes());
    expected.extend(15_u64.to_le_bytes());
    // Nobody was caught.
    expected.extend(0_u64.to_le_bytes());
    // The block noted last: presence, height, round, the turns of its height.
    expected.push(1);
    expected.extend(5_u64.to_le_bytes());
    expected.extend(1_u32.to_le_bytes());
    expected.extend(4_u64.to_le_bytes());
    expected.extend([1, 2, 3, 0].iter().flat_map(|id: &u32| id.to_le_bytes()));
    assert_eq!(bytes, expected);
    assert_eq!(codec::decode::<Proposers>(&bytes, 1_024).unwrap(), proposers);
}
