//! The logistic function in integers.

/// One unit of log-odds in a score: scores are natural log-odds in 65,536ths.
pub const LOG_ODDS_ONE: i64 = 1 << 16;
/// A probability of one, as this crate counts it.
pub const PROBABILITY_ONE: i64 = 1 << 20;

/// Steps of the table in a unit of log-odds.
const STEPS: i64 = 256;
/// The log-odds from which on the probability stays the same, in units.
const REACH: i64 = 16;
/// The factor of one step, e^(-1/256), in Q62.
const STEP_FACTOR_Q62: u128 = 4_593_706_758_521_714_574;

/// A table of the logistic function, from which every probability comes.
#[derive(Debug, Clone)]
pub struct Logistic {
    /// The probability of minus so many steps; the first is one half.
    below: Vec<i64>,
}

impl Default for Logistic {
    fn default() -> Self {
        Self::new()
    }
}

impl Logistic {
    /// Works the table out, by repeated multiplication in Q62.
    pub fn new() -> Self {
        let mut power = 1_u128 << 62;
        let below = (0..=REACH * STEPS).map(|_| {
            // 1 / (1 + e^x) = e^-x / (e^-x + 1).
            let part = (power << 20) / (power + (1 << 62));
            power = (power * STEP_FACTOR_Q62) >> 62;
            i64::try_from(part).unwrap_or(PROBABILITY_ONE)
        });
        Self { below: below.collect() }
    }

    /// Returns the probability of a score, in parts of [`PROBABILITY_ONE`].
    pub fn probability(&self, score: i64) -> i64 {
        let steps = score.unsigned_abs() / (LOG_ODDS_ONE / STEPS).unsigned_abs();
        let at = usize::try_from(steps).unwrap_or(usize::MAX).min(self.below.len() - 1);
        let part = self.below[at];
        if score > 0 { PROBABILITY_ONE - part } else { part }
    }

    /// Returns the least score whose probability is at least that of `part` in `whole`.
    pub fn score_of(&self, part: u64, whole: u64) -> i64 {
        let wanted = u128::from(part) * (PROBABILITY_ONE as u128) / u128::from(whole.max(1));
        let wanted = i64::try_from(wanted).unwrap_or(PROBABILITY_ONE);
        let (mut low, mut high) = (-REACH * LOG_ODDS_ONE, REACH * LOG_ODDS_ONE);
        while low < high {
            let middle = low + (high - low).div_euclid(2);
            match self.probability(middle) < wanted {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of 1 / (1 + e^-x), by 2^20, from a table of the function.
    #[test]
    fn probabilities_are_those_of_the_logistic_function() {
        let logistic = Logistic::new();
        for (log_odds, expected) in
            [(0, 524_288), (1, 766_570), (-1, 282_006), (2, 923_583), (-6, 2_593), (9, 1_048_447)]
        {
            let found = logistic.probability(log_odds * LOG_ODDS_ONE);
            assert!((found - expected).abs() <= 2, "{log_odds}: {found}");
        }
        for score in [i64::MIN + 1, -1_000_000_000, 1_000_000_000, i64::MAX] {
            let found = logistic.probability(score);
            assert!((0..=PROBABILITY_ONE).contains(&found), "{score}: {found}");
        }
    }

    #[test]
    fn a_score_is_found_for_a_share() {
        let logistic = Logistic::new();
        for (part, whole) in [(1, 400), (1, 2), (399, 400)] {
            let score = logistic.score_of(part, whole);
            let found = logistic.probability(score);
            let wanted = (part as i64) * PROBABILITY_ONE / (whole as i64);
            assert!((found - wanted).abs() * 100 <= wanted, "{part}/{whole}: {found}");
        }
    }
}
