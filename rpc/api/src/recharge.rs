//! Orders in JSON: content, status, stages and receipts.

use chain_types::{BatchId, InstructionId, OrderId, Outcome, Rejection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{Base64Form, CurrencyForm, PseudonymForm, RateForm, ReferenceForm};
use crate::money::Money;
use crate::settlement::ReturnReport;
use crate::text::{OptionalText, Text};

/// How many returns an order's report lists; `settlement_returns` gives all of them.
pub const RETURNS_LISTED_MAX: usize = 100;

/// The state of an order, from its submission to the arrival of the money.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// In no block that was searched.
    NotFound,
    /// Refused; it never entered the books. A new order with a new id may take its place.
    Rejected,
    /// Reserved on the collecting gateway's liquidity.
    Reserved,
    /// Reserved, and the collecting gateway said that it debits the user: only that gateway
    /// collects or voids it.
    Debiting,
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
    /// Above a risk policy's threshold; waits for a risk desk.
    Held,
    /// It was held, and a risk desk or the end of its validity refused it.
    Refused,
    /// The whole amount was sent back.
    Returned,
}

impl OrderState {
    /// The name that JSON uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Rejected => "rejected",
            Self::Reserved => "reserved",
            Self::Debiting => "debiting",
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

/// The range that a search covered: it makes "not found" an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Searched {
    /// The first height searched.
    pub from_height: u64,
    /// The last height searched: the node's head.
    pub to_height: u64,
    /// The block time of that head.
    pub to_time_ms: u64,
    /// The last block time at which an order of this id may commit.
    pub may_commit_until_ms: u64,
    /// True if the order may still commit: the head has not reached that time.
    pub may_still_commit: bool,
}

/// The place of an operation in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemLocation {
    /// The height of the block that holds it.
    pub height: u64,
    /// The batch's place in the block.
    pub batch_index: u32,
    /// The item's place in the batch.
    pub item_index: u32,
    /// The id of the batch that holds it.
    #[serde(with = "Text::<BatchId>")]
    pub batch_id: BatchId,
}

/// When each stage happened, in block time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stages {
    /// When the submission committed (also of a rejected order).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_ms: Option<u64>,
    /// When its gateway said that it debits the user; only as long as it is debiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debiting_ms: Option<u64>,
    /// When it was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_ms: Option<u64>,
    /// Until when its gateway may take it back alone, if its window is open for as long; absent
    /// when the chain grants no such grace, and once the window is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversible_until_ms: Option<u64>,
    /// When it was voided, refused after a hold, or expired.
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

/// The cashback at an order's collection: either granted, with tier and amount, or refused, with
/// the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashbackReport {
    /// The tier by which it was granted, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u16>,
    /// How much was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Why none was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<CashbackRefusal>,
}

/// Why cashback was refused on an order that was collected all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CashbackRefusal {
    /// The user's ceiling of the month would be passed.
    OverMonth,
    /// The programme's budget does not hold it.
    OverBudget,
}

impl CashbackReport {
    /// Reads the cashback off the outcome of a collection; `None` when there was none. `granted` is
    /// the amount that its tier gave.
    pub fn new(outcome: Outcome, granted: Money) -> Option<Self> {
        let refused = match outcome {
            Outcome::CASHBACK_OVER_MONTH => Some(CashbackRefusal::OverMonth),
            Outcome::CASHBACK_OVER_BUDGET => Some(CashbackRefusal::OverBudget),
            _ => None,
        };
        let tier = outcome.cashback_tier();
        let report = Self { tier, amount: tier.map(|_| granted), refused };
        (report.tier.is_some() || report.refused.is_some()).then_some(report)
    }
}

/// How an order's money changes its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConversionReport {
    /// The quote that it names.
    #[serde(with = "Text::<u64>")]
    pub quote_id: u64,
    /// The participant id of the FX provider that delivers.
    pub provider: u32,
    /// The quote's rate, in units of the payout currency for one of the currency collected.
    #[schemars(with = "Text<RateForm>")]
    pub rate: String,
    /// The exact amount that the provider delivers and the merchant is paid, rounded down.
    pub payout: Money,
}

/// The sum of an order's returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnedReport {
    /// The sum of its returns.
    pub amount: Money,
    /// The amount of the order that has not been sent back.
    pub left: Money,
    /// The returns in order, at most 100 of them: `settlement_returns` gives all.
    pub returns: Vec<ReturnReport>,
}

/// Why an order was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectionReport {
    /// The rejection's code, as docs/rejections.md lists it.
    pub code: u16,
    /// The stable name of the code.
    pub name: String,
    /// The cause in one sentence.
    pub cause: String,
    /// The remedy in one sentence.
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

/// An order as this node knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderReport {
    /// The id that was asked for.
    #[serde(with = "Text::<OrderId>")]
    pub order_id: OrderId,
    /// The order's present state.
    pub status: OrderState,
    /// The range that was searched for the order.
    pub searched: Searched,
    /// When each stage happened.
    pub stages: Stages,
    /// Why it was refused, when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RejectionReport>,
    /// The place of its submission in the chain, when it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<ItemLocation>,
    /// The place of the operation that gave it its status, when that was not its submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_location: Option<ItemLocation>,
    /// The content of the order, when it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderContent>,
    /// The instruction that pays it, once its window closed.
    #[serde(
        default,
        with = "OptionalText::<InstructionId>",
        skip_serializing_if = "Option::is_none"
    )]
    pub instruction_id: Option<InstructionId>,
    /// How it is converted; absent when both currencies are the same or it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion: Option<ConversionReport>,
    /// The cashback granted or refused; absent when none was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cashback: Option<CashbackReport>,
    /// The sum of its returns; absent when nothing was sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<ReturnedReport>,
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
            conversion: None,
            cashback: None,
            returned: None,
        }
    }
}

/// An order as it was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderContent {
    /// The participant id of the party that submitted it.
    pub submitter: u32,
    /// The merchant who is paid.
    #[serde(with = "Text::<u64>")]
    pub merchant: u64,
    /// The gateway that debits the user.
    pub collecting_gateway: u32,
    /// The gateway that pays the merchant, if the merchant is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paying_gateway: Option<u32>,
    /// The amount that the user pays.
    pub amount: Money,
    /// The currency in which the merchant is paid: an ISO 4217 code.
    #[schemars(with = "Text<CurrencyForm>")]
    pub payout_currency: String,
    /// The FX quote that it names.
    #[serde(default, with = "OptionalText::<u64>", skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<u64>,
    /// The least that the merchant may be paid; absent when there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout_minimum: Option<Money>,
    /// True if it was submitted and collected in one step.
    pub collected_in_one_step: bool,
    /// The user's pseudonym, hexadecimal.
    #[schemars(with = "Text<PseudonymForm>")]
    pub user: String,
    /// The recharge service's own reference, hexadecimal.
    #[schemars(with = "Text<ReferenceForm>")]
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
            submitter: submitter.get(),
            merchant: item.merchant().get(),
            collecting_gateway: item.collecting_gateway().get(),
            paying_gateway: paying_gateway.map(|gateway| gateway.get()),
            amount: Money::new(item.amount(), item.currency()),
            payout_currency: crate::money::currency_code(item.payout_currency()),
            quote_id: item.quote().map(|quote| quote.get()),
            payout_minimum: (item.payout_minimum.get() > 0)
                .then(|| Money::sum(i128::from(item.payout_minimum.get()), item.payout_currency())),
            collected_in_one_step: item.is_collected(),
            user: hex::encode(item.user),
            external_reference: hex::encode(item.external_reference),
        }
    }
}

/// An order's receipt, with the stages that it proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptReport {
    /// The id of the order that the receipt is about.
    #[serde(with = "Text::<OrderId>")]
    pub order_id: OrderId,
    /// The receipt's bytes (docs/wire-format.md), as base64.
    #[schemars(with = "Text<Base64Form>")]
    pub receipt_base64: String,
    /// True if the receipt proves the collection.
    pub proves_collection: bool,
    /// True if the receipt proves the arrival.
    pub proves_arrival: bool,
    /// How many returns it proves.
    pub return_count: u32,
}
