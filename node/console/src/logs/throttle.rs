//! Holds back log lines of which there are too many, by the place in the code that writes them.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::budget::LineBudget;

/// Lines of one kind: so many at once, and one more each pause.
const KIND_LINES_MAX: u32 = 20;
const KIND_PAUSE: Duration = Duration::from_secs(5);
/// Lines of one level, whatever their kind.
const LEVEL_LINES_MAX: u32 = 500;
const LEVEL_PAUSE: Duration = Duration::from_millis(200);
/// Kinds that are told apart: places in the code, and crates that log without tracing.
const KINDS_MAX: usize = 4_096;
/// Kinds that a report names.
const KINDS_REPORTED_MAX: usize = 8;
/// The target that records of the `log` crate carry; their own stands in a field.
const LOG_TARGET: &str = "log";
const LOG_TARGET_FIELD: &str = "log.target";

/// The lines that were suppressed since the last report.
#[derive(Debug, PartialEq, Eq)]
pub struct SuppressedLines {
    /// The number of lines.
    pub count: u64,
    /// The kinds with the most of them, as text.
    pub kinds: String,
}

/// Levels that are bounded: who asks for `debug` wants to see all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Bounded {
    /// Lines of level `ERROR`.
    Error,
    /// Lines of level `WARN`.
    Warn,
    /// Lines of level `INFO`.
    Info,
}

impl Bounded {
    fn of(level: Level) -> Option<Self> {
        match level {
            Level::ERROR => Some(Self::Error),
            Level::WARN => Some(Self::Warn),
            Level::INFO => Some(Self::Info),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LevelLabels {
    level: Bounded,
}

/// A layer that lets lines pass within their budgets. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct LineThrottle {
    kinds: Arc<Mutex<Kinds>>,
    suppressed: Family<LevelLabels, Counter>,
}

#[derive(Debug)]
struct Kinds {
    hasher: RandomState,
    kinds: HashMap<u64, Kind>,
    levels: [LineBudget; 3],
}

#[derive(Debug)]
struct Kind {
    name: String,
    budget: LineBudget,
    suppressed: u64,
}

impl Default for Kinds {
    fn default() -> Self {
        let level = LineBudget::new(LEVEL_LINES_MAX, LEVEL_PAUSE);
        Self { hasher: RandomState::new(), kinds: HashMap::new(), levels: [level; 3] }
    }
}

impl Kinds {
    /// Decides whether a line passes; its kind is the place in the code and, if given, the other
    /// crate.
    fn admit(
        &mut self,
        metadata: &Metadata<'static>,
        other: Option<&str>,
        level: Bounded,
        now: Instant,
    ) -> bool {
        let mut key = self.hasher.hash_one((metadata.callsite(), other));
        if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&key) {
            // All further kinds are one.
            key = 0;
        }
        let kind = self.kinds.entry(key).or_insert_with(|| Kind {
            name: name(metadata, other),
            budget: LineBudget::new(KIND_LINES_MAX, KIND_PAUSE),
            suppressed: 0,
        });
        let passes = kind.budget.take(now) && self.levels[level as usize].take(now);
        kind.suppressed += u64::from(!passes);
        passes
    }
}

fn name(metadata: &Metadata<'_>, other: Option<&str>) -> String {
    match (other, metadata.line()) {
        (Some(target), _) => target.to_owned(),
        (None, Some(line)) => format!("{}:{line}", metadata.target()),
        (None, None) => metadata.target().to_owned(),
    }
}

impl LineThrottle {
    // Every change under the lock is complete before anything can panic, so poison means nothing.
    fn kinds(&self) -> MutexGuard<'_, Kinds> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of suppressed lines, by level.
    pub fn suppressed(&self) -> Family<LevelLabels, Counter> {
        self.suppressed.clone()
    }

    /// Returns the lines that were suppressed since the last call; `None` if there were none.
    pub fn take_report(&self) -> Option<SuppressedLines> {
        let mut kinds = self.kinds();
        let mut held: Vec<(u64, &str)> = Vec::new();
        for kind in kinds.kinds.values_mut() {
            match std::mem::take(&mut kind.suppressed) {
                0 => {}
                count => held.push((count, &kind.name)),
            }
        }
        let count: u64 = held.iter().map(|(count, _)| count).sum();
        held.sort_unstable_by(|one, other| other.cmp(one));
        let mut text = String::new();
        for (count, name) in held.iter().take(KINDS_REPORTED_MAX) {
            let comma = if text.is_empty() { "" } else { ", " };
            // Writing to a text cannot fail.
            let _ = write!(text, "{comma}{name} {count}");
        }
        (count > 0).then_some(SuppressedLines { count, kinds: text })
    }
}

impl<S: Subscriber> Layer<S> for LineThrottle {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let Some(level) = Bounded::of(*metadata.level()) else { return true };
        let mut target = TargetField(None);
        if metadata.target() == LOG_TARGET {
            event.record(&mut target);
        }
        let passes = self.kinds().admit(metadata, target.0.as_deref(), level, Instant::now());
        if !passes {
            self.suppressed.get_or_create(&LevelLabels { level }).inc();
        }
        passes
    }
}

/// Finds the target of a record of the `log` crate.
struct TargetField(Option<String>);

impl Visit for TargetField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == LOG_TARGET_FIELD {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
