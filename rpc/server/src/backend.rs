//! What the server needs of a node. The node implements [`Backend`]; tests do so with a table.

use bytes::Bytes;
use chain_types::{
    BatchError, BatchId, BlockHash, ChainGenesis, Height, InstructionId, OrderId, Parameters,
    ParticipantId, WindowId,
};
use futures::future::BoxFuture;
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{
    AccountName, AccountReport, ApiError, BatchReport, BlockReport, BlockSummary, BreachReport,
    EntryReport, EvidenceReport, HandoverReport, HealthReport, InstructionReport, OrderReport,
    ReceiptReport, StatusReport, TrialBalance, Wait, WindowReport, api_error, rejection_error,
};
use tokio::sync::watch;

use crate::contract_reads::ContractReads;
use crate::seldom::Seldom;

/// Why a node could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The batch was refused.
    #[error("{error}")]
    Rejected {
        /// Why.
        error: BatchError,
        /// When to send it again, for a transient rejection.
        retry_after_ms: Option<u64>,
    },
    /// The batch left the pool before a block took it.
    #[error("batch {0} left the pool before a block took it")]
    Dropped(BatchId),
    /// The window is still open.
    #[error("window {0} is still open")]
    WindowOpen(WindowId),
    /// The node does not keep what the proof of a window's report needs.
    #[error("the proof of window {0} is not kept")]
    ProofNotKept(WindowId),
    /// The node does not keep what proofs of accounts at this height need.
    #[error("the proofs of accounts at height {0} are not kept")]
    AccountProofNotKept(Height),
    /// A receipt or a proof would be larger than anyone reads; of what, and how large, is told.
    #[error("too large: {0}")]
    ProofTooLarge(String),
    /// The node is starting and has nothing to answer with; the reason is told to the client.
    #[error("starting: {0}")]
    Starting(String),
    /// The node failed. The reason is logged and not told to the client.
    #[error("{0}")]
    Fault(String),
}

impl BackendError {
    /// A fault of the node's own, such as a failed read.
    pub fn fault(error: impl std::fmt::Display) -> Self {
        Self::Fault(error.to_string())
    }

    /// What the client is told. A fault is logged here.
    pub(crate) fn into_error(self) -> ErrorObjectOwned {
        match self {
            Self::Rejected { error, retry_after_ms } => rejection_error(&error, retry_after_ms),
            Self::Dropped(id) => api_error(ApiError::BatchDropped, format!("(batch {id})")),
            Self::WindowOpen(id) => api_error(ApiError::WindowOpen, format!("(window {id})")),
            Self::ProofNotKept(id) => api_error(ApiError::ProofNotKept, format!("(window {id})")),
            Self::AccountProofNotKept(height) => {
                api_error(ApiError::ProofNotKept, format!("(accounts at height {height})"))
            }
            Self::ProofTooLarge(what) => api_error(ApiError::ProofTooLarge, format!("({what})")),
            Self::Starting(reason) => api_error(ApiError::NodeStarting, format!("({reason})")),
            Self::Fault(reason) => {
                // Clients can ask again and again for what fails.
                static LINES: Seldom = Seldom::new();
                if let Some(count) = LINES.count() {
                    tracing::error!(reason, count, "calls could not be answered");
                }
                api_error(ApiError::InternalFault, "")
            }
        }
    }
}

impl From<BatchError> for BackendError {
    fn from(error: BatchError) -> Self {
        Self::Rejected { error, retry_after_ms: None }
    }
}

/// Which instructions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionsOf {
    /// Those of a window.
    Window(WindowId),
    /// Those that a gateway pays.
    Gateway(ParticipantId),
}

/// A place in a list that is ordered by height and place in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The block.
    pub height: Height,
    /// The place in the block.
    pub sequence: u32,
}

/// Which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockName {
    /// By height.
    Height(Height),
    /// By hash.
    Hash(BlockHash),
}

/// A node, as the server sees it.
///
/// Methods that are not `async` may read from disk: the server calls them on threads of their own,
/// except [`Self::genesis`], [`Self::doorbell`] and [`Self::health`], which must answer at once.
/// Lists give at most `limit` items (at most 1,001: one more than a page shows).
pub trait Backend: ContractReads {
    /// The checked genesis file.
    fn genesis(&self) -> &ChainGenesis;

    /// The newest height whose block, outcomes and records can be read. It rings after they can.
    fn doorbell(&self) -> watch::Receiver<Height>;

    /// Whether the node serves: what `/readyz` says. While it does not, what it does not find is
    /// answered with [`ApiError::NodeBehind`].
    fn health(&self) -> HealthReport;

    /// Checks a batch and hands it to the pool; with [`Wait::Final`] also waits, without bound,
    /// until a block with it is durable. A batch that is already held or final is no error: the
    /// answer is as if it were sent for the first time. Dropping the future ends the wait and
    /// nothing else. `with_codes` is for [`rpc_api::Outcomes::new`].
    fn submit(
        &self,
        bytes: Bytes,
        wait: Wait,
        with_codes: bool,
    ) -> BoxFuture<'_, Result<BatchReport, BackendError>>;

    /// What is known of a batch; a batch that is not known is no error.
    ///
    /// # Errors
    /// When the node cannot read.
    fn batch(&self, id: &BatchId, with_codes: bool) -> Result<BatchReport, BackendError>;

    /// What is known of an order; one that is not found is no error.
    ///
    /// # Errors
    /// When the node cannot read.
    fn order(&self, id: &OrderId) -> Result<OrderReport, BackendError>;

    /// [`Self::order`], if it is one of the recent ones and takes some tens of microseconds without
    /// a wait: on the thread that asks. `None` when it may take longer.
    ///
    /// # Errors
    /// When the node cannot read.
    fn order_at_once(&self, id: &OrderId) -> Result<Option<OrderReport>, BackendError>;

    /// An order's receipt, with its lineage or without, or `None` when the order is not found.
    ///
    /// # Errors
    /// When the node cannot read, or the receipt is too large.
    fn receipt(
        &self,
        id: &OrderId,
        lineage_apart: bool,
    ) -> Result<Option<ReceiptReport>, BackendError>;

    /// Windows, newest first, the open one among them: from the newest, or from the one before
    /// `before`.
    ///
    /// # Errors
    /// When the node cannot read.
    fn windows(
        &self,
        before: Option<WindowId>,
        limit: u32,
    ) -> Result<Vec<WindowReport>, BackendError>;

    /// One window, open or closed.
    ///
    /// # Errors
    /// When the node cannot read.
    fn window(&self, id: WindowId) -> Result<Option<WindowReport>, BackendError>;

    /// Instructions, ascending by id, after `after`. Those of one block appear all at once.
    ///
    /// # Errors
    /// When the node cannot read.
    fn instructions(
        &self,
        of: InstructionsOf,
        after: Option<InstructionId>,
        limit: u32,
    ) -> Result<Vec<InstructionReport>, BackendError>;

    /// The last of the instructions that a gateway pays, with one cheap read.
    ///
    /// # Errors
    /// When the node cannot read.
    fn last_instruction(
        &self,
        gateway: ParticipantId,
    ) -> Result<Option<InstructionId>, BackendError>;

    /// One instruction.
    ///
    /// # Errors
    /// When the node cannot read.
    fn instruction(&self, id: &InstructionId) -> Result<Option<InstructionReport>, BackendError>;

    /// Breaches, oldest first, after `after`.
    ///
    /// # Errors
    /// When the node cannot read.
    fn breaches(&self, after: Option<Place>, limit: u32)
    -> Result<Vec<BreachReport>, BackendError>;

    /// Accounts, ascending by name, after `after`.
    ///
    /// # Errors
    /// When the node cannot read.
    fn accounts(
        &self,
        after: Option<AccountName>,
        limit: u32,
    ) -> Result<Vec<AccountReport>, BackendError>;

    /// One account.
    ///
    /// # Errors
    /// When the node cannot read.
    fn account(&self, name: &AccountName) -> Result<Option<AccountReport>, BackendError>;

    /// An account's entries, oldest first, after `after`.
    ///
    /// # Errors
    /// When the node cannot read.
    fn entries(
        &self,
        account: &AccountName,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<EntryReport>, BackendError>;

    /// The sums of all accounts.
    ///
    /// # Errors
    /// When the node cannot read.
    fn trial_balance(&self) -> Result<TrialBalance, BackendError>;

    /// The parameters at the head.
    ///
    /// # Errors
    /// When the node cannot read.
    fn parameters(&self) -> Result<Parameters, BackendError>;

    /// One block with its certificate; block zero has none.
    ///
    /// # Errors
    /// When the node cannot read.
    fn block(&self, name: BlockName) -> Result<Option<BlockReport>, BackendError>;

    /// The blocks of `count` heights from `first` on, ascending, without a gap; fewer where the
    /// chain ends.
    ///
    /// # Errors
    /// When the node cannot read.
    fn blocks(&self, first: Height, count: u32) -> Result<Vec<BlockSummary>, BackendError>;

    /// Changes of validators, oldest first, after the block of a height: at most `limit`, and
    /// fewer where they are large. Beside them, whether more follow.
    ///
    /// # Errors
    /// When the node cannot read.
    fn lineage(
        &self,
        after: Option<Height>,
        limit: u32,
    ) -> Result<(Vec<HandoverReport>, bool), BackendError>;

    /// Evidence against validators, oldest first, after `after`.
    ///
    /// # Errors
    /// When the node cannot read.
    fn evidence(
        &self,
        after: Option<Place>,
        limit: u32,
    ) -> Result<Vec<EvidenceReport>, BackendError>;

    /// Where the node stands.
    ///
    /// # Errors
    /// When the node cannot read.
    fn status(&self) -> Result<StatusReport, BackendError>;
}
