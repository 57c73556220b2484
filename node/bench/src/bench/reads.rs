//! Reads beside the load: the status of orders known to be final, asked of random nodes at a fixed
//! rate; half of them recent, half old. Many clients ask, as of any network: each has a thread
//! and connections of its own, and takes the next read that is due.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::OrderId;
use futures::FutureExt as _;
use rpc_api::{ApiError, OrderState, RechargeRpcClient as _};
use rpc_client::client::{CallError, Client};
use rpc_client::orders::Entropy;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use node_localnet::latency::{Latencies, LatencyReport};

/// An order is old once it has been final for this long.
const OLD: Duration = Duration::from_secs(10);
/// Recent orders that are remembered.
const RECENT_MAX: usize = 4_096;
/// Old orders that are remembered: a fair sample of all.
const OLD_MAX: usize = 16_384;
/// Clients, and so reads under way at once; beyond, the next waits (and its latency counts on).
const CLIENTS: usize = 64;
/// A client that waits for its next read looks so often whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Orders known to be final.
#[derive(Debug)]
pub struct Known(Mutex<Orders>);

#[derive(Debug)]
struct Orders {
    recent: VecDeque<(OrderId, Instant)>,
    old: Vec<(OrderId, Instant)>,
    /// Orders that became old so far.
    aged: u64,
    entropy: Entropy,
}

/// How old an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Recent,
    Old,
}

impl Known {
    /// None yet.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn new() -> anyhow::Result<Self> {
        let (recent, old) = (VecDeque::new(), Vec::new());
        Ok(Self(Mutex::new(Orders { recent, old, aged: 0, entropy: Entropy::fresh()? })))
    }

    /// An order is final since `at`.
    pub fn add(&self, order: OrderId, at: Instant) {
        let mut orders = self.lock();
        orders.age(at);
        if orders.recent.len() == RECENT_MAX {
            // Whatever is dropped here is one of many of its moment.
            let at = usize::try_from(orders.entropy.below(RECENT_MAX as u64)).unwrap_or(0);
            orders.recent.remove(at);
        }
        orders.recent.push_back((order, at));
    }

    /// One of them; of the other age if there is none of this one.
    fn draw(&self, age: Age, now: Instant) -> Option<(OrderId, Age, Duration)> {
        let mut orders = self.lock();
        orders.age(now);
        let age = match age {
            Age::Old if orders.old.is_empty() => Age::Recent,
            Age::Recent if orders.recent.is_empty() => Age::Old,
            age => age,
        };
        let count = if age == Age::Old { orders.old.len() } else { orders.recent.len() };
        let at = usize::try_from(orders.entropy.below(count as u64)).unwrap_or(0);
        let found = match age {
            Age::Old => orders.old.get(at).copied(),
            Age::Recent => orders.recent.get(at).copied(),
        };
        found.map(|(order, since)| (order, age, now.saturating_duration_since(since)))
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        // Orders have no state in between: those of a panicked holder are as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    /// Moves what has become old.
    fn age(&mut self, now: Instant) {
        while let Some((_, since)) = self.recent.front()
            && now.saturating_duration_since(*since) >= OLD
            && let Some(order) = self.recent.pop_front()
        {
            self.aged += 1;
            if self.old.len() < OLD_MAX {
                self.old.push(order);
            } else {
                // Each of all that became old stays with the same chance.
                let place = usize::try_from(self.entropy.below(self.aged)).unwrap_or(usize::MAX);
                if let Some(slot) = self.old.get_mut(place) {
                    *slot = order;
                }
            }
        }
    }
}

/// The figures of the reads of orders of one age.
#[derive(Debug, Clone, Serialize)]
pub struct AgeReport {
    /// The number of reads that were sent.
    pub reads: u64,
    /// From when each was to be sent to its answer, whatever it was.
    pub latency: LatencyReport,
    /// The longest that an order read had been final, in seconds.
    pub age_max_seconds: f64,
    /// Answers that the order is not known: the node was behind the one that said it is final.
    pub behind: u64,
    /// Other errors and silences.
    pub errors: u64,
}

/// The figures of all reads.
#[derive(Debug, Clone, Serialize)]
pub struct ReadsReport {
    /// Reads a second asked for.
    pub rate: u64,
    /// Of orders final for less than ten seconds.
    pub recent: AgeReport,
    /// Of orders final for longer.
    pub old: AgeReport,
    /// The last error, if there was any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_problem: Option<String>,
}

impl ReadsReport {
    /// Returns the number of reads that failed.
    pub fn errors(&self) -> u64 {
        self.recent.errors + self.old.errors
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let line = |name: &str, age: &AgeReport| {
            let AgeReport { reads, latency, age_max_seconds, behind, errors } = age;
            let latency = latency.text();
            format!(
                "reads        {name}: {reads}, final for up to {age_max_seconds:.0} s; {latency}; \
                 {behind} of a node behind, {errors} errors"
            )
        };
        format!("{}\n{}", line("recent", &self.recent), line("old", &self.old))
    }
}

#[derive(Debug)]
struct Count {
    latency: Latencies,
    age_max: Duration,
    behind: u64,
    errors: u64,
}

impl Count {
    fn new() -> Self {
        Self { latency: Latencies::default(), age_max: Duration::ZERO, behind: 0, errors: 0 }
    }

    fn report(&self) -> AgeReport {
        let latency = self.latency.report();
        AgeReport {
            reads: latency.count,
            latency,
            age_max_seconds: self.age_max.as_secs_f64(),
            behind: self.behind,
            errors: self.errors,
        }
    }
}

/// The answer to a read.
enum Said {
    Final,
    Behind,
    Failed(CallError),
}

/// The plan of the reads.
#[derive(Debug)]
pub struct Reading {
    /// The URLs of the nodes that are asked.
    pub urls: Vec<String>,
    /// The orders that are known to be final.
    pub known: Arc<Known>,
    /// The rate of reads a second.
    pub rate: u64,
    /// Ends the reads when it is cancelled.
    pub stop: CancellationToken,
}

/// The clients that read, at work.
#[derive(Debug)]
pub struct Reads {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<anyhow::Result<()>>>,
}

#[derive(Debug)]
struct Shared {
    reading: Reading,
    started: Instant,
    next: AtomicU64,
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    recent: Count,
    old: Count,
    last_problem: Option<String>,
}

impl Reading {
    /// Starts the clients.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(self) -> io::Result<Reads> {
        let counts = Counts { recent: Count::new(), old: Count::new(), last_problem: None };
        let shared = Arc::new(Shared {
            reading: self,
            started: Instant::now(),
            next: AtomicU64::new(0),
            counts: Mutex::new(counts),
        });
        let client = |_| {
            let shared = shared.clone();
            std::thread::Builder::new().name("reads".to_owned()).spawn(move || shared.read_all())
        };
        let clients = (0..CLIENTS).map(client).collect::<io::Result<_>>()?;
        Ok(Reads { shared, clients })
    }
}

impl Reads {
    /// Waits until the clients have stopped and returns their figures.
    ///
    /// # Errors
    /// When the operating system gives no entropy, or a node's URL is none.
    pub fn report(self) -> anyhow::Result<ReadsReport> {
        for client in self.clients {
            client.join().ok().context("a client that reads broke off")??;
        }
        let rate = self.shared.reading.rate;
        let counts = self.shared.counts();
        let (recent, old) = (counts.recent.report(), counts.old.report());
        Ok(ReadsReport { rate, recent, old, last_problem: counts.last_problem.clone() })
    }
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counts have no state in between.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One client, until it is to stop.
    fn read_all(&self) -> anyhow::Result<()> {
        // Who looks an order up has a machine of its own: its threads do not wait long for this
        // one. A system that does not know it measures the wait for a core as well.
        let _ = rpc_server::ask_for_short_turns();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = {
            let _entered = runtime.enter();
            Client::new(&self.reading.urls)?
        };
        let mut entropy = Entropy::fresh()?;
        while let Some((number, intended)) = self.next_due() {
            let age = if number.is_multiple_of(2) { Age::Recent } else { Age::Old };
            // Before the first order is final there is nothing to read.
            let Some((order, age, since)) = self.reading.known.draw(age, Instant::now()) else {
                continue;
            };
            let node = usize::try_from(entropy.below(client.node_count() as u64)).unwrap_or(0);
            let said = runtime.block_on(read(&client, node, order));
            self.count(age, since, intended.elapsed(), said);
        }
        Ok(())
    }

    /// The next read, when it has come; `None` to stop. The thread itself waits: tokio's timers
    /// keep whole milliseconds only, which is more than a read takes.
    fn next_due(&self) -> Option<(u64, Instant)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let after = Duration::from_secs_f64(number as f64 / self.reading.rate.max(1) as f64);
        let intended = self.started + after;
        while !self.reading.stop.is_cancelled() {
            let left = intended.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some((number, intended));
            }
            std::thread::sleep(left.min(LOOK));
        }
        None
    }

    fn count(&self, age: Age, since: Duration, latency: Duration, said: Said) {
        let mut counts = self.counts();
        let Counts { recent, old, last_problem } = &mut *counts;
        let count = if age == Age::Old { old } else { recent };
        count.latency.record(latency, 1);
        count.age_max = count.age_max.max(since);
        match said {
            Said::Final => {}
            Said::Behind => count.behind += 1,
            Said::Failed(error) => {
                count.errors += 1;
                *last_problem = Some(error.to_string());
            }
        }
    }
}

async fn read(client: &Client, node: usize, order: OrderId) -> Said {
    let id = order.to_string();
    match client.ask_node(node, |node| node.order(id.clone()).boxed()).await {
        Ok(report) if report.status == OrderState::NotFound => Said::Behind,
        Ok(_) => Said::Final,
        Err(CallError::Refused { code, .. }) if code == ApiError::NodeBehind.code() => Said::Behind,
        Err(error) => Said::Failed(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::TimeMs;

    use super::*;

    #[test]
    fn orders_grow_old_and_are_drawn_by_age() {
        let (known, start) = (Known::new().unwrap(), Instant::now());
        assert!(known.draw(Age::Recent, start).is_none());
        let order = |number: u8| OrderId::new(TimeMs::new(1), [number; 10]);
        known.add(order(1), start);
        // Nothing is old yet: the other age is better than nothing.
        let drawn = known.draw(Age::Old, start).unwrap();
        assert_eq!(drawn, (order(1), Age::Recent, Duration::ZERO));
        known.add(order(2), start + OLD);
        let drawn = known.draw(Age::Old, start + OLD).unwrap();
        assert_eq!(drawn, (order(1), Age::Old, OLD));
        assert_eq!(known.draw(Age::Recent, start + OLD).unwrap().0, order(2));
        assert_eq!(known.draw(Age::Recent, start + OLD * 2).unwrap().1, Age::Old);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_spread() {
        let (known, start) = (Known::new().unwrap(), Instant::now());
        let order = |number: u64| OrderId::new(TimeMs::new(number), [0; 10]);
        for number in 0..40_000 {
            known.add(order(number), start + OLD * u32::try_from(number / 2_000).unwrap());
        }
        let orders = known.lock();
        assert!(orders.old.len() <= OLD_MAX && orders.recent.len() <= RECENT_MAX);
        assert_eq!(orders.aged, 38_000);
        let first = orders.old.iter().filter(|(order, _)| order.time().get() < 19_000).count();
        let share = first as f64 / orders.old.len() as f64;
        assert!((0.4..0.6).contains(&share), "{share} of the first half");
    }
}
