//! The server's figures, registered under `sluice_rpc_`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// A method that no client can invent: names that are not known count as this one.
pub(crate) const METHOD_UNKNOWN: &str = "unknown";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    /// 0 for success, else the error's code.
    code: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    method: &'static str,
}

/// Counters and gauges; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct RpcMetrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<MethodLabels, Histogram, fn() -> Histogram>,
    connections: Gauge,
    connections_refused: Counter,
    accepts_failed: Counter,
    subscriptions: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 17))
}

impl RpcMetrics {
    /// Makes the figures and registers them.
    pub(crate) fn register(registry: &Mutex<Registry>) -> Self {
        let metrics = Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(histogram as fn() -> Histogram),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            accepts_failed: Counter::default(),
            subscriptions: Gauge::default(),
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let rpc = registry.sub_registry_with_prefix("sluice_rpc");
        rpc.register("calls", "Calls by method and result code", metrics.calls.clone());
        rpc.register("call_seconds", "Time from request to response", metrics.call_seconds.clone());
        rpc.register("connections", "Open connections", metrics.connections.clone());
        rpc.register(
            "connections_refused",
            "Connections closed because there were too many",
            metrics.connections_refused.clone(),
        );
        rpc.register(
            "accepts_failed",
            "Connections not accepted for want of descriptors",
            metrics.accepts_failed.clone(),
        );
        rpc.register("subscriptions", "Open subscriptions", metrics.subscriptions.clone());
        metrics
    }

    pub(crate) fn called(&self, method: &'static str, code: i32, took: Duration) {
        self.calls.get_or_create(&CallLabels { method, code: code.into() }).inc();
        self.call_seconds.get_or_create(&MethodLabels { method }).observe(took.as_secs_f64());
    }

    pub(crate) fn refused_connection(&self) {
        self.connections_refused.inc();
    }

    pub(crate) fn refused_for_want_of_descriptors(&self) {
        self.accepts_failed.inc();
    }

    pub(crate) fn open_connection(&self) -> Open {
        self.connections.inc();
        Open(self.connections.clone())
    }

    pub(crate) fn open_subscription(&self) -> Open {
        self.subscriptions.inc();
        Open(self.subscriptions.clone())
    }
}

/// Counts something as open until it is dropped.
#[derive(Debug)]
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
