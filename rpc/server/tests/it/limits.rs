//! Numbers and times that the configuration bounds.

use std::time::Duration;

use rpc_api::{ApiError, NodeRpcClient as _};
use rpc_server::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::raw::{call, get, parse, post, request, wait_for};
use crate::served::TestServer;

/// Reads until the server closes the connection, which it must.
async fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let reading = stream.read_to_end(&mut received);
    let ended = tokio::time::timeout(Duration::from_secs(30), reading).await;
    let _ = ended.expect("the server closes the connection");
    received
}

#[tokio::test]
async fn a_slow_header_is_cut_off() {
    let config = ServerConfig { header_timeout_ms: 200, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    for start in ["", "POST / HT", "POST / HTTP/1.1\r\nhost: localhost\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        read_to_close(&mut stream).await;
    }
    server.still_answers().await;
}

#[tokio::test]
async fn a_slow_body_is_cut_off_with_a_reason() {
    let config = ServerConfig { body_timeout_ms: 200, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let start = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 1000\r\n\r\n{\"json";
    stream.write_all(start.as_bytes()).await.unwrap();
    let answer = parse(&read_to_close(&mut stream).await).expect("an answer");
    assert_eq!((answer.status, answer.name().as_str()), (408, "body-timeout"));
    server.still_answers().await;
}

#[tokio::test]
async fn too_many_connections_are_told_so_and_closing_makes_room() {
    let config = ServerConfig { connections_max: 2, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let one = server.ws().await;
    let two = server.ws().await;
    // An upgraded connection still counts.
    assert!(one.health().await.unwrap().is_ready && two.health().await.unwrap().is_ready);
    let mut third = TcpStream::connect(server.address).await.unwrap();
    let refused = parse(&read_to_close(&mut third).await).expect("an answer");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.body, "Too many connections; retry, or another node.\n");
    drop(one);
    wait_for("closing a connection makes room for another", async || {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let _ = stream.write_all(&request("POST", "/", &call("chain_id", "[]"))).await;
        let answer = parse(&read_to_close(&mut stream).await);
        answer.is_some_and(|answer| answer.status == 200)
    })
    .await;
    assert!(two.health().await.unwrap().is_ready, "the others were not harmed");
}

#[tokio::test]
async fn a_socket_with_one_of_the_last_descriptors_is_closed_and_the_server_goes_on() {
    // A number that every socket has reached.
    let config = ServerConfig { descriptor_ceiling: 3, ..ServerConfig::default() };
    let mut server = TestServer::with(config).await;
    for _ in 0..5 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        assert_eq!(read_to_close(&mut stream).await, b"");
    }
    server.cancel.cancel();
    server.server.take().unwrap().stopped().await;
}

#[tokio::test]
async fn each_address_has_a_budget() {
    let config = ServerConfig { calls_per_second_max: 3, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let mut spent = None;
    for number in 0..1_000 {
        let body = call("chain_id", "[]").replace(r#""id":1"#, &format!(r#""id":"call-{number}""#));
        let answer = post(server.address, &body).await;
        if answer.status != 200 {
            spent = Some((number, answer));
            break;
        }
    }
    let (number, answer) = spent.expect("the budget ends");
    assert_eq!((answer.status, answer.name().as_str()), (429, "budget-exceeded"));
    assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
    let told = answer.json();
    assert_eq!(told["id"], format!("call-{number}"));
    assert!(told["error"]["data"]["retry_after_ms"].as_u64().is_some_and(|wait| wait > 0));
    assert!(server.refused("calls").await > 0, "it is counted");
    // Calls of a list and of a WebSocket connection are counted one by one.
    let list = format!("[{}]", vec![call("chain_id", "[]"); 30].join(","));
    let answer = post(server.address, &list).await.json();
    let refused = |answer: &serde_json::Value| answer["error"]["code"] == 1010;
    assert!(refused(&answer) || answer.as_array().unwrap().iter().any(refused));
    let ws = server.ws().await;
    let calls = futures::future::join_all((0..100).map(|_| ws.health())).await;
    let refusal = calls.into_iter().find_map(Result::err);
    let Some(jsonrpsee::core::client::Error::Call(error)) = refusal else {
        panic!("a WebSocket connection spends the same budget: {refusal:?}")
    };
    assert_eq!(error.code(), ApiError::BudgetExceeded.code());
    // Health and figures are for those who watch the node.
    assert_eq!(get(server.operator, "/healthz").await.status, 200);
}

#[tokio::test]
async fn figures_are_served() {
    let server = TestServer::start().await;
    server.still_answers().await;
    post(server.address, &call("no_such_method", "[]")).await;
    post(server.address, &call("batch_submit", "[\"AA*A\"]")).await;
    let answer = get(server.operator, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: application/openmetrics-text"));
    for line in [
        "sluice_rpc_calls_total{method=\"node_health\",code=\"0\"} 1",
        "sluice_rpc_calls_total{method=\"unknown\",code=\"-32601\"} 1",
        "sluice_rpc_calls_total{method=\"batch_submit\",code=\"1000\"} 1",
        "sluice_rpc_call_seconds_count{method=\"node_health\"} 1",
        "sluice_rpc_connections ",
        "# EOF",
    ] {
        assert!(answer.body.contains(line), "no {line:?} in\n{}", answer.body);
    }
    assert!(!answer.body.contains("no_such_method"), "clients cannot make labels");
}
