//! The shares of submitters, as the replica and whoever answers clients see them.
//!
//! They are this node's own: no block depends on them. The wall clock that comes with each input is
//! followed at a steady pace, so that a clock that is set makes no debt longer.

use std::sync::Arc;

use chain_types::batch::BATCH_ITEMS_MAX;
use chain_types::{
    BatchError, BatchHeader, BatchKind, Parameters, ParticipantId, Rejection, TimeMs,
};
use consensus_scheduler::{
    Admission, BatchAttempt, RetryAt, Scheduler, ServiceClass, Settings, SteadyTime,
};
use parking_lot::Mutex;

/// The estimate of the capacity before a full block has shown it, in items a second: above what a
/// machine of today carries. What is too much is learned from full blocks within a second or two; a
/// start that is too low would hold clients back for longer.
const CAPACITY_AT_START: u64 = 200_000;
/// When to send again what was refused for another reason than a share, in milliseconds.
const RETRY_AFTER_MS: u64 = 250;

/// A batch that is not taken, and when the same bytes may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitRefusal {
    /// The reason, with its stable code and the values that were wrong.
    pub error: BatchError,
    /// The time until the same bytes are admitted, in milliseconds; `None` if they never will be.
    pub retry_after_ms: Option<u64>,
}

impl From<BatchError> for SubmitRefusal {
    fn from(error: BatchError) -> Self {
        let retry_after_ms = error.rejection.is_transient().then_some(RETRY_AFTER_MS);
        Self { error, retry_after_ms }
    }
}

/// The header of a batch, as far as shares are concerned.
#[derive(Debug, Clone, Copy)]
pub struct ShareQuestion {
    /// The participant that the header names.
    pub submitter: ParticipantId,
    /// The kind of the batch.
    pub kind: BatchKind,
    /// The number of its items.
    pub items: u32,
    /// The last block time at which it may commit.
    pub valid_until: TimeMs,
}

impl ShareQuestion {
    /// The question about a batch of a kind with this header.
    pub fn new(header: &BatchHeader, kind: BatchKind) -> Self {
        let BatchHeader { submitter, count, valid_until, .. } = *header;
        Self { submitter, kind, items: count, valid_until }
    }
}

/// The scheduler of a node; cheap to clone. Each use follows the clock first.
#[derive(Debug, Clone)]
pub struct SharedScheduler(Arc<Mutex<Clocked>>);

#[derive(Debug)]
struct Clocked {
    scheduler: Scheduler,
    time: SteadyTime,
}

impl Default for SharedScheduler {
    fn default() -> Self {
        // A batch counts as too late only for what waits before it: how long a block takes until it
        // is final differs between networks.
        let capacity_items_per_s = CAPACITY_AT_START;
        let settings = Settings { capacity_items_per_s, settle_ms: 0, ..Settings::default() };
        let scheduler = Scheduler::new(settings);
        Self(Arc::new(Mutex::new(Clocked { scheduler, time: SteadyTime::default() })))
    }
}

impl Clocked {
    /// Follows the wall clock, and divides the capacity anew when it is time. Returns the steady
    /// time in microseconds.
    fn follow(&mut self, now: TimeMs) -> u64 {
        let now_us = self.time.follow(now);
        self.scheduler.tick(now_us);
        now_us
    }

    fn attempt(&self, question: &ShareQuestion) -> BatchAttempt {
        BatchAttempt {
            submitter: question.submitter,
            items: question.items,
            class: ServiceClass::of(question.kind),
            valid_until: self.time.of(question.valid_until),
            backlog_items: 0,
            ahead_items: 0,
            is_retry: false,
        }
    }
}

impl SharedScheduler {
    /// Uses the scheduler at a moment of the wall clock. The steady time is in microseconds.
    pub fn with<T>(&self, now: TimeMs, act: impl FnOnce(&mut Scheduler, u64) -> T) -> T {
        let mut clocked = self.0.lock();
        let now_us = clocked.follow(now);
        act(&mut clocked.scheduler, now_us)
    }

    /// Decides about a batch whose signature holds, and records the try.
    ///
    /// # Errors
    /// When its submitter's share does not allow it now.
    pub(crate) fn consider(
        &self,
        question: &ShareQuestion,
        now: TimeMs,
    ) -> Result<(), SubmitRefusal> {
        let mut clocked = self.0.lock();
        let now_us = clocked.follow(now);
        let attempt = clocked.attempt(question);
        let admission = clocked.scheduler.consider(&attempt, now_us);
        answer(&clocked.scheduler, admission, &attempt, now_us)
    }

    /// Returns the refusal of a batch of which only the header was looked at, and records that it
    /// was tried. One that is not refused is considered again when its signature is verified.
    pub fn refuse_by_header(&self, question: &ShareQuestion, now: TimeMs) -> Option<SubmitRefusal> {
        let mut clocked = self.0.lock();
        let now_us = clocked.follow(now);
        let attempt = clocked.attempt(question);
        if clocked.scheduler.judge(&attempt, now_us) == Admission::Admit {
            return None;
        }
        let admission = clocked.scheduler.consider(&attempt, now_us);
        answer(&clocked.scheduler, admission, &attempt, now_us).err()
    }

    /// Refuses a batch for want of space in the pool, until what waits is done.
    pub(crate) fn pool_full(&self, detail: String, now: TimeMs) -> SubmitRefusal {
        let queue_ms = self.with(now, |scheduler, _| scheduler.queue_ms());
        SubmitRefusal {
            error: BatchError::new(Rejection::PoolFull, detail),
            retry_after_ms: Some(u64::from(queue_ms).max(RETRY_AFTER_MS)),
        }
    }
}

/// Puts a decision into the interface's words.
fn answer(
    scheduler: &Scheduler,
    admission: Admission,
    attempt: &BatchAttempt,
    now_us: u64,
) -> Result<(), SubmitRefusal> {
    let Admission::Refuse { reason, retry } = admission else { return Ok(()) };
    let submitter = attempt.submitter;
    let (share, waiting) = (scheduler.share(submitter), scheduler.queue_items_of(submitter));
    let retry_after_ms = match retry {
        RetryAt::At(at) => Some(at.get().saturating_sub(now_us / 1_000).max(1)),
        RetryAt::Never => None,
    };
    let never = if retry_after_ms.is_none() { "; never before its valid-until time" } else { "" };
    let detail = format!(
        "({}: {share} items a second, {waiting} of its items wait, {} more came{never})",
        reason.describe(),
        attempt.items,
    );
    Err(SubmitRefusal { error: BatchError::new(Rejection::PoolFull, detail), retry_after_ms })
}

/// Returns true if a block had no space for what it left behind.
pub(crate) fn is_full_block(parameters: &Parameters, batches: usize, items: u64) -> bool {
    let items_max = u64::from(parameters.block_items_max);
    items + u64::from(BATCH_ITEMS_MAX) > items_max
        || batches >= parameters.block_batches_max as usize
}

#[cfg(test)]
mod tests;
