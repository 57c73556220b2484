//! A client by hand: it sends what no library would, from an address of its own, and reads what
//! came of it. Reading has a guard against hanging, which is no measure of pace.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// A guard against hanging.
const PATIENCE: Duration = Duration::from_secs(120);

pub const CONTINUE: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// An answer of HTTP.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("its body is no JSON: {error}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.contains("close"))
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Connects to `to` from an address of the loopback network.
pub async fn connect(from: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, from)), 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A connection and what was read from it and not used.
#[derive(Debug)]
pub struct Wire {
    pub stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    pub async fn open(from: u8, to: SocketAddr) -> Result<Self, String> {
        let stream = connect(from, to).await.map_err(|error| format!("no connection: {error}"))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends; the peer may close before it has read all.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = tokio::time::timeout(PATIENCE, self.stream.write_all(bytes)).await;
        let sent = sent.map_err(|_| "it does not read".to_owned())?;
        sent.map_err(|error| format!("it closed: {error}"))
    }

    /// Sends what may be more than the peer reads before it answers, and gives what it answers.
    pub async fn send_and_read_head(
        &mut self,
        bytes: &[u8],
        to_head: bool,
    ) -> Result<Option<Response>, String> {
        let Self { stream, received } = self;
        let (mut read, mut write) = stream.split();
        let sending = async {
            let _ = write.write_all(bytes).await;
            std::future::pending::<()>().await;
        };
        let reading = async {
            loop {
                if let Some(end) = end_of_head(received) {
                    return Some(end);
                }
                if !matches!(read.read_buf(received).await, Ok(count) if count > 0) {
                    return None;
                }
            }
        };
        let raced = async {
            tokio::select! {
                end = reading => end,
                () = sending => None,
            }
        };
        let end = tokio::time::timeout(PATIENCE, raced).await;
        match end.map_err(|_| "it neither answers nor closes".to_owned())? {
            Some(_) => self.response(to_head).await,
            None => Ok(None),
        }
    }

    async fn more(&mut self) -> Result<usize, String> {
        let reading = self.stream.read_buf(&mut self.received);
        let read = tokio::time::timeout(PATIENCE, reading).await;
        Ok(read.map_err(|_| "it neither answers nor closes".to_owned())?.unwrap_or(0))
    }

    /// The next answer of HTTP; `None` when the peer closed without one.
    pub async fn response(&mut self, to_head: bool) -> Result<Option<Response>, String> {
        let end = loop {
            if let Some(end) = end_of_head(&self.received) {
                break end;
            }
            if self.more().await? == 0 {
                let left = String::from_utf8_lossy(&self.received).into_owned();
                return if left.is_empty() {
                    Ok(None)
                } else {
                    Err(format!("half a head: {left}"))
                };
            }
        };
        let head = String::from_utf8_lossy(&self.received[..end]).into_owned();
        self.received.drain(..end);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(|| format!("no status: {head}"))?;
        let len = header(&head, "content-length").and_then(|len| len.parse().ok()).unwrap_or(0);
        let len: usize = if to_head || status < 200 || status == 204 { 0 } else { len };
        while self.received.len() < len {
            if self.more().await? == 0 {
                return Err(format!("half a body: {head}"));
            }
        }
        let body = self.received.drain(..len).collect();
        Ok(Some(Response { status, head, body }))
    }

    /// Returns true if the peer has closed, or does before anything more comes.
    pub async fn is_closed(&mut self) -> Result<bool, String> {
        Ok(self.received.is_empty() && self.more().await? == 0)
    }

    /// Returns true if there is something that nobody asked for.
    pub fn has_surplus(&self) -> bool {
        !self.received.is_empty()
    }

    /// Asks for a WebSocket.
    pub async fn upgrade(mut self) -> Result<Self, String> {
        self.send(
            b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await?;
        match self.response(false).await? {
            Some(response) if response.status == 101 => Ok(self),
            other => Err(format!("no WebSocket: {other:?}")),
        }
    }

    /// The next frame's code and payload; `None` when the peer has closed.
    pub async fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        loop {
            if let Some((code, start, end)) = whole_frame(&self.received)? {
                let payload = self.received[start..end].to_vec();
                self.received.drain(..end);
                return Ok(Some((code, payload)));
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// The next message that is no event of a subscription; pings are answered.
    pub async fn message(&mut self) -> Result<Value, String> {
        loop {
            match self.frame().await? {
                Some((TEXT, payload)) => {
                    let value: Value = serde_json::from_slice(&payload)
                        .map_err(|error| format!("a message that is no JSON: {error}"))?;
                    if value.get("method").is_none() {
                        return Ok(value);
                    }
                }
                Some((PING, payload)) => self.send(&frame(PONG, true, &payload)).await?,
                Some((PONG, _)) => {}
                other => return Err(format!("no message: {other:?}")),
            }
        }
    }
}

fn end_of_head(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The first frame's code, and where its payload is.
fn whole_frame(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, String> {
    let [first, second, ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 || first & 0x80 == 0 || second & 0x80 != 0 {
        return Err(format!("a frame that no server sends: {first:x} {second:x}"));
    }
    let length = |bytes: &[u8]| bytes.iter().fold(0, |len, byte| (len << 8) | usize::from(*byte));
    let (start, len) = match second & 0x7f {
        126 if bytes.len() >= 4 => (4, length(&bytes[2..4])),
        127 if bytes.len() >= 10 => (10, length(&bytes[2..10])),
        126 | 127 => return Ok(None),
        len => (2, len.into()),
    };
    Ok((bytes.len() >= start + len).then_some((first & 0x0f, start, start + len)))
}

/// Builds a client's WebSocket frame, masked as clients mask.
pub fn frame(code: u8, is_last: bool, payload: &[u8]) -> Vec<u8> {
    let mask = [0x5a, 0x00, 0xff, 0x13];
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
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// A request of HTTP with a JSON body.
pub fn post(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
