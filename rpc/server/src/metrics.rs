//! The server's figures, registered under `sluice_rpc_`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::reads::ReadClass;

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabels {
    class: &'static str,
}

/// Counters and gauges; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct RpcMetrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<MethodLabels, Histogram, fn() -> Histogram>,
    connections: Gauge,
    connections_refused: Counter,
    subscriptions: Gauge,
    subscription_wakes: Counter,
    subscription_reads: Counter,
    reads_waiting: Family<ClassLabels, Gauge>,
    reads_put_off: Family<ClassLabels, Counter>,
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
            subscriptions: Gauge::default(),
            subscription_wakes: Counter::default(),
            subscription_reads: Counter::default(),
            reads_waiting: Family::default(),
            reads_put_off: Family::default(),
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
        rpc.register("subscriptions", "Open subscriptions", metrics.subscriptions.clone());
        rpc.register(
            "subscription_wakes",
            "Times that a subscription woke for news",
            metrics.subscription_wakes.clone(),
        );
        rpc.register(
            "subscription_reads",
            "Reads made for subscriptions, each for all that wait for the same",
            metrics.subscription_reads.clone(),
        );
        let waiting = metrics.reads_waiting.clone();
        rpc.register("reads_waiting", "Reads that wait for their turn, by class", waiting);
        let put_off = metrics.reads_put_off.clone();
        rpc.register(
            "reads_put_off",
            "Reads refused because the queue of their class was full",
            put_off,
        );
        for class in ReadClass::ALL {
            metrics.reads_waiting(class, 0);
        }
        metrics
    }

    pub(crate) fn called(&self, method: &'static str, code: i32, took: Duration) {
        self.calls.get_or_create(&CallLabels { method, code: code.into() }).inc();
        self.call_seconds.get_or_create(&MethodLabels { method }).observe(took.as_secs_f64());
    }

    /// So many reads wait of a class.
    pub(crate) fn reads_waiting(&self, class: ReadClass, count: usize) {
        let gauge = self.reads_waiting.get_or_create(&ClassLabels { class: class.name() });
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(crate) fn read_put_off(&self, class: ReadClass) {
        self.reads_put_off.get_or_create(&ClassLabels { class: class.name() }).inc();
    }

    pub(crate) fn subscription_woke(&self) {
        self.subscription_wakes.inc();
    }

    pub(crate) fn read_for_subscriptions(&self) {
        self.subscription_reads.inc();
    }

    pub(crate) fn refused_connection(&self) {
        self.connections_refused.inc();
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
