//! WebSocket connections of clients who send much, read little, or frame badly.

use rpc_api::ApiError;
use rpc_server::ServerConfig;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::raw::{
    CLOSE, CONTINUE, PING, PONG, RawSocket, TEXT, call, connect_from, exchange_from, frame, request,
};
use crate::served::TestServer;

const IN_HAND: &str = "sluice_rpc_messages_in_hand";
const ANSWERS: &str = "sluice_rpc_answers_bytes";
const CONNECTIONS: &str = "sluice_rpc_connections";

/// A call with an answer of some hundred kilobytes.
fn large_page() -> String {
    call("chain_blocks", "[null, 1000]")
}

/// A call that waits until the head moves.
fn waiting_call() -> String {
    call("batch_submit", "[\"AAAA\",\"final\",60000]")
}

#[tokio::test]
async fn at_the_bound_of_messages_in_hand_nothing_more_is_read() {
    let config = ServerConfig { calls_per_connection_max: 4, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let mut socket = RawSocket::connect(server.address).await;
    let waiting = waiting_call();
    for _ in 0..4 {
        socket.send_text(&waiting).await;
    }
    server.until(IN_HAND, |count| count == 4).await;
    // Small frames as fast as they are taken: until something is answered, none of them is.
    let calls = 2_000;
    let many = frame(TEXT, true, call("chain_id", "[]").as_bytes()).repeat(calls);
    let (mut read, mut write) = socket.stream.into_split();
    let sending = tokio::spawn(async move {
        let _ = write.write_all(&many).await;
        write
    });
    let answered = "sluice_rpc_calls_total{method=\"chain_id\",code=\"0\"}";
    for _ in 0..50 {
        assert_eq!(server.figure(IN_HAND).await, 4);
        assert_eq!(server.figure(answered).await, 0);
    }
    server.node.advance_to(9);
    let reading = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
    });
    loop {
        assert!(server.figure(IN_HAND).await <= 4);
        if server.figure(answered).await == calls as u64 {
            break;
        }
    }
    drop(sending.await.unwrap());
    reading.await.unwrap();
    server.until(IN_HAND, |count| count == 0).await;
}

/// Seven bytes of garbage cost an answer of many more: without a bound, answers pile up.
#[tokio::test]
async fn garbage_that_is_sent_faster_than_its_answers_are_read_is_bounded() {
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(RawSocket::connect(server.address).await);
    }
    let garbage = frame(TEXT, true, b"x").repeat(100_000);
    let senders: Vec<_> = sockets
        .into_iter()
        .map(|mut socket| {
            let garbage = garbage.clone();
            tokio::spawn(async move {
                let _ = socket.stream.write_all(&garbage).await;
                socket
            })
        })
        .collect();
    for _ in 0..100 {
        assert!(server.figure(IN_HAND).await <= 4 * 64);
        assert!(server.figure(ANSWERS).await <= 4 * 64 * 1_024);
    }
    // What is no request costs as much as one.
    server.until("sluice_rpc_refused_total{limit=\"calls\"}", |count| count > 0).await;
    for sender in senders {
        sender.abort();
    }
    server.until(CONNECTIONS, |count| count == 0).await;
    server.until(IN_HAND, |count| count == 0).await;
    server.until(ANSWERS, |count| count == 0).await;
}

#[tokio::test]
async fn pings_and_fragments_are_charged() {
    let config = ServerConfig { calls_per_second_max: 5, ..ServerConfig::default() };
    for frames in [
        frame(PING, true, b"").repeat(50),
        frame(PONG, true, b"").repeat(50),
        [frame(TEXT, false, b"["), frame(CONTINUE, false, b"").repeat(50)].concat(),
    ] {
        let server = TestServer::with(config.clone()).await;
        let mut socket = RawSocket::connect(server.address).await;
        socket.stream.write_all(&frames).await.unwrap();
        server.until("sluice_rpc_refused_total{limit=\"calls\"}", |count| count > 0).await;
    }
}

#[tokio::test]
async fn who_does_not_read_its_answers_loses_its_connection() {
    let config = ServerConfig {
        write_timeout_ms: 100,
        write_bytes_per_second_min: 100_000_000,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    server.node.advance_to(1_000);
    let ended = "sluice_rpc_refused_total{limit=\"write-time\"}";
    let mut socket = RawSocket::connect(server.address).await;
    let calls = frame(TEXT, true, large_page().as_bytes()).repeat(60);
    socket.stream.write_all(&calls).await.unwrap();
    server.until(ended, |count| count == 1).await;
    server.until(CONNECTIONS, |count| count == 0).await;
    server.until(ANSWERS, |count| count == 0).await;
    // Over HTTP: lists of large pages.
    let list = format!("[{}]", vec![large_page(); 12].join(","));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let posts = request("POST", "/", &list);
    let kept = String::from_utf8(posts).unwrap().replace("connection: close\r\n", "");
    stream.write_all(kept.repeat(4).as_bytes()).await.unwrap();
    server.until(ended, |count| count == 2).await;
    server.until(CONNECTIONS, |count| count == 0).await;
    server.until(ANSWERS, |count| count == 0).await;
    server.still_answers().await;
}

#[tokio::test]
async fn answers_that_an_address_leaves_unread_are_bounded_over_its_connections() {
    let share = 4 << 20;
    let config = ServerConfig {
        answers_bytes_max: 64 << 20,
        answers_bytes_per_address_max: share,
        calls_per_second_max: 1_000_000,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    server.node.advance_to(1_000);
    let calls = frame(TEXT, true, large_page().as_bytes()).repeat(60);
    let list = request("POST", "/", &format!("[{}]", vec![large_page(); 12].join(",")));
    let mut held = Vec::new();
    for _ in 0..6 {
        let mut socket = RawSocket::connect(server.address).await;
        socket.stream.write_all(&calls).await.unwrap();
        held.push(socket.stream);
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&list).await.unwrap();
        held.push(stream);
    }
    server.until("sluice_rpc_refused_total{limit=\"answers\"}", |count| count > 20).await;
    for _ in 0..50 {
        assert!(server.figure(ANSWERS).await <= u64::from(share));
    }
    // Whoever reads, from another address, is served as ever.
    let page = exchange_from(2, server.address, &request("POST", "/", &large_page())).await;
    assert_eq!(page.unwrap().json()["result"]["items"].as_array().unwrap().len(), 1_000);
    drop(held);
    server.until(ANSWERS, |count| count == 0).await;
}

/// The close frame's code, after whatever comes before it.
async fn close_code(socket: &mut RawSocket) -> (Vec<Value>, u16) {
    let mut messages = Vec::new();
    loop {
        match socket.next().await {
            Some((TEXT, payload)) => messages.push(serde_json::from_slice(&payload).unwrap()),
            Some((CLOSE, payload)) => {
                return (messages, u16::from_be_bytes([payload[0], payload[1]]));
            }
            Some(_) => {}
            None => panic!("it closed without a word, after {messages:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_answered_and_closes_in_one_frame_and_in_many() {
    let server = TestServer::start().await;
    let part = vec![b' '; 512 << 10];
    let fragments = [
        frame(TEXT, false, &part),
        frame(CONTINUE, false, &part).repeat(3),
        frame(CONTINUE, true, b"x"),
    ];
    for bytes in [frame(TEXT, true, &vec![b' '; 3 << 20]), fragments.concat()] {
        let mut socket = RawSocket::connect(server.address).await;
        let _ = socket.stream.write_all(&bytes).await;
        let (messages, code) = close_code(&mut socket).await;
        assert_eq!(code, 1009);
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["error"]["code"], ApiError::BodyTooLarge.code());
        assert_eq!(messages[0]["id"], Value::Null);
    }
    server.until("sluice_rpc_bodies_bytes", |bytes| bytes == 0).await;
}

#[tokio::test]
async fn bad_frames_close_with_their_codes() {
    let server = TestServer::start().await;
    let rows = [
        (vec![0x81, 0x01, b'a'], 1002),
        (frame(3, true, b""), 1002),
        (frame(CONTINUE, true, b"a"), 1002),
        (frame(TEXT, true, b"\"\xff\""), 1007),
        (frame(CLOSE, true, &1000_u16.to_be_bytes()), 1000),
        (frame(CLOSE, true, b""), 1000),
        (frame(CLOSE, true, b"x"), 1002),
        (frame(CLOSE, true, &1006_u16.to_be_bytes()), 1002),
        (frame(CLOSE, true, b"\x03\xe8\xff"), 1007),
    ];
    for (bytes, expected) in rows {
        let mut socket = RawSocket::connect(server.address).await;
        socket.stream.write_all(&bytes).await.unwrap();
        assert_eq!(close_code(&mut socket).await.1, expected, "{bytes:?}");
    }
    server.still_answers().await;
}

#[tokio::test]
async fn a_message_that_does_not_come_whole_is_not_waited_for() {
    let config = ServerConfig { body_timeout_ms: 100, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let whole = frame(TEXT, true, &vec![b' '; 100_000]);
    for bytes in [whole[..50_000].to_vec(), frame(TEXT, false, b"["), vec![0x81]] {
        let mut socket = RawSocket::connect(server.address).await;
        socket.stream.write_all(&bytes).await.unwrap();
        assert_eq!(close_code(&mut socket).await.1, 1008);
    }
    server.until("sluice_rpc_bodies_bytes", |bytes| bytes == 0).await;
}

#[tokio::test]
async fn messages_in_pieces_are_one_message_and_pings_are_answered() {
    let server = TestServer::start().await;
    let mut socket = RawSocket::connect(server.address).await;
    let text = call("chain_id", "[]");
    let (head, tail) = text.as_bytes().split_at(20);
    let bytes = [
        frame(TEXT, false, head),
        frame(PING, true, b"are you there"),
        frame(CONTINUE, true, tail),
    ];
    for byte in bytes.concat() {
        socket.stream.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(socket.next().await, Some((PONG, b"are you there".to_vec())));
    assert_eq!(socket.next_json().await["result"], json!("09".repeat(32)));
}

#[tokio::test]
async fn a_subscription_in_a_list_is_refused_and_answered_once() {
    let server = TestServer::start().await;
    let mut socket = RawSocket::connect(server.address).await;
    let list = format!("[{},{}]", call("chain_subscribe_blocks", "[]"), call("chain_id", "[]"));
    socket.send_text(&list).await;
    socket.send_text(&call("chain_head", "[]").replace("1,", "7,")).await;
    let first = socket.next_json().await;
    let second = socket.next_json().await;
    let (answers, head) = if first.is_array() { (first, second) } else { (second, first) };
    assert_eq!(answers[0]["error"]["code"], -32603);
    let message = answers[0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("chain_subscribe_blocks") && message.contains("list"), "{message}");
    assert!(answers[1]["result"].is_string() && answers.as_array().unwrap().len() == 2);
    assert_eq!(head["id"], 7);
    assert_eq!(server.figure("sluice_rpc_subscriptions").await, 0);
}

#[tokio::test]
async fn an_address_that_connects_again_and_again_finds_its_place() {
    let config = ServerConfig {
        connections_max: 8,
        connections_per_address_max: 8,
        ..ServerConfig::default()
    };
    let server = TestServer::with(config).await;
    for _ in 0..40 {
        let stream = connect_from(3, server.address).await.unwrap();
        drop(stream);
        server.until(CONNECTIONS, |count| count < 8).await;
    }
    server.still_answers().await;
}
