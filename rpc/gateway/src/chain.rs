//! The chain as a gateway sees it: instructions that it is given, and batches that it submits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::InstructionId;
use futures::FutureExt as _;
use rpc_api::{InstructionReport, InstructionSelector, SettlementRpcClient as _, Wait};
use rpc_client::client::{CallError, Client};

/// How long the final outcome of a batch is waited for.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// The API's code of a thing that does not exist.
const NOT_FOUND: &str = "not-found";

/// The chain could not be asked: nothing is known of the question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chain cannot be asked: {0}")]
pub struct ChainSilence(pub String);

/// The chain's answer to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchAnswer {
    /// The items that were not applied, by their place, with the outcomes' codes.
    Final(Vec<(u32, u16)>),
    /// The whole batch was refused, by the code. What it said is said again in another batch, and
    /// the chain takes the same word twice.
    Refused(i32),
}

/// The chain, as a gateway asks it. A test has one of its own.
pub trait ChainPort {
    /// Returns instructions to the gateway, ascending by id, after one of them.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    fn instructions(
        &self,
        after: Option<InstructionId>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<InstructionReport>, ChainSilence>> + Send;

    /// Returns an instruction as it stands.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    fn instruction(
        &self,
        id: InstructionId,
    ) -> impl Future<Output = Result<Option<InstructionReport>, ChainSilence>> + Send;

    /// Submits a signed batch and waits until it is final. The same bytes may be submitted again:
    /// the answer is the same.
    ///
    /// # Errors
    /// When nobody can say what became of it.
    fn submit(
        &self,
        bytes: Bytes,
    ) -> impl Future<Output = Result<BatchAnswer, ChainSilence>> + Send;
}

/// The chain through its nodes' interface.
#[derive(Debug, Clone)]
pub struct RpcChain {
    client: Arc<Client>,
    gateway: u32,
}

impl RpcChain {
    /// Asks the nodes of a client about instructions of a gateway.
    pub fn new(client: Arc<Client>, gateway: u32) -> Self {
        Self { client, gateway }
    }
}

fn silence(error: &CallError) -> ChainSilence {
    ChainSilence(error.to_string())
}

impl ChainPort for RpcChain {
    async fn instructions(
        &self,
        after: Option<InstructionId>,
        limit: u32,
    ) -> Result<Vec<InstructionReport>, ChainSilence> {
        let filter = InstructionSelector::gateway(self.gateway);
        let cursor = after.map(|id| id.to_string());
        let call =
            self.client.ask(|node| node.instructions(filter, cursor.clone(), Some(limit)).boxed());
        Ok(call.await.map_err(|error| silence(&error))?.items)
    }

    async fn instruction(
        &self,
        id: InstructionId,
    ) -> Result<Option<InstructionReport>, ChainSilence> {
        match self.client.ask(|node| node.instruction(id.to_string()).boxed()).await {
            Ok(report) => Ok(Some(report)),
            Err(CallError::Refused { name, .. }) if name == NOT_FOUND => Ok(None),
            Err(error) => Err(silence(&error)),
        }
    }

    async fn submit(&self, bytes: Bytes) -> Result<BatchAnswer, ChainSilence> {
        match self.client.submit(0, bytes, Wait::Final, SUBMIT_TIMEOUT).await {
            Ok(submitted) => {
                let outcomes = submitted.report.outcomes;
                let outcomes = outcomes.ok_or_else(|| ChainSilence("no outcomes".to_owned()))?;
                let items = outcomes.not_applied.iter().map(|item| (item.item_index, item.code));
                Ok(BatchAnswer::Final(items.collect()))
            }
            Err(error) => match error {
                CallError::Refused { code, transient: false, .. } if error.is_refusal() => {
                    Ok(BatchAnswer::Refused(code))
                }
                error => Err(silence(&error)),
            },
        }
    }
}
