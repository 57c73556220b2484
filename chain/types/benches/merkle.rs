//! What a tree costs: leaves and nodes of a full batch of 128-byte items, one proof, one check.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use chain_types::hash::Digest;
use chain_types::merkle;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn bench(criterion: &mut Criterion) {
    let items: Vec<[u8; 128]> = (0..8_192_u32).map(|index| [index.to_le_bytes()[0]; 128]).collect();
    let leaves: Vec<Digest> = items.iter().map(|item| merkle::leaf(item)).collect();
    let proof = merkle::prove(&leaves, 4_097).unwrap();
    let mut group = criterion.benchmark_group("merkle");
    group.throughput(Throughput::Elements(8_192));
    group.bench_function("leaves and root of 8,192 items", |bencher| {
        bencher.iter(|| {
            let leaves: Vec<Digest> = items.iter().map(|item| merkle::leaf(item)).collect();
            merkle::root(black_box(&leaves))
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one proof among 8,192", |bencher| {
        bencher.iter(|| merkle::prove(black_box(&leaves), 4_097));
    });
    group.bench_function("one check among 8,192", |bencher| {
        bencher.iter(|| merkle::root_from_proof(leaves[4_097], 4_097, 8_192, black_box(&proof)));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
