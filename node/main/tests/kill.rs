//! kill -9: what was answered as final is never lost, and a killed node comes back to the same
//! digests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::time::Instant;

use chain_types::OrderId;
use rpc_api::OrderState;
use support::load::Load;
use support::{Network, PATIENCE, eventually, run, sluice};

/// A node that is behind says so: what its answer covers is what it answers for.
async fn every_final_order_is_there(network: &Network, node: usize, finals: &[(OrderId, u64)]) {
    for (id, height) in finals.iter().step_by(7) {
        eventually("its search covers a final order's height", || async {
            let Some(report) = network.order_if_known(node, *id).await else { return false };
            if report.searched.to_height < *height {
                return false;
            }
            let there = matches!(report.status, OrderState::Collected | OrderState::Instructed);
            assert!(there, "order {id}, final at {height}: {report:?}");
            assert_eq!(report.location.unwrap().height, *height);
            true
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_killed_under_load_the_others_go_on_and_it_catches_up() {
    let mut network = Network::started(&[]).await;
    let load = Load::on(&network, &[0, 1, 2]);
    eventually("the load runs", || async { load.count().await > 500 }).await;
    network.kill(3);
    let at_kill = load.count().await;
    let killed = Instant::now();
    eventually("the others go on", || async { load.count().await > at_kill + 1_000 }).await;
    println!("1,000 orders final {:?} after one of four was killed", killed.elapsed());
    let goal = network.height(0).await;
    network.start(3);
    let started = Instant::now();
    eventually("it catches up", || async { network.height(3).await >= goal }).await;
    println!("caught up {:?} after its start", started.elapsed());
    let finals = load.end().await;
    let mut digests = network.digests().await;
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
    every_final_order_is_there(&network, 3, &finals).await;
    // It votes again: another may fail now.
    network.kill(0);
    let before = network.height(1).await;
    eventually("three go on with it", || async { network.height(1).await > before + 3 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_killed_at_once_under_load_nothing_final_is_lost() {
    let mut network = Network::started(&[]).await;
    let mut finals = Vec::new();
    for round in 0..3 {
        let load = Load::on(&network, &[0, 1, 2, 3]);
        eventually("the load runs", || async { load.count().await > 1_000 }).await;
        for node in 0..4 {
            network.kill(node);
        }
        finals.extend(load.end().await);
        let killed = Instant::now();
        for node in 0..4 {
            network.start(node);
        }
        for node in 0..4 {
            network.ready(node).await;
        }
        let least = finals.iter().map(|(_, height)| *height).max().unwrap();
        eventually("it goes on", || async { network.height(0).await > least }).await;
        println!("round {round}: goes on {:?} after all four were killed", killed.elapsed());
        assert!(killed.elapsed() < PATIENCE);
        for node in 0..4 {
            every_final_order_is_there(&network, node, &finals).await;
        }
    }
    let mut digests = network.digests().await;
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");

    // Stopped in good order, each home replays to the same digests from genesis.
    for node in 0..4 {
        assert_eq!(network.stop(node), Some(0), "{}", network.log(node));
        let mut replay = sluice();
        replay.arg("replay").arg("--home").arg(network.home(node));
        let output = run(replay.arg("--genesis").arg(network.genesis()));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_lost_its_disk_catches_up_and_votes_again() {
    let mut network = Network::started(&[]).await;
    let load = Load::on(&network, &[0, 1, 2]);
    eventually("the load runs", || async { load.count().await > 500 }).await;
    network.kill(3);
    std::fs::remove_dir_all(network.home(3)).unwrap();
    let goal = network.height(0).await;
    network.start(3);
    eventually("it fetches the chain", || async { network.height(3).await > goal }).await;
    // It is silent for two heights above what it was told when it came: until then, it and one more
    // would be two faults of four, and the chain would rightly wait.
    let told = network.height(0).await.max(network.height(3).await);
    eventually("it may vote", || async { network.height(3).await > told + 3 }).await;
    let finals = load.end().await;
    every_final_order_is_there(&network, 3, &finals).await;
    // Without another, the three that are left need its vote.
    network.kill(0);
    let before = network.height(1).await;
    eventually("they go on with it", || async { network.height(1).await > before + 5 }).await;
}
