//! Latencies, without averaging away the tail.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is told apart: ten minutes, in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;
/// Decimal digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;

/// A histogram of the latencies of orders.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

/// The figures of a histogram.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct LatencyReport {
    /// The number of latencies that were measured.
    pub count: u64,
    /// Half were at most this.
    pub p50_ms: f64,
    /// Nine in ten were at most this.
    pub p90_ms: f64,
    /// 99 in 100 were at most this.
    pub p99_ms: f64,
    /// 999 in 1,000 were at most this.
    pub p999_ms: f64,
    /// The longest latency, in milliseconds.
    pub max_ms: f64,
}

impl Default for Latencies {
    /// Returns an empty histogram of microseconds.
    fn default() -> Self {
        match Histogram::new_with_bounds(1, LATENCY_US_MAX, LATENCY_DIGITS) {
            Ok(histogram) => Self(histogram),
            // The bounds are constants, and good ones.
            Err(error) => unreachable!("histogram bounds: {error}"),
        }
    }
}

impl Latencies {
    /// `count` orders took `latency`.
    pub fn record(&mut self, latency: Duration, count: u64) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record_n(microseconds.clamp(1, LATENCY_US_MAX), count);
    }

    /// Returns the figures of the histogram.
    pub fn report(&self) -> LatencyReport {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1_000.0;
        LatencyReport {
            count: self.0.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: self.0.max() as f64 / 1_000.0,
        }
    }
}

impl LatencyReport {
    /// Returns the latencies as one line for people.
    pub fn text(&self) -> String {
        format!(
            "p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms",
            self.p50_ms, self.p99_ms, self.p999_ms, self.max_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_orders_not_of_batches() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::from_millis(10), 98);
        latencies.record(Duration::from_millis(500), 2);
        let report = latencies.report();
        assert_eq!(report.count, 100);
        assert!((report.p50_ms - 10.0).abs() < 0.1, "{}", report.p50_ms);
        assert!((report.p99_ms - 500.0).abs() < 1.0, "{}", report.p99_ms);
        // Beyond the largest that is told apart: kept, not lost.
        latencies.record(Duration::from_secs(10_000), 1);
        assert_eq!(latencies.report().count, 101);
    }
}
