//! The interface's methods, one file a namespace. A method checks what its client gave, reads once
//! in its caller's turn, and tells what it found.

mod batch;
mod cashback;
mod chain;
mod discovery;
mod fault;
mod feeds;
mod fx;
mod governance;
mod ledger;
mod node;
mod parameters;
mod recharge;
mod risk;
mod served;
mod settlement;
mod tables;

use std::sync::Arc;

use chain_types::Height;
use jsonrpsee::core::server::Methods;
use jsonrpsee::core::{RegisterMethodError, RpcResult};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{
    ApiError, BatchRpcServer, CashbackRpcServer, ChainRpcServer, DiscoveryRpcServer, FxRpcServer,
    GovernanceRpcServer, LedgerRpcServer, NodeRpcServer, Page, RechargeRpcServer, RiskRpcServer,
    SettlementRpcServer, api_error,
};
use rpc_server::{Cost, Reader};

use self::fault::Read;
use self::feeds::NodeFeeds;
pub use self::served::ServedNode;

/// The handles that all methods share; cheap to clone.
#[derive(Clone)]
struct Api {
    node: Arc<ServedNode>,
    reader: Reader,
    feeds: Arc<NodeFeeds>,
}

/// Every method of every namespace.
///
/// # Errors
/// None in practice: all names differ.
pub fn methods(node: &Arc<ServedNode>, reader: &Reader) -> Result<Methods, RegisterMethodError> {
    let feeds = Arc::new(NodeFeeds::new(node.clone(), reader));
    let api = Api { node: node.clone(), reader: reader.clone(), feeds };
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
    methods.merge(NodeRpcServer::into_rpc(api.clone()))?;
    methods.merge(DiscoveryRpcServer::into_rpc(api))?;
    Ok(methods)
}

impl Api {
    /// Reads in the caller's turn.
    async fn read<T: Send + 'static>(
        &self,
        cost: Cost,
        read: impl FnOnce(&ServedNode) -> Read<T> + Send + 'static,
    ) -> RpcResult<T> {
        let node = self.node.clone();
        self.reader.read(cost, move || read(&node)).await
    }

    /// The page of at most `limit` items: `read` gives as many as it is asked for, one more than
    /// the page shows.
    async fn page<T: Send + 'static>(
        &self,
        limit: u32,
        read: impl FnOnce(&ServedNode, usize) -> Read<Vec<T>> + Send + 'static,
        cursor: impl FnOnce(&T) -> String,
    ) -> RpcResult<Page<T>> {
        let count = limit as usize + 1;
        let items = self.read(Cost::page(limit), move |node| read(node, count)).await?;
        Ok(Page::of(items, limit, cursor))
    }

    /// Returns what one cheap read finds, or the error that nothing of this name is known.
    async fn find<T: Send + 'static>(
        &self,
        what: impl FnOnce() -> String,
        read: impl FnOnce(&ServedNode) -> Read<Option<T>> + Send + 'static,
    ) -> RpcResult<T> {
        self.read(Cost::CHEAP, read).await?.ok_or_else(|| self.not_found(&what()))
    }

    fn head(&self) -> Height {
        *self.node.hub.head().borrow()
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
        let health = self.node.health();
        let reason = health.reason.unwrap_or_default();
        let detail = || format!("({what}; the node's head is {}; {reason})", self.head());
        (!health.is_ready).then(|| api_error(ApiError::NodeBehind, detail()))
    }
}
