//! Numbers drawn from one seed, by integer arithmetic alone.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// A stream of numbers that its seed determines.
#[derive(Debug, Clone)]
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// Returns the stream of a seed.
    pub fn of_seed(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Draws a number of 64 bits, each equally often.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Draws a number below `end`, each equally often; zero if there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        high_half(self.any(), end)
    }

    /// Draws a number of a range that includes both ends.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Draws a number below `end`, low ones more often: a quarter falls below a sixteenth of it.
    pub fn skewed(&mut self, end: u64) -> u64 {
        let number = self.any();
        high_half(high_half(number, number), end)
    }

    /// Draws true in `percent` of 100 cases.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Draws 16 random bytes, for a pseudonym.
    pub fn bytes(&mut self) -> [u8; 16] {
        ((u128::from(self.any()) << 64) | u128::from(self.any())).to_le_bytes()
    }
}

/// Returns the upper 64 bits of a product.
fn high_half(one: u64, other: u64) -> u64 {
    ((u128::from(one) * u128::from(other)) >> 64) as u64
}
