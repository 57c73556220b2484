//! Sketches of 64 bits: about how many distinct partners a subject had today and yesterday.
//!
//! Each partner sets one bit, by its key. The number of distinct ones is estimated from the bits
//! that are still zero (linear counting). From some 200 partners on a sketch is full.

use bincode::Encode;

/// Bits that the partners of two days set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode)]
pub struct DistinctSketch {
    today: u64,
    yesterday: u64,
}

impl DistinctSketch {
    /// Returns a sketch without partners.
    pub const fn new() -> Self {
        Self { today: 0, yesterday: 0 }
    }

    /// Returns the sketch as it stands `days` days later: today becomes yesterday after one day,
    /// and nothing is left after two.
    pub const fn aged(self, days: u32) -> Self {
        match days {
            0 => self,
            1 => Self { today: 0, yesterday: self.today },
            _ => Self { today: 0, yesterday: 0 },
        }
    }

    /// Adds the partner with this key.
    pub const fn insert(&mut self, key: u64) {
        self.today |= bit(key);
    }

    /// Returns true if no partner with this key's bit was added today or yesterday.
    pub const fn is_new(&self, key: u64) -> bool {
        (self.today | self.yesterday) & bit(key) == 0
    }

    /// Returns about how many distinct partners were added, in 256ths.
    pub const fn distinct_q8(&self) -> u32 {
        ESTIMATES[(self.today | self.yesterday).count_ones() as usize]
    }
}

/// Returns the bit of a key, by bits that the place in a table does not use.
const fn bit(key: u64) -> u64 {
    1 << (key >> 58)
}

/// 256 * 64 * ln(64 / zeros), rounded, by the number of ones; with no zero left, that of half a
/// zero.
#[rustfmt::skip]
const ESTIMATES: [u32; 65] = [
    0, 258, 520, 787, 1057, 1333, 1613, 1898, 2188, 2483, 2784, 3090,
    3402, 3720, 4045, 4376, 4713, 5058, 5411, 5771, 6139, 6516, 6901, 7296,
    7701, 8115, 8541, 8978, 9427, 9888, 10_363, 10_852, 11_357, 11_877, 12_414, 12_969,
    13_544, 14_140, 14_758, 15_401, 16_070, 16_767, 17_496, 18_258, 19_057, 19_897, 20_783, 21_720,
    22_713, 23_770, 24_901, 26_115, 27_426, 28_852, 30_414, 32_140, 34_070, 36_257, 38_783, 41_770,
    45_426, 50_139, 56_783, 68_139, 79_496,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::mixed;

    #[test]
    fn a_sketch_tells_few_from_many() {
        for (partners, least, most) in [(0, 0, 0), (1, 1, 2), (8, 6, 11), (40, 28, 55)] {
            let mut sketch = DistinctSketch::default();
            (0..partners).for_each(|partner| sketch.insert(mixed(partner)));
            let about = sketch.distinct_q8() >> 8;
            assert!((least..=most).contains(&about), "{about} for {partners}");
        }
    }

    #[test]
    fn partners_are_forgotten_after_two_days() {
        let (known, other) = (mixed(1), mixed(2));
        let mut sketch = DistinctSketch::default();
        sketch.insert(known);
        assert!(!sketch.is_new(known) && sketch.is_new(other));
        assert!(!sketch.aged(0).is_new(known));
        assert!(!sketch.aged(1).is_new(known));
        assert!(sketch.aged(2).is_new(known));
        assert_eq!(sketch.aged(1).aged(1), sketch.aged(2));
        assert_eq!(sketch.aged(u32::MAX), DistinctSketch::default());
    }

    #[test]
    fn estimates_grow_with_the_ones() {
        assert!(ESTIMATES.is_sorted_by(|less, more| less < more));
    }
}
