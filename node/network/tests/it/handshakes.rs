//! Sockets at the peer port that prove nothing, and links that break the rules.

use std::net::SocketAddr;
use std::time::Duration;

use node_network::{Limits, NetworkConfig};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::node::{Node, cluster, config, key, limits, wait_for};
use crate::villain::Villain;

const HALF_OPEN: usize = 90;

/// So many sockets that say nothing, each opened again whenever it is closed.
fn half_open(target: SocketAddr) -> JoinSet<()> {
    let mut sockets = JoinSet::new();
    for _ in 0..HALF_OPEN {
        sockets.spawn(async move {
            loop {
                if let Ok(mut socket) = TcpStream::connect(target).await {
                    let _ = socket.read_to_end(&mut Vec::new()).await;
                }
            }
        });
    }
    sockets
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_sockets_keep_no_restarted_validator_out() {
    let limits = Limits { handshakes_max: 64, ..limits() };
    let mut nodes = cluster(3, limits).await;
    let last = nodes.pop().unwrap();
    last.stop().await;
    let targets = nodes.iter().map(|node| node.network.listen_address());
    let _sockets: Vec<_> = targets.map(half_open).collect();
    for node in &nodes {
        wait_for(|| node.figure("network_handshakes_open", &[]) >= 64).await;
    }
    let peers = nodes.iter().map(Node::peer).collect();
    let last = Node::start(NetworkConfig { peers, limits, ..config(3) }).await;
    last.wait_peers(2).await;
    for node in &nodes {
        wait_for(|| node.network.connected().contains(&key(3))).await;
        assert!(node.figure("network_handshakes_open", &[]) <= 64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_strangers_takes_the_place_of_the_oldest() {
    let limits = Limits { handshakes_max: 8, ..limits() };
    let mut one = Node::start(NetworkConfig { limits, ..config(1) }).await;
    let mut sockets = Vec::new();
    for _ in 0..HALF_OPEN {
        sockets.push(TcpStream::connect(one.network.listen_address()).await.unwrap());
    }
    wait_for(|| one.figure("network_handshakes_total", &["Evicted"]) == 82).await;
    let two = Node::start(NetworkConfig { peers: vec![one.peer()], limits, ..config(2) }).await;
    one.expect_connected(two.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_that_begin_too_many_handshakes_are_closed_at_once() {
    let limits = Limits { handshakes_per_second: 1, ..limits() };
    let one = Node::start(NetworkConfig { limits, ..config(1) }).await;
    let _sockets = half_open(one.network.listen_address());
    wait_for(|| one.figure("network_handshakes_total", &["OverBudget"]) >= 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_has_a_deadline() {
    let limits = Limits { handshake_timeout: Duration::from_millis(50), ..limits() };
    let one = Node::start(NetworkConfig { limits, ..config(1) }).await;
    let mut socket = TcpStream::connect(one.network.listen_address()).await.unwrap();
    assert!(matches!(socket.read_to_end(&mut Vec::new()).await, Ok(_) | Err(_)));
    wait_for(|| one.figure("network_handshakes_total", &["Late"]) == 1).await;
    assert_eq!(one.figure("network_handshakes_open", &[]), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_a_link_is_a_strike_and_three_ban_the_peer() {
    let limits = Limits { ban: Duration::from_secs(3600), ..limits() };
    let nodes = cluster(2, limits).await;
    let target = &nodes[0];
    // Not of yamux; of yamux, but an answer to a question that nobody asked; not of yamux.
    let unasked = [0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9];
    for (count, bytes) in (1..).zip([[0xff; 12], unasked, [0xff; 12]]) {
        Villain::say_on_link(5, target, &bytes).await;
        wait_for(|| target.figure("network_strikes_total", &["Link"]) == count).await;
    }
    wait_for(|| target.figure("network_bans_total", &[]) == 1).await;
    assert_eq!(target.network.connected(), [key(2)]);
}
