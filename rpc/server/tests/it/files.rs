//! Files beside JSON-RPC: each at its path, by GET and HEAD, within the budget of its address.

use bytes::Bytes;
use rpc_server::{ServerConfig, StaticFile};

use crate::raw::{Answer, call, exchange};
use crate::served::TestServer;

fn files() -> Vec<StaticFile> {
    let page = StaticFile {
        path: "/pages/",
        content_type: "text/html; charset=utf-8",
        tag: "abc".to_owned(),
        content_policy: "default-src 'none'".to_owned(),
        bytes: Bytes::from_static(b"<!doctype html>"),
        gzip: None,
    };
    let script = StaticFile {
        path: "/pages/main.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: Bytes::from_static(b"// a script"),
        ..page.clone()
    };
    vec![page, script]
}

async fn ask(server: &TestServer, method: &str, path: &str, headers: &str) -> Answer {
    let request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n");
    exchange(server.address, request.as_bytes()).await.expect("an answer")
}

const HOST: &str = "host: localhost\r\n";

#[tokio::test]
async fn a_file_is_served_at_its_path_and_nowhere_else() {
    let server = TestServer::with(ServerConfig { files: files(), ..ServerConfig::default() }).await;
    let page = ask(&server, "GET", "/pages/", HOST).await;
    assert_eq!((page.status, &*page.body), (200, "<!doctype html>"));
    for header in [
        "content-type: text/html; charset=utf-8",
        "content-length: 15",
        "content-security-policy: default-src 'none'",
        "etag: w/\"abc\"",
    ] {
        assert!(page.head.contains(header), "{header}: {page:?}");
    }
    assert_eq!(ask(&server, "GET", "/pages/main.js?x=1", HOST).await.body, "// a script");
    let head = ask(&server, "HEAD", "/pages/", HOST).await;
    assert_eq!((head.status, &*head.body), (200, ""));
    assert!(head.head.contains("content-length: 15"), "{head:?}");
    let slash = ask(&server, "GET", "/pages", HOST).await;
    assert_eq!(slash.status, 308);
    assert!(slash.head.contains("location: /pages/"), "{slash:?}");
    let others =
        ["/pages/other.js", "/pages/../pages/", "/pages//", "/PAGES/", "/pages/%2e%2e/", "/x"];
    for path in others {
        assert_eq!(ask(&server, "GET", path, HOST).await.status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = ask(&server, method, "/pages/", HOST).await;
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.contains("allow: get, head"), "{answer:?}");
    }
    let known =
        ask(&server, "GET", "/pages/", &format!("{HOST}if-none-match: W/\"abc\"\r\n")).await;
    assert_eq!((known.status, &*known.body), (304, ""));
    assert_eq!(ask(&server, "GET", "/pages/", "host: evil.example\r\n").await.status, 403);
    server.still_answers().await;
}

#[tokio::test]
async fn without_files_no_path_but_that_of_calls_is_served() {
    let server = TestServer::start().await;
    for path in ["/pages/", "/pages", "/explorer/"] {
        assert_eq!(ask(&server, "GET", path, HOST).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_file_counts_as_a_call() {
    let config =
        ServerConfig { files: files(), calls_per_second_max: 3, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let mut refused = None;
    for _ in 0..1_000 {
        let answer = ask(&server, "GET", "/pages/main.js", HOST).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the budget is spent at some time");
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    assert!(server.refused("calls").await > 0);
}

#[tokio::test]
async fn a_page_of_the_nodes_own_may_call_and_others_may_not() {
    let server = TestServer::with(ServerConfig { files: files(), ..ServerConfig::default() }).await;
    let host = server.address.to_string();
    let body = call("node_health", "[]");
    let post = async |origin: &str| {
        let headers = format!(
            "host: {host}\r\norigin: {origin}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n",
            body.len()
        );
        let request = format!("POST / HTTP/1.1\r\nconnection: close\r\n{headers}\r\n{body}");
        exchange(server.address, request.as_bytes()).await.expect("an answer").status
    };
    assert_eq!(post(&format!("http://{host}")).await, 200);
    let other_port = format!("http://{}", server.operator);
    for origin in [other_port.as_str(), "http://evil.example", "null"] {
        assert_eq!(post(origin).await, 403, "{origin}");
    }
}
