//! The cost of a step: processor time of the thread that does it and time by the clock; memory of
//! this process; and what is read from the disk and not from memory.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise};
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::Serialize;

/// The cost of steps so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkCost {
    /// Processor time of the thread, in nanoseconds.
    pub cpu_ns: u64,
    /// Time by the clock, in nanoseconds: waits for the disk and for others' turns included.
    pub wall_ns: u64,
}

impl std::ops::AddAssign for WorkCost {
    fn add_assign(&mut self, other: Self) {
        self.cpu_ns += other.cpu_ns;
        self.wall_ns += other.wall_ns;
    }
}

/// The same for one order.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CostPerOrder {
    /// Processor time, in nanoseconds.
    pub cpu_ns: f64,
    /// Time by the clock, in nanoseconds.
    pub wall_ns: f64,
}

impl WorkCost {
    /// For one of so many orders.
    pub fn per_order(self, orders: u64) -> CostPerOrder {
        let each = |sum: u64| if orders == 0 { 0.0 } else { sum as f64 / orders as f64 };
        CostPerOrder { cpu_ns: each(self.cpu_ns), wall_ns: each(self.wall_ns) }
    }
}

/// Adds what `work` costs this thread to `cost`.
pub fn costing<T>(cost: &mut WorkCost, work: impl FnOnce() -> T) -> T {
    let (cpu, wall) = (thread_cpu_ns(), Instant::now());
    let done = work();
    let wall_ns = u64::try_from(wall.elapsed().as_nanos()).unwrap_or(u64::MAX);
    *cost += WorkCost { cpu_ns: thread_cpu_ns().saturating_sub(cpu), wall_ns };
    done
}

/// Processor time of this thread, in nanoseconds.
pub fn thread_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

/// Processor time of all threads of this process, ended ones included, in nanoseconds.
pub fn process_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

fn nanoseconds(time: Timespec) -> u64 {
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    let rest = Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0));
    u64::try_from((seconds + rest).as_nanos()).unwrap_or(u64::MAX)
}

/// Lets this process's peak of resident memory begin again; where the system does not allow that,
/// it stays the peak since the start.
pub fn restart_memory_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Has the system forget what it keeps in memory of the files below `folder`, so that they are read
/// from the disk next.
///
/// # Errors
/// When a file cannot be opened or synced.
pub fn forget_pages(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            forget_pages(&entry.path())?;
            continue;
        }
        let file = File::open(entry.path())?;
        // Only what is on the disk already can be forgotten.
        file.sync_data()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// Bytes that an unprivileged process may still write below `folder`.
///
/// # Errors
/// When the file system cannot tell.
pub fn disk_free_bytes(folder: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
