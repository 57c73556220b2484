//! `cashback_*`.

use chain_state::{State, UserMonth, UserMonthKey};
use chain_types::{Amount, Currency, MerchantId};
use contracts::calendar::month_of;
use contracts::stayed::at_stake_at_most;
use contracts::users::kept_since;
use jsonrpsee::core::{RpcResult, async_trait};
use node_home::contract_reports as told;
use rpc_api::money::currency_of;
use rpc_api::{
    CashbackRpcServer, Money, Page, ProgrammeReport, RestReport, UserMonthReport, decimal,
};

use super::parameters::{self, merchant_id, page_limit, read_cursor};
use super::{Api, tables};

/// A programme's place in the list of all: `merchant-CURRENCY`.
fn programme_of(cursor: &str) -> Option<(MerchantId, Currency)> {
    let (merchant, currency) = cursor.split_once('-')?;
    Some((MerchantId::new(decimal(merchant)?), currency_of(currency)?))
}

#[async_trait]
impl CashbackRpcServer for Api {
    async fn programmes(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ProgrammeReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), programme_of)?;
        let cursor = |last: &ProgrammeReport| format!("{}-{}", last.merchant, last.currency);
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let found = tables::after(&state.tables().programmes, after.as_ref(), count);
                    found.map(|(key, record)| told::programme(*key, record, state)).collect()
                }))
            },
            cursor,
        )
        .await
    }

    async fn programme(&self, merchant: String, currency: String) -> RpcResult<ProgrammeReport> {
        let key = (merchant_id(&merchant)?, parameters::currency(&currency)?);
        let what = || format!("programme of merchant {} in {currency}", key.0);
        self.find(what, move |node| {
            Ok(node.now(|state| {
                let record = state.tables().programmes.get(&key)?;
                Some(told::programme(key, record, state))
            }))
        })
        .await
    }

    async fn user_month(
        &self,
        merchant: String,
        currency: String,
        user: String,
    ) -> RpcResult<UserMonthReport> {
        let key = (merchant_id(&merchant)?, parameters::currency(&currency)?);
        let user = parameters::user(&user)?;
        let what = || format!("programme of merchant {} in {currency}", key.0);
        self.find(what, move |node| Ok(node.now(|state| user_month(state, key, user)))).await
    }
}

fn user_month(
    state: &State,
    (merchant, currency): (MerchantId, Currency),
    user: [u8; 16],
) -> Option<UserMonthReport> {
    let record = state.tables().programmes.get(&(merchant, currency))?;
    // Before its first version holds, a programme counts nobody.
    let programme = record.at(state.height().next()).or(record.versions.first().map(|(_, p)| p))?;
    let month = month_of(state.time(), i64::from(programme.offset_min));
    let entry = state.user_month(&UserMonthKey { user, programme: record.number, month });
    let (count, granted) = (entry.count, entry.granted());
    let most = programme.user_month_max;
    let left = most.minus(Amount::new(granted));
    let before = month.saturating_sub(1);
    let before = UserMonthKey { user, programme: record.number, month: before };
    let is_kept = before.month >= kept_since(state.time()).month;
    let entry_before = Some(state.user_month(&before)).filter(|found| is_kept && found.count > 0);
    Some(UserMonthReport {
        merchant: merchant.get(),
        user: hex::encode(user),
        month: month_name(month),
        rests: rests(month, &entry, currency),
        rests_before: entry_before.map(|entry| rests(before.month, &entry, currency)),
        recharge_count: count,
        granted: Money::new(Amount::new(granted), currency),
        left: (most.get() > 0).then(|| Money::new(left, currency)),
    })
}

/// The most cashback that can rest on an order of a month.
fn rests(month: u16, entry: &UserMonth, currency: Currency) -> RestReport {
    let earned = entry.earned();
    let money = |amount| Money::new(amount, currency);
    RestReport {
        month: month_name(month),
        granted: money(Amount::new(earned.granted)),
        largest: money(Amount::new(earned.largest.into())),
        steps: earned.steps,
        is_shifted: earned.is_shifted,
        most: money(at_stake_at_most(&earned)),
    }
}

fn month_name(month: u16) -> String {
    format!("{:04}-{:02}", month / 12, month % 12 + 1)
}
