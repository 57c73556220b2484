//! What hostile or broken clients send: each gets a clear error, and others are not harmed.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rpc_api::ApiError;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::raw::{RawSocket, TEXT, call, exchange, exchange_and_end, frame, get, post, request};
use crate::served::TestServer;

#[tokio::test]
async fn malformed_calls_get_their_codes() {
    let server = TestServer::start().await;
    let rows = [
        ("", -32700),
        ("{", -32700),
        ("null", -32600),
        ("{}", -32600),
        ("[]", -32600),
        (r#"{"id":1}"#, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"chain_id"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600),
        (&call("no_such_method", "[]"), -32601),
        (&call("", "[]"), -32601),
        (&call("batch_submit", "[]"), -32602),
        (&call("batch_submit", "[5]"), -32602),
        (&call("batch_submit", r#"["AAAA", "soon"]"#), -32602),
        (&call("settlement_window", "[-1]"), -32602),
        (&call("settlement_window", "[1.5]"), -32602),
        (&call("settlement_window", r#"["1"]"#), -32602),
        (&call("settlement_instructions", r#"[{"merchant":1}]"#), -32602),
        (&call("chain_block", "[null]"), -32602),
        (&call("chain_block", "[]"), -32602),
    ];
    for (body, code) in rows {
        let answer = post(server.address, body).await;
        assert_eq!(answer.code(), code, "{body}: {answer:?}");
    }
    server.still_answers().await;
}

#[tokio::test]
async fn parameters_may_be_named() {
    let server = TestServer::start().await;
    let body = call("settlement_windows", r#"{"limit": 3}"#);
    let answer = post(server.address, &body).await;
    assert_eq!(answer.json()["result"]["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn deep_json_is_refused_before_it_is_parsed() {
    let server = TestServer::start().await;
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let code = i64::from(ApiError::JsonTooDeep.code());
    for body in [
        call("chain_block", &deep(64)),
        call("chain_block", &deep(100_000)),
        deep(500_000),
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
    ] {
        let answer = post(server.address, &body).await;
        assert_eq!(answer.code(), code);
        assert_eq!(answer.name(), "json-too-deep");
    }
    assert_eq!(post(server.address, &call("chain_block", &deep(60))).await.code(), -32602);
    // Brackets within a string are text.
    let text = call("recharge_order", &format!("[\"{}\"]", "[".repeat(1_000)));
    assert_eq!(post(server.address, &text).await.json()["result"], 1_000);
    server.still_answers().await;
}

#[tokio::test]
async fn deep_json_is_refused_over_websocket_too() {
    use jsonrpsee::core::client::{ClientT as _, Error};
    let server = TestServer::start().await;
    let client = server.ws().await;
    let mut value = json!([]);
    for _ in 0..100 {
        value = json!([value]);
    }
    let result: Result<serde_json::Value, _> = client.request("chain_block", [value]).await;
    match result {
        Err(Error::Call(error)) => assert_eq!(error.code(), ApiError::JsonTooDeep.code()),
        other => panic!("{other:?}"),
    }
    server.still_answers().await;
}

#[tokio::test]
async fn an_oversized_body_is_answered_not_cut_off() {
    let server = TestServer::start().await;
    let code = i64::from(ApiError::BodyTooLarge.code());
    let large = call("batch_submit", &format!("[\"{}\"]", "A".repeat(7 << 20)));
    let answer = post(server.address, &large).await;
    assert_eq!((answer.status, answer.code()), (413, code));
    // Without a length given up front.
    let mut chunked = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        .to_vec();
    for _ in 0..48 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b'A'; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange(server.address, &chunked).await.expect("an answer");
    assert_eq!((answer.status, answer.code()), (413, code));
    // A length that is a lie so large that nobody would wait for it.
    let lie = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 18446744073709551615\r\n\r\n";
    let answer = exchange_and_end(server.address, lie).await;
    assert!(answer.is_none_or(|answer| answer.status >= 400));
    server.still_answers().await;
}

fn base64_of_zeros(count: usize) -> String {
    rpc_api::encode_base64(&vec![0; count])
}

#[tokio::test]
async fn the_largest_batch_fits() {
    let server = TestServer::start().await;
    // Base64 of a batch of 8,192 recharge items.
    let text = base64_of_zeros(148 + 8_192 * 128);
    let answer = post(server.address, &call("batch_submit", &format!("[\"{text}\"]"))).await;
    assert_eq!(answer.json()["result"]["byte_count"], 148 + 8_192 * 128);
}

#[tokio::test]
async fn a_websocket_message_that_is_too_large_is_answered() {
    use jsonrpsee::core::client::{ClientT as _, Error};
    let server = TestServer::start().await;
    let client = jsonrpsee_ws_client::WsClientBuilder::default()
        .max_request_size(8 << 20)
        .request_timeout(std::time::Duration::from_secs(2))
        .build(format!("ws://{}", server.address))
        .await
        .unwrap();
    let result: Result<serde_json::Value, Error> =
        client.request("batch_submit", ["A".repeat(3 << 20)]).await;
    assert!(result.is_err());
    server.still_answers().await;
}

#[tokio::test]
async fn lists_of_requests_are_bounded() {
    let server = TestServer::start().await;
    let list = |count: usize| format!("[{}]", vec![call("chain_id", "[]"); count].join(","));
    let answer = post(server.address, &list(32)).await;
    assert_eq!(answer.json().as_array().unwrap().len(), 32);
    assert_eq!(post(server.address, &list(33)).await.code(), -32010);
    assert_eq!(post(server.address, &list(10_000)).await.code(), -32010);
    let mixed = format!("[{},{{}},{}]", call("chain_id", "[]"), call("nope", "[]"));
    let answers = post(server.address, &mixed).await.json();
    let codes: Vec<_> = answers.as_array().unwrap().iter().map(|a| &a["error"]["code"]).collect();
    assert_eq!(codes, [&json!(null), &json!(-32600), &json!(-32601)]);
}

#[tokio::test]
async fn other_methods_paths_and_types_are_told() {
    let server = TestServer::start().await;
    assert_eq!(get(server.address, "/").await.status, 405);
    assert_eq!(get(server.address, "/no/such/path").await.status, 404);
    assert_eq!(exchange(server.address, &request("DELETE", "/", "")).await.unwrap().status, 405);
    assert_eq!(get(server.address, "/metrics").await.status, 404, "the operator's, not here");
    let post = request("POST", "/metrics", "");
    assert_eq!(exchange(server.operator, &post).await.unwrap().status, 405);
    let text =
        b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\
        connection: close\r\n\r\n{}";
    assert_eq!(exchange(server.address, text).await.unwrap().status, 415);
    let packed = String::from_utf8(request("POST", "/", &call("chain_id", "[]"))).unwrap();
    let packed = packed.replace("connection:", "content-encoding: gzip\r\nconnection:");
    assert_eq!(exchange(server.address, packed.as_bytes()).await.unwrap().status, 415);
    assert_eq!(exchange(server.address, &request("OPTIONS", "/", "")).await.unwrap().status, 405);
}

#[tokio::test]
async fn garbage_is_survived() {
    let server = TestServer::start().await;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let good = request("POST", "/", &call("chain_block", "[0]"));
    for round in 0..1_500 {
        let bytes = match round % 4 {
            0 => (0..random.random_range(0..400)).map(|_| random.random()).collect(),
            // A good request, changed in some bytes.
            1 => {
                let mut bytes = good.clone();
                for _ in 0..random.random_range(1..6) {
                    let at = random.random_range(0..bytes.len());
                    bytes[at] = random.random();
                }
                bytes
            }
            // A good head with a garbage body.
            2 => {
                let body: Vec<u8> =
                    (0..random.random_range(1..300)).map(|_| random.random()).collect();
                let mut bytes = request("POST", "/", &" ".repeat(body.len()));
                let start = bytes.len() - body.len();
                bytes[start..].copy_from_slice(&body);
                bytes
            }
            // A good request that ends early.
            _ => good[..random.random_range(0..good.len())].to_vec(),
        };
        let answer = exchange_and_end(server.address, &bytes).await;
        if let Some(answer) = answer {
            assert!(answer.status != 500, "{answer:?} to {:?}", String::from_utf8_lossy(&bytes));
        }
    }
    server.still_answers().await;
}

#[tokio::test]
async fn garbage_json_is_survived() {
    let server = TestServer::start().await;
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let words = [
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "null",
        "1e999",
        "-0",
        "\\u0000",
        "\\ud800",
        " ",
        "\"jsonrpc\":\"2.0\"",
        "\"id\":1",
        "\"method\":\"chain_id\"",
        "\"params\":",
        "true",
        "18446744073709551616",
        "\u{feff}",
        "\"batch_submit\"",
    ];
    for _ in 0..1_500 {
        let count = random.random_range(1..30);
        let body: String = (0..count).map(|_| words[random.random_range(0..words.len())]).collect();
        let answer = post(server.address, &body).await;
        assert!(answer.status == 200 || answer.status == 400, "{body}: {answer:?}");
        let answers = answer.json();
        let errors = answers.as_array().cloned().unwrap_or_else(|| vec![answers.clone()]);
        let explains = |answer: &serde_json::Value| {
            answer["result"].is_string() || answer["error"]["code"].as_i64().is_some_and(|c| c != 0)
        };
        assert!(errors.iter().all(explains), "{body}: {answers}");
    }
    server.still_answers().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_not_read_from() {
    let server = TestServer::start().await;
    server.node.advance_to(1_000);
    let mut stream = RawSocket::connect(server.address).await.stream;
    // Small calls with large answers, padded; a frame masked with zeros is the text itself.
    let pad = " ".repeat(60_000);
    let text = call("chain_blocks", &format!("[null, 1000]{pad}"));
    let frame = frame(TEXT, true, text.as_bytes());
    let flood = 256 << 20;
    let mut sent = 0;
    let patience = std::time::Duration::from_secs(3);
    while sent < flood {
        match tokio::time::timeout(patience, stream.write_all(&frame)).await {
            Ok(Ok(())) => sent += frame.len(),
            _ => break,
        }
    }
    assert!(sent < flood / 2, "the server took {sent} bytes from a client that does not read");
    server.still_answers().await;
}
