//! What a merchant's month adds up to: no rule of the chain, but what a merchant is shown.

use crate::auditor::Auditor;
use crate::calendar::{Month, month};

/// A merchant's month in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementKey {
    /// The merchant.
    pub merchant: u64,
    /// The month of the block times, in the time zone of the merchant's cashback programme in this
    /// currency; in UTC without one.
    pub month: Month,
    /// ISO 4217 numeric.
    pub currency: u16,
}

/// The sums of a month, in minor units of the key's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statement {
    /// How many orders were collected.
    pub orders: u64,
    /// What was collected from users.
    pub collected: u128,
    /// Cashback that was granted.
    pub cashback_granted: u128,
    /// Cashback that returns took back.
    pub cashback_taken_back: u128,
    /// What was sent back to users.
    pub returned: u128,
    /// What arrived at the merchant's account: the payout currency's sum.
    pub arrived: u128,
    /// What of it came back, in the month in which that was said.
    pub bounced: u128,
}

impl Auditor {
    /// The statement that what happens now belongs to.
    pub(crate) fn statement_of(&mut self, merchant: u64, currency: u16) -> &mut Statement {
        let programme = self.registry.programme(merchant, currency);
        let offset_min = programme.map_or(0, |(_, programme)| programme.offset_min);
        let month = month(self.time, i64::from(offset_min));
        self.statements.entry(StatementKey { merchant, month, currency }).or_default()
    }
}
