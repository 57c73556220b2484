//! Random histories: parties that submit, repeat, alter, collect, void, attest and wait, in and
//! out of turn.

use chain_types::{
    ArrivalItem, CollectItem, FailureItem, Flags, Outcome, RechargeItem, VerifiedBatch, VoidItem,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;

use crate::kit::*;

/// One thing that a party does, or a block that takes in what was done so far. Where `by` is
/// `None`, the right party does it.
#[derive(Debug, Clone)]
pub enum Step {
    Submit(Submit),
    Again { order: Index, by: Option<u32>, more: u64 },
    Collect { order: Index, by: Option<u32> },
    Void { order: Index, by: Option<u32>, reason: u16 },
    Arrive { instruction: Index, by: Option<u32>, more: u64, reference: u8 },
    Fail { instruction: Index, by: Option<u32>, reason: u16, reference: u8 },
    Block { after_ms: u64 },
}

/// An order as a party makes it.
#[derive(Debug, Clone)]
pub struct Submit {
    by: Option<u32>,
    gateway: u32,
    merchant: u64,
    amount: u64,
    flags: u16,
    age_ms: i64,
    spare: u8,
}

/// An item on its way into a block.
#[derive(Debug, Clone, Copy)]
pub enum Item {
    Recharge(RechargeItem),
    Collect(CollectItem),
    Void(VoidItem),
    Arrival(ArrivalItem),
    Failure(FailureItem),
}

/// Mostly the right one: a history of refusals is a dull one.
fn party() -> impl Strategy<Value = Option<u32>> {
    const OTHERS: [u32; 7] = [SERVICE, BANK_A, BANK_B, BANK_POOR, AUDITOR, SERVICE_SUSPENDED, 999];
    prop_oneof![5 => Just(None), 1 => prop::sample::select(&OTHERS[..]).prop_map(Some)]
}

fn submit() -> impl Strategy<Value = Step> {
    let gateway = prop_oneof![
        20 => Just(BANK_A), 15 => Just(BANK_B),
        1 => prop::sample::select(&[BANK_POOR, BANK_SUSPENDED, SERVICE][..])
    ];
    let merchant = prop_oneof![
        20 => Just(SHOP), 15 => Just(SHOP_OF_A),
        1 => prop::sample::select(&[SHOP_SUSPENDED, SHOP_OF_SUSPENDED, 9][..])
    ];
    let amount = prop_oneof![
        30 => 1_u64..2_000, 2 => 2_000_u64..12_000, 1 => Just(0), 1 => Just(1_000_001)
    ];
    let age_ms = prop_oneof![
        20 => -1_000_i64..5_000, 2 => 100_000_i64..200_000, 1 => -80_000_i64..0
    ];
    let flags = prop_oneof![12 => Just(0_u16), 12 => Just(Flags::COLLECTED), 1 => Just(4)];
    let spare = prop_oneof![20 => Just(0_u8), 1 => Just(1)];
    (party(), gateway, merchant, amount, flags, age_ms, spare).prop_map(
        |(by, gateway, merchant, amount, flags, age_ms, spare)| {
            Step::Submit(Submit { by, gateway, merchant, amount, flags, age_ms, spare })
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let more = || prop_oneof![4 => Just(0_u64), 1 => Just(1)];
    let after_ms =
        prop_oneof![8 => 1_u64..2_000, 3 => 10_000_u64..40_000, 1 => 60_000_u64..400_000];
    let again = (index(), party(), more());
    let void = (index(), party(), 0_u16..5);
    let arrive = (index(), party(), more(), 0_u8..2);
    let fail = (index(), party(), 0_u16..3, 0_u8..2);
    prop_oneof![
        12 => submit(),
        3 => again.prop_map(|(order, by, more)| Step::Again { order, by, more }),
        7 => (index(), party()).prop_map(|(order, by)| Step::Collect { order, by }),
        3 => void.prop_map(|(order, by, reason)| Step::Void { order, by, reason }),
        6 => arrive.prop_map(|(instruction, by, more, reference)| {
            Step::Arrive { instruction, by, more, reference }
        }),
        2 => fail.prop_map(|(instruction, by, reason, reference)| {
            Step::Fail { instruction, by, reason, reference }
        }),
        7 => after_ms.prop_map(|after_ms| Step::Block { after_ms }),
    ]
}

/// Up to 120 steps, then the blocks that end everything.
pub fn history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120).prop_map(|mut steps| {
        steps.push(Step::Block { after_ms: 31_000 });
        steps.push(Step::Block { after_ms: 200_000 });
        steps
    })
}

/// One block's items in order, each with its submitter and its outcome.
pub type Told = Vec<(u32, Item, Outcome)>;

/// Runs a history. `each_block` sees the chain after each block, its time and what it was told.
pub fn run(chain: &mut Chain, steps: &[Step], mut each_block: impl FnMut(&Chain, &Told)) {
    let mut orders: Vec<RechargeItem> = vec![order(order_id(0, 0), 1)];
    let mut pending: Vec<(u32, Item)> = Vec::new();
    for (number, step) in (1_u64..).zip(steps) {
        let now_ms = i64::try_from(chain.state.time().get() - START.get()).unwrap();
        match step.clone() {
            Step::Submit(Submit { by, gateway, merchant, amount, flags, age_ms, spare }) => {
                let mut item = order(order_id(number, now_ms - age_ms), amount);
                item.collecting_gateway = gateway.into();
                item.merchant = merchant.into();
                item.flags = flags.into();
                item.spare[0] = spare;
                item.order_id = of(submitter_of(&item), item.order_id()).bytes();
                orders.push(item);
                pending.push((by.unwrap_or(submitter_of(&item)), Item::Recharge(item)));
            }
            Step::Again { order, by, more } => {
                let mut item = recent(&order, &orders);
                item.amount += more;
                pending.push((by.unwrap_or(submitter_of(&item)), Item::Recharge(item)));
            }
            Step::Collect { order, by } => {
                let item = recent(&order, &orders);
                let by = by.unwrap_or(item.collecting_gateway.get());
                pending.push((by, Item::Collect(collect(item.order_id()))));
            }
            Step::Void { order, by, reason } => {
                let item = recent(&order, &orders);
                let mut step = void(item.order_id());
                step.reason = reason.into();
                pending.push((by.unwrap_or(submitter_of(&item)), Item::Void(step)));
            }
            Step::Arrive { instruction, by, more, reference } => {
                let (window, merchant, amount) = pick(chain, &instruction);
                let mut item = arrival(window, merchant, amount + more);
                item.reference = [reference; 32];
                pending.push((by.unwrap_or(payer_of(merchant)), Item::Arrival(item)));
            }
            Step::Fail { instruction, by, reason, reference } => {
                let (window, merchant, _) = pick(chain, &instruction);
                let mut item = failure(window, merchant, reason);
                item.reference = [reference; 32];
                pending.push((by.unwrap_or(payer_of(merchant)), Item::Failure(item)));
            }
            Step::Block { after_ms } => {
                let told = block(chain, after_ms, std::mem::take(&mut pending));
                each_block(chain, &told);
            }
        }
    }
}

/// One of the last ten orders.
fn recent(index: &Index, orders: &[RechargeItem]) -> RechargeItem {
    *index.get(&orders[orders.len().saturating_sub(10)..])
}

fn submitter_of(item: &RechargeItem) -> u32 {
    if item.is_collected() { item.collecting_gateway.get() } else { SERVICE }
}

fn payer_of(merchant: u64) -> u32 {
    if merchant == SHOP_OF_A { BANK_A } else { BANK_B }
}

/// Some instruction that was ever given, or one that never was.
fn pick(chain: &Chain, index: &Index) -> (u64, u64, u64) {
    let known = chain.instructions();
    if known.is_empty() {
        return (0, SHOP, 1);
    }
    let found = index.get(&known[known.len().saturating_sub(6)..]);
    (found.id.window.get(), found.id.merchant.get(), found.amount.get())
}

/// Runs of items of one party and kind make a batch each.
fn block(chain: &mut Chain, after_ms: u64, items: Vec<(u32, Item)>) -> Told {
    let same = |one: &(u32, Item), other: &(u32, Item)| {
        one.0 == other.0 && std::mem::discriminant(&one.1) == std::mem::discriminant(&other.1)
    };
    let mut batches: Vec<VerifiedBatch> = Vec::new();
    // Each its own valid-until time, so that no two batches of a history are the same.
    let mut until = chain.state.time().plus(after_ms + chain.state.height().get() * 130);
    for run in items.chunk_by(same) {
        until = until.plus(1);
        batches.push(batch_of(chain, until, run));
    }
    let outcomes = chain.block(after_ms, &batches).concat();
    items.into_iter().zip(outcomes).map(|((by, item), outcome)| (by, item, outcome)).collect()
}

fn batch_of(chain: &Chain, until: chain_types::TimeMs, run: &[(u32, Item)]) -> VerifiedBatch {
    macro_rules! items {
        ($variant:ident) => {{
            let items = run.iter().filter_map(|(_, item)| match item {
                Item::$variant(item) => Some(*item),
                _ => None,
            });
            chain.batch_until(run[0].0, until, &items.collect::<Vec<_>>())
        }};
    }
    match run[0].1 {
        Item::Recharge(_) => items!(Recharge),
        Item::Collect(_) => items!(Collect),
        Item::Void(_) => items!(Void),
        Item::Arrival(_) => items!(Arrival),
        Item::Failure(_) => items!(Failure),
    }
}

/// The histories are not dull: every outcome that a party of theirs can cause is among them.
#[test]
fn histories_reach_every_outcome() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..150 {
        let steps = history().new_tree(&mut runner).unwrap().current();
        run(&mut Chain::new(), &steps, |_, told| {
            for (_, _, outcome) in told {
                *counts.entry(outcome.0).or_insert(0_u32) += 1;
            }
        });
    }
    let expected = [
        0, 1, 108, 110, 111, 201, 202, 203, 204, 205, 206, 207, 210, 211, 212, 213, 214, 215, 240,
        300, 301, 302, 303, 304, 305, 306, 311, 400, 401, 402, 403, 404, 413,
    ];
    let reached: Vec<u16> = counts.keys().copied().collect();
    assert_eq!(reached, expected, "{counts:?}");
    assert!(counts[&0] > 1_000, "{counts:?}");
}
