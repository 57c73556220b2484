//! The log is bounded by time, whatever clients and peers do: lines of one kind, lines of a level,
//! and bytes of a line. Suppressed lines are counted, and reported every ten seconds.

mod budget;
mod line;
mod throttle;

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use self::line::Lines;
use self::throttle::LineThrottle;

/// The time between two reports of suppressed lines.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// The process's one throttle, once logging has started.
static THROTTLE: OnceLock<LineThrottle> = OnceLock::new();

/// Sends what passes `filter` to standard error, within the bounds.
///
/// # Errors
/// When logging was started before.
pub fn start(filter: EnvFilter, json: bool, ansi: bool) -> Result<(), TryInitError> {
    let throttle = THROTTLE.get_or_init(LineThrottle::default).clone();
    let lines = Lines::new(io::stderr, json);
    let layer = tracing_subscriber::fmt::layer().with_writer(lines);
    let registry = tracing_subscriber::registry().with(filter).with(throttle);
    if json {
        registry.with(layer.json()).try_init()
    } else {
        registry.with(layer.with_ansi(ansi)).try_init()
    }
}

/// Registers the figures of the log under `sluice_`.
pub fn register(registry: &mut Registry) {
    let throttle = THROTTLE.get_or_init(LineThrottle::default);
    let sluice = registry.sub_registry_with_prefix("sluice");
    let help = "Log lines suppressed because there were too many, by level";
    sluice.register("log_lines_suppressed", help, throttle.suppressed());
}

/// Reports suppressed lines every ten seconds until `cancel`, and then once more.
pub async fn report(cancel: CancellationToken) {
    let Some(throttle) = THROTTLE.get() else { return };
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    loop {
        let is_over = cancel.run_until_cancelled(ticks.tick()).await.is_none();
        if let Some(report) = throttle.take_report() {
            tracing::warn!(suppressed = report.count, kinds = report.kinds, "log lines suppressed");
        }
        if is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
