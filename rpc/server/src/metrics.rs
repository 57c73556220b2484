//! The server's figures, registered under `sluice_rpc_`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use rpc_api::ApiError;

use crate::cost::ReadClass;

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    /// The name of a limit, as in [`crate::LIMITS`].
    limit: &'static str,
}

/// Counters and gauges; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct RpcMetrics {
    calls: Family<CallLabels, Counter>,
    call_seconds: Family<MethodLabels, Histogram, fn() -> Histogram>,
    refused: Family<LimitLabels, Counter>,
    access_refused: Family<ReasonLabels, Counter>,
    made_way: Family<LimitLabels, Counter>,
    /// Set where shares are counted.
    pub(crate) connections: Gauge,
    pub(crate) bodies_bytes: Gauge,
    pub(crate) answers_bytes: Gauge,
    pub(crate) messages_in_hand: Gauge,
    /// Subscriptions as they are shared out, which may lag behind their ends; not shown.
    pub(crate) subscriptions_shared: Gauge,
    subscriptions: Gauge,
    subscription_wakes: Counter,
    subscription_reads: Counter,
    reads_waiting: Family<ClassLabels, Gauge>,
    reads_put_off: Family<ClassLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    end: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    /// The name of the error that the caller got.
    reason: &'static str,
}

/// A read that waits counts as waiting until this is dropped.
#[derive(Debug)]
pub(crate) struct Waits(Gauge);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The figures of a listener's TLS.
#[derive(Debug, Clone)]
pub(crate) struct TlsMetrics {
    handshakes: Family<EndLabels, Counter>,
    reloads: Family<EndLabels, Counter>,
    days_left: Gauge,
}

impl TlsMetrics {
    /// Makes the figures and registers them under the listener's prefix, such as `sluice_rpc`.
    pub(crate) fn register(registry: &Mutex<Registry>, prefix: &'static str) -> Self {
        let metrics = Self {
            handshakes: Family::default(),
            reloads: Family::default(),
            days_left: Gauge::default(),
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = registry.sub_registry_with_prefix(prefix);
        let handshakes = metrics.handshakes.clone();
        listener.register("tls_handshakes", "Handshakes of TLS, by how they ended", handshakes);
        let reloads = metrics.reloads.clone();
        listener.register("tls_reloads", "Changed files of TLS, by what came of them", reloads);
        let days_left = metrics.days_left.clone();
        listener.register("tls_days_left", "Days until the certificate ends", days_left);
        metrics
    }

    pub(crate) fn handshake_ended(&self, end: &'static str) {
        self.handshakes.get_or_create(&EndLabels { end }).inc();
    }

    pub(crate) fn reloaded(&self, end: &'static str) {
        self.reloads.get_or_create(&EndLabels { end }).inc();
    }

    pub(crate) fn days_left(&self, days: i64) {
        self.days_left.set(days);
    }
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
            refused: Family::default(),
            access_refused: Family::default(),
            made_way: Family::default(),
            connections: Gauge::default(),
            bodies_bytes: Gauge::default(),
            answers_bytes: Gauge::default(),
            messages_in_hand: Gauge::default(),
            subscriptions_shared: Gauge::default(),
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
        rpc.register(
            "refused",
            "What clients were refused, by the limit that they met (docs/limits.md)",
            metrics.refused.clone(),
        );
        rpc.register(
            "access_refused",
            "Calls refused for want of a token or a scope, by the error (docs/access.md)",
            metrics.access_refused.clone(),
        );
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
            drop(metrics.read_waits(class));
        }
        rpc.register(
            "made_way",
            "Connections ended because their address held most when another had little",
            metrics.made_way.clone(),
        );
        let gauges = [
            ("connections", "Open connections", &metrics.connections),
            ("subscriptions", "Open subscriptions", &metrics.subscriptions),
            ("messages_in_hand", "Messages from their bytes to answers", &metrics.messages_in_hand),
            ("bodies_bytes", "Bytes of messages and bodies in memory", &metrics.bodies_bytes),
            ("answers_bytes", "Bytes of answers made and not written", &metrics.answers_bytes),
        ];
        for (name, help, gauge) in gauges {
            rpc.register(name, help, gauge.clone());
        }
        metrics
    }

    pub(crate) fn called(&self, method: &'static str, code: i32, took: Duration) {
        self.calls.get_or_create(&CallLabels { method, code: code.into() }).inc();
        self.call_seconds.get_or_create(&MethodLabels { method }).observe(took.as_secs_f64());
    }

    /// Counts a read of a class that waits for its turn, until the guard is dropped.
    pub(crate) fn read_waits(&self, class: ReadClass) -> Waits {
        let gauge = self.reads_waiting.get_or_create(&ClassLabels { class: class.name() }).clone();
        gauge.inc();
        Waits(gauge)
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

    /// Counts a refusal by a limit.
    pub(crate) fn refused(&self, limit: &'static str) {
        self.refused.get_or_create(&LimitLabels { limit }).inc();
    }

    /// Counts a refusal for want of a token or a scope.
    pub(crate) fn access_refused(&self, error: ApiError) {
        self.access_refused.get_or_create(&ReasonLabels { reason: error.name() }).inc();
    }

    /// The counter of connections that made way for the sake of a limit.
    pub(crate) fn made_way(&self, limit: &'static str) -> Counter {
        self.made_way.get_or_create(&LimitLabels { limit }).clone()
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
