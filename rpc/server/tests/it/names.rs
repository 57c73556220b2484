//! Who may ask: the name that the node is addressed by, web pages of other origins, and clients
//! behind a proxy.

use rpc_server::ServerConfig;

use crate::raw::{Answer, call, exchange};
use crate::served::TestServer;

async fn ask(server: &TestServer, method: &str, headers: &str) -> Answer {
    let body = call("chain_id", "[]");
    let text = format!(
        "{method} / HTTP/1.1\r\n{headers}content-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    exchange(server.address, text.as_bytes()).await.expect("an answer")
}

const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn by_default_no_web_page_of_another_origin_is_served() {
    let server = TestServer::start().await;
    for origin in ["https://evil.example", "null", "http://localhost:8080"] {
        let headers = format!("host: localhost\r\norigin: {origin}\r\n");
        for method in ["POST", "OPTIONS"] {
            let answer = ask(&server, method, &headers).await;
            assert_eq!(answer.status, 403, "{answer:?}");
            assert!(answer.body.contains("rpc.origins"), "{answer:?}");
            assert!(!answer.head.contains("access-control-allow-origin"), "{answer:?}");
        }
        let upgrade = format!("GET / HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n{UPGRADE}");
        let upgrade = upgrade.replace("connection: upgrade", "connection: upgrade, close");
        let answer = exchange(server.address, upgrade.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 403);
    }
    assert_eq!(server.refused("origin").await, 9);
    let answer = ask(&server, "POST", "host: localhost\r\n").await;
    assert_eq!(answer.status, 200);
    assert!(!answer.head.contains("access-control"), "{answer:?}");
}

#[tokio::test]
async fn an_origin_that_the_operator_named_may_call() {
    let origins = vec!["https://good.example".to_owned()];
    let server = TestServer::with(ServerConfig { origins, ..ServerConfig::default() }).await;
    let headers = "host: localhost\r\norigin: https://good.example\r\n";
    let preflight = ask(&server, "OPTIONS", headers).await;
    assert_eq!(preflight.status, 204);
    assert!(preflight.head.contains("access-control-allow-headers: content-type"));
    let answer = ask(&server, "POST", headers).await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("access-control-allow-origin: https://good.example"));
    assert!(answer.head.contains("vary: origin"));
}

/// A page whose name is made to resolve to the node sends that name as its host.
#[tokio::test]
async fn a_node_answers_to_its_own_names_only() {
    let hosts = vec!["node.example".to_owned()];
    let server = TestServer::with(ServerConfig { hosts, ..ServerConfig::default() }).await;
    for host in ["evil.example", "evil.example:26001", "node.example.evil.example"] {
        let answer = ask(&server, "POST", &format!("host: {host}\r\n")).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.body.contains("rpc.hosts"), "{answer:?}");
    }
    let malformed = ["", "host: a b\r\n", "host: user@localhost\r\n", "host: localhost:port\r\n"];
    for headers in malformed.into_iter().chain(["host: localhost\r\nhost: localhost\r\n"]) {
        assert_eq!(ask(&server, "POST", headers).await.status, 400, "{headers}");
    }
    for host in ["node.example", "NODE.example:443", "localhost:1", "127.0.0.1", "[::1]:9"] {
        assert_eq!(ask(&server, "POST", &format!("host: {host}\r\n")).await.status, 200, "{host}");
    }
    assert_eq!(server.refused("host").await, 8);
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_budgets_of_their_own() {
    let config = ServerConfig {
        calls_per_second_max: 3,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    // What a client writes itself stands before what the proxy adds, and counts for nothing.
    let spent = async |client: &str| {
        for number in 0..1_000 {
            let headers =
                format!("host: localhost\r\nx-forwarded-for: 1.2.3.{}, {client}\r\n", number % 250);
            if ask(&server, "POST", &headers).await.status == 429 {
                return true;
            }
        }
        false
    };
    assert!(spent("198.51.100.1").await);
    let other = "host: localhost\r\nx-forwarded-for: 198.51.100.2\r\n";
    assert_eq!(ask(&server, "POST", other).await.status, 200);
    assert_eq!(ask(&server, "POST", "host: localhost\r\n").await.status, 200);
}

#[tokio::test]
async fn a_stranger_does_not_choose_its_address() {
    let server =
        TestServer::with(ServerConfig { calls_per_second_max: 3, ..ServerConfig::default() }).await;
    let mut spent = false;
    for number in 0..1_000 {
        let headers = format!("host: localhost\r\nx-forwarded-for: 1.2.3.{}\r\n", number % 250);
        spent |= ask(&server, "POST", &headers).await.status == 429;
        if spent {
            break;
        }
    }
    assert!(spent, "all of them are one address");
}
