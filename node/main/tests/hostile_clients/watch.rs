//! Watches a node from outside: what its process holds, what it writes, whether it serves others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rpc_api::{ChainRpcClient as _, NodeRpcClient as _};
use tokio::task::JoinHandle;

use crate::support::{Network, eventually};

/// How often is looked.
const EVERY: Duration = Duration::from_millis(100);

/// The resources that a node's process holds at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub memory_mib: u64,
    /// Those of the node's home are left out: the store opens files as the chain grows.
    pub descriptors: u64,
}

impl Held {
    pub fn of(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").flatten();
        let targets = open.filter_map(|one| std::fs::read_link(one.path()).ok());
        let descriptors = targets.filter(|target| !target.to_string_lossy().contains("/home/"));
        Self { memory_mib: memory.expect("a size") / 1024, descriptors: descriptors.count() as u64 }
    }
}

/// A watch that runs until it is ended.
pub struct Watch {
    stop: Arc<AtomicBool>,
    memory_mib: Arc<AtomicU64>,
    descriptors: Arc<AtomicU64>,
    sampling: JoinHandle<()>,
    honest: JoinHandle<Result<u64, String>>,
    started: Instant,
    log_bytes: u64,
    lines_held_back: f64,
    height: u64,
}

/// The greatest figures that a watch saw.
#[derive(Debug)]
pub struct Seen {
    pub memory_mib_max: u64,
    pub descriptors_max: u64,
    pub log_bytes: u64,
    pub lines_held_back: f64,
    pub elapsed: Duration,
    /// Calls of the honest client, each of them answered.
    pub honest_calls: u64,
    pub blocks: u64,
}

fn log_bytes(network: &Network, node: usize) -> u64 {
    network.whole_log(node).len() as u64
}

fn lines_held_back(network: &Network, node: usize) -> f64 {
    network.figure(node, "sluice_log_lines_suppressed_total")
}

impl Watch {
    /// Watches a node, and calls it from the machine's first address all the while.
    pub async fn over(network: &Network, node: usize) -> Self {
        let pid = network.pid(node);
        let stop = Arc::new(AtomicBool::new(false));
        let (memory_mib, descriptors) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (stopped, memory, open) = (stop.clone(), memory_mib.clone(), descriptors.clone());
        let sampling = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let held = Held::of(pid);
                memory.fetch_max(held.memory_mib, Ordering::Relaxed);
                open.fetch_max(held.descriptors, Ordering::Relaxed);
                tokio::time::sleep(EVERY).await;
            }
        });
        let (stopped, client) = (stop.clone(), network.client(node));
        let honest = tokio::spawn(async move {
            let mut calls = 0;
            while !stopped.load(Ordering::Relaxed) {
                let health = client.health().await.map_err(|error| format!("health: {error}"))?;
                let head = client.head().await.map_err(|error| format!("head: {error}"))?;
                let accounts = client.blocks(None, Some(20)).await;
                accounts.map_err(|error| format!("{health:?}, {head:?}, a page: {error}"))?;
                calls += 3;
                tokio::time::sleep(EVERY).await;
            }
            Ok(calls)
        });
        Self {
            stop,
            memory_mib,
            descriptors,
            sampling,
            honest,
            started: Instant::now(),
            log_bytes: log_bytes(network, node),
            lines_held_back: lines_held_back(network, node),
            height: network.height(node).await,
        }
    }

    /// Ends it; fails when an honest call was not answered.
    pub async fn end(self, network: &Network, node: usize) -> Seen {
        let goes_on = || async { network.height(node).await > self.height };
        eventually("the chain goes on", goes_on).await;
        let height = network.height(node).await;
        self.stop.store(true, Ordering::Relaxed);
        self.sampling.await.expect("the process is there");
        let honest_calls =
            self.honest.await.expect("it ends").expect("every honest call is answered");
        Seen {
            memory_mib_max: self.memory_mib.load(Ordering::Relaxed),
            descriptors_max: self.descriptors.load(Ordering::Relaxed),
            log_bytes: log_bytes(network, node) - self.log_bytes,
            lines_held_back: lines_held_back(network, node) - self.lines_held_back,
            elapsed: self.started.elapsed(),
            honest_calls,
            blocks: height - self.height,
        }
    }
}

/// Figures that are back where nobody asks anything.
const AT_REST: [&str; 5] = [
    "sluice_rpc_messages_in_hand",
    "sluice_rpc_bodies_bytes",
    "sluice_rpc_answers_bytes",
    "sluice_rpc_subscriptions",
    "sluice_waiters",
];

/// Waits until a node holds nothing for anybody.
pub async fn at_rest(network: &Network, node: usize, descriptors_max: u64) {
    for name in AT_REST {
        eventually(&format!("{name} is 0"), || async { network.figure(node, name) == 0.0 }).await;
    }
    let what = format!("at most {descriptors_max} descriptors are open");
    let pid = network.pid(node);
    eventually(&what, || async { Held::of(pid).descriptors <= descriptors_max }).await;
}
