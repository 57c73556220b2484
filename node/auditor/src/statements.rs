//! The sums of a merchant's month: no rule of the chain, but what a merchant is shown.

use crate::auditor::Auditor;
use crate::calendar::{Month, month};

/// A merchant's month in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementKey {
    /// The id of the merchant.
    pub merchant: u64,
    /// The month of the block times, in the time zone of the merchant's cashback programme in this
    /// currency; in UTC without one.
    pub month: Month,
    /// The currency's ISO 4217 number.
    pub currency: u16,
}

/// The sums of a month, in minor units of the key's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statement {
    /// How many orders were collected.
    pub orders: u64,
    /// The sum collected from users, in minor units.
    pub collected: u128,
    /// Cashback that was granted.
    pub cashback_granted: u128,
    /// Cashback that returns took back.
    pub cashback_taken_back: u128,
    /// The sum sent back to users, in minor units.
    pub returned: u128,
    /// The sum that arrived at the merchant's account, in minor units of the payout currency.
    pub arrived: u128,
    /// The part of it that came back, in the month in which that was reported.
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
