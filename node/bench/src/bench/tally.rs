//! The outcomes of what was sent: orders counted once each, by kind, by phase and by second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chain_types::{OrderId, Outcome, Rejection};
use node_localnet::latency::{Latencies, LatencyReport};
use node_localnet::refused::RefusedCount;
use rpc_api::BatchReport;
use rpc_client::client::CallError;
use serde::Serialize;
use tokio::time::Instant;

use super::reads::Known;

/// The kind of a batch's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadKind {
    /// Orders that are submitted and collected in one step.
    OneStep,
    /// Orders that are reserved, to be collected later.
    Reserve,
    /// Collections of reserved orders.
    Collect,
    /// Voids of reserved orders.
    Void,
    /// Orders in one step that are paid out in another currency.
    CrossBorder,
    /// Money of collected orders that goes back.
    Return,
}

impl LoadKind {
    /// Returns the kind's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneStep => "one-step",
            Self::Reserve => "reserve",
            Self::Collect => "collect",
            Self::Void => "void",
            Self::CrossBorder => "cross-border",
            Self::Return => "return",
        }
    }

    /// Returns true if it is what a user asks for, and not what follows from it.
    const fn is_asked(self) -> bool {
        !matches!(self, Self::Collect | Self::Void)
    }
}

/// The result of a submission: the node's report, and the number of retries.
pub type Answer = Result<(BatchReport, u32), CallError>;

/// A batch that was sent, with its answer.
#[derive(Debug)]
pub struct SentBatch {
    /// The kind of its items.
    pub kind: LoadKind,
    /// The number of its items.
    pub items: u32,
    /// From the time it was to be sent to its answer.
    pub latency: Duration,
    /// When the answer came.
    pub answered: Instant,
    /// The answer of the node.
    pub result: Answer,
    /// The order of its first item, for reads beside the load.
    pub sample: Option<OrderId>,
}

/// Operations counted by what became of them.
#[derive(Debug, Clone, Default)]
pub struct OperationCounts {
    /// The number of operations sent.
    pub submitted: u64,
    /// Applied in a decided block.
    pub final_orders: u64,
    /// The refused operations, by code.
    pub refused: BTreeMap<i32, RefusedCount>,
    /// The number of operations whose fate the nodes did not report in time.
    pub unresolved: u64,
    /// From sending to the answer, whatever it was.
    pub latency: Latencies,
}

impl OperationCounts {
    fn refuse(&mut self, code: i32, name: &str, orders: u64) {
        let refused = || RefusedCount { code, name: name.to_owned(), orders: 0 };
        self.refused.entry(code).or_insert_with(refused).orders += orders;
    }

    /// Counts a batch; gives how many of its items were applied.
    fn add(&mut self, sent: &SentBatch) -> u64 {
        let items = u64::from(sent.items);
        self.submitted += items;
        // An order without an answer took at least so long: leaving it out would hide it.
        self.latency.record(sent.latency, items);
        let mut applied = 0;
        match &sent.result {
            Ok((report, _)) => {
                for count in report.outcomes.iter().flat_map(|outcomes| &outcomes.counts) {
                    let orders = u64::from(count.item_count);
                    if Outcome(count.code).is_applied() {
                        applied += orders;
                    } else {
                        self.refuse(i32::from(count.code), &count.name, orders);
                    }
                }
            }
            Err(CallError::Refused { code, name, .. }) => self.refuse(*code, name, items),
            Err(_) => self.unresolved += items,
        }
        self.final_orders += applied;
        applied
    }

    /// Refused for another reason than that the close of a window came before a return: an order
    /// may be returned until its window closes, and again once its instruction has arrived.
    pub fn refused_in_earnest(&self) -> u64 {
        let overtaken = i32::from(Rejection::OrderInstructed.code());
        self.refused.values().filter(|one| one.code != overtaken).map(|one| one.orders).sum()
    }

    fn refused_in_all(&self) -> u64 {
        self.refused.values().map(|refused| refused.orders).sum()
    }
}

/// The counts of a kind.
#[derive(Debug, Clone, Serialize)]
pub struct KindReport {
    /// The kind of operation.
    pub kind: LoadKind,
    /// The number of operations sent.
    pub submitted: u64,
    /// Applied in a decided block.
    #[serde(rename = "final")]
    pub final_operations: u64,
    /// The refused operations, by code.
    pub refused: Vec<RefusedCount>,
    /// The number of operations whose fate the nodes did not report in time.
    pub unresolved: u64,
    /// From sending to the answer.
    pub latency: LatencyReport,
}

/// A part of the run.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseReport {
    /// `all up`, `one down`, `all up again`.
    pub phase: &'static str,
    /// How long it was, in seconds.
    pub seconds: f64,
    /// Orders a second that became final in it.
    pub throughput_per_second: f64,
    /// Of the orders that were to be sent in it.
    pub latency: LatencyReport,
    /// Orders that were to be sent in it and were refused, or whose fate was not said in time.
    pub errors: u64,
    /// Refusals for now and nodes out of reach on the way.
    pub retries: u64,
}

#[derive(Debug)]
struct Phase {
    name: &'static str,
    from: Instant,
    until: Instant,
    final_orders: u64,
    retries: u64,
    counts: OperationCounts,
}

/// The count of a run.
#[derive(Debug)]
pub struct Tally {
    started: Instant,
    /// Until when answers count for the throughput.
    end: Instant,
    /// Batches of all kinds.
    pub batches: u64,
    /// Batches of all kinds that were final within the period: a signature each.
    pub batches_in_period: u64,
    /// Refusals for now and nodes out of reach on the way.
    pub retries: u64,
    /// Orders applied within the period.
    pub final_in_period: u64,
    /// The operations that users asked for; refused and unresolved ones include those that followed
    /// from them.
    pub total: OperationCounts,
    /// The last refusal or silence.
    pub last_problem: Option<String>,
    kinds: BTreeMap<LoadKind, OperationCounts>,
    phases: Vec<Phase>,
    by_second: Vec<u64>,
    known: Option<Arc<Known>>,
}

impl Tally {
    /// Nothing counted yet, of a period that begins at `started`.
    pub fn new(started: Instant, period: Duration) -> Self {
        Self {
            started,
            end: started + period,
            batches: 0,
            batches_in_period: 0,
            retries: 0,
            final_in_period: 0,
            total: OperationCounts::default(),
            last_problem: None,
            kinds: BTreeMap::new(),
            phases: Vec::new(),
            by_second: Vec::new(),
            known: None,
        }
    }

    /// Tells `known` of orders that are final.
    pub fn telling(mut self, known: Option<Arc<Known>>) -> Self {
        self.known = known;
        self
    }

    /// The present phase ends at `now` and the next begins.
    pub fn phase(&mut self, name: &'static str, now: Instant) {
        if let Some(last) = self.phases.last_mut() {
            last.until = now;
        }
        let (from, until, counts) = (now, self.end, OperationCounts::default());
        self.phases.push(Phase { name, from, until, final_orders: 0, retries: 0, counts });
    }

    /// Counts a batch that was answered.
    pub fn add(&mut self, sent: &SentBatch) {
        self.batches += 1;
        let counts = self.kinds.entry(sent.kind).or_default();
        let applied = counts.add(sent);
        let is_in_period = sent.answered <= self.end;
        self.batches_in_period += u64::from(is_in_period && sent.result.is_ok());
        let retries = match &sent.result {
            Ok((_, retries)) => u64::from(*retries),
            Err(error) => {
                self.last_problem = Some(error.to_string());
                0
            }
        };
        self.retries += retries;
        if sent.kind.is_asked() {
            self.total.add(sent);
            self.final_in_period += if is_in_period { applied } else { 0 };
            self.count_second(sent.answered, applied);
            self.count_phase(sent, applied, retries);
        } else {
            self.follow(sent);
        }
        if let (Some(known), Some(order)) = (&self.known, sent.sample)
            && applied == u64::from(sent.items)
        {
            known.add(order, sent.answered);
        }
    }

    /// Counts what went wrong with what follows from an order: it is no order of its own.
    fn follow(&mut self, sent: &SentBatch) {
        let mut counts = OperationCounts::default();
        counts.add(sent);
        for refused in counts.refused.values() {
            self.total.refuse(refused.code, &refused.name, refused.orders);
        }
        self.total.unresolved += counts.unresolved;
    }

    fn count_second(&mut self, answered: Instant, applied: u64) {
        let second = answered.saturating_duration_since(self.started).as_secs();
        let second = usize::try_from(second).unwrap_or(usize::MAX).min(86_400);
        if self.by_second.len() <= second {
            self.by_second.resize(second + 1, 0);
        }
        self.by_second[second] += applied;
    }

    fn count_phase(&mut self, sent: &SentBatch, applied: u64, retries: u64) {
        let intended = sent.answered.checked_sub(sent.latency).unwrap_or(self.started);
        let of_time = |at: Instant| {
            let later = move |phase: &Phase| phase.from <= at;
            self.phases.iter().rposition(later).unwrap_or(0)
        };
        let (begun, ended) = (of_time(intended), of_time(sent.answered));
        if let Some(phase) = self.phases.get_mut(begun) {
            phase.counts.add(sent);
            phase.retries += retries;
        }
        if let Some(phase) = self.phases.get_mut(ended).filter(|phase| sent.answered <= phase.until)
        {
            phase.final_orders += applied;
        }
    }

    /// Orders final so far.
    pub fn final_orders(&self) -> u64 {
        self.total.final_orders
    }

    /// The most orders that became final in one second.
    pub fn peak_per_second(&self) -> u64 {
        self.by_second.iter().copied().max().unwrap_or(0)
    }

    /// The counts of each kind that was sent.
    pub fn kinds(&self) -> Vec<KindReport> {
        let report = |(kind, counts): (&LoadKind, &OperationCounts)| KindReport {
            kind: *kind,
            submitted: counts.submitted,
            final_operations: counts.final_orders,
            refused: counts.refused.values().cloned().collect(),
            unresolved: counts.unresolved,
            latency: counts.latency.report(),
        };
        self.kinds.iter().map(report).collect()
    }

    /// The phases, if the run had any.
    pub fn phases(&self) -> Vec<PhaseReport> {
        let report = |phase: &Phase| {
            let seconds = phase.until.saturating_duration_since(phase.from).as_secs_f64();
            PhaseReport {
                phase: phase.name,
                seconds,
                throughput_per_second: phase.final_orders as f64 / seconds.max(0.001),
                latency: phase.counts.latency.report(),
                errors: phase.counts.refused_in_all() + phase.counts.unresolved,
                retries: phase.retries,
            }
        };
        self.phases.iter().map(report).collect()
    }
}

#[cfg(test)]
pub(super) mod tests;
