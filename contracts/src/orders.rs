//! Recharge orders: submission, in one step with the collection or as a reservation.
//!
//! Operation: [`submit`], by a recharge service or by the collecting gateway itself.
//!
//! Rules, in order: the id is a UUIDv7 (200); only the collecting gateway says that it collected,
//! and no gateway submits for another (214); the id is the submitter's own (240); the same content
//! was not seen before (its refusal again, held, or repeated), nor the same id with other content
//! (201, 202, 205); spare bytes are zero (201); flags have a meaning (202); the id may commit at
//! block time (203, 204); amount (206, 207); currency (208, 209); merchant (210, 211); gateways
//! (212, 213); the submitter once more, for a released hold (214); limits (217 to 220) and holds,
//! see [`crate::risk`]; conversion (222 to 234), see [`crate::fx`]; lines (235, 236) of what is
//! reserved, see [`crate::lines`]; liquidity (215); sums fit (216).
//!
//! Records: every new, timely id of the submitter's own, with its outcome and the fingerprint of
//! its content, so that the same content always meets the same fate. Who may not use an id (200,
//! 214, 240) leaves nothing.
//!
//! Always: an order is debited from its collecting gateway and credited to its merchant in the
//! same movement, once; a refused order moves nothing.

use chain_state::records::fingerprint;
use chain_state::{ExpectedOrder, Location, OrderRecord, OrderStatus, Overlay, check_timely};
use chain_types::{Digest, Flags, OrderId, Outcome, Participant, RechargeItem, Rejection, Roles};

use crate::booking;
use crate::lane::Lane;
use crate::risk::{self, Verdict};

/// Submits one order, of which `expected` was found ahead, in its `lane`.
pub(crate) fn submit<'a>(
    overlay: &mut Overlay<'a>,
    submitter: &Participant,
    item: &RechargeItem,
    leaf: &Digest,
    location: Location,
    expected: &ExpectedOrder,
    lane: &mut Lane<'a>,
) -> Outcome {
    let id = item.order_id();
    if let Err(refused) = check_owner(submitter, item) {
        return refused.into();
    }
    if let Some(known) = overlay.expected_order(&id, expected) {
        if known.fingerprint == fingerprint(leaf) {
            return again(&known);
        }
        return check_form(item).err().unwrap_or(Rejection::OrderConflict).into();
    }
    let form = check_form(item);
    if let Err(untimely) = check_timely(overlay.state().parameters(), id, overlay.time()) {
        return form.err().unwrap_or(untimely).into();
    }
    let result = form
        .and_then(|()| check_parties(overlay, submitter, item, lane))
        .and_then(|()| risk::check(overlay, item, lane))
        .and_then(|verdict| match verdict {
            Verdict::Pass => booking::enter(overlay, submitter.id, item, lane),
            Verdict::Hold => Ok((Outcome::HELD, OrderStatus::Held)),
        });
    let (outcome, status) = match result {
        Ok(entered) => entered,
        Err(rejection) => (rejection.into(), OrderStatus::Rejected),
    };
    if status == OrderStatus::Held {
        risk::hold(overlay, submitter.id, item);
    }
    overlay.insert_order(id, expected, OrderRecord::new(location, leaf, outcome, status));
    outcome
}

/// Checks that the submitter may use the id at all: a party that may not leaves no trace of it.
fn check_owner(submitter: &Participant, item: &RechargeItem) -> Result<(), Rejection> {
    if !item.order_id().is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid);
    }
    check_submitter(submitter, item)?;
    if item.order_id().owner() != submitter.id {
        return Err(Rejection::OrderIdForeign);
    }
    Ok(())
}

/// Returns the outcome of the same order once more: its refusal, if it was refused, at once or
/// after a hold; held, as long as it is; else repeated.
fn again(known: &OrderRecord) -> Outcome {
    match known.status {
        OrderStatus::Rejected | OrderStatus::Held => known.outcome,
        OrderStatus::Refused => Rejection::OrderRefused.into(),
        OrderStatus::Reserved
        | OrderStatus::Debiting
        | OrderStatus::Collected
        | OrderStatus::Voided
        | OrderStatus::Expired => Outcome::REPEATED,
    }
}

/// Why a step finds no order: there was none yet, or its id is so old that no block knows.
pub(crate) fn unknown(overlay: &Overlay<'_>, id: OrderId) -> Rejection {
    match check_timely(overlay.state().parameters(), id, overlay.time()) {
        Err(Rejection::OrderIdExpired) => Rejection::OrderTooOld,
        _ => Rejection::OrderUnknown,
    }
}

/// A recharge service submits what others collect; a gateway only what it collects itself.
fn check_submitter(submitter: &Participant, item: &RechargeItem) -> Result<(), Rejection> {
    let is_own = submitter.id == item.collecting_gateway();
    if !is_own && (item.is_collected() || !submitter.roles.any_of(Roles::RECHARGE_SERVICE)) {
        return Err(Rejection::NotCollectingGateway);
    }
    Ok(())
}

fn check_form(item: &RechargeItem) -> Result<(), Rejection> {
    if item.spare != [0; 6] {
        return Err(Rejection::SpareNotZero);
    }
    if item.flags.get() & !Flags::KNOWN != 0 {
        return Err(Rejection::FlagsUnknown);
    }
    Ok(())
}

/// Everything that does not depend on limits and balances. A released hold passes it again.
pub(crate) fn check_parties<'a>(
    overlay: &Overlay<'a>,
    submitter: &Participant,
    item: &RechargeItem,
    lane: &mut Lane<'a>,
) -> Result<(), Rejection> {
    let parameters = overlay.state().parameters();
    if item.amount.get() == 0 {
        return Err(Rejection::AmountZero);
    }
    if item.amount.get() > parameters.order_amount_max {
        return Err(Rejection::AmountTooLarge);
    }
    lane.check_currencies(overlay)?;
    let is_converted = item.payout_currency() != item.currency();
    let has_minimum = item.payout_minimum.get() != 0;
    if item.quote().is_some() != is_converted || (has_minimum && !is_converted) {
        return Err(Rejection::ConversionUnavailable);
    }
    lane.check_parties(overlay)?;
    check_submitter(submitter, item)
}
