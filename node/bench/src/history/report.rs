//! The report of a run: a document, and a table with a column a size.

use chain_store::SizeOnDisk;
use node_home::opening::Opening;
use node_localnet::latency::LatencyReport;
use node_replica::CheckpointInterval;
use serde::Serialize;

use super::chain::{Steps, Taken};
use super::cost::{CostPerOrder, WorkCost};

/// The figures of every size of history.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryReport {
    /// Orders a second of the chain's time.
    pub rate: u64,
    /// Orders in a batch.
    pub batch_items: usize,
    /// Batches in a block.
    pub block_batches: usize,
    /// The most blocks between two checkpoints.
    pub checkpoint_blocks: u64,
    /// The most orders between two checkpoints.
    pub checkpoint_orders: u64,
    /// True if cashback and users' limits were on.
    pub contracts: bool,
    /// The merchants over which the orders were skewed; nothing when a few are all alike.
    pub merchants: Option<u32>,
    /// A report a size, ascending by the orders before the measured ones.
    pub sizes: Vec<SizeReport>,
}

/// A history of one size.
#[derive(Debug, Clone, Serialize)]
pub struct SizeReport {
    /// Orders before the measured ones.
    pub orders_before: u64,
    /// The number of orders that were measured.
    pub orders_measured: u64,
    /// The number of blocks that held them.
    pub blocks_measured: u64,
    /// The height after them.
    pub height: u64,
    /// Orders in the state's memory after them; the others are in the index.
    pub orders_in_memory: u64,
    /// Orders made a second while the history before grew, by the clock.
    pub made_per_second: f64,
    /// The cost of an order.
    pub order: OrderCost,
    /// Resident memory, the making of the load included.
    pub memory: MemoryReport,
    /// The bytes of the home on disk.
    pub disk: DiskReport,
    /// The checkpoint before the measured orders.
    pub checkpoint: CheckpointReport,
    /// Reports of orders that have left memory, one after another; none when none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<LatencyReport>,
    /// The same right after the restart, when no file was in the system's memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads_cold: Option<LatencyReport>,
    /// Closing and opening again.
    pub restart: RestartReport,
}

/// The cost of an order for a node, agreement and network apart.
#[derive(Debug, Clone, Serialize)]
pub struct OrderCost {
    /// All of the processor time below, in nanoseconds.
    pub cpu_ns: f64,
    /// Decoding and verifying its batch.
    pub verify: CostPerOrder,
    /// The execution of a block.
    pub execute: CostPerOrder,
    /// To disk, with the sync.
    pub stage: CostPerOrder,
    /// Into the state, and those that leave it sorted.
    pub apply: CostPerOrder,
    /// The commit of a decided block, with its index.
    pub commit: CostPerOrder,
    /// Processor time of the store's own threads, in nanoseconds: orders into the index,
    /// compaction.
    pub background_cpu_ns: f64,
}

/// The memory of the process, in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct MemoryReport {
    /// After the measured orders.
    pub resident_bytes: u64,
    /// The most during them; the checkpoint before is included.
    pub peak_bytes: u64,
}

/// The disk of the home, in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct DiskReport {
    /// Block files, for each order of the history.
    pub block_bytes_per_order: f64,
    /// The index with its checkpoint, for each order of the history.
    pub index_bytes_per_order: f64,
    /// All of the home.
    pub total_bytes: u64,
}

/// The checkpoint that was taken at a size.
#[derive(Debug, Clone, Serialize)]
pub struct CheckpointReport {
    /// The length of the checkpoint in bytes.
    pub bytes: u64,
    /// The time of copying the state, on the deciding thread, in milliseconds.
    pub copying_ms: f64,
    /// The time of encoding and writing the copy, throttled, in milliseconds. A node has another
    /// thread for this.
    pub writing_ms: f64,
}

/// A restart, with no file in the system's memory. Its state was what it had been.
#[derive(Debug, Clone, Serialize)]
pub struct RestartReport {
    /// The whole restart, in seconds.
    pub seconds: f64,
    /// The end of the block files found, the index opened.
    pub recovering_seconds: f64,
    /// The reading of the checkpoint, in seconds.
    pub restoring_seconds: f64,
    /// The duplicate window read from blocks.
    pub remembering_seconds: f64,
    /// The number of blocks whose orders were remembered.
    pub remembered_blocks: u64,
    /// Blocks since the checkpoint executed.
    pub replaying_seconds: f64,
    /// The number of blocks that were replayed.
    pub replayed_blocks: u64,
    /// The restart just before the next checkpoint, in seconds: as much to replay as may lie
    /// between two. Reckoned, not measured.
    pub most_seconds: f64,
    /// The most memory resident during it.
    pub memory_peak_bytes: u64,
}

impl OrderCost {
    /// Returns the cost of each of `orders` orders.
    pub fn new(orders: u64, steps: &Steps, verifying: WorkCost, background_cpu_ns: u64) -> Self {
        let each = |cost: WorkCost| cost.per_order(orders);
        let (verify, execute) = (each(verifying), each(steps.execute));
        let (stage, apply, commit) = (each(steps.stage), each(steps.apply), each(steps.commit));
        let background = WorkCost { cpu_ns: background_cpu_ns, wall_ns: 0 };
        let background_cpu_ns = each(background).cpu_ns;
        let all = [verify, execute, stage, apply, commit].map(|step| step.cpu_ns);
        let cpu_ns = all.iter().sum::<f64>() + background_cpu_ns;
        Self { cpu_ns, verify, execute, stage, apply, commit, background_cpu_ns }
    }
}

impl DiskReport {
    /// Returns the figures of a home with `orders` orders.
    pub fn new(size: &SizeOnDisk, orders: u64) -> Self {
        let each = |bytes: u64| bytes as f64 / orders.max(1) as f64;
        Self {
            block_bytes_per_order: each(size.block_bytes),
            index_bytes_per_order: each(size.index_bytes),
            total_bytes: size.total(),
        }
    }
}

impl From<Taken> for CheckpointReport {
    fn from(taken: Taken) -> Self {
        let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1_000.0;
        Self {
            bytes: taken.bytes,
            copying_ms: milliseconds(taken.copying),
            writing_ms: milliseconds(taken.writing),
        }
    }
}

impl RestartReport {
    /// Of an opening, with checkpoints no further apart than so.
    pub fn new(opening: &Opening, checkpoints: CheckpointInterval, memory_peak_bytes: u64) -> Self {
        let Opening { recovering, restoring, remembering, replaying, .. } = *opening;
        let before = (recovering + restoring + remembering).as_secs_f64();
        let share = |replayed: u64, most: u64| most as f64 / replayed.max(1) as f64;
        let times = share(opening.replayed_blocks, checkpoints.blocks)
            .min(share(opening.replayed_orders, checkpoints.orders));
        Self {
            seconds: before + replaying.as_secs_f64(),
            recovering_seconds: recovering.as_secs_f64(),
            restoring_seconds: restoring.as_secs_f64(),
            remembering_seconds: remembering.as_secs_f64(),
            remembered_blocks: opening.remembered_blocks,
            replaying_seconds: replaying.as_secs_f64(),
            replayed_blocks: opening.replayed_blocks,
            most_seconds: before + times * replaying.as_secs_f64(),
            memory_peak_bytes,
        }
    }
}

/// A row's words, and how its figure is read from a column.
type Row = (&'static str, fn(&SizeReport) -> String);

const ROWS: &[Row] = &[
    ("orders measured", |size| size.orders_measured.to_string()),
    ("orders in memory", |size| size.orders_in_memory.to_string()),
    ("made before, orders/s", |size| format!("{:.0}", size.made_per_second)),
    ("CPU an order, ns", |size| format!("{:.0}", size.order.cpu_ns)),
    ("  verify", |size| step(size.order.verify)),
    ("  execute", |size| step(size.order.execute)),
    ("  stage, with its sync", |size| step(size.order.stage)),
    ("  apply, sort those leaving", |size| step(size.order.apply)),
    ("  commit", |size| step(size.order.commit)),
    ("  the store's threads", |size| format!("{:.0}", size.order.background_cpu_ns)),
    ("memory, MiB", |size| mebibytes(size.memory.resident_bytes)),
    ("  at most", |size| mebibytes(size.memory.peak_bytes)),
    ("disk an order, bytes: blocks", |size| format!("{:.1}", size.disk.block_bytes_per_order)),
    ("  index", |size| format!("{:.1}", size.disk.index_bytes_per_order)),
    ("checkpoint, MiB", |size| mebibytes(size.checkpoint.bytes)),
    ("  copied / written throttled, ms", |size| {
        let CheckpointReport { copying_ms, writing_ms, .. } = size.checkpoint;
        format!("{copying_ms:.0} / {writing_ms:.0}")
    }),
    ("an old order read, p50 / p99 ms", |size| read(size.reads.as_ref())),
    ("  right after the restart", |size| read(size.reads_cold.as_ref())),
    ("restart, s", |size| format!("{:.2}", size.restart.seconds)),
    ("  files and index", |size| format!("{:.2}", size.restart.recovering_seconds)),
    ("  checkpoint", |size| format!("{:.2}", size.restart.restoring_seconds)),
    ("  recent orders (blocks)", |size| {
        let restart = &size.restart;
        format!("{:.2} ({})", restart.remembering_seconds, restart.remembered_blocks)
    }),
    ("  replay (blocks)", |size| {
        format!("{:.2} ({})", size.restart.replaying_seconds, size.restart.replayed_blocks)
    }),
    ("  at most, reckoned", |size| format!("{:.1}", size.restart.most_seconds)),
    ("  memory at most, MiB", |size| mebibytes(size.restart.memory_peak_bytes)),
];

/// Processor time, and in brackets time by the clock.
fn step(cost: CostPerOrder) -> String {
    format!("{:.0} ({:.0})", cost.cpu_ns, cost.wall_ns)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1 << 20) as f64)
}

fn read(latency: Option<&LatencyReport>) -> String {
    latency.map_or("none left".to_owned(), |found| {
        format!("{:.2} / {:.2}", found.p50_ms, found.p99_ms)
    })
}

impl HistoryReport {
    /// Formats the report for people.
    pub fn text(&self) -> String {
        let width = ROWS.iter().map(|(words, _)| words.len()).max().unwrap_or(0);
        let merchants = self.merchants.map(|merchants| format!(", {merchants} merchants"));
        let mut lines = vec![
            format!(
                "{} orders a second of the chain's time, blocks of {} batches of {}, {}{}",
                self.rate,
                self.block_batches,
                self.batch_items,
                if self.contracts { "every contract on" } else { "contracts off" },
                merchants.unwrap_or_default()
            ),
            "times in brackets are by the clock; every state after a restart was equal".to_owned(),
        ];
        let line = |words: &str, figure: &dyn Fn(&SizeReport) -> String| {
            let figures = self.sizes.iter().map(|size| format!("{:>18}", figure(size)));
            format!("{words:width$}{}", figures.collect::<String>())
        };
        lines.push(line("orders before", &|size| size.orders_before.to_string()));
        lines.extend(ROWS.iter().map(|(words, figure)| line(words, figure)));
        lines.join("\n")
    }
}
