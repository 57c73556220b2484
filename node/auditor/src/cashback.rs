//! Section 8, cashback: what a collection grants.

use std::collections::BTreeMap;

use chain_types::{CashbackTier, Outcome, Programme};

use crate::arithmetic::Fraction;
use crate::auditor::Auditor;
use crate::books::{Account, Movement};
use crate::calendar::{Month, month};
use crate::orders::Order;

const BASIS_POINTS: u128 = 10_000;
/// The outcome of the first tier is the one after this.
const TIER_OUTCOMES: u16 = 9;

/// Merchant, currency and user.
pub(crate) type UseKey = (u64, u16, [u8; 16]);

/// What a user had of a programme in the last month in which it had any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recharges {
    /// The month, in the programme's time zone.
    pub month: Month,
    /// How many orders were collected.
    pub recharges: u64,
    /// The cashback that was granted, in minor units.
    pub granted: u128,
}

impl Recharges {
    fn none_in(month: Month) -> Self {
        Self { month, recharges: 0, granted: 0 }
    }
}

/// What every user had of every programme.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cashback {
    pub(crate) uses: BTreeMap<UseKey, Recharges>,
}

impl Auditor {
    /// Counts a collected order and grants what its programme says; the outcome of the item that
    /// collected it.
    pub(crate) fn grant_cashback(&mut self, order: &mut Order) -> Outcome {
        let (merchant, currency) = (order.item.merchant.get(), order.item.currency.get());
        let programme = self.registry.programme(merchant, currency);
        let Some(programme) = programme.filter(|programme| programme.is_active) else {
            return Outcome::APPLIED;
        };
        let at = month(self.time, i64::from(programme.offset_min));
        let key = (merchant, currency, order.item.user);
        let used = self.cashback.uses.entry(key).or_insert(Recharges::none_in(at));
        if used.month != at {
            *used = Recharges::none_in(at);
        }
        used.recharges += 1;
        let Some((number, tier)) = tier_of(programme, used.recharges) else {
            return Outcome::APPLIED;
        };
        let amount = grant(programme, tier, order.amount());
        if amount == 0 {
            return Outcome::APPLIED;
        }
        let would_be = used.granted + u128::from(amount);
        let most = u128::from(programme.user_month_max.0);
        if most > 0 && would_be > most {
            return Outcome::CASHBACK_OVER_MONTH;
        }
        let pool = Account::pool(merchant, currency);
        if !self.books.has_available(pool, amount) {
            return Outcome::CASHBACK_OVER_BUDGET;
        }
        used.granted = would_be;
        order.cashback = amount;
        self.books.post(Movement::new(pool, amount, Account::owed(order.gateway(), currency)));
        self.windows.debit(pool, amount);
        self.windows.credit(order.liquidity(), amount);
        self.statement_of(merchant, currency).cashback_granted += u128::from(amount);
        Outcome(TIER_OUTCOMES + number)
    }
}

/// The last tier whose bound the recharges of the month are above, and its number from 1.
fn tier_of(programme: &Programme, recharges: u64) -> Option<(u16, CashbackTier)> {
    let numbered = (1_u16..).zip(programme.tiers.iter().copied());
    numbered.filter(|(_, tier)| recharges > u64::from(tier.above)).last()
}

/// The tier's share of an amount, at most the programme's ceiling for one order.
fn grant(programme: &Programme, tier: CashbackTier, amount: u64) -> u64 {
    let product = u128::from(amount) * u128::from(tier.basis_points);
    let share = Fraction::new(product, BASIS_POINTS).round();
    let share = u64::try_from(share).unwrap_or(u64::MAX);
    match programme.order_max.0 {
        0 => share,
        most => share.min(most),
    }
}

#[cfg(test)]
mod tests {
    use chain_types::{Amount, Currency, MerchantId};

    use super::*;

    fn programme(tiers: &[(u16, u16)], order_max: u64) -> Programme {
        let tier = |(above, basis_points): &(u16, u16)| CashbackTier {
            above: *above,
            basis_points: *basis_points,
        };
        Programme {
            merchant: MerchantId(1),
            currency: Currency(156),
            tiers: tiers.iter().map(tier).collect(),
            order_max: Amount(order_max),
            user_month_max: Amount(0),
            offset_min: 0,
            is_active: true,
        }
    }

    #[test]
    fn the_sixth_recharge_is_above_five() {
        let two = programme(&[(5, 800), (10, 1_000)], 0);
        let rows = [(1, None), (5, None), (6, Some(1)), (10, Some(1)), (11, Some(2))];
        for (recharges, expected) in rows {
            let number = tier_of(&two, recharges).map(|(number, _)| number);
            assert_eq!(number, expected, "{recharges} recharges");
        }
    }

    #[test]
    fn grants_are_rounded_to_the_even_unit_and_cut_at_the_ceiling() {
        let rows = [
            // amount, basis points, ceiling, grant
            (10_000, 800, 0, 800),
            (10_000, 800, 799, 799),
            (10_000, 800, 801, 800),
            (6, 800, 0, 0),
            (7, 800, 0, 1),
            (625, 800, 0, 50),
            (50, 100, 0, 0),
            (150, 100, 0, 2),
            (1_000_000_000_000_000, 10_000, 0, 1_000_000_000_000_000),
        ];
        for (amount, basis_points, order_max, expected) in rows {
            let programme = programme(&[(0, basis_points)], order_max);
            let tier = CashbackTier { above: 0, basis_points };
            let found = grant(&programme, tier, amount);
            assert_eq!(found, expected, "{amount} at {basis_points}, at most {order_max}");
        }
    }
}
