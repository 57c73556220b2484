//! What a decision costs: a header considered and a batch entered, taken and removed, with few and
//! with very many submitters; and a tick.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use chain_types::{
    BatchId, ChainId, Digest, Height, ParticipantId, SecretKey, TimeMs, ValidatorId,
};
use consensus_scheduler::outlook::OutlookContext;
use consensus_scheduler::{
    BatchAttempt, CountedBatch, Origin, Outlook, Scheduler, ServiceClass, Settings,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn id(number: u64) -> BatchId {
    let mut bytes = [0; 32];
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bytes[..8].copy_from_slice(&mixed.to_le_bytes());
    bytes[8] = (number % 12) as u8;
    BatchId::new(Digest::from_bytes(bytes))
}

fn attempt(submitter: u32) -> BatchAttempt {
    BatchAttempt {
        submitter: ParticipantId::new(submitter),
        items: 1,
        class: ServiceClass::Order,
        valid_until: TimeMs::new(u64::MAX),
        backlog_items: 0,
        ahead_items: 0,
        is_retry: false,
    }
}

/// A scheduler in which `submitters` were seen, after a few ticks.
fn warm(submitters: u32) -> (Scheduler, u64) {
    let settings = Settings { capacity_items_per_s: 120_000, ..Settings::default() };
    let mut scheduler = Scheduler::new(settings);
    let mut now_us = 1_000_000_000;
    for _ in 0..12 {
        for submitter in 0..submitters {
            scheduler.consider(&attempt(submitter), now_us);
        }
        now_us += 100_000;
        scheduler.tick(now_us);
    }
    (scheduler, now_us)
}

fn decisions(criterion: &mut Criterion) {
    for submitters in [12, 10_000, 200_000_u32] {
        let (mut scheduler, now_us) = warm(submitters);
        let mut next = 0_u32;
        criterion.bench_function(&format!("consider, {submitters} submitters"), |bencher| {
            bencher.iter(|| {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                black_box(scheduler.consider(&attempt(next % submitters), now_us))
            });
        });
    }
    // Twelve submitters send 12,000 singles, a block takes them, and they are removed.
    let name = "12,000 singles: consider, enter, take, remove, record";
    criterion.bench_function(name, |bencher| {
        let mut round = 0_u64;
        bencher.iter_batched_ref(
            || {
                round += 1;
                (warm(12), round)
            },
            |((scheduler, now_us), round)| {
                for number in 0..12_000_u64 {
                    let batch = id(*round * 12_000 + number);
                    let submitter = u32::from(batch.digest().bytes()[8]);
                    black_box(scheduler.consider(&attempt(submitter), *now_us));
                    let counted = CountedBatch {
                        id: batch,
                        submitter: ParticipantId::new(submitter),
                        class: ServiceClass::Order,
                        items: 1,
                    };
                    scheduler.enter(counted, Origin::Client, *now_us);
                }
                let taken = scheduler.take(12_000, 16_384, 0);
                for batch in &taken {
                    let submitter = ParticipantId::new(u32::from(batch.digest().bytes()[8]));
                    scheduler.remove(batch, submitter, ServiceClass::Order);
                }
                scheduler.record_block(12_000, true, *now_us + 100_000);
            },
            BatchSize::LargeInput,
        );
    });
    for submitters in [12, 10_000, 200_000_u32] {
        criterion.bench_function(&format!("tick, {submitters} active"), |bencher| {
            bencher.iter_custom(|rounds| {
                let (mut scheduler, mut now_us) = warm(submitters);
                let mut spent = Duration::ZERO;
                for round in 0..rounds {
                    // From time to time all try again, or they would be forgotten.
                    if round % 4 == 0 {
                        for submitter in 0..submitters {
                            scheduler.consider(&attempt(submitter), now_us);
                        }
                    }
                    now_us += 1_300_000;
                    let begin = Instant::now();
                    scheduler.tick(black_box(now_us));
                    spent += begin.elapsed();
                    now_us += 1;
                }
                spent
            });
        });
    }
}

fn tables(criterion: &mut Criterion) {
    let (scheduler, now_us) = warm(10_000);
    let key = SecretKey::from_seed(&[1; 32]);
    let context = OutlookContext {
        chain_id: ChainId::default(),
        node: ValidatorId::new(0),
        height: Height::new(1),
        block_time: TimeMs::new(1),
        load_ppm: 0,
        reason: 115,
        made_at: TimeMs::new(now_us / 1_000),
    };
    criterion.bench_function("outlook of 512 lines, signed", |bencher| {
        bencher.iter(|| black_box(Outlook::of(&scheduler, &context, now_us).sign(&key)));
    });
}

criterion_group!(benches, decisions, tables);
criterion_main!(benches);
