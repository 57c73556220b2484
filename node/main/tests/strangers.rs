//! Strangers at the ports of real nodes: they neither stop one, nor keep it from its peers, nor
//! fill its disk with log lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::{SocketAddr, TcpStream as BlockingStream};

use jsonrpsee::core::client::ClientT as _;
use jsonrpsee::rpc_params;
use jsonrpsee_ws_client::WsClientBuilder;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::{Network, eventually};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// So that this process can hold more sockets than a node may.
fn raise_own_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

fn public_address(network: &Network, node: usize) -> SocketAddr {
    let mut address = network.peer_address(node);
    address.set_port(address.port() + 1);
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_sockets_take_no_descriptor_of_the_store() {
    raise_own_limit();
    let mut network = Network::new(&[]);
    let settings = [("SLUICE_NODE_RPC__CONNECTIONS_MAX", "384")];
    for node in 0..4 {
        network.start_limited(node, 1_024, &settings);
    }
    for node in 0..4 {
        network.ready(node).await;
    }
    let mut idle = Vec::new();
    for node in [0, 1] {
        let address = public_address(&network, node);
        idle.extend((0..950).map(|_| BlockingStream::connect(address).unwrap()));
    }
    let before = network.height(2).await;
    eventually("forty blocks are committed", || async { network.height(2).await > before + 40 })
        .await;
    drop(idle);
    for node in 0..4 {
        assert!(network.is_running(node), "{}", network.log(node));
        network.ready(node).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_needs_more_descriptors_than_there_are_is_refused() {
    let mut network = Network::new(&[]);
    network.start_limited(0, 1_024, &[]);
    assert_eq!(network.ended(0), Some(2));
    let log = network.whole_log(0);
    for word in ["gives 1024", "set rpc.connections_max to 384 at most", "ulimit -Hn 1920"] {
        assert!(log.contains(word), "{log}");
    }
}

/// So many sockets that say nothing, each opened again whenever it is closed.
fn half_open(sockets: &mut JoinSet<()>, address: SocketAddr, count: usize) {
    for _ in 0..count {
        sockets.spawn(async move {
            loop {
                if let Ok(mut socket) = TcpStream::connect(address).await {
                    let _ = socket.read_to_end(&mut Vec::new()).await;
                } else {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_sockets_keep_no_restarted_validator_from_its_peers() {
    raise_own_limit();
    let mut network = Network::started(&[]).await;
    network.kill(3);
    let mut sockets = JoinSet::new();
    for node in 0..4 {
        half_open(&mut sockets, network.peer_address(node), 90);
    }
    eventually("the places for handshakes are taken", || async {
        (0..3).all(|node| network.figure(node, "network_handshakes_open") >= 64.0)
    })
    .await;
    network.start(3);
    network.ready(3).await;
    let connected = || network.figure(3, "network_peers_connected");
    eventually("it has its links", || async { connected() >= 3.0 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_cause_is_no_line_of_the_log() {
    let mut network = Network::new(&[]);
    network.start(0);
    let url = format!("ws://{}", public_address(&network, 0));
    eventually("its port is open", || async {
        WsClientBuilder::default().build(&url).await.is_ok()
    })
    .await;
    let before = network.whole_log(0).len();
    let http = network.client(0);
    for _ in 0..1_000 {
        let subscribed = http.request::<String, _>("chain_subscribe_blocks", rpc_params![]).await;
        assert!(subscribed.is_err());
    }
    let socket = WsClientBuilder::default().build(&url).await.unwrap();
    let long = "[".repeat(1_900_000);
    for _ in 0..20 {
        // Whatever the answer is.
        let _ = socket.request::<bool, _>("chain_unsubscribe_blocks", rpc_params![&long]).await;
    }
    let grown = network.whole_log(0).len() - before;
    // What the node itself has to say meanwhile is a few lines.
    assert!(grown < 32_768, "{grown} bytes: {}", network.log(0));
}
