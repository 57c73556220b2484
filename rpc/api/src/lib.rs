//! The interface between clients and a node: one table of methods ([`mod@methods`]), whose rows
//! give the server's traits (`…RpcServer`), the typed clients (`…RpcClient`) and `rpc.discover`,
//! and the JSON types between.
//!
//! How things are written in JSON, everywhere:
//! - Names are spelled out, the unit comes last: `time_ms`, `item_count`.
//! - Amounts, merchant ids and account owners are decimal **strings**, for they may pass 2^53;
//!   heights, times, counts, windows and participant ids are numbers.
//! - Hashes, batch ids, keys, references and pseudonyms are hexadecimal text; ids of orders,
//!   transfers and proposals UUID text; instruction ids `window-merchant-currency` with the
//!   ISO 4217 number; quote ids decimal strings.
//! - Rates are exact decimal text: `"7.1234"`.
//! - Money is `{"minor": "1234", "currency": "CNY", "exponent": 2}`: 12.34 yuan.
//! - Times are block time in milliseconds since the Unix epoch unless said otherwise.
//! - Lists are pages: `{"items": [...], "next": "cursor"}`; no `next`, no more items.
//! - Each value has one form ([`forms`]), the one that the interface writes: no sign, no leading
//!   zero, no capital in hexadecimal text. Another form of the same value is refused, and so is a
//!   parameter that the method does not take ([`signature`]).
//! - Every error is one of [`error`]: a number, a name, a cause and a remedy.

pub mod base64;
pub mod batch;
pub mod block;
pub mod cashback;
pub mod chain;
pub mod discovery;
pub mod document;
pub mod error;
pub mod forms;
pub mod fx;
pub mod governance;
pub mod ledger;
pub mod method;
pub mod methods;
pub mod money;
pub mod node;
pub mod outlook;
pub mod ownership;
pub mod page;
pub mod parameters;
pub mod rate;
pub mod recharge;
pub mod risk;
pub mod settlement;
pub mod signature;
pub mod standing;
pub mod subscription;
pub mod terms;
pub mod text;

pub use base64::{Base64Bytes, decode_base64, encode_base64};
pub use batch::{BatchReport, BatchState, ItemOutcome, OutcomeCount, Outcomes, Wait};
pub use block::{BlockReport, BlockSelector, BlockSummary, EvidenceReport, HandoverReport};
pub use cashback::{
    BudgetReport, ProgrammeReport, ProgrammeVersion, RestReport, TierReport, UserMonthReport,
};
pub use chain::{ChainInfo, LiquidityReport, MerchantReport, NodeReport, ParticipantReport};
pub use discovery::OpenRpcDocument;
pub use document::document;
pub use error::{ApiError, ErrorData, api_error, quoted, rejection_error};
pub use fx::{QuoteReport, RateReport, ReferenceReport};
pub use governance::{
    ChangeReport, ListedChange, PreviousKey, ProposalReport, RegisteredMerchant,
    RegisteredParticipant, RegistrarReport, RegistryReport,
};
pub use ledger::{
    AccountProofReport, AccountReport, CountersReport, CurrencyBalance, EntryReport, LineReport,
    TransferReport, TrialBalanceReport,
};
pub use method::{Method, Rows, Scope, Stability, Subscription, TokenScope};
pub use methods::{
    BatchRpcClient, BatchRpcServer, CashbackRpcClient, CashbackRpcServer, ChainRpcClient,
    ChainRpcServer, DiscoveryRpcClient, DiscoveryRpcServer, FxRpcClient, FxRpcServer,
    GovernanceRpcClient, GovernanceRpcServer, LedgerRpcClient, LedgerRpcServer, NodeRpcClient,
    NodeRpcServer, RechargeRpcClient, RechargeRpcServer, RiskRpcClient, RiskRpcServer,
    SettlementRpcClient, SettlementRpcServer, method_of, methods, signatures,
};
pub use money::Money;
pub use node::{
    CaughtReport, HealthReport, PassedOverReport, PeerReport, StandingReport, StatusReport,
};
pub use outlook::{OutlookLineReport, OutlookReport};
pub use ownership::{OwnParties, Ownership};
pub use page::{LIMIT_DEFAULT, LIMIT_MAX, Page};
pub use parameters::ParametersReport;
pub use rate::{rate_of, rate_text};
pub use recharge::{
    CashbackRefusal, CashbackReport, ConversionReport, ItemLocation, OrderReport, OrderState,
    ReceiptReport, RejectionReport, ReturnedReport, Searched, Stages,
};
pub use risk::{HeldOrderReport, PolicyReport, UserDayReport};
pub use settlement::{
    BreachCount, BreachReport, CashbackSumReport, CorridorReport, InstructionEvent,
    InstructionReport, InstructionSelector, PositionReport, ReturnReport, SettlementProposedReport,
    SlaBucket, SlaReport, WindowProofReport, WindowReport, WindowSettledReport,
};
pub use signature::{MethodSignature, check_subscription_id, decimal};
pub use standing::OrderStanding;

#[cfg(test)]
mod tests;
