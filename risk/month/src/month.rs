//! The course of the month, hour by hour.

use std::collections::BTreeMap;

use crate::campaigns::{SHIFT_DAY, Start, fraud, honest};
use crate::draws::Draws;
use crate::order::{FraudKind, MonthEvent, MonthLabel, MonthOrder, MonthScale};
use crate::people::World;

/// The first moment of the month: 2027-01-01, midnight, UTC.
pub const MONTH_START_MS: u64 = 1_798_761_600_000;
/// The days in which orders happen; labels go on for 45 days more.
pub const MONTH_DAYS: u32 = 30;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const HOURS: u32 = MONTH_DAYS * 24;
const MONTH_END_MS: u64 = MONTH_START_MS + MONTH_DAYS as u64 * DAY_MS;
/// Orders of each hour, in thousandths of a day's.
const RHYTHM: [u64; 24] =
    [14, 9, 6, 5, 6, 12, 25, 42, 55, 57, 54, 56, 62, 55, 49, 48, 51, 57, 65, 70, 69, 60, 44, 29];
/// The number of orders in a million that are fraud.
const BASE_PPM: u64 = 2_500;
/// The number of orders in a million that belong to honest campaigns.
const HONEST_PPM: u64 = 60_000;
/// The shares of the kinds of fraud, in the order of [`FraudKind::ALL`], in thousandths. Resale
/// begins on day 20 and is then a third of all.
const SHARES: [u64; 8] = [120, 140, 150, 150, 120, 100, 120, 100];
/// One honest order in this many is labelled; all fraud is.
const LABELLED_OF: u64 = 50;

/// The month as a stream of events in the order of time.
#[derive(Debug, Clone)]
pub struct RiskMonth {
    scale: MonthScale,
    world: World,
    draws: Draws,
    /// The planned events, by time in milliseconds, then by the order of planning.
    planned: BTreeMap<(u64, u64), MonthEvent>,
    plans: u64,
    hour: u32,
    numbered: u64,
    /// All orders that were planned; from it follows how many should be fraud.
    orders: u64,
    frauds: [u64; 8],
    honest: u64,
}

impl RiskMonth {
    /// Begins the month of a seed.
    pub fn new(seed: u64, scale: MonthScale) -> Self {
        let mut draws = Draws::of_seed(seed);
        let world = World::of_scale(&scale, &mut draws);
        Self {
            scale,
            world,
            draws,
            planned: BTreeMap::new(),
            plans: 0,
            hour: 0,
            numbered: 0,
            orders: 0,
            frauds: [0; 8],
            honest: 0,
        }
    }

    fn plan(&mut self, time_ms: u64, event: MonthEvent) {
        self.planned.insert((time_ms, self.plans), event);
        self.plans += 1;
    }

    /// Plans orders; those that would lie beyond the month's end happen just before it.
    fn plan_orders(&mut self, orders: Vec<MonthOrder>) {
        for order in orders {
            let time_ms = order.time_ms.min(MONTH_END_MS - 1);
            self.orders += 1;
            self.plan(time_ms, MonthEvent::Order(MonthOrder { time_ms, ..order }));
        }
    }

    /// Plans what begins in the next hour.
    fn plan_hour(&mut self) {
        let (day, first_ms) = (self.hour / 24, MONTH_START_MS + u64::from(self.hour) * HOUR_MS);
        let rhythm = RHYTHM[self.hour as usize % 24];
        let usual = u64::from(self.scale.orders_a_day) * rhythm / 1_000;
        for _ in 0..usual {
            let time_ms = first_ms + self.draws.below(HOUR_MS);
            let person = self.world.somebody(day, &mut self.draws);
            let order = person.order(&self.world, time_ms, day, &mut self.draws);
            self.plan_orders(vec![order]);
        }
        while self.honest * 1_000_000 < self.orders * HONEST_PPM {
            let start = self.start(first_ms, day);
            let orders = honest(start, &self.world, &mut self.draws);
            self.honest += orders.len() as u64;
            self.plan_orders(orders);
        }
        while let Some(at) = self.owed(day) {
            let start = self.start(first_ms, day);
            let orders = fraud(FraudKind::ALL[at], start, &self.world, &mut self.draws);
            self.frauds[at] += orders.len() as u64;
            self.plan_orders(orders);
        }
        self.hour += 1;
    }

    fn start(&mut self, first_ms: u64, day: u32) -> Start {
        Start { time_ms: first_ms + self.draws.below(HOUR_MS), day }
    }

    /// Returns the kind of fraud that is furthest behind its share, while there is too little
    /// fraud.
    fn owed(&self, day: u32) -> Option<usize> {
        let made: u64 = self.frauds.iter().sum();
        if made * 1_000_000 >= self.orders * BASE_PPM {
            return None;
        }
        let known = if day < SHIFT_DAY { SHARES.len() - 1 } else { SHARES.len() };
        (0..known).min_by_key(|at| self.frauds[*at] * 1_000 / SHARES[*at])
    }

    /// Plans the label of an order that happened, if it gets one.
    fn plan_label(&mut self, order: MonthOrder) {
        if order.truth.is_none() && self.draws.below(LABELLED_OF) != 0 {
            return;
        }
        let time_ms = order.time_ms + 3 * DAY_MS + self.draws.below(42 * DAY_MS);
        let is_wrong = self.draws.happens(2);
        let is_fraud = order.truth.is_some() != is_wrong;
        self.plan(time_ms, MonthEvent::Label(MonthLabel { order, time_ms, is_fraud }));
    }
}

impl Iterator for RiskMonth {
    type Item = MonthEvent;

    fn next(&mut self) -> Option<MonthEvent> {
        loop {
            // Nothing that is still to be planned comes before the hour that is not planned yet.
            let planned_ms = MONTH_START_MS + u64::from(self.hour) * HOUR_MS;
            let is_last = self.hour == HOURS;
            if let Some(entry) = self.planned.first_entry()
                && (is_last || entry.key().0 < planned_ms)
            {
                let event = entry.remove();
                let MonthEvent::Order(order) = event else { return Some(event) };
                let order = MonthOrder { number: self.numbered, ..order };
                self.numbered += 1;
                self.plan_label(order);
                return Some(MonthEvent::Order(order));
            }
            if is_last {
                return None;
            }
            self.plan_hour();
        }
    }
}
