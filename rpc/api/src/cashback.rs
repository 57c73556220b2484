//! Cashback in JSON: programmes with their budgets, and a user's month.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{CurrencyForm, MonthForm, PseudonymForm};
use crate::money::Money;
use crate::text::Text;

/// A merchant's cashback programme in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgrammeReport {
    /// The id of the merchant whose programme this is.
    #[serde(with = "Text::<u64>")]
    pub merchant: u64,
    /// The currency of its orders and of its budget: an ISO 4217 code.
    #[schemars(with = "Text<CurrencyForm>")]
    pub currency: String,
    /// The programme's number among the merchant's, from 1.
    pub number: u32,
    /// True if it grants anything to an order that is collected in the next block.
    pub is_active: bool,
    /// Its versions, ascending: the last one whose height has come is in force.
    pub versions: Vec<ProgrammeVersion>,
    /// The account from which grants are paid.
    pub budget: BudgetReport,
}

/// A programme as it holds from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgrammeVersion {
    /// The first block that executes under it.
    pub since_height: u64,
    /// The tiers, ascending by the count of orders from which each applies.
    pub tiers: Vec<TierReport>,
    /// The most for one order; absent when there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_max: Option<Money>,
    /// The most for one user and month; absent when there is no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_month_max: Option<Money>,
    /// Its time zone: minutes east of UTC.
    pub offset_min: i16,
    /// True if it grants anything.
    pub is_active: bool,
    /// The least order that counts and earns.
    pub order_least: Money,
    /// The ids of the gateways that take part, ascending.
    pub gateways: Vec<u32>,
}

impl ProgrammeVersion {
    /// The version that holds from `since_height` on.
    pub fn new(since_height: u64, programme: &chain_types::Programme) -> Self {
        let bound = |amount: chain_types::Amount| {
            (amount.get() > 0).then(|| Money::new(amount, programme.currency))
        };
        Self {
            since_height,
            tiers: programme.tiers.iter().copied().map(TierReport::from).collect(),
            order_max: bound(programme.order_max),
            user_month_max: bound(programme.user_month_max),
            offset_min: programme.offset_min,
            is_active: programme.is_active,
            order_least: Money::new(programme.order_least, programme.currency),
            gateways: programme.gateways.iter().map(|gateway| gateway.get()).collect(),
        }
    }
}

/// "Above five recharges in a calendar month, eight percent".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierReport {
    /// It holds for the recharges after this many in the month.
    pub above: u16,
    /// Hundredths of a percent of the order's amount.
    pub basis_points: u16,
}

impl From<chain_types::CashbackTier> for TierReport {
    fn from(tier: chain_types::CashbackTier) -> Self {
        Self { above: tier.above, basis_points: tier.basis_points }
    }
}

/// A programme's budget: what its account says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetReport {
    /// The sum of deposits and of grants that were taken back.
    pub credited: Money,
    /// The sum of grants and of withdrawals.
    pub debited: Money,
    /// Credits less debits; a withdrawal that waits for its checker is still in it.
    pub balance: Money,
    /// The amount that may still be granted: the balance less what is pending.
    pub available: Money,
}

/// A user's recharges of one month under one programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserMonthReport {
    /// The id of the merchant whose programme grants.
    #[serde(with = "Text::<u64>")]
    pub merchant: u64,
    /// The user's pseudonym, hexadecimal.
    #[schemars(with = "Text<PseudonymForm>")]
    pub user: String,
    /// The month of the node's head in the programme's time zone: `2026-11`.
    #[schemars(with = "Text<MonthForm>")]
    pub month: String,
    /// Orders collected in it.
    pub recharge_count: u16,
    /// Cashback granted in it.
    pub granted: Money,
    /// The amount that may still be granted in the month; absent when the programme sets no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Money>,
    /// The cashback that can rest on one of its orders.
    pub rests: RestReport,
    /// The cashback that can rest on an order of the month before; absent when nothing is kept of
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_before: Option<RestReport>,
}

/// The sums that decide how much of a month's cashback an order takes along when it is returned:
/// section 8 of docs/settlement-rules.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestReport {
    /// The month, written `2026-11`, in the programme's time zone.
    #[schemars(with = "Text<MonthForm>")]
    pub month: String,
    /// The rest of its grants, after returns.
    pub granted: Money,
    /// The largest of them that there was.
    pub largest: Money,
    /// How many of them one order that goes can take along; 7 stands for all.
    pub steps: u8,
    /// True if something was taken along already, or could have been by a forced return.
    pub is_shifted: bool,
    /// The most that a return of one of its orders can cost now: who names as much in `rested_max`
    /// is not refused.
    pub most: Money,
}
