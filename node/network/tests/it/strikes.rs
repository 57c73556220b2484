//! What the node itself holds against a peer, and what a peer's flood costs the others.

use std::time::Duration;

use futures::AsyncWriteExt as _;
use node_network::{Event, Ignored, Lane, LaneLimits, Limits, Strike};

use crate::node::{Node, cluster, key, keys, limits, numbered, place, wait_for};
use crate::villain::Villain;

#[tokio::test(flavor = "multi_thread")]
async fn three_strikes_of_the_node_ban_a_peer_and_it_comes_back_after() {
    let limits = Limits { ban: Duration::from_millis(200), ..limits() };
    let mut nodes = cluster(3, limits).await;
    let (banned, other) = (key(2), key(3));
    for round in 1..=2 {
        assert!(!nodes[0].network.strike(banned, Strike::Forged));
        assert!(!nodes[0].network.strike(banned, Strike::Powerless));
        assert!(nodes[0].network.strike(banned, Strike::Forged));
        nodes[0].expect_disconnected(banned).await;
        nodes[0].expect_connected(banned).await;
        assert!(!nodes[0].network.is_banned(&banned), "round {round}");
        assert_eq!(nodes[0].figure("network_bans_total", &[]), round);
    }
    let strikes = |kind| nodes[0].figure("network_strikes_total", &[kind, "peer=\""]);
    assert_eq!((strikes("Forged"), strikes("Powerless")), (4, 2));
    assert!(nodes[0].network.connected().contains(&other), "nobody else is touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equivocation_bans_at_once_and_an_ignored_message_never() {
    let mut nodes = cluster(2, Limits { ban: Duration::from_secs(3600), ..limits() }).await;
    nodes[0].network.ignored(key(2), Ignored::Late, 1_000);
    assert_eq!(nodes[0].figure("network_ignored_total", &["Late"]), 1_000);
    assert!(!nodes[0].network.is_banned(&key(2)));
    assert!(nodes[0].network.strike(key(2), Strike::Equivocation));
    assert!(nodes[0].network.is_banned(&key(2)));
    nodes[0].expect_disconnected(key(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_registered_keys_have_figures() {
    let nodes = cluster(2, limits()).await;
    let network = &nodes[0].network;
    assert!(!network.strike(key(99), Strike::Equivocation), "nobody knows it");
    network.ignored(key(99), Ignored::Late, 1);
    let all = |name| nodes[0].figure(name, &["peer=\""]);
    assert_eq!((all("network_strikes_total"), all("network_ignored_total")), (0, 0));
    network.strike(key(2), Strike::Forged);
    network.ignored(key(2), Ignored::Late, 1);
    assert_eq!((all("network_strikes_total"), all("network_ignored_total")), (1, 1));
    network.allow(keys([1]));
    wait_for(|| all("network_strikes_total") + all("network_ignored_total") == 0).await;
}

/// Messages of eight bytes that a consensus inbox of 1 MiB has room for.
const SMALL_IN_A_MEBIBYTE: usize = (1 << 20) / (8 + 256);

/// Takes what `from` sends and keeps it, as a node that is slow to handle it would.
async fn keep(node: &mut Node, from: u8, count: usize) -> Vec<Event> {
    let mut kept = Vec::new();
    while kept.len() < count {
        match node.next().await {
            event @ Event::Message { .. } => {
                assert!(
                    matches!(&event, Event::Message { from: sender, .. } if *sender == key(from))
                );
                kept.push(event);
            }
            other => drop(other),
        }
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_whose_messages_are_not_handled_waits_for_itself_alone() {
    let default = limits();
    let consensus = LaneLimits { inbox_bytes_max: 1 << 20, ..default.consensus };
    let mut nodes = cluster(2, Limits { consensus, ..default }).await;
    let mut villain = Villain::start(5, &nodes[0]).await;
    let mut stream = villain.open_lane("consensus").await.unwrap();
    let flood = tokio::spawn(async move {
        let frame = [vec![8, 0, 0, 0], vec![0; 8]].concat().repeat(100);
        while stream.write_all(&frame).await.is_ok() {}
    });
    let mut kept = keep(&mut nodes[0], 5, SMALL_IN_A_MEBIBYTE).await;
    let to = nodes[0].key;
    for number in 0..100 {
        nodes[1].network.send(to, Lane::Consensus, numbered(number, 1_000));
        let (from, _, bytes) = nodes[0].next_message().await;
        assert_eq!((from, place(&bytes)), (nodes[1].key, number));
    }
    // Its next messages come as soon as some of them are handled.
    kept.truncate(SMALL_IN_A_MEBIBYTE - 10);
    keep(&mut nodes[0], 5, 10).await;
    flood.abort();
}
