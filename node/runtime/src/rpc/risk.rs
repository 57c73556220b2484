//! `risk_*`.

use chain_state::{PolicyKey, State, UserDayKey};
use chain_types::{Amount, Currency, OrderId, PolicyScope};
use contracts::calendar::day_of;
use jsonrpsee::core::{RpcResult, async_trait};
use node_home::contract_reports as told;
use rpc_api::money::currency_of;
use rpc_api::text::one_form;
use rpc_api::{HeldOrderReport, Money, Page, PolicyReport, RiskRpcServer, UserDayReport, decimal};
use rpc_server::Cost;

use super::parameters::{self, page_limit, read_cursor};
use super::{Api, tables};

/// A policy's place in the list of all: `scope-subject-CURRENCY`.
fn policy_of(cursor: &str) -> Option<PolicyKey> {
    let mut parts = cursor.splitn(3, '-');
    let scope: PolicyScope = parts.next()?.parse().ok()?;
    Some((scope, decimal(parts.next()?)?, currency_of(parts.next()?)?))
}

#[async_trait]
impl RiskRpcServer for Api {
    async fn policies(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<PolicyReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), policy_of)?;
        let cursor = |last: &PolicyReport| {
            format!("{}-{}-{}", last.scope.name(), last.subject, last.currency)
        };
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let found = tables::after(&state.tables().policies, after.as_ref(), count);
                    found.map(|(_, record)| told::policy(record, state, today(state))).collect()
                }))
            },
            cursor,
        )
        .await
    }

    async fn held_orders(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<HeldOrderReport>> {
        let limit = page_limit(limit)?;
        let after: Option<OrderId> = read_cursor(cursor.as_deref(), one_form)?;
        let cursor = |last: &HeldOrderReport| last.order_id.to_string();
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let found = tables::after(&state.tables().held, after.as_ref(), count);
                    found.filter_map(|(id, held)| told::held_order(*id, held, state)).collect()
                }))
            },
            cursor,
        )
        .await
    }

    async fn user_day(&self, user: String, currency: String) -> RpcResult<UserDayReport> {
        let (user, currency) = (parameters::user(&user)?, parameters::currency(&currency)?);
        let read = move |state: &State| user_day(state, user, currency);
        self.read(Cost::CHEAP, move |node| Ok(node.now(read))).await
    }
}

/// The day of the head's block.
fn today(state: &State) -> u32 {
    day_of(state.time(), i64::from(state.parameters().day_offset_min))
}

fn user_day(state: &State, user: [u8; 16], currency: Currency) -> UserDayReport {
    let today = today(state);
    let entry = state.user_day(&UserDayKey { user, currency });
    let used = if u32::from(entry.day) == today { entry.amount() } else { 0 };
    let policy = state.tables().policies.get(&(PolicyScope::Scheme, 0, currency));
    let most = policy.map(|policy| policy.user_day_max).filter(|most| most.get() > 0);
    let left = |most: Amount| Money::new(most.minus(Amount::new(used)), currency);
    let day = jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(i64::from(today.min(2_900_000))));
    UserDayReport {
        user: hex::encode(user),
        day: day.map_or_else(|_| today.to_string(), |day| day.to_string()),
        used: Money::new(Amount::new(used), currency),
        day_max: most.map(|most| Money::new(most, currency)),
        left: most.map(left),
    }
}
