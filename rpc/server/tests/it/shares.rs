//! What one address takes from others: its own share, and no more.

use rpc_api::{ChainRpcClient as _, NodeRpcClient as _};
use rpc_server::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::raw::{RawSocket, call, connect_from, exchange_from, get, request};
use crate::served::TestServer;

const BODIES: &str = "sluice_rpc_bodies_bytes";

fn small_call() -> Vec<u8> {
    request("POST", "/", &call("chain_id", "[]"))
}

#[tokio::test]
async fn idle_connections_of_one_address_make_way_for_another() {
    let config = ServerConfig {
        connections_max: 8,
        connections_per_address_max: 8,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let oldest = server.ws().await;
    oldest.health().await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..7 {
        crowd.push(RawSocket::connect(server.address).await);
    }
    assert_eq!(server.figure("sluice_rpc_connections").await, 8);
    let answer = exchange_from(2, server.address, &small_call()).await;
    assert_eq!(answer.expect("an answer").status, 200);
    assert_eq!(server.figure("sluice_rpc_made_way_total{limit=\"connections\"}").await, 1);
    assert!(oldest.health().await.is_err(), "the oldest idle one made way");
    // Those who watch the node do not stand in that crowd.
    assert_eq!(get(server.operator, "/healthz").await.status, 200);
    assert_eq!(get(server.operator, "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_crowd_of_addresses_does_not_keep_another_out() {
    let config = ServerConfig {
        connections_max: 64,
        connections_per_address_max: 64,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let mut crowd = Vec::new();
    for number in 0..64 {
        crowd.push(RawSocket::connect_from(10 + number % 16, server.address).await);
    }
    for _ in 0..3 {
        let answer = exchange_from(9, server.address, &small_call()).await;
        assert_eq!(answer.expect("an answer").status, 200);
    }
}

#[tokio::test]
async fn an_address_has_a_bound_of_its_own() {
    let config = ServerConfig { connections_per_address_max: 3, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let mut crowd = Vec::new();
    for _ in 0..3 {
        crowd.push(RawSocket::connect_from(2, server.address).await);
    }
    let answer = exchange_from(2, server.address, &small_call()).await;
    assert!(answer.is_none_or(|answer| answer.status == 503));
    assert_eq!(server.refused("connections").await, 1);
    server.still_answers().await;
}

#[tokio::test]
async fn bodies_that_are_announced_and_do_not_come_take_nothing() {
    let config = ServerConfig {
        bodies_bytes_max: 4 << 20,
        bodies_bytes_per_address_max: 4 << 20,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: 2000000\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    server.until(BODIES, |bytes| bytes == 50).await;
    let large = call("batch_submit", &format!("[\"{}\"]", "A".repeat(1 << 20)));
    let answer = crate::raw::post(server.address, &large).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn bodies_in_memory_are_shared_by_address() {
    let config = ServerConfig {
        bodies_bytes_max: 8 << 20,
        bodies_bytes_per_address_max: 3 << 20,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: 2000000\r\n\r\n";
    let unfinished = [head.as_bytes(), &vec![b' '; 1_900_000]].concat();
    let mut held = connect_from(2, server.address).await.unwrap();
    held.write_all(&unfinished).await.unwrap();
    server.until(BODIES, |bytes| bytes == 1_900_000).await;
    let large = call("batch_submit", &format!("[\"{}\"]", "A".repeat(3 << 19)));
    let large = request("POST", "/", &large);
    let refused = exchange_from(2, server.address, &large).await.unwrap();
    assert_eq!((refused.status, refused.name().as_str()), (503, "node-busy"));
    assert!(refused.head.contains("retry-after: 1"));
    assert_eq!(server.refused("bodies").await, 1);
    assert_eq!(exchange_from(3, server.address, &large).await.unwrap().status, 200);
    drop(held);
    server.until(BODIES, |bytes| bytes == 0).await;
    assert_eq!(exchange_from(2, server.address, &large).await.unwrap().status, 200);
}

#[tokio::test]
async fn calls_in_hand_are_counted_however_few_bytes_they_have() {
    let config = ServerConfig {
        body_bytes_max: 64 << 10,
        bodies_bytes_max: 64 << 10,
        bodies_bytes_per_address_max: 64 << 10,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let list = |calls: usize| format!("[{}]", vec![call("chain_id", "[]"); calls].join(","));
    let answer = exchange_from(2, server.address, &request("POST", "/", &list(8))).await.unwrap();
    assert_eq!(answer.json().as_array().map(Vec::len), Some(8));
    // 4 KiB each.
    let refused = exchange_from(2, server.address, &request("POST", "/", &list(32))).await.unwrap();
    assert_eq!((refused.status, refused.name().as_str()), (503, "node-busy"));
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    assert_eq!(server.refused("bodies").await, 1);
    server.until(BODIES, |bytes| bytes == 0).await;
}

#[tokio::test]
async fn subscriptions_of_one_address_make_way_for_another() {
    let config = ServerConfig {
        subscriptions_max: 6,
        subscriptions_per_address_max: 6,
        subscriptions_per_connection_max: 3,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    let (one, two) = (server.ws().await, server.ws().await);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(one.subscribe_blocks(None).await.unwrap());
        held.push(two.subscribe_blocks(None).await.unwrap());
    }
    let mut other = RawSocket::connect_from(2, server.address).await;
    for _ in 0..2 {
        other.send_text(&call("chain_subscribe_blocks", "[]")).await;
        let answer = other.next_json().await;
        assert!(answer["error"].is_null(), "{answer}");
    }
    assert!(one.health().await.is_err() != two.health().await.is_err(), "one of them made way");
}
