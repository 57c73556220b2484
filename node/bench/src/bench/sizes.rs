//! Sizes of batches: one size, or the platform's mix.

use rpc_client::orders::Entropy;

use super::draw::AliasTable;

/// The platform's batches: orders in a batch, and how many of a hundred batches have as many. An
/// assumption: docs/performance.md says what it stands on.
pub const PLATFORM_SIZES: [(u32, u32); 8] =
    [(1, 30), (4, 20), (16, 12), (64, 12), (256, 12), (1_024, 8), (4_096, 4), (8_192, 2)];

/// The sizes of a load's batches.
#[derive(Debug, Clone)]
pub struct BatchSizes {
    weights: Vec<(u32, u32)>,
    table: AliasTable,
}

impl BatchSizes {
    /// Returns the sizes of `weights`: orders in a batch, and the weight of such batches.
    pub fn mixed(weights: &[(u32, u32)]) -> Self {
        let table: Vec<f64> = weights.iter().map(|(_, weight)| f64::from(*weight)).collect();
        Self { weights: weights.to_vec(), table: AliasTable::new(&table) }
    }

    /// Returns one size of every batch.
    pub fn fixed(items: u32) -> Self {
        Self::mixed(&[(items, 1)])
    }

    /// Draws the size of the next batch, at least one order.
    pub fn draw(&self, entropy: &mut Entropy) -> usize {
        // One size needs no draw.
        let place = if self.weights.len() > 1 { self.table.draw(entropy) } else { 0 };
        self.weights.get(place).map_or(1, |(items, _)| *items as usize).max(1)
    }

    /// Returns the orders of the largest batch.
    pub fn most(&self) -> usize {
        self.weights.iter().map(|(items, _)| *items as usize).max().unwrap_or(1)
    }

    /// Returns the orders of a batch on average.
    pub fn mean(&self) -> f64 {
        let weights: u64 = self.weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let orders = |(items, weight): &(u32, u32)| u64::from(*items) * u64::from(*weight);
        self.weights.iter().map(orders).sum::<u64>() as f64 / weights.max(1) as f64
    }

    /// Returns the sizes with their shares of the batches, in percent.
    pub fn shares(&self) -> Vec<(u32, f64)> {
        let all: f64 = self.weights.iter().map(|(_, weight)| f64::from(*weight)).sum();
        let share = |(items, weight): &(u32, u32)| (*items, f64::from(*weight) * 100.0 / all);
        self.weights.iter().map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_s_mix_is_drawn_by_its_shares() {
        let (sizes, mut entropy) = (BatchSizes::mixed(&PLATFORM_SIZES), Entropy::seeded(3, 0));
        let all: u32 = PLATFORM_SIZES.iter().map(|(_, weight)| weight).sum();
        assert_eq!((all, sizes.most()), (100, 8_192), "the weights are percent");
        assert!((sizes.mean() - 451.02).abs() < 1e-9, "{}", sizes.mean());
        let mut counts = [0_u32; PLATFORM_SIZES.len()];
        for _ in 0..100_000 {
            let drawn = sizes.draw(&mut entropy);
            let place = PLATFORM_SIZES.iter().position(|(items, _)| *items as usize == drawn);
            counts[place.unwrap_or(usize::MAX)] += 1;
        }
        let chi_square: f64 = counts
            .iter()
            .zip(PLATFORM_SIZES)
            .map(|(count, (_, weight))| {
                let expected = f64::from(weight) * 1_000.0;
                (f64::from(*count) - expected).powi(2) / expected
            })
            .sum();
        assert!(chi_square < 26.0, "{counts:?}: {chi_square}");
    }

    #[test]
    fn one_size_is_every_batch_s_and_leaves_the_other_draws_alone() {
        let (sizes, mut entropy) = (BatchSizes::fixed(500), Entropy::seeded(3, 0));
        assert_eq!((sizes.draw(&mut entropy), sizes.most()), (500, 500));
        assert_eq!((sizes.mean(), sizes.shares()), (500.0, vec![(500, 100.0)]));
        assert_eq!(entropy.number(), Entropy::seeded(3, 0).number());
    }
}
