//! `risk_*`.

use chain_types::{Currency, OrderId, PolicyScope};
use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::money::currency_of;
use rpc_api::text::one_form;
use rpc_api::{HeldOrderReport, Page, PolicyReport, RiskRpcServer, UserDayReport, decimal};

use super::{Api, page_limit, read_cursor};

/// A policy's place in the list of all: `scope-subject-CURRENCY`.
fn policy_of(cursor: &str) -> Option<(PolicyScope, u64, Currency)> {
    let mut parts = cursor.splitn(3, '-');
    let scope = parts.next()?;
    let scope = PolicyScope::ALL.iter().copied().find(|known| known.name() == scope)?;
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
        let items = self.read_page(limit, move |node| node.policies(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| {
            format!("{}-{}-{}", last.scope.name(), last.subject, last.currency)
        }))
    }

    async fn held_orders(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<HeldOrderReport>> {
        let limit = page_limit(limit)?;
        let after: Option<OrderId> = read_cursor(cursor.as_deref(), one_form)?;
        let items = self.read_page(limit, move |node| node.held_orders(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.order_id.to_string()))
    }

    async fn user_day(&self, user: String, currency: String) -> RpcResult<UserDayReport> {
        let (user, currency) = (super::user(&user)?, super::currency(&currency)?);
        self.read(move |node| node.user_day(user, currency)).await
    }
}
