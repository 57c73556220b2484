//! What it costs to believe a full batch: form, signature and root of 8,192 orders.
#![allow(missing_docs, clippy::unwrap_used)]

use bytes::Bytes;
use chain_types::{
    ChainId, Digest, OrderId, ParticipantId, PartyKeys, RechargeItem, SecretKey, SignedBatch,
    TimeMs,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([1; 32]));

fn item(index: u16) -> RechargeItem {
    let [high, low] = index.to_be_bytes();
    RechargeItem {
        order_id: OrderId::new(
            TimeMs::new(1_767_225_600_000),
            [high, low, 3, 4, 5, 6, 7, 8, 9, 10],
        )
        .bytes(),
        user: [2; 16],
        merchant: 1001.into(),
        collecting_gateway: 201.into(),
        amount: 12_34.into(),
        currency: 156.into(),
        payout_currency: 156.into(),
        flags: 1.into(),
        external_reference: [3; 32],
        ..RechargeItem::default()
    }
}

fn bench(criterion: &mut Criterion) {
    let key = SecretKey::from_seed(&[7; 32]);
    let participant = ParticipantId::new(201);
    let keys = PartyKeys { participant, current: key.public_key(), previous: None };
    let items: Vec<RechargeItem> = (0..8_192).map(item).collect();
    let sign =
        || SignedBatch::sign(CHAIN, participant, &key, TimeMs::new(1_767_225_700_000), &items);
    let bytes = Bytes::from(sign());
    let mut group = criterion.benchmark_group("batch of 8,192");
    group.throughput(Throughput::Elements(8_192));
    group.bench_function("sign", |bencher| bencher.iter(sign));
    group.bench_function("decode and verify", |bencher| {
        bencher.iter(|| {
            let batch = SignedBatch::decode(bytes.clone()).unwrap();
            batch.verify(CHAIN, |_| Some(keys)).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
