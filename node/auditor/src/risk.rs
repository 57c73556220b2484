//! Section 9, limits and holds: policies, sums of days, decisions about held orders.

use std::collections::BTreeMap;

use chain_types::{
    Decision, HoldDecisionItem, HoldReason, MerchantId, Outcome, ParticipantId, PolicyItem,
    PolicyScope, RechargeItem, Rejection, Roles,
};

use crate::auditor::{Auditor, Verdict};
use crate::calendar::day;
use crate::orders::{Order, Status, check_form, check_spare, refuse_if, repeated};

/// Scope number, subject and currency.
type PolicyKey = (u16, u64, u16);

/// Whose orders of a day are added up.
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
    /// By subject, currency and day.
    days: BTreeMap<(Subject, u16, i128), u128>,
    decisions: BTreeMap<chain_types::OrderId, HoldDecisionItem>,
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

    fn sum(&self, subject: Subject, currency: u16, day: i128) -> u128 {
        self.days.get(&(subject, currency, day)).copied().unwrap_or_default()
    }
}

/// Whether `value` is above a limit; zero means none.
fn is_above(value: u128, limit: u64) -> bool {
    limit > 0 && value > u128::from(limit)
}

impl Auditor {
    fn today(&self) -> i128 {
        day(self.time, i64::from(self.registry.parameters.day_offset_min))
    }

    /// 217 to 220.
    pub(crate) fn check_limits(&self, item: &RechargeItem) -> Result<(), Rejection> {
        let policies = self.risk.policies_of(item);
        let amount = u128::from(item.amount.get());
        let order_max = |policy: &&PolicyItem| is_above(amount, policy.order_max.get());
        let is_large = policies.iter().flatten().any(order_max);
        refuse_if(is_large, Rejection::LimitExceeded)?;
        let [scheme, gateway, merchant] = policies.map(|policy| policy.copied());
        let limits = [
            scheme.map(|policy| policy.user_day_max.get()),
            gateway.map(|policy| policy.day_max.get()),
            merchant.map(|policy| policy.day_max.get()),
        ];
        let rejections = [
            Rejection::UserDayExceeded,
            Rejection::GatewayDayExceeded,
            Rejection::MerchantDayExceeded,
        ];
        for ((subject, limit), rejection) in subjects(item).into_iter().zip(limits).zip(rejections)
        {
            let sum = self.risk.sum(subject, item.currency.get(), self.today());
            refuse_if(is_above(sum + amount, limit.unwrap_or_default()), rejection)?;
        }
        Ok(())
    }

    /// Whether an order is above a policy's hold.
    pub(crate) fn is_held(&self, item: &RechargeItem) -> bool {
        let amount = u128::from(item.amount.get());
        let policies = self.risk.policies_of(item);
        policies.iter().flatten().any(|policy| is_above(amount, policy.hold_above.get()))
    }

    /// A booked order counts on the day of its booking.
    pub(crate) fn count_for_limits(&mut self, order: &mut Order) {
        order.day = self.today();
        for subject in subjects(&order.item) {
            let key = (subject, order.item.currency.get(), order.day);
            *self.risk.days.entry(key).or_default() += u128::from(order.amount());
        }
    }

    /// An order that is void or expired on the day of its booking counts no longer.
    pub(crate) fn free_limits(&mut self, order: &Order) {
        if order.day != self.today() {
            return;
        }
        for subject in subjects(&order.item) {
            let key = (subject, order.item.currency.get(), order.day);
            *self.risk.days.entry(key).or_default() -= u128::from(order.amount());
        }
    }

    /// Rules of `policy`: 201, then by ascending code.
    pub(crate) fn policy(&mut self, item: &PolicyItem) -> Verdict {
        check_spare(&item.spare)?;
        refuse_if(
            !self.registry.has_currency(item.currency.get()),
            Rejection::CurrencyUnsupported,
        )?;
        let scope = PolicyScope::from_number(item.scope.get());
        let scope = scope.ok_or(Rejection::PolicyScopeUnknown)?;
        let subject = item.subject.get();
        let is_known = match scope {
            PolicyScope::Scheme => subject == 0,
            PolicyScope::Gateway => u32::try_from(subject)
                .is_ok_and(|id| self.registry.has_role(ParticipantId(id), Roles::GATEWAY)),
            PolicyScope::Merchant => self.registry.merchant(MerchantId(subject)).is_some(),
        };
        refuse_if(!is_known, Rejection::PolicyScopeUnknown)?;
        let foreign_limit = match scope {
            PolicyScope::Scheme => item.day_max,
            PolicyScope::Gateway | PolicyScope::Merchant => item.user_day_max,
        };
        refuse_if(foreign_limit.get() != 0, Rejection::PolicyLimitUnsuited)?;
        let key = (item.scope.get(), subject, item.currency.get());
        self.risk.policies.insert(key, *item);
        Ok(Outcome::APPLIED)
    }

    /// Rules of `decide`.
    pub(crate) fn decide_hold(&mut self, item: &HoldDecisionItem) -> Verdict {
        check_form(item.order_id().is_uuid_v7(), &item.spare)?;
        let decision = Decision::from_number(item.decision.get());
        let decision = decision.ok_or(Rejection::DecisionUnknown)?;
        let reason = HoldReason::from_number(item.reason.get());
        refuse_if(reason.is_none(), Rejection::ReasonUnknown)?;
        let mut order = self.remembered(item.order_id())?;
        if order.status != Status::Held {
            let is_same = self.risk.decisions.get(&item.order_id()) == Some(item);
            return repeated(is_same, Rejection::OrderNotHeld);
        }
        let outcome = match decision {
            Decision::Approve => self.submission_again(&mut order)?,
            Decision::Refuse => {
                order.status = Status::Refused;
                Outcome::APPLIED
            }
        };
        self.risk.decisions.insert(item.order_id(), *item);
        self.orders.keep(order);
        Ok(outcome)
    }
}
