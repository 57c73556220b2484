//! Limits: what a risk desk bounds, and which orders wait for it.
//!
//! Operation: [`set_policy`], by a risk desk.
//!
//! Rules of an order, in order: its amount is within the order maximum of scheme, gateway and
//! merchant (217); the sums of the day stay within the user's (218), the gateway's (219) and the
//! merchant's (220); above a hold threshold it waits. Of a policy: spare bytes are zero (201); the
//! scope has such a subject (700); the currency is the chain's (208); it sets only limits that the
//! scope has (701); its subject is not of the desk's own legal entity (117).
//!
//! Records: the policy; the sums of the day of whoever has a maximum.
//!
//! Always: a sum of a day counts what is booked, and only that.

use chain_state::{
    DayUse, HeldOrder, Overlay, PolicyKey, PolicyRecord, Record, UserDay, UserDayKey,
};
use chain_types::{
    Amount, MerchantId, Outcome, Participant, ParticipantId, PolicyItem, PolicyScope, RechargeItem,
    Rejection, Roles,
};
use zerocopy::IntoBytes;

use crate::booked_order::Booking;
use crate::calendar::day_of;
use crate::lane::Lane;
use crate::policies::Policies;
use crate::separation;

/// The verdict of limits and thresholds on an order. A risk score will be one more voice here: a
/// number that an operation carries, so that every validator hears the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may be booked.
    Pass,
    /// It waits for a risk desk.
    Hold,
}

/// Checks that an order is within all limits. Returns whether it waits.
pub(crate) fn check<'a>(
    overlay: &mut Overlay<'a>,
    item: &RechargeItem,
    lane: &mut Lane<'a>,
) -> Result<Verdict, Rejection> {
    let policies = lane.policies(overlay);
    if policies.is_empty() {
        return Ok(Verdict::Pass);
    }
    let amount = item.amount();
    let exceeds = |most: Amount| most.get() > 0 && amount > most;
    if policies.all().any(|policy| exceeds(policy.order_max)) {
        return Err(Rejection::LimitExceeded);
    }
    let day = today(overlay);
    if let Some(most) = policies.users() {
        let key = UserDayKey { user: item.user, currency: item.currency() };
        let so_far = overlay.user_day_so_far(&key);
        let used = if so_far.day == short(day) { so_far.amount() } else { 0 };
        if used.checked_add(amount.get()).is_none_or(|sum| sum > most.get()) {
            return Err(Rejection::UserDayExceeded);
        }
    }
    for (policy, rejection) in policies.days() {
        let used = used_of(overlay, &key_of(policy), day);
        if used.saturating_add(u128::from(amount.get())) > u128::from(policy.day_max.get()) {
            return Err(rejection);
        }
    }
    let waits = policies.all().any(|policy| exceeds(policy.hold_above));
    Ok(if waits { Verdict::Hold } else { Verdict::Pass })
}

/// Adds a booked order to the sums of the day that have a maximum.
pub(crate) fn count<'a>(overlay: &mut Overlay<'a>, booking: &Booking, lane: &mut Lane<'a>) {
    let policies = lane.policies(overlay);
    if policies.is_empty() {
        return;
    }
    let (day, amount) = (today(overlay), booking.amount.get());
    if policies.counts_users() {
        let key = UserDayKey { user: booking.user, currency: booking.currency };
        let entry = overlay.user_day(&key);
        let used = if entry.day == short(day) { entry.amount() } else { 0 };
        *entry = UserDay::new(short(day), used.saturating_add(amount));
    }
    for (policy, _) in policies.days() {
        let key = key_of(policy);
        let used = used_of(overlay, &key, day);
        let used = DayUse { day, amount: used.saturating_add(u128::from(amount)) };
        overlay.tables().day_uses().put(key, used);
    }
}

/// Takes a released order out of the sums of its day, if they are still of that day.
pub(crate) fn uncount(overlay: &mut Overlay<'_>, booking: &Booking) {
    let policies = Policies::of(overlay, booking.gateway, booking.merchant, booking.currency);
    if policies.is_empty() {
        return;
    }
    let offset_min = i64::from(overlay.state().parameters().day_offset_min);
    let day = day_of(booking.accepted, offset_min);
    if policies.counts_users() {
        let key = UserDayKey { user: booking.user, currency: booking.currency };
        let so_far = overlay.user_day_so_far(&key);
        if so_far.day == short(day) {
            let amount = so_far.amount().saturating_sub(booking.amount.get());
            *overlay.user_day(&key) = UserDay::new(so_far.day, amount);
        }
    }
    for (policy, _) in policies.days() {
        let (key, amount) = (key_of(policy), u128::from(booking.amount.get()));
        let mut uses = overlay.tables().day_uses();
        if let Some(used) = uses.get(&key).copied().filter(|used| used.day == day) {
            uses.put(key, DayUse { day, amount: used.amount.saturating_sub(amount) });
        }
    }
}

fn key_of(policy: &PolicyRecord) -> PolicyKey {
    (policy.scope, policy.subject, policy.currency)
}

fn used_of(overlay: &mut Overlay<'_>, key: &PolicyKey, day: u32) -> u128 {
    let used = overlay.tables().day_uses().get(key).copied();
    used.filter(|used| used.day == day).map_or(0, |used| used.amount)
}

fn today(overlay: &Overlay<'_>) -> u32 {
    let offset_min = i64::from(overlay.state().parameters().day_offset_min);
    day_of(overlay.time(), offset_min)
}

/// A day in the users' entries: they hold 16 bits, which last until the year 2149.
fn short(day: u32) -> u16 {
    u16::try_from(day).unwrap_or(u16::MAX)
}

/// Keeps an order until a risk desk decides.
pub(crate) fn hold(overlay: &mut Overlay<'_>, submitter: ParticipantId, item: &RechargeItem) {
    let mut bytes = [0; 128];
    bytes.copy_from_slice(item.as_bytes());
    let held = HeldOrder { submitter, item: bytes, held: overlay.time() };
    overlay.tables().held().put(item.order_id(), held);
}

/// A risk desk sets the limits of a scope and currency; all zero removes them.
pub(crate) fn set_policy(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &PolicyItem,
) -> Outcome {
    match check_policy(overlay, submitter, item) {
        Ok(record) => {
            let limits = [record.order_max, record.user_day_max, record.day_max, record.hold_above];
            let key = key_of(&record);
            if limits == [Amount::new(0); 4] {
                overlay.tables().policies().remove(&key);
            } else {
                overlay.tables().policies().put(key, record);
            }
            overlay.record(Record::Policy(record));
            Outcome::APPLIED
        }
        Err(rejection) => rejection.into(),
    }
}

fn check_policy(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    item: &PolicyItem,
) -> Result<PolicyRecord, Rejection> {
    if item.spare != [0; 20] {
        return Err(Rejection::SpareNotZero);
    }
    let (state, subject) = (overlay.state(), item.subject.get());
    let scope = PolicyScope::from_number(item.scope.get()).ok_or(Rejection::PolicyScopeUnknown)?;
    let is_known = match scope {
        PolicyScope::Scheme => subject == 0,
        PolicyScope::Gateway => u32::try_from(subject)
            .ok()
            .and_then(|id| state.participant(ParticipantId::new(id)))
            .is_some_and(|found| found.roles.any_of(Roles::GATEWAY)),
        PolicyScope::Merchant => state.merchant(MerchantId::new(subject)).is_some(),
    };
    if !is_known {
        return Err(Rejection::PolicyScopeUnknown);
    }
    if state.currencies().binary_search(&item.currency()).is_err() {
        return Err(Rejection::CurrencyUnsupported);
    }
    let is_scheme = scope == PolicyScope::Scheme;
    let unsuited = if is_scheme { item.day_max.get() } else { item.user_day_max.get() };
    if unsuited != 0 {
        return Err(Rejection::PolicyLimitUnsuited);
    }
    separation::check_policy(state, submitter, scope, subject)?;
    Ok(PolicyRecord {
        scope,
        subject,
        currency: item.currency(),
        order_max: Amount::new(item.order_max.get()),
        user_day_max: Amount::new(item.user_day_max.get()),
        day_max: Amount::new(item.day_max.get()),
        hold_above: Amount::new(item.hold_above.get()),
        desk: submitter.id,
        since: overlay.time(),
    })
}
