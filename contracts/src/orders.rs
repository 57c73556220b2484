//! Recharge orders: submission, in one step with the collection or as a reservation.
//!
//! Operation: [`submit`], by a recharge service or by the collecting gateway itself.
//!
//! Rules, in order: the id is a UUIDv7 (200); spare bytes are zero (201); flags have a meaning
//! (202); the id may commit at block time (203, 204); the same content was not seen before
//! (repeated), nor the same id with other content (205); amount (206, 207); currency (208, 209);
//! merchant (210, 211); gateways (212, 213); only the collecting gateway says that it collected,
//! and no gateway submits for another (214); limits (217 to 220) and holds, see [`crate::risk`];
//! conversion (222 to 232), see [`crate::fx`]; liquidity (215); sums fit (216).
//!
//! Records: every new, timely id, with its outcome and the fingerprint of its content, so that
//! the same content always meets the same fate.
//!
//! Always: an order is debited from its collecting gateway and credited to its merchant in the
//! same movement, once; a refused order moves nothing.

use chain_state::records::fingerprint;
use chain_state::{ExpectedOrder, Location, OrderRecord, OrderStatus, Overlay, check_timely};
use chain_types::{Digest, Flags, Outcome, Participant, RechargeItem, Rejection, Roles};

use crate::booking;
use crate::lane::{Lane, LaneKey};
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
    if !id.is_uuid_v7() {
        return Rejection::OrderIdInvalid.into();
    }
    let form = check_form(item);
    if let Err(untimely) = check_timely(overlay.state().parameters(), id, overlay.time()) {
        return form.err().unwrap_or(untimely).into();
    }
    if let Some(known) = overlay.expected_order(&id, expected) {
        if known.fingerprint == fingerprint(leaf) {
            return Outcome::REPEATED;
        }
        return form.err().unwrap_or(Rejection::OrderConflict).into();
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
    let is_own = submitter.id == item.collecting_gateway();
    if !is_own && (item.is_collected() || !submitter.roles.any_of(Roles::RECHARGE_SERVICE)) {
        return Err(Rejection::NotCollectingGateway);
    }
    Ok(())
}

/// Whether the chain has both currencies of a lane.
pub(crate) fn check_currencies(overlay: &Overlay<'_>, lane: &LaneKey) -> Result<(), Rejection> {
    let currencies = overlay.state().currencies();
    let is_known = |currency| currencies.binary_search(currency).is_ok();
    if is_known(&lane.currency) && is_known(&lane.payout_currency) {
        Ok(())
    } else {
        Err(Rejection::CurrencyUnsupported)
    }
}

/// Whether a lane's merchant, collecting and paying gateway may have orders.
pub(crate) fn check_lane(overlay: &Overlay<'_>, lane: &LaneKey) -> Result<(), Rejection> {
    let state = overlay.state();
    let merchant = state.merchant(lane.merchant).ok_or(Rejection::MerchantUnknown)?;
    if merchant.suspended {
        return Err(Rejection::MerchantSuspended);
    }
    let gateway = state.participant(lane.gateway);
    let gateway = gateway.filter(|found| found.roles.any_of(Roles::GATEWAY));
    let gateway = gateway.ok_or(Rejection::GatewayUnknown)?;
    let paying = state.participant(merchant.payout_gateway);
    if gateway.suspended || paying.is_none_or(|found| found.suspended) {
        return Err(Rejection::GatewaySuspended);
    }
    Ok(())
}
