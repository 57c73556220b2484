//! Plain HTTP GET, for health probes and metrics: the typed client covers everything else.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The most bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The status code that `GET path` on `address` (host:port) gives within `timeout`, or `None`
/// when nothing answers.
pub async fn status(address: &str, path: &str, timeout: Duration) -> Option<u16> {
    status_of(&answer(address, path, timeout).await?)
}

/// The text that `GET path` on `address` gives within `timeout`, its header included.
pub async fn text(address: &str, path: &str, timeout: Duration) -> Option<String> {
    String::from_utf8(answer(address, path, timeout).await?).ok()
}

async fn answer(address: &str, path: &str, timeout: Duration) -> Option<Vec<u8>> {
    tokio::time::timeout(timeout, request(address, path)).await.ok().flatten()
}

async fn request(address: &str, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

/// The code of an HTTP/1 status line.
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_gives_its_code_and_anything_else_nothing() {
        assert_eq!(status_of(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), Some(200));
        assert_eq!(status_of(b"HTTP/1.1 503 Service Unavailable\r\n"), Some(503));
        for bytes in [&b""[..], b"HTTP/1.1", b"SSH-2.0-x 200\r\n", b"\xff\xfe 200\r\n"] {
            assert_eq!(status_of(bytes), None);
        }
    }
}
