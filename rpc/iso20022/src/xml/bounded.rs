//! An input that ends with an error when a token or the file becomes too long. The parser keeps a
//! token in memory until it ends, and would otherwise keep a whole file that has no tag.

use std::io::{BufRead, Error, Read, Result};

/// The bound that the input passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    Token,
    File,
}

pub(super) struct BoundedInput<R> {
    inner: R,
    token_left: usize,
    file_bytes: u64,
    file_bytes_max: u64,
    pub(super) passed: Option<Passed>,
}

impl<R: BufRead> BoundedInput<R> {
    pub(super) fn new(inner: R, file_bytes_max: u64) -> Self {
        Self { inner, token_left: 0, file_bytes: 0, file_bytes_max, passed: None }
    }

    /// Begins the next token.
    pub(super) fn renew(&mut self, token_bytes_max: usize) {
        self.token_left = token_bytes_max;
    }

    /// Allows a longer file from here on.
    pub(super) fn allow(&mut self, file_bytes_max: u64) {
        self.file_bytes_max = self.file_bytes_max.max(file_bytes_max);
    }

    /// The bytes that were read so far.
    pub(super) fn position(&self) -> u64 {
        self.file_bytes
    }

    pub(super) fn file_bytes_max(&self) -> u64 {
        self.file_bytes_max
    }
}

impl<R: BufRead> Read for BoundedInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let available = self.fill_buf()?;
        let bytes = available.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&available[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }
}

impl<R: BufRead> BufRead for BoundedInput<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let file_left = self.file_bytes_max.saturating_sub(self.file_bytes);
        let left = self.token_left.min(usize::try_from(file_left).unwrap_or(usize::MAX));
        let available = self.inner.fill_buf()?;
        if left == 0 && !available.is_empty() {
            let passed = if file_left == 0 { Passed::File } else { Passed::Token };
            self.passed = Some(passed);
            return Err(Error::other("a bound was passed"));
        }
        Ok(&available[..available.len().min(left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.inner.consume(bytes);
        self.token_left = self.token_left.saturating_sub(bytes);
        self.file_bytes += bytes as u64;
    }
}
