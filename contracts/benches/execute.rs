//! What one-step orders cost in execution and in `apply`: plain, with many merchants, and with a
//! cashback programme and a limit for every user.
// A bench reads the clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::cell::RefCell;
use std::time::Instant;

use bytes::Bytes;
use chain_state::{NoHistory, State};
use chain_types::batch::{BatchItem, SignedBatch};
use chain_types::hash::sha256;
use chain_types::{
    Amount, CashbackTier, ChainGenesis, ChainId, Change, Currency, Flags, Height, LiquidityLine,
    Merchant, MerchantId, Node, OrderId, Parameters, Participant, ParticipantId, PartyKeys,
    PolicyItem, PolicyScope, Programme, ProposalId, ProposalItem, RechargeItem, Roles, Round,
    SecretKey, TimeMs, ValidatorId, VerifiedBatch,
};
use contracts::{BlockContext, execute};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zerocopy::{Immutable, IntoBytes};

const ORDERS: u64 = 8_192;
/// From block to block, of one full batch each: 120,000 orders a second.
const BLOCK_MS: u64 = 68;
const START: TimeMs = TimeMs::new(1_800_000_000_000);
const GATEWAY: ParticipantId = ParticipantId::new(201);
const RISK_DESK: ParticipantId = ParticipantId::new(301);
const OPERATOR: ParticipantId = ParticipantId::new(1);
const CNY: Currency = Currency::new(156);
/// Users whose orders are counted.
const USERS: u64 = 1_000_000;

fn genesis(merchants: u64) -> ChainGenesis {
    let key = SecretKey::from_seed(&[7; 32]).public_key();
    let merchant = |id| Merchant::new(MerchantId::new(id), String::new(), GATEWAY);
    let participant = |id, roles| Participant::new(id, String::new(), roles, key);
    let node = Node {
        name: String::new(),
        operator: OPERATOR,
        network_key: key,
        validator_key: key,
        power: 1,
    };
    ChainGenesis {
        chain_id: ChainId::new(sha256(&[b"bench"])),
        name: String::new(),
        time: START,
        parameters: Parameters {
            governance_approvals: 1,
            governance_notice_heights: 1,
            ..Parameters::default()
        },
        currencies: vec![CNY],
        participants: vec![
            participant(OPERATOR, Roles::SETTLEMENT_OPERATOR),
            participant(GATEWAY, Roles::GATEWAY),
            participant(RISK_DESK, Roles::RISK_DESK),
        ],
        merchants: (1..=merchants).map(merchant).collect(),
        liquidity: vec![LiquidityLine {
            gateway: GATEWAY,
            currency: CNY,
            net_debit_cap: Amount::new(u64::MAX),
            opening_liquidity: Amount::new(0),
        }],
        lines: Vec::new(),
        nodes: vec![node],
    }
}

/// Orders of a full batch, entropy as if random.
fn batch(chain_id: ChainId, number: u64, merchants: u64) -> VerifiedBatch {
    let items: Vec<RechargeItem> = (0..ORDERS)
        .map(|at| {
            let random = sha256(&[&number.to_le_bytes(), &at.to_le_bytes()]).bytes();
            let mut entropy = [0; 6];
            entropy.copy_from_slice(&random[..6]);
            let payer = u64::from_le_bytes(random[16..24].try_into().unwrap()) % USERS;
            RechargeItem {
                order_id: OrderId::owned(GATEWAY, START.plus(number * BLOCK_MS), entropy).bytes(),
                user: user(payer),
                // Whom a user always pays.
                merchant: (payer % merchants + 1).into(),
                collecting_gateway: GATEWAY.get().into(),
                amount: (100 + at).into(),
                currency: CNY.get().into(),
                payout_currency: CNY.get().into(),
                flags: Flags::COLLECTED.into(),
                ..RechargeItem::default()
            }
        })
        .collect();
    sign(chain_id, START.plus(number * BLOCK_MS), GATEWAY, &items)
}

fn user(number: u64) -> [u8; 16] {
    let mut user = [0; 16];
    user.copy_from_slice(&sha256(&[&number.to_le_bytes()]).bytes()[..16]);
    user
}

/// A batch of that time, which may commit a minute longer.
fn sign(
    chain_id: ChainId,
    time: TimeMs,
    submitter: ParticipantId,
    items: &[impl IntoBytes + Immutable + BatchItem],
) -> VerifiedBatch {
    let key = SecretKey::from_seed(&[7; 32]);
    let bytes = SignedBatch::sign(chain_id, submitter, &key, time.plus(60_000), items);
    let signed = SignedBatch::decode(Bytes::from(bytes)).unwrap();
    let keys = PartyKeys { participant: submitter, current: key.public_key(), previous: None };
    signed.verify(chain_id, |_| Some(keys)).unwrap()
}

/// Cashback and a limit for every user and day, from the next block on.
fn count_users(state: &mut State, merchants: u64) {
    let chain_id = state.chain_id();
    let policy = PolicyItem {
        scope: PolicyScope::Scheme.number().into(),
        currency: CNY.get().into(),
        user_day_max: (u64::MAX >> 1).into(),
        ..PolicyItem::default()
    };
    let proposals: Vec<ProposalItem> = (1..=merchants)
        .map(|merchant| {
            let programme = Programme {
                merchant: MerchantId::new(merchant),
                currency: CNY,
                tiers: vec![CashbackTier::DEFAULT],
                order_max: Amount::new(0),
                user_month_max: Amount::new(0),
                offset_min: 480,
                is_active: true,
                order_least: Amount::new(13),
                gateways: vec![GATEWAY],
            };
            let mut entropy = [0; 10];
            entropy[..8].copy_from_slice(&merchant.to_le_bytes());
            let id = ProposalId::from_bytes(OrderId::new(START, entropy).bytes());
            ProposalItem::new(id, Height::new(2), &Change::Programme(programme)).unwrap()
        })
        .collect();
    let batches =
        [sign(chain_id, START, RISK_DESK, &[policy]), sign(chain_id, START, OPERATOR, &proposals)];
    let executed = execute(state, &context(state), &batches, &[], &NoHistory).unwrap();
    assert!(executed.outcomes.concat().iter().all(|outcome| outcome.is_applied()));
    drop(state.apply(executed.writes));
}

/// A state of `batches` full batches of history.
fn state(genesis: &ChainGenesis, batches: u64, merchants: u64, are_users_counted: bool) -> State {
    let mut state = State::genesis(genesis);
    if are_users_counted {
        count_users(&mut state, merchants);
    }
    for number in 0..batches {
        let batch = batch(genesis.chain_id, number, merchants);
        let executed = execute(&state, &context(&state), &[batch], &[], &NoHistory).unwrap();
        drop(state.apply(executed.writes));
    }
    state
}

fn context(state: &State) -> BlockContext {
    BlockContext {
        height: state.height().next(),
        round: Round::new(0),
        parent_round: Round::new(0),
        proposer: ValidatorId::new(0),
        time: state.time().plus(BLOCK_MS),
    }
}

fn one_step_orders(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one_step_orders");
    group.throughput(Throughput::Elements(ORDERS)).sample_size(20);
    let cases = [(10, 0, false), (10, 240, false), (10_000, 240, false), (10, 240, true)];
    for (merchants, history, are_users_counted) in cases {
        let genesis = genesis(merchants);
        let state = RefCell::new(state(&genesis, history, merchants, are_users_counted));
        let mut number = history;
        let users = if are_users_counted { "_users_counted" } else { "" };
        let name = format!("{merchants}_merchants_{}_recent{users}", history * ORDERS);
        // Each block brings new orders of other users, as in life: the cache holds neither.
        let mut next = || {
            number += 1;
            let next = [batch(genesis.chain_id, number, merchants)];
            let mut state = state.borrow_mut();
            let begun = Instant::now();
            let executed = execute(&state, &context(&state), &next, &[], &NoHistory).unwrap();
            let executing = begun.elapsed();
            assert!(executed.outcomes[0].iter().all(|outcome| outcome.rejection().is_none()));
            let begun = Instant::now();
            state.apply(executed.writes);
            (executing, begun.elapsed())
        };
        group.bench_function(format!("execute/{name}"), |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| next().0).sum());
        });
        group.bench_function(format!("apply/{name}"), |bencher| {
            bencher.iter_custom(|count| (0..count).map(|_| next().1).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, one_step_orders);
criterion_main!(benches);
