//! The interface's methods: they check parameters, ask the backend, and make pages.

use std::sync::Arc;

use bytes::Bytes;
use chain_types::batch::SignedBatch;
use chain_types::{Height, InstructionId, OrderId, ParticipantId, Roles, WindowId};
use jsonrpsee::core::{RegisterMethodError, RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::server::{Methods, PendingSubscriptionSink};
use rpc_api::{
    AccountName, AccountReport, ApiError, Base64Bytes, BatchReport, BatchRpcServer, BlockReport,
    BlockSelector, BlockSummary, BreachReport, ChainInfo, ChainRpcServer, EntryReport,
    HealthReport, InstructionFilter, InstructionReport, LIMIT_DEFAULT, LIMIT_MAX, LedgerRpcServer,
    NodeRpcServer, OrderReport, Page, ParametersReport, ReceiptReport, RechargeRpcServer,
    SettlementRpcServer, StatusReport, TrialBalance, Wait, WindowReport, api_error,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, BackendError, BlockName, InstructionsOf, Place};
use crate::config::ServerConfig;
use crate::metrics::RpcMetrics;

const WAIT_MS_DEFAULT: u64 = 10_000;

/// What all methods share; cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) metrics: RpcMetrics,
    pub(crate) subscriptions: Arc<Semaphore>,
    pub(crate) cancel: CancellationToken,
    reads: Arc<Semaphore>,
    wait_ms_max: u64,
}

/// Every method of every namespace.
pub(crate) fn all(
    config: &ServerConfig,
    backend: &Arc<dyn Backend>,
    metrics: &RpcMetrics,
    cancel: &CancellationToken,
) -> Result<Methods, RegisterMethodError> {
    let api = Api {
        backend: backend.clone(),
        metrics: metrics.clone(),
        subscriptions: Arc::new(Semaphore::new(config.subscriptions_max as usize)),
        cancel: cancel.clone(),
        reads: Arc::new(Semaphore::new(config.reads_max.max(1) as usize)),
        wait_ms_max: config.wait_ms_max,
    };
    let mut methods = Methods::new();
    methods.merge(BatchRpcServer::into_rpc(api.clone()))?;
    methods.merge(RechargeRpcServer::into_rpc(api.clone()))?;
    methods.merge(SettlementRpcServer::into_rpc(api.clone()))?;
    methods.merge(LedgerRpcServer::into_rpc(api.clone()))?;
    methods.merge(ChainRpcServer::into_rpc(api.clone()))?;
    methods.merge(NodeRpcServer::into_rpc(api))?;
    Ok(methods)
}

impl Api {
    /// Reads on a thread that may block; so many at once as the server is configured for.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Backend) -> Result<T, BackendError> + Send + 'static,
    ) -> RpcResult<T> {
        // The semaphore is never closed.
        let permit = self.reads.clone().acquire_owned().await.ok();
        let backend = self.backend.clone();
        let task = tokio::task::spawn_blocking(move || {
            let result = read(backend.as_ref());
            drop(permit);
            result
        });
        match task.await {
            Ok(result) => result.map_err(BackendError::into_error),
            Err(error) => Err(BackendError::fault(error).into_error()),
        }
    }

    fn head(&self) -> Height {
        *self.backend.doorbell().borrow()
    }

    /// The error for a name that nothing has, with how far the node is.
    fn not_found(&self, what: &str) -> jsonrpsee::types::ErrorObjectOwned {
        api_error(ApiError::NotFound, format!("({what}; the node's head is {})", self.head()))
    }

    pub(crate) fn is_gateway(&self, id: ParticipantId) -> bool {
        let participant = self.backend.genesis().participant(id);
        participant.is_some_and(|participant| participant.roles.any_of(Roles::GATEWAY))
    }
}

/// The page size asked for.
fn page_limit(limit: Option<u32>) -> RpcResult<u32> {
    match limit {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(limit) => Err(api_error(ApiError::LimitOutOfBounds, format!("({limit})"))),
    }
}

/// A cursor's content, if one was given. Cursors are short; anything long is none.
pub(crate) fn read_cursor<T>(
    cursor: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> RpcResult<Option<T>> {
    let Some(text) = cursor else { return Ok(None) };
    read(text).map(Some).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        api_error(ApiError::BadCursor, format!("({shown:?})"))
    })
}

fn id_malformed(
    text: &str,
    expected: impl std::fmt::Display,
) -> jsonrpsee::types::ErrorObjectOwned {
    let shown: String = text.chars().take(80).collect();
    api_error(ApiError::IdMalformed, format!("({shown:?}: {expected})"))
}

fn place_of(cursor: &str) -> Option<Place> {
    let (height, sequence) = cursor.split_once('-')?;
    Some(Place { height: Height(height.parse().ok()?), sequence: sequence.parse().ok()? })
}

fn place_cursor(height: u64, sequence: u32) -> String {
    format!("{height}-{sequence}")
}

#[async_trait]
impl BatchRpcServer for Api {
    async fn submit(
        &self,
        bytes_base64: Base64Bytes,
        wait: Option<Wait>,
        timeout_ms: Option<u64>,
        with_codes: Option<bool>,
    ) -> RpcResult<BatchReport> {
        let most = self.wait_ms_max;
        let timeout_ms = timeout_ms.unwrap_or(WAIT_MS_DEFAULT.min(most));
        if !(1..=most).contains(&timeout_ms) {
            let detail = format!("({timeout_ms}; 1 to {most})");
            return Err(api_error(ApiError::TimeoutOutOfBounds, detail));
        }
        let bytes =
            bytes_base64.into_bytes().ok_or_else(|| api_error(ApiError::InvalidBase64, ""))?;
        let wait = wait.unwrap_or_default();
        let submitting = self.backend.submit(bytes.clone(), wait, with_codes.unwrap_or_default());
        let patience = std::time::Duration::from_millis(timeout_ms);
        match tokio::time::timeout(patience, submitting).await {
            Ok(result) => result.map_err(BackendError::into_error),
            Err(_) => Err(api_error(ApiError::WaitTimeout, batch_named(bytes, timeout_ms))),
        }
    }

    async fn status(&self, batch_id: String, with_codes: Option<bool>) -> RpcResult<BatchReport> {
        let id = batch_id.parse().map_err(|error| id_malformed(&batch_id, error))?;
        self.read(move |node| node.batch(&id, with_codes.unwrap_or_default())).await
    }
}

/// Says which batch was waited for, so that the client can ask for it.
fn batch_named(bytes: Bytes, timeout_ms: u64) -> String {
    match SignedBatch::decode(bytes) {
        Ok(batch) => format!("(batch {} within {timeout_ms} ms)", batch.header().id()),
        Err(_) => format!("(within {timeout_ms} ms)"),
    }
}

fn order_id(text: &str) -> RpcResult<OrderId> {
    let id: OrderId = text.parse().map_err(|error| id_malformed(text, error))?;
    if id.is_uuid_v7() { Ok(id) } else { Err(id_malformed(text, "a UUID, but of version 7")) }
}

#[async_trait]
impl RechargeRpcServer for Api {
    async fn order(&self, order_id: String) -> RpcResult<OrderReport> {
        let id = self::order_id(&order_id)?;
        self.read(move |node| node.order(&id)).await
    }

    async fn receipt(&self, order_id: String) -> RpcResult<ReceiptReport> {
        let id = self::order_id(&order_id)?;
        if let Some(receipt) = self.read(move |node| node.receipt(&id)).await? {
            return Ok(receipt);
        }
        let searched = self.read(move |node| node.order(&id)).await?.searched;
        let detail = format!(
            "(order {id}; searched heights {} to {}; it may commit until block time {}, {})",
            searched.from_height,
            searched.to_height,
            searched.may_commit_until_ms,
            if searched.may_still_commit { "which has not come" } else { "which has passed" },
        );
        Err(api_error(ApiError::NotFound, detail))
    }
}

#[async_trait]
impl SettlementRpcServer for Api {
    async fn windows(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<WindowReport>> {
        let limit = page_limit(limit)?;
        let before = read_cursor(cursor.as_deref(), |text| text.parse().ok().map(WindowId))?;
        let items = self.read(move |node| node.windows(before, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.window.to_string()))
    }

    async fn window(&self, window: u64) -> RpcResult<WindowReport> {
        let found = self.read(move |node| node.window(WindowId(window))).await?;
        found.ok_or_else(|| self.not_found(&format!("window {window}")))
    }

    async fn instructions(
        &self,
        filter: InstructionFilter,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<InstructionReport>> {
        let limit = page_limit(limit)?;
        let of = match (filter.window, filter.gateway) {
            (Some(window), None) => InstructionsOf::Window(WindowId(window)),
            (None, Some(gateway)) => InstructionsOf::Gateway(ParticipantId(gateway)),
            _ => return Err(api_error(ApiError::FilterMalformed, "")),
        };
        let after: Option<InstructionId> =
            read_cursor(cursor.as_deref(), |text| text.parse().ok())?;
        let items = self.read(move |node| node.instructions(of, after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.instruction_id.to_string()))
    }

    async fn instruction(&self, instruction_id: String) -> RpcResult<InstructionReport> {
        let id: InstructionId =
            instruction_id.parse().map_err(|error| id_malformed(&instruction_id, error))?;
        let found = self.read(move |node| node.instruction(&id)).await?;
        found.ok_or_else(|| self.not_found(&format!("instruction {id}")))
    }

    async fn breaches(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BreachReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let items = self.read(move |node| node.breaches(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| place_cursor(last.height, last.sequence)))
    }

    async fn subscribe_instructions(
        &self,
        pending: PendingSubscriptionSink,
        gateway: u32,
        cursor: Option<String>,
    ) -> SubscriptionResult {
        self.send_instructions(pending, ParticipantId(gateway), cursor.as_deref()).await
    }
}

fn account_name(text: &str) -> RpcResult<AccountName> {
    text.parse().map_err(|error| id_malformed(text, error))
}

#[async_trait]
impl LedgerRpcServer for Api {
    async fn accounts(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<AccountReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| text.parse().ok())?;
        let items = self.read(move |node| node.accounts(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.account.to_string()))
    }

    async fn account(&self, account: String) -> RpcResult<AccountReport> {
        let name = account_name(&account)?;
        let found = self.read(move |node| node.account(&name)).await?;
        found.ok_or_else(|| self.not_found(&format!("account {name}")))
    }

    async fn entries(
        &self,
        account: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EntryReport>> {
        let limit = page_limit(limit)?;
        let name = account_name(&account)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let items = self.read(move |node| node.entries(&name, after, limit + 1)).await?;
        if items.is_empty() && self.read(move |node| node.account(&name)).await?.is_none() {
            return Err(self.not_found(&format!("account {name}")));
        }
        Ok(Page::of(items, limit, |last| place_cursor(last.height, last.sequence)))
    }

    async fn trial_balance(&self) -> RpcResult<TrialBalance> {
        self.read(|node| node.trial_balance()).await
    }
}

#[async_trait]
impl ChainRpcServer for Api {
    async fn id(&self) -> RpcResult<String> {
        Ok(self.backend.genesis().chain_id.to_string())
    }

    async fn info(&self) -> RpcResult<ChainInfo> {
        // A large registry takes a while to write down.
        self.read(|node| Ok(ChainInfo::new(node.genesis()))).await
    }

    async fn parameters(&self) -> RpcResult<ParametersReport> {
        let parameters = self.read(|node| node.parameters()).await?;
        Ok(ParametersReport::new(&parameters))
    }

    async fn head(&self) -> RpcResult<BlockSummary> {
        let head = Api::head(self);
        let found = self.read(move |node| node.blocks(head, 1)).await?;
        found.into_iter().next().ok_or_else(|| self.not_found(&format!("block {head}")))
    }

    async fn block(&self, block: BlockSelector) -> RpcResult<BlockReport> {
        let name = match &block {
            BlockSelector::Height(height) => BlockName::Height(Height(*height)),
            BlockSelector::Hash(text) => {
                BlockName::Hash(text.parse().map_err(|error| id_malformed(text, error))?)
            }
        };
        let found = self.read(move |node| node.block(name)).await?;
        found.ok_or_else(|| match block {
            BlockSelector::Height(height) => self.not_found(&format!("block {height}")),
            BlockSelector::Hash(hash) => self.not_found(&format!("block {hash}")),
        })
    }

    async fn blocks(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BlockSummary>> {
        let limit = page_limit(limit)?;
        let before: Option<u64> = read_cursor(cursor.as_deref(), |text| text.parse().ok())?;
        // The heights below `end` are listed, from the highest down.
        let head_end = Api::head(self).0.saturating_add(1);
        let end = before.map_or(head_end, |before| before.min(head_end));
        let first = end.saturating_sub(u64::from(limit) + 1);
        let count = u32::try_from(end - first).unwrap_or(limit);
        if count == 0 {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut items = self.read(move |node| node.blocks(Height(first), count)).await?;
        items.reverse();
        Ok(Page::of(items, limit, |last| last.height.to_string()))
    }

    async fn subscribe_blocks(
        &self,
        pending: PendingSubscriptionSink,
        from_height: Option<u64>,
    ) -> SubscriptionResult {
        self.send_blocks(pending, from_height).await
    }
}

#[async_trait]
impl NodeRpcServer for Api {
    async fn status(&self) -> RpcResult<StatusReport> {
        self.read(|node| node.status()).await
    }

    async fn health(&self) -> RpcResult<HealthReport> {
        Ok(self.backend.health())
    }
}
