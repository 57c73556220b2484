//! What the auditor says when a chain is wrong.

use chain_types::{Height, TimeMs, WindowId};

use crate::kit::*;

#[test]
fn a_wrong_outcome_is_named_with_its_place() {
    let mut scene = Scene::default();
    let (first, second) = (scene.order(1), scene.order(OPENING));
    let batch = scene.batch(SERVICE, &[first, second]);
    let finding = scene.judge(&[(batch, &[0, 0])]).unwrap_err();
    let expected = format!(
        "block 1, batch 0, item 1 (recharge of order {} by participant 10): expected 215 \
         liquidity-exceeded (The amount would take the collecting gateway below its net debit \
         cap.), but the chain says 0 applied",
        second.order_id()
    );
    assert_eq!(finding.to_string(), expected);
}

#[test]
fn headers_follow_one_another() {
    type Row = (&'static str, fn(&mut chain_types::BlockHeader), &'static str);
    let rows: [Row; 5] = [
        (
            "height",
            |header| header.height = Height::new(2),
            "expected height 1, but the chain says height 2",
        ),
        (
            "time",
            |header| header.time = TimeMs::new(START_MS),
            "expected a time above 1768435200000",
        ),
        (
            "window",
            |header| header.window = WindowId::new(1),
            "expected window 0, but the chain says window 1",
        ),
        ("early", |header| header.time = header.time.plus(28_999), ""),
        (
            "late",
            |header| header.time = header.time.plus(29_000),
            "expected window 1, but the chain says window 0",
        ),
    ];
    for (name, change, words) in rows {
        let mut scene = Scene::default();
        let mut header = scene.header(1_000);
        change(&mut header);
        match scene.auditor.block(&header, &[], &[], &[]) {
            Ok(()) => assert_eq!(words, "", "{name}"),
            Err(finding) => {
                let found = finding.to_string();
                assert!(!words.is_empty() && found.contains(words), "{name}: {found}");
            }
        }
    }
}

#[test]
fn every_batch_has_as_many_outcomes_as_items() {
    let mut scene = Scene::default();
    let order = scene.order(1);
    let batch = scene.batch(SERVICE, &[order]);
    let finding = scene.judge(&[(batch, &[0, 0])]).unwrap_err();
    assert!(finding.to_string().starts_with("block 1, batch 0: expected 1 outcomes"));
    let mut scene = Scene::default();
    let batch = scene.batch(SERVICE, &[order]);
    let header = scene.header(1);
    let finding = scene.auditor.block(&header, &[], &[batch], &[]).unwrap_err();
    assert!(finding.to_string().contains("outcomes of 1 batches"));
}
