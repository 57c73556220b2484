//! What one ed25519 signature costs: made once a batch and once a vote, checked by everyone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use bytes::Bytes;
use chain_types::registry::PartyKeys;
use chain_types::{
    ChainId, Digest, ParticipantId, ReadyKeys, RechargeItem, SecretKey, SignedBatch, TimeMs,
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use zerocopy::FromZeros as _;

fn bench(criterion: &mut Criterion) {
    let key = SecretKey::from_seed(&[7; 32]);
    let public_key = key.public_key();
    let digest = Digest::from_bytes([9; 32]);
    let signature = key.sign(&digest);
    let mut group = criterion.benchmark_group("signature");
    group.bench_function("sign", |bencher| bencher.iter(|| key.sign(black_box(&digest))));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| public_key.verifies(black_box(&digest), &signature));
    });
    group.finish();
}

/// Batches of one order, of which the signature is most of the cost, in groups of several sizes.
fn bench_together(criterion: &mut Criterion) {
    let key = SecretKey::from_seed(&[7; 32]);
    let (chain_id, participant) = (ChainId::default(), ParticipantId::new(101));
    let keys = PartyKeys { participant, current: key.public_key(), previous: None };
    let keys = ReadyKeys::new(&keys);
    let item = RechargeItem::new_zeroed();
    let batch = |until| SignedBatch::sign(chain_id, participant, &key, TimeMs::new(until), &[item]);
    let batches: Vec<SignedBatch> =
        (0..64).map(|until| SignedBatch::decode(Bytes::from(batch(until))).unwrap()).collect();
    let mut group = criterion.benchmark_group("batches of one order");
    for size in [1, 2, 4, 8, 16, 32, 64] {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("verify together", size), |bencher| {
            bencher.iter_batched(
                || batches[..size].to_vec(),
                |batches| SignedBatch::verify_all(batches, chain_id, |_| Some(keys)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, bench, bench_together);
criterion_main!(benches);
