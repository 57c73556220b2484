//! Peers with an allowed key and bad manners. The honest go on undisturbed.

use std::time::Duration;

use bytes::Bytes;
use futures::AsyncWriteExt as _;
use node_network::{Lane, LaneLimits, Limits};

use crate::node::{Node, cluster, key, limits, numbered, place, wait_for};
use crate::villain::{Villain, wait_ended};

/// The two honest nodes still talk, in order and without loss.
async fn honest_nodes_talk(nodes: &mut [Node]) {
    let to = nodes[0].key;
    for number in 0..20 {
        nodes[1].network.send(to, Lane::Consensus, numbered(number, 100));
        nodes[1].network.send(to, Lane::Bulk, numbered(number, 100_000));
    }
    let mut heard = [0, 0];
    while heard != [20, 20] {
        let (from, lane, bytes) = nodes[0].next_message().await;
        if from == nodes[1].key {
            assert_eq!(place(&bytes), heard[lane as usize]);
            heard[lane as usize] += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_frame_ends_the_stream_and_three_cut_the_peer_off() {
    let mut nodes = cluster(2, Limits { ban: Duration::from_secs(3600), ..limits() }).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let headers = [(1 << 20) + 1, u32::MAX, 0];
    for (count, header) in headers.into_iter().enumerate() {
        let lane = if count == 1 { "bulk" } else { "consensus" };
        let mut stream = villain.open_lane(lane).await.expect("the lane opens");
        stream.write_all(&header.to_le_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        wait_ended(&mut stream).await;
        wait_for(|| nodes[0].figure("network_strikes_total", &["Frame"]) == count as u64 + 1).await;
        assert_eq!(nodes[0].figure("network_bans_total", &[]), u64::from(count == 2));
        honest_nodes_talk(&mut nodes).await;
    }
    villain.wait_connected(false).await;
    let refused = "libp2p_swarm_connections_incoming_error_total";
    wait_for(|| nodes[0].figure(refused, &["Denied"]) >= 2).await;
    assert!(villain.open_lane("consensus").await.is_none());
    honest_nodes_talk(&mut nodes).await;
    assert_eq!(nodes[0].network.connected(), [key(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_was_cut_off_may_come_back_later() {
    let limits = Limits { ban: Duration::from_millis(100), strikes_max: 1, ..limits() };
    let mut nodes = cluster(2, limits).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let mut stream = villain.open_lane("bulk").await.unwrap();
    stream.write_all(&[0; 4]).await.unwrap();
    stream.flush().await.unwrap();
    wait_ended(&mut stream).await;
    wait_for(|| nodes[0].figure("network_bans_total", &[]) == 1).await;
    // What it says on the old link, which may take a moment to close, is lost: it says it again.
    let (from, lane, bytes) = loop {
        villain.wait_connected(true).await;
        let Some(mut stream) = villain.open_lane("bulk").await else { continue };
        let said = stream.write_all(&[2, 0, 0, 0, b'h', b'i']).await;
        if said.is_ok() && stream.flush().await.is_ok() {
            let heard = tokio::time::timeout(Duration::from_secs(2), nodes[0].next_message());
            if let Ok(message) = heard.await {
                break message;
            }
        }
    };
    assert_eq!((from, lane, bytes), (key(5), Lane::Bulk, Bytes::from_static(b"hi")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_request_is_an_offence_too() {
    let mut nodes = cluster(2, limits()).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    for header in [(64 << 10) + 1_u32, 0, u32::MAX] {
        let mut stream = villain.open("sync").await.unwrap();
        stream.write_all(&header.to_le_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        wait_ended(&mut stream).await;
    }
    wait_for(|| nodes[0].figure("network_strikes_total", &["Request"]) == 3).await;
    villain.wait_connected(false).await;
    honest_nodes_talk(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_frame_is_never_delivered() {
    let mut nodes = cluster(2, limits()).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let mut stream = villain.open_lane("consensus").await.unwrap();
    stream.write_all(&[4, 0, 0, 0, b'h', b'a', b'l']).await.unwrap();
    stream.close().await.unwrap();
    wait_ended(&mut stream).await;
    let mut stream = villain.open_lane("consensus").await.unwrap();
    stream.write_all(&[5, 0, 0, 0, b'w', b'h', b'o', b'l', b'e']).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(nodes[0].next_message().await.2, "whole");
    assert_eq!(nodes[0].figure("network_strikes_total", &[]), 0, "a broken link is no offence");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stream_takes_the_place_of_the_first() {
    let mut nodes = cluster(2, limits()).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let mut first = villain.open_lane("consensus").await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..50 {
        streams.extend(villain.open_lane("consensus").await);
    }
    wait_ended(&mut first).await;
    let mut last = streams.pop().unwrap();
    last.write_all(&[4, 0, 0, 0, b'l', b'a', b's', b't']).await.unwrap();
    last.flush().await.unwrap();
    assert_eq!(nodes[0].next_message().await.2, "last");
    honest_nodes_talk(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_above_the_budget_is_dropped_and_others_are_heard() {
    let default = limits();
    let consensus = LaneLimits { budget_messages_per_second: 200, ..default.consensus };
    let mut nodes = cluster(2, Limits { consensus, ..default }).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let mut stream = villain.open_lane("consensus").await.unwrap();
    let flood = tokio::spawn(async move {
        let frame = [vec![8, 0, 0, 0], vec![0; 8]].concat().repeat(100);
        while stream.write_all(&frame).await.is_ok() {}
    });
    wait_for(|| nodes[0].figure("network_dropped_total", &["Consensus", "OverBudget"]) > 3).await;
    honest_nodes_talk(&mut nodes).await;
    flood.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_writes_on_our_streams_is_struck() {
    let limits = Limits { strikes_max: 2, ban: Duration::from_secs(3600), ..limits() };
    let mut nodes = cluster(2, limits).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let mut stream = Villain::accept_lane(&mut villain.consensus).await;
    stream.write_all(&[7]).await.unwrap();
    stream.flush().await.unwrap();
    wait_for(|| nodes[0].figure("network_strikes_total", &["WrongWay"]) == 1).await;
    assert_eq!(nodes[0].network.connected(), [key(2)], "a wrong byte makes no peer ready");

    let mut stream = Villain::accept_lane(&mut villain.consensus).await;
    stream.write_all(&[1]).await.unwrap();
    stream.flush().await.unwrap();
    nodes[0].expect_connected(key(5)).await;
    stream.write_all(&[1]).await.unwrap();
    stream.flush().await.unwrap();
    wait_for(|| nodes[0].figure("network_strikes_total", &["WrongWay"]) == 2).await;
    nodes[0].expect_disconnected(key(5)).await;
    villain.wait_connected(false).await;
    honest_nodes_talk(&mut nodes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_takes_no_stream_is_never_ready() {
    let mut nodes = cluster(2, limits()).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let _silent = Villain::accept_lane(&mut villain.consensus).await;
    nodes[0].network.send(key(5), Lane::Consensus, Bytes::from_static(b"vote"));
    honest_nodes_talk(&mut nodes).await;
    assert_eq!(nodes[0].network.connected(), [key(2)]);
    assert!(nodes[0].events.try_recv().is_none());
}
