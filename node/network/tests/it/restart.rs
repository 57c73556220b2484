//! Nodes that go and come back, and links that die without a word.

use std::time::Duration;

use node_network::{Event, Lane, Limits, NetworkConfig, Peer, RequestError};

use crate::node::{Node, config, limits, wait_for};
use crate::proxy::Proxy;

/// Messages go both ways on both lanes.
async fn talk(one: &mut Node, two: &mut Node, text: &'static str) {
    for lane in Lane::ALL {
        one.network.send(two.key, lane, text.into());
        assert_eq!(two.next_message().await, (one.key, lane, text.into()));
        two.network.send(one.key, lane, text.into());
        assert_eq!(one.next_message().await, (two.key, lane, text.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_restarts_is_dialled_again() {
    let mut two = Node::start(config(2)).await;
    let listen = two.network.listen_address().to_string();
    let mut one = Node::start(NetworkConfig { peers: vec![two.peer()], ..config(1) }).await;
    for life in ["first", "second", "third"] {
        one.expect_connected(two.key).await;
        two.expect_connected(one.key).await;
        talk(&mut one, &mut two, life).await;
        two.stop().await;
        one.expect_disconnected(two.key).await;
        assert!(one.network.connected().is_empty());
        let absent = one.network.request(two.key, "x".into()).await;
        assert_eq!(absent, Err(RequestError::NotConnected));
        two = Node::start(NetworkConfig { listen: listen.clone(), ..config(2) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_network_says_so() {
    let mut two = Node::start(config(2)).await;
    let mut one = Node::start(NetworkConfig { peers: vec![two.peer()], ..config(1) }).await;
    one.expect_connected(two.key).await;
    two.expect_connected(one.key).await;
    let asking = tokio::spawn({
        let (network, to) = (one.network.clone(), two.key);
        async move { network.request(to, "never answered".into()).await }
    });
    let Event::Request { reply, .. } = two.next().await else { panic!("no request") };
    one.stop().await;
    assert!(asking.await.unwrap().is_err());
    reply.send("too late".into());
    assert!(one.events.recv().await.is_none());
    assert!(one.network.connected().is_empty());
    one.network.broadcast(Lane::Bulk, "into the void".into());
    let stopped = one.network.request(two.key, "x".into()).await;
    assert_eq!(stopped, Err(RequestError::Stopped));
    two.expect_disconnected(one.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_falls_silent_is_closed_and_made_again_when_it_heals() {
    let limits = Limits {
        ping_interval: Duration::from_millis(50),
        // Longer than a busy machine keeps a task waiting: a link that lives must not look dead.
        ping_timeout: Duration::from_millis(1500),
        connect_timeout: Duration::from_millis(2500),
        ..limits()
    };
    let mut two = Node::start(NetworkConfig { limits, ..config(2) }).await;
    let proxy = Proxy::start(two.network.listen_address()).await;
    let peers = vec![Peer { key: two.key, address: proxy.address().to_string() }];
    let mut one = Node::start(NetworkConfig { limits, peers, ..config(1) }).await;
    for round in ["first", "second"] {
        one.expect_connected(two.key).await;
        two.expect_connected(one.key).await;
        talk(&mut one, &mut two, round).await;
        proxy.freeze(true);
        one.expect_disconnected(two.key).await;
        two.expect_disconnected(one.key).await;
        one.network.send(two.key, Lane::Bulk, "lost, and counted".into());
        proxy.freeze(false);
    }
    one.expect_connected(two.key).await;
    assert_eq!(one.figure("network_dropped_total", &["Bulk", "NotConnected"]), 2);
    wait_for(|| one.figure("network_peers_connected", &[]) == 1).await;
}
