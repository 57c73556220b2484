//! Disasters between any two effects. The checker sees every signature ever sent, so that a
//! second value for one height, round and step fails wherever it happens.

use consensus_core::MuteReason;

use crate::world::{CALM, STORM, Weather, World};

/// How many effects the first validator performs in three heights.
fn effects_in_three_heights(weather: Weather) -> usize {
    let mut world = World::new(20, 4, 0, weather);
    world.run_to_height(3, 600_000);
    world.nodes[0].performed
}

#[test]
fn a_crash_before_any_effect_is_survived_with_the_same_votes() {
    for (weather, step) in [(CALM, 1), (STORM, 3)] {
        let effects = effects_in_three_heights(weather);
        assert!(effects > 30, "only {effects} places to crash at");
        for place in (0..effects).step_by(step) {
            let mut world = World::new(20, 4, 0, weather);
            world.nodes[0].crash_at = Some(place);
            world.run_to_height(6, 600_000);
            let mutes = &world.nodes[0].mutes;
            assert!(mutes.is_empty(), "crash at {place}: mute because {mutes:?}");
        }
    }
}

#[test]
fn a_validator_that_crashes_again_and_again_signs_once() {
    for every in [3, 7, 11, 20] {
        let mut world = World::new(21, 4, 0, CALM);
        for _ in 0..30 {
            world.nodes[2].crash_at = Some(world.nodes[2].performed + every);
            world.run_until(world.now_ms + 300, |world| world.nodes[2].crash_at.is_none());
        }
        world.nodes[2].crash_at = None;
        let target = world.nodes[0].chain.len() + 3;
        world.run_to_height(target, 60_000);
        assert!(world.nodes[2].mutes.is_empty());
    }
}

#[test]
fn all_validators_crash_at_once_and_go_on_where_they_were() {
    for stop_ms in 0..60 {
        let mut world = World::new(22, 4, 0, CALM);
        world.run_to_height(2, 60_000);
        let at = world.now_ms + stop_ms;
        world.run_until(at, |_| false);
        for node in 0..4 {
            world.crash(node, true);
        }
        world.run_to_height(6, 60_000);
        for node in &world.nodes {
            assert!(node.mutes.is_empty(), "after {stop_ms} ms: {:?}", node.mutes);
        }
    }
}

#[test]
fn a_lost_log_never_leads_to_a_second_value() {
    let effects = effects_in_three_heights(CALM);
    let mut mutes = 0;
    for place in 0..effects {
        let mut world = World::new(20, 4, 0, CALM);
        world.nodes[0].crash_at = Some(place);
        world.nodes[0].loses_log = true;
        world.nodes[0].restart_after_ms = 1;
        world.run_to_height(6, 60_000);
        for reason in &world.nodes[0].mutes {
            assert_eq!(*reason, MuteReason::LockLost);
            mutes += 1;
        }
    }
    assert!(mutes > 0, "no crash came between a precommit and its decision");
}

#[test]
fn crashes_in_a_storm_keep_agreement() {
    for seed in 0..10 {
        let mut world = World::new(300 + seed, 4, 0, STORM);
        for node in 0..4 {
            world.nodes[node].crash_at = Some(25 + 31 * node + seed as usize);
            world.nodes[node].restart_after_ms = 500;
        }
        world.run_to_height(7, 900_000);
    }
}
