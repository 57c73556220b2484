//! What clients say to a node and hear from it: one jsonrpsee trait a namespace, which gives the
//! server's trait (`…RpcServer`) and the typed client (`…RpcClient`), and the JSON types between.
//!
//! How things are written in JSON, everywhere:
//! - Names are spelled out, the unit comes last: `time_ms`, `item_count`.
//! - Amounts, merchant ids and account owners are decimal **strings**, for they may pass 2^53;
//!   heights, times, counts, windows and participant ids are numbers.
//! - Hashes, batch ids and keys are hexadecimal text, order ids UUID text, instruction ids
//!   `window-merchant-currency` with the ISO 4217 number.
//! - Money is `{"minor": "1234", "currency": "CNY", "exponent": 2}`: 12.34 yuan.
//! - Times are block time in milliseconds since the Unix epoch unless said otherwise.
//! - Lists are pages: `{"items": [...], "next": "cursor"}`; no `next`, no more items.
//! - Every error is one of [`error`]: a number, a name, a cause and a remedy.

pub mod base64;
pub mod batch;
pub mod chain;
pub mod error;
pub mod ledger;
pub mod money;
pub mod node;
pub mod page;
pub mod recharge;
pub mod settlement;
pub mod text;

pub use base64::{Base64Bytes, decode_base64, encode_base64};
pub use batch::{
    BatchReport, BatchRpcClient, BatchRpcServer, BatchState, ItemOutcome, OutcomeCount, Outcomes,
    Wait,
};
pub use chain::{
    BlockReport, BlockSelector, BlockSummary, ChainInfo, ChainRpcClient, ChainRpcServer,
    LiquidityReport, MerchantReport, NodeReport, ParametersReport, ParticipantReport,
};
pub use error::{ApiError, ErrorData, api_error, rejection_error};
pub use ledger::{
    AccountKind, AccountName, AccountReport, CurrencyBalance, EntryReport, LedgerRpcClient,
    LedgerRpcServer, TrialBalance,
};
pub use money::Money;
pub use node::{HealthReport, NodeRpcClient, NodeRpcServer, PeerReport, StatusReport};
pub use page::{LIMIT_DEFAULT, LIMIT_MAX, Page};
pub use recharge::{
    ItemLocation, OrderReport, OrderState, ReceiptReport, RechargeRpcClient, RechargeRpcServer,
    RejectionReport, Searched, Stages,
};
pub use settlement::{
    BreachReport, BreachStage, InstructionEvent, InstructionFilter, InstructionReport,
    InstructionState, PositionReport, SettlementRpcClient, SettlementRpcServer, WindowReport,
};

#[cfg(test)]
mod tests;
