//! How fast it goes: printed, never asserted. Run with `--nocapture`.

use std::time::Instant;

use bytes::Bytes;
use node_network::Lane;

use crate::node::{Node, cluster, limits};

const MIB: usize = 1 << 20;

/// Takes `count` messages from the node.
async fn take(mut node: Node, count: usize) -> Node {
    for _ in 0..count {
        node.next_message().await;
    }
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mebibyte_frames() {
    const ROUNDS: usize = 16;
    const FRAMES: usize = 32;
    for count in [2, 4] {
        let mut nodes = cluster(count, limits()).await;
        let sender = nodes.remove(0);
        let frame = Bytes::from(vec![1; MIB]);
        let started = Instant::now();
        for _ in 0..ROUNDS {
            for _ in 0..FRAMES {
                sender.network.broadcast(Lane::Bulk, frame.clone());
            }
            let taking = nodes.drain(..).map(|node| tokio::spawn(take(node, FRAMES)));
            let taken = futures::future::join_all(taking.collect::<Vec<_>>()).await;
            nodes = taken.into_iter().map(Result::unwrap).collect();
        }
        let megabytes = (ROUNDS * FRAMES * MIB * nodes.len()) as f64 / 1e6;
        let seconds = started.elapsed().as_secs_f64();
        println!("1 MiB frames to {} peers: {:.0} MB/s", nodes.len(), megabytes / seconds);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_votes_and_their_round_trip() {
    const VOTES: usize = 500;
    const ROUNDS: usize = 20;
    let mut nodes = cluster(2, limits()).await;
    let (mut two, mut one) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    let vote = Bytes::from(vec![1; 200]);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        for _ in 0..VOTES {
            one.network.send(two.key, Lane::Consensus, vote.clone());
        }
        two = take(two, VOTES).await;
    }
    let rate = (ROUNDS * VOTES) as f64 / started.elapsed().as_secs_f64();
    let started = Instant::now();
    for _ in 0..VOTES {
        one.network.send(two.key, Lane::Consensus, vote.clone());
        two.next_message().await;
        two.network.send(one.key, Lane::Consensus, vote.clone());
        one.next_message().await;
    }
    let micros = started.elapsed().as_secs_f64() * 1e6 / VOTES as f64;
    println!("200-byte votes: {rate:.0} a second; there and back in {micros:.0} us");
}
