//! Lines: how much others may have reserved on a gateway's liquidity or an FX provider's position.
//!
//! Operation: [`set`], by whose account it is.
//!
//! Rules, in order: spare bytes are zero (201); the account is one that the submitter's roles give
//! it (512); the currency is the chain's (208); unless a line to the holder stands, the holder has
//! a role for it and is another (513); the same limit again, or the end of what is none, is
//! repeated; a new line fits the bound of those that one participant has given (514). Of a
//! reservation, see [`check`]: on the collecting gateway's line (235), on the provider's (236).
//!
//! Records: the line.
//!
//! Always: what is outstanding under a line is the sum of its holder's open reservations on the
//! account. A lowered or ended line frees nothing, and lets nothing new in above it.

use chain_state::{LineRecord, Overlay, Record, Reservation};
use chain_types::{
    Amount, LineAccount, LineItem, LineKey, Outcome, Participant, ParticipantId, Rejection,
};

use crate::booked_order::Booking;

/// The part of one line that a reservation takes.
#[derive(Debug, Clone, Copy)]
struct Use {
    key: LineKey,
    amount: Amount,
}

/// Returns the lines that an order's reservation takes of, each with the code of its refusal: the
/// collecting gateway's, and of a conversion the provider's. Nobody needs a line on its own
/// account.
fn uses(holder: ParticipantId, order: &Booking) -> impl Iterator<Item = (Use, Rejection)> {
    let (account, owner) = (LineAccount::GatewayLiquidity, order.gateway);
    let key = LineKey { account, owner, currency: order.currency, holder };
    let collected = (Use { key, amount: order.amount }, Rejection::LineExceeded);
    let delivered = order.conversion.map(|conversion| {
        let (account, owner) = (LineAccount::FxPosition, conversion.quote.provider());
        let key = LineKey { account, owner, currency: conversion.payout_currency, holder };
        (Use { key, amount: conversion.payout }, Rejection::ProviderLineExceeded)
    });
    let all = [Some(collected), delivered].into_iter().flatten();
    all.filter(move |(used, _)| used.key.owner != holder)
}

/// Checks that the lines have room for an order that is to be reserved.
pub(crate) fn check(
    overlay: &mut Overlay<'_>,
    holder: ParticipantId,
    order: &Booking,
) -> Result<(), Rejection> {
    for (Use { key, amount }, rejection) in uses(holder, order) {
        let tables = overlay.tables();
        let line = tables.lines().get(&key).copied().ok_or(rejection)?;
        let sum = line.outstanding.get().checked_add(amount.get());
        if sum.is_none_or(|sum| sum > line.limit.get()) {
            return Err(rejection);
        }
    }
    Ok(())
}

/// Counts a reservation that [`check`] let pass.
pub(crate) fn take(overlay: &mut Overlay<'_>, holder: ParticipantId, order: &Booking) {
    for (Use { key, amount }, _) in uses(holder, order) {
        change(overlay, key, |outstanding| outstanding.saturating_add(amount.get()));
    }
}

/// Counts a reservation no longer: it was collected, voided or expired.
pub(crate) fn free(overlay: &mut Overlay<'_>, held: &Reservation) {
    for (Use { key, amount }, _) in uses(held.submitter, &Booking::reserved(held)) {
        change(overlay, key, |outstanding| {
            assert!(outstanding >= amount.get(), "{key:?}: more is freed than was reserved");
            outstanding.saturating_sub(amount.get())
        });
    }
}

fn change(overlay: &mut Overlay<'_>, key: LineKey, change: impl FnOnce(u64) -> u64) {
    let Some(line) = overlay.tables().lines().get(&key).copied() else {
        panic!("{key:?}: something is reserved and there is no line")
    };
    put(overlay, LineRecord { outstanding: Amount::new(change(line.outstanding.get())), ..line });
}

/// Keeps a line that is in the table; one that is ended only while something is reserved under it.
fn put(overlay: &mut Overlay<'_>, line: LineRecord) {
    if line.limit.get() > 0 || line.outstanding.get() > 0 {
        overlay.tables().lines().put(line.key, line);
        return;
    }
    overlay.tables().lines().remove(&line.key);
    overlay.tables().lines_of_holders().remove(&(line.key.holder, line.key));
    let count = count_of(overlay, line.key.owner).saturating_sub(1);
    let mut counts = overlay.tables().line_counts();
    if count == 0 {
        counts.remove(&line.key.owner);
    } else {
        counts.put(line.key.owner, count);
    }
}

fn count_of(overlay: &mut Overlay<'_>, owner: ParticipantId) -> u32 {
    overlay.tables().line_counts().get(&owner).copied().unwrap_or_default()
}

/// A gateway or FX provider says how much a participant may have reserved on its account.
pub(crate) fn set(overlay: &mut Overlay<'_>, submitter: &Participant, item: &LineItem) -> Outcome {
    match check_line(overlay, submitter, item) {
        Ok(line) => {
            let is_new = overlay.tables().lines().get(&line.key).is_none();
            if is_new {
                let count = count_of(overlay, submitter.id) + 1;
                overlay.tables().line_counts().put(submitter.id, count);
                overlay.tables().lines_of_holders().put((line.key.holder, line.key), ());
            }
            put(overlay, line);
            overlay.record(Record::Line(line));
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_line(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &LineItem,
) -> Result<LineRecord, Outcome> {
    if item.spare != [0; 48] {
        return Err(Rejection::SpareNotZero.into());
    }
    let account = LineAccount::from_number(item.account.get());
    let account = account.filter(|account| submitter.roles.any_of(account.owner_role()));
    let account = account.ok_or(Rejection::LineAccountUnsuited)?;
    let (state, currency, holder) = (overlay.state(), item.currency(), item.holder());
    if state.currencies().binary_search(&currency).is_err() {
        return Err(Rejection::CurrencyUnsupported.into());
    }
    let key = LineKey { account, owner: submitter.id, currency, holder };
    let (limit, since) = (item.limit(), overlay.time());
    let Some(known) = overlay.tables().lines().get(&key).copied() else {
        let found = state.participant(holder).filter(|_| holder != submitter.id);
        if !found.is_some_and(|found| found.roles.any_of(account.holder_roles())) {
            return Err(Rejection::LineHolderUnsuited.into());
        }
        if limit.get() == 0 {
            return Err(Outcome::REPEATED);
        }
        if count_of(overlay, submitter.id) as usize >= state.bounds().lines {
            return Err(Rejection::LinesTooMany.into());
        }
        return Ok(LineRecord { key, limit, outstanding: Amount::new(0), since });
    };
    if known.limit == limit {
        return Err(Outcome::REPEATED);
    }
    Ok(LineRecord { limit, since, ..known })
}
