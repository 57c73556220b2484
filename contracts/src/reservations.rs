//! Reserved orders: collection, void and expiry.
//!
//! Operations: [`collect`], by the collecting gateway until id time plus validity; [`void`], by
//! the submitter or the collecting gateway; [`expire`], by block time alone.
//!
//! Rules, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the order is known
//! (300), not rejected (301); not collected (302), voided (303) or expired (304), but the very
//! same step again is repeated; the submitter may take the step (214, 305); the reason has a
//! meaning (306); sums fit (216).
//!
//! Records: the order's new status and where it was set. A collection later than its part of the
//! deadline counts, and is a breach of the collecting gateway; so is an expiry.
//!
//! Always: an open reservation is pending on both its accounts by its amount, and ends once.

use chain_state::{
    AccountKey, CollectedOrder, EntryCause, Location, Movement, OrderStatus, Overlay, Reservation,
};
use chain_types::{CollectItem, OrderId, Outcome, Participant, Rejection, VoidItem, VoidReason};

use crate::sla;

/// The collecting gateway says that the user was debited.
pub(crate) fn collect(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &CollectItem,
    location: Location,
) -> Outcome {
    let id = item.order_id();
    let held = match find(overlay, id, item.spare == [0; 16], OrderStatus::Collected) {
        Ok(held) => held,
        Err(outcome) => return outcome,
    };
    if submitter.id != held.gateway {
        return Rejection::NotCollectingGateway.into();
    }
    let order = CollectedOrder {
        merchant: held.merchant,
        gateway: held.gateway,
        amount: held.amount,
        currency: held.currency,
        accepted: held.accepted,
    };
    let movement = movement(overlay, &held);
    if overlay.check_room(&order).is_err() || overlay.post_reserved(&movement).is_err() {
        return Rejection::AccountOverflow.into();
    }
    overlay.collect_in_window(&order);
    end(overlay, id, OrderStatus::Collected, Some(location));
    sla::note_collection(overlay, id, &held);
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
    if VoidReason::from_number(item.reason.get()).is_none() {
        return Rejection::ReasonUnknown.into();
    }
    let movement = movement(overlay, &held);
    overlay.release(&movement);
    end(overlay, id, OrderStatus::Voided, Some(location));
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
        let movement = movement(overlay, &held);
        overlay.release(&movement);
        end(overlay, id, OrderStatus::Expired, None);
        sla::note_expiry(overlay, id, &held);
    }
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
        return Err(Rejection::OrderUnknown.into());
    };
    if record.status == step {
        return Err(Outcome::REPEATED);
    }
    match record.status {
        OrderStatus::Rejected => Err(Rejection::OrderRejected.into()),
        OrderStatus::Collected => Err(Rejection::OrderCollected.into()),
        OrderStatus::Voided => Err(Rejection::OrderVoided.into()),
        OrderStatus::Expired => Err(Rejection::OrderExpired.into()),
        OrderStatus::Reserved => {
            let held = overlay.reservation(&id);
            assert!(held.is_some(), "order {id} is reserved and has no reservation");
            held.ok_or(Rejection::OrderUnknown.into())
        }
    }
}

fn movement(overlay: &mut Overlay<'_>, held: &Reservation) -> Movement {
    let debit = overlay.open(AccountKey::liquidity(held.gateway, held.currency));
    let credit = overlay.open(AccountKey::payable(held.merchant, held.currency));
    Movement::of_order(debit, credit, held.amount)
}

fn end(overlay: &mut Overlay<'_>, id: OrderId, status: OrderStatus, step: Option<Location>) {
    overlay.close_reservation(id);
    overlay.step_order(id, status, step);
}
