//! Reversals that what was told allows: what was told as collected is taken back only with the
//! other side's word, or within a grace that the chain states.
//!
//! Operation: [`consent`], by the service that submitted a collected order, or by the gateway that
//! pays its merchant: while the order's window is open, the collecting gateway may reverse the
//! order up to an amount in all.
//!
//! Rules, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the amount is not zero
//! (206); the order is known (300) and was collected (321), in an earlier block (327); its window
//! is open (331); the submitter is one of the two parties, and not of the collecting gateway's
//! legal entity (332); the amount is not more than the order's (320); the party has not consented
//! to as much already (repeated) or to more (333), nor to too many orders of the window (334).
//!
//! Records: how much each party consented to, until the window closes.
//!
//! Always: a consent says how much of the order may have gone back in all, so that it is used up by
//! the returns themselves, and the same word once more changes nothing.

use chain_state::{History, Overlay, PastCollection};
use chain_types::{
    Amount, BatchKind, ConsentItem, OrderId, Outcome, Participant, ParticipantId, RechargeItem,
    Rejection,
};

use crate::periods::{self, Period};
use crate::{collected, separation};

/// To how many orders of one window a party consents at most.
pub(crate) const CONSENTS_MAX: u32 = 10_000;

/// A party of the other side lets the collecting gateway reverse an order.
pub(crate) fn consent(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ConsentItem,
    history: &dyn History,
) -> Outcome {
    match check(overlay, submitter, item, history) {
        Ok(()) => {
            overlay.tables().consents().put((submitter.id, item.order_id()), item.amount());
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ConsentItem,
    history: &dyn History,
) -> Result<(), Outcome> {
    let id = item.order_id();
    check_form(item)?;
    let record = collected::find(overlay, id, history)?;
    if record.status_height == overlay.height() {
        return Err(Rejection::OrderFresh.into());
    }
    let past = history.collected(&record).ok_or(Rejection::OrderNotCollected)?;
    if past.collection.window != overlay.window().id {
        return Err(Rejection::ConsentClosed.into());
    }
    if !parties(overlay, &past.item).contains(&submitter.id)
        || !may_consent(overlay, submitter, &past.item)
    {
        return Err(Rejection::NotConsentParty.into());
    }
    if item.amount() > past.item.amount() {
        return Err(Rejection::ReturnExceeded.into());
    }
    let before = overlay.tables().consents().get(&(submitter.id, id)).copied();
    match before {
        Some(before) if before == item.amount() => return Err(Outcome::REPEATED),
        Some(before) if before > item.amount() => return Err(Rejection::ConsentHigher.into()),
        Some(_) => return Ok(()),
        None => {}
    }
    let count = overlay.tables().consent_counts().get(&submitter.id).copied().unwrap_or_default();
    if count >= CONSENTS_MAX {
        return Err(Rejection::ConsentsTooMany.into());
    }
    overlay.tables().consent_counts().put(submitter.id, count + 1);
    Ok(())
}

fn check_form(item: &ConsentItem) -> Result<(), Rejection> {
    if !item.order_id().is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid);
    }
    if item.spare != [0; 8] {
        return Err(Rejection::SpareNotZero);
    }
    if item.amount.get() == 0 { Err(Rejection::AmountZero) } else { Ok(()) }
}

/// The parties besides the collecting gateway who were told of an order: whoever submitted it, and
/// the gateway that pays its merchant now.
fn parties(overlay: &Overlay<'_>, order: &RechargeItem) -> [ParticipantId; 2] {
    let service = order.order_id().owner();
    let merchant = overlay.state().merchant(order.merchant());
    [service, merchant.map_or(service, |found| found.payout_gateway)]
}

/// Returns true if a party may say such a word now, and is of the other side.
fn may_consent(overlay: &Overlay<'_>, party: &Participant, order: &RechargeItem) -> bool {
    let collecting = order.collecting_gateway();
    !party.suspended
        && party.roles.any_of(BatchKind::Consent.roles())
        && !separation::is_own_party(overlay.state(), party, collecting)
}

/// Checks that a gateway may take back an order of the open window, of which `after` has gone back
/// then. The paying gateway may, by its own word, if it is of another legal entity than the
/// collecting one. The collecting gateway's side may within its grace, or up to what a party of the
/// other side consented to.
pub(crate) fn check_reversal(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    order: &RechargeItem,
    collection: &PastCollection,
    after: u64,
) -> Result<(), Rejection> {
    let (state, id) = (overlay.state(), order.order_id());
    if !separation::is_own_party(state, submitter, order.collecting_gateway()) {
        return Ok(());
    }
    let grace_ms = periods::at(overlay, Period::ReversalGrace, collection.time);
    if overlay.time() <= collection.time.plus(grace_ms) {
        return Ok(());
    }
    let is_agreed = parties(overlay, order).into_iter().any(|party| {
        let may = state.participant(party).is_some_and(|found| may_consent(overlay, found, order));
        let consented = overlay.tables().consents().get(&(party, id)).copied();
        may && consented.is_some_and(|most| Amount::new(after) <= most)
    });
    if is_agreed { Ok(()) } else { Err(Rejection::ReversalUnagreed) }
}

/// Forgets every consent: the window of their orders is closed.
pub(crate) fn forget(overlay: &mut Overlay<'_>) {
    let tables = overlay.state().tables();
    let orders: Vec<(ParticipantId, OrderId)> = tables.consents.keys().copied().collect();
    for key in orders {
        overlay.tables().consents().remove(&key);
    }
    let counted: Vec<ParticipantId> = tables.consent_counts.keys().copied().collect();
    for party in counted {
        overlay.tables().consent_counts().remove(&party);
    }
}
