//! Orders that belong together: a fraud, or something honest that looks like one.

use crate::draws::Draws;
use crate::order::{FraudKind, MonthOrder};
use crate::people::World;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// The amount from which a desk's policy holds orders, in minor units.
pub const HOLD_LIMIT: u64 = 5_000_000;
/// The day on which takeovers change and resale appears.
pub const SHIFT_DAY: u32 = 20;

/// The moment at which a campaign begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub time_ms: u64,
    pub day: u32,
}

impl Start {
    /// Draws a time within `span_ms` of the start.
    fn within(&self, span_ms: u64, draws: &mut Draws) -> u64 {
        self.time_ms + draws.below(span_ms)
    }
}

/// Returns the orders of one campaign of a kind.
pub(crate) fn fraud(
    kind: FraudKind,
    start: Start,
    world: &World,
    draws: &mut Draws,
) -> Vec<MonthOrder> {
    let mut orders = match kind {
        FraudKind::CardTesting => card_testing(start, world, draws),
        FraudKind::Takeover => takeover(start, world, draws),
        FraudKind::Mule => mule(start, world, draws),
        FraudKind::Ring => ring(start, world, draws),
        FraudKind::Farming => farming(start, world, draws),
        FraudKind::Structuring => structuring(start, world, draws),
        FraudKind::Friendly => friendly(start, world, draws),
        FraudKind::Resale => resale(start, world, draws),
    };
    orders.iter_mut().for_each(|order| order.truth = Some(kind));
    orders
}

fn card_testing(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let (device, network, merchant) =
        (draws.any(), world.public_network(draws), world.merchant(draws));
    let tries = draws.between(4, 8);
    let one = |_| {
        let is_new = draws.happens(50);
        let owner =
            if is_new { world.newcomer(start.day, draws) } else { world.anybody(start.day, draws) };
        let order = owner.order(world, start.within(HOUR_MS, draws), start.day, draws);
        let amount = draws.between(1, 60) * 100;
        MonthOrder { device, network, merchant, amount, ..order }
    };
    (0..tries).map(one).collect()
}

fn takeover(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let victim = world.somebody(start.day, draws);
    let (device, public) = (draws.any(), world.public_network(draws));
    let is_late = start.day >= SHIFT_DAY;
    let network = if is_late { victim.carrier } else { public };
    let one = |_| {
        let time_ms = start.within(3 * HOUR_MS, draws);
        let order = victim.order(world, time_ms, start.day, draws);
        let times = if is_late { 1 } else { draws.between(2, 4) };
        MonthOrder {
            device,
            network,
            merchant: world.merchant(draws),
            amount: order.amount * times,
            ..order
        }
    };
    (0..3).map(one).collect()
}

fn mule(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let is_new = draws.happens(50);
    let account =
        if is_new { world.newcomer(start.day, draws) } else { world.somebody(start.day, draws) };
    let payments = draws.between(4, 8);
    let one = |_| {
        let order = account.order(world, start.within(5 * DAY_MS, draws), start.day, draws);
        let amount = draws.between(20, 400) * 1_000;
        MonthOrder {
            gateway: world.gateway(draws),
            merchant: world.merchant(draws),
            amount,
            ..order
        }
    };
    (0..payments).map(one).collect()
}

fn ring(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let merchant = world.merchant(draws);
    let amount = draws.between(5, 120) * 1_000;
    let one = |_| {
        let member = world.somebody(start.day, draws);
        let order = member.order(world, start.within(3 * DAY_MS, draws), start.day, draws);
        MonthOrder { merchant, amount, ..order }
    };
    (0..6).map(one).collect()
}

fn farming(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let accounts = [world.newcomer(start.day, draws), world.newcomer(start.day, draws)];
    let (device, merchant) = (draws.any(), world.merchant(draws));
    let one = |number: usize| {
        let account = accounts[number % 2];
        let order = account.order(world, start.within(3 * DAY_MS, draws), start.day, draws);
        MonthOrder { device, merchant, amount: draws.between(10, 40) * 100, ..order }
    };
    (0..10).map(one).collect()
}

fn structuring(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let account = world.somebody(start.day, draws);
    let one = |_| {
        let order = account.order(world, start.within(8 * HOUR_MS, draws), start.day, draws);
        MonthOrder { amount: HOLD_LIMIT - draws.between(1, 5_000) * 100, ..order }
    };
    (0..3).map(one).collect()
}

fn friendly(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    vec![world.somebody(start.day, draws).order(world, start.time_ms, start.day, draws)]
}

fn resale(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let account = world.anybody(start.day, draws);
    let network = world.public_network(draws);
    let midnight = start.time_ms - start.time_ms % DAY_MS + DAY_MS;
    let one = |_| {
        let time_ms = midnight + draws.below(4 * HOUR_MS);
        let order = account.order(world, time_ms, start.day, draws);
        let amount = draws.between(10, 60) * 1_000;
        MonthOrder { network, merchant: world.merchant(draws), amount, ..order }
    };
    (0..5).map(one).collect()
}

/// Returns honest orders that look like one or other kind of fraud: presents for many, a new phone
/// on a journey, a firm that pays large sums, a shared tablet.
pub(crate) fn honest(start: Start, world: &World, draws: &mut Draws) -> Vec<MonthOrder> {
    let person = world.somebody(start.day, draws);
    let kind = draws.below(4);
    let (device, network, merchant) =
        (draws.any(), world.public_network(draws), world.merchant(draws));
    let one = |_| match kind {
        0 => {
            let order = person.order(world, start.within(HOUR_MS, draws), start.day, draws);
            MonthOrder { merchant, amount: draws.between(10, 60) * 100, ..order }
        }
        1 => {
            let order = person.order(world, start.within(DAY_MS, draws), start.day, draws);
            MonthOrder { device, network, amount: order.amount * 2, ..order }
        }
        2 => {
            let order = person.order(world, start.within(8 * HOUR_MS, draws), start.day, draws);
            MonthOrder { amount: draws.between(20_000, 50_000) * 100, ..order }
        }
        _ => {
            let guest = world.anybody(start.day, draws);
            let order = guest.order(world, start.within(2 * HOUR_MS, draws), start.day, draws);
            MonthOrder { device, network, ..order }
        }
    };
    (0..5).map(one).collect()
}
