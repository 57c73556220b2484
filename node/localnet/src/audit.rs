//! The chain's figures at the end, read over the public RPC and compared with what the parties
//! were told on the way.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{BreachStage, ChainGenesis, InstructionId, InstructionState, OrderId, Receipt};
use futures::FutureExt as _;
use rpc_api::{
    BlockSelector, BreachReport, ChainRpcClient as _, InstructionReport, InstructionSelector,
    LIMIT_MAX, LedgerRpcClient as _, OrderState, Page, RechargeRpcClient as _,
    SettlementRpcClient as _, WindowReport, decode_base64,
};
use rpc_client::client::{Call, CallError, Client};
use rpc_client::node_client::NodeClient;
use serde::Serialize;

use crate::latency::Latencies;

/// Orders asked for one by one at the end.
const ORDERS_CHECKED_MAX: usize = 20;
/// Receipts fetched and verified offline at the end.
const RECEIPTS_CHECKED_MAX: usize = 5;

/// The chain before the run: a home may have a past.
#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// The window that was open.
    pub window: u64,
    /// Orders collected in it before the run.
    pub order_count: u64,
    /// The height of the head.
    pub height: u64,
    /// The time of the head, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
}

/// The figures of settlement in the windows since the baseline's.
#[derive(Debug, Default)]
pub struct Settlement {
    /// Orders that were collected.
    pub collected: u64,
    /// Of them, in windows still open.
    pub window_open: u64,
    /// Of them, instructed and not arrived.
    pub instructed: u64,
    /// Orders whose money arrived.
    pub arrived: u64,
    /// Orders whose payment failed.
    pub failed: u64,
    /// The number of windows that closed.
    pub windows_closed: u64,
    /// Instructions that the windows made.
    pub instructions: u64,
    /// Instructions whose money arrived.
    pub arrivals: u64,
    /// Instructions that arrived late.
    pub late: u64,
    /// From the acceptance of an instruction's first order to arrival, counted for each of its
    /// orders: no order waited longer.
    pub arrival: Latencies,
    /// The shortest time that any instruction was allowed, in milliseconds.
    pub deadline_ms: Option<u64>,
}

/// A node at the common height.
#[derive(Debug, Clone, Serialize)]
pub struct NodeView {
    /// The URL of the node's RPC.
    pub url: String,
    /// The height of the node's head.
    pub height: u64,
    /// The state's digest at the common height.
    pub state_digest: String,
    /// The block's hash at the common height.
    pub block_hash: String,
    /// True if its books balance.
    pub is_balanced: bool,
}

/// The blocks and books that the nodes have in common.
#[derive(Debug, Clone, Serialize)]
pub struct AgreementReport {
    /// The greatest height that all have.
    pub common_height: u64,
    /// The view of each node.
    pub nodes: Vec<NodeView>,
}

impl AgreementReport {
    /// Returns true if all nodes have the same block and digest at the common height.
    pub fn digests_are_equal(&self) -> bool {
        let seen: BTreeSet<_> =
            self.nodes.iter().map(|node| (&node.block_hash, &node.state_digest)).collect();
        seen.len() == 1
    }

    /// Returns true if debits equal credits on every node.
    pub fn books_balance(&self) -> bool {
        !self.nodes.is_empty() && self.nodes.iter().all(|node| node.is_balanced)
    }
}

/// Deadlines missed since the baseline.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Breaches {
    /// Orders collected late, or never.
    pub collected: u64,
    /// Windows that closed too late to be paid in time.
    pub instructed: u64,
    /// Instructions that arrived late, or not yet.
    pub arrived: u64,
}

impl Baseline {
    /// Reads the head of the chain.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn read(client: &Client) -> Result<Self, CallError> {
        let head = client.ask(|node| node.head().boxed()).await?;
        let open = client.ask(|node| node.window(head.window).boxed()).await?;
        Ok(Self {
            window: open.window,
            order_count: open.order_count,
            height: head.height,
            time_ms: head.time_ms,
        })
    }

    /// Returns true if it is before a breach: the breach is of this run, and not of an
    /// order or a window that the network was stopped on earlier.
    fn is_before(self, breach: &BreachReport) -> bool {
        let of_this_run = match breach.stage {
            BreachStage::Collected => {
                let order = breach.subject.parse::<OrderId>();
                order.map_or(true, |order| order.time().get() >= self.time_ms)
            }
            BreachStage::Instructed | BreachStage::Arrived | BreachStage::Failed => {
                let instruction = breach.subject.parse::<InstructionId>();
                let first = self.window + u64::from(self.order_count > 0);
                instruction.map_or(true, |instruction| instruction.window.get() >= first)
            }
        };
        breach.height > self.height && of_this_run
    }
}

impl Settlement {
    /// Reads all windows since the baseline's and their instructions.
    ///
    /// # Errors
    /// When no node answers.
    pub async fn read(client: &Client, baseline: Baseline) -> Result<Self, CallError> {
        let mut settlement = Self::default();
        for window in windows_since(client, baseline.window).await? {
            settlement.collected += window.order_count;
            if window.closed_ms.is_none() {
                settlement.window_open += window.order_count;
                continue;
            }
            settlement.windows_closed += 1;
            let filter = InstructionSelector::window(window.window);
            let instructions = all(client, |node, cursor| {
                node.instructions(filter, cursor, Some(LIMIT_MAX)).boxed()
            });
            for instruction in instructions.await? {
                settlement.add(&instruction, baseline.time_ms);
            }
        }
        Ok(settlement)
    }

    fn add(&mut self, instruction: &InstructionReport, since_ms: u64) {
        self.instructions += 1;
        let orders = instruction.order_count;
        let accepted = instruction.earliest_accepted_ms;
        // With orders from before the run it says nothing of this run's times.
        let is_timed = accepted >= since_ms;
        if is_timed {
            let allowed = instruction.deadline_ms.saturating_sub(accepted);
            self.deadline_ms = Some(self.deadline_ms.map_or(allowed, |least| least.min(allowed)));
            self.late += u64::from(instruction.is_late);
        }
        match instruction.status {
            InstructionState::Instructed => self.instructed += orders,
            InstructionState::Failed | InstructionState::Returned => self.failed += orders,
            InstructionState::Arrived => {
                self.arrived += orders;
                self.arrivals += 1;
                if let Some(settled) = instruction.settled_ms.filter(|_| is_timed) {
                    let taken = Duration::from_millis(settled.saturating_sub(accepted));
                    self.arrival.record(taken, orders);
                }
            }
        }
    }

    /// Returns true if every collected order's instruction has been answered by its bank.
    pub fn is_complete(&self) -> bool {
        self.window_open == 0 && self.instructed == 0
    }
}

async fn windows_since(client: &Client, first: u64) -> Result<Vec<WindowReport>, CallError> {
    let mut windows = Vec::new();
    let mut cursor = None;
    loop {
        let page = client.ask(|node| node.windows(cursor.clone(), Some(LIMIT_MAX)).boxed()).await?;
        let reached = page.items.last().is_none_or(|window| window.window < first);
        windows.extend(page.items.into_iter().filter(|window| window.window >= first));
        cursor = page.next;
        if cursor.is_none() || reached {
            return Ok(windows);
        }
    }
}

/// All items of a list, page by page.
async fn all<T>(
    client: &Client,
    page: impl for<'a> Fn(&'a NodeClient, Option<String>) -> Call<'a, Page<T>>,
) -> Result<Vec<T>, CallError> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let part = client.ask(|node| page(node, cursor.clone())).await?;
        items.extend(part.items);
        cursor = part.next;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

/// Compares all nodes at the greatest height that they have in common.
///
/// # Errors
/// When one of them does not answer.
pub async fn agreement(client: &Client) -> Result<AgreementReport, CallError> {
    let mut heights = Vec::new();
    for at in 0..client.node_count() {
        let head = client.ask_node(at, |node| node.head().boxed()).await?;
        heights.push(head.height);
    }
    let common_height = heights.iter().copied().min().unwrap_or(0);
    let mut nodes = Vec::new();
    for (at, height) in heights.into_iter().enumerate() {
        let selector = BlockSelector::Height(common_height);
        let block = client.ask_node(at, |node| node.block(selector.clone()).boxed()).await?;
        let balance = client.ask_node(at, |node| node.trial_balance().boxed()).await?;
        nodes.push(NodeView {
            url: client.url(at).to_owned(),
            height,
            state_digest: block.summary.state_digest.to_string(),
            block_hash: block.summary.block_hash.to_string(),
            // The node's own word, and our own look at its sums.
            is_balanced: balance.is_balanced
                && balance.currencies.iter().all(rpc_api::CurrencyBalance::is_balanced),
        });
    }
    Ok(AgreementReport { common_height, nodes })
}

/// Deadlines missed since the baseline.
///
/// # Errors
/// When no node answers.
pub async fn breaches(client: &Client, baseline: Baseline) -> Result<Breaches, CallError> {
    let list = all(client, |node, cursor| node.breaches(cursor, Some(LIMIT_MAX)).boxed());
    let mut breaches = Breaches::default();
    for breach in list.await?.iter().filter(|breach| baseline.is_before(breach)) {
        match breach.stage {
            BreachStage::Collected => breaches.collected += 1,
            BreachStage::Instructed => breaches.instructed += 1,
            BreachStage::Arrived | BreachStage::Failed => breaches.arrived += 1,
        }
    }
    Ok(breaches)
}

/// Asks every node for single orders; gives how many are in another state than `expected`.
///
/// # Errors
/// When a node does not answer.
pub async fn orders_elsewhere(
    client: &Client,
    orders: &[OrderId],
    expected: OrderState,
) -> Result<(usize, Vec<String>), CallError> {
    let mut elsewhere = Vec::new();
    let checked = orders.len().min(ORDERS_CHECKED_MAX);
    for (at, order) in orders.iter().take(checked).enumerate() {
        let id = order.to_string();
        let report = client.ask_node(at, |node| node.order(id.clone()).boxed()).await?;
        if report.status != expected {
            elsewhere.push(format!("order {id} is {}", report.status.name()));
        }
    }
    Ok((checked, elsewhere))
}

/// Fetches receipts of arrived orders and verifies each against the genesis file; gives how many.
///
/// # Errors
/// When a node does not answer, or a receipt does not prove its order's arrival.
pub async fn receipts(
    client: &Client,
    genesis: &ChainGenesis,
    orders: &[OrderId],
) -> anyhow::Result<usize> {
    let checked = orders.len().min(RECEIPTS_CHECKED_MAX);
    for (at, order) in orders.iter().take(checked).enumerate() {
        let id = order.to_string();
        let report = client.ask_node(at, |node| node.receipt(id.clone(), None).boxed()).await?;
        let bytes = decode_base64(&report.receipt_base64).context("a receipt is not base64")?;
        let proven = Receipt::decode(&bytes)
            .and_then(|receipt| receipt.verify(genesis))
            .with_context(|| format!("the receipt of order {id}"))?;
        anyhow::ensure!(proven.order_id == *order, "the receipt of order {id} is of another");
        anyhow::ensure!(proven.arrived.is_some(), "the receipt of order {id} proves no arrival");
    }
    Ok(checked)
}
