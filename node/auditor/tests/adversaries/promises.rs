//! What merchants promised: the cashback of their programmes on what was really sold, worked out
//! from the orders and not from what the chain granted.
//!
//! Of each user, programme and month: an order that has not wholly gone back counts, and what has
//! not gone back of it earns its tier's share, within the ceilings of an order and of a month; the
//! sum of a month is rounded down, and one unit is left for rounding. An order counts from its
//! arrival.

use std::collections::BTreeMap;

use chain_types::{InstructionId, OrderId, Programme};

use crate::known::{Known, is_kept_out};

/// An order as a programme looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    pub id: OrderId,
    pub user: u8,
    pub merchant: u64,
    pub currency: u16,
    pub amount: u64,
    pub time_ms: u64,
    pub instruction: InstructionId,
}

/// Whose month of which programme: user, merchant, currency, month.
type MonthKey = (u8, u64, u16, u64);

#[derive(Debug, Clone, Copy)]
struct Counted {
    amount: u64,
    left: u64,
    /// The user's count of the month, this one included, when it was sold.
    number: u16,
    instruction: InstructionId,
}

#[derive(Debug, Default, Clone)]
pub struct Promises {
    programmes: BTreeMap<(u64, u16), Programme>,
    months: BTreeMap<MonthKey, BTreeMap<OrderId, Counted>>,
    months_of: BTreeMap<OrderId, MonthKey>,
    /// Of each month, what it promises.
    sums: BTreeMap<MonthKey, i128>,
    arrived: BTreeMap<InstructionId, bool>,
    by_instruction: BTreeMap<InstructionId, Vec<MonthKey>>,
}

impl Promises {
    pub fn new(programmes: &[Programme]) -> Self {
        let keyed = programmes.iter().map(|known| {
            let key = (known.merchant.0, known.currency.0);
            (key, known.clone())
        });
        Self { programmes: keyed.collect(), ..Self::default() }
    }

    pub fn sold(&mut self, sale: &Sale) {
        let Some(programme) = self.programmes.get(&(sale.merchant, sale.currency)) else { return };
        let month = month_of(sale.time_ms, programme.offset_min);
        let key = (sale.user, sale.merchant, sale.currency, month);
        let counted = self.months.entry(key).or_default();
        let stays = |known: &&Counted| known.left > 0 || is_kept_out(Known::CashbackOnReturned);
        let number = counted.values().filter(stays).count() + 1;
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        let (amount, instruction) = (sale.amount, sale.instruction);
        counted.insert(sale.id, Counted { amount, left: amount, number, instruction });
        self.months_of.insert(sale.id, key);
        self.by_instruction.entry(instruction).or_default().push(key);
        self.sum_up(key);
    }

    pub fn returned(&mut self, id: OrderId, amount: u64) {
        let Some(key) = self.months_of.get(&id).copied() else { return };
        if let Some(known) = self.months.get_mut(&key).and_then(|month| month.get_mut(&id)) {
            known.left = known.left.saturating_sub(amount);
        }
        self.sum_up(key);
    }

    pub fn arrived(&mut self, id: InstructionId) {
        self.mark(id, true);
    }

    pub fn failed(&mut self, id: InstructionId) {
        self.mark(id, false);
    }

    fn mark(&mut self, id: InstructionId, is_there: bool) {
        self.arrived.insert(id, is_there);
        for key in self.by_instruction.get(&id).cloned().unwrap_or_default() {
            self.sum_up(key);
        }
    }

    /// What each merchant promised so far, by currency.
    pub fn sums(&self) -> BTreeMap<(u64, u16), i128> {
        let mut sums = BTreeMap::new();
        for ((_, merchant, currency, _), promised) in &self.sums {
            *sums.entry((*merchant, *currency)).or_default() += promised;
        }
        sums
    }

    fn sum_up(&mut self, key: MonthKey) {
        let programme = &self.programmes[&(key.1, key.2)];
        // In hundredths of hundredths of a unit.
        let (mut sum, mut count) = (0_u128, 0_u128);
        for known in self.months[&key].values() {
            let is_there = self.arrived.get(&known.instruction) == Some(&true);
            if !is_there && !is_kept_out(Known::CashbackAtCollection) {
                continue;
            }
            let tier = programme.tiers.iter().rfind(|tier| known.number > tier.above);
            let Some(tier) = tier else { continue };
            let share = u128::from(known.amount) * u128::from(tier.basis_points);
            let ceiling = match programme.order_max.0 {
                0 => u128::MAX,
                most => u128::from(most) * 10_000,
            };
            count += 1;
            sum += share.min(ceiling) * u128::from(known.left) / u128::from(known.amount);
        }
        let is_each = is_kept_out(Known::CashbackRoundedUp);
        let spare = if is_each { count } else { 1 };
        let mut promised = sum / 10_000 + spare;
        if programme.user_month_max.0 > 0 && !is_each {
            promised = promised.min(u128::from(programme.user_month_max.0));
        }
        self.sums.insert(key, i128::try_from(promised).unwrap_or(i128::MAX));
    }
}

/// The calendar month of a time, counted from the year zero, some minutes east of UTC.
fn month_of(time_ms: u64, offset_min: i16) -> u64 {
    let minutes = i64::try_from(time_ms / 60_000).unwrap_or(0) + i64::from(offset_min);
    let mut days = minutes.div_euclid(24 * 60);
    let mut year = 1970;
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 0;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    u64::try_from(year * 12 + month).unwrap_or(0)
}
