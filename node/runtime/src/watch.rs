//! When the driver tells the operator that no block comes, that nobody lets the node in, and whose
//! turns are passed over: once, then at doubling intervals, and once more when it is over.

use std::time::{Duration, Instant};

use chain_types::{BlockHeader, ValidatorId};
use node_replica::PassedOver;

/// How long without a block before the first line.
const QUIET_FIRST: Duration = Duration::from_secs(5);
/// The longest interval between two lines about it.
const QUIET_INTERVAL_MAX: Duration = Duration::from_secs(60);
/// How long without a connection before the first line.
const ALONE_FIRST: Duration = Duration::from_secs(10);
/// The longest interval between two lines about it.
const ALONE_INTERVAL_MAX: Duration = Duration::from_secs(600);

/// A message to the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// No block was committed for so long.
    NoBlock(Duration),
    /// The first block after such a notice, and how long it took.
    BlocksAgain(Duration),
    /// No peer was connected for so long.
    NobodyLetsIn(Duration),
    /// The first connection after such a notice.
    LetIn,
    /// A validator's turns come last from now on.
    PassedOver(PassedOver),
    /// A validator has its turns again; why.
    Forgiven(ValidatorId, Forgiven),
}

/// Why a validator is passed over no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forgiven {
    /// It proposed a block that was decided.
    #[error("its proposal was decided")]
    Proposed,
    /// The heights of it are over.
    #[error("its time is over")]
    Elapsed,
}

/// Something that goes on, told first after a while and then at doubling intervals.
#[derive(Debug)]
struct Condition {
    first: Duration,
    interval_max: Duration,
    since: Instant,
    next: Duration,
}

impl Condition {
    fn new(first: Duration, interval_max: Duration, since: Instant) -> Self {
        Self { first, interval_max, since, next: first }
    }

    /// Notes that it has ended; gives how long it went on, if that was told.
    fn end(&mut self, now: Instant) -> Option<Duration> {
        let lasted = now.saturating_duration_since(self.since);
        let was_told = self.next > self.first;
        self.since = now;
        self.next = self.first;
        was_told.then_some(lasted)
    }

    /// Gives how long it has gone on, when that is to be told now.
    fn tell(&mut self, now: Instant) -> Option<Duration> {
        let lasted = now.saturating_duration_since(self.since);
        if lasted < self.next {
            return None;
        }
        self.next = lasted + lasted.min(self.interval_max);
        Some(lasted)
    }
}

/// Watches a node for its operator.
#[derive(Debug)]
pub struct Watch {
    quiet: Condition,
    alone: Condition,
    passed_over: Vec<PassedOver>,
}

impl Watch {
    /// From `now` on; `passed_over` is known already.
    pub fn new(now: Instant, passed_over: Vec<PassedOver>) -> Self {
        Self {
            quiet: Condition::new(QUIET_FIRST, QUIET_INTERVAL_MAX, now),
            alone: Condition::new(ALONE_FIRST, ALONE_INTERVAL_MAX, now),
            passed_over,
        }
    }

    /// A block was committed, after which these validators are passed over. `None` while the node
    /// fetches old blocks: whose turns failed then is no news.
    pub fn commit(
        &mut self,
        now: Instant,
        header: &BlockHeader,
        passed_over: Option<Vec<PassedOver>>,
    ) -> Vec<Notice> {
        let mut notices: Vec<Notice> =
            self.quiet.end(now).map(Notice::BlocksAgain).into_iter().collect();
        let Some(passed_over) = passed_over else { return notices };
        let before = std::mem::replace(&mut self.passed_over, passed_over);
        let is_in = |list: &[PassedOver], id| list.iter().any(|passed| passed.validator == id);
        let new = self.passed_over.iter().filter(|passed| !is_in(&before, passed.validator));
        notices.extend(new.copied().map(Notice::PassedOver));
        let over = before.iter().filter(|passed| !is_in(&self.passed_over, passed.validator));
        notices.extend(over.map(|passed| {
            let has_proposed = header.proposer == passed.validator;
            let why = if has_proposed { Forgiven::Proposed } else { Forgiven::Elapsed };
            Notice::Forgiven(passed.validator, why)
        }));
        notices
    }

    /// Time has passed; `is_alone` says that there are others and none is connected.
    pub fn tick(&mut self, now: Instant, is_alone: bool) -> Vec<Notice> {
        let connection = if is_alone {
            self.alone.tell(now).map(Notice::NobodyLetsIn)
        } else {
            self.alone.end(now).map(|_| Notice::LetIn)
        };
        let block = self.quiet.tell(now).map(Notice::NoBlock);
        connection.into_iter().chain(block).collect()
    }
}

#[cfg(test)]
mod tests;
