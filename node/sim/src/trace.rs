//! A running digest of everything that happens: two runs of one seed must end with the same.

use chain_types::{Digest, hash};

/// The digest so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace(Digest);

impl Trace {
    /// Takes in one event.
    pub fn note(&mut self, at_ms: u64, what: &str, details: &[u8]) {
        self.0 = hash::sha256(&[&self.0.bytes(), &at_ms.to_le_bytes(), what.as_bytes(), details]);
    }

    /// The digest of all events.
    pub fn digest(&self) -> Digest {
        self.0
    }
}
