//! A desk's work done again: the same state and the same verdicts, and every other one is named.

use chain_types::{Height, ParticipantId, TimeMs};
use proptest::prelude::*;
use risk_engine::{
    CompiledModel, EngineSize, RiskDecision, RiskEngine, RiskEvent, RiskReplay, RiskVerdict,
    VerdictDifference, judge,
};

use crate::support::{Draw, digest, inquiry, model, order};

/// So small that histories leave all the time.
const SIZE: EngineSize = EngineSize {
    user_sets_log2: 1,
    merchant_sets_log2: 0,
    device_sets_log2: 1,
    network_sets_log2: 0,
};
const DESK: ParticipantId = ParticipantId::new(401);

/// Returns an engine and the events that it took: `events` of them, verdicts among them.
fn history(draw: &mut Draw, model: &CompiledModel, events: usize) -> (RiskEngine, Vec<RiskEvent>) {
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    let (mut seen, mut now, mut height) = (Vec::new(), 1_790_000_000_000, 0);
    for _ in 0..events {
        now += draw.below(2_000_000);
        let block_time = TimeMs::new(now);
        let event = match draw.below(8) {
            0..4 => RiskEvent::Order(order(draw, 60), block_time),
            4 => RiskEvent::Label {
                order: order(draw, 60),
                is_fraud: draw.below(2) == 0,
                weight_q8: draw.any() as u16,
                block_time,
            },
            5 => {
                height += 1;
                RiskEvent::BlockEnd(Height::new(height))
            }
            _ => {
                let inquiry = inquiry(draw, 60);
                let time = TimeMs::new(now + draw.below(5_000));
                RiskEvent::Verdict(inquiry, judge(&engine, model, &inquiry, DESK, time))
            }
        };
        match event {
            RiskEvent::Order(order, time) => engine.ingest(&order, time),
            RiskEvent::Label { order, is_fraud, weight_q8, block_time } => {
                engine.label(&order, is_fraud, weight_q8, block_time);
            }
            RiskEvent::BlockEnd(height) => engine.end_block(height),
            RiskEvent::Verdict(..) => {}
        }
        seen.push(event);
    }
    (engine, seen)
}

fn replayed(model: &CompiledModel, events: &[RiskEvent]) -> (RiskEngine, Vec<VerdictDifference>) {
    let mut replay = RiskReplay::new(&SIZE, vec![model.clone()]).unwrap();
    let named = events.iter().filter_map(|event| replay.step(event).err()).collect();
    (replay.engine().clone(), named)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_replay_evicts_alike_and_finds_every_verdict_right(seed: u64) {
        let mut draw = Draw(seed);
        let model = CompiledModel::new(model(&mut draw));
        let (engine, events) = history(&mut draw, &model, 1_000);
        prop_assert!(engine.evictions() > 300, "{} evictions", engine.evictions());
        let (again, named) = replayed(&model, &events);
        prop_assert_eq!(named, []);
        prop_assert_eq!(again.digest(), engine.digest());
        // A desk that was killed in the middle begins anew and comes to the same state.
        let (half, _) = replayed(&model, &events[..500]);
        prop_assert_ne!(half.digest(), engine.digest());
    }

    #[test]
    fn each_wrong_verdict_is_named_and_no_other(seed: u64) {
        let mut draw = Draw(seed);
        let model = CompiledModel::new(model(&mut draw));
        let (_, mut events) = history(&mut draw, &model, 300);
        let places: Vec<usize> = (0..events.len())
            .filter(|at| matches!(events[*at], RiskEvent::Verdict(..)))
            .collect();
        let mut wrong = Vec::new();
        for at in places {
            if draw.below(3) == 0 {
                let RiskEvent::Verdict(inquiry, verdict) = &mut events[at] else { unreachable!() };
                falsify(verdict, &mut draw);
                wrong.push(inquiry.item);
            }
        }
        let named: Vec<_> = replayed(&model, &events).1.iter().map(item_of).collect();
        prop_assert_eq!(named, wrong);
    }
}

/// Changes one field to another value.
fn falsify(verdict: &mut RiskVerdict, draw: &mut Draw) {
    match draw.below(7) {
        0 => verdict.item = digest(draw.any()),
        1 => verdict.model = digest(draw.any()),
        2 => verdict.private = digest(draw.any()),
        3 => verdict.height = verdict.height.next(),
        4 => verdict.score ^= 1,
        5 => {
            let other = (verdict.decision as usize + 1) % 3;
            verdict.decision = RiskDecision::ALL[other];
        }
        _ => verdict.reasons[2] ^= 1,
    }
}

fn item_of(difference: &VerdictDifference) -> chain_types::Digest {
    match *difference {
        VerdictDifference::Model { item, .. }
        | VerdictDifference::Item { item, .. }
        | VerdictDifference::Height { item, .. }
        | VerdictDifference::Private { item }
        | VerdictDifference::Score { item, .. }
        | VerdictDifference::Decision { item, .. }
        | VerdictDifference::Reasons { item, .. } => item,
    }
}

#[test]
fn the_digest_knows_every_order_and_their_sequence() {
    let mut draw = Draw(11);
    let model = CompiledModel::new(model(&mut draw));
    let (engine, events) = history(&mut draw, &model, 200);
    let of = |events: &[RiskEvent]| replayed(&model, events).0.digest();
    assert_eq!(of(&events), engine.digest());
    let is_order = |event: &RiskEvent| matches!(event, RiskEvent::Order(..));
    for at in (0..events.len()).rev().filter(|at| is_order(&events[*at])).take(20) {
        let without = [&events[..at], &events[at + 1..]].concat();
        assert_ne!(of(&without), engine.digest(), "event {at} left out");
    }
}

/// A table of another size evicts otherwise: its desk's verdicts are not found again.
#[test]
fn a_replay_with_tables_of_another_size_differs() {
    let mut draw = Draw(12);
    let model = CompiledModel::new(model(&mut draw));
    let (engine, events) = history(&mut draw, &model, 400);
    let size = EngineSize { user_sets_log2: 2, ..SIZE };
    let mut replay = RiskReplay::new(&size, vec![model]).unwrap();
    let named = events.iter().filter(|event| replay.step(event).is_err()).count();
    assert_ne!(replay.engine().digest(), engine.digest());
    assert!(named < events.len());
    let large = EngineSize { user_sets_log2: 27, ..SIZE };
    assert_eq!(RiskEngine::new(&large).unwrap_err().0, 27);
}
