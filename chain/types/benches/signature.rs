//! What one ed25519 signature costs: made once a batch and once a vote, checked by everyone.
#![allow(missing_docs)]

use std::hint::black_box;

use chain_types::{Digest, SecretKey};
use criterion::{Criterion, criterion_group, criterion_main};

fn bench(criterion: &mut Criterion) {
    let key = SecretKey::from_seed(&[7; 32]);
    let public_key = key.public_key();
    let digest = Digest([9; 32]);
    let signature = key.sign(&digest);
    let mut group = criterion.benchmark_group("signature");
    group.bench_function("sign", |bencher| bencher.iter(|| key.sign(black_box(&digest))));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| public_key.verifies(black_box(&digest), &signature));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
