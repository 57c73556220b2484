//! Validators that follow the protocol, in good weather and in bad.

use crate::world::{CALM, PENALTY_HEIGHTS, STORM, World};

#[test]
fn fifty_heights_are_decided_in_their_first_round() {
    let mut world = World::new(1, 4, 0, CALM);
    world.run_to_height(50, 60_000);
    assert_eq!(world.rounds()[..50], [0; 50]);
    assert_eq!(world.evidence, 0);
}

#[test]
fn one_validator_decides_alone() {
    let mut world = World::new(2, 1, 0, CALM);
    world.run_to_height(10, 10_000);
}

#[test]
fn every_validator_gets_its_turn() {
    let mut world = World::new(3, 4, 0, CALM);
    world.run_to_height(8, 60_000);
    for (index, certificate) in world.nodes[0].chain.iter().take(8).enumerate() {
        let proposer = world.headers[&certificate.block].proposer;
        assert_eq!(proposer.get() as usize, (index + 1) % 4, "at height {}", index + 1);
    }
}

#[test]
fn a_dead_validator_costs_one_timeout_and_is_then_passed_over() {
    for dead in 0..4 {
        let mut world = World::new(4, 4, 0, CALM);
        world.run_to_height(3, 60_000);
        world.crash(dead, false);
        let before = world.nodes.iter().map(|node| node.chain.len()).max().unwrap();
        world.run_to_height(before + PENALTY_HEIGHTS as usize, 300_000);
        let failed = world.rounds()[before..].iter().filter(|round| **round > 0).count();
        assert!(failed <= 2, "validator {dead}: {failed} rounds failed");
        assert!(failed >= 1, "validator {dead} never had a turn");
    }
}

#[test]
fn two_dead_validators_of_four_decide_nothing_and_contradict_nothing() {
    let mut world = World::new(5, 4, 0, CALM);
    world.run_to_height(2, 60_000);
    world.crash(1, false);
    world.crash(2, false);
    world.run_until(world.now_ms + 200, |_| false);
    let before = world.nodes[0].chain.len();
    world.run_until(world.now_ms + 60_000, |_| false);
    assert!(world.nodes[0].chain.len() <= before + 1);
}

#[test]
fn loss_and_delay_do_not_stop_the_chain() {
    for seed in 0..12 {
        let mut world = World::new(100 + seed, 4, 0, STORM);
        world.run_to_height(8, 600_000);
    }
}

#[test]
fn once_the_weather_clears_rounds_do_not_fail() {
    let mut world = World::new(6, 4, 0, STORM);
    world.run_to_height(4, 600_000);
    world.weather = CALM;
    world.run_until(world.now_ms + 10_000, |_| false);
    let before = world.nodes.iter().map(|node| node.chain.len()).max().unwrap();
    world.run_to_height(before + 20, 60_000);
    assert_eq!(world.rounds()[before + 1..before + 20], [0; 19]);
}

#[test]
fn a_partition_decides_nothing_without_a_quorum_and_heals_by_itself() {
    for seed in 0..6 {
        let mut world = World::new(200 + seed, 4, 0, CALM);
        world.run_to_height(3, 60_000);
        world.partition = Some(vec![0, 1]);
        world.run_until(world.now_ms + 1_000, |_| false);
        let before = world.nodes.iter().map(|node| node.chain.len()).max().unwrap();
        world.run_until(world.now_ms + 20_000, |_| false);
        assert_eq!(world.nodes.iter().map(|node| node.chain.len()).max().unwrap(), before);
        world.partition = None;
        world.run_to_height(before + 5, 30_000);
    }
}

#[test]
fn a_lone_validator_catches_up_after_its_partition() {
    let mut world = World::new(7, 4, 0, CALM);
    world.run_to_height(3, 60_000);
    world.partition = Some(vec![3]);
    world.run_until(world.now_ms + 5_000, |_| false);
    assert!(world.nodes[0].chain.len() > world.nodes[3].chain.len() + 3);
    world.partition = None;
    let target = world.nodes[0].chain.len() + 10;
    world.run_to_height(target, 30_000);
}

#[test]
fn followers_decide_what_validators_decide_and_never_speak() {
    // The world fails a follower that sends anything.
    let mut world = World::new(8, 4, 2, CALM);
    world.run_to_height(20, 60_000);
    assert_eq!(world.rounds()[..20], [0; 20]);
    let mut world = World::new(9, 4, 1, STORM);
    world.run_to_height(6, 600_000);
}

#[test]
fn seven_validators_bear_two_dead_ones() {
    let mut world = World::new(10, 7, 0, CALM);
    world.run_to_height(2, 60_000);
    world.crash(3, false);
    world.crash(5, false);
    let before = world.nodes[0].chain.len();
    world.run_to_height(before + 40, 120_000);
    let failed = world.rounds()[before..].iter().filter(|round| **round > 0).count();
    assert!(failed <= 4, "{failed} rounds failed");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut world = World::new(seed, 4, 1, STORM);
        world.nodes[1].crash_at = Some(40);
        world.run_until(20_000, |_| false);
        world.trace
    };
    assert_eq!(history(11), history(11));
    assert_ne!(history(11), history(12));
}
