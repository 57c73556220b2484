//! Bytes that somebody changed: never a panic, always a code, and never a second form.

use std::collections::BTreeSet;

use risk_engine::{
    CompiledModel, FeatureVector, MODEL_HEAD_BYTES, NODE_BYTES, RiskModel, SIGNED_VERDICT_BYTES,
    SignedRiskVerdict,
};

use crate::support::{Draw, model};

/// Mutations of one run.
const MUTATIONS: u64 = 10_000;

/// Changes bytes in one of six ways.
fn mutate(bytes: &mut Vec<u8>, draw: &mut Draw) {
    let at = draw.below(bytes.len() as u64) as usize;
    match draw.below(6) {
        0 => bytes[at] ^= 1 << draw.below(8),
        1 => bytes[at] = draw.any() as u8,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, draw.any() as u8),
        4 => {
            // A field of some node of the first tree, or of what lies there.
            let node = draw.below(4) as usize * NODE_BYTES;
            let field = MODEL_HEAD_BYTES + 2 + node + draw.below(8) as usize * 2;
            let word = (draw.wild() as u16).to_le_bytes();
            for (byte, new) in bytes.iter_mut().skip(field).zip(word) {
                *byte = new;
            }
        }
        _ => {
            let (from, to) = (draw.below(bytes.len() as u64) as usize, at);
            bytes.swap(from, to);
        }
    }
}

#[test]
fn changed_models_are_refused_by_code_or_are_models_in_their_one_form() {
    let mut draw = Draw(62);
    let (mut codes, mut accepted) = (BTreeSet::new(), 0);
    for _ in 0..MUTATIONS {
        let mut bytes = model(&mut draw).encode();
        for _ in 0..=draw.below(3) {
            if !bytes.is_empty() {
                mutate(&mut bytes, &mut draw);
            }
        }
        match RiskModel::decode(&bytes) {
            Err(flaw) => {
                let (number, name) = flaw.code();
                assert!((1..=15).contains(&number) && !flaw.to_string().is_empty());
                codes.insert(name);
            }
            Ok(model) => {
                accepted += 1;
                assert_eq!(model.encode(), bytes, "a model has one form");
                let compiled = CompiledModel::new(model);
                let features = FeatureVector::new();
                assert_eq!(compiled.score(&features), compiled.explain(&features).score);
            }
        }
    }
    // Thresholds may be anything, so that some changes make another model.
    assert!((MUTATIONS / 20..MUTATIONS * 4 / 5).contains(&accepted), "{accepted} accepted");
    assert!(codes.len() >= 12, "only {codes:?}");
}

#[test]
fn changed_verdicts_are_refused_or_say_what_their_bytes_say() {
    let mut draw = Draw(63);
    for _ in 0..MUTATIONS {
        let length = match draw.below(4) {
            0 => draw.below(400) as usize,
            _ => SIGNED_VERDICT_BYTES,
        };
        let mut bytes: Vec<u8> = (0..length).map(|_| draw.any() as u8).collect();
        if draw.below(2) == 0 && length > 121 {
            bytes[120..122].copy_from_slice(&(draw.below(4) as u16).to_le_bytes());
        }
        if let Ok(verdict) = SignedRiskVerdict::from_bytes(&bytes) {
            assert_eq!(verdict.bytes().as_slice(), bytes);
        }
    }
}
