//! Section 8, cashback: what a collection grants, when it is owed, and what a return takes of it.

use std::collections::BTreeMap;

use chain_types::{CashbackTier, Outcome, Programme};

use crate::auditor::Auditor;
use crate::books::{Account, Movement};
use crate::calendar::{Month, month};
use crate::instructions::InstructionKey;
use crate::orders::Order;

const BASIS_POINTS: u128 = 10_000;
/// The outcome of the first tier is the one after this.
const TIER_OUTCOMES: u16 = 9;
/// The most cashback of an order, and of a user's month, whatever a programme says.
const ORDER_MOST: u64 = 4_294_967_295;
const MONTH_MOST: u128 = 281_474_976_710_655;
/// As many grants that an order may take along stand for all of the month.
const STEPS_OF_ALL: u64 = 7;
/// The time zone in which a month ends last, in minutes east of UTC.
const LAST_ZONE_MIN: i64 = -720;

/// Merchant, currency, user and month.
pub(crate) type UseKey = (u64, u16, [u8; 16], Month);

/// A user's recharges under a programme in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recharges {
    /// How many orders were collected and have not gone since.
    pub recharges: u64,
    /// The cashback that was granted and not taken back, in minor units.
    pub granted: u128,
    /// The largest grant so far.
    largest: u128,
    /// How many grants an order that goes may take along.
    steps: u64,
    /// The version that granted last, and the highest tier in which it did.
    top: (u64, u16),
    /// True if grants may stand on the account of orders that went.
    is_shifted: bool,
    /// True if another gateway than the collecting one paid for what was taken along.
    is_paid_by_other: bool,
}

/// Under what an order counted in its user's month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    programme: Programme,
    month: Month,
    /// The tier in which something was granted.
    tier: Option<CashbackTier>,
    /// The tier's number; one of a grant that was refused; zero when no tier was reached.
    number: u16,
}

/// The cashback that a return takes back, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TakenBack {
    /// Of what was granted on the order.
    pub(crate) own: u64,
    /// The part of it that the collecting gateway has paid already.
    pub(crate) set_off: u64,
    /// Of other grants, from the gateway that returns.
    pub(crate) rested: u64,
    /// True if the order goes from a month that is forgotten.
    pub(crate) is_late: bool,
}

/// The party that returns an order, as far as cashback is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returner {
    /// True if a failed instruction forces it to.
    pub(crate) is_forced: bool,
    /// True if it collected the order.
    pub(crate) is_collector: bool,
}

/// Every user's recharges under every programme, and the grants on the orders of instructions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cashback {
    pub(crate) uses: BTreeMap<UseKey, Recharges>,
    /// By instruction, then by collecting gateway and currency. Nothing of it is ever forgotten.
    grants: BTreeMap<InstructionKey, BTreeMap<(u32, u16), u64>>,
}

impl Counted {
    /// Returns the grant when `left` minor units of the order are left.
    fn granted_on(&self, left: u64) -> u64 {
        let tier = self.tier.filter(|_| self.counts(left));
        tier.map_or(0, |tier| grant(&self.programme, tier, left))
    }

    fn counts(&self, left: u64) -> bool {
        left >= self.programme.order_least.get()
    }
}

impl Recharges {
    fn note_grant(&mut self, version: u64, number: u16, amount: u64) {
        let before = if self.top.0 == version { self.top.1 } else { 0 };
        self.steps = (self.steps + u64::from(number.saturating_sub(before))).min(STEPS_OF_ALL);
        self.top = (version, before.max(number));
        self.largest = self.largest.max(u128::from(amount));
        self.granted += u128::from(amount);
    }

    /// Returns the most that an order that goes may take along, after its own grant of `own`.
    fn along(&self, number: u16, own: u64) -> u128 {
        let all = u128::from(self.steps) * self.largest;
        let along = if self.steps == STEPS_OF_ALL {
            self.granted
        } else if self.is_shifted {
            all.saturating_sub(u128::from(own))
        } else {
            all.saturating_sub(u128::from(number) * self.largest)
        };
        along.min(self.granted)
    }
}

impl Auditor {
    /// Counts a collected order and grants what its programme says; the outcome of the item that
    /// collected it.
    pub(crate) fn grant_cashback(&mut self, order: &mut Order) -> Outcome {
        let (merchant, currency) = (order.item.merchant.get(), order.item.currency.get());
        let programme = self.registry.programme(merchant, currency);
        let Some((version, programme)) = programme.filter(|(_, found)| {
            let takes_part = found.gateways.contains(&order.item.collecting_gateway());
            found.is_active && takes_part && order.amount() >= found.order_least.get()
        }) else {
            return Outcome::APPLIED;
        };
        let programme = programme.clone();
        let at = month(self.time, i64::from(programme.offset_min));
        let mut counted = Counted { programme, month: at, tier: None, number: 0 };
        let key = (merchant, currency, order.item.user, at);
        let used = self.cashback.uses.entry(key).or_default();
        used.recharges += 1;
        let mut outcome = Outcome::APPLIED;
        if let Some((number, tier)) = tier_of(&counted.programme, used.recharges) {
            let amount = grant(&counted.programme, tier, order.amount());
            let mut after = *used;
            after.note_grant(version, number, amount);
            let pool = Account::pool(merchant, currency);
            if amount == 0 {
                outcome = Outcome::APPLIED;
            } else if after.granted > month_most(&counted.programme) {
                (outcome, counted.number) = (Outcome::CASHBACK_OVER_MONTH, 1);
            } else if !self.books.has_available(pool, amount) {
                (outcome, counted.number) = (Outcome::CASHBACK_OVER_BUDGET, 1);
            } else {
                *used = after;
                (counted.tier, counted.number) = (Some(tier), number);
                order.cashback = amount;
                let owed = Account::owed(order.gateway(), currency);
                self.books.reserve(Movement::new(pool, amount, owed));
                let key = (self.windows.open_id(), merchant, order.payable().currency);
                let grants = self.cashback.grants.entry(key).or_default();
                *grants.entry((order.gateway(), currency)).or_default() += amount;
                self.statement_of(merchant, currency).cashback_granted += u128::from(amount);
                outcome = Outcome(TIER_OUTCOMES + number);
            }
        }
        order.counted = Some(counted);
        outcome
    }

    /// Returns the cashback that a return takes which leaves `left` of an order; `before` was left.
    pub(crate) fn cashback_taken(
        &mut self,
        order: &Order,
        (before, left): (u64, u64),
        returner: Returner,
    ) -> (TakenBack, Option<(UseKey, Recharges)>) {
        let Some(counted) = order.counted.as_ref().filter(|counted| counted.counts(before)) else {
            return (TakenBack::default(), None);
        };
        let own = counted.granted_on(before) - counted.granted_on(left);
        let has_gone = !counted.counts(left);
        let (merchant, currency) = (order.item.merchant.get(), order.item.currency.get());
        let key = (merchant, currency, order.item.user, counted.month);
        let known = self.cashback.uses.get(&key).filter(|_| self.is_month_kept(counted.month));
        let Some(mut used) = known.copied().filter(|used| used.recharges > 0) else {
            return (TakenBack { own, is_late: has_gone, ..TakenBack::default() }, None);
        };
        let mut taken = TakenBack { own, ..TakenBack::default() };
        let short = u128::from(own).saturating_sub(used.granted);
        if used.is_shifted && !used.is_paid_by_other {
            taken.set_off = u64::try_from(short).unwrap_or(own);
        }
        used.granted = used.granted.saturating_sub(u128::from(own));
        if has_gone {
            used.recharges -= 1;
            let along = used.along(counted.number, own);
            if along > 0 {
                used.is_shifted = true;
            }
            if along > 0 && !returner.is_forced {
                used.granted -= along;
                used.is_paid_by_other |= !returner.is_collector;
                taken.rested = u64::try_from(along).unwrap_or(u64::MAX);
            }
        }
        (taken, Some((key, used)))
    }

    /// Returns true if the month or the one after it is not over yet somewhere.
    pub(crate) fn is_month_kept(&self, of: Month) -> bool {
        let now = month(self.time, LAST_ZONE_MIN);
        let number = |month: Month| month.year * 12 + u64::from(month.month);
        number(of) + 1 >= number(now)
    }

    /// Turns the promises on an instruction's orders into debts: it has arrived.
    pub(crate) fn cashback_arrives(&mut self, key: InstructionKey) {
        for ((gateway, currency), amount) in self.cashback.of(key) {
            let pool = Account::pool(key.1, currency);
            let owed = Account::owed(gateway, currency);
            self.books.post_reserved(Movement::new(pool, amount, owed));
            self.windows.debit(pool, amount);
            self.windows.credit(Account::liquidity(gateway, currency), amount);
        }
    }

    /// Takes the cashback of an instruction that bounced from the gateways, and promises it again.
    pub(crate) fn cashback_bounces(&mut self, key: InstructionKey) {
        for ((gateway, currency), amount) in self.cashback.of(key) {
            let pool = Account::pool(key.1, currency);
            let liquidity = Account::liquidity(gateway, currency);
            self.books.post(Movement::new(liquidity, amount, pool));
            self.books.allow_past_bound(liquidity);
            self.books.reserve(Movement::new(pool, amount, Account::owed(gateway, currency)));
            self.windows.debit(liquidity, amount);
            self.windows.credit(pool, amount);
        }
    }

    /// An order's grant, or a part of it, is gone; of an instruction that did not arrive it was
    /// only promised.
    pub(crate) fn drop_grant(
        &mut self,
        key: InstructionKey,
        order: &Order,
        own: u64,
        arrived: bool,
    ) {
        if own == 0 {
            return;
        }
        let (gateway, currency) = (order.gateway(), order.item.currency.get());
        if !arrived {
            let (pool, owed) = (Account::pool(key.1, currency), Account::owed(gateway, currency));
            self.books.release(Movement::new(pool, own, owed));
        }
        let grants = self.cashback.grants.entry(key).or_default();
        let Some(sum) = grants.get_mut(&(gateway, currency)) else {
            unreachable!("{own} was granted on an order of {key:?}")
        };
        *sum -= own;
    }
}

impl Cashback {
    /// Returns the grants on an instruction's orders, by gateway and currency.
    pub(crate) fn of(&self, key: InstructionKey) -> Vec<((u32, u16), u64)> {
        let grants = self.grants.get(&key).into_iter().flatten();
        grants.filter(|(_, sum)| **sum > 0).map(|(of, sum)| (*of, *sum)).collect()
    }
}

/// The last tier whose bound the recharges of the month are above, and its number from 1.
fn tier_of(programme: &Programme, recharges: u64) -> Option<(u16, CashbackTier)> {
    let numbered = (1_u16..).zip(programme.tiers.iter().copied());
    numbered.filter(|(_, tier)| recharges > u64::from(tier.above)).last()
}

/// The tier's share of an amount, rounded down, at most the programme's ceiling for one order.
fn grant(programme: &Programme, tier: CashbackTier, amount: u64) -> u64 {
    let share = u128::from(amount) * u128::from(tier.basis_points) / BASIS_POINTS;
    let ceiling = match programme.order_max.get() {
        0 => ORDER_MOST,
        most => most.min(ORDER_MOST),
    };
    u64::try_from(share).unwrap_or(u64::MAX).min(ceiling)
}

/// The programme's ceiling for a user and month.
fn month_most(programme: &Programme) -> u128 {
    match u128::from(programme.user_month_max.get()) {
        0 => MONTH_MOST,
        most => most.min(MONTH_MOST),
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
            merchant: MerchantId::new(1),
            currency: Currency::new(156),
            tiers: tiers.iter().map(tier).collect(),
            order_max: Amount::new(order_max),
            user_month_max: Amount::new(0),
            offset_min: 0,
            is_active: true,
            order_least: Amount::new(1),
            gateways: Vec::new(),
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
    fn grants_are_rounded_down_and_cut_at_the_ceiling() {
        let rows = [
            // amount, basis points, ceiling, grant
            (10_000, 800, 0, 800),
            (10_000, 800, 799, 799),
            (10_000, 800, 801, 800),
            (6, 800, 0, 0),
            (12, 800, 0, 0),
            (13, 800, 0, 1),
            (624, 800, 0, 49),
            (625, 800, 0, 50),
            (50, 100, 0, 0),
            (199, 100, 0, 1),
            (1_000_000_000_000_000, 10_000, 0, 4_294_967_295),
            (1_000_000_000_000_000, 10_000, 5_000_000_000, 4_294_967_295),
        ];
        for (amount, basis_points, order_max, expected) in rows {
            let programme = programme(&[(0, basis_points)], order_max);
            let tier = CashbackTier { above: 0, basis_points };
            let found = grant(&programme, tier, amount);
            assert_eq!(found, expected, "{amount} at {basis_points}, at most {order_max}");
        }
    }
}
