//! What the servers of these tests serve: a few methods over a head that the tests move.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chain_types::{
    Amount, BlockHash, Currency, Digest, Height, InstructionId, InstructionState, MerchantId,
    WindowId,
};
use jsonrpsee::core::server::{Methods, RpcModule};
use jsonrpsee::core::{RegisterMethodError, RpcResult};
use jsonrpsee::types::{ErrorObjectOwned, Params};
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use prometheus_client::registry::Registry;
use rpc_api::{
    ApiError, Base64Bytes, BlockSummary, HealthReport, InstructionEvent, InstructionReport,
    LIMIT_DEFAULT, Money, Page, Wait, api_error,
};
use rpc_server::{AccessRule, Cost, FeedEvent, Feeds, Health, Reader, Server, ServerConfig, Topic};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub const GATEWAY: u32 = 201;

/// The data that the methods answer from.
pub struct TestNode {
    head: watch::Sender<Height>,
    instructions: Mutex<BTreeSet<InstructionId>>,
    pub is_ready: AtomicBool,
    /// Blocks below this height are not kept.
    pub kept_from: AtomicU64,
    /// How often instructions were looked for.
    pub instruction_reads: AtomicU32,
    /// While it is set, pages of accounts take for ever.
    pub holds_pages: AtomicBool,
}

impl TestNode {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            head: watch::Sender::new(Height::new(0)),
            instructions: Mutex::default(),
            is_ready: AtomicBool::new(true),
            kept_from: AtomicU64::new(0),
            instruction_reads: AtomicU32::new(0),
            holds_pages: AtomicBool::new(false),
        })
    }

    pub fn head(&self) -> Height {
        *self.head.borrow()
    }

    /// Decides blocks up to `height`: who waits for a block is answered.
    pub fn advance_to(&self, height: u64) {
        self.head.send_replace(Height::new(height));
    }

    /// Makes an instruction of a window and rings.
    pub fn instruct(&self, window: u64, merchant: u64) -> InstructionId {
        let id = InstructionId {
            window: WindowId::new(window),
            merchant: MerchantId::new(merchant),
            currency: Currency::new(156),
        };
        self.instructions.lock().unwrap().insert(id);
        self.head.send_modify(|head| *head = head.next());
        id
    }

    fn blocks(&self, first: u64, count: u64) -> Vec<BlockSummary> {
        let kept_from = self.kept_from.load(Ordering::Acquire);
        let heights = (first..=self.head().get()).take(count as usize);
        heights.filter(|height| *height >= kept_from).map(summary).collect()
    }

    pub fn health(self: &Arc<Self>) -> Health {
        let node = self.clone();
        Arc::new(move || {
            let is_ready = node.is_ready.load(Ordering::Acquire);
            HealthReport { is_ready, reason: (!is_ready).then(|| "catching up".to_owned()) }
        })
    }
}

#[derive(Clone)]
struct Instructions(Arc<TestNode>);

impl Topic for Instructions {
    type Cursor = Option<InstructionId>;

    fn end(&self) -> RpcResult<Self::Cursor> {
        self.0.instruction_reads.fetch_add(1, Ordering::AcqRel);
        Ok(self.0.instructions.lock().unwrap().last().copied())
    }

    fn page(&self, after: Self::Cursor, count: u32) -> RpcResult<Vec<FeedEvent<Self::Cursor>>> {
        self.0.instruction_reads.fetch_add(1, Ordering::AcqRel);
        let all = self.0.instructions.lock().unwrap();
        let rest = all.iter().filter(|id| after.is_none_or(|after| **id > after));
        let event = |id: &InstructionId| {
            let instruction = instruction(*id);
            FeedEvent::new(Some(*id), &InstructionEvent { cursor: id.to_string(), instruction })
        };
        rest.take(count as usize).map(event).collect()
    }

    fn nothing_after(&self, _: Self::Cursor) -> Option<ErrorObjectOwned> {
        None
    }
}

#[derive(Clone)]
struct Blocks(Arc<TestNode>);

impl Topic for Blocks {
    type Cursor = Height;

    fn end(&self) -> RpcResult<Height> {
        Ok(self.0.head().next())
    }

    fn page(&self, after: Height, count: u32) -> RpcResult<Vec<FeedEvent<Height>>> {
        let found = self.0.blocks(after.get(), count.into());
        let kept =
            found.iter().zip(after.get()..).take_while(|(block, height)| block.height == *height);
        kept.map(|(block, height)| FeedEvent::new(Height::new(height).next(), block)).collect()
    }

    fn nothing_after(&self, next: Height) -> Option<ErrorObjectOwned> {
        Some(api_error(ApiError::NotFound, format!("(block {next})")))
    }
}

/// The handles that all methods share.
struct Served {
    node: Arc<TestNode>,
    reader: Reader,
    instructions: Feeds<(), Instructions>,
    blocks: Feeds<(), Blocks>,
}

impl Served {
    /// A read that fails in no way of its own.
    async fn read<T: Send + 'static>(
        &self,
        cost: Cost,
        read: impl FnOnce(&TestNode) -> T + Send + 'static,
    ) -> RpcResult<T> {
        let node = self.node.clone();
        self.reader.read(cost, move || Ok::<T, ErrorObjectOwned>(read(&node))).await
    }
}

/// A method's optional parameters by place; those by name are no concern of the transport.
fn cursor_and_limit(params: &Params<'_>) -> (Option<String>, u32) {
    let named: Option<Value> = params.parse().ok().filter(Value::is_object);
    if let Some(named) = named {
        let limit = named["limit"].as_u64().map(|limit| u32::try_from(limit).unwrap());
        return (None, limit.unwrap_or(LIMIT_DEFAULT));
    }
    let mut values = params.sequence();
    let cursor = values.optional_next().unwrap_or_default();
    (cursor, values.optional_next().unwrap_or_default().unwrap_or(LIMIT_DEFAULT))
}

/// The methods. Names and parameters are those of the interface: the server knows no others.
pub fn methods(node: &Arc<TestNode>, reader: &Reader) -> Result<Methods, RegisterMethodError> {
    let served = Served {
        node: node.clone(),
        reader: reader.clone(),
        instructions: Feeds::new(reader),
        blocks: Feeds::new(reader),
    };
    let mut module = RpcModule::new(served);
    module.register_method("chain_id", |_, _, _| "09".repeat(32))?;
    module.register_method("node_health", |_, served, _| RpcResult::Ok(served.node.health()()))?;
    // What is told of a text is its length.
    module.register_method("recharge_order", |params, _, _| {
        params.one::<String>().map(|text| text.len())
    })?;
    module.register_method("chain_block", |params, _, _| params.one::<Value>())?;
    module.register_method("settlement_instructions", |_, _, _| {
        RpcResult::Ok(json!({"items": []}))
    })?;
    module.register_async_method("chain_head", |_, served, _| async move {
        served.read(Cost::CHEAP, |node| summary(node.head().get())).await
    })?;
    module.register_async_method("settlement_window", |params, served, _| async move {
        let window: u64 = params.one()?;
        served.read(Cost::CHEAP, move |_| window).await
    })?;
    module.register_async_method("settlement_windows", |params, served, _| async move {
        let (_, limit) = cursor_and_limit(&params);
        served.read(Cost::page(limit), move |_| json!({"items": vec![7; limit as usize]})).await
    })?;
    register_pages(&mut module)?;
    module.register_async_method("batch_submit", |params, served, _| async move {
        let mut values = params.sequence();
        let bytes: Base64Bytes = values.next()?;
        let wait: Option<Wait> = values.optional_next()?;
        let bytes = bytes.into_bytes().ok_or_else(|| api_error(ApiError::InvalidBase64, ""))?;
        let mut head = served.node.head.subscribe();
        if wait == Some(Wait::Final) {
            let _ = head.changed().await;
        }
        RpcResult::Ok(json!({"byte_count": bytes.len()}))
    })?;
    register_subscriptions(&mut module)?;
    Ok(module.into())
}

fn register_pages(module: &mut RpcModule<Served>) -> Result<(), RegisterMethodError> {
    module.register_async_method("ledger_accounts", |params, served, _| async move {
        let (_, limit) = cursor_and_limit(&params);
        let accounts = |node: &TestNode| {
            while node.holds_pages.load(Ordering::Acquire) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            json!({"items": [201, 202, 203]})
        };
        served.read(Cost::page(limit), accounts).await
    })?;
    module.register_async_method("chain_blocks", |params, served, _| async move {
        let (_, limit) = cursor_and_limit(&params);
        let blocks = move |node: &TestNode| {
            let end = node.head().get() + 1;
            let mut items = node.blocks(end.saturating_sub(limit.into()), limit.into());
            items.reverse();
            Page { items, next: None }
        };
        served.read(Cost::page(limit), blocks).await
    })?;
    Ok(())
}

fn register_subscriptions(module: &mut RpcModule<Served>) -> Result<(), RegisterMethodError> {
    module.register_subscription(
        "settlement_subscribe_instructions",
        "settlement_instruction",
        "settlement_unsubscribe_instructions",
        |params, pending, served, extensions| async move {
            let subscriber = served.reader.subscriber(pending, &extensions);
            let mut values = params.sequence();
            let (_, cursor) = (values.next::<u32>(), values.optional_next::<String>());
            let after = cursor.ok().flatten().map(|cursor| cursor.parse().unwrap());
            let topic = Instructions(served.node.clone());
            let (head, asked) = (served.node.head.subscribe(), topic.clone());
            let feed = match served.instructions.get(&()) {
                Some(feed) => feed,
                None => {
                    let end = subscriber.read(Cost::CHEAP, move || asked.end()).await.unwrap();
                    served.instructions.begin((), topic, end, head)
                }
            };
            subscriber.follow(&feed, after).await
        },
    )?;
    module.register_subscription(
        "chain_subscribe_blocks",
        "chain_new_block",
        "chain_unsubscribe_blocks",
        |params, pending, served, extensions| async move {
            let from: Option<u64> = params.sequence().optional_next().unwrap_or_default();
            let head = served.node.head.subscribe();
            let next = head.borrow().next();
            let feed = served.blocks.begin((), Blocks(served.node.clone()), next, head);
            let subscriber = served.reader.subscriber(pending, &extensions);
            subscriber.follow(&feed, from.map_or(next, Height::new)).await
        },
    )?;
    Ok(())
}

fn instruction(id: InstructionId) -> InstructionReport {
    InstructionReport {
        instruction_id: id,
        window: id.window.get(),
        merchant: id.merchant.get(),
        gateway: GATEWAY,
        amount: Money::new(Amount::new(100), id.currency),
        amount_returned: Money::new(Amount::new(0), id.currency),
        amount_left: Money::new(Amount::new(100), id.currency),
        order_count: 1,
        cross_border_count: 0,
        attempt: 1,
        earliest_accepted_ms: 1,
        instructed_ms: 2,
        deadline_ms: 3,
        status: InstructionState::Instructed,
        settled_ms: None,
        is_late: false,
        failure: None,
        failed_by: None,
        recalled_ms: None,
        reference: None,
        cashback: Vec::new(),
    }
}

fn block_hash(height: u64) -> BlockHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&height.to_le_bytes());
    BlockHash::new(Digest::from_bytes(bytes))
}

fn summary(height: u64) -> BlockSummary {
    BlockSummary {
        height,
        block_hash: block_hash(height),
        parent: block_hash(height.saturating_sub(1)),
        time_ms: 1_790_000_000_000 + height,
        round: 0,
        parent_round: 0,
        proposer: 0,
        window: 0,
        batch_count: 0,
        state_digest: Digest::ZERO,
    }
}

/// A server of these methods; it stops when dropped.
pub struct TestServer {
    pub node: Arc<TestNode>,
    pub server: Option<Server>,
    pub address: std::net::SocketAddr,
    /// The address of health and figures.
    pub operator: std::net::SocketAddr,
    pub cancel: CancellationToken,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(ServerConfig::default()).await
    }

    /// A server that answers everybody, with other bounds.
    pub async fn with(config: ServerConfig) -> Self {
        Self::guarded(ServerConfig { access: AccessRule::Open, ..config }).await
    }

    /// A server that answers whom its configuration says.
    pub async fn guarded(config: ServerConfig) -> Self {
        let node = TestNode::new();
        let cancel = CancellationToken::new();
        let registry = Arc::new(Mutex::new(Registry::default()));
        let operator_listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        let config = ServerConfig { operator_listen, ..config };
        let serves = |reader: &Reader| methods(&node, reader);
        let server =
            Server::start(config, serves, node.health(), registry, cancel.clone()).unwrap();
        let (address, operator) = (server.local_address(), server.operator_address().unwrap());
        Self { node, server: Some(server), address, operator, cancel }
    }

    pub fn http(&self) -> HttpClient {
        HttpClientBuilder::default().build(format!("http://{}", self.address)).unwrap()
    }

    pub async fn ws(&self) -> WsClient {
        WsClientBuilder::default().build(format!("ws://{}", self.address)).await.unwrap()
    }

    /// A figure's value; 0 when it is not shown yet.
    pub async fn figure(&self, name: &str) -> u64 {
        let page = crate::raw::get(self.operator, "/metrics").await.body;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// The number of refusals by a limit.
    pub async fn refused(&self, limit: &str) -> u64 {
        self.figure(&format!("sluice_rpc_refused_total{{limit=\"{limit}\"}}")).await
    }

    /// Waits until a figure is as it should be.
    pub async fn until(&self, name: &str, is_so: impl Fn(u64) -> bool) {
        for _ in 0..3_000 {
            if is_so(self.figure(name).await) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{name} stays {}", self.figure(name).await);
    }

    /// Asserts that a fresh client is served.
    pub async fn still_answers(&self) {
        use rpc_api::NodeRpcClient as _;
        assert!(self.http().health().await.unwrap().is_ready);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
