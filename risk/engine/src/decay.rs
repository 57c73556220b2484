//! Decay by half-lives, in integers: a table of 256 steps a half-life, in Q16.
//!
//! Steps are counted on a grid that begins at the Unix epoch, never from the last change. A value
//! that is touched each second has therefore decayed as far after an hour as one that nobody
//! touched, but for rounding: each touch rounds down by less than one unit.

/// Steps of one half-life.
const STEPS: u64 = 256;
/// The latest time that decay distinguishes, in milliseconds: more than a million years.
const TIME_MS_MAX: u64 = 1 << 55;

/// The spans after which half of a value is left.
pub const HALF_LIVES: [HalfLife; 4] = [
    HalfLife { name: "1h", ms: 3_600_000 },
    HalfLife { name: "1d", ms: 86_400_000 },
    HalfLife { name: "7d", ms: 7 * 86_400_000 },
    HalfLife { name: "30d", ms: 30 * 86_400_000 },
];

/// A span after which half of a value is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HalfLife {
    /// The span in words, as it stands in the names of features.
    pub name: &'static str,
    /// The span in milliseconds.
    pub ms: u64,
}

/// The share of a value that is left between two times: a factor in Q16, then halvings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remainder {
    factor: u32,
    halvings: u32,
}

impl HalfLife {
    /// Returns what is left after the time from `since_ms` to `now_ms`, both in milliseconds since
    /// the Unix epoch. Everything is left if the clock ran backwards.
    pub const fn remainder(&self, since_ms: u64, now_ms: u64) -> Remainder {
        let steps = self.step_of(now_ms).saturating_sub(self.step_of(since_ms));
        let halvings = steps / STEPS;
        Remainder {
            factor: TABLE[(steps % STEPS) as usize],
            halvings: if halvings < 64 { halvings as u32 } else { 64 },
        }
    }

    /// Returns the step of the grid that a time lies in.
    const fn step_of(&self, time_ms: u64) -> u64 {
        let time_ms = if time_ms < TIME_MS_MAX { time_ms } else { TIME_MS_MAX };
        time_ms * STEPS / self.ms
    }
}

impl Remainder {
    /// Returns what is left of a value, rounded down.
    pub const fn of(self, value: u64) -> u64 {
        let scaled = (value as u128 * self.factor as u128) >> 16;
        if self.halvings < 64 { (scaled as u64) >> self.halvings } else { 0 }
    }

    /// Returns what is left of a count, rounded down.
    pub const fn of_count(self, count: u32) -> u32 {
        let scaled = (count as u64 * self.factor as u64) >> 16;
        if self.halvings < 32 { (scaled as u32) >> self.halvings } else { 0 }
    }
}

/// 65,536 / 2^(step / 256), rounded to the nearest.
#[rustfmt::skip]
const TABLE: [u32; 256] = [
    65_536, 65_359, 65_182, 65_006, 64_830, 64_655, 64_480, 64_306, 64_132, 63_958, 63_785, 63_613,
    63_441, 63_269, 63_098, 62_928, 62_757, 62_588, 62_419, 62_250, 62_081, 61_914, 61_746, 61_579,
    61_413, 61_247, 61_081, 60_916, 60_751, 60_587, 60_423, 60_260, 60_097, 59_934, 59_772, 59_611,
    59_449, 59_289, 59_128, 58_968, 58_809, 58_650, 58_491, 58_333, 58_176, 58_018, 57_861, 57_705,
    57_549, 57_393, 57_238, 57_083, 56_929, 56_775, 56_622, 56_468, 56_316, 56_163, 56_012, 55_860,
    55_709, 55_558, 55_408, 55_258, 55_109, 54_960, 54_811, 54_663, 54_515, 54_368, 54_221, 54_074,
    53_928, 53_782, 53_637, 53_492, 53_347, 53_203, 53_059, 52_916, 52_773, 52_630, 52_488, 52_346,
    52_204, 52_063, 51_922, 51_782, 51_642, 51_502, 51_363, 51_224, 51_085, 50_947, 50_810, 50_672,
    50_535, 50_399, 50_262, 50_126, 49_991, 49_856, 49_721, 49_586, 49_452, 49_319, 49_185, 49_052,
    48_920, 48_787, 48_655, 48_524, 48_393, 48_262, 48_131, 48_001, 47_871, 47_742, 47_613, 47_484,
    47_356, 47_228, 47_100, 46_973, 46_846, 46_719, 46_593, 46_467, 46_341, 46_216, 46_091, 45_966,
    45_842, 45_718, 45_594, 45_471, 45_348, 45_225, 45_103, 44_981, 44_859, 44_738, 44_617, 44_497,
    44_376, 44_256, 44_137, 44_017, 43_898, 43_780, 43_661, 43_543, 43_425, 43_308, 43_191, 43_074,
    42_958, 42_841, 42_726, 42_610, 42_495, 42_380, 42_265, 42_151, 42_037, 41_923, 41_810, 41_697,
    41_584, 41_472, 41_360, 41_248, 41_136, 41_025, 40_914, 40_804, 40_693, 40_583, 40_473, 40_364,
    40_255, 40_146, 40_037, 39_929, 39_821, 39_714, 39_606, 39_499, 39_392, 39_286, 39_180, 39_074,
    38_968, 38_863, 38_757, 38_653, 38_548, 38_444, 38_340, 38_236, 38_133, 38_030, 37_927, 37_824,
    37_722, 37_620, 37_518, 37_417, 37_316, 37_215, 37_114, 37_014, 36_914, 36_814, 36_715, 36_615,
    36_516, 36_417, 36_319, 36_221, 36_123, 36_025, 35_928, 35_831, 35_734, 35_637, 35_541, 35_445,
    35_349, 35_253, 35_158, 35_063, 34_968, 34_874, 34_779, 34_685, 34_591, 34_498, 34_405, 34_312,
    34_219, 34_126, 34_034, 33_942, 33_850, 33_759, 33_667, 33_576, 33_486, 33_395, 33_305, 33_215,
    33_125, 33_035, 32_946, 32_857,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive number as mantissa * 2^exponent, with the mantissa in [2^62, 2^63).
    fn squared_eight_times(number: u64) -> (u64, i64) {
        let shift = i64::from(number.leading_zeros()) - 1;
        let (mut mantissa, mut exponent) = (u128::from(number) << shift, -shift);
        for _ in 0..8 {
            mantissa = (mantissa * mantissa) >> 62;
            exponent = exponent * 2 + 62;
            if mantissa >> 63 != 0 {
                (mantissa, exponent) = (mantissa >> 1, exponent + 1);
            }
        }
        (mantissa as u64, exponent)
    }

    /// Half a unit less, to the 256th power, is below the true value's power, and half a unit more
    /// is above it.
    #[test]
    fn each_step_of_the_table_is_the_nearest_integer() {
        for (step, &entry) in (0..).zip(&TABLE) {
            // (2 * 65,536)^256 / 2^step: a power of two.
            let exact = 17 * 256 - step;
            let (low, low_exponent) = squared_eight_times(2 * u64::from(entry) - 1);
            let (high, high_exponent) = squared_eight_times(2 * u64::from(entry) + 1);
            assert!(low >> 62 == 1 && high >> 62 == 1);
            assert!(low_exponent + 62 < exact, "step {step}");
            assert!(high_exponent + 62 >= exact, "step {step}");
        }
    }

    #[test]
    fn half_is_left_after_each_half_life() {
        for half_life in HALF_LIVES {
            let since = 1_790_000_000_000;
            for (lives, left) in [(0, 1_000_000), (1, 500_000), (2, 250_000), (19, 1), (20, 0)] {
                let remainder = half_life.remainder(since, since + lives * half_life.ms);
                assert_eq!(remainder.of(1_000_000), left, "{} times {lives}", half_life.name);
                assert_eq!(u64::from(remainder.of_count(1_000_000)), left);
            }
        }
    }

    #[test]
    fn steps_of_zero_of_years_and_backwards_are_steps() {
        for half_life in HALF_LIVES {
            assert_eq!(half_life.remainder(7, 7).of(u64::MAX), u64::MAX);
            assert_eq!(half_life.remainder(u64::MAX, 0).of(u64::MAX), u64::MAX);
            assert_eq!(half_life.remainder(0, u64::MAX).of(u64::MAX), 0);
            assert_eq!(half_life.remainder(0, u64::MAX).of_count(u32::MAX), 0);
        }
    }

    /// An hour in steps of a second leaves what an hour in one step leaves, within what each of the
    /// touches rounds down.
    #[test]
    fn many_small_steps_decay_as_far_as_a_large_one() {
        let half_life = HALF_LIVES[0];
        let (start, mut value) = (1_790_000_000_123, 1_000_000_000);
        for second in 0..3_600 {
            value =
                half_life.remainder(start + second * 1_000, start + (second + 1) * 1_000).of(value);
        }
        let at_once = half_life.remainder(start, start + 3_600_000).of(1_000_000_000);
        let rounding = 1_000_000_000 / 65_536 * 256 + 3_600;
        assert!(value.abs_diff(at_once) < rounding, "{value} beside {at_once}");
    }
}
