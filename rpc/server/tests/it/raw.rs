//! HTTP by hand, for what a well-behaved client would not send.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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

/// What a server answered before it closed the connection.
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

/// The same for bytes that need be no request: the client says that it sends no more.
pub async fn exchange_and_end(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    send_and_read(address, bytes, true).await
}

async fn send_and_read(address: SocketAddr, bytes: &[u8], ends: bool) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.unwrap();
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

/// One call's JSON text.
pub fn call(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}
