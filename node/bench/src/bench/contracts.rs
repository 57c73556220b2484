//! Every contract on before a load: for each merchant and currency a cashback programme with a
//! budget, for each currency a limit for every user and day.

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
    /// Those for orders of `profiles`.
    pub fn of(profiles: &[Profile]) -> Self {
        let payees: BTreeSet<(MerchantId, Currency)> =
            profiles.iter().flat_map(|profile| profile.payees.iter().copied()).collect();
        let budget = |(merchant, currency): &(MerchantId, Currency)| Deposit {
            kind: Deposit::POOL,
            owner: merchant.0,
            currency: *currency,
            amount: BUDGET,
        };
        let currencies: BTreeSet<Currency> = payees.iter().map(|(_, currency)| *currency).collect();
        let gateways: BTreeSet<ParticipantId> =
            profiles.iter().map(|profile| profile.gateway).collect();
        let gateways: Vec<ParticipantId> =
            gateways.into_iter().take(CASHBACK_GATEWAYS_MAX).collect();
        let programme = |(merchant, currency)| {
            Change::Programme(programme(merchant, currency, gateways.clone()))
        };
        Self {
            budgets: payees.iter().map(budget).collect(),
            limits: currencies.into_iter().map(limit).collect(),
            programmes: payees.into_iter().map(programme).collect(),
        }
    }
}

/// Turns them on, and waits until they are.
///
/// # Errors
/// When the network lacks a party for it, refuses, or does not answer.
pub async fn turn_on(scheme: &Scheme, desk: &Party, profiles: &[Profile]) -> anyhow::Result<()> {
    let Terms { budgets, limits, programmes } = Terms::of(profiles);
    scheme.deposit(&budgets).await?;
    say(desk, &limits).await?;
    scheme.govern(&programmes).await?;
    Ok(())
}

fn programme(merchant: MerchantId, currency: Currency, gateways: Vec<ParticipantId>) -> Programme {
    Programme {
        merchant,
        currency,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount(0),
        user_month_max: Amount(USER_MAX),
        offset_min: 480,
        is_active: true,
        order_least: Programme::least_of(&[CashbackTier::DEFAULT]),
        gateways,
    }
}

fn limit(currency: Currency) -> PolicyItem {
    PolicyItem {
        scope: PolicyScope::Scheme.number().into(),
        subject: 0.into(),
        currency: currency.0.into(),
        order_max: USER_MAX.into(),
        user_day_max: USER_MAX.into(),
        day_max: 0.into(),
        hold_above: USER_MAX.into(),
        spare: [0; 20],
    }
}
