//! Programmes with their budgets, and a user's month.

use jsonrpsee::proc_macros::rpc;

use crate::cashback::{ProgrammeReport, UserMonthReport};
use crate::method::interface;
use crate::page::Page;

interface! {
    /// Methods of the `cashback` namespace.
    CashbackRpc #[rpc(server, client)];

    /// Programmes, ascending by merchant and currency.
    "cashback_programmes": programmes(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<ProgrammeReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: MerchantSide,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// A merchant's programme in a currency: its versions, and its budget now.
    "cashback_programme": programme(&self, merchant: String, currency: String) -> ProgrammeReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: MerchantSide,
        stability: Stable,
        example: r#"{"merchant": "1001", "currency": "CNY"}"#,
    }

    /// A user's recharges and cashback of the present month under a programme, and what can rest on
    /// an order of it or of the month before.
    ///
    /// A user who is not known has none. `not-found` says that there is no such programme.
    "cashback_user_month": user_month(
        &self,
        merchant: String,
        currency: String,
        user: String,
    ) -> UserMonthReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: UserService,
        stability: Stable,
        example: r#"{"merchant": "1001", "currency": "CNY", "user": "01010101010101010101010101010101"}"#,
    }
}
