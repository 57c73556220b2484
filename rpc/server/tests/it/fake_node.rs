//! A node without a chain: it answers from tables that tests fill.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use chain_types::{
    Amount, BatchError, BatchId, BlockHash, ChainGenesis, ChainId, Currency, Digest, Height,
    InstructionId, LiquidityLine, Merchant, MerchantId, OrderId, Outcome, Parameters, Participant,
    ParticipantId, PartyKeys, RechargeItem, Rejection, Roles, SecretKey, SignedBatch, TimeMs,
    WindowId,
};
use futures::future::BoxFuture;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use prometheus_client::registry::Registry;
use rpc_api::chain::BatchReference;
use rpc_api::{
    AccountName, AccountReport, BatchReport, BatchState, BlockReport, BlockSummary, BreachReport,
    BreachStage, CurrencyBalance, EntryReport, EvidenceKind, EvidenceReport, HandoverReport,
    HealthReport, InstructionReport, InstructionState, Money, OrderReport, Outcomes, ReceiptReport,
    Searched, StandingReport, StatusReport, TrialBalance, Wait, WindowReport,
};
use rpc_server::{Backend, BackendError, BlockName, InstructionsOf, Place, Server, ServerConfig};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zerocopy::FromZeros as _;

pub const GATEWAY: u32 = 201;
pub const OPERATOR: u32 = 1;

pub fn key(participant: u32) -> SecretKey {
    SecretKey::from_seed(&[participant as u8; 32])
}

fn merchant(id: u64) -> Merchant {
    Merchant {
        id: MerchantId(id),
        name: format!("merchant-{id}"),
        payout_gateway: ParticipantId(GATEWAY),
        payout_account: Digest::ZERO,
        suspended: false,
        legal_entity: String::new(),
    }
}

fn line((gateway, currency): (u32, u16)) -> LiquidityLine {
    LiquidityLine {
        gateway: ParticipantId(gateway),
        currency: Currency(currency),
        net_debit_cap: Amount(0),
        opening_liquidity: Amount(7),
    }
}

fn genesis() -> ChainGenesis {
    let participant = |id: u32, roles| Participant {
        id: ParticipantId(id),
        name: format!("participant-{id}"),
        roles,
        public_key: key(id).public_key(),
        suspended: false,
        legal_entity: String::new(),
    };
    ChainGenesis {
        chain_id: ChainId(Digest([9; 32])),
        name: "test".to_owned(),
        time: TimeMs(1_790_000_000_000),
        parameters: Parameters::default(),
        currencies: vec![Currency(156)],
        participants: vec![
            participant(OPERATOR, Roles::SETTLEMENT_OPERATOR),
            participant(GATEWAY, Roles::GATEWAY),
        ],
        merchants: (1_001..1_006).map(merchant).collect(),
        liquidity: [(GATEWAY, 156), (GATEWAY, 392), (202, 156)].map(line).to_vec(),
        lines: Vec::new(),
        nodes: Vec::new(),
    }
}

/// The tables.
#[derive(Default)]
pub struct Tables {
    pub instructions: BTreeMap<InstructionId, InstructionReport>,
    pub batches: BTreeMap<BatchId, BatchReport>,
    /// Heights below this are not kept.
    pub kept_from: u64,
}

pub struct FakeNode {
    genesis: ChainGenesis,
    head: watch::Sender<Height>,
    tables: Mutex<Tables>,
    pub is_ready: AtomicBool,
    pub is_full: AtomicBool,
    /// Whether an order that is not found may still commit.
    pub may_still_commit: AtomicBool,
    pub is_faulty: AtomicBool,
    /// A gateway that the genesis file does not know; zero for none.
    pub new_gateway: AtomicU32,
    /// How often instructions were looked for.
    pub instruction_reads: AtomicU32,
    /// While it is set, pages of accounts take for ever.
    pub holds_pages: AtomicBool,
}

impl FakeNode {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            genesis: genesis(),
            head: watch::Sender::new(Height(0)),
            tables: Mutex::default(),
            is_ready: AtomicBool::new(true),
            is_full: AtomicBool::new(false),
            may_still_commit: AtomicBool::new(true),
            is_faulty: AtomicBool::new(false),
            new_gateway: AtomicU32::new(0),
            instruction_reads: AtomicU32::new(0),
            holds_pages: AtomicBool::new(false),
        })
    }

    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap()
    }

    /// Decides blocks up to `height`: all waiting batches become final.
    pub fn advance_to(&self, height: u64) {
        for report in self.tables().batches.values_mut() {
            if report.state == BatchState::Admitted {
                report.state = BatchState::Final;
                report.height = Some(height);
                report.batch_index = Some(0);
                report.outcomes = Some(Outcomes::new(&[Outcome::APPLIED], true));
            }
        }
        self.head.send_replace(Height(height));
    }

    /// Makes an instruction of a window and rings.
    pub fn instruct(&self, window: u64, merchant: u64) -> InstructionId {
        let id = InstructionId {
            window: WindowId(window),
            merchant: MerchantId(merchant),
            currency: Currency(156),
        };
        self.tables().instructions.insert(id, instruction(id));
        let head = *self.head.borrow();
        self.head.send_replace(head.next());
        id
    }

    pub fn batch_bytes(&self, signer: u32) -> Vec<u8> {
        let mut item = RechargeItem::new_zeroed();
        item.order_id = OrderId::new(TimeMs(1_790_000_000_000), [7; 10]).0;
        item.amount = 5.into();
        let until = TimeMs(1_790_000_100_000);
        let submitter = ParticipantId(GATEWAY);
        SignedBatch::sign(self.genesis.chain_id, submitter, &key(signer), until, &[item])
    }

    fn read(&self) -> Result<(), BackendError> {
        if self.is_faulty.load(Ordering::Acquire) {
            return Err(BackendError::fault("disk on fire at /secret/path"));
        }
        Ok(())
    }
}

fn instruction(id: InstructionId) -> InstructionReport {
    InstructionReport {
        instruction_id: id,
        window: id.window.0,
        merchant: id.merchant.0,
        gateway: GATEWAY,
        amount: Money::new(Amount(100), id.currency),
        amount_returned: Money::new(Amount(0), id.currency),
        amount_left: Money::new(Amount(100), id.currency),
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

pub fn block_hash(height: u64) -> BlockHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&height.to_le_bytes());
    BlockHash(Digest(bytes))
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

pub fn account(owner: u64) -> AccountReport {
    let zero = Money::sum(0, Currency(156));
    AccountReport {
        account: AccountName {
            kind: rpc_api::AccountKind::GatewayLiquidity,
            owner,
            currency: Currency(156),
        },
        debits_pending: zero.clone(),
        debits_posted: zero.clone(),
        credits_pending: zero.clone(),
        credits_posted: zero.clone(),
        balance: zero.clone(),
        net_debit_cap: zero.clone(),
        available: zero.clone(),
        settled: zero.clone(),
        position: zero,
    }
}

impl Backend for FakeNode {
    fn genesis(&self) -> &ChainGenesis {
        &self.genesis
    }

    fn doorbell(&self) -> watch::Receiver<Height> {
        self.head.subscribe()
    }

    fn health(&self) -> HealthReport {
        let is_ready = self.is_ready.load(Ordering::Acquire);
        HealthReport { is_ready, reason: (!is_ready).then(|| "catching up".to_owned()) }
    }

    fn submit(
        &self,
        bytes: Bytes,
        wait: Wait,
        _with_codes: bool,
    ) -> BoxFuture<'_, Result<BatchReport, BackendError>> {
        Box::pin(async move {
            if self.is_full.load(Ordering::Acquire) {
                let error = BatchError::new(Rejection::PoolFull, "(64 batches)");
                return Err(BackendError::Rejected { error, retry_after_ms: Some(250) });
            }
            let keys_of = |id| Some(PartyKeys::of(self.genesis.participant(id)?));
            let batch = SignedBatch::decode(bytes)?.verify(self.genesis.chain_id, keys_of)?;
            let id = batch.id();
            let mut doorbell = self.doorbell();
            self.tables()
                .batches
                .entry(id)
                .or_insert_with(|| BatchReport::pending(id, BatchState::Admitted));
            loop {
                let report = self.tables().batches[&id].clone();
                if wait == Wait::Admitted || report.state == BatchState::Final {
                    return Ok(report);
                }
                doorbell.changed().await.map_err(BackendError::fault)?;
            }
        })
    }

    fn batch(&self, id: &BatchId, _with_codes: bool) -> Result<BatchReport, BackendError> {
        let known = self.tables().batches.get(id).cloned();
        Ok(known.unwrap_or_else(|| BatchReport::pending(*id, BatchState::Unknown)))
    }

    fn order(&self, id: &OrderId) -> Result<OrderReport, BackendError> {
        self.read()?;
        let searched = Searched {
            from_height: 1,
            to_height: self.head.borrow().0,
            to_time_ms: 1_790_000_000_000,
            may_commit_until_ms: id.time().0 + 180_000,
            may_still_commit: self.may_still_commit.load(Ordering::Acquire),
        };
        Ok(OrderReport::not_found(*id, searched))
    }

    /// Those whose last byte is even.
    fn order_at_once(&self, id: &OrderId) -> Result<Option<OrderReport>, BackendError> {
        if id.0[15].is_multiple_of(2) { self.order(id).map(Some) } else { Ok(None) }
    }

    /// With its lineage too large for anyone.
    fn receipt(
        &self,
        id: &OrderId,
        lineage_apart: bool,
    ) -> Result<Option<ReceiptReport>, BackendError> {
        if id.0[15] != 0xFF {
            return Ok(None);
        }
        if !lineage_apart {
            return Err(BackendError::ProofTooLarge(format!("order {id}: 5 bytes")));
        }
        Ok(Some(ReceiptReport {
            order_id: *id,
            receipt_base64: String::new(),
            proves_collection: false,
            proves_arrival: false,
            return_count: 0,
        }))
    }

    fn windows(
        &self,
        before: Option<WindowId>,
        limit: u32,
    ) -> Result<Vec<WindowReport>, BackendError> {
        let end = before.map_or(7, |before| before.0.min(7));
        let newest_first = (0..end).rev().take(limit as usize);
        Ok(newest_first.filter_map(|window| self.window(WindowId(window)).ok()?).collect())
    }

    fn window(&self, id: WindowId) -> Result<Option<WindowReport>, BackendError> {
        let report = WindowReport {
            window: id.0,
            opened_ms: 1,
            closed_ms: None,
            first_height: 1,
            last_height: None,
            order_count: 0,
            instruction_count: 0,
            positions: Vec::new(),
            digest: None,
            proposed: None,
            settled: None,
        };
        Ok((id.0 < 7).then_some(report))
    }

    fn instructions(
        &self,
        of: InstructionsOf,
        after: Option<InstructionId>,
        limit: u32,
    ) -> Result<Vec<InstructionReport>, BackendError> {
        self.instruction_reads.fetch_add(1, Ordering::AcqRel);
        let tables = self.tables();
        let all = tables.instructions.iter().filter(|(id, report)| {
            let is_asked = match of {
                InstructionsOf::Window(window) => id.window == window,
                InstructionsOf::Gateway(gateway) => report.gateway == gateway.0,
            };
            is_asked && after.is_none_or(|after| **id > after)
        });
        Ok(all.take(limit as usize).map(|(_, report)| report.clone()).collect())
    }

    fn last_instruction(
        &self,
        gateway: ParticipantId,
    ) -> Result<Option<InstructionId>, BackendError> {
        self.instruction_reads.fetch_add(1, Ordering::AcqRel);
        let tables = self.tables();
        let mut newest_first = tables.instructions.iter().rev();
        Ok(newest_first.find(|(_, one)| one.gateway == gateway.0).map(|(id, _)| *id))
    }

    fn instruction(&self, id: &InstructionId) -> Result<Option<InstructionReport>, BackendError> {
        Ok(self.tables().instructions.get(id).cloned())
    }

    fn breaches(
        &self,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<BreachReport>, BackendError> {
        let all = (0..5_u32).map(|sequence| BreachReport {
            stage: BreachStage::Arrived,
            late: Some(GATEWAY),
            subject: "1-1001-156".to_owned(),
            deadline_ms: 1,
            noticed_ms: 2,
            height: 3,
            sequence,
        });
        let place = |breach: &BreachReport| Place {
            height: Height(breach.height),
            sequence: breach.sequence,
        };
        let rest = all.filter(|breach| after.is_none_or(|after| place(breach) > after));
        Ok(rest.take(limit as usize).collect())
    }

    /// Five changes, three a page at most.
    fn lineage(
        &self,
        after: Option<Height>,
        limit: u32,
    ) -> Result<(Vec<HandoverReport>, bool), BackendError> {
        let first = after.map_or(1, |after| after.0 + 1);
        let heights = (first..=5).take(limit.min(3) as usize);
        let of = |height| HandoverReport { height, handover_base64: String::new() };
        let page: Vec<HandoverReport> = heights.map(of).collect();
        let goes_on = page.last().is_some_and(|last| last.height < 5);
        Ok((page, goes_on))
    }

    fn evidence(
        &self,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<EvidenceReport>, BackendError> {
        let all = (0..3_u32).map(|sequence| EvidenceReport {
            validator: sequence,
            name: format!("validator-{sequence}"),
            what: EvidenceKind::Prevotes,
            height: 3,
            round: 0,
            first: None,
            second: Some(block_hash(3).to_string()),
            block_height: 4,
            sequence,
            time_ms: 1,
        });
        let place = |one: &EvidenceReport| Place {
            height: Height(one.block_height),
            sequence: one.sequence,
        };
        let rest = all.filter(|one| after.is_none_or(|after| place(one) > after));
        Ok(rest.take(limit as usize).collect())
    }

    fn accounts(
        &self,
        after: Option<AccountName>,
        limit: u32,
    ) -> Result<Vec<AccountReport>, BackendError> {
        while self.holds_pages.load(Ordering::Acquire) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let all = (201..204).map(account);
        let rest = all.filter(|one| after.is_none_or(|after| one.account > after));
        Ok(rest.take(limit as usize).collect())
    }

    fn account(&self, name: &AccountName) -> Result<Option<AccountReport>, BackendError> {
        Ok((201..204).map(account).find(|one| one.account == *name))
    }

    fn entries(
        &self,
        _account: &AccountName,
        _after: Option<Place>,
        _limit: u32,
    ) -> Result<Vec<EntryReport>, BackendError> {
        Ok(Vec::new())
    }

    fn trial_balance(&self) -> Result<TrialBalance, BackendError> {
        let sum = Money::sum(5, Currency(156));
        let balance = CurrencyBalance {
            debits_pending: sum.clone(),
            credits_pending: sum.clone(),
            debits_posted: sum.clone(),
            credits_posted: sum,
        };
        Ok(TrialBalance { height: 1, is_balanced: true, currencies: vec![balance] })
    }

    fn parameters(&self) -> Result<Parameters, BackendError> {
        Ok(self.genesis.parameters.clone())
    }

    fn block(&self, name: BlockName) -> Result<Option<BlockReport>, BackendError> {
        let head = self.head.borrow().0;
        let found = (0..=head).find(|height| match name {
            BlockName::Height(wanted) => wanted.0 == *height,
            BlockName::Hash(hash) => block_hash(*height) == hash,
        });
        Ok(found.map(|height| BlockReport {
            summary: summary(height),
            protocol_version: 1,
            batches_root: Digest::ZERO,
            evidence_count: 0,
            evidence_root: Digest::ZERO,
            results_root: Digest::ZERO,
            validators_hash: Digest::ZERO,
            parameters_hash: Digest::ZERO,
            batches: vec![BatchReference { batch_id: BatchId(Digest([1; 32])) }],
            evidence_base64: Vec::new(),
            certificate: None,
            header_base64: String::new(),
        }))
    }

    fn blocks(&self, first: Height, count: u32) -> Result<Vec<BlockSummary>, BackendError> {
        let head = self.head.borrow().0;
        let kept_from = self.tables().kept_from;
        let heights = (first.0..=head).take(count as usize);
        Ok(heights.filter(|height| *height >= kept_from).map(summary).collect())
    }

    fn status(&self) -> Result<StatusReport, BackendError> {
        Ok(StatusReport {
            name: "validator-0".to_owned(),
            version: "0.1.0".to_owned(),
            chain_id: self.genesis.chain_id.to_string(),
            validator: Some(0),
            height: self.head.borrow().0,
            block_hash: block_hash(0).to_string(),
            block_time_ms: 1,
            state_digest: Digest::ZERO.to_string(),
            is_catching_up: false,
            highest_known_height: 0,
            is_ready: true,
            standing: StandingReport {
                waits_for: Some("work".to_owned()),
                ..StandingReport::default()
            },
            peers: Vec::new(),
            pool_batch_count: 0,
            pool_item_count: 0,
            uptime_ms: 1,
        })
    }
}

/// A server over a fake node; it stops when dropped.
pub struct TestServer {
    pub node: Arc<FakeNode>,
    pub server: Option<Server>,
    pub address: std::net::SocketAddr,
    /// Where health and figures are.
    pub operator: std::net::SocketAddr,
    pub cancel: CancellationToken,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(ServerConfig::default()).await
    }

    pub async fn with(config: ServerConfig) -> Self {
        let node = FakeNode::new();
        let cancel = CancellationToken::new();
        let registry = Arc::new(Mutex::new(Registry::default()));
        let operator_listen = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
        let config = ServerConfig { operator_listen, ..config };
        let server = Server::start(config, node.clone(), registry, cancel.clone()).unwrap();
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

    /// What a limit refused.
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

    /// Whether a fresh client is served.
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

pub fn order_id_text() -> String {
    OrderId::new(TimeMs(1_790_000_000_000), [7; 10]).to_string()
}
