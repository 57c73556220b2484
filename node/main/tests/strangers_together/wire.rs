//! Plain sockets from a chosen loopback address: HTTP requests and WebSocket frames, byte by byte.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};

/// A connection to `to` whose own address is `from`.
pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// Writes the text of a JSON-RPC request.
pub fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

/// The header of a POST with so many bytes of body.
pub fn post_header(to: SocketAddr, length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

/// A POST of a body.
pub fn post(to: SocketAddr, body: &str) -> Vec<u8> {
    (post_header(to, body.len()) + body).into_bytes()
}

/// A WebSocket whose handshake is done.
pub async fn websocket(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let mut socket = connect(from, to).await?;
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    let header = format!(
        "GET / HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    );
    socket.write_all(header.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await?);
    }
    if answer.starts_with(b"HTTP/1.1 101") { Ok(socket) } else { Err(io::Error::other("no 101")) }
}

/// A client's text frame (RFC 6455 section 5.2), masked with zeros.
pub fn frame(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match text.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=65_535 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// One connection that is kept for many requests.
pub struct Http {
    socket: BufReader<TcpStream>,
    to: SocketAddr,
}

impl Http {
    pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: BufReader::new(connect(from, to).await?), to })
    }

    /// Status code and body of the answer.
    pub async fn post(&mut self, body: &str) -> io::Result<(u16, String)> {
        self.socket.get_mut().write_all(&post(self.to, body)).await?;
        self.answer().await
    }

    pub async fn get(&mut self, path: &str) -> io::Result<(u16, String)> {
        let header = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.to);
        self.socket.get_mut().write_all(header.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> io::Result<(u16, String)> {
        let mut status = 0;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.socket.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).await?;
        String::from_utf8(body).map(|body| (status, body)).map_err(io::Error::other)
    }
}
