//! Holds: a risk desk decides about the orders that wait for it.
//!
//! Operations: [`decide`], by a risk desk; [`expire`], by block time alone.
//!
//! Rules of a decision, in order: the id is a UUIDv7 (200), spare bytes are zero (201), decision
//! (310) and reason (306) have a meaning, the order is known (300, 311) and held (308), but the
//! same decision again is repeated; it is not of the desk's own legal entity (117); a release
//! passes the rules of its submission again.
//!
//! Always: what is held is not in the books, and is decided by the end of its id's validity.

use chain_state::{EntryCause, HeldOrder, Location, OrderStatus, Overlay};
use chain_types::{
    Decision, HoldDecisionItem, HoldReason, Outcome, Participant, RechargeItem, Rejection,
};
use zerocopy::FromBytes;

use crate::lane::{Lane, LaneKey};
use crate::{booking, orders, risk, separation};

/// Longer than any window is open: its bound, and a day in which no block came.
const WINDOW_MS_MAX: u64 = 2 * 86_400_000;

/// A risk desk releases or refuses a held order.
pub(crate) fn decide(
    overlay: &mut Overlay<'_>,
    desk: &Participant,
    item: &HoldDecisionItem,
    location: Location,
) -> Outcome {
    let id = item.order_id();
    if !id.is_uuid_v7() {
        return Rejection::OrderIdInvalid.into();
    }
    if item.spare != [0; 12] {
        return Rejection::SpareNotZero.into();
    }
    let Some(decision) = Decision::from_number(item.decision.get()) else {
        return Rejection::DecisionUnknown.into();
    };
    if HoldReason::from_number(item.reason.get()).is_none() {
        return Rejection::ReasonUnknown.into();
    }
    let Some(record) = overlay.order(&id) else {
        return orders::unknown(overlay, id).into();
    };
    let Some(held) = overlay.tables().held().get(&id).copied() else {
        let was_held = record.outcome == Outcome::HELD;
        let is_refused = record.status == OrderStatus::Refused;
        let by_desk = record.status_location != record.location;
        let is_same = match decision {
            Decision::Approve => was_held && !is_refused,
            Decision::Refuse => was_held && is_refused && by_desk,
        };
        return if is_same { Outcome::REPEATED } else { Rejection::OrderNotHeld.into() };
    };
    let order = order_of(&held);
    if let Err(own) = separation::check_order(overlay.state(), desk, held.submitter, &order) {
        return own.into();
    }
    let result = match decision {
        Decision::Refuse => Ok((Outcome::APPLIED, OrderStatus::Refused)),
        Decision::Approve => release(overlay, &held),
    };
    match result {
        Ok((outcome, status)) => {
            overlay.tables().held().remove(&id);
            overlay.step_order(id, status, Some(location));
            if decision == Decision::Approve {
                // Its clock began now, and not with its submission.
                let time = overlay.time();
                overlay.tables().hold_releases().put(id, time);
            }
            outcome
        }
        Err(rejection) => rejection.into(),
    }
}

/// Runs a held order's submission again, as its submitter, without the hold.
fn release(
    overlay: &mut Overlay<'_>,
    held: &HeldOrder,
) -> Result<(Outcome, OrderStatus), Rejection> {
    let item = order_of(held);
    let submitter = overlay.state().participant(held.submitter);
    let submitter =
        submitter.filter(|found| !found.suspended).ok_or(Rejection::SubmitterSuspended)?;
    let mut lane = Lane::new(LaneKey::of(&item));
    orders::check_parties(overlay, submitter, &item, &mut lane)?;
    risk::check(overlay, &item, &mut lane)?;
    overlay.begin(EntryCause::Order(item.order_id()));
    let entered = booking::enter(overlay, held.submitter, &item, &mut lane);
    lane.keep_promised(overlay);
    entered
}

/// Refuses held orders whose id's validity is over at block time.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let validity_ms = overlay.state().parameters().order_validity_ms;
    let time = overlay.time();
    let held = overlay.state().tables().held.keys();
    let over: Vec<_> = held.copied().take_while(|id| id.time().plus(validity_ms) < time).collect();
    for id in over {
        overlay.tables().held().remove(&id);
        overlay.step_order(id, OrderStatus::Refused, None);
    }
    // Collected by now, if at all, and in a window that is closed.
    let kept_ms = validity_ms.saturating_add(WINDOW_MS_MAX);
    let released = overlay.state().tables().hold_releases.keys();
    let over: Vec<_> = released.copied().take_while(|id| id.time().plus(kept_ms) < time).collect();
    for id in over {
        overlay.tables().hold_releases().remove(&id);
    }
}

/// The order that a hold keeps.
fn order_of(held: &HeldOrder) -> RechargeItem {
    match RechargeItem::read_from_bytes(&held.item) {
        Ok(item) => item,
        Err(_) => unreachable!("a held order has the length of an order"),
    }
}
