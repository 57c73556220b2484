//! How methods read: each read begins once it is its caller's turn, is paid for by its caller's
//! budget, and runs on a thread that may block.

use std::net::IpAddr;
use std::sync::Arc;

use jsonrpsee::core::RpcResult;
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::error::api_error_after;
use rpc_api::{ApiError, api_error};
use tokio_util::sync::CancellationToken;

use crate::aside;
use crate::budget::Budget;
use crate::cost::{Cost, ReadClass};
use crate::dispatch::budget_error;
use crate::metrics::RpcMetrics;
use crate::reads::{self, PutOff, Reads};
use crate::seldom::Seldom;
use crate::turns::with_long_turns;

/// The reader that a server gives to its methods; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pub(crate) metrics: RpcMetrics,
    pub(crate) cancel: CancellationToken,
    reads: Reads,
    budget: Arc<Budget>,
}

impl Reader {
    pub(crate) fn new(
        reads: Reads,
        budget: Arc<Budget>,
        metrics: RpcMetrics,
        cancel: CancellationToken,
    ) -> Self {
        Self { metrics, cancel, reads, budget }
    }

    /// Makes a read of the present call. Its caller's budget pays what it costs beyond one call.
    ///
    /// # Errors
    /// The read's own; [`ApiError::BudgetExceeded`]; [`ApiError::NodeBusy`] when too many reads of
    /// its class wait.
    pub async fn read<T, E>(
        &self,
        cost: Cost,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> RpcResult<T>
    where
        T: Send + 'static,
        E: Into<ErrorObjectOwned>,
    {
        let caller = reads::caller();
        if caller != reads::OWN {
            self.budget.take_more(caller, cost.units.saturating_sub(1)).map_err(budget_error)?;
        }
        self.read_for(caller, cost, read).await
    }

    /// Makes a read once it is the turn of `caller`, which no budget pays.
    pub(crate) async fn read_for<T, E>(
        &self,
        caller: IpAddr,
        cost: Cost,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> RpcResult<T>
    where
        T: Send + 'static,
        E: Into<ErrorObjectOwned>,
    {
        let turn = self.reads.turn(caller, cost).await.map_err(put_off_error)?;
        // The turn ends with the read, not with the patience of who asked for it.
        let task = tokio::task::spawn_blocking(move || {
            let result = match cost.class {
                ReadClass::Cheap => read(),
                // A whole block with its outcomes, a page, a proof.
                ReadClass::Question | ReadClass::Dear => with_long_turns(read),
            };
            let result = result.map_err(Into::into);
            (result, turn.after_read())
        });
        match task.await {
            Ok((result, turn)) => {
                let is_dear = turn.is_some();
                reads::keep_until_answered(turn);
                if is_dear {
                    aside::rest_takes_long().await;
                }
                result
            }
            Err(error) => Err(internal_fault(&error)),
        }
    }
}

/// The error for a client when this server has a fault of its own, which is logged.
pub(crate) fn internal_fault(error: &(dyn std::error::Error + 'static)) -> ErrorObjectOwned {
    static LINES: Seldom = Seldom::new();
    if let Some(count) = LINES.count() {
        tracing::error!(error, count, "calls could not be answered");
    }
    api_error(ApiError::InternalFault, "")
}

/// The error of a read that a full class puts off.
fn put_off_error(put_off: PutOff) -> ErrorObjectOwned {
    let detail = format!("(too many {} reads wait)", put_off.class.name());
    api_error_after(ApiError::NodeBusy, detail, Some(put_off.retry_after_ms))
}
