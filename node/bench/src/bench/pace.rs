//! When jobs begin: in a closed loop (so many under way; the next begins when one has ended) or an
//! open one (each at its own time, come what may).
//!
//! An open loop's jobs measure from the time at which they were meant to begin, also when the
//! network holds the sender up, so that a stall is not hidden by the requests that it delayed.
//! What begins late, and what is given up, is counted.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A job that begins this long after its time is late: more than a timer's own error.
const LATE: Duration = Duration::from_millis(10);

/// The place of a job in the schedule.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Its number; in a closed loop, that of its worker.
    pub number: usize,
    /// When it was meant to begin.
    pub intended: Instant,
}

/// Something to do once.
pub struct Job {
    /// Orders that it is about.
    pub orders: u32,
    /// The work, which begins at the job's turn.
    pub work: Box<dyn FnOnce(Turn) -> BoxFuture<'static, ()> + Send>,
}

/// A source of jobs.
pub trait JobSource: Send + 'static {
    /// The next one; `None` when there are no more.
    fn next(&mut self) -> BoxFuture<'_, Option<Job>>;
}

/// When each turn of an open loop is due.
#[derive(Debug, Clone)]
pub enum DueTimes {
    /// At a rate, for a period: a turn is due when its first order is, whatever the sizes of the
    /// turns before it.
    Steady {
        /// Orders a second, at least one.
        rate: u64,
        /// The period after which no job begins.
        period: Duration,
    },
    /// At these times, ascending.
    Listed {
        /// The time of each turn.
        times: Vec<Duration>,
        /// Orders of a turn, to count those that are given up.
        turn_orders: u32,
    },
}

impl DueTimes {
    /// When turn `number` is due, from the start on, with so many orders in the turns before it;
    /// `None` after the last.
    fn at(&self, number: usize, orders_before: u64) -> Option<Duration> {
        match self {
            // In whole numbers, each from the start: no error adds up to a turn more or less.
            Self::Steady { rate, period } => {
                let nanoseconds =
                    u128::from(orders_before) * 1_000_000_000 / u128::from((*rate).max(1));
                let due = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
                (due < *period).then_some(due)
            }
            Self::Listed { times, .. } => times.get(number).copied(),
        }
    }

    /// The orders of turn `number` and all after it.
    fn orders_from(&self, number: usize, orders_before: u64) -> u64 {
        match self {
            Self::Steady { rate, period } => {
                let all = u128::from(*rate) * period.as_nanos() / 1_000_000_000;
                u64::try_from(all).unwrap_or(u64::MAX).saturating_sub(orders_before)
            }
            Self::Listed { times, turn_orders } => {
                times.len().saturating_sub(number) as u64 * u64::from(*turn_orders)
            }
        }
    }
}

/// How jobs are begun.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// So many under way, for a period.
    Closed {
        /// The number of jobs in flight at once.
        in_flight: usize,
        /// For how long new ones begin.
        period: Duration,
    },
    /// Each at its time.
    Open {
        /// The times at which jobs are due.
        due: DueTimes,
        /// Jobs under way, beyond which the next waits (and its latency counts on).
        in_flight_max: usize,
        /// From the start on: what has not begun by then is given up. `None`: never.
        give_up: Option<Duration>,
    },
}

/// How well an open loop kept its times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pacing {
    /// Orders whose job began late, because too many were under way or nothing was ready.
    pub late_orders: u64,
    /// The longest delay of a job's beginning behind its time.
    pub lag_max: Duration,
    /// Orders that were given up.
    pub unsent_orders: u64,
}

/// Does the jobs of `source` until the schedule, the source or `cancel` ends it, and waits for
/// those under way.
pub async fn run(source: impl JobSource, schedule: Schedule, cancel: CancellationToken) -> Pacing {
    let started = Instant::now();
    match schedule {
        Schedule::Closed { in_flight, period } => {
            closed(source, in_flight, started + period, &cancel).await;
            Pacing::default()
        }
        Schedule::Open { due, in_flight_max, give_up } => {
            let give_up = give_up.map(|after| started + after);
            let mut open = Open { due, give_up, started, pacing: Pacing::default() };
            open.run(source, in_flight_max, &cancel).await;
            open.pacing
        }
    }
}

async fn closed(
    source: impl JobSource,
    in_flight: usize,
    end: Instant,
    cancel: &CancellationToken,
) {
    let source = Arc::new(Mutex::new(source));
    let mut tasks = JoinSet::new();
    for number in 0..in_flight.max(1) {
        let (source, cancel) = (Arc::clone(&source), cancel.clone());
        tasks.spawn(async move {
            while Instant::now() < end && !cancel.is_cancelled() {
                let next = source.lock().await.next().await;
                let Some(job) = next else { return };
                (job.work)(Turn { number, intended: Instant::now() }).await;
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

struct Open {
    due: DueTimes,
    give_up: Option<Instant>,
    started: Instant,
    pacing: Pacing,
}

impl Open {
    async fn run(
        &mut self,
        mut source: impl JobSource,
        in_flight_max: usize,
        cancel: &CancellationToken,
    ) {
        let slots = Arc::new(Semaphore::new(in_flight_max.max(1)));
        let mut tasks = JoinSet::new();
        let mut orders_before = 0;
        for number in 0.. {
            let Some(due) = self.due.at(number, orders_before) else { break };
            let intended = self.started + due;
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep_until(intended) => {}
            }
            if self.give_up.is_some_and(|give_up| Instant::now() >= give_up) {
                self.pacing.unsent_orders = self.due.orders_from(number, orders_before);
                break;
            }
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let Some(job) = source.next().await else { break };
            self.note(job.orders, intended.elapsed());
            orders_before += u64::from(job.orders);
            tasks.spawn(async move {
                (job.work)(Turn { number, intended }).await;
                drop(slot);
            });
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
    }

    fn note(&mut self, orders: u32, lag: Duration) {
        if lag > LATE {
            self.pacing.late_orders += u64::from(orders);
        }
        self.pacing.lag_max = self.pacing.lag_max.max(lag);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::Mutex as Lock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Jobs of ten orders that take a while: the latency of each, and the most at once.
    #[derive(Clone, Default)]
    struct Slow {
        takes: Duration,
        now: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
        latencies: Arc<Lock<Vec<Duration>>>,
    }

    impl JobSource for Slow {
        fn next(&mut self) -> BoxFuture<'_, Option<Job>> {
            let slow = self.clone();
            Box::pin(async move {
                let work = move |turn: Turn| -> BoxFuture<'static, ()> {
                    Box::pin(async move {
                        let now = slow.now.fetch_add(1, Ordering::SeqCst) + 1;
                        slow.most.fetch_max(now, Ordering::SeqCst);
                        tokio::time::sleep(slow.takes).await;
                        slow.now.fetch_sub(1, Ordering::SeqCst);
                        slow.latencies.lock().unwrap().push(turn.intended.elapsed());
                    })
                };
                Some(Job { orders: 10, work: Box::new(work) })
            })
        }
    }

    fn milliseconds(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    /// Ten jobs, one a millisecond, of which one is under way at a time.
    async fn open(takes: Duration, give_up: Option<Duration>) -> (Slow, Pacing) {
        let slow = Slow { takes, ..Slow::default() };
        let due = DueTimes::Steady { rate: 10_000, period: milliseconds(10) };
        let schedule = Schedule::Open { due, in_flight_max: 1, give_up };
        let pacing = run(slow.clone(), schedule, CancellationToken::new()).await;
        (slow, pacing)
    }

    #[tokio::test]
    async fn an_open_loop_does_all_and_counts_from_the_intended_time() {
        let takes = milliseconds(20);
        let (slow, pacing) = open(takes, None).await;
        assert_eq!(slow.most.load(Ordering::SeqCst), 1);
        let latencies = slow.latencies.lock().unwrap().clone();
        assert_eq!(latencies.len(), 10);
        for (place, latency) in (1_u32..).zip(&latencies) {
            // Those before it took their time, one after the other: the wait is not hidden.
            let least = takes * place - milliseconds(1) * (place - 1);
            assert!(*latency >= least, "job {place}: {latency:?} below {least:?}");
        }
        // All but the first waited for the one before it, and that is said.
        assert!(pacing.late_orders >= 90, "{pacing:?}");
        assert!(pacing.lag_max >= takes * 9 - milliseconds(9), "{pacing:?}");
        assert_eq!(pacing.unsent_orders, 0);
    }

    #[tokio::test]
    async fn what_cannot_begin_in_time_is_given_up_and_counted() {
        let (slow, pacing) = open(milliseconds(50), Some(milliseconds(20))).await;
        let done = slow.latencies.lock().unwrap().len() as u64;
        assert!(done < 10);
        assert_eq!(pacing.unsent_orders, 10 * (10 - done));
    }

    #[tokio::test]
    async fn a_closed_loop_has_so_many_under_way_and_no_more() {
        let slow = Slow { takes: milliseconds(20), ..Slow::default() };
        let schedule = Schedule::Closed { in_flight: 3, period: milliseconds(100) };
        let pacing = run(slow.clone(), schedule, CancellationToken::new()).await;
        assert_eq!(slow.most.load(Ordering::SeqCst), 3);
        assert!(slow.latencies.lock().unwrap().len() >= 3);
        assert_eq!(pacing, Pacing::default());
    }

    #[test]
    fn steady_turns_fill_the_period_and_no_more() {
        // Ten orders every 33.3 ms: for four seconds 120 turns, not one more.
        let due = DueTimes::Steady { rate: 300, period: Duration::from_secs(4) };
        assert_eq!(due.at(0, 0), Some(Duration::ZERO));
        assert_eq!(due.at(3, 30), Some(milliseconds(100)));
        assert!(due.at(119, 1_190).is_some());
        assert_eq!(due.at(120, 1_200), None);
        // A large turn keeps the next ones back: the rate is one of orders.
        assert_eq!(due.at(1, 900), Some(Duration::from_secs(3)));
        assert_eq!((due.orders_from(3, 900), due.orders_from(4, 1_300)), (300, 0));
        let listed = DueTimes::Listed { times: vec![Duration::ZERO; 5], turn_orders: 7 };
        assert_eq!((listed.orders_from(2, 0), listed.orders_from(9, 0)), (21, 0));
    }
}
