//! Every contract on before a load: for merchants and currencies a cashback programme with a
//! budget each, for each currency a limit for every user and day.

use std::collections::BTreeSet;

use chain_types::change::CASHBACK_GATEWAYS_MAX;
use chain_types::{
    Amount, CashbackTier, Change, Currency, MerchantId, ParticipantId, PolicyItem, PolicyScope,
    Programme,
};

use rpc_client::orders::Profile;
use rpc_client::party::Party;
use rpc_client::scheme::{Deposit, Scheme, say};

/// A budget that no bench exhausts, in minor units.
const BUDGET: u64 = 1_000_000_000_000_000;
/// Ceilings of a user, by month and by day, that no bench reaches, in minor units: they are
/// counted for every order all the same.
const USER_MAX: u64 = 1_000_000_000_000;

/// The operations that turn every contract on before the load.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The deposits of agents into programmes' budgets.
    pub budgets: Vec<Deposit>,
    /// The policies that a risk desk sets.
    pub limits: Vec<PolicyItem>,
    /// The changes of the registry that operators make.
    pub programmes: Vec<Change>,
}

impl Terms {
    /// Those for orders of `profiles`: a programme for each of their payees.
    pub fn of(profiles: &[Profile]) -> Self {
        let payees: BTreeSet<(MerchantId, Currency)> =
            profiles.iter().flat_map(|profile| profile.payees.iter().copied()).collect();
        let currencies: BTreeSet<Currency> = payees.iter().map(|(_, currency)| *currency).collect();
        let gateways = profiles.iter().map(|profile| profile.gateway).collect();
        Self::new(&payees, &currencies, gateways)
    }

    /// A programme for each of `payees`, which counts the orders of `gateways`, and a limit in
    /// each of `currencies`.
    pub fn new(
        payees: &BTreeSet<(MerchantId, Currency)>,
        currencies: &BTreeSet<Currency>,
        gateways: BTreeSet<ParticipantId>,
    ) -> Self {
        let budget = |(merchant, currency): &(MerchantId, Currency)| Deposit {
            kind: Deposit::POOL,
            owner: merchant.get(),
            currency: *currency,
            amount: BUDGET,
        };
        let gateways: Vec<ParticipantId> =
            gateways.into_iter().take(CASHBACK_GATEWAYS_MAX).collect();
        let programme = |(merchant, currency): &(MerchantId, Currency)| {
            Change::Programme(programme(*merchant, *currency, gateways.clone()))
        };
        Self {
            budgets: payees.iter().map(budget).collect(),
            limits: currencies.iter().copied().map(limit).collect(),
            programmes: payees.iter().map(programme).collect(),
        }
    }
}

/// Turns them on, and waits until they are.
///
/// # Errors
/// When the network lacks a party for it, refuses, or does not answer.
pub async fn turn_on(scheme: &Scheme, desk: &Party, terms: &Terms) -> anyhow::Result<()> {
    scheme.deposit(&terms.budgets).await?;
    say(desk, &terms.limits).await?;
    if !terms.programmes.is_empty() {
        scheme.govern(&terms.programmes).await?;
    }
    Ok(())
}

fn programme(merchant: MerchantId, currency: Currency, gateways: Vec<ParticipantId>) -> Programme {
    Programme {
        merchant,
        currency,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount::new(0),
        user_month_max: Amount::new(USER_MAX),
        offset_min: 480,
        is_active: true,
        order_least: Programme::least_of(&[CashbackTier::DEFAULT]),
        gateways,
    }
}

fn limit(currency: Currency) -> PolicyItem {
    PolicyItem {
        scope: PolicyScope::Scheme.number().into(),
        currency: currency.get().into(),
        order_max: USER_MAX.into(),
        user_day_max: USER_MAX.into(),
        hold_above: USER_MAX.into(),
        ..PolicyItem::default()
    }
}
