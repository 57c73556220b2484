//! JSON-RPC 2.0 to the letter, and nothing of what clients do in the log.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tracing::{Event, Level, Metadata, Subscriber, span};

use crate::raw::{RawSocket, call, get, post, wait_for};
use crate::served::TestServer;

#[tokio::test]
async fn ids_are_echoed_exactly_or_refused_by_name() {
    let server = TestServer::start().await;
    let with_id = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"chain_id"}}"#);
    for id in ["0", "7", "18446744073709551615", "\"\"", "\"a \\u00e4 \\n\"", "null"] {
        let answer = post(server.address, &with_id(id)).await.json();
        assert_eq!(answer["id"], serde_json::from_str::<Value>(id).unwrap(), "{id}");
        assert!(answer["result"].is_string(), "{answer}");
    }
    for id in ["-1", "1.0", "1e3", "18446744073709551616", "true", "[1]", "{}"] {
        let answer = post(server.address, &with_id(id)).await.json();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(null), &json!(-32600)));
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("`id` must be") && message.contains(id), "{message}");
    }
}

#[tokio::test]
async fn a_request_has_one_meaning_or_none() {
    let server = TestServer::start().await;
    let rows = [
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"chain_id"}"#, "`id` is given twice"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"chain_id","method":"x"}"#, "`method` is given twice"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"chain_id","params":[],"params":[]}"#, "`params` is"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"chain_id","params":"x"}"#, "array or an object"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"chain_id","params":null}"#, "array or an object"),
        (r#"{"jsonrpc":"2","id":1,"method":"chain_id"}"#, "`jsonrpc` must be"),
        (r#"{"jsonrpc":"2.0","id":1}"#, "`method` is missing"),
        ("[]", "the list is empty"),
        ("5", "a request is an object"),
    ];
    for (body, words) in rows {
        let answer = post(server.address, body).await;
        assert_eq!(answer.code(), -32600, "{body}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words), "{body}: {message}");
        // The same over WebSocket, answered once.
        let mut socket = RawSocket::connect(server.address).await;
        socket.send_text(body).await;
        socket.send_text(r#"{"jsonrpc":"2.0","id":"next","method":"chain_id"}"#).await;
        let mut answers = [socket.next_json().await, socket.next_json().await];
        answers.sort_by_key(|answer| answer["id"] == "next");
        assert_eq!(answers[0]["error"]["message"], message, "{body}");
        assert_eq!(answers[1]["id"], "next");
    }
}

#[tokio::test]
async fn notifications_are_not_answered() {
    let server = TestServer::start().await;
    let notification = r#"{"jsonrpc":"2.0","method":"chain_id"}"#;
    for body in [notification.to_owned(), format!("[{notification},{notification}]")] {
        let answer = post(server.address, &body).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    let mixed = format!("[{notification},{}]", call("chain_id", "[]"));
    assert_eq!(post(server.address, &mixed).await.json().as_array().unwrap().len(), 1);
    let mut socket = RawSocket::connect(server.address).await;
    socket.send_text(notification).await;
    socket.send_text(&call("chain_id", "[]")).await;
    assert_eq!(socket.next_json().await["id"], 1);
}

/// Counts what an operator would find in the log.
struct Lines;

static LINES: AtomicUsize = AtomicUsize::new(0);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        eprintln!("a line of {}", event.metadata().target());
        LINES.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn nothing_that_a_client_does_is_a_line_of_the_log() {
    let _ = tracing::subscriber::set_global_default(Lines);
    let config = rpc_server::ServerConfig {
        response_bytes_max: 20_000,
        ..rpc_server::ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    server.node.advance_to(1_000);
    let before = LINES.load(Ordering::Relaxed);
    let large = format!("[\"{}\"]", "x".repeat(1_900_000));
    let bodies = [
        call("chain_subscribe_blocks", "[]"),
        call("chain_unsubscribe_blocks", &large),
        call("chain_blocks", "[null, 1000]"),
        call("chain_block", "[{}]"),
        "x".to_owned(),
    ];
    for body in &bodies {
        let answer = post(server.address, body).await;
        assert!(answer.code() < 0, "{answer:?}");
    }
    let mut socket = RawSocket::connect(server.address).await;
    for body in &bodies[2..] {
        socket.send_text(body).await;
        let answer = socket.next_json().await;
        assert!(answer["error"]["code"].as_i64().is_some_and(|code| code < 0), "{answer:.200}");
    }
    for params in ["[77]", &large] {
        socket.send_text(&call("chain_unsubscribe_blocks", params)).await;
        assert_eq!(socket.next_json().await["result"], false);
    }
    socket.send_text(&call("chain_unsubscribe_blocks", &format!("[{large}]"))).await;
    assert_eq!(socket.next_json().await["error"]["code"], -32602);
    assert_eq!(LINES.load(Ordering::Relaxed), before);
}

/// A call of a list that waits for a block keeps no other from its answer; the answers come in the
/// order of the list.
#[tokio::test]
async fn calls_of_a_list_are_answered_side_by_side() {
    let server = TestServer::start().await;
    let submit = call("batch_submit", "[\"AAAA\",\"final\",30000]");
    let list = format!("[{submit},{}]", call("chain_id", "[]"));
    let advancing = async {
        let answered = "sluice_rpc_calls_total{method=\"chain_id\",code=\"0\"} 1";
        wait_for("the second call is answered before the first", async || {
            get(server.operator, "/metrics").await.body.contains(answered)
        })
        .await;
        server.node.advance_to(6);
    };
    let (answer, ()) = tokio::join!(post(server.address, &list), advancing);
    let answers = answer.json();
    assert_eq!(answers[0]["result"]["byte_count"], 3, "{answers}");
    assert_eq!(answers[1]["result"], "09".repeat(32), "{answers}");
}
