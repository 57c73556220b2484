//! The course of a crowd over time: how much of all comes when.

use std::time::Duration;

/// A birthday stream: fans gather, the cake is cut, everybody gives at once, and it ebbs away. Each
/// entry is a fortieth of the time.
const STREAM: [u32; 40] = [
    2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9, 10, 12, 14, 40, 65, 70, 60, 48, 38,
    30, 24, 19, 15, 12, 10, 8, 7, 6, 5, 4, 3,
];
/// A shopping day by the hour from midnight, local time.
const HOURS: [u32; 24] =
    [12, 5, 3, 2, 1, 1, 2, 3, 5, 6, 7, 7, 7, 6, 6, 6, 6, 6, 7, 9, 11, 12, 11, 9];
/// Parts of an hour.
const PARTS: usize = 6;
/// The load of the day's first two parts, when the shops open, as a multiple of their hour's
/// others.
const MIDNIGHT: [u32; 2] = [4, 2];

/// The course of orders over the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayCourse {
    /// One stream with one peak.
    Stream,
    /// A day with its peak at midnight.
    Day,
}

impl DayCourse {
    /// The weights of equal parts of the time.
    fn weights(self) -> Vec<u32> {
        match self {
            Self::Stream => STREAM.to_vec(),
            Self::Day => {
                let parts = HOURS.iter().flat_map(|hour| [*hour; PARTS]).enumerate();
                parts.map(|(at, weight)| weight * MIDNIGHT.get(at).copied().unwrap_or(1)).collect()
            }
        }
    }

    /// How many times the mean the peak is.
    pub fn peak(self) -> f64 {
        let weights = self.weights();
        let (sum, most) = (weights.iter().sum::<u32>(), weights.iter().max().copied());
        f64::from(most.unwrap_or(0)) * weights.len() as f64 / f64::from(sum.max(1))
    }

    /// When each of `turns` equal turns is due within `period`.
    pub fn schedule(self, turns: usize, period: Duration) -> Vec<Duration> {
        let weights = self.weights();
        let all: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        let part = period.as_secs_f64() / weights.len() as f64;
        let (mut at, mut before) = (0, 0_u64);
        let mut due = Vec::with_capacity(turns);
        for turn in 0..turns {
            // How much of all has come when this turn is due.
            let reached = (turn as f64 + 0.5) / turns as f64 * all as f64;
            while let Some(weight) = weights.get(at).map(|weight| u64::from(*weight))
                && (before + weight) as f64 <= reached
            {
                before += weight;
                at += 1;
            }
            let weight = weights.get(at).map_or(1.0, |weight| f64::from(*weight));
            let within = (reached - before as f64) / weight;
            due.push(Duration::from_secs_f64((at as f64 + within) * part));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_every_turn_within_the_period_and_its_peak() {
        let period = Duration::from_secs(100);
        for shape in [DayCourse::Stream, DayCourse::Day] {
            let due = shape.schedule(10_000, period);
            assert_eq!(due.len(), 10_000);
            assert!(due.is_sorted() && due.iter().all(|at| *at < period));
            let parts = shape.weights().len();
            let mut counts = vec![0_u32; parts];
            for at in &due {
                let part = at.as_secs_f64() / period.as_secs_f64() * parts as f64;
                counts[part as usize] += 1;
            }
            let most = f64::from(counts.iter().max().copied().unwrap_or(0));
            let mean = 10_000.0 / parts as f64;
            assert!((most / mean - shape.peak()).abs() < 0.2, "{} {}", most / mean, shape.peak());
            assert!(shape.peak() > 4.0, "a steep peak: {}", shape.peak());
        }
        let midnight = DayCourse::Day.schedule(10_000, period);
        let first = midnight.iter().filter(|at| at.as_secs_f64() < 100.0 / 144.0 * 2.0).count();
        assert!(first > 600, "{first} in the first twenty minutes");
    }

    #[test]
    fn one_turn_and_none_are_schedules_too() {
        assert!(DayCourse::Day.schedule(0, Duration::from_secs(1)).is_empty());
        assert!(DayCourse::Stream.schedule(1, Duration::from_secs(1))[0] < Duration::from_secs(1));
    }
}
