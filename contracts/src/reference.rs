//! The reference rate of a pair: what quotes are judged against, and what no one provider sets.
//!
//! Of a pair: the median of the fresh rates of active providers, one a provider; of an even number
//! the lower of the middle two. Of a quote: the median of the fresh rates of the others; where
//! their number is even, the provider's own fresh rate, if there is one, breaks the tie.
//!
//! Rules, in order: as many providers as it takes have published a rate of the pair (232), and as
//! many of these are fresh (226); the reference is less than a step away from the confirmed level
//! (234).
//!
//! Records: the confirmed level of each pair, and a step that waits. Every rate that is published
//! moves them, and nothing else does. The level follows the pair's reference by less than a step,
//! and not again before the time of confirmation has passed. A reference that is further away
//! waits: the level follows once the reference has kept to within a step of it for that time.
//!
//! Always: one provider among three moves the reference no further than to another one's rate, and
//! however many move it, it does not move by a step and more before the time of confirmation.

use chain_state::{Overlay, RateRecord, ReferenceRecord, ReferenceStep, State};
use chain_types::{Currency, ParticipantId, Rate, Rejection, Roles, TimeMs};

/// A pair of currencies: collected and paid out.
type Pair = (Currency, Currency);

/// The reference for a quote of a provider.
pub(crate) fn of_quote(
    overlay: &mut Overlay<'_>,
    pair: Pair,
    provider: ParticipantId,
) -> Result<Rate, Rejection> {
    let fresh = fresh(overlay, pair)?;
    let own = fresh.iter().find(|(of, _)| *of == provider).map(|(_, rate)| *rate);
    let others = fresh.iter().filter(|(of, _)| *of != provider);
    let mut judges: Vec<Rate> = others.map(|(_, rate)| *rate).collect();
    if judges.len().is_multiple_of(2) {
        judges.extend(own);
    }
    confirmed(overlay, pair, median(judges))
}

/// The reference of a pair.
fn of_pair(overlay: &mut Overlay<'_>, pair: Pair) -> Result<Option<Rate>, Rejection> {
    let fresh = fresh(overlay, pair)?;
    Ok(median(fresh.into_iter().map(|(_, rate)| rate).collect()))
}

/// The fresh rates of a pair, if they are enough.
fn fresh(overlay: &mut Overlay<'_>, pair: Pair) -> Result<Vec<(ParticipantId, Rate)>, Rejection> {
    let least = overlay.state().parameters().rates_min as usize;
    let first = (pair.0, pair.1, ParticipantId::new(0));
    let last = (pair.0, pair.1, ParticipantId::new(u32::MAX));
    let rates = overlay.tables().rates();
    let published = rates.range(first..=last).map(|((.., provider), record)| (*provider, *record));
    let published: Vec<(ParticipantId, RateRecord)> = published.collect();
    if published.len() < least {
        return Err(Rejection::RatesTooFew);
    }
    let fresh: Vec<(ParticipantId, Rate)> = published
        .into_iter()
        .filter(|(_, record)| is_fresh_in(overlay, record))
        .map(|(provider, record)| (provider, record.rate))
        .collect();
    if fresh.len() < least {
        return Err(Rejection::RatesStale);
    }
    Ok(fresh)
}

/// The median; of an even number the lower of the middle two.
fn median(mut rates: Vec<Rate>) -> Option<Rate> {
    rates.sort_by(|one, other| one.compare(*other));
    rates.get(rates.len().checked_sub(1)? / 2).copied()
}

/// The reference, if it is less than a step away from the confirmed level.
fn confirmed(
    overlay: &mut Overlay<'_>,
    pair: Pair,
    reference: Option<Rate>,
) -> Result<Rate, Rejection> {
    let step = overlay.state().parameters().reference_step_per_mille;
    let reference = reference.ok_or(Rejection::RatesStale)?;
    let known = overlay.tables().references().get(&pair).copied();
    let is_confirmed = known.is_some_and(|known| !reference.drifts(known.level, step));
    is_confirmed.then_some(reference).ok_or(Rejection::ReferenceUnconfirmed)
}

/// Moves the confirmed level, or a step that waits, after a rate of the pair was published.
pub(crate) fn follow(overlay: &mut Overlay<'_>, pair: Pair) {
    let Ok(Some(reference)) = of_pair(overlay, pair) else { return };
    let (time, parameters) = (overlay.time(), overlay.state().parameters());
    let (step, confirm_ms) = (parameters.reference_step_per_mille, parameters.reference_confirm_ms);
    let known = overlay.tables().references().get(&pair).copied();
    let next = match known {
        None => ReferenceRecord { level: reference, since: time, step: None },
        Some(known) => followed(known, reference, time, (step, confirm_ms)),
    };
    if known != Some(next) {
        overlay.tables().references().put(pair, next);
    }
}

fn followed(
    known: ReferenceRecord,
    reference: Rate,
    time: TimeMs,
    (step, confirm_ms): (u32, u64),
) -> ReferenceRecord {
    let has_passed = |since: TimeMs| since.plus(confirm_ms) <= time;
    let followed = ReferenceRecord { level: reference, since: time, step: None };
    let waiting = ReferenceStep { level: reference, since: time };
    match known.step {
        _ if !reference.drifts(known.level, step) => {
            if has_passed(known.since) {
                followed
            } else {
                ReferenceRecord { step: None, ..known }
            }
        }
        Some(waits) if !reference.drifts(waits.level, step) => {
            if has_passed(waits.since) {
                followed
            } else {
                known
            }
        }
        _ => ReferenceRecord { step: Some(waiting), ..known },
    }
}

/// The reference rate of a pair in the next block, at the earliest time that it can have.
///
/// # Errors
/// What every order that names a quote of the pair is refused with, when there is none.
pub fn next_reference(state: &State, pair: Pair) -> Result<Rate, Rejection> {
    let mut overlay = Overlay::new(state, state.time().plus(1), 0);
    let reference = of_pair(&mut overlay, pair)?;
    confirmed(&mut overlay, pair, reference)
}

/// Returns true if a provider's last rate counts for that reference.
pub fn is_fresh(state: &State, record: &RateRecord) -> bool {
    is_fresh_in(&Overlay::new(state, state.time().plus(1), 0), record)
}

fn is_fresh_in(overlay: &Overlay<'_>, record: &RateRecord) -> bool {
    let fresh_ms = overlay.state().parameters().rate_fresh_ms;
    is_active(overlay, record.provider) && record.observed.plus(fresh_ms) >= overlay.time()
}

/// Returns true if a participant may provide conversions in this block.
pub(crate) fn is_active(overlay: &Overlay<'_>, provider: ParticipantId) -> bool {
    let found = overlay.state().participant(provider);
    found.is_some_and(|found| !found.suspended && found.roles.any_of(Roles::FX_PROVIDER))
}
