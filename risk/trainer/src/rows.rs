//! Rows to train on: the features of orders in bins, column by column.

use risk_engine::{FEATURES, FeatureVector};

/// The most bins of a feature.
pub const BINS_MAX: usize = 64;
/// Of the thresholds, those that cut the whole range into equal parts.
const EVEN: usize = 40;
/// Of the thresholds, those that cut the largest fiftieth, where fraud is.
const TAIL: usize = BINS_MAX - 1 - EVEN;

/// Orders with their labels. A feature's value is kept as the number of its bin.
#[derive(Debug, Clone)]
pub struct TrainingRows {
    /// Ascending; a value is in the first bin whose threshold is not below it.
    thresholds: Vec<Vec<i64>>,
    /// One list a feature, one bin a row.
    bins: Vec<Vec<u8>>,
    is_fraud: Vec<bool>,
}

impl TrainingRows {
    /// Sorts rows into bins, whose thresholds are taken from the rows.
    pub fn new<'a>(rows: impl Iterator<Item = (&'a FeatureVector, bool)>) -> Self {
        let mut columns = vec![Vec::new(); FEATURES];
        let mut is_fraud = Vec::new();
        for (features, label) in rows {
            for (column, value) in columns.iter_mut().zip(features.values()) {
                column.push(*value);
            }
            is_fraud.push(label);
        }
        let thresholds: Vec<Vec<i64>> = columns.iter().map(|column| cut(column)).collect();
        let binned = columns.iter().zip(&thresholds).map(|(column, thresholds)| {
            let bin = |value: &i64| thresholds.partition_point(|threshold| threshold < value) as u8;
            column.iter().map(bin).collect()
        });
        let bins = binned.collect();
        Self { thresholds, bins, is_fraud }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.is_fraud.len()
    }

    /// Returns true without rows.
    pub fn is_empty(&self) -> bool {
        self.is_fraud.is_empty()
    }

    /// The label of each row.
    pub fn labels(&self) -> &[bool] {
        &self.is_fraud
    }

    /// The bins of a feature, row by row.
    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.bins[feature]
    }

    /// The largest value of each bin of a feature but the last.
    pub(crate) fn thresholds(&self, feature: usize) -> &[i64] {
        &self.thresholds[feature]
    }
}

/// Thresholds at equal parts of a column, finer among its largest values.
fn cut(column: &[i64]) -> Vec<i64> {
    let mut sorted = column.to_vec();
    sorted.sort_unstable();
    let Some(largest) = sorted.last().copied() else { return Vec::new() };
    let tail = sorted.len() / 50;
    let even = (1..=EVEN).map(|part| sorted.len() * part / (EVEN + 1));
    let high = (1..=TAIL).map(|part| sorted.len() - tail + tail * part / (TAIL + 1));
    let places = even.chain(high).filter(|place| *place < sorted.len());
    let mut thresholds: Vec<i64> = places.map(|place| sorted[place]).collect();
    thresholds.sort_unstable();
    thresholds.dedup();
    // Nothing is above the largest value.
    thresholds.retain(|threshold| *threshold < largest);
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_part_a_column_and_nothing_lies_above_all() {
        assert!(cut(&[]).is_empty() && cut(&[7; 100]).is_empty());
        assert_eq!(cut(&[1, 2, 2, 9]), [1, 2]);
        let column: Vec<i64> = (0..100_000).collect();
        let thresholds = cut(&column);
        assert_eq!(thresholds.len(), BINS_MAX - 1);
        assert!(thresholds.is_sorted() && thresholds.last() < Some(&99_999));
        assert!(thresholds.iter().filter(|one| **one >= 98_000).count() >= TAIL);
    }
}
