//! The interface's methods, one file a namespace: they check parameters, ask the backend, and make
//! pages.

mod batch;
mod cashback;
mod chain;
mod fx;
mod governance;
mod ledger;
mod node;
mod parameters;
mod recharge;
mod risk;
mod settlement;

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use chain_types::ids::IdError;
use chain_types::{Currency, Height, MerchantId, OrderId};
use jsonrpsee::core::server::Methods;
use jsonrpsee::core::{RegisterMethodError, RpcResult};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::error::api_error_after;
use rpc_api::money::currency_of;
use rpc_api::{
    ApiError, BatchRpcServer, CashbackRpcServer, ChainRpcServer, FxRpcServer, GovernanceRpcServer,
    LIMIT_DEFAULT, LIMIT_MAX, LedgerRpcServer, NodeRpcServer, RechargeRpcServer, RiskRpcServer,
    SettlementRpcServer, api_error, decimal,
};
use tokio_util::sync::CancellationToken;

use crate::backend::{Backend, BackendError, Place};
use crate::budget::Budget;
use crate::config::ServerConfig;
use crate::dispatch::budget_error;
use crate::feed::Feeds;
use crate::metrics::RpcMetrics;
use crate::reads::{self, Cost, PutOff, Reads};

/// What all methods share; cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) metrics: RpcMetrics,
    pub(crate) cancel: CancellationToken,
    pub(crate) feeds: Arc<Feeds>,
    reads: Reads,
    budget: Arc<Budget>,
    wait_ms_max: u64,
}

/// Every method of every namespace.
pub(crate) fn all(
    config: &ServerConfig,
    backend: &Arc<dyn Backend>,
    metrics: &RpcMetrics,
    budget: &Arc<Budget>,
    cancel: &CancellationToken,
) -> Result<Methods, RegisterMethodError> {
    let api = Api {
        backend: backend.clone(),
        metrics: metrics.clone(),
        cancel: cancel.clone(),
        feeds: Arc::default(),
        reads: Reads::new(config, metrics),
        budget: budget.clone(),
        wait_ms_max: config.wait_ms_max,
    };
    let mut methods = Methods::new();
    methods.merge(BatchRpcServer::into_rpc(api.clone()))?;
    methods.merge(RechargeRpcServer::into_rpc(api.clone()))?;
    methods.merge(SettlementRpcServer::into_rpc(api.clone()))?;
    methods.merge(LedgerRpcServer::into_rpc(api.clone()))?;
    methods.merge(FxRpcServer::into_rpc(api.clone()))?;
    methods.merge(CashbackRpcServer::into_rpc(api.clone()))?;
    methods.merge(RiskRpcServer::into_rpc(api.clone()))?;
    methods.merge(GovernanceRpcServer::into_rpc(api.clone()))?;
    methods.merge(ChainRpcServer::into_rpc(api.clone()))?;
    methods.merge(NodeRpcServer::into_rpc(api))?;
    parameters::hold(&methods)
}

impl Api {
    /// A cheap read: one row, or a few.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Backend) -> Result<T, BackendError> + Send + 'static,
    ) -> RpcResult<T> {
        self.read_at(Cost::CHEAP, read).await
    }

    /// The read of a page of at most `limit` items.
    pub(crate) async fn read_page<T: Send + 'static>(
        &self,
        limit: u32,
        read: impl FnOnce(&dyn Backend) -> Result<T, BackendError> + Send + 'static,
    ) -> RpcResult<T> {
        self.read_at(Cost::page(limit), read).await
    }

    /// A read of the present call, once it is its caller's turn. Its caller's budget pays what it
    /// costs beyond a cheap one.
    pub(crate) async fn read_at<T: Send + 'static>(
        &self,
        cost: Cost,
        read: impl FnOnce(&dyn Backend) -> Result<T, BackendError> + Send + 'static,
    ) -> RpcResult<T> {
        let caller = reads::caller();
        if caller != reads::OWN {
            self.budget.take_more(caller, cost.units.saturating_sub(1)).map_err(budget_error)?;
        }
        self.read_for(caller, cost, read).await
    }

    /// Reads on a thread that may block, once it is the turn of `caller`.
    pub(crate) async fn read_for<T: Send + 'static>(
        &self,
        caller: IpAddr,
        cost: Cost,
        read: impl FnOnce(&dyn Backend) -> Result<T, BackendError> + Send + 'static,
    ) -> RpcResult<T> {
        let turn = self.reads.turn(caller, cost).await.map_err(put_off_error)?;
        let backend = self.backend.clone();
        // The turn ends with the read, not with the patience of who asked for it.
        let task = tokio::task::spawn_blocking(move || {
            let result = read(backend.as_ref());
            (result, turn.after_read())
        });
        match task.await {
            Ok((result, turn)) => {
                reads::keep_until_answered(turn);
                result.map_err(BackendError::into_error)
            }
            Err(error) => Err(BackendError::fault(error).into_error()),
        }
    }

    fn head(&self) -> Height {
        *self.backend.doorbell().borrow()
    }

    /// The error for a name that nothing has, with how far the node is.
    fn not_found(&self, what: &str) -> ErrorObjectOwned {
        let found_nothing = || {
            api_error(ApiError::NotFound, format!("({what}; the node's head is {})", self.head()))
        };
        self.cannot_know(what).unwrap_or_else(found_nothing)
    }

    /// The error in place of "not found" at a node that is not ready: what it lacks may hold the
    /// name.
    fn cannot_know(&self, what: &str) -> Option<ErrorObjectOwned> {
        let health = self.backend.health();
        let reason = health.reason.unwrap_or_default();
        let detail = || format!("({what}; the node's head is {}; {reason})", self.head());
        (!health.is_ready).then(|| api_error(ApiError::NodeBehind, detail()))
    }
}

/// The error of a read that a full class puts off.
fn put_off_error(put_off: PutOff) -> ErrorObjectOwned {
    let detail = format!("(too many {} reads wait)", put_off.class.name());
    api_error_after(ApiError::NodeBusy, detail, Some(put_off.retry_after_ms))
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

fn id_malformed(text: &str, expected: impl std::fmt::Display) -> ErrorObjectOwned {
    let shown: String = text.chars().take(80).collect();
    api_error(ApiError::IdMalformed, format!("({shown:?}: {expected})"))
}

/// The id of a text, in the one form in which the interface writes it.
fn id_of<T>(text: &str) -> RpcResult<T>
where
    T: FromStr<Err = IdError> + Display,
{
    let id: T = text.parse().map_err(|error| id_malformed(text, error))?;
    let written = id.to_string();
    if written == text { Ok(id) } else { Err(id_malformed(text, format!("write it as {written}"))) }
}

fn place_of(cursor: &str) -> Option<Place> {
    let (height, sequence) = cursor.split_once('-')?;
    Some(Place { height: Height(decimal(height)?), sequence: decimal(sequence)? })
}

fn place_cursor(height: u64, sequence: u32) -> String {
    format!("{height}-{sequence}")
}

fn order_id(text: &str) -> RpcResult<OrderId> {
    let id: OrderId = id_of(text)?;
    if id.is_uuid_v7() { Ok(id) } else { Err(id_malformed(text, "a UUID, but of version 7")) }
}

fn merchant_id(text: &str) -> RpcResult<MerchantId> {
    decimal(text).map(MerchantId).ok_or_else(|| id_malformed(text, "a merchant's number"))
}

fn currency(text: &str) -> RpcResult<Currency> {
    currency_of(text).ok_or_else(|| id_malformed(text, "an ISO 4217 code such as CNY"))
}

/// A user's pseudonym.
fn user(text: &str) -> RpcResult<[u8; 16]> {
    let mut bytes = [0; 16];
    match hex::decode_to_slice(text, &mut bytes) {
        Ok(()) if hex::encode(bytes) == text => Ok(bytes),
        _ => Err(id_malformed(text, "a pseudonym, 32 hexadecimal digits, small ones")),
    }
}
