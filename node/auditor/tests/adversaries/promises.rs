//! What merchants promised: the cashback of their programmes on what was really sold, worked out
//! from the orders and not from what the chain granted.
//!
//! Of each user, programme and month: the orders of gateways that take part stand in a row, in the
//! order in which they were collected. An order of which less than the least order is left has left
//! the row; but if a failed instruction forced it to go back, it left it only for orders that came
//! later. The place in the row says the tier; what is left of an order earns its share, rounded
//! down, within the ceiling of an order, once its money has arrived.

use std::collections::BTreeMap;

use chain_types::{InstructionId, OrderId, ParticipantId, Programme};

/// An order as a programme looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    pub id: OrderId,
    pub user: u8,
    pub merchant: u64,
    pub gateway: u32,
    pub currency: u16,
    pub amount: u64,
    pub time_ms: u64,
    pub instruction: InstructionId,
}

/// A user's month under a programme: user, merchant, currency, month.
type MonthKey = (u8, u64, u16, u64);

#[derive(Debug, Clone, Copy)]
struct Counted {
    id: OrderId,
    left: u64,
    instruction: InstructionId,
    /// How many orders the month had when a failed instruction forced this one to go.
    forced_after: usize,
}

#[derive(Debug, Default, Clone)]
pub struct Promises {
    programmes: BTreeMap<(u64, u16), Programme>,
    months: BTreeMap<MonthKey, Vec<Counted>>,
    months_of: BTreeMap<OrderId, MonthKey>,
    /// Of each month, what it promises.
    sums: BTreeMap<MonthKey, i128>,
    arrived: BTreeMap<InstructionId, bool>,
    by_instruction: BTreeMap<InstructionId, Vec<MonthKey>>,
}

impl Promises {
    pub fn new(programmes: &[Programme]) -> Self {
        let keyed = programmes.iter().map(|known| {
            let key = (known.merchant.get(), known.currency.get());
            (key, known.clone())
        });
        Self { programmes: keyed.collect(), ..Self::default() }
    }

    pub fn sold(&mut self, sale: &Sale) {
        let Some(programme) = self.programmes.get(&(sale.merchant, sale.currency)) else { return };
        let takes_part = programme.gateways.contains(&ParticipantId::new(sale.gateway));
        if !takes_part || sale.amount < programme.order_least.get() {
            return;
        }
        let month = month_of(sale.time_ms, programme.offset_min);
        let key = (sale.user, sale.merchant, sale.currency, month);
        let (left, instruction) = (sale.amount, sale.instruction);
        let counted = Counted { id: sale.id, left, instruction, forced_after: 0 };
        self.months.entry(key).or_default().push(counted);
        self.months_of.insert(sale.id, key);
        self.by_instruction.entry(instruction).or_default().push(key);
        self.sum_up(key);
    }

    /// Some of an order goes back, forced by a failed instruction or not.
    pub fn returned(&mut self, id: OrderId, amount: u64, is_forced: bool) {
        let Some(key) = self.months_of.get(&id).copied() else { return };
        let least = self.programmes[&(key.1, key.2)].order_least.get();
        let Some(month) = self.months.get_mut(&key) else { return };
        let count = month.len();
        if let Some(known) = month.iter_mut().find(|known| known.id == id) {
            let left = known.left.saturating_sub(amount);
            if is_forced && known.left >= least && left < least {
                known.forced_after = count;
            }
            known.left = left;
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

    /// Returns the sum that each merchant promised so far, by currency.
    pub fn sums(&self) -> BTreeMap<(u64, u16), i128> {
        let mut sums = BTreeMap::new();
        for ((_, merchant, currency, _), promised) in &self.sums {
            *sums.entry((*merchant, *currency)).or_default() += promised;
        }
        sums
    }

    fn sum_up(&mut self, key: MonthKey) {
        let programme = &self.programmes[&(key.1, key.2)];
        let month = &self.months[&key];
        let least = programme.order_least.get();
        let mut sum = 0_u64;
        for (at, known) in month.iter().enumerate() {
            if known.left < least || self.arrived.get(&known.instruction) != Some(&true) {
                continue;
            }
            let is_before = |before: &&Counted| before.left >= least || before.forced_after > at;
            let number = month[..at].iter().filter(is_before).count() + 1;
            let has = |above: u16| number > usize::from(above);
            let tier = programme.tiers.iter().rfind(|tier| has(tier.above));
            let Some(tier) = tier else { continue };
            let share = known.left * u64::from(tier.basis_points) / 10_000;
            let most = programme.order_max.get();
            sum += if most > 0 { share.min(most) } else { share };
        }
        self.sums.insert(key, i128::from(sum));
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
