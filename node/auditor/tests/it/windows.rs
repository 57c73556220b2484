//! Sections 5 and 6.

use chain_types::*;
use node_auditor::PaymentStatus;

use crate::kit::*;

/// An order of 700 collected in window 0, whose instruction waits for B.
fn instructed() -> Scene {
    let mut scene = Scene::default();
    let order = scene.collected(700);
    scene.say(A, order, 0);
    scene.close_window();
    scene
}

fn settle(scene: &Scene, window: u64, reference: u8) -> SettleWindowItem {
    let digest = scene.auditor.report_digest(window).unwrap_or_default();
    SettleWindowItem { window: window.into(), digest, reference: [reference; 32], spare: [0; 24] }
}

fn decide(proposed: &SettleWindowItem, decision: Decision) -> SettlementDecisionItem {
    SettlementDecisionItem {
        window: proposed.window,
        decision: decision.number().into(),
        digest: proposed.digest,
        reference: proposed.reference,
        spare: [0; 22],
    }
}

fn status(scene: &Scene) -> (PaymentStatus, u32, u32) {
    let instructions = scene.auditor.instructions();
    let (_, instruction) = instructions.first_key_value().unwrap();
    (instruction.status, instruction.gateway.get(), instruction.attempt)
}

fn due_ms(scene: &Scene) -> u64 {
    scene.auditor.instructions().first_key_value().unwrap().1.due_ms
}

#[test]
fn a_window_is_netted_and_its_instruction_arrives_once() {
    let mut scene = instructed();
    let expected = vec![((1, 20, CNY), 700, 0), ((1, 21, CNY), 0, 700)];
    assert_eq!(scene.parties(0), expected);
    assert_eq!(due_ms(&scene), START_MS + 1_000 + 180_000);
    scene.say(A, arrival(0, CNY, 700), 401);
    scene.say(B, arrival(1, CNY, 700), 400);
    scene.say(B, arrival(0, CNY, 699), 402);
    scene.say(B, arrival(0, CNY, 700), 0);
    let arrived = scene.time;
    scene.say(B, arrival(0, CNY, 700), 1);
    scene.say(B, ArrivalItem { reference: [6; 32], ..arrival(0, CNY, 700) }, 403);
    scene.say(B, failure(0, FailureReason::AccountClosed), 403);
    scene.say(MAKER, reinstruct(0), 406);
    scene.balance((2, MERCHANT, CNY), 0);
    scene.balance((1, 21, CNY), 700);
    assert_eq!(status(&scene), (PaymentStatus::Arrived { time_ms: arrived }, 21, 1));
    scene.window += 1;
    scene.pass(arrived + 899_000 - scene.time);
    scene.say(B, arrival(0, CNY, 700), 1);
    scene.pass(1);
    scene.say(B, arrival(0, CNY, 700), 413);
}

#[test]
fn a_closed_window_is_settled_once() {
    let mut scene = instructed();
    let [item, other] = [1, 2].map(|reference| settle(&scene, 0, reference));
    scene.say(MAKER, SettleWindowItem { window: 1.into(), ..item }, 410);
    scene.say(MAKER, SettleWindowItem { spare: [1; 24], ..item }, 201);
    scene.say(MAKER, SettleWindowItem { digest: [1; 32], ..item }, 430);
    scene.say(CHECKER, decide(&item, Decision::Approve), 432);
    scene.say(MAKER, item, 0);
    scene.say(MAKER, item, 1);
    scene.say(MAKER, other, 431);
    scene.say(MAKER, decide(&item, Decision::Approve), 503);
    scene.say(CHECKER, decide(&other, Decision::Approve), 508);
    scene.say(OPERATORS[0], decide(&item, Decision::Refuse), 0);
    scene.say(CHECKER, decide(&item, Decision::Approve), 433);
    scene.say(MAKER, item, 0);
    scene.balance((1, 20, CNY), 999_300);
    scene.say(CHECKER, decide(&item, Decision::Approve), 0);
    scene.balance((1, 20, CNY), 1_000_000);
    scene.balance((1, 21, CNY), -700);
    scene.balance((8, 0, CNY), -1_000_000);
    scene.say(CHECKER, decide(&item, Decision::Approve), 1);
    scene.say(MAKER, item, 1);
    scene.say(MAKER, other, 411);
    scene.say(CHECKER, item, 411);
    scene.say(B, arrival(0, CNY, 700), 0);
    scene.balance((1, 21, CNY), 0);
}

/// The digest is of plain bytes: whoever has the report can work it out.
#[test]
fn the_digest_of_a_report_is_of_its_positions() {
    let scene = instructed();
    let mut bytes = b"sluice:report:1\0".to_vec();
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(2_u64.to_le_bytes());
    for (owner, debits, credits) in [(20_u64, 700_u128, 0_u128), (21, 0, 700)] {
        bytes.push(1);
        bytes.extend(owner.to_le_bytes());
        bytes.extend(CNY.to_le_bytes());
        bytes.extend(debits.to_le_bytes());
        bytes.extend(credits.to_le_bytes());
    }
    let expected = chain_types::hash::sha256(&[&bytes]).bytes();
    assert_eq!(scene.auditor.report_digest(0), Some(expected));
    assert_eq!(scene.auditor.report_digest(1), None, "it is open");
}

#[test]
fn a_window_is_closed_by_the_first_block_that_reaches_its_time() {
    let mut scene = Scene::default();
    scene.pass(29_999);
    assert!(scene.auditor.windows().is_empty());
    scene.window += 1;
    scene.pass(1);
    let windows = scene.auditor.windows();
    assert_eq!(windows[&WindowId::new(0)].closed_ms, START_MS + 30_000);
}

#[test]
fn a_failed_instruction_is_given_again_once_something_was_corrected() {
    let mut scene = instructed();
    scene.say(
        B,
        FailureItem { reason: 13.into(), ..failure(7, FailureReason::AccountClosed) },
        306,
    );
    scene.say(B, failure(0, FailureReason::AccountClosed), 0);
    scene.say(B, failure(0, FailureReason::AccountClosed), 1);
    scene.say(B, failure(0, FailureReason::BankUnavailable), 404);
    scene.say(B, arrival(0, CNY, 700), 404);
    scene.say(MAKER, reinstruct(0), 405);
    scene.change(&Change::Merchant(merchant(MERCHANT, C)));
    scene.say(MAKER, reinstruct(0), 0);
    assert_eq!(status(&scene), (PaymentStatus::Instructed, 22, 2));
    assert_eq!(due_ms(&scene), scene.time + 180_000);
    scene.say(B, arrival(0, CNY, 700), 412);
    let second = ArrivalItem { attempt: 2.into(), ..arrival(0, CNY, 700) };
    scene.say(B, second, 401);
    scene.say(C, second, 0);
    scene.balance((1, 22, CNY), 700);
    scene.close_window();
    assert_eq!(
        scene.parties(1),
        vec![((1, 21, CNY), 700, 0), ((1, 22, CNY), 0, 700), ((7, 0, CNY), 700, 700)]
    );
}

#[test]
fn a_failure_of_the_banks_own_systems_needs_no_correction() {
    let mut scene = instructed();
    scene.say(B, failure(0, FailureReason::BankUnavailable), 0);
    scene.say(MAKER, reinstruct(0), 0);
    scene.say(MAKER, reinstruct(0), 1);
    scene.say(MAKER, ReinstructItem { reference: [7; 32], ..reinstruct(0) }, 412);
    let second = ReinstructItem { attempt: 2.into(), ..reinstruct(0) };
    scene.say(MAKER, second, 406);
    scene.say(B, failure(0, FailureReason::BankUnavailable), 412);
    let again = FailureItem { attempt: 2.into(), ..failure(0, FailureReason::BankUnavailable) };
    scene.say(B, again, 0);
}
