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
use chain_state::{Location, OrderRecord, OrderStatus, Overlay, check_timely};
use chain_types::{
    Digest, Flags, MerchantId, Outcome, Participant, ParticipantId, RechargeItem, Rejection, Roles,
};

use crate::booking;
use crate::risk::{self, Verdict};

/// Submits one order.
pub(crate) fn submit(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &RechargeItem,
    leaf: &Digest,
    location: Location,
) -> Outcome {
    let id = item.order_id();
    if !id.is_uuid_v7() {
        return Rejection::OrderIdInvalid.into();
    }
    let form = check_form(item);
    if let Err(untimely) = check_timely(overlay.state().parameters(), id, overlay.time()) {
        return form.err().unwrap_or(untimely).into();
    }
    if let Some(known) = overlay.order(&id) {
        if known.fingerprint == fingerprint(leaf) {
            return Outcome::REPEATED;
        }
        return form.err().unwrap_or(Rejection::OrderConflict).into();
    }
    let result = form
        .and_then(|()| check_parties(overlay, submitter, item))
        .and_then(|()| risk::check(overlay, item))
        .and_then(|(verdict, policies)| match verdict {
            Verdict::Pass => booking::enter(overlay, submitter.id, item, &policies),
            Verdict::Hold => Ok((Outcome::HELD, OrderStatus::Held)),
        });
    let (outcome, status) = match result {
        Ok(entered) => entered,
        Err(rejection) => (rejection.into(), OrderStatus::Rejected),
    };
    if status == OrderStatus::Held {
        risk::hold(overlay, submitter.id, item);
    }
    overlay.insert_order(id, OrderRecord::new(location, leaf, outcome, status));
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
pub(crate) fn check_parties(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    item: &RechargeItem,
) -> Result<(), Rejection> {
    let state = overlay.state();
    if item.amount.get() == 0 {
        return Err(Rejection::AmountZero);
    }
    if item.amount.get() > state.parameters().order_amount_max {
        return Err(Rejection::AmountTooLarge);
    }
    if state.currencies().binary_search(&item.currency()).is_err() {
        return Err(Rejection::CurrencyUnsupported);
    }
    if state.currencies().binary_search(&item.payout_currency()).is_err() {
        return Err(Rejection::CurrencyUnsupported);
    }
    let is_converted = item.payout_currency() != item.currency();
    let has_minimum = item.payout_minimum.get() != 0;
    if item.quote().is_some() != is_converted || (has_minimum && !is_converted) {
        return Err(Rejection::ConversionUnavailable);
    }
    let paying = check_merchant(overlay, item.merchant())?;
    let collecting = item.collecting_gateway();
    let gateway = state.participant(collecting).filter(|found| found.roles.any_of(Roles::GATEWAY));
    let gateway = gateway.ok_or(Rejection::GatewayUnknown)?;
    if gateway.suspended || state.participant(paying).is_none_or(|found| found.suspended) {
        return Err(Rejection::GatewaySuspended);
    }
    let is_own = submitter.id == collecting;
    if !is_own && (item.is_collected() || !submitter.roles.any_of(Roles::RECHARGE_SERVICE)) {
        return Err(Rejection::NotCollectingGateway);
    }
    Ok(())
}

/// The gateway that pays a merchant who may receive orders.
fn check_merchant(overlay: &Overlay<'_>, id: MerchantId) -> Result<ParticipantId, Rejection> {
    let merchant = overlay.state().merchant(id).ok_or(Rejection::MerchantUnknown)?;
    if merchant.suspended {
        return Err(Rejection::MerchantSuspended);
    }
    Ok(merchant.payout_gateway)
}
