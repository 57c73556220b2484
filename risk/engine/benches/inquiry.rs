//! What an order costs a desk: its features, 64 trees of depth 4, its reasons, its verdict, and its
//! place in the histories.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/it/support.rs"]
mod support;

use std::hint::black_box;

use chain_types::{ChainId, ParticipantId, SecretKey, TimeMs};
use criterion::{Criterion, criterion_group, criterion_main};
use risk_engine::{CompiledModel, EngineSize, RiskEngine, RiskInquiry, RiskModel, judge};
use support::{Draw, HEAD, digest, inquiry, tree};

/// Orders that the histories hold, and users, merchants, devices and networks among them.
const ORDERS: u64 = 2_000_000;
const PARTIES: u64 = 500_000;
const START_MS: u64 = 1_790_000_000_000;
const DESK: ParticipantId = ParticipantId::new(401);

fn full_model(trees: usize) -> CompiledModel {
    let mut draw = Draw(1);
    let trees = (0..trees).map(|_| tree(&mut draw, 4, 100)).collect();
    CompiledModel::new(RiskModel::new(HEAD, trees).unwrap())
}

fn warm() -> (RiskEngine, TimeMs) {
    let mut engine = RiskEngine::new(&EngineSize::default()).unwrap();
    let mut draw = Draw(2);
    for number in 0..ORDERS {
        engine.ingest(&support::order(&mut draw, PARTIES), TimeMs::new(START_MS + number));
    }
    (engine, TimeMs::new(START_MS + ORDERS))
}

fn inquiries() -> Vec<RiskInquiry> {
    let mut draw = Draw(3);
    (0..65_536).map(|_| inquiry(&mut draw, PARTIES)).collect()
}

fn costs(criterion: &mut Criterion) {
    let ((mut engine, now), inquiries) = (warm(), inquiries());
    let mut places = inquiries.iter().cycle();
    let mut next = || places.next().unwrap();
    criterion.bench_function("features of an order", |bencher| {
        bencher.iter(|| {
            let inquiry = next();
            black_box(engine.features(&inquiry.order, &inquiry.private, now))
        });
    });
    for trees in [16, 64] {
        let model = full_model(trees);
        let features = engine.features(&next().order, &next().private, now);
        criterion.bench_function(&format!("score, {trees} trees of depth 4"), |bencher| {
            bencher.iter(|| black_box(model.score(black_box(&features))));
        });
        criterion.bench_function(&format!("score and reasons, {trees} trees"), |bencher| {
            bencher.iter(|| black_box(model.explain(black_box(&features)).reasons()));
        });
        criterion.bench_function(&format!("features and score, {trees} trees"), |bencher| {
            bencher.iter(|| {
                let inquiry = next();
                let features = engine.features(&inquiry.order, &inquiry.private, now);
                black_box(model.score(&features))
            });
        });
        criterion.bench_function(&format!("verdict without signature, {trees} trees"), |bencher| {
            bencher.iter(|| black_box(judge(&engine, &model, next(), DESK, now)));
        });
    }
    let (model, key) = (full_model(64), SecretKey::from_seed(&[7; 32]));
    let chain = ChainId::new(digest(9));
    criterion.bench_function("signature of a verdict", |bencher| {
        let verdict = judge(&engine, &model, next(), DESK, now);
        bencher.iter(|| black_box(verdict.sign(chain, &key)));
    });
    criterion.bench_function("an order into the histories", |bencher| {
        bencher.iter(|| engine.ingest(&next().order, now));
    });
    criterion.bench_function("digest of histories of 640 MiB", |bencher| {
        bencher.iter(|| black_box(engine.digest()));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = costs
}
criterion_main!(benches);
