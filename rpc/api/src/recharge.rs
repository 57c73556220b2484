//! `recharge_*`: one order's status and its receipt.

use chain_types::{BatchId, InstructionId, OrderId, Rejection};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

use crate::money::Money;

/// Methods of the `recharge` namespace.
#[rpc(server, client, namespace = "recharge")]
pub trait RechargeRpc {
    /// An order's status with the time of every stage. An order that is not found is no error:
    /// `status` is `"not-found"`, and `searched` says which heights were searched and until when
    /// the order could still commit.
    ///
    /// # Errors
    /// `id-malformed` when the id is no UUIDv7.
    #[method(name = "order")]
    async fn order(&self, order_id: String) -> RpcResult<OrderReport>;

    /// An order's receipt: its outcome with everything needed to verify it offline, given only the
    /// genesis file. It proves as many stages as have happened.
    ///
    /// # Errors
    /// `id-malformed`; `not-found`, with the heights searched.
    #[method(name = "receipt")]
    async fn receipt(&self, order_id: String) -> RpcResult<ReceiptReport>;
}

/// Where an order stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// In no block that was searched.
    NotFound,
    /// Refused; it never entered the books.
    Rejected,
    /// Reserved on the collecting gateway's liquidity.
    Reserved,
    /// The user was debited; its window is still open.
    Collected,
    /// Its window closed; the paying gateway has the instruction.
    Instructed,
    /// The paying gateway attested that the merchant was credited.
    Arrived,
    /// The paying gateway could not pay.
    Failed,
    /// Withdrawn before it was collected.
    Voided,
    /// Never collected within its validity.
    Expired,
    /// Waits for a risk desk.
    Held,
    /// Held, and then refused.
    Refused,
    /// The paying gateway could not pay, and it was returned with all orders of its instruction.
    Returned,
}

impl OrderState {
    /// The name that JSON uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Rejected => "rejected",
            Self::Reserved => "reserved",
            Self::Collected => "collected",
            Self::Instructed => "instructed",
            Self::Arrived => "arrived",
            Self::Failed => "failed",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Returned => "returned",
        }
    }
}

/// What a search covered: what makes "not found" an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The first height searched.
    pub from_height: u64,
    /// The last height searched: the node's head.
    pub to_height: u64,
    /// The block time of that head.
    pub to_time_ms: u64,
    /// The last block time at which an order of this id may commit.
    pub may_commit_until_ms: u64,
    /// Whether the order may still commit: the head has not reached that time.
    pub may_still_commit: bool,
}

/// Where an operation stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemLocation {
    /// The block's height.
    pub height: u64,
    /// The batch's place in the block.
    pub batch_index: u32,
    /// The item's place in the batch.
    pub item_index: u32,
    /// The batch.
    #[serde(with = "crate::text")]
    pub batch_id: BatchId,
}

/// When each stage happened, in block time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// When the submission committed (also of a rejected order).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_ms: Option<u64>,
    /// When it was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_ms: Option<u64>,
    /// When it was voided or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// When its instruction was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructed_ms: Option<u64>,
    /// When the arrival (or failure) was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived_ms: Option<u64>,
    /// By when the money must have arrived, counted from acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

/// Why an order was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionReport {
    /// The rejection's code.
    pub code: u16,
    /// Its name.
    pub name: String,
    /// What was wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl From<Rejection> for RejectionReport {
    fn from(rejection: Rejection) -> Self {
        Self {
            code: rejection.code(),
            name: rejection.name().to_owned(),
            cause: rejection.cause().to_owned(),
            remedy: rejection.remedy().to_owned(),
        }
    }
}

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReport {
    /// The order.
    #[serde(with = "crate::text")]
    pub order_id: OrderId,
    /// Where it stands.
    pub status: OrderState,
    /// What the search covered.
    pub searched: Searched,
    /// When each stage happened.
    pub stages: Stages,
    /// Why it was refused, when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RejectionReport>,
    /// Where its submission stands in the chain, when it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<ItemLocation>,
    /// Where the operation that gave it its status stands, when that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_location: Option<ItemLocation>,
    /// What it says, when it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderContent>,
    /// The instruction that pays it, once its window closed.
    #[serde(default, with = "crate::text::optional", skip_serializing_if = "Option::is_none")]
    pub instruction_id: Option<InstructionId>,
}

impl OrderReport {
    /// The report of an order that is in no block searched.
    pub fn not_found(order_id: OrderId, searched: Searched) -> Self {
        Self {
            order_id,
            status: OrderState::NotFound,
            searched,
            stages: Stages::default(),
            rejection: None,
            location: None,
            status_location: None,
            order: None,
            instruction_id: None,
        }
    }
}

/// An order as it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderContent {
    /// Who submitted it.
    pub submitter: u32,
    /// The merchant who is paid.
    #[serde(with = "crate::text")]
    pub merchant: u64,
    /// The gateway that debits the user.
    pub collecting_gateway: u32,
    /// The gateway that pays the merchant, if the merchant is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paying_gateway: Option<u32>,
    /// What the user pays.
    pub amount: Money,
    /// What the merchant is paid in: an ISO 4217 code.
    pub payout_currency: String,
    /// Whether it was submitted and collected in one step.
    pub collected_in_one_step: bool,
    /// The user's pseudonym, hexadecimal.
    pub user: String,
    /// The recharge service's own reference, hexadecimal.
    pub external_reference: String,
}

impl OrderContent {
    /// The content of a recharge item.
    pub fn new(
        item: &chain_types::RechargeItem,
        submitter: chain_types::ParticipantId,
        paying_gateway: Option<chain_types::ParticipantId>,
    ) -> Self {
        Self {
            submitter: submitter.0,
            merchant: item.merchant().0,
            collecting_gateway: item.collecting_gateway().0,
            paying_gateway: paying_gateway.map(|gateway| gateway.0),
            amount: Money::new(item.amount(), item.currency()),
            payout_currency: crate::money::currency_code(item.payout_currency()),
            collected_in_one_step: item.is_collected(),
            user: hex::encode(item.user),
            external_reference: hex::encode(item.external_reference),
        }
    }
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptReport {
    /// The order.
    #[serde(with = "crate::text")]
    pub order_id: OrderId,
    /// The receipt's bytes (docs/wire-format.md), as base64.
    pub receipt_base64: String,
    /// Whether it proves the collection.
    pub proves_collection: bool,
    /// Whether it proves the arrival.
    pub proves_arrival: bool,
}
