//! Questions whose answers are judged: a node that answers another question, that is behind, or
//! whose receipt does not hold is passed over like one that does not answer.

use chain_types::receipt::Proven;
use chain_types::{ChainGenesis, Height, OrderId};
use futures::FutureExt as _;
use rpc_api::{OrderReport, RechargeRpcClient as _};

use super::answers::{judge_order, judge_receipt};
use super::client::{CallError, Client};

impl Client {
    /// Asks how an order stands, of nodes that have reached `height_min`: the height at which its
    /// reader saw a batch final, or zero. A node that is behind must not say *not found* of what is
    /// booked.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn order(
        &self,
        order: OrderId,
        height_min: Height,
    ) -> Result<OrderReport, CallError> {
        self.ask_judged(
            |node| node.order(order.to_string()).boxed(),
            |report| judge_order(report, order, height_min),
        )
        .await
    }

    /// Asks for an order's receipt, and verifies it against the reader's own genesis file. Returns
    /// its bytes and what they prove.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::Unreachable`] also when no node's receipt is valid.
    pub async fn verified_receipt(
        &self,
        order: OrderId,
        genesis: &ChainGenesis,
    ) -> Result<(Vec<u8>, Proven), CallError> {
        self.ask_judged(
            |node| node.receipt(order.to_string(), None).boxed(),
            |report| judge_receipt(&report, order, genesis),
        )
        .await
    }
}
