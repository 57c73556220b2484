//! Policies, what they have let pass, and the orders that wait for a risk desk.

use jsonrpsee::proc_macros::rpc;

use crate::method::interface;
use crate::page::Page;
use crate::risk::{HeldOrderReport, PolicyReport, UserDayReport};

interface! {
    /// Methods of the `risk` namespace.
    RiskRpc #[rpc(server, client)];

    /// Policies in force, ascending by scope, subject and currency.
    "risk_policies": policies(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<PolicyReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: RiskDesk,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Orders that wait for a risk desk, ascending by id, hence by age.
    "risk_held_orders": held_orders(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<HeldOrderReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: RiskDesk,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// A user's orders of the present day in a currency.
    ///
    /// A user who is not known has none. Days are counted only while a policy bounds them.
    "risk_user_day": user_day(&self, user: String, currency: String) -> UserDayReport {
        errors: [IdMalformed],
        scope: UserService,
        stability: Stable,
        example: r#"{"user": "01010101010101010101010101010101", "currency": "CNY"}"#,
    }
}
