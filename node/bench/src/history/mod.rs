//! Measures if an order costs the same however long the history is: real blocks, as many as asked
//! for, written into a validator's home, and at stated sizes what the next orders cost, what memory
//! and disk are taken, how long old orders take to read, and how long a restart takes.
//!
//! Nothing is agreed upon and nothing is sent: what those cost does not depend on history. Block
//! time goes by the load's rate, not by the clock, so that as many orders are recent as at a node
//! that takes that rate.

mod chain;
mod cost;
mod maker;
mod others;
mod report;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use anyhow::Context as _;
use chain_types::{OrderId, ParticipantId, Roles};
use genesis::NetworkPlan;
use indicatif::ProgressBar;
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use node_home::keys::genesis_parties;
use node_localnet::fresh::FreshNetwork;
use node_localnet::latency::{Latencies, LatencyReport};
use node_localnet::profile;
use rpc_api::OrderState;
use rpc_client::orders::Profile;
use rpc_client::party::BATCH_VALID_MS;
use tokio_util::sync::CancellationToken;

use self::chain::{HistoryChain, Steps};
use self::cost::{WorkCost, process_cpu_ns, restart_memory_peak, thread_cpu_ns};
use self::maker::{Load, SigningTerms};
use self::others::Settling;
use self::report::{DiskReport, HistoryReport, MemoryReport, OrderCost, RestartReport, SizeReport};
use crate::bench::contracts::Terms;
use crate::bench::crowd::{Crowd, Skew};
use crate::bench::load::Loader;
use crate::bench::processes::{memory_bytes, memory_peak_bytes};
use crate::bench::shape::{PLATFORM_PROGRAMMES, Whom};

/// Old orders that are read at each size.
const READS: usize = 1_000;
/// The most bytes that an order takes on disk: in a block, in the index, and there once more while
/// the index is compacted.
const DISK_BYTES_PER_ORDER: u64 = 230;
/// The most bytes that a home takes beside its orders.
const DISK_BYTES_MORE: u64 = 2 << 30;
/// The seed by which a crowd's merchants are popular.
const CROWD_SEED: u64 = 1;

/// The options of the measurement.
#[derive(Debug, Clone)]
pub struct HistoryOptions {
    /// The network, and with it the chain's parameters.
    pub plan: NetworkPlan,
    /// The folder in which the network is made and stays; otherwise it is temporary.
    pub home: Option<PathBuf>,
    /// The folder in which a temporary network is made.
    pub folder: PathBuf,
    /// After how many orders to measure.
    pub sizes: Vec<u64>,
    /// How many further orders are measured each time.
    pub measured: u64,
    /// Orders a second of the chain's time.
    pub rate: u64,
    /// Orders in a batch.
    pub batch_items: usize,
    /// Batches in a block.
    pub block_batches: usize,
    /// Blocks between two checkpoints; what a new node's configuration says by default.
    pub checkpoint_blocks: Option<u64>,
    /// Users of each gateway.
    pub users: u64,
    /// How the orders are skewed over all merchants of the network, in every currency by its share;
    /// `None` for a few merchants that are all alike.
    pub skew: Option<Skew>,
    /// Leave cashback and limits off.
    pub without_contracts: bool,
}

/// Writes and measures.
///
/// # Errors
/// When the network cannot be made, an order is not applied, a restart gives another state, or it
/// was cancelled.
pub fn run(
    mut options: HistoryOptions,
    output: Output,
    cancel: &CancellationToken,
) -> anyhow::Result<HistoryReport> {
    options.sizes.sort_unstable();
    options.sizes.dedup();
    let network = match &options.home {
        Some(folder) => FreshNetwork::in_folder(folder, &options.plan)?,
        None => FreshNetwork::below(&options.folder, &options.plan)?,
    };
    warn_of_room(&network.network.path, &options);
    let genesis = genesis::load_genesis(&network.network.genesis).exit(Exit::Usage)?;
    let chain = HistoryChain::create(&network.network, genesis, options.checkpoint_blocks)?;
    let mut history = History::start(chain, &options, output, cancel)?;
    let mut sizes = Vec::new();
    for orders in &options.sizes {
        let (next, size) = history.measure(*orders, options.measured)?;
        output.note(&format!(
            "{orders} orders: {:.0} ns of CPU an order, restart {:.2} s",
            size.order.cpu_ns, size.restart.seconds
        ));
        sizes.push(size);
        history = next;
    }
    Ok(HistoryReport {
        rate: options.rate,
        batch_items: options.batch_items,
        block_batches: options.block_batches,
        checkpoint_blocks: history.chain.checkpoints().blocks,
        checkpoint_orders: history.chain.checkpoints().orders,
        contracts: !options.without_contracts,
        merchants: options.skew.map(|_| options.plan.merchants),
        sizes,
    })
}

fn warn_of_room(folder: &Path, options: &HistoryOptions) {
    let orders = options.sizes.last().copied().unwrap_or(0) + options.measured;
    let needed = orders.saturating_mul(DISK_BYTES_PER_ORDER) + DISK_BYTES_MORE;
    match cost::disk_free_bytes(folder) {
        Ok(free) if free < needed => tracing::warn!(
            free_bytes = free,
            needed_bytes = needed,
            "disk may be too small for the orders: name another with --folder"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "free space of the disk is unknown"),
    }
}

/// A run under way.
struct History<'a> {
    chain: HistoryChain,
    loads: Receiver<anyhow::Result<Load>>,
    settling: Settling,
    made: Made,
    bar: ProgressBar,
    cancel: &'a CancellationToken,
}

/// Has the loaders draw whom their orders pay from one crowd; gives the contracts for it.
fn draw_from_a_crowd(
    chain: &HistoryChain,
    loaders: &mut [Loader],
    users: u64,
    skew: Skew,
) -> anyhow::Result<Terms> {
    let gateways: Vec<ParticipantId> = loaders.iter().map(|loader| loader.id).collect();
    let crowd = Arc::new(Crowd::new(chain.genesis(), &gateways, users, skew, CROWD_SEED)?);
    for loader in loaders {
        loader.crowd = Some(Arc::clone(&crowd));
    }
    let whom = Whom::of_crowd(&crowd, skew, users, PLATFORM_PROGRAMMES as usize);
    Ok(Terms::new(&whom.programmes, &whom.currencies, gateways.into_iter().collect()))
}

/// The result of the other thread's work for the blocks so far.
#[derive(Debug, Clone, Copy, Default)]
struct Made {
    signing: WorkCost,
    verifying: WorkCost,
}

impl<'a> History<'a> {
    fn start(
        mut chain: HistoryChain,
        options: &HistoryOptions,
        output: Output,
        cancel: &'a CancellationToken,
    ) -> anyhow::Result<Self> {
        let mut loaders = Vec::new();
        for signer in chain.signers(Roles::GATEWAY) {
            let profile = profile(chain.genesis(), signer.id, true)?;
            let profile = Profile { users: options.users, ..profile };
            let (id, key) = (signer.id, signer.key.clone());
            loaders.push(Loader { id, key, profile, crowd: None });
        }
        let terms = match options.skew {
            Some(skew) => draw_from_a_crowd(&chain, &mut loaders, options.users, skew)?,
            None => {
                let profiles = loaders.iter().map(|loader| loader.profile.clone());
                Terms::of(&profiles.collect::<Vec<Profile>>())
            }
        };
        if !options.without_contracts {
            output.note("turning cashback and limits on");
            others::turn_contracts_on(&mut chain, &terms)?;
        }
        let loads = maker::start(SigningTerms {
            chain_id: chain.genesis().chain_id,
            loaders,
            keys: genesis_parties(chain.genesis()),
            from: chain.state(chain_state::State::time),
            rate: options.rate.max(1),
            valid_ms: chain.genesis().parameters.order_validity_ms.min(BATCH_VALID_MS),
            batch_items: options.batch_items,
            block_batches: options.block_batches,
        })?;
        let last = options.sizes.last().copied().unwrap_or(0) + options.measured;
        let bar = output.progress(last, "orders");
        let settling = Settling::new(&chain, options.skew.is_none())?;
        Ok(Self { chain, loads, settling, made: Made::default(), bar, cancel })
    }

    /// Decides blocks until the chain holds so many orders.
    fn grow(&mut self, orders: u64) -> anyhow::Result<()> {
        while self.chain.orders < orders {
            anyhow::ensure!(!self.cancel.is_cancelled(), "cancelled");
            let load = self.loads.recv().context("the thread that signs has ended")??;
            self.made.signing += load.signing;
            self.made.verifying += load.verifying;
            let mut batches = load.batches;
            batches.extend(self.settling.due(&self.chain, load.time)?);
            self.chain.decide(load.time, batches)?;
            self.bar.set_position(self.chain.orders);
        }
        Ok(())
    }

    /// Grows to a size, measures the orders after it, and restarts.
    fn measure(mut self, size: u64, measured: u64) -> anyhow::Result<(Self, SizeReport)> {
        let (begun, had) = (Instant::now(), self.chain.orders);
        self.grow(size)?;
        let made_per_second =
            (self.chain.orders - had) as f64 / begun.elapsed().as_secs_f64().max(1e-9);
        restart_memory_peak();
        self.chain.take_checkpoint()?;
        let checkpoint = self.chain.checkpoint.into();
        let orders_before = self.chain.orders;
        let height_before = self.chain.head().0.get();
        let order = self.measure_orders(orders_before + measured)?;
        let pid = std::process::id();
        let memory = MemoryReport {
            resident_bytes: memory_bytes(pid).unwrap_or(0),
            peak_bytes: memory_peak_bytes(pid).unwrap_or(0),
        };
        let disk = DiskReport::new(&self.chain.store().size_on_disk()?, self.chain.orders);
        let old = self.chain.old_orders(READS);
        let reads = self.read(&old)?;
        let Self { chain, loads, settling, made, bar, cancel } = self;
        let (chain, opening) = chain.reopen()?;
        let peak_bytes = memory_peak_bytes(pid).unwrap_or(0);
        let next = Self { chain, loads, settling, made, bar, cancel };
        let reads_cold = next.read(&old)?;
        let height = next.chain.head().0.get();
        let report = SizeReport {
            orders_before,
            orders_measured: next.chain.orders - orders_before,
            blocks_measured: height - height_before,
            height,
            orders_in_memory: next.chain.state(|state| state.recent_order_count() as u64),
            made_per_second,
            order,
            memory,
            disk,
            checkpoint,
            reads,
            reads_cold,
            restart: RestartReport::new(&opening, next.chain.checkpoints(), peak_bytes),
        };
        Ok((next, report))
    }

    fn measure_orders(&mut self, until: u64) -> anyhow::Result<OrderCost> {
        let orders = self.chain.orders;
        (self.chain.steps, self.made) = (Steps::default(), Made::default());
        let (process, thread) = (process_cpu_ns(), thread_cpu_ns());
        self.grow(until)?;
        let thread = thread_cpu_ns().saturating_sub(thread);
        let process = process_cpu_ns().saturating_sub(process);
        let Made { signing, verifying } = self.made;
        // Whatever is neither this thread's nor the other's is the store's own.
        let background =
            process.saturating_sub(thread).saturating_sub(signing.cpu_ns + verifying.cpu_ns);
        Ok(OrderCost::new(self.chain.orders - orders, &self.chain.steps, verifying, background))
    }

    /// Reads orders as a node does for its clients.
    fn read(&self, orders: &[OrderId]) -> anyhow::Result<Option<LatencyReport>> {
        if orders.is_empty() {
            return Ok(None);
        }
        let (reader, mut latencies) = (self.chain.reader(), Latencies::default());
        for order in orders {
            let begun = Instant::now();
            let searched = reader.searched(*order)?;
            let report = reader.report(*order, reader.record(order)?.0, searched)?;
            latencies.record(begun.elapsed(), 1);
            let is_found = !matches!(report.status, OrderState::NotFound);
            anyhow::ensure!(is_found, "order {order} is not found any more");
        }
        Ok(Some(latencies.report()))
    }
}
