//! Draws for a load, each in constant time: by weight and by Zipf's law.

use rpc_client::orders::Entropy;

/// The steepest exponent of Zipf's law: a draw is tried at most 16 times on average.
pub const ZIPF_EXPONENT_MAX: f64 = 4.0;
/// Doubles tell 2^53 fractions of one apart.
const FRACTIONS: u64 = 1 << 53;
/// 2^64, the number of values of a `u64`.
const NUMBERS: f64 = 18_446_744_073_709_551_616.0;

/// The generators of a load. Order ids stay fresh, so that no two runs make the same id; what the
/// load chooses follows from a seed.
#[derive(Debug)]
pub struct Draws {
    /// The generator of order ids, devices and networks.
    pub ids: Entropy,
    /// The generator of users, merchants, amounts and batch sizes.
    pub choices: Entropy,
}

impl Draws {
    /// Returns the generators of `stream`; each thread that chooses has a stream of its own.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn new(seed: u64, stream: u64) -> anyhow::Result<Self> {
        Ok(Self { ids: Entropy::fresh()?, choices: Entropy::seeded(seed, stream) })
    }

    /// Returns generators that no other run has, for a load that nobody repeats.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn fresh() -> anyhow::Result<Self> {
        Ok(Self { ids: Entropy::fresh()?, choices: Entropy::fresh()? })
    }

    /// Returns further generators, seeded from these.
    pub fn split(&mut self) -> Self {
        Self { ids: self.ids.split(), choices: self.choices.split() }
    }
}

/// Places with weights. A single random number draws one of them (Vose's alias method).
#[derive(Debug, Clone)]
pub struct AliasTable {
    columns: Vec<Column>,
}

/// A column of the table: two places share it.
#[derive(Debug, Clone, Copy)]
struct Column {
    /// Fractions of the column below this, in 2^-64, are the column's own place.
    own: u64,
    /// The place that has the rest.
    other: usize,
}

impl AliasTable {
    /// Returns the table of `weights`, which are not negative. Without a weight above zero every
    /// place is as likely as the others.
    pub fn new(weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let count = weights.len() as f64;
        let mut shares: Vec<f64> = weights.iter().map(|weight| weight * count / sum).collect();
        let full = |other| Column { own: u64::MAX, other };
        let mut columns: Vec<Column> = (0..weights.len()).map(full).collect();
        // Without a sum no share is below one, and every column stays its place's own.
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..shares.len()).partition(|place| shares[*place] < 1.0);
        while let (Some(place), Some(other)) = (small.pop(), large.last().copied()) {
            // A float is cast to the nearest number within bounds.
            columns[place] = Column { own: (shares[place] * NUMBERS) as u64, other };
            shares[other] -= 1.0 - shares[place];
            if shares[other] < 1.0 {
                large.pop();
                small.push(other);
            }
        }
        Self { columns }
    }

    /// Returns the place that belongs to a random number; zero in an empty table.
    pub fn at(&self, number: u64) -> usize {
        let product = u128::from(number) * self.columns.len() as u128;
        let place = usize::try_from(product >> 64).unwrap_or(0);
        let fraction = u64::try_from(product & u128::from(u64::MAX)).unwrap_or(0);
        self.columns.get(place).map_or(0, |column| {
            if fraction < column.own || column.own == u64::MAX { place } else { column.other }
        })
    }

    /// Draws a place with the next random number of `entropy`.
    pub fn draw(&self, entropy: &mut Entropy) -> usize {
        self.at(entropy.number())
    }
}

/// Ranks by Zipf's law: the rank `k`, from 1, has a weight of `k` to the power of `-exponent`. An
/// exponent of zero makes all ranks alike.
///
/// It draws an octave of ranks by an upper bound of its weight, then a rank within it. It keeps the
/// rank with the probability of its weight over the bound. That is exact, and needs no table of
/// ranks: the cache misses of a table would be the load generator's and not the nodes'.
#[derive(Debug, Clone)]
pub struct Zipf {
    count: u64,
    exponent: f64,
    octaves: AliasTable,
}

impl Zipf {
    /// Returns the law over `count` ranks, at least one; the exponent is from zero to
    /// [`ZIPF_EXPONENT_MAX`].
    pub fn new(count: u64, exponent: f64) -> Self {
        let count = count.max(1);
        let octaves: Vec<f64> = (0..=count.ilog2())
            .map(|octave| {
                let first = 1_u64 << octave;
                width(first, count) as f64 * (first as f64).powf(-exponent)
            })
            .collect();
        Self { count, exponent, octaves: AliasTable::new(&octaves) }
    }

    /// Draws a rank, counted from zero.
    pub fn draw(&self, entropy: &mut Entropy) -> u64 {
        loop {
            let first = 1_u64 << self.octaves.draw(entropy);
            let rank = first + entropy.below(width(first, self.count));
            if rank == first {
                return rank - 1;
            }
            let ratio = first as f64 / rank as f64;
            // The usual exponent needs no logarithm.
            let kept = if self.exponent == 1.0 { ratio } else { ratio.powf(self.exponent) };
            if (entropy.below(FRACTIONS) as f64) < kept * FRACTIONS as f64 {
                return rank - 1;
            }
        }
    }

    /// Returns the weights of the ranks, from the first.
    pub fn weights(&self) -> impl Iterator<Item = f64> + '_ {
        (1..=self.count).map(|rank| (rank as f64).powf(-self.exponent))
    }
}

/// Returns the number of ranks from `first`, a power of two, to the octave's end or the last rank.
fn width(first: u64, count: u64) -> u64 {
    first.min(count - first + 1)
}

#[cfg(test)]
mod tests;
