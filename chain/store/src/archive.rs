//! Sorts runs of orders that left memory and moves them into the index, on a thread of its own: a
//! run of ten seconds can be a million orders, and the writer must not wait for it. All validators
//! have the same run at the same height, so the thread takes its time: unless somebody waits for
//! it, it works a twentieth of the time. Until a run has arrived, readers find its orders here.
//! Whoever writes a checkpoint works at leisure as well ([`Archive::at_leisure`]).

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chain_state::{OrderRecord, OrderRun};
use chain_types::OrderId;

use crate::counters::{Counters, add};
use crate::fault::StoreFault;
use crate::index::Index;
use crate::options::StoreOptions;
use crate::poison::Poison;

/// How many times as long as it worked the thread pauses, unless another run waits.
const PAUSE_FOR_WORK: u32 = 19;
/// The same while a checkpoint waits for it, which makes a start longer by as much; and for the
/// checkpoint's own pieces.
const PAUSE_FOR_CHECKPOINT: u32 = 3;
/// The most that is waited at once: work that took longer was held up by a disk or by a machine
/// that stood still.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// The thread that takes runs in, and what waits for it.
pub(crate) struct Archive {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    index: Arc<Index>,
    options: StoreOptions,
    folder: PathBuf,
    poison: Arc<Poison>,
    counters: Arc<Counters>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// In order of retirement; the first is being taken in.
    runs: VecDeque<Arc<OrderRun>>,
    /// How many wait until there is none.
    draining: usize,
    /// Nobody pauses any more.
    hurried: bool,
    closing: bool,
}

impl Archive {
    /// Starts the thread. Runs that a former process left in `folder` were never taken in; the
    /// chain gives them again.
    pub fn start(
        index: Arc<Index>,
        options: StoreOptions,
        folder: PathBuf,
        poison: Arc<Poison>,
        counters: Arc<Counters>,
    ) -> Result<Self, StoreFault> {
        let fault = || StoreFault::io("empty folder", &folder);
        for entry in std::fs::read_dir(&folder).map_err(fault())? {
            let path = entry.map_err(fault())?.path();
            std::fs::remove_file(&path).map_err(StoreFault::io("remove", &path))?;
        }
        let shared = Arc::new(Shared {
            index,
            options,
            folder,
            poison,
            counters,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        });
        let worker = shared.clone();
        let thread = std::thread::Builder::new()
            .name("order-archive".to_owned())
            .spawn(move || worker.work())
            .map_err(StoreFault::io("start a thread for", &shared.folder))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes over a run. Waits while as many as the options allow are waiting already.
    pub fn submit(&self, run: OrderRun) -> Result<(), StoreFault> {
        if run.is_empty() {
            return Ok(());
        }
        let most = self.shared.options.archive_runs_max.max(1);
        let mut waiting = self.shared.wait_until(|waiting| waiting.runs.len() < most)?;
        waiting.runs.push_back(Arc::new(run));
        self.shared.changed.notify_all();
        Ok(())
    }

    /// These pieces, each but the first after a pause for the work on the one before.
    pub fn at_leisure<T>(&self, pieces: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let mut begun: Option<Instant> = None;
        let mut paused = move || {
            if let Some(begun) = begun {
                let pause = pause_after(begun.elapsed(), PAUSE_FOR_CHECKPOINT);
                self.shared.wait_a_while(pause, |_| true);
            }
            begun = Some(Instant::now());
        };
        pieces.inspect(move |_| paused())
    }

    /// Ends every pause, for good.
    pub fn hurry(&self) {
        self.shared.waiting().hurried = true;
        self.shared.changed.notify_all();
    }

    /// Waits until every run submitted before is in the index.
    pub fn drain(&self) -> Result<(), StoreFault> {
        self.shared.waiting().draining += 1;
        self.shared.changed.notify_all();
        let drained = self.shared.wait_until(|waiting| waiting.runs.is_empty()).map(drop);
        self.shared.waiting().draining -= 1;
        drained
    }

    /// An order of a run that is still waiting.
    pub fn get(&self, order: &OrderId) -> Option<OrderRecord> {
        self.shared.waiting().runs.iter().find_map(|run| run.get(order))
    }

    /// How many runs wait.
    pub fn waiting(&self) -> u64 {
        self.shared.waiting().runs.len() as u64
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.shared.waiting().closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported already, and dropping must not panic.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until(
        &self,
        ready: impl Fn(&Waiting) -> bool,
    ) -> Result<MutexGuard<'_, Waiting>, StoreFault> {
        let mut waiting = self.waiting();
        loop {
            self.poison.check()?;
            if ready(&waiting) {
                return Ok(waiting);
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs until the store closes or a run cannot be taken in. Runs still waiting then are lost
    /// to this process and come again when the next one replays the chain from its checkpoint.
    fn work(&self) {
        loop {
            let mut waiting = self.waiting();
            while waiting.runs.is_empty() && !waiting.closing {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            let run = waiting.runs.front().cloned().filter(|_| !waiting.closing);
            drop(waiting);
            let Some(run) = run else {
                return;
            };
            let result = self.poison.guard(|| self.take_in(&run));
            if result.is_ok() {
                self.waiting().runs.pop_front();
            }
            self.changed.notify_all();
            if result.is_err() {
                return;
            }
        }
    }

    /// Pauses after some work, unless another run waits; less if somebody waits for all of them.
    fn pause(&self, worked: Duration) {
        let shortly = pause_after(worked, PAUSE_FOR_CHECKPOINT);
        self.wait_a_while(shortly, |waiting| waiting.runs.len() < 2);
        let longer = pause_after(worked, PAUSE_FOR_WORK - PAUSE_FOR_CHECKPOINT);
        self.wait_a_while(longer, |waiting| waiting.runs.len() < 2 && waiting.draining == 0);
    }

    /// Waits as long as there is leisure, at most so long.
    fn wait_a_while(&self, pause: Duration, has_leisure: impl Fn(&Waiting) -> bool) {
        let may_wait =
            |waiting: &mut Waiting| has_leisure(waiting) && !waiting.hurried && !waiting.closing;
        let waited = self.changed.wait_timeout_while(self.waiting(), pause, may_wait);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn take_in(&self, run: &OrderRun) -> Result<(), StoreFault> {
        // A replay retires the same runs again. A run arrives as a whole, so any one of its orders
        // tells whether it has.
        if let Some((id, record)) = run.any()
            && self.index.order(&id)? == Some(record)
        {
            return Ok(());
        }
        let path = self.folder.join("run.sst");
        let (mut begun, mut worked) = (Instant::now(), Duration::ZERO);
        self.index.ingest_orders(&path, &self.options, run, || {
            let work = begun.elapsed();
            self.pause(work);
            worked += work;
            begun = Instant::now();
        })?;
        worked += begun.elapsed();
        add(&self.counters.runs_archived, 1);
        add(&self.counters.orders_archived, run.len() as u64);
        add(&self.counters.archive_time_us, worked.as_micros() as u64);
        Ok(())
    }
}

fn pause_after(worked: Duration, times: u32) -> Duration {
    worked.saturating_mul(times).min(PAUSE_MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, sync_channel};

    use super::*;

    #[test]
    fn who_hurries_ends_the_pause_and_nobody_pauses_after() {
        const HOUR: Duration = Duration::from_secs(3_600);
        let folder = tempfile::tempdir().unwrap();
        let (index, runs) = (folder.path().join("index"), folder.path().join("runs"));
        std::fs::create_dir(&runs).unwrap();
        let options = StoreOptions::default();
        let index = Arc::new(Index::open(&index, &options).unwrap());
        let archive = Archive::start(index, options, runs, Arc::default(), Arc::default()).unwrap();

        let (pauses, paused) = sync_channel(16);
        let shared = archive.shared.clone();
        std::thread::spawn(move || {
            for pause in 0..2 {
                shared.wait_a_while(HOUR, |_| pauses.send(pause).is_ok());
            }
        });
        assert_eq!(paused.recv(), Ok(0));
        archive.hurry();
        let ended = loop {
            if let Err(why) = paused.recv_timeout(Duration::from_secs(60)) {
                break why;
            }
        };
        assert_eq!(ended, RecvTimeoutError::Disconnected, "the pauses never end");
    }

    #[test]
    fn a_pause_is_in_proportion_but_never_long() {
        let (short, long) = (Duration::from_millis(7), Duration::from_secs(600));
        assert_eq!(pause_after(short, PAUSE_FOR_WORK), Duration::from_millis(133));
        assert_eq!(pause_after(long, PAUSE_FOR_WORK), PAUSE_MAX);
    }
}
