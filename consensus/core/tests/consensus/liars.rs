//! Validators that sign whatever they like.

use std::collections::BTreeMap;

use chain_types::{Height, Round, ValidatorId, VoteStep};
use consensus_core::{Input, Message, PolkaCertificate, Timeout, TimeoutKind};
use proptest::prelude::*;

use crate::lone::{HEIGHT, Lone, block, precommit, prevote, proposal, signed_vote, skip, verdict};
use crate::world::{CALM, STORM, World};

#[test]
fn twins_of_one_validator_break_nothing_and_leave_evidence() {
    let mut evidence = 0;
    for seed in 0..10 {
        let mut world = World::new(400 + seed, 4, 0, CALM);
        world.add_twin(3);
        world.run_to_height(10, 120_000);
        evidence += world.evidence;
    }
    assert!(evidence > 0, "two machines with one key were never caught");
    for seed in 0..10 {
        let mut world = World::new(500 + seed, 4, 0, STORM);
        world.add_twin(3);
        world.run_to_height(5, 900_000);
    }
}

#[test]
fn twins_on_both_sides_of_a_partition_break_nothing() {
    for seed in 0..10 {
        let mut world = World::new(600 + seed, 4, 0, CALM);
        world.add_twin(3);
        world.run_to_height(2, 60_000);
        // Each twin speaks to one side: one side may have a quorum with it, never both.
        world.partition = Some(if seed % 2 == 0 { vec![0, 1, 3] } else { vec![0, 3] });
        world.run_until(world.now_ms + 2_000, |_| false);
        world.partition = None;
        let target = world.nodes.iter().map(|node| node.chain.len()).max().unwrap() + 5;
        world.run_to_height(target, 60_000);
    }
}

#[derive(Debug, Clone)]
enum Act {
    Proposal { round: u32, block: u8 },
    Verdict { round: u32, block: u8, valid: bool },
    Prevote { who: usize, round: u32, block: Option<u8> },
    Precommit { who: usize, round: u32, block: Option<u8> },
    Polka { round: u32, block: u8 },
    Skip { round: u32, block: Option<u8> },
    Timeout { kind: TimeoutKind },
    Propose { block: u8 },
    Restart { keeps_log: bool },
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0_usize..4;
    let round = 0_u32..4;
    let byte = 7_u8..10;
    let maybe = proptest::option::of(byte.clone());
    let kind = prop_oneof![
        Just(TimeoutKind::Propose),
        Just(TimeoutKind::Prevote),
        Just(TimeoutKind::Precommit),
        Just(TimeoutKind::Rebroadcast),
    ];
    prop_oneof![
        3 => (round.clone(), byte.clone())
            .prop_map(|(round, block)| Act::Proposal { round, block }),
        3 => (round.clone(), byte.clone(), proptest::bool::weighted(0.8))
            .prop_map(|(round, block, valid)| Act::Verdict { round, block, valid }),
        6 => (who.clone(), round.clone(), maybe.clone())
            .prop_map(|(who, round, block)| Act::Prevote { who, round, block }),
        6 => (who, round.clone(), maybe.clone())
            .prop_map(|(who, round, block)| Act::Precommit { who, round, block }),
        1 => (round.clone(), byte.clone()).prop_map(|(round, block)| Act::Polka { round, block }),
        1 => (round, maybe).prop_map(|(round, block)| Act::Skip { round, block }),
        4 => kind.prop_map(|kind| Act::Timeout { kind }),
        2 => byte.prop_map(|block| Act::Propose { block }),
        1 => proptest::bool::weighted(0.8).prop_map(|keeps_log| Act::Restart { keeps_log }),
    ]
}

fn polka(round: u32, byte: u8) -> Message {
    let signature = |index| {
        let vote = signed_vote(index, HEIGHT, round, VoteStep::Prevote, Some(block(byte)));
        (vote.validator, vote.signature)
    };
    Message::PolkaCertificate(PolkaCertificate {
        height: HEIGHT,
        round: Round::new(round),
        block: block(byte),
        signatures: (1..4).map(signature).collect(),
    })
}

fn input(act: &Act, lone: &Lone) -> Option<Input> {
    let running = lone.consensus.round().unwrap();
    Some(match *act {
        // At height 1 the turns are 1, 2, 3, 0: round 3's is a proposal with our own stolen key.
        Act::Proposal { round, block: byte } => {
            proposal((round as usize + 1) % 4, round, block(byte))
        }
        Act::Verdict { round, block: byte, valid } => {
            verdict((round as usize + 1) % 4, round, block(byte), valid)
        }
        Act::Prevote { who, round, block: byte } => prevote(who, round, byte.map(block)),
        Act::Precommit { who, round, block: byte } => precommit(who, round, byte.map(block)),
        Act::Polka { round, block } => Input::Message(polka(round, block)),
        Act::Skip { round, block } => Input::Message(skip(round, block.map(crate::lone::block))),
        Act::Timeout { kind } => Input::Timeout(Timeout { height: HEIGHT, round: running, kind }),
        Act::Propose { block: byte } => {
            Input::Propose { height: HEIGHT, round: running, block: block(byte) }
        }
        Act::Restart { .. } => return None,
    })
}

/// Own proposals and votes by place: none may stand for two values.
fn note_own(lone: &Lone, signed: &mut BTreeMap<(u8, Height, Round), String>) {
    for message in &lone.sent {
        let (place, value) = match message {
            Message::Proposal(own) if own.proposal.proposer == ValidatorId::new(0) => {
                ((0, own.proposal.height, own.proposal.round), format!("{:?}", own.proposal))
            }
            Message::Vote(own) if own.validator == ValidatorId::new(0) => {
                let step = 1 + u8::from(own.vote.step == VoteStep::Precommit);
                ((step, own.vote.height, own.vote.round), format!("{:?}", own.vote))
            }
            _ => continue,
        };
        let first = signed.entry(place).or_insert_with(|| value.clone());
        assert_eq!(*first, value, "signed twice at {place:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Even when all the others lie, one validator never panics and never signs twice, however
    /// often it restarts, with its log or without.
    #[test]
    fn no_liars_make_a_validator_panic_or_sign_twice(acts in prop::collection::vec(act(), 0..60)) {
        let mut lone = Lone::new(0);
        let mut signed = BTreeMap::new();
        for act in &acts {
            match (input(act, &lone), act) {
                (Some(input), _) => {
                    lone.feed(input);
                }
                (None, Act::Restart { keeps_log }) => {
                    let log = if *keeps_log { lone.log.clone() } else { Vec::new() };
                    lone = Lone::restarted(0, log, lone.guard.clone());
                }
                (None, _) => {}
            }
            note_own(&lone, &mut signed);
            prop_assert_eq!(lone.consensus.take_troubles(), Vec::<String>::new());
        }
    }
}
