//! The options of an overload.

/// The clients and runs of an overload.
#[derive(Debug, Clone)]
pub struct OverloadOptions {
    /// How many times the capacity the crowd offers: a run for each, with each number of rogues.
    pub factors: Vec<u64>,
    /// How many clients keep to nothing.
    pub rogues: Vec<usize>,
    /// How many paced clients offer too much together.
    pub crowd: usize,
    /// How many paced clients stay well within their shares.
    pub calm: usize,
    /// How long each order of theirs is valid, in milliseconds.
    pub valid_ms: u64,
}

impl OverloadOptions {
    /// Returns the number of submitters that the network needs.
    pub fn submitters(&self) -> usize {
        self.crowd + self.calm + self.rogues.iter().max().copied().unwrap_or(0)
    }
}
