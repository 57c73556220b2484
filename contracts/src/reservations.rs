//! Reserved orders: collection, void and expiry.
//!
//! Operations: [`collect`], by the collecting gateway until id time plus validity, and no longer
//! than it may hold money, or a quote; [`debit`], by which that gateway says beforehand that it
//! debits the user; [`void`], by the collecting gateway, and by the submitter as long as the user
//! is not being debited; [`expire`], by block time alone.
//!
//! Rules, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the order is known (300,
//! or 311 when its id is so old that it may be forgotten), not rejected (301); not collected (302),
//! voided (303), expired (304), held (307) or refused (309), but the very same step again is
//! repeated; the submitter may take the step (214, 305), also while the user is being debited
//! (312); the reason has a meaning (306); sums fit (216).
//!
//! Records: the order's new status and where it was set; a collection counts for cashback. A
//! collection later than its part of the deadline counts, and is a breach of the collecting
//! gateway; so is an expiry, unless the reservation ended before that part of the deadline and the
//! user was not being debited. A void is none.
//!
//! Always: an open reservation is pending on both its accounts by its amount, and ends once.

use chain_state::{EntryCause, Location, OrderStatus, Overlay, Reservation};
use chain_types::{
    CollectItem, DebitingItem, OrderId, Outcome, Participant, Rejection, VoidItem, VoidReason,
};

use crate::booked_order::Booking;
use crate::lane::Lanes;
use crate::{booking, lines, orders, sla};

/// The collecting gateway says that the user was debited.
pub(crate) fn collect<'a>(
    overlay: &mut Overlay<'a>,
    submitter: &Participant,
    item: &CollectItem,
    location: Location,
    lanes: &mut Lanes<'a>,
) -> Outcome {
    let id = item.order_id();
    let held = match find(overlay, id, item.spare == [0; 16], OrderStatus::Collected) {
        Ok(held) => held,
        Err(outcome) => return outcome,
    };
    if submitter.id != held.gateway {
        return Rejection::NotCollectingGateway.into();
    }
    match booking::collect(overlay, &Booking::reserved(&held), lanes) {
        Ok(outcome) => {
            lines::free(overlay, &held);
            overlay.close_reservation(id);
            overlay.step_order(id, OrderStatus::Collected, Some(location));
            sla::note_collection(overlay, id, &held);
            outcome
        }
        Err(rejection) => rejection.into(),
    }
}

/// The collecting gateway says that it debits the user: the money stays pending.
pub(crate) fn debit(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &DebitingItem,
    location: Location,
) -> Outcome {
    let id = item.order_id();
    let held = match find(overlay, id, item.spare == [0; 16], OrderStatus::Debiting) {
        Ok(held) => held,
        Err(outcome) => return outcome,
    };
    if submitter.id != held.gateway {
        return Rejection::NotCollectingGateway.into();
    }
    overlay.step_order(id, OrderStatus::Debiting, Some(location));
    Outcome::APPLIED
}

/// The submitter or the collecting gateway gives the order up.
pub(crate) fn void(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &VoidItem,
    location: Location,
) -> Outcome {
    let id = item.order_id();
    let held = match find(overlay, id, item.spare == [0; 14], OrderStatus::Voided) {
        Ok(held) => held,
        Err(outcome) => return outcome,
    };
    if submitter.id != held.gateway && submitter.id != held.submitter {
        return Rejection::NotOrderParty.into();
    }
    if submitter.id != held.gateway && is_debiting(overlay, id) {
        return Rejection::OrderDebiting.into();
    }
    if VoidReason::from_number(item.reason.get()).is_none() {
        return Rejection::ReasonUnknown.into();
    }
    booking::release(overlay, id, &held);
    overlay.step_order(id, OrderStatus::Voided, Some(location));
    Outcome::APPLIED
}

/// Releases every reservation whose validity is over at block time.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let expired = overlay.state().expired_reservations(overlay.time());
    if expired.is_empty() {
        return;
    }
    overlay.begin(EntryCause::Expiry);
    for (id, held) in expired {
        let was_debiting = is_debiting(overlay, id);
        booking::release(overlay, id, &held);
        overlay.step_order(id, OrderStatus::Expired, None);
        sla::note_expiry(overlay, id, &held, was_debiting);
    }
}

/// Returns true if the collecting gateway said that it debits the user of a reserved order.
fn is_debiting(overlay: &Overlay<'_>, id: OrderId) -> bool {
    overlay.order(&id).is_some_and(|record| record.status == OrderStatus::Debiting)
}

/// The open reservation that a step is about; otherwise the step's outcome. `step` is the status
/// that the step would set.
fn find(
    overlay: &Overlay<'_>,
    id: OrderId,
    is_spare_zero: bool,
    step: OrderStatus,
) -> Result<Reservation, Outcome> {
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid.into());
    }
    if !is_spare_zero {
        return Err(Rejection::SpareNotZero.into());
    }
    let Some(record) = overlay.order(&id) else {
        return Err(orders::unknown(overlay, id).into());
    };
    if record.status == step {
        return Err(Outcome::REPEATED);
    }
    match record.status {
        OrderStatus::Rejected => Err(Rejection::OrderRejected.into()),
        OrderStatus::Collected => Err(Rejection::OrderCollected.into()),
        OrderStatus::Voided => Err(Rejection::OrderVoided.into()),
        OrderStatus::Expired => Err(Rejection::OrderExpired.into()),
        OrderStatus::Held => Err(Rejection::OrderHeld.into()),
        OrderStatus::Refused => Err(Rejection::OrderRefused.into()),
        OrderStatus::Reserved | OrderStatus::Debiting => {
            let Some(held) = overlay.reservation(&id) else {
                panic!("order {id} is reserved and has no reservation")
            };
            Ok(held)
        }
    }
}
