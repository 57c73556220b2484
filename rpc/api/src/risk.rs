//! Risk in JSON: policies, what they have let pass, and the orders that wait for a risk desk.

use chain_types::{OrderId, PolicyScope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{CurrencyForm, DayForm, PseudonymForm};
use crate::money::Money;
use crate::recharge::OrderContent;
use crate::text::Text;

/// A risk desk's limits for a scope and currency; what is absent is not bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyReport {
    /// The kind of its subject.
    #[serde(with = "Text::<PolicyScope>")]
    pub scope: PolicyScope,
    /// The gateway's or merchant's id; zero for the scheme.
    #[serde(with = "Text::<u64>")]
    pub subject: u64,
    /// The currency that is collected: an ISO 4217 code.
    #[schemars(with = "Text<CurrencyForm>")]
    pub currency: String,
    /// The largest amount of one order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_max: Option<Money>,
    /// The largest sum of a user's orders of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_day_max: Option<Money>,
    /// The largest sum of the subject's orders of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_max: Option<Money>,
    /// The amount of `day_max` that the subject has used today; absent when that is not bounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_used: Option<Money>,
    /// Orders above this are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_above: Option<Money>,
    /// The risk desk that set it.
    pub desk: u32,
    /// When it was set.
    pub since_ms: u64,
}

/// An order that waits for a risk desk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldOrderReport {
    /// The id of the held order.
    #[serde(with = "Text::<OrderId>")]
    pub order_id: OrderId,
    /// The content of the order as it was submitted.
    pub order: OrderContent,
    /// Since when it waits.
    pub held_ms: u64,
    /// Until when it may be released: then it is refused by itself.
    pub decide_until_ms: u64,
}

/// A user's orders of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserDayReport {
    /// The user's pseudonym, hexadecimal.
    #[schemars(with = "Text<PseudonymForm>")]
    pub user: String,
    /// The day of the node's head in the chain's day offset: `2026-11-23`.
    #[schemars(with = "Text<DayForm>")]
    pub day: String,
    /// The sum of what was reserved and collected.
    pub used: Money,
    /// The most that a day may sum up to; absent when there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_max: Option<Money>,
    /// The amount that the user may still use today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Money>,
}
