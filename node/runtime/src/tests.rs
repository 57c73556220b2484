//! A small chain in a real home: what a node reads, proves and rebuilds of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod evidence;
mod known;
mod lineage;
mod own_keys;
mod peers;
mod proofs;
mod restore;
mod rpc;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use chain_state::proof::ProvenWindow;
use chain_state::{Account, AccountKey, State};
use chain_store::{BlockRecords, ChainStore as _, Store, StoreOptions};
use chain_types::batch::BatchItem;
use chain_types::lineage::Lineage;
use chain_types::{
    Amount, ArrivalItem, CashbackTier, Certificate, ChainGenesis, ChainId, Change, CollectItem,
    Currency, Decision, Digest, Equivocation, ExecutedBlock, Flags, Height, HoldDecisionItem,
    InstructionId, LiquidityLine, Merchant, MerchantId, Node, OrderId, Outcome, Parameters,
    Participant, ParticipantId, PolicyItem, Programme, ProposalId, ProposalItem, PublicKey,
    Receipt, RechargeItem, RecordProof, ReturnItem, Roles, Round, SecretKey, SignedBatch, TimeMs,
    Validator, ValidatorId, VerifiedBatch, Vote, VoteStep, WindowId, codec,
};
use consensus_core::{Message, Proposers, SignedVote};
use contracts::{BlockContext, Executed, execute};
use node_home::archive::{ReadFault, StoreArchive};
use node_home::opening;
use node_home::orders::Orders;
use node_replica::{Checkpoint, Past, SharedState, read_state};
use tempfile::TempDir;

use super::checkpoints::{Checkpoints, Work};

const START: TimeMs = TimeMs::new(1_800_000_000_000);
const CNY: Currency = Currency::new(156);
const SHOP: MerchantId = MerchantId::new(1001);
const OPERATOR: ParticipantId = ParticipantId::new(1);
const SERVICE: ParticipantId = ParticipantId::new(101);
/// The gateway that collects.
const BANK_A: ParticipantId = ParticipantId::new(201);
/// The gateway that pays the shop.
const BANK_B: ParticipantId = ParticipantId::new(202);
const DESK: ParticipantId = ParticipantId::new(501);
const VALIDATORS: u32 = 5;
/// Orders above this wait for the desk.
const HOLD_ABOVE: u64 = 50_000;
/// Longer than an order stays in memory.
const LONG_MS: u64 = 40_000;

fn key(kind: u8, number: u32) -> SecretKey {
    let mut seed = [kind; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(&seed)
}

fn genesis() -> ChainGenesis {
    let participant = |id: ParticipantId, roles| {
        Participant::new(id, format!("party {id}"), roles, key(1, id.get()).public_key())
    };
    let node = |index: u32| Node {
        name: format!("node-{index}"),
        operator: OPERATOR,
        network_key: key(2, index).public_key(),
        validator_key: key(3, index).public_key(),
        power: 3,
    };
    ChainGenesis {
        chain_id: ChainId::new(Digest::from_bytes([9; 32])),
        name: "a small chain".to_owned(),
        time: START,
        parameters: Parameters {
            order_skew_ms: 1_000,
            order_validity_ms: 5_000,
            window_ms: 1_000,
            governance_approvals: 1,
            governance_notice_heights: 1,
            ..Parameters::default()
        },
        currencies: vec![CNY],
        participants: vec![
            participant(OPERATOR, Roles::SETTLEMENT_OPERATOR),
            participant(SERVICE, Roles::RECHARGE_SERVICE),
            participant(BANK_A, Roles::GATEWAY),
            participant(BANK_B, Roles::GATEWAY),
            participant(DESK, Roles::RISK_DESK),
        ],
        merchants: vec![Merchant {
            id: SHOP,
            name: "shop".to_owned(),
            payout_gateway: BANK_B,
            payout_account: Digest::ZERO,
            suspended: false,
            legal_entity: String::new(),
        }],
        liquidity: [BANK_A, BANK_B]
            .map(|gateway| LiquidityLine {
                gateway,
                currency: CNY,
                net_debit_cap: Amount::new(1_000_000),
                opening_liquidity: Amount::new(u64::from(gateway.get())),
            })
            .to_vec(),
        lines: Vec::new(),
        nodes: (0..VALIDATORS).map(node).collect(),
    }
    .with_lines(Amount::new(u64::MAX))
}

/// A chain that grows by hand, in a home of its own.
struct Chain {
    folder: TempDir,
    genesis: Arc<ChainGenesis>,
    state: SharedState,
    store: Arc<Store>,
    archive: Arc<StoreArchive>,
    /// Each block's accounts as it left them, from block zero on.
    accounts: Vec<Vec<(AccountKey, Account)>>,
    numbers: u8,
    /// The evidence in the next block.
    evidence: Vec<Equivocation>,
    /// The vote keys that validators get beside their first ones.
    vote_keys: BTreeMap<PublicKey, SecretKey>,
}

impl Chain {
    fn new() -> Self {
        Self::of(genesis())
    }

    fn of(genesis: ChainGenesis) -> Self {
        let (folder, genesis) = (tempfile::tempdir().unwrap(), Arc::new(genesis));
        let (store, _) =
            Store::open(folder.path(), genesis.chain_id, StoreOptions::default()).unwrap();
        let store = Arc::new(store);
        store.reindex(Height::new(0), opening::genesis_records(&genesis)).unwrap();
        let state = State::genesis(&genesis);
        let accounts = vec![state.accounts_created().to_vec()];
        let archive = Arc::new(StoreArchive::new(store.clone()));
        let state = SharedState::new(state);
        let (numbers, evidence, vote_keys) = (0, Vec::new(), BTreeMap::new());
        Self { folder, genesis, state, store, archive, accounts, numbers, evidence, vote_keys }
    }

    fn orders(&self) -> Orders {
        let (state, store) = (self.state.clone(), self.store.clone());
        Orders { genesis: self.genesis.clone(), state, store, lineages: Arc::default() }
    }

    fn time(&self) -> TimeMs {
        read_state(&self.state).time()
    }

    fn height(&self) -> Height {
        read_state(&self.state).height()
    }

    /// A batch whose signature the registry of now accepts.
    fn batch<T>(&self, submitter: ParticipantId, key: &SecretKey, items: &[T]) -> VerifiedBatch
    where
        T: zerocopy::IntoBytes + zerocopy::Immutable + BatchItem,
    {
        let chain_id = self.genesis.chain_id;
        let until = self.time().plus(4_000);
        let bytes = SignedBatch::sign(chain_id, submitter, key, until, items);
        let keys = |id| read_state(&self.state).party_keys(id).copied();
        SignedBatch::decode(Bytes::from(bytes)).unwrap().verify(chain_id, keys).unwrap()
    }

    /// One item of a participant that still has its first key, in a block of its own.
    fn say<T>(&mut self, submitter: ParticipantId, item: T) -> Outcome
    where
        T: zerocopy::IntoBytes + zerocopy::Immutable + BatchItem,
    {
        let batch = self.batch(submitter, &key(1, submitter.get()), &[item]);
        self.block(200, vec![batch])[0][0]
    }

    /// Executes, stages and commits the next block.
    fn block(&mut self, after_ms: u64, batches: Vec<VerifiedBatch>) -> Vec<Vec<Outcome>> {
        let (certificate, learned, outcomes) = self.uncommitted(after_ms, batches);
        self.store.commit(&certificate, learned).unwrap();
        outcomes
    }

    /// The next block, in the state and not yet in the store; and what commits it there.
    fn uncommitted(
        &mut self,
        after_ms: u64,
        batches: Vec<VerifiedBatch>,
    ) -> (Certificate, BlockRecords, Vec<Vec<Outcome>>) {
        let evidence = std::mem::take(&mut self.evidence);
        let (executed, signers) = {
            let state = read_state(&self.state);
            let signers = state.validators().as_slice().to_vec();
            let context = BlockContext {
                height: state.height().next(),
                round: Round::new(0),
                parent_round: Round::new(0),
                proposer: signers[0].id,
                time: state.time().plus(after_ms),
            };
            let past = Past { state: &state, archive: &*self.archive };
            (execute(&state, &context, &batches, &evidence, &past).unwrap(), signers)
        };
        self.archive.check().unwrap();
        let Executed { block, outcomes, mut writes } = executed;
        let (height, round, hash) = (block.header.height, Round::new(0), block.hash());
        let vote = Vote { height, round, step: VoteStep::Precommit, block: Some(hash) };
        let digest = vote.digest(self.genesis.chain_id);
        let vote_key = |one: &Validator| match self.vote_keys.get(&one.public_key) {
            Some(key) => key.clone(),
            None => key(3, one.id.get()),
        };
        let signatures = signers.iter().map(|one| (one.id, vote_key(one).sign(&digest))).collect();
        let certificate = Certificate { height, round, block: hash, signatures };
        let staged = ExecutedBlock { block, batches, outcomes: outcomes.clone() };
        self.store.stage(&staged).unwrap();
        let learned = BlockRecords::take(&mut writes);
        let retired = self.state.apply(writes);
        self.assert_beside();
        self.accounts.push(read_state(&self.state).accounts_created().to_vec());
        (certificate, BlockRecords { retired, ..learned }, outcomes)
    }

    /// Asserts that the copies beside the state equal the state.
    fn assert_beside(&self) {
        let (head, rules, state) = (self.state.head(), self.state.rules(), read_state(&self.state));
        assert_eq!(head, (state.height(), state.time()));
        assert_eq!(rules.registry, *state.registry());
        for merchant in state.merchants() {
            assert_eq!(self.state.merchant(merchant.id).as_ref(), Some(merchant));
        }
        for ((merchant, currency), record) in &state.tables().programmes {
            assert_eq!(self.state.programme(*merchant, *currency).as_ref(), Some(record));
        }
    }

    fn recharge(&mut self, amount: u64, flags: u16) -> RechargeItem {
        self.numbers += 1;
        let submitter = if flags == 0 { SERVICE } else { BANK_A };
        RechargeItem {
            order_id: OrderId::owned(submitter, self.time(), [self.numbers; 6]).bytes(),
            user: [1; 16],
            merchant: SHOP.get().into(),
            collecting_gateway: BANK_A.get().into(),
            amount: amount.into(),
            currency: CNY.get().into(),
            payout_currency: CNY.get().into(),
            flags: flags.into(),
            ..RechargeItem::default()
        }
    }

    fn govern(&mut self, change: &Change) {
        self.numbers += 1;
        let id = ProposalId::from_bytes(OrderId::new(self.time(), [self.numbers; 10]).bytes());
        let activation = self.height().next().next();
        let item = ProposalItem::new(id, activation, change).unwrap();
        assert_eq!(self.say(OPERATOR, item), Outcome::APPLIED, "{change:?}");
    }

    fn give_back(&mut self, order: OrderId, amount: u64, sequence: u16) -> Outcome {
        let item = ReturnItem {
            order_id: order.bytes(),
            amount: amount.into(),
            rested_max: 0.into(),
            reason: 1.into(),
            sequence: sequence.into(),
            reference: [8; 32],
            spare: [0; 4],
        };
        self.say(BANK_B, item)
    }

    fn receipt(&self, order: OrderId) -> Receipt {
        let orders = self.orders();
        orders.receipt(order, orders.record(&order).unwrap().0.unwrap(), false).unwrap()
    }

    fn checkpoint(&self) {
        let state = read_state(&self.state);
        let proposers = Proposers::new();
        let mut pieces = Checkpoint::pieces_of(state.checkpoint_pieces(), &proposers);
        self.store.checkpoint_of(state.height(), &mut pieces).unwrap();
    }

    /// The state that the home gives when a node opens it anew.
    fn reopened(self) -> (State, Digest) {
        let Self { folder, genesis, state, store, archive, .. } = self;
        let expected = read_state(&state).digest();
        drop((store, archive));
        let home = opening::open(folder.path(), &genesis, StoreOptions::default(), false).unwrap();
        let state = read_state(&home.state).clone();
        (state, expected)
    }
}

fn release(order: OrderId) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: order.bytes(),
        decision: Decision::Approve.number().into(),
        reason: 1.into(),
        reference: [5; 32],
        spare: [0; 12],
    }
}

fn collect(order: OrderId) -> CollectItem {
    CollectItem { order_id: order.bytes(), reference: [6; 32], spare: [0; 16] }
}

fn hold_large_orders() -> PolicyItem {
    PolicyItem {
        currency: CNY.get().into(),
        hold_above: HOLD_ABOVE.into(),
        ..PolicyItem::default()
    }
}

/// The orders of [`history`], by the road that each took.
struct Roads {
    one_step: OrderId,
    two_steps: OrderId,
    released: OrderId,
    released_and_collected: OrderId,
    /// Collected with a new key, decided by new validators.
    changed: OrderId,
}

/// Orders of every road, an arrival, a change of keys and of validators, and returns, the last of
/// them of an order that left memory long ago.
fn history(chain: &mut Chain) -> Roads {
    assert_eq!(chain.say(DESK, hold_large_orders()), Outcome::APPLIED);
    let one = chain.recharge(1_000, Flags::COLLECTED);
    let one_step = one.order_id();
    assert_eq!(chain.say(BANK_A, one), Outcome::APPLIED);
    let paid_in = read_state(&chain.state).window();
    let two = chain.recharge(2_000, 0);
    assert_eq!(chain.say(SERVICE, two), Outcome::APPLIED);
    assert_eq!(chain.say(BANK_A, collect(two.order_id())), Outcome::APPLIED);
    let held = chain.recharge(HOLD_ABOVE + 1, Flags::COLLECTED);
    assert_eq!(chain.say(BANK_A, held), Outcome::HELD);
    assert_eq!(chain.say(DESK, release(held.order_id())), Outcome::APPLIED);
    let long = chain.recharge(HOLD_ABOVE + 2, 0);
    assert_eq!(chain.say(SERVICE, long), Outcome::HELD);
    assert_eq!(chain.say(DESK, release(long.order_id())), Outcome::APPLIED);
    assert_eq!(chain.say(BANK_A, collect(long.order_id())), Outcome::APPLIED);
    chain.block(1_000, vec![]);
    let id = InstructionId { window: paid_in, merchant: SHOP, currency: CNY };
    let amount = read_state(&chain.state).instruction(&id).unwrap().amount.get();
    let arrival = ArrivalItem {
        window: paid_in.get().into(),
        merchant: SHOP.get().into(),
        amount: amount.into(),
        currency: CNY.get().into(),
        reference: [7; 32],
        attempt: 1.into(),
        spare: [0; 4],
    };
    assert_eq!(chain.say(BANK_B, arrival), Outcome::APPLIED);
    let new_key = key(4, BANK_A.get());
    let (participant, public_key) = (BANK_A, new_key.public_key());
    chain.govern(&Change::Key { participant, public_key, overlap_heights: 0 });
    chain.govern(&Change::Power { node: VALIDATORS - 1, power: 4 });
    chain.block(200, vec![]);
    let changed = chain.recharge(3_000, Flags::COLLECTED);
    let batch = chain.batch(BANK_A, &new_key, &[changed]);
    assert_eq!(chain.block(200, vec![batch]), [[Outcome::APPLIED]]);
    assert_eq!(chain.give_back(one_step, 300, 1), Outcome::APPLIED);
    Roads {
        one_step,
        two_steps: two.order_id(),
        released: held.order_id(),
        released_and_collected: long.order_id(),
        changed: changed.order_id(),
    }
}

/// A return of an order that has left memory.
fn return_from_the_archive(chain: &mut Chain, roads: &Roads) {
    chain.block(LONG_MS, vec![]);
    chain.block(200, vec![]);
    assert_eq!(read_state(&chain.state).order(&roads.one_step), None, "it left memory");
    assert_eq!(chain.give_back(roads.one_step, 200, 2), Outcome::APPLIED);
}

#[test]
fn receipts_of_every_road_verify_against_the_genesis_file_alone() {
    let mut chain = Chain::new();
    let roads = history(&mut chain);
    return_from_the_archive(&mut chain, &roads);
    type Row<'a> = (&'a str, OrderId, (bool, bool), u64, usize);
    let rows: &[Row<'_>] = &[
        ("in one step", roads.one_step, (false, false), 500, 1),
        ("in two steps", roads.two_steps, (false, true), 0, 0),
        ("released", roads.released, (true, false), 0, 0),
        ("released, then collected", roads.released_and_collected, (true, true), 0, 0),
        ("after the changes", roads.changed, (false, false), 0, 1),
    ];
    for (what, id, steps, returned, handovers) in rows {
        let receipt = chain.receipt(*id);
        let proven =
            receipt.verify(&chain.genesis).unwrap_or_else(|error| panic!("{what}: {error}"));
        let found = (receipt.release.is_some(), receipt.collection.is_some());
        assert_eq!(found, *steps, "{what}");
        assert_eq!(proven.order_id, *id, "{what}");
        assert!(proven.collected.is_some(), "{what} is collected");
        assert_eq!(proven.returned, Amount::new(*returned), "{what}");
        assert_eq!(receipt.lineage.0.len(), *handovers, "{what}");
    }
    let arrived = chain.receipt(roads.one_step);
    assert!(arrived.verify(&chain.genesis).unwrap().arrived.is_some(), "its instruction arrived");
    let orphan = Receipt { lineage: Lineage::default(), ..chain.receipt(roads.changed) };
    assert!(orphan.verify(&chain.genesis).is_err(), "the new validators are nobody's heirs");
}

#[test]
fn an_order_that_left_long_ago_does_not_wait_for_what_is_leaving() {
    let mut chain = Chain::new();
    let old = chain.recharge(1_000, Flags::COLLECTED);
    assert_eq!(chain.say(BANK_A, old), Outcome::APPLIED);
    chain.block(LONG_MS, vec![]);
    // So many that some stand in the part of memory where the old one did.
    let young: Vec<_> = (0..200).map(|_| chain.recharge(1_000, Flags::COLLECTED)).collect();
    let batch = chain.batch(BANK_A, &key(1, BANK_A.get()), &young);
    chain.block(200, vec![batch]);
    let (certificate, learned, _) = chain.uncommitted(LONG_MS, vec![]);
    let (height, orders) = (chain.height(), chain.orders());
    let (old, young) = (old.order_id(), young[0].order_id());
    for (what, id) in [("old", old), ("young", young)] {
        assert_eq!(chain.state.recent_order(&id), (None, height), "{what}");
    }
    let (record, wait_for) = orders.record(&old).unwrap();
    assert_eq!(
        (record.map(|record| record.location.height), wait_for),
        (Some(Height::new(1)), Height::new(0))
    );
    assert_eq!(orders.record(&young).unwrap(), (None, height), "it is on its way to the store");
    chain.store.commit(&certificate, learned).unwrap();
    assert!(orders.record(&young).unwrap().0.is_some());
}

#[test]
fn what_stands_beside_the_state_follows_governance() {
    let mut chain = Chain::new();
    let programme = Programme {
        merchant: SHOP,
        currency: CNY,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount::new(0),
        user_month_max: Amount::new(0),
        offset_min: 0,
        is_active: true,
        order_least: Amount::new(13),
        gateways: Vec::new(),
    };
    chain.assert_beside();
    chain.govern(&Change::Programme(programme.clone()));
    chain.govern(&Change::MerchantSuspended { merchant: SHOP, suspended: true });
    for _ in 0..3 {
        chain.block(200, Vec::new());
    }
    assert!(chain.state.merchant(SHOP).unwrap().suspended);
    let known = chain.state.programme(SHOP, CNY).unwrap();
    assert_eq!(known.at(chain.height()), Some(&programme));
}

#[test]
fn a_home_is_rebuilt_across_changes_of_keys_and_returns_of_old_orders() {
    type Row = (&'static str, fn(&Chain, &'static str));
    let rows: [Row; 3] = [
        ("from genesis, the index knowing all that comes", |_, _| {}),
        ("after the changes", |chain, at| {
            if at == "changed" {
                chain.checkpoint()
            }
        }),
        ("at the head", |chain, at| {
            if at == "head" {
                chain.checkpoint()
            }
        }),
    ];
    for (what, checkpoint) in rows {
        let mut chain = Chain::new();
        let roads = history(&mut chain);
        checkpoint(&chain, "changed");
        return_from_the_archive(&mut chain, &roads);
        checkpoint(&chain, "head");
        let (state, expected) = chain.reopened();
        assert_eq!(state.digest(), expected, "{what}");
    }
}

#[test]
fn a_checkpoint_written_beside_the_driver_is_there_at_the_next_start() {
    let mut chain = Chain::new();
    let _ = history(&mut chain);
    let checkpoints = Checkpoints::start(chain.store.clone()).unwrap();
    let work = || {
        let (height, _) = chain.state.head();
        let snapshot = chain.state.snapshot().expect("the one before was given up");
        Work { height, snapshot, proposers: Proposers::new() }
    };
    // It is left out until the thread waits for one.
    while !checkpoints.write(work()) {
        std::thread::yield_now();
    }
    checkpoints.finish();
    let Chain { folder, genesis, store, archive, state, .. } = chain;
    let expected = read_state(&state).digest();
    drop((store, archive, state));
    let home = opening::open(folder.path(), &genesis, StoreOptions::default(), false).unwrap();
    assert_eq!(read_state(&home.state).digest(), expected);
    assert_eq!(home.opening.replayed_blocks, 0, "all of it was in the checkpoint");
}

#[test]
fn every_closed_window_is_proven_and_again_after_its_index_was_lost() {
    let mut chain = Chain::new();
    let roads = history(&mut chain);
    return_from_the_archive(&mut chain, &roads);
    chain.checkpoint();
    let open = read_state(&chain.state).window();
    let proofs = |orders: &Orders| -> Vec<Option<RecordProof>> {
        (0..=open.get()).map(|id| orders.window_proof(WindowId::new(id), false).unwrap()).collect()
    };
    let (genesis, expected) = (chain.genesis.clone(), proofs(&chain.orders()));
    assert_eq!(expected.last(), Some(&None), "the last is open");
    let mut handovers = 0;
    for (id, proof) in (0_u64..).zip(expected.iter().flatten()) {
        let proof = RecordProof::decode(&codec::encode(proof)).unwrap();
        let proven = ProvenWindow::verify(&proof, &genesis).unwrap();
        assert_eq!((proven.window.id, proven.settlement), (WindowId::new(id), None));
        handovers = proof.lineage.0.len();
    }
    assert_eq!(handovers, 1, "the validators changed before the last window closed");

    let Chain { folder, store, archive, state, .. } = chain;
    drop((store, archive, state));
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let home = opening::open(folder.path(), &genesis, StoreOptions::default(), false).unwrap();
    let (state, store) = (home.state.clone(), home.store.clone());
    let again = Orders { genesis, state, store, lineages: Arc::default() };
    assert_eq!(proofs(&again), expected);
}

#[test]
fn what_cannot_be_read_is_kept_as_a_fault() {
    use node_replica::Archive as _;
    let chain = Chain::new();
    let nowhere = chain_state::Location { height: Height::new(9), batch: 0, item: 0 };
    assert_eq!(chain.archive.outcome(nowhere), None);
    assert_eq!(chain.archive.quote(chain_types::QuoteId::new(1)), None, "not there is no fault");
    let fault = chain.archive.check().unwrap_err();
    let is_of_the_block =
        matches!(fault, ReadFault::Inconsistent { height, .. } if height == Height::new(9));
    assert!(is_of_the_block, "{fault}");
    assert!(chain.archive.check().is_ok(), "it is told once");
}

#[test]
fn a_version_that_is_not_known_is_named_with_the_remedy() {
    use chain_types::parameters::PROTOCOL_VERSION;
    assert!(opening::check_version(PROTOCOL_VERSION).is_ok());
    let fault = opening::check_version(PROTOCOL_VERSION + 1).unwrap_err().to_string();
    assert!(fault.contains("install a newer version"), "{fault}");
}
