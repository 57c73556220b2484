//! The memory of the nodes' processes during a run, looked at each 100 ms.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bench::processes;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A watch over processes.
#[derive(Debug)]
pub struct MemoryWatch {
    stop: CancellationToken,
    growth: JoinHandle<Vec<u64>>,
}

impl MemoryWatch {
    /// Begins to watch the processes of these ids.
    pub fn start(pids: &[u32]) -> Self {
        let (stop, pids) = (CancellationToken::new(), pids.to_vec());
        let stopped = stop.clone();
        let growth = tokio::spawn(async move {
            let resident = |pid: &u32| processes::memory_bytes(*pid).unwrap_or(0);
            let before: Vec<u64> = pids.iter().map(resident).collect();
            let mut most = before.clone();
            loop {
                tokio::select! {
                    () = stopped.cancelled() => break,
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
                for (most, pid) in most.iter_mut().zip(&pids) {
                    *most = (*most).max(resident(pid));
                }
            }
            most.iter().zip(&before).map(|(most, before)| most.saturating_sub(*before)).collect()
        });
        Self { stop, growth }
    }

    /// Ends. Returns the bytes by which each process grew at most.
    pub async fn stop(self) -> Vec<u64> {
        self.stop.cancel();
        self.growth.await.unwrap_or_default()
    }
}

/// Returns by how much more a process grew than it did in the closed loop, in MiB: the largest of
/// all processes. Orders that are kept in memory count in both.
pub fn above_mib(growth: &[u64], normal: &[u64]) -> f64 {
    let above = growth.iter().zip(normal).map(|(growth, normal)| growth.saturating_sub(*normal));
    above.max().unwrap_or(0) as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_closed_loop_took_too_is_normal() {
        let mib = |count: u64| count << 20;
        let above = above_mib(&[mib(30), mib(90), mib(5)], &[mib(40), mib(26), mib(5)]);
        assert!((above - 64.0).abs() < 1e-9, "{above}");
        assert!(above_mib(&[], &[]) < 1e-9);
    }
}
