//! The node's own figures, beside those of network and RPC.

use std::sync::atomic::AtomicU64;

use chain_types::{BlockHeader, Round};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Counters, gauges and histograms of the driver.
#[derive(Debug)]
pub struct NodeMetrics {
    height: Gauge<u64, AtomicU64>,
    window: Gauge<u64, AtomicU64>,
    operations: Counter,
    blocks: Counter,
    extra_rounds: Counter,
    /// Committed blocks whose certificate lacks the signature of this node, which votes.
    pub own_votes_missed: Counter,
    /// Seconds of deciding: consensus, execution, state.
    pub decide_seconds: Counter<f64, AtomicU64>,
    /// Seconds to put one block's payload on disk.
    pub stage_seconds: Histogram,
    /// Seconds to record one decision and its indexes.
    pub commit_seconds: Histogram,
}

impl NodeMetrics {
    /// The figures, registered under `sluice_`.
    pub fn new(registry: &mut Registry) -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_25, 2.0, 14));
        let metrics = Self {
            height: Gauge::default(),
            window: Gauge::default(),
            operations: Counter::default(),
            blocks: Counter::default(),
            extra_rounds: Counter::default(),
            own_votes_missed: Counter::default(),
            decide_seconds: Counter::default(),
            stage_seconds: seconds(),
            commit_seconds: seconds(),
        };
        let sluice = registry.sub_registry_with_prefix("sluice");
        sluice.register("height", "The committed height", metrics.height.clone());
        sluice.register("window", "The open settlement window", metrics.window.clone());
        let operations = metrics.operations.clone();
        sluice.register("operations", "Committed operations of every kind", operations);
        sluice.register("blocks", "Committed blocks", metrics.blocks.clone());
        let extra_rounds = metrics.extra_rounds.clone();
        sluice.register("extra_rounds", "Rounds that blocks took beyond the first", extra_rounds);
        let missed = metrics.own_votes_missed.clone();
        let help = "Blocks whose certificate lacks this validator's signature, while it votes";
        sluice.register("own_votes_missed", help, missed);
        let decide = metrics.decide_seconds.clone();
        sluice.register("decide_seconds", "Consensus, execution and state, seconds", decide);
        let stage = metrics.stage_seconds.clone();
        sluice.register("stage_seconds", "Putting a block's payload on disk, seconds", stage);
        let commit = metrics.commit_seconds.clone();
        sluice.register("commit_seconds", "Recording a decision and its indexes, seconds", commit);
        metrics
    }

    /// A block is committed that was decided in `round`.
    pub fn committed(&self, header: &BlockHeader, round: Round, operations: u64) {
        self.height.set(header.height.get());
        self.window.set(header.window.get());
        self.operations.inc_by(operations);
        self.blocks.inc();
        self.extra_rounds.inc_by(u64::from(round.get()));
    }
}
