//! HTTP by hand, for what a well-behaved client would not send.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::served::TestServer;

/// A guard against hanging, never a measure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `holds` is true, at whatever pace.
pub async fn wait_for(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let held = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The answer of a server before it closed the connection.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The JSON-RPC error's code.
    pub fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"))
    }

    /// The error's name, of those with a positive code.
    pub fn name(&self) -> String {
        self.json()["error"]["data"]["name"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request as it is and reads until the server closes; `None` if it says nothing. The
/// request asks for the connection to be closed after it.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    send_and_read(address, bytes, false).await
}

/// Sends the same way bytes that need not be a request; the client then ends its sending side.
pub async fn exchange_and_end(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    send_and_read(address, bytes, true).await
}

/// Sends the same way from another address of this machine's loopback network.
pub async fn exchange_from(last: u8, address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let stream = connect_from(last, address).await.ok()?;
    send_over(stream, bytes, false).await
}

/// Connects from the address 127.0.0.`last`.
pub async fn connect_from(last: u8, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(address).await
}

async fn send_and_read(address: SocketAddr, bytes: &[u8], ends: bool) -> Option<Answer> {
    send_over(TcpStream::connect(address).await.unwrap(), bytes, ends).await
}

async fn send_over(mut stream: TcpStream, bytes: &[u8], ends: bool) -> Option<Answer> {
    // The server may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    if ends {
        let _ = stream.shutdown().await;
    }
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
    parse(&received)
}

pub fn parse(received: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(received);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// A request with a body, after which the connection closes.
pub fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub async fn post(address: SocketAddr, body: &str) -> Answer {
    exchange(address, &request("POST", "/", body)).await.expect("an answer")
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    exchange(address, &request("GET", path, "")).await.expect("an answer")
}

/// A WebSocket by hand.
pub struct RawSocket {
    pub stream: TcpStream,
    received: Vec<u8>,
}

/// Codes of WebSocket frames (RFC 6455, 5.2).
pub const CONTINUE: u8 = 0;
pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// A client's frame, masked with zeros: the payload is itself.
pub fn frame(code: u8, is_last: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![code | if is_last { 0x80 } else { 0 }];
    match payload.len() {
        len @ 0..=125 => bytes.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

impl RawSocket {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::upgrade(TcpStream::connect(address).await.unwrap()).await
    }

    pub async fn connect_from(last: u8, address: SocketAddr) -> Self {
        Self::upgrade(connect_from(last, address).await.unwrap()).await
    }

    async fn upgrade(mut stream: TcpStream) -> Self {
        let upgrade = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
            upgrade: websocket\r\nsec-websocket-version: 13\r\n\
            sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(upgrade).await.unwrap();
        let mut received = Vec::new();
        while !received.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0, "no handshake");
        }
        assert!(received.starts_with(b"HTTP/1.1 101"));
        let end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        received.drain(..end);
        Self { stream, received }
    }

    pub async fn send_text(&mut self, text: &str) {
        self.stream.write_all(&frame(TEXT, true, text.as_bytes())).await.unwrap();
    }

    /// The next frame's code and payload; `None` when the server has closed.
    pub async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((code, start, end)) = whole_frame(&self.received) {
                let payload = self.received[start..end].to_vec();
                self.received.drain(..end);
                return Some((code, payload));
            }
            if self.stream.read_buf(&mut self.received).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next text message; pings are passed over.
    pub async fn next_json(&mut self) -> Value {
        loop {
            match self.next().await {
                Some((TEXT, payload)) => return serde_json::from_slice(&payload).unwrap(),
                Some((PING, _)) => {}
                other => panic!("no message: {other:?}"),
            }
        }
    }
}

/// The first frame's code, and where its payload is.
fn whole_frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (start, len) = match second & 0x7f {
        126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap()).into()),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()) as usize),
        len => (2, len.into()),
    };
    (bytes.len() >= start + len).then_some((first & 0x0f, start, start + len))
}

/// One call's JSON text.
pub fn call(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// The value of a figure, summed over its labels.
pub async fn figure(server: &TestServer, name: &str) -> u64 {
    let body = get(server.operator, "/metrics").await.body;
    let values = body.lines().filter(|line| line.starts_with(name));
    values.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}
