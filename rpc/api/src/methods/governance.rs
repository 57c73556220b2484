//! The registry now, and what settlement operators want to change of it.

use jsonrpsee::proc_macros::rpc;

use crate::governance::{
    ListedChange, ProposalReport, RegisteredMerchant, RegistrarReport, RegistryReport,
};
use crate::method::interface;
use crate::page::Page;

interface! {
    /// Methods of the `governance` namespace.
    GovernanceRpc #[rpc(server, client)];

    /// The registry for the next block: participants and their keys, nodes, currencies, parameters,
    /// protocol version.
    ///
    /// Merchants are a list of their own.
    "governance_registry": registry(&self) -> RegistryReport {
        errors: [],
        scope: Participant,
        stability: Stable,
        example: "{}",
    }

    /// Merchants, ascending by id.
    "governance_merchants": merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<RegisteredMerchant> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: MerchantSide,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// One merchant with the gateway that pays it, by its id.
    "governance_merchant": merchant(&self, merchant: String) -> RegisteredMerchant {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: MerchantSide,
        stability: Stable,
        example: r#"{"merchant": "1001"}"#,
    }

    /// Merchant registrars with their limits and what they have done of the day, ascending by id.
    "governance_registrars": registrars(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<RegistrarReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: MerchantSide,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Proposals, newest first.
    ///
    /// With `open_only`, only those that wait for approvals or for their height.
    "governance_proposals": proposals(
        &self,
        open_only: Option<bool>,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<ProposalReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: Operator,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// One proposal with its approvals and refusals, by its id.
    "governance_proposal": proposal(&self, proposal_id: String) -> ProposalReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: Operator,
        stability: Stable,
        example: r#"{"proposal_id": "01a3185c-7260-7111-9111-111111111111"}"#,
    }

    /// The changes of the list that an open proposal names, in their order, each with its bytes.
    "governance_proposal_changes": proposal_changes(
        &self,
        proposal_id: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<ListedChange> {
        errors: [BadCursor, LimitOutOfBounds, NotFound, IdMalformed, NodeBehind],
        scope: Operator,
        stability: Stable,
        example: r#"{"proposal_id": "01a3185f-37c0-7111-9111-111111111111", "limit": 1}"#,
    }
}
