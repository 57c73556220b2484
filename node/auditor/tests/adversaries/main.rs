//! Participants who are in league and want to gain: histories in which they say whatever they can
//! say, try it on copies of the chain first, and must neither gain (`purse`) nor lock anything in
//! (`exits`). The auditor follows each history as it follows those of `histories`.
//!
//! `SLUICE_SEED=N` runs one seed; `SLUICE_SEEDS=N` runs seeds 1 to N instead of the usual ones.
//! `SLUICE_OPERATIONS=N` makes each as long as that; `SLUICE_KNOWN=NAME`, see `known`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code, reason = "shared with the histories, which use all of it")]
#[path = "../histories/chain.rs"]
mod chain;
#[allow(dead_code, reason = "shared with the histories, which use all of it")]
#[path = "../histories/checks.rs"]
mod checks;
#[allow(dead_code, reason = "shared with the histories, which use all of it")]
#[path = "../histories/item.rs"]
mod item;
#[allow(dead_code, reason = "shared with the histories, which use all of it")]
#[path = "../histories/network.rs"]
mod network;

mod coalition;
mod dice;
mod exits;
mod foes;
mod fork;
mod honest;
mod known;
mod lines;
mod market;
mod promises;
mod purse;
mod trials;
mod words;
mod world;

use crate::world::World;

/// The usual seeds: one of each coalition.
const SEEDS: u64 = 6;
/// Operations of one usual seed.
const OPERATIONS: usize = 4_000;
/// After so many blocks, foes try whole plans on copies of the chain.
const PLAN_BLOCKS: u64 = 25;
/// After so many blocks, ways out are searched for.
const EXIT_BLOCKS: u64 = 60;

fn run(seed: u64, operations: usize) -> World {
    println!("SLUICE_SEED={seed}");
    let mut world = World::new(seed);
    let mut blocks = 0;
    while world.operations < operations {
        world.block();
        blocks += 1;
        if blocks % PLAN_BLOCKS == 0 {
            world.try_plans();
        }
        if blocks % EXIT_BLOCKS == 0 {
            world.search_exits();
        }
    }
    world.end();
    world
}

#[expect(clippy::disallowed_methods, reason = "which seeds to run; no rule sees it")]
fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn foes_gain_nothing_and_lock_nothing_in() {
    let operations = number_of("SLUICE_OPERATIONS").and_then(|number| number.try_into().ok());
    let operations = operations.unwrap_or(OPERATIONS);
    let seeds: Vec<u64> = match (number_of("SLUICE_SEED"), number_of("SLUICE_SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(last)) => (1..=last).collect(),
        (None, None) => (1..=SEEDS).collect(),
    };
    for seed in seeds {
        let world = run(seed, operations);
        println!("{} operations; {}", world.operations, world.summary());
    }
}
