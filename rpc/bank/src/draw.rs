//! Seeded draws. Each act of the bank has draws of its own, by its number: an act that a crash
//! undid is drawn again in the same way.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::fate::PaymentFate;
use crate::habits::BankHabits;

/// The draws of one act.
#[derive(Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// Draws what happens `share` times of 1,000.
    pub(crate) fn happens(&mut self, share: u64) -> bool {
        self.0.random_range(0..1_000) < share
    }

    /// Draws a number up to `most`.
    pub(crate) fn up_to(&mut self, most: u64) -> u64 {
        self.0.random_range(0..=most)
    }

    /// Draws the fate of a payment.
    pub(crate) fn fate(&mut self, habits: &BankHabits) -> PaymentFate {
        let mut drawn: u64 = self.0.random_range(0..1_000);
        for (fate, share) in habits.fates() {
            if drawn < share {
                return fate;
            }
            drawn -= share;
        }
        PaymentFate::Credited
    }
}
