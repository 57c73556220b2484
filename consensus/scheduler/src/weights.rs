//! Weights by governance: how much one submitter counts beside another.

use std::collections::BTreeMap;

use chain_types::ParticipantId;

/// The weight of whoever governance has given none.
pub const WEIGHT_STANDARD: u32 = 100;
/// The largest weight: 100 times the standard.
pub const WEIGHT_MAX: u32 = 10_000;

/// The weights that differ from the standard. Only registered submitters are given one, so the
/// registry bounds them.
#[derive(Debug, Clone, Default)]
pub struct Weights {
    given: BTreeMap<ParticipantId, u32>,
}

impl Weights {
    /// Sets a submitter's weight, at least 1 and at most [`WEIGHT_MAX`].
    pub fn set(&mut self, submitter: ParticipantId, weight: u32) {
        match weight.clamp(1, WEIGHT_MAX) {
            WEIGHT_STANDARD => self.given.remove(&submitter),
            weight => self.given.insert(submitter, weight),
        };
    }

    /// Returns a submitter's weight.
    pub fn of(&self, submitter: ParticipantId) -> u32 {
        if self.given.is_empty() {
            return WEIGHT_STANDARD;
        }
        self.given.get(&submitter).copied().unwrap_or(WEIGHT_STANDARD)
    }

    /// Returns `items` times the submitter's weight over the standard.
    pub fn scale(&self, items: u64, submitter: ParticipantId) -> u64 {
        items * u64::from(self.of(submitter)) / u64::from(WEIGHT_STANDARD)
    }
}
