#![allow(clippy::unwrap_used)]
//! Random months, held against the exact share of what stayed.

use chain_types::{CashbackTier, Currency, MerchantId, Programme};
use proptest::prelude::*;

use super::*;
use crate::cashback::{note_grant, share, tier_of};

/// An order of the month.
#[derive(Debug, Clone)]
struct Order {
    left: u64,
    /// Under which version of the programme it was collected.
    version: usize,
    outcome: Outcome,
    is_here: bool,
}

/// An event of a month.
#[derive(Debug, Clone)]
enum Step {
    Collect {
        amount: u64,
    },
    /// Returns so many thousandths of what is left of an order, or all.
    Return {
        order: usize,
        per_mille: u64,
        is_by_collector: bool,
    },
    /// The other version of the programme comes into force.
    Change,
}

/// A month and what is to be known of it.
struct Month {
    versions: [Programme; 2],
    version: usize,
    changes: u8,
    entry: UserMonth,
    orders: Vec<Order>,
    /// The sum that the merchant has given and not got back, whoever paid.
    cost: i128,
    has_other_paid: bool,
}

impl Month {
    fn collect(&mut self, amount: u64) {
        let programme = &self.versions[self.version];
        if amount < programme.order_least.get() {
            return;
        }
        self.entry.count += 1;
        let mut outcome = Outcome::APPLIED;
        if let Some(tier) = tier_of(programme, self.entry.count) {
            let given = share(programme, tier, Amount::new(amount));
            if given.get() > 0 {
                let mut earned = self.entry.earned();
                note_grant(&mut earned, tier, given, self.changes);
                self.entry.set_earned(&earned);
                self.cost += i128::from(given.get());
                outcome = Outcome::with_cashback(tier);
            }
        }
        let version = self.version;
        self.orders.push(Order { left: amount, version, outcome, is_here: true });
    }

    fn give_back(&mut self, order: usize, per_mille: u64, is_by_collector: bool) {
        let here: Vec<usize> =
            (0..self.orders.len()).filter(|at| self.orders[*at].is_here).collect();
        let Some(at) = here.get(order % here.len().max(1)).copied() else { return };
        let order = &mut self.orders[at];
        let programme = &self.versions[order.version];
        let before = order.left;
        let after = before - (before * per_mille / 1_000).max(1);
        let granted = |rest| granted_on_rest(programme, order.outcome, Amount::new(rest)).get();
        let own = granted(before) - granted(after);
        let goes = after < programme.order_least.get();
        let (outcome, is_forced) = (order.outcome, false);
        (order.left, order.is_here) = (after, !goes);
        let (before, after) = (Amount::new(before), Amount::new(after));
        let part = Part { before, after, is_forced, is_by_collector };
        let most = at_stake_at_most(&self.entry.earned());
        let (taken, count, earned) = of_month(&self.entry, outcome, own, goes, &part);
        assert!(
            taken.rested <= most,
            "{} rested, and {} was shown",
            taken.rested.get(),
            most.get()
        );
        self.entry.count = count;
        self.entry.set_earned(&earned);
        self.cost -= i128::from(taken.own.get()) - i128::from(taken.set_off.get());
        self.cost -= i128::from(taken.rested.get());
        self.has_other_paid |= !is_by_collector && taken.rested.get() > 0;
    }

    /// The share of what stayed, by counts of what stayed.
    fn promised(&self) -> i128 {
        let here = self.orders.iter().filter(|order| order.is_here);
        let of = |(rank, order): (u16, &Order)| {
            let programme = &self.versions[order.version];
            let tier = tier_of(programme, rank);
            tier.map_or(0, |tier| i128::from(share(programme, tier, Amount::new(order.left)).get()))
        };
        (1_u16..).zip(here).map(of).sum()
    }
}

fn programme() -> impl Strategy<Value = Programme> {
    let tiers = prop::collection::btree_map(0_u16..8, 1_u16..=10_000, 1..=4);
    (tiers, 0_u64..100, prop_oneof![Just(0_u64), 1_u64..2_000]).prop_map(
        |(tiers, more, order_max)| {
            let mut shares: Vec<u16> = tiers.values().copied().collect();
            shares.sort_unstable();
            let above = tiers.keys().zip(shares);
            let tiers: Vec<CashbackTier> = above
                .map(|(above, basis_points)| CashbackTier { above: *above, basis_points })
                .collect();
            Programme {
                merchant: MerchantId::new(1),
                currency: Currency::new(156),
                order_least: Amount::new(Programme::least_of(&tiers).get() + more),
                tiers,
                order_max: Amount::new(order_max),
                user_month_max: Amount::new(0),
                offset_min: 0,
                is_active: true,
                gateways: Vec::new(),
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![1_u64..400, 1_u64..20_000, 10_000_u64..10_000_000];
    let part = prop_oneof![3 => Just(1_000_u64), 1 => 0_u64..1_000];
    let back = (any::<usize>(), part, prop::bool::weighted(0.8));
    prop_oneof![
        8 => amount.prop_map(|amount| Step::Collect { amount }),
        5 => back.prop_map(|(order, per_mille, is_by_collector)| {
            Step::Return { order, per_mille, is_by_collector }
        }),
        1 => Just(Step::Change),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        ..Default::default()
    })]

    /// No order of collections, returns, part returns and changes of the programme costs the
    /// merchant more than the share of what stayed. Who alone cancels a month pays nothing twice.
    #[test]
    fn no_month_costs_more_than_the_share_of_what_stayed(
        first in programme(),
        second in programme(),
        changes in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut month = Month {
            versions: [first, second],
            version: 0,
            changes: 1,
            entry: UserMonth::new(1, 0),
            orders: Vec::new(),
            cost: 0,
            has_other_paid: false,
        };
        for step in steps {
            match step {
                Step::Collect { amount } => month.collect(amount),
                Step::Return { order, per_mille, is_by_collector } => {
                    month.give_back(order, per_mille, is_by_collector);
                }
                Step::Change if changes => {
                    month.version = 1 - month.version;
                    month.changes += 1;
                }
                Step::Change => {}
            }
            prop_assert!(month.cost <= month.promised(), "{} > {}", month.cost, month.promised());
            if !month.has_other_paid {
                prop_assert_eq!(month.cost, i128::from(month.entry.granted()));
            }
        }
    }
}

#[test]
fn what_a_month_has_earned_is_packed_whole() {
    let mut entry = UserMonth::new(24_300, 9);
    let earned = Earned {
        granted: (1 << 48) - 2,
        largest: u32::MAX - 1,
        version: 254,
        top: 4,
        steps: 6,
        is_shifted: true,
        is_paid_by_other: false,
    };
    entry.set_earned(&earned);
    assert_eq!(entry.earned(), earned);
    assert_eq!((entry.month, entry.count, entry.granted()), (24_300, 9, (1 << 48) - 2));
    let more = Earned { granted: u64::MAX, top: 9, steps: 200, is_paid_by_other: true, ..earned };
    entry.set_earned(&more);
    let most = Earned { granted: (1 << 48) - 1, top: 7, steps: 7, ..more };
    assert_eq!(entry.earned(), most);
}
