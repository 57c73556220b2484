//! `cashback_*`.

use chain_types::{Currency, MerchantId};
use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::money::currency_of;
use rpc_api::{CashbackRpcServer, Page, ProgrammeReport, UserMonthReport, decimal};

use super::{Api, merchant_id, page_limit, read_cursor};

/// A programme's place in the list of all: `merchant-CURRENCY`.
fn programme_of(cursor: &str) -> Option<(MerchantId, Currency)> {
    let (merchant, currency) = cursor.split_once('-')?;
    Some((MerchantId(decimal(merchant)?), currency_of(currency)?))
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
        let items = self.read_page(limit, move |node| node.programmes(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| format!("{}-{}", last.merchant, last.currency)))
    }

    async fn programme(&self, merchant: String, currency: String) -> RpcResult<ProgrammeReport> {
        let (id, of) = (merchant_id(&merchant)?, super::currency(&currency)?);
        let found = self.read(move |node| node.programme(id, of)).await?;
        found.ok_or_else(|| self.not_found(&format!("programme of merchant {id} in {currency}")))
    }

    async fn user_month(
        &self,
        merchant: String,
        currency: String,
        user: String,
    ) -> RpcResult<UserMonthReport> {
        let (id, of) = (merchant_id(&merchant)?, super::currency(&currency)?);
        let user = super::user(&user)?;
        let found = self.read(move |node| node.user_month(id, of, user)).await?;
        found.ok_or_else(|| self.not_found(&format!("programme of merchant {id} in {currency}")))
    }
}
