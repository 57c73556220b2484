//! The policies that bear on an order: limits of the scheme, its gateway and its merchant.

use chain_state::{Overlay, PolicyRecord};
use chain_types::{Amount, Currency, MerchantId, ParticipantId, PolicyScope, Rejection};

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
            gateway: find(PolicyScope::Gateway, u64::from(gateway.get())),
            merchant: find(PolicyScope::Merchant, merchant.get()),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &PolicyRecord> {
        [&self.scheme, &self.gateway, &self.merchant].into_iter().flatten()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Returns true if what each user orders in a day is counted.
    pub(crate) fn counts_users(&self) -> bool {
        self.users().is_some()
    }

    pub(crate) fn users(&self) -> Option<Amount> {
        self.scheme.map(|policy| policy.user_day_max).filter(|most| most.get() > 0)
    }

    /// Those of gateway and merchant that bound a day, and what an order above it is told.
    pub(crate) fn days(&self) -> impl Iterator<Item = (&PolicyRecord, Rejection)> {
        let gateway = self.gateway.iter().map(|policy| (policy, Rejection::GatewayDayExceeded));
        let merchant = self.merchant.iter().map(|policy| (policy, Rejection::MerchantDayExceeded));
        gateway.chain(merchant).filter(|(policy, _)| policy.day_max.get() > 0)
    }
}
