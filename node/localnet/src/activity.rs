//! The activity of the simulated parties, counted as the nodes acknowledged it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chain_types::{OrderId, Outcome};
use rpc_api::BatchReport;
use rpc_client::client::CallError;

use crate::latency::Latencies;
use crate::refused::RefusedCount;

/// Orders kept for the final look at single orders.
const SAMPLE_MAX: usize = 64;

/// Counters shared by all parties.
#[derive(Debug, Default)]
pub struct Activity(Mutex<Counts>);

/// The counters. Each counts what a decided block says.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Orders that were reserved.
    pub reserved: u64,
    /// Orders that were submitted and collected in one step.
    pub one_step: u64,
    /// Reserved orders that their gateway collected.
    pub collected: u64,
    /// Reserved orders that were voided.
    pub voided: u64,
    /// Reserved orders that nobody collects or voids, so that they expire: when they were made,
    /// in milliseconds, and how many.
    pub abandoned: Vec<(u64, u64)>,
    /// Instructions received over the subscriptions.
    pub instructions: u64,
    /// Arrivals that gateways attested.
    pub arrivals: u64,
    /// Orders that those arrivals pay out.
    pub arrived_orders: u64,
    /// Operations refused, by code.
    pub refused: BTreeMap<i32, RefusedCount>,
    /// Operations whose fate the nodes did not say in time.
    pub unresolved: u64,
    /// The last refusal or silence.
    pub last_problem: Option<String>,
    /// From submission of an order to its final answer.
    pub finality: Latencies,
    /// The ids of the first collected orders.
    pub sample: Vec<OrderId>,
}

impl Activity {
    /// The counters as they stand.
    pub fn snapshot(&self) -> Counts {
        self.lock().clone()
    }

    /// Changes the counters under their lock.
    pub fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock());
    }

    /// Counts a batch's refused items; gives which of its `items` were applied, by index. An
    /// error counts for all of them.
    pub fn settle(&self, items: usize, result: &Result<BatchReport, CallError>) -> Vec<bool> {
        let mut counts = self.lock();
        let count = items as u64;
        match result {
            Ok(report) => {
                let mut applied = vec![true; items];
                for refused in report.outcomes.iter().flat_map(|outcomes| &outcomes.not_applied) {
                    if let Some(applied) = applied.get_mut(refused.item_index as usize) {
                        *applied = false;
                    }
                    // Said before, and answered as before: no refusal.
                    if refused.code != Outcome::REPEATED.0 {
                        counts.refuse(i32::from(refused.code), &refused.name, 1);
                    }
                }
                applied
            }
            Err(CallError::Refused { code, name, message, .. }) => {
                counts.last_problem = Some(message.clone());
                counts.refuse(*code, name, count);
                vec![false; items]
            }
            Err(error) => {
                counts.last_problem = Some(error.to_string());
                counts.unresolved += count;
                vec![false; items]
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Counters have no state in between: those of a panicked holder are as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn refuse(&mut self, code: i32, name: &str, operations: u64) {
        let refused = || RefusedCount { code, name: name.to_owned(), orders: 0 };
        self.refused.entry(code).or_insert_with(refused).orders += operations;
    }

    /// Counts the time that `orders` took to be final.
    pub fn finality(&mut self, latency: Duration, orders: usize) {
        self.finality.record(latency, orders as u64);
    }

    /// Remembers some of the collected orders.
    pub fn remember(&mut self, orders: impl Iterator<Item = OrderId>) {
        // Every 97th of the orders passes by until the sample is full: spread over the run.
        let room = SAMPLE_MAX.saturating_sub(self.sample.len());
        self.sample.extend(orders.step_by(97).take(room.min(2)));
    }

    /// Abandoned orders made before `time_ms`.
    pub fn expired(&self, time_ms: u64) -> u64 {
        let before = self.abandoned.iter().filter(|(made_ms, _)| *made_ms < time_ms);
        before.map(|(_, orders)| orders).sum()
    }

    /// Orders collected in either way.
    pub fn collected_in_all(&self) -> u64 {
        self.one_step + self.collected
    }

    /// Reserved orders that are neither collected nor voided yet.
    pub fn still_reserved(&self) -> u64 {
        self.reserved.saturating_sub(self.collected).saturating_sub(self.voided)
    }

    /// Operations that were refused.
    pub fn refused_in_all(&self) -> u64 {
        self.refused.values().map(|refused| refused.orders).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::{BatchId, Rejection};
    use rpc_api::{BatchState, Outcomes};

    use super::*;

    #[test]
    fn a_batch_is_settled_item_by_item() {
        let activity = Activity::default();
        let refused = Outcome::from(Rejection::OrderIdExpired);
        let mut report = BatchReport::pending(BatchId::default(), BatchState::Final);
        let outcomes = [Outcome::APPLIED, refused, Outcome::APPLIED];
        report.outcomes = Some(Outcomes::new(&outcomes, false));
        assert_eq!(activity.settle(3, &Ok(report)), [true, false, true]);
        let timeout = CallError::Timeout { waited_ms: 1, last: "silence".to_owned() };
        assert_eq!(activity.settle(2, &Err(timeout)), [false, false]);
        let counts = activity.snapshot();
        assert_eq!((counts.refused_in_all(), counts.unresolved), (1, 2));
        assert!(counts.last_problem.unwrap().contains("silence"));
    }
}
