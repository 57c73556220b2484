#![allow(clippy::unwrap_used, clippy::expect_used)]
//! What `sluice order` prints for each status: what is so, and nothing else.

use chain_types::{InstructionId, MerchantId, OrderId, TimeMs, WindowId};
use rpc_api::recharge::OrderContent;
use rpc_api::{Money, OrderReport, OrderState, Searched, Stages};

use super::text;

const CNY: chain_types::Currency = chain_types::Currency::new(156);
const AT_MS: u64 = 1_790_000_000_000;

fn searched(may_still_commit: bool) -> Searched {
    Searched {
        from_height: 1,
        to_height: 9,
        to_time_ms: AT_MS,
        may_commit_until_ms: AT_MS + 1,
        may_still_commit,
    }
}

/// An order's report as a node makes it for this status.
fn report(status: OrderState) -> OrderReport {
    use OrderState::{Arrived, Collected, Expired, Failed, Instructed, Refused, Returned, Voided};
    let id = OrderId::new(TimeMs::new(AT_MS), [1; 10]);
    let is_collected = matches!(status, Collected | Instructed | Arrived | Failed | Returned);
    let has_ended = matches!(status, Voided | Expired | Refused);
    let is_paid = matches!(status, Arrived | Failed);
    let instruction_id =
        InstructionId { window: WindowId::new(4), merchant: MerchantId::new(1001), currency: CNY };
    OrderReport {
        status,
        stages: Stages {
            accepted_ms: Some(AT_MS),
            debiting_ms: (status == OrderState::Debiting).then_some(AT_MS + 500),
            reversible_until_ms: (status == Collected).then_some(AT_MS + 1_700),
            collected_ms: is_collected.then_some(AT_MS + 1_000),
            ended_ms: has_ended.then_some(AT_MS + 2_000),
            instructed_ms: is_paid.then_some(AT_MS + 3_000),
            arrived_ms: is_paid.then_some(AT_MS + 4_000),
            deadline_ms: (status != OrderState::Rejected).then_some(AT_MS + 5_000),
        },
        order: Some(OrderContent {
            submitter: 101,
            merchant: 1001,
            collecting_gateway: 201,
            paying_gateway: Some(202),
            amount: Money::sum(1_234, CNY),
            payout_currency: "CNY".to_owned(),
            quote_id: None,
            payout_minimum: None,
            collected_in_one_step: false,
            user: String::new(),
            external_reference: String::new(),
        }),
        instruction_id: is_paid.then_some(instruction_id),
        ..OrderReport::not_found(id, searched(true))
    }
}

#[test]
fn only_what_was_collected_is_called_collected() {
    use OrderState::{
        Arrived, Collected, Debiting, Expired, Failed, Held, Instructed, Refused, Rejected,
        Reserved, Returned, Voided,
    };
    for status in [Collected, Instructed, Arrived, Failed, Returned] {
        let text = text(&report(status));
        assert!(text.contains("\n  collected by gateway 201"), "{text}");
        assert!(text.contains("\n  collected  2026-"), "{text}");
        let is_open = status == Collected;
        assert_eq!(text.contains("reversible by its gateway alone until 2026-"), is_open);
    }
    let rows = [
        (Reserved, "not collected yet: gateway 201 is to collect it"),
        (Debiting, "not collected yet: gateway 201 is debiting the user, and alone may void"),
        (Held, "not collected yet: it waits for a risk desk, then for gateway 201"),
        (Voided, "not collected: gateway 201 was to collect it"),
        (Expired, "not collected: gateway 201 was to collect it"),
        (Refused, "not collected: gateway 201 was to collect it"),
        (Rejected, "not collected: it named gateway 201"),
    ];
    for (status, expected) in rows {
        let text = text(&report(status));
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("collected by"), "{text}");
    }
}

#[test]
fn a_time_stands_under_the_word_of_what_happened() {
    let rejected = text(&report(OrderState::Rejected));
    assert!(rejected.contains("\n  rejected   2026-"), "{rejected}");
    assert!(!rejected.contains("accepted") && !rejected.contains("due by"), "{rejected}");
    let failed = text(&report(OrderState::Failed));
    assert!(failed.contains("\n  failed     2026-"), "{failed}");
    assert!(!failed.contains("arrived"), "{failed}");
    for status in [OrderState::Voided, OrderState::Expired, OrderState::Refused] {
        let text = text(&report(status));
        assert!(text.contains(&format!("\n  {:<11}2026-", status.name())), "{text}");
        assert!(!text.contains("due by") && !text.contains("ended"), "{text}");
    }
    let arrived = text(&report(OrderState::Arrived));
    assert!(arrived.contains("\n  arrived    2026-"), "{arrived}");
}

#[test]
fn what_was_not_found_says_whether_it_can_still_come() {
    let id = OrderId::new(TimeMs::new(AT_MS), [1; 10]);
    let open = text(&OrderReport::not_found(id, searched(true)));
    assert!(open.contains("was not found") && open.contains("it may still commit"), "{open}");
    let over = text(&OrderReport::not_found(id, searched(false)));
    assert!(over.contains("it can never commit"), "{over}");
}
