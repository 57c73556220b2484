//! The risk desk: policies, and decisions about what they hold.

use chain_types::operation::{HoldDecisionItem, PolicyItem};
use chain_types::{Decision, OrderId, PolicyScope, VerifiedBatch};
use rand::Rng as _;

use super::memory::Memory;
use super::moment::Moment;
use crate::setup::{CURRENCIES, DESK, GATEWAYS, MERCHANTS};

/// The most decisions of one batch.
const DECISIONS_MAX: usize = 12;

/// The desk sets a policy, or lifts it.
pub fn set_policy(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let scope = moment.pick(PolicyScope::ALL);
    let subject = match scope {
        PolicyScope::Scheme => 0,
        PolicyScope::Gateway => u64::from(moment.pick(&GATEWAYS).get()),
        PolicyScope::Merchant => moment.pick(&MERCHANTS).get(),
    };
    // Once in a while a limit that the scope has not.
    let is_scheme = (scope == PolicyScope::Scheme) != moment.one_in(10);
    let user_day_max = moment.pick(&[0, 0, 2_000_000]);
    let day_max = moment.pick(&[0, 0, 20_000_000]);
    let item = PolicyItem {
        scope: scope.number().into(),
        subject: subject.into(),
        currency: moment.pick(&CURRENCIES).get().into(),
        order_max: moment.pick(&[0, 0, 0, 240_000]).into(),
        user_day_max: (if is_scheme { user_day_max } else { 0 }).into(),
        day_max: (if is_scheme { 0 } else { day_max }).into(),
        hold_above: moment.pick(&[0, 90_000, 150_000]).into(),
        spare: [0; 20],
    };
    moment.sign(DESK, &[item])
}

/// The desk decides about what is held, and once in a while about what is not.
pub fn decide(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let held: Vec<OrderId> = moment.state.tables().held.keys().copied().collect();
    let mut ids = moment.some(held, DECISIONS_MAX);
    if moment.one_in(4) {
        ids.extend(memory.submitted.last());
    }
    let items: Vec<HoldDecisionItem> = ids
        .iter()
        .map(|id| {
            let refuses = moment.one_in(5);
            let decision = if refuses { Decision::Refuse } else { Decision::Approve };
            HoldDecisionItem {
                order_id: id.bytes(),
                decision: decision.number().into(),
                reason: moment.random.random_range(1..=4).into(),
                reference: [7; 32],
                spare: [0; 12],
            }
        })
        .collect();
    moment.sign(DESK, &items)
}
