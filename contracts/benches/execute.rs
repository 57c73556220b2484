//! What one-step orders cost in execution and in `apply`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::RefCell;
use std::hint::black_box;

use bytes::Bytes;
use chain_state::{NoHistory, State};
use chain_types::batch::SignedBatch;
use chain_types::hash::sha256;
use chain_types::{
    Amount, ChainGenesis, ChainId, Currency, Digest, Flags, LiquidityLine, Merchant, MerchantId,
    Node, OrderId, Parameters, Participant, ParticipantId, PartyKeys, RechargeItem, Roles, Round,
    SecretKey, TimeMs, ValidatorId, VerifiedBatch,
};
use contracts::{BlockContext, execute};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const ORDERS: u64 = 8_192;
const START: TimeMs = TimeMs(1_800_000_000_000);
const GATEWAY: ParticipantId = ParticipantId(201);
const CNY: Currency = Currency(156);

fn genesis(merchants: u64) -> ChainGenesis {
    let key = SecretKey::from_seed(&[7; 32]).public_key();
    let merchant = |id| Merchant {
        id: MerchantId(id),
        name: String::new(),
        payout_gateway: GATEWAY,
        payout_account: Digest::ZERO,
        suspended: false,
    };
    let gateway = Participant {
        id: GATEWAY,
        name: String::new(),
        roles: Roles::GATEWAY,
        public_key: key,
        suspended: false,
    };
    let node = Node {
        name: String::new(),
        operator: GATEWAY,
        network_key: key,
        validator_key: key,
        power: 1,
    };
    ChainGenesis {
        chain_id: ChainId(sha256(&[b"bench"])),
        name: String::new(),
        time: START,
        parameters: Parameters::default(),
        currencies: vec![CNY],
        participants: vec![gateway],
        merchants: (1..=merchants).map(merchant).collect(),
        liquidity: vec![LiquidityLine {
            gateway: GATEWAY,
            currency: CNY,
            net_debit_cap: Amount(u64::MAX),
            opening_liquidity: Amount(0),
        }],
        nodes: vec![node],
    }
}

/// Orders of a full batch, entropy as if random; batches 68 ms apart, as at 120,000 orders/s.
fn batch(chain_id: ChainId, number: u64, merchants: u64) -> VerifiedBatch {
    let items: Vec<RechargeItem> = (0..ORDERS)
        .map(|at| {
            let random = sha256(&[&number.to_le_bytes(), &at.to_le_bytes()]).0;
            let mut entropy = [0; 10];
            entropy.copy_from_slice(&random[..10]);
            let merchant = u64::from(u16::from_le_bytes([random[10], random[11]]));
            RechargeItem {
                order_id: OrderId::new(START.plus(number * 68), entropy).0,
                user: [0; 16],
                merchant: (merchant % merchants + 1).into(),
                collecting_gateway: GATEWAY.0.into(),
                amount: (100 + at).into(),
                currency: CNY.0.into(),
                payout_currency: CNY.0.into(),
                flags: Flags::COLLECTED.into(),
                fx_quote: 0.into(),
                payout_minimum: 0.into(),
                device: 0.into(),
                network: 0.into(),
                external_reference: [0; 32],
                spare: [0; 6],
            }
        })
        .collect();
    let key = SecretKey::from_seed(&[7; 32]);
    let bytes = SignedBatch::sign(chain_id, GATEWAY, &key, START.plus(60_000), &items);
    let signed = SignedBatch::decode(Bytes::from(bytes)).unwrap();
    let keys = PartyKeys { participant: GATEWAY, current: key.public_key(), previous: None };
    signed.verify(chain_id, |_| Some(keys)).unwrap()
}

/// A state of `batches` full batches of history.
fn state(genesis: &ChainGenesis, batches: u64, merchants: u64) -> State {
    let mut state = State::genesis(genesis);
    for number in 0..batches {
        let batch = batch(genesis.chain_id, number, merchants);
        let executed = execute(&state, &context(&state), &[batch], &NoHistory).unwrap();
        drop(state.apply(executed.writes));
    }
    state
}

fn context(state: &State) -> BlockContext {
    BlockContext {
        height: state.height().next(),
        round: Round(0),
        proposer: ValidatorId(0),
        time: state.time().plus(10),
    }
}

fn one_step_orders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one_step_orders");
    group.throughput(Throughput::Elements(ORDERS)).sample_size(20);
    for (merchants, history) in [(10, 0), (10, 240), (10_000, 240)] {
        let genesis = genesis(merchants);
        let state = RefCell::new(state(&genesis, history, merchants));
        let mut number = history;
        let name = format!("{merchants}_merchants_{}_recent", history * ORDERS);
        let next = [batch(genesis.chain_id, number, merchants)];
        group.bench_function(format!("execute/{name}"), |bencher| {
            let state = state.borrow();
            bencher
                .iter(|| execute(black_box(&state), &context(&state), &next, &NoHistory).unwrap());
        });
        group.bench_function(format!("apply/{name}"), |bencher| {
            let executed = || {
                let batch = batch(genesis.chain_id, number, merchants);
                number += 1;
                let state = state.borrow();
                execute(&state, &context(&state), &[batch], &NoHistory).unwrap().writes
            };
            let apply = |writes| state.borrow_mut().apply(writes);
            bencher.iter_batched(executed, apply, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, one_step_orders);
criterion_main!(benches);
