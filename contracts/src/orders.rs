//! Recharge orders: submission, in one step with the collection or as a reservation.
//!
//! Operation: [`submit`], by a recharge service or by the collecting gateway itself.
//!
//! Rules, in order: the id is a UUIDv7 (200); spare bytes are zero (201); flags have a meaning
//! (202); the id may commit at block time (203, 204); the same content was not seen before
//! (repeated), nor the same id with other content (205); amount (206, 207); currency (208, 209);
//! merchant (210, 211); gateways (212, 213); only the collecting gateway says that it collected,
//! and no gateway submits for another (214); liquidity (215); sums fit (216).
//!
//! Records: every new, timely id, with its outcome and the fingerprint of its content, so that
//! the same content always meets the same fate.
//!
//! Always: an order is debited from its collecting gateway and credited to its merchant in the
//! same movement, once; a refused order moves nothing.

use chain_state::records::fingerprint;
use chain_state::{
    AccountKey, CollectedOrder, Location, Movement, OrderRecord, OrderStatus, Overlay, Reservation,
    check_timely,
};
use chain_types::{
    Digest, Flags, MerchantId, Outcome, Participant, ParticipantId, RechargeItem, Rejection, Roles,
};

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
        .and_then(|()| book(overlay, submitter.id, item));
    let (outcome, status) = match result {
        Ok(status) => (Outcome::APPLIED, status),
        Err(rejection) => (rejection.into(), OrderStatus::Rejected),
    };
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

/// Everything that does not depend on balances.
fn check_parties(
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
    let is_converted = item.payout_currency() != item.currency()
        || item.fx_quote.get() != 0
        || item.payout_minimum.get() != 0;
    if is_converted {
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

/// Moves the money, posted or pending, if the collecting gateway has it.
fn book(
    overlay: &mut Overlay<'_>,
    submitter: ParticipantId,
    item: &RechargeItem,
) -> Result<OrderStatus, Rejection> {
    let order = CollectedOrder {
        merchant: item.merchant(),
        gateway: item.collecting_gateway(),
        amount: item.amount(),
        currency: item.currency(),
        accepted: overlay.time(),
    };
    let debit = overlay.open(AccountKey::liquidity(order.gateway, order.currency));
    if overlay.account(debit).available() < u128::from(order.amount.0) {
        return Err(Rejection::LiquidityExceeded);
    }
    let credit = overlay.open(AccountKey::payable(order.merchant, order.currency));
    let movement = Movement::of_order(debit, credit, order.amount);
    if item.is_collected() {
        overlay.check_room(&order).map_err(|_| Rejection::AccountOverflow)?;
        overlay.transfer(&movement).map_err(|_| Rejection::AccountOverflow)?;
        overlay.collect_in_window(&order);
        return Ok(OrderStatus::Collected);
    }
    overlay.reserve(&movement).map_err(|_| Rejection::AccountOverflow)?;
    let validity_ms = overlay.state().parameters().order_validity_ms;
    let reservation = Reservation {
        submitter,
        merchant: order.merchant,
        gateway: order.gateway,
        amount: order.amount,
        currency: order.currency,
        accepted: order.accepted,
        expires: item.order_id().time().plus(validity_ms),
    };
    overlay.open_reservation(item.order_id(), reservation);
    Ok(OrderStatus::Reserved)
}
