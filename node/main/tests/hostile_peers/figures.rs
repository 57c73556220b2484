//! What honest users see while a peer is hostile: the longest gap without a block, whose blocks
//! are committed, and how soon orders are final.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chain_types::{ParticipantId, SignedBatch};
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use rpc_api::{BlockSelector, ChainRpcClient as _};
use tokio::task::JoinSet;

use crate::support::{GATEWAYS, Network, PATIENCE, collected, now, submit};

/// The time between two batches at one node.
const BATCH_EVERY: Duration = Duration::from_millis(200);
/// The orders of a batch.
const BATCH_ORDERS: usize = 5;
/// The time between two looks at a node's head.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// An order that is final within this is final in time.
const IN_TIME: Duration = Duration::from_secs(3);

/// The goal that a run must reach, at whatever pace.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// How long the run is at least, in seconds.
    pub seconds: u64,
    pub blocks: u64,
    pub orders: usize,
}

/// Orders to honest nodes, and a look at their heads, until it ends.
pub struct Watch {
    started: Instant,
    clients: Vec<HttpClient>,
    stop: Arc<AtomicBool>,
    chain: Arc<Mutex<Progress>>,
    orders: Arc<Mutex<Orders>>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Progress {
    first: u64,
    height: u64,
    since: Instant,
    longest: Duration,
}

#[derive(Debug, Default)]
struct Orders {
    submitted: usize,
    /// How long each batch that became final took.
    took: Vec<Duration>,
}

/// The figures of one run.
#[derive(Clone)]
pub struct Figures {
    pub seconds: f64,
    pub blocks: u64,
    pub longest_gap: Duration,
    /// Blocks of other proposers than the hostile one.
    pub honest_blocks: u64,
    pub orders: usize,
    pub orders_final: usize,
    pub orders_in_time: usize,
    /// Sorted; one a batch.
    took: Vec<Duration>,
}

impl Progress {
    fn reached(&mut self, height: u64) {
        if height > self.height {
            self.longest = self.longest.max(self.since.elapsed());
            (self.height, self.since) = (height, Instant::now());
        }
    }
}

impl Watch {
    /// Watches these nodes and submits to them.
    pub async fn start(network: &Network, nodes: &[usize]) -> Self {
        let client = |node: &usize| {
            let builder = HttpClientBuilder::default().request_timeout(Duration::from_secs(15));
            builder.build(network.url(*node)).expect("a client")
        };
        let clients: Vec<_> = nodes.iter().map(client).collect();
        let first = network.height(nodes[0]).await;
        let (started, longest) = (Instant::now(), Duration::ZERO);
        let progress = Progress { first, height: first, since: started, longest };
        let mut watch = Self {
            started,
            clients: clients.clone(),
            stop: Arc::default(),
            chain: Arc::new(Mutex::new(progress)),
            orders: Arc::default(),
            tasks: JoinSet::new(),
        };
        for client in clients {
            watch.look(client.clone());
            watch.submit(network, client);
        }
        watch
    }

    fn look(&mut self, client: HttpClient) {
        let (stop, chain) = (self.stop.clone(), self.chain.clone());
        self.tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                if let Ok(head) = client.head().await {
                    chain.lock().unwrap().reached(head.height);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
    }

    /// Submits at a steady pace, however long answers take.
    fn submit(&mut self, network: &Network, client: HttpClient) {
        let (stop, orders) = (self.stop.clone(), self.orders.clone());
        let (chain_id, key) = (network.chain_id, network.key(GATEWAYS[0]));
        self.tasks.spawn(async move {
            let mut waiting = JoinSet::new();
            while !stop.load(Ordering::Relaxed) {
                let submitter = ParticipantId::new(GATEWAYS[0]);
                let (items, until) = (collected(BATCH_ORDERS), now().plus(60_000));
                let bytes = SignedBatch::sign(chain_id, submitter, &key, until, &items);
                let (client, orders) = (client.clone(), orders.clone());
                waiting.spawn(async move {
                    orders.lock().unwrap().submitted += BATCH_ORDERS;
                    let started = Instant::now();
                    if submit(&client, &bytes).await.is_ok() {
                        orders.lock().unwrap().took.push(started.elapsed());
                    }
                });
                tokio::time::sleep(BATCH_EVERY).await;
            }
            waiting.join_all().await;
        });
    }

    /// Blocks and final orders so far.
    pub fn reached(&self) -> (u64, usize) {
        let chain = self.chain.lock().unwrap();
        let orders = self.orders.lock().unwrap().took.len() * BATCH_ORDERS;
        (chain.height - chain.first, orders)
    }

    /// Waits until the goal is reached and `met` holds; gives whether both ever did.
    pub async fn reaches(&self, goal: Goal, met: impl Fn() -> bool) -> bool {
        let least = Duration::from_secs(goal.seconds);
        loop {
            let (blocks, orders) = self.reached();
            let reached = blocks >= goal.blocks && orders >= goal.orders && met();
            if self.started.elapsed() >= least && reached {
                return true;
            }
            if self.started.elapsed() >= least + PATIENCE {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends the run; `hostile` is the validator whose blocks are not counted as honest ones.
    pub async fn end(mut self, hostile: Option<u32>) -> Figures {
        let (first, height, longest_gap) = {
            let chain = self.chain.lock().unwrap();
            (chain.first, chain.height, chain.longest.max(chain.since.elapsed()))
        };
        let seconds = self.started.elapsed().as_secs_f64();
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        let mut honest_blocks = 0;
        for at in first + 1..=height {
            let proposer = self.proposer(at).await;
            honest_blocks += u64::from(proposer.is_some() && proposer != hostile);
        }
        let orders = std::mem::take(&mut *self.orders.lock().unwrap());
        let mut took = orders.took;
        took.sort_unstable();
        let in_time = took.partition_point(|took| *took <= IN_TIME);
        Figures {
            seconds,
            blocks: height - first,
            longest_gap,
            honest_blocks,
            orders: orders.submitted,
            orders_final: took.len() * BATCH_ORDERS,
            orders_in_time: in_time * BATCH_ORDERS,
            took,
        }
    }

    async fn proposer(&self, height: u64) -> Option<u32> {
        for client in &self.clients {
            if let Ok(block) = client.block(BlockSelector::Height(height)).await {
                return Some(block.summary.proposer);
            }
        }
        None
    }
}

impl Figures {
    /// Prints the line of a case.
    pub fn print(&self, row: &str, case: &str) {
        println!(
            "| row | case | s | blocks | longest gap ms | honest blocks % | orders | final % \
             | final in 3 s % | p50 ms | p99 ms |"
        );
        println!("| {row} | {case} {self}");
    }

    fn quantile_ms(&self, percent: usize) -> u128 {
        let at = (self.took.len() * percent / 100).min(self.took.len().saturating_sub(1));
        self.took.get(at).map_or(0, Duration::as_millis)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl fmt::Debug for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "| {:.0} | {} | {} | {:.1} | {} | {:.1} | {:.1} | {} | {} |",
            self.seconds,
            self.blocks,
            self.longest_gap.as_millis(),
            percent(self.honest_blocks, self.blocks),
            self.orders,
            percent(self.orders_final as u64, self.orders as u64),
            percent(self.orders_in_time as u64, self.orders as u64),
            self.quantile_ms(50),
            self.quantile_ms(99),
        )
    }
}
