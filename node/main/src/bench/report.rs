//! What a run came to: counts, latencies and costs, as one JSON document.

use std::collections::BTreeMap;
use std::time::Duration;

use chain_types::Outcome;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

use super::load::Sent;
use crate::participant::client::CallError;

/// The longest latency that is told apart: ten minutes, in microseconds.
const LATENCY_US_MAX: u64 = 600_000_000;
/// Decimal digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;

/// Orders counted by what became of them.
#[derive(Debug)]
pub struct Tally {
    /// Until when answers count for the throughput.
    end: Instant,
    batches: u64,
    submitted: u64,
    final_orders: u64,
    final_in_period: u64,
    refused: BTreeMap<i32, Refused>,
    unresolved: u64,
    last_problem: Option<String>,
    retries: u64,
    latency: Latencies,
}

/// Orders that were refused with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The code: a rejection's, or the interface's own.
    pub code: i32,
    /// Its name.
    pub name: String,
    /// How many orders.
    pub orders: u64,
}

/// Latencies of orders, without averaging away the tail.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

/// Latencies in short.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct LatencyReport {
    /// How many were measured.
    pub count: u64,
    /// Half were at most this.
    pub p50_ms: f64,
    /// Nine in ten were at most this.
    pub p90_ms: f64,
    /// 99 in 100 were at most this.
    pub p99_ms: f64,
    /// 999 in 1,000 were at most this.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl Latencies {
    /// None measured yet.
    pub fn new() -> Self {
        match Histogram::new_with_bounds(1, LATENCY_US_MAX, LATENCY_DIGITS) {
            Ok(histogram) => Self(histogram),
            // The bounds are constants, and good ones.
            Err(error) => unreachable!("histogram bounds: {error}"),
        }
    }

    /// `count` orders took `latency`.
    pub fn record(&mut self, latency: Duration, count: u64) {
        let microseconds = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record_n(microseconds.clamp(1, LATENCY_US_MAX), count);
    }

    /// In short.
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

impl Tally {
    /// Nothing counted yet; the period ends at `end`.
    pub fn new(end: Instant) -> Self {
        Self {
            end,
            batches: 0,
            submitted: 0,
            final_orders: 0,
            final_in_period: 0,
            refused: BTreeMap::new(),
            unresolved: 0,
            last_problem: None,
            retries: 0,
            latency: Latencies::new(),
        }
    }

    /// Counts one batch.
    pub fn add(&mut self, sent: Sent) {
        let items = u64::from(sent.items);
        self.batches += 1;
        self.submitted += items;
        match sent.result {
            Ok((report, retries)) => {
                self.retries += u64::from(retries);
                self.latency.record(sent.latency, items);
                let mut applied = 0;
                for count in report.outcomes.iter().flat_map(|outcomes| &outcomes.counts) {
                    let orders = u64::from(count.item_count);
                    if Outcome(count.code).is_applied() {
                        applied += orders;
                    } else {
                        self.refuse(i32::from(count.code), &count.name, orders);
                    }
                }
                self.final_orders += applied;
                if sent.answered <= self.end {
                    self.final_in_period += applied;
                }
            }
            Err(CallError::Refused { code, name, message, .. }) => {
                self.last_problem = Some(message);
                self.refuse(code, &name, items);
            }
            Err(error) => {
                self.last_problem = Some(error.to_string());
                self.unresolved += items;
            }
        }
    }

    fn refuse(&mut self, code: i32, name: &str, orders: u64) {
        let refused = || Refused { code, name: name.to_owned(), orders: 0 };
        self.refused.entry(code).or_insert_with(refused).orders += orders;
    }

    /// Orders final so far.
    pub fn final_orders(&self) -> u64 {
        self.final_orders
    }

    /// The result of a run over `period`, which cost `costs`.
    pub fn report(&self, period: Duration, setting: Setting, costs: Costs) -> BenchReport {
        let seconds = period.as_secs_f64();
        BenchReport {
            setting,
            seconds,
            batches: self.batches,
            submitted: self.submitted,
            final_orders: self.final_orders,
            refused: self.refused.values().cloned().collect(),
            unresolved: self.unresolved,
            retries: self.retries,
            throughput_per_second: self.final_in_period as f64 / seconds,
            latency: self.latency.report(),
            costs: costs.report(self.final_orders),
            last_problem: self.last_problem.clone(),
        }
    }
}

/// How a run was set up.
#[derive(Debug, Clone, Serialize)]
pub struct Setting {
    /// `closed` or `open`.
    pub pace: &'static str,
    /// Orders a second asked for; zero in a closed loop.
    pub rate: u64,
    /// Batches in flight: at each node in a closed loop, at most at all nodes in an open one.
    pub in_flight: usize,
    /// Orders in a batch.
    pub batch_items: usize,
    /// Gateways that submit.
    pub gateways: usize,
    /// Nodes that are sent to.
    pub nodes: usize,
}

/// What the nodes' processes cost over a run.
#[derive(Debug, Clone, Default)]
pub struct Costs {
    /// CPU time of each node whose process is known, in seconds.
    pub cpu_seconds: Vec<f64>,
    /// Peak memory of each, in bytes.
    pub memory_peak_bytes: Vec<u64>,
    /// What the homes grew by on disk, in bytes of data.
    pub disk_bytes: Vec<i64>,
    /// CPU time of this process, in seconds.
    pub bench_cpu_seconds: f64,
}

/// Costs in short. Absent figures could not be measured.
#[derive(Debug, Clone, Serialize)]
pub struct CostReport {
    /// Node processes measured.
    pub node_processes: usize,
    /// CPU time of all nodes together, in seconds.
    pub cpu_seconds: f64,
    /// CPU seconds of all nodes together for a million final orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds_per_million_orders: Option<f64>,
    /// CPU time of the load itself, in seconds.
    pub bench_cpu_seconds: f64,
    /// The most memory that one node had resident, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Homes measured.
    pub homes: usize,
    /// What all homes grew by, in bytes of data.
    pub disk_growth_bytes: i64,
    /// The same for one order on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_bytes_per_order_and_node: Option<f64>,
}

impl Costs {
    fn report(&self, final_orders: u64) -> CostReport {
        let orders = final_orders as f64;
        let cpu_seconds: f64 = self.cpu_seconds.iter().sum();
        let disk_growth_bytes: i64 = self.disk_bytes.iter().sum();
        let has_orders = final_orders > 0;
        CostReport {
            node_processes: self.cpu_seconds.len(),
            cpu_seconds,
            cpu_seconds_per_million_orders: (has_orders && !self.cpu_seconds.is_empty())
                .then(|| cpu_seconds / orders * 1_000_000.0),
            bench_cpu_seconds: self.bench_cpu_seconds,
            memory_peak_bytes: self.memory_peak_bytes.iter().copied().max(),
            homes: self.disk_bytes.len(),
            disk_growth_bytes,
            disk_bytes_per_order_and_node: (has_orders && !self.disk_bytes.is_empty())
                .then(|| disk_growth_bytes as f64 / orders / self.disk_bytes.len() as f64),
        }
    }
}

/// The result of a run.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    /// How it was set up.
    pub setting: Setting,
    /// How long it sent, in seconds.
    pub seconds: f64,
    /// Batches sent.
    pub batches: u64,
    /// Orders sent.
    pub submitted: u64,
    /// Orders applied in a decided block, also after the period.
    #[serde(rename = "final")]
    pub final_orders: u64,
    /// Orders refused, by code.
    pub refused: Vec<Refused>,
    /// Orders whose fate the nodes did not say in time.
    pub unresolved: u64,
    /// Refusals for now and nodes out of reach on the way.
    pub retries: u64,
    /// Orders a second applied within the period.
    pub throughput_per_second: f64,
    /// From sending (open loop: from when it was to be sent) to the final answer.
    pub latency: LatencyReport,
    /// What the nodes cost.
    pub costs: CostReport,
    /// The last refusal or silence, if there was any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_problem: Option<String>,
}

impl BenchReport {
    /// Whether every order sent was applied.
    pub fn is_clean(&self) -> bool {
        self.final_orders > 0 && self.final_orders == self.submitted
    }

    /// For people.
    pub fn text(&self) -> String {
        let Self { latency, costs, .. } = self;
        let refused: Vec<String> = self
            .refused
            .iter()
            .map(|refused| format!("{} {} (code {})", refused.orders, refused.name, refused.code))
            .collect();
        let optional =
            |value: Option<f64>| value.map_or("?".to_owned(), |value| format!("{value:.1}"));
        let mut text = format!(
            "throughput   {:.0} orders/s over {:.0} s\n\
             orders       {} submitted, {} final, {} unresolved; {} batches, {} retries\n\
             refused      {}\n\
             latency      p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms\n\
             CPU          {} s per million orders, {} nodes ({:.1} s in all; the load {:.1} s)\n\
             memory       {} MiB at most in one node\n\
             disk         {} bytes per order and node",
            self.throughput_per_second,
            self.seconds,
            self.submitted,
            self.final_orders,
            self.unresolved,
            self.batches,
            self.retries,
            if refused.is_empty() { "none".to_owned() } else { refused.join(", ") },
            latency.p50_ms,
            latency.p99_ms,
            latency.p999_ms,
            latency.max_ms,
            optional(costs.cpu_seconds_per_million_orders),
            costs.node_processes,
            costs.cpu_seconds,
            costs.bench_cpu_seconds,
            costs.memory_peak_bytes.map_or("?".to_owned(), |bytes| (bytes >> 20).to_string()),
            optional(costs.disk_bytes_per_order_and_node),
        );
        if let Some(problem) = &self.last_problem {
            text.push_str("\nlast problem ");
            text.push_str(problem);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::{BatchId, Rejection};
    use rpc_api::{BatchReport, BatchState, Outcomes};

    use super::*;

    fn sent(answered: Instant, outcomes: &[Outcome]) -> Sent {
        let mut report = BatchReport::pending(BatchId::default(), BatchState::Final);
        report.outcomes = Some(Outcomes::new(outcomes, false));
        Sent {
            items: u32::try_from(outcomes.len()).unwrap(),
            latency: Duration::from_millis(100),
            answered,
            result: Ok((report, 1)),
        }
    }

    fn setting() -> Setting {
        Setting { pace: "closed", rate: 0, in_flight: 1, batch_items: 4, gateways: 1, nodes: 4 }
    }

    #[test]
    fn every_order_is_counted_once_and_by_its_fate() {
        let end = Instant::now();
        let refused = Outcome::from(Rejection::LiquidityExceeded);
        let mut tally = Tally::new(end);
        tally.add(sent(end, &[Outcome::APPLIED, Outcome::APPLIED, refused, Outcome::APPLIED]));
        // After the period: final, but no throughput.
        tally.add(sent(end + Duration::from_secs(1), &[Outcome::APPLIED; 4]));
        let timeout = CallError::Timeout { waited_ms: 1, last: "x".to_owned() };
        tally.add(Sent { result: Err(timeout), ..sent(end, &[Outcome::APPLIED; 2]) });
        let costs = Costs {
            cpu_seconds: vec![0.000_007; 2],
            disk_bytes: vec![700, 700],
            ..Costs::default()
        };
        let report = tally.report(Duration::from_secs(3), setting(), costs);
        assert_eq!((report.submitted, report.final_orders, report.unresolved), (10, 7, 2));
        let code = i32::from(Rejection::LiquidityExceeded.code());
        let name = "liquidity-exceeded".to_owned();
        assert_eq!(report.refused, [Refused { code, name, orders: 1 }]);
        assert!((report.throughput_per_second - 1.0).abs() < 1e-9);
        assert_eq!(report.latency.count, 8);
        assert!(!report.is_clean());
        let per_million = report.costs.cpu_seconds_per_million_orders.unwrap();
        assert!((per_million - 2.0).abs() < 1e-6, "{per_million}");
        assert!((report.costs.disk_bytes_per_order_and_node.unwrap() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn quantiles_are_of_orders_not_of_batches() {
        let mut latencies = Latencies::new();
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

    #[test]
    fn a_run_without_orders_divides_by_nothing() {
        let tally = Tally::new(Instant::now());
        let report = tally.report(Duration::from_secs(1), setting(), Costs::default());
        assert_eq!(report.costs.cpu_seconds_per_million_orders, None);
        assert!(!report.is_clean());
        assert!(report.text().contains("0 submitted"));
    }
}
