//! Section 9, limits and holds: policies, sums of days, decisions about held orders.

use std::collections::BTreeMap;

use chain_types::{
    Decision, HoldDecisionItem, HoldReason, MerchantId, OrderId, Outcome, ParticipantId,
    PolicyItem, PolicyScope, RechargeItem, Rejection, Roles,
};

use crate::auditor::{Auditor, Verdict};
use crate::calendar::day;
use crate::orders::{Order, Status, check_form, check_spare, refuse_if, repeated};

/// Scope number, subject and currency.
type PolicyKey = (u16, u64, u16);

/// The party whose orders of a day are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    User([u8; 16]),
    Gateway(u32),
    Merchant(u64),
}

/// Policies, sums of days, and the last decision about each order that was held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Risk {
    policies: BTreeMap<PolicyKey, PolicyItem>,
    /// By subject and currency: the last day on which something counted.
    days: BTreeMap<(Subject, u16), DaySum>,
    /// A risk desk's decisions about orders that were held.
    decisions: BTreeMap<OrderId, Decision>,
}

/// The orders of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaySum {
    /// The day, from 1970-01-01, in the chain's day offset.
    pub day: i128,
    /// Their sum, in minor units.
    pub amount: u128,
}

/// The three whose orders of a day an order counts among.
fn subjects(item: &RechargeItem) -> [Subject; 3] {
    let gateway = Subject::Gateway(item.collecting_gateway.get());
    [Subject::User(item.user), gateway, Subject::Merchant(item.merchant.get())]
}

impl Risk {
    /// The policies of scheme, gateway and merchant that an order falls under; none is missed.
    fn policies_of(&self, item: &RechargeItem) -> [Option<&PolicyItem>; 3] {
        let currency = item.currency.get();
        let gateway = u64::from(item.collecting_gateway.get());
        [
            (PolicyScope::Scheme.number(), 0, currency),
            (PolicyScope::Gateway.number(), gateway, currency),
            (PolicyScope::Merchant.number(), item.merchant.get(), currency),
        ]
        .map(|key| self.policies.get(&key))
    }

    /// The maxima of a day that an order falls under, each with whose it is; zero means none.
    fn day_limits(&self, item: &RechargeItem) -> [(Subject, u64); 3] {
        let [scheme, gateway, merchant] = self.policies_of(item);
        let [of_user, of_gateway, of_merchant] = subjects(item);
        let day_max = |policy: &PolicyItem| policy.day_max.get();
        [
            (of_user, scheme.map_or(0, |policy| policy.user_day_max.get())),
            (of_gateway, gateway.map_or(0, day_max)),
            (of_merchant, merchant.map_or(0, day_max)),
        ]
    }

    /// The last sum of each user and currency that had a maximum.
    pub(crate) fn user_days(&self) -> BTreeMap<([u8; 16], u16), DaySum> {
        let of_user = |((subject, currency), sum): (&(Subject, u16), &DaySum)| match subject {
            Subject::User(user) => Some(((*user, *currency), *sum)),
            Subject::Gateway(_) | Subject::Merchant(_) => None,
        };
        self.days.iter().filter_map(of_user).collect()
    }

    fn sum(&self, subject: Subject, currency: u16, day: i128) -> u128 {
        let sum = self.days.get(&(subject, currency)).filter(|sum| sum.day == day);
        sum.map_or(0, |sum| sum.amount)
    }
}

/// Returns true if `value` is above a limit; zero means none.
fn is_above(value: u128, limit: u64) -> bool {
    limit > 0 && value > u128::from(limit)
}

impl Auditor {
    fn today(&self) -> i128 {
        self.day_of(self.time)
    }

    /// The day of limits that a block time is in.
    fn day_of(&self, time_ms: u64) -> i128 {
        day(time_ms, i64::from(self.registry.parameters.day_offset_min))
    }

    /// Checks an order against the policies: rejections 217 to 220.
    pub(crate) fn check_limits(&self, item: &RechargeItem) -> Result<(), Rejection> {
        let policies = self.risk.policies_of(item);
        let amount = u128::from(item.amount.get());
        let order_max = |policy: &&PolicyItem| is_above(amount, policy.order_max.get());
        let is_large = policies.iter().flatten().any(order_max);
        refuse_if(is_large, Rejection::LimitExceeded)?;
        let rejections = [
            Rejection::UserDayExceeded,
            Rejection::GatewayDayExceeded,
            Rejection::MerchantDayExceeded,
        ];
        for ((subject, limit), rejection) in self.risk.day_limits(item).into_iter().zip(rejections)
        {
            let sum = self.risk.sum(subject, item.currency.get(), self.today());
            refuse_if(is_above(sum + amount, limit), rejection)?;
        }
        Ok(())
    }

    /// Returns true if an order is above a policy's hold.
    pub(crate) fn is_held(&self, item: &RechargeItem) -> bool {
        let amount = u128::from(item.amount.get());
        let policies = self.risk.policies_of(item);
        policies.iter().flatten().any(|policy| is_above(amount, policy.hold_above.get()))
    }

    /// A booked order counts on the day of its acceptance, while the day has a maximum.
    pub(crate) fn count_for_limits(&mut self, order: &Order) {
        let (day, currency) = (self.today(), order.item.currency.get());
        for (subject, limit) in self.risk.day_limits(&order.item) {
            if limit > 0 {
                let amount = self.risk.sum(subject, currency, day) + u128::from(order.amount());
                self.risk.days.insert((subject, currency), DaySum { day, amount });
            }
        }
    }

    /// An order that is void or expired counts no longer, if the sum is still of the day of its
    /// acceptance, and the day has a maximum.
    pub(crate) fn free_limits(&mut self, order: &Order) {
        let (day, currency) = (self.day_of(order.accepted), order.item.currency.get());
        for (subject, limit) in self.risk.day_limits(&order.item) {
            let sum = self.risk.days.get_mut(&(subject, currency));
            if let Some(sum) = sum.filter(|sum| limit > 0 && sum.day == day) {
                sum.amount = sum.amount.saturating_sub(u128::from(order.amount()));
            }
        }
    }

    /// Judges a `policy` by its rules, and applies it.
    pub(crate) fn policy(&mut self, item: &PolicyItem, desk: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let scope = PolicyScope::from_number(item.scope.get());
        let scope = scope.ok_or(Rejection::PolicyScopeUnknown)?;
        let subject = item.subject.get();
        let is_known = match scope {
            PolicyScope::Scheme => subject == 0,
            PolicyScope::Gateway => u32::try_from(subject)
                .is_ok_and(|id| self.registry.has_role(ParticipantId::new(id), Roles::GATEWAY)),
            PolicyScope::Merchant => self.registry.merchant(MerchantId::new(subject)).is_some(),
        };
        refuse_if(!is_known, Rejection::PolicyScopeUnknown)?;
        let is_listed = self.registry.has_currency(item.currency.get());
        refuse_if(!is_listed, Rejection::CurrencyUnsupported)?;
        let foreign_limit = match scope {
            PolicyScope::Scheme => item.day_max,
            PolicyScope::Gateway | PolicyScope::Merchant => item.user_day_max,
        };
        refuse_if(foreign_limit.get() != 0, Rejection::PolicyLimitUnsuited)?;
        let gateway = (scope == PolicyScope::Gateway).then(|| u32::try_from(subject).ok());
        let merchant = (scope == PolicyScope::Merchant).then_some(MerchantId::new(subject));
        let gateway = gateway.flatten().map(ParticipantId::new);
        self.registry.check_foreign_subject(desk, gateway, merchant)?;
        let key = (item.scope.get(), subject, item.currency.get());
        self.risk.policies.insert(key, *item);
        Ok(Outcome::APPLIED)
    }

    /// Judges a `decide` by its rules, and applies it.
    pub(crate) fn decide_hold(&mut self, item: &HoldDecisionItem, desk: ParticipantId) -> Verdict {
        check_form(item.order_id().is_uuid_v7(), &item.spare)?;
        let decision = Decision::from_number(item.decision.get());
        let decision = decision.ok_or(Rejection::DecisionUnknown)?;
        let reason = HoldReason::from_number(item.reason.get());
        refuse_if(reason.is_none(), Rejection::ReasonUnknown)?;
        let mut order = self.remembered(item.order_id())?;
        if order.status != Status::Held {
            let is_same = self.risk.decisions.get(&item.order_id()) == Some(&decision);
            return repeated(is_same, Rejection::OrderNotHeld);
        }
        self.registry.check_foreign_order(desk, &order)?;
        let outcome = match decision {
            Decision::Approve => self.submission_again(&mut order)?,
            Decision::Refuse => {
                order.status = Status::Refused;
                Outcome::APPLIED
            }
        };
        self.risk.decisions.insert(item.order_id(), decision);
        self.orders.keep(order);
        Ok(outcome)
    }
}
