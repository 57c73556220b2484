//! Limits and holds: what a risk desk bounds, and the orders that wait for it.
//!
//! Operations: [`set_policy`] and [`decide`], by a risk desk; [`expire`], by block time alone.
//!
//! Rules of an order, in order: its amount is within the order maximum of scheme, gateway and
//! merchant (217); the sums of the day stay within the user's (218), the gateway's (219) and the
//! merchant's (220); above a hold threshold it waits. Of a policy: spare bytes are zero (201); the
//! scope has such a subject (700); the currency is the chain's (208); it sets only limits that the
//! scope has (701); its subject is not of the desk's own legal entity (117). Of a decision: the id
//! is a UUIDv7 (200), spare bytes are zero (201), decision (310) and reason (306) have a meaning,
//! the order is known (300, 311) and held (308), but the same decision again is repeated; it is not
//! of the desk's own legal entity (117); a release passes the rules of its submission again.
//!
//! Records: the policy; the sums of the day of whoever has a maximum.
//!
//! Always: what is held is not in the books, and is decided by the end of its id's validity.

use chain_state::{
    DayUse, EntryCause, HeldOrder, Location, OrderStatus, Overlay, PolicyKey, PolicyRecord, Record,
    UserDay, UserDayKey,
};
use chain_types::{
    Amount, Currency, Decision, HoldDecisionItem, HoldReason, MerchantId, Outcome, Participant,
    ParticipantId, PolicyItem, PolicyScope, RechargeItem, Rejection, Roles,
};
use zerocopy::{FromBytes, IntoBytes};

use crate::booking::{self, Booking};
use crate::calendar::day_of;
use crate::lane::{Lane, LaneKey};
use crate::{orders, separation};

/// What limits and thresholds say of an order. A risk score will be one more voice here: it is
/// to be a number that an operation carries, so that every validator hears the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may be booked.
    Pass,
    /// It waits for a risk desk.
    Hold,
}

/// The policies that bear on an order: of the scheme, its gateway and its merchant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policies {
    scheme: Option<PolicyRecord>,
    gateway: Option<PolicyRecord>,
    merchant: Option<PolicyRecord>,
}

impl Policies {
    pub(crate) fn of(
        overlay: &mut Overlay<'_>,
        gateway: ParticipantId,
        merchant: MerchantId,
        currency: Currency,
    ) -> Self {
        let mut find =
            |scope, subject| overlay.tables().policies().get(&(scope, subject, currency)).copied();
        Self {
            scheme: find(PolicyScope::Scheme, 0),
            gateway: find(PolicyScope::Gateway, u64::from(gateway.0)),
            merchant: find(PolicyScope::Merchant, merchant.0),
        }
    }

    fn all(&self) -> impl Iterator<Item = &PolicyRecord> {
        [&self.scheme, &self.gateway, &self.merchant].into_iter().flatten()
    }

    fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Whether what each user orders in a day is counted.
    pub(crate) fn counts_users(&self) -> bool {
        self.users().is_some()
    }

    fn users(&self) -> Option<Amount> {
        self.scheme.map(|policy| policy.user_day_max).filter(|most| most.0 > 0)
    }

    /// Those of gateway and merchant that bound a day, and what an order above it is told.
    fn days(&self) -> impl Iterator<Item = (&PolicyRecord, Rejection)> {
        let gateway = self.gateway.iter().map(|policy| (policy, Rejection::GatewayDayExceeded));
        let merchant = self.merchant.iter().map(|policy| (policy, Rejection::MerchantDayExceeded));
        gateway.chain(merchant).filter(|(policy, _)| policy.day_max.0 > 0)
    }
}

/// Longer than any window is open: its bound, and a day in which no block came.
const WINDOW_MS_MAX: u64 = 2 * 86_400_000;

/// Whether an order is within all limits, and whether it waits.
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
    let exceeds = |most: Amount| most.0 > 0 && amount > most;
    if policies.all().any(|policy| exceeds(policy.order_max)) {
        return Err(Rejection::LimitExceeded);
    }
    let day = today(overlay);
    if let Some(most) = policies.users() {
        let key = UserDayKey { user: item.user, currency: item.currency() };
        let so_far = overlay.user_day_so_far(&key);
        let used = if so_far.day == short(day) { so_far.amount() } else { 0 };
        if used.checked_add(amount.0).is_none_or(|sum| sum > most.0) {
            return Err(Rejection::UserDayExceeded);
        }
    }
    for (policy, rejection) in policies.days() {
        let used = used_of(overlay, &key_of(policy), day);
        if used.saturating_add(u128::from(amount.0)) > u128::from(policy.day_max.0) {
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
    let (day, amount) = (today(overlay), booking.amount.0);
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
            let amount = so_far.amount().saturating_sub(booking.amount.0);
            *overlay.user_day(&key) = UserDay::new(so_far.day, amount);
        }
    }
    for (policy, _) in policies.days() {
        let (key, amount) = (key_of(policy), u128::from(booking.amount.0));
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

/// A risk desk releases or refuses a held order.
pub(crate) fn decide(
    overlay: &mut Overlay<'_>,
    desk: &Participant,
    item: &HoldDecisionItem,
    location: Location,
) -> Outcome {
    let id = item.order_id();
    if !id.is_uuid_v7() {
        return Rejection::OrderIdInvalid.into();
    }
    if item.spare != [0; 12] {
        return Rejection::SpareNotZero.into();
    }
    let Some(decision) = Decision::from_number(item.decision.get()) else {
        return Rejection::DecisionUnknown.into();
    };
    if HoldReason::from_number(item.reason.get()).is_none() {
        return Rejection::ReasonUnknown.into();
    }
    let Some(record) = overlay.order(&id) else {
        return orders::unknown(overlay, id).into();
    };
    let Some(held) = overlay.tables().held().get(&id).copied() else {
        let was_held = record.outcome == Outcome::HELD;
        let is_refused = record.status == OrderStatus::Refused;
        let by_desk = record.status_location != record.location;
        let is_same = match decision {
            Decision::Approve => was_held && !is_refused,
            Decision::Refuse => was_held && is_refused && by_desk,
        };
        return if is_same { Outcome::REPEATED } else { Rejection::OrderNotHeld.into() };
    };
    let order = order_of(&held);
    if let Err(own) = separation::check_order(overlay.state(), desk, held.submitter, &order) {
        return own.into();
    }
    let result = match decision {
        Decision::Refuse => Ok((Outcome::APPLIED, OrderStatus::Refused)),
        Decision::Approve => release(overlay, &held),
    };
    match result {
        Ok((outcome, status)) => {
            overlay.tables().held().remove(&id);
            overlay.step_order(id, status, Some(location));
            if decision == Decision::Approve {
                // Its clock began now, and not with its submission.
                let time = overlay.time();
                overlay.tables().hold_releases().put(id, time);
            }
            outcome
        }
        Err(rejection) => rejection.into(),
    }
}

/// Runs a held order's submission again, as its submitter, without the hold.
fn release(
    overlay: &mut Overlay<'_>,
    held: &HeldOrder,
) -> Result<(Outcome, OrderStatus), Rejection> {
    let item = order_of(held);
    let submitter = overlay.state().participant(held.submitter);
    let submitter =
        submitter.filter(|found| !found.suspended).ok_or(Rejection::SubmitterSuspended)?;
    let mut lane = Lane::new(LaneKey::of(&item));
    orders::check_parties(overlay, submitter, &item, &mut lane)?;
    check(overlay, &item, &mut lane)?;
    overlay.begin(EntryCause::Order(item.order_id()));
    let entered = booking::enter(overlay, held.submitter, &item, &mut lane);
    lane.keep_promised(overlay);
    entered
}

/// Refuses held orders whose id's validity is over at block time.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let validity_ms = overlay.state().parameters().order_validity_ms;
    let time = overlay.time();
    let held = overlay.state().tables().held.keys();
    let over: Vec<_> = held.copied().take_while(|id| id.time().plus(validity_ms) < time).collect();
    for id in over {
        overlay.tables().held().remove(&id);
        overlay.step_order(id, OrderStatus::Refused, None);
    }
    // Collected by now, if at all, and in a window that is closed.
    let kept_ms = validity_ms.saturating_add(WINDOW_MS_MAX);
    let released = overlay.state().tables().hold_releases.keys();
    let over: Vec<_> = released.copied().take_while(|id| id.time().plus(kept_ms) < time).collect();
    for id in over {
        overlay.tables().hold_releases().remove(&id);
    }
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
            if limits == [Amount(0); 4] {
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
            .and_then(|id| state.participant(ParticipantId(id)))
            .is_some_and(|found| found.roles.any_of(Roles::GATEWAY)),
        PolicyScope::Merchant => state.merchant(MerchantId(subject)).is_some(),
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
        order_max: Amount(item.order_max.get()),
        user_day_max: Amount(item.user_day_max.get()),
        day_max: Amount(item.day_max.get()),
        hold_above: Amount(item.hold_above.get()),
        desk: submitter.id,
        since: overlay.time(),
    })
}

/// The order that a hold keeps.
fn order_of(held: &HeldOrder) -> RechargeItem {
    match RechargeItem::read_from_bytes(&held.item) {
        Ok(item) => item,
        Err(_) => unreachable!("a held order has the length of an order"),
    }
}
