//! Lines of bounded length: what a client sent may stand in a line of somebody else's making.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Bytes of the longest line.
pub const LINE_BYTES_MAX: usize = 4_096;

/// Cuts the lines that go to the writers of `M`.
#[derive(Debug, Clone)]
pub struct Lines<M> {
    inner: M,
    json: bool,
}

impl<M> Lines<M> {
    /// `json`: whether each line is an object, and must stay one when it is cut.
    pub const fn new(inner: M, json: bool) -> Self {
        Self { inner, json }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Lines<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { inner: self.inner.make_writer(), json: self.json }
    }
}

/// Writes one line, which comes whole in one call.
#[derive(Debug)]
pub struct Line<W> {
    inner: W,
    json: bool,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match cut(bytes, self.json) {
            Some(line) => self.inner.write_all(line.as_bytes())?,
            None => self.inner.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The start of a line that is too long, and how long it was; `None` for one that is not.
fn cut(bytes: &[u8], json: bool) -> Option<String> {
    if bytes.len() <= LINE_BYTES_MAX {
        return None;
    }
    let length = bytes.len();
    // In JSON, a character of the start may take two of the new line, and a control six.
    let kept = if json { LINE_BYTES_MAX / 8 } else { LINE_BYTES_MAX - 64 };
    let start = String::from_utf8_lossy(&bytes[..kept]);
    let start = start.trim_end_matches(char::REPLACEMENT_CHARACTER);
    Some(if json {
        let object = serde_json::json!({
            "level": "WARN",
            "message": "log line was cut",
            "bytes": length,
            "start": start,
        });
        format!("{object}\n")
    } else {
        format!("{start}.. ({length} bytes, cut)\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_others_are_as_they_were() {
        let long = "ä\"\u{1}".repeat(500_000);
        for json in [false, true] {
            assert_eq!(cut(b"short\n", json), None);
            let line = cut(long.as_bytes(), json).unwrap_or_default();
            assert!(line.len() <= LINE_BYTES_MAX && line.ends_with('\n'), "{}", line.len());
            assert!(line.contains("2000000"), "{line}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), json);
        }
    }
}
