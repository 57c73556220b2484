//! Starting, being watched, stopping.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use rpc_api::{ChainRpcClient as _, NodeRpcClient as _};
use rpc_server::{Reader, Server, ServerConfig};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::raw::get;
use crate::served::{TestNode, TestServer, methods};

#[tokio::test]
async fn a_port_in_use_is_named_with_a_remedy() {
    let server = TestServer::start().await;
    let config = ServerConfig { listen: server.address, ..ServerConfig::default() };
    let registry = Arc::new(Mutex::new(Registry::default()));
    let node = TestNode::new();
    let serves = |reader: &Reader| methods(&node, reader);
    let started = Server::start(config, serves, node.health(), registry, CancellationToken::new());
    let text = started.unwrap_err().to_string();
    assert!(text.contains(&server.address.to_string()), "{text}");
    assert!(text.contains("another program listens there; stop that program"), "{text}");
}

#[tokio::test]
async fn readiness_follows_the_node_and_health_the_process() {
    let server = TestServer::start().await;
    assert_eq!(get(server.operator, "/readyz").await.status, 200);
    server.node.is_ready.store(false, Ordering::Release);
    let answer = get(server.operator, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["reason"], "catching up");
    let healthy = get(server.operator, "/healthz").await;
    assert_eq!((healthy.status, healthy.body.as_str()), (200, "ok\n"));
    assert!(!server.http().health().await.unwrap().is_ready);
}

#[tokio::test]
async fn it_stops_while_clients_hold_connections() {
    let mut server = TestServer::start().await;
    let ws = server.ws().await;
    let mut blocks = ws.subscribe_blocks(None).await.unwrap();
    let _idle = TcpStream::connect(server.address).await.unwrap();
    let http = server.http();
    http.health().await.unwrap();
    server.cancel.cancel();
    let running = server.server.take().unwrap();
    tokio::time::timeout(Duration::from_secs(30), running.stopped()).await.expect("it stops");
    assert!(TcpStream::connect(server.address).await.is_err(), "the port is free");
    let end = tokio::time::timeout(Duration::from_secs(30), blocks.next()).await;
    assert!(end.expect("the subscription ends").is_none_or(|event| event.is_err()));
}
