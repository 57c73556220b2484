//! What no valid block can be, and what every block says of itself.

use chain_state::State;
use chain_types::block::{batches_root, outcomes_root, results_root};
use chain_types::{Amount, ChainId, Digest, Height, ValidatorId};
use contracts::{BlockContext, BlockError, execute};

use crate::kit::*;

#[test]
fn contexts_that_no_block_can_have() {
    let mut chain = Chain::new();
    chain.block(10, &[]);
    let good = chain.context(1);
    let refused = |context: BlockContext| execute(&chain.state, &context, &[], &[], &chain).err();
    assert_eq!(refused(good), None);
    for height in [0, 1, 3] {
        let (actual, expected) = (Height::new(height), Height::new(2));
        let context = BlockContext { height: actual, ..good };
        assert_eq!(refused(context), Some(BlockError::Height { actual, expected }));
    }
    for time in [START.plus(10), START.plus(9)] {
        let error = BlockError::Time { actual: time, parent: START.plus(10) };
        assert_eq!(refused(BlockContext { time, ..good }), Some(error));
    }
    let proposer = ValidatorId::new(4);
    let context = BlockContext { proposer, ..good };
    assert_eq!(refused(context), Some(BlockError::Proposer(proposer)));
}

#[test]
fn a_block_holds_no_more_than_the_parameters_say() {
    let mut genesis = genesis();
    (genesis.parameters.block_batches_max, genesis.parameters.block_items_max) = (2, 4);
    let chain = Chain::of(genesis);
    let batch = |first: u64, count: u64| {
        let items = (first..first + count).map(|number| one_step(order_id(number, 0), 1));
        chain.batch(BANK_A, &items.collect::<Vec<_>>())
    };
    let refused =
        |batches: &[_]| execute(&chain.state, &chain.context(1), batches, &[], &chain).err();
    assert_eq!(refused(&[batch(0, 2), batch(2, 2)]), None);
    let three = [batch(0, 1), batch(1, 1), batch(2, 1)];
    assert_eq!(refused(&three), Some(BlockError::Batches { actual: 3, limit: 2 }));
    let five = [batch(0, 3), batch(3, 2)];
    assert_eq!(refused(&five), Some(BlockError::Items { actual: 5, limit: 4 }));
}

#[test]
fn the_header_covers_batches_outcomes_and_state() {
    let mut chain = Chain::new();
    let batches = [
        chain.batch(BANK_A, &[one_step(order_id(1, 0), 100), one_step(order_id(2, 0), 0)]),
        chain.batch(SERVICE, &[order(order_id(3, 0), 100)]),
    ];
    let executed = execute(&chain.state, &chain.context(1), &batches, &[], &chain).unwrap();
    let header = executed.block.header.clone();
    assert_eq!(executed.block.batches, [batches[0].id(), batches[1].id()]);
    assert_eq!(header.batches_root, batches_root(&executed.block.batches));
    let roots: Vec<_> = executed.outcomes.iter().map(|codes| outcomes_root(codes)).collect();
    assert_eq!(header.results_root, results_root(&roots));
    assert_eq!(header.state_digest, executed.writes.digest());
    assert_eq!((header.parent, header.batch_count), (chain.state.block_hash(), 2));
    assert_eq!(header.validators_hash, chain.state.validators().digest());
    assert_eq!(header.parameters_hash, chain.state.parameters().digest());
    chain.apply(executed, &batches);
    assert_eq!(chain.state.block_hash(), header.hash());
    assert_eq!(chain.state.digest(), header.state_digest);
}

#[test]
fn executing_changes_nothing_and_gives_the_same_again() {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    let batches = [
        chain.batch(BANK_A, &[collect(order_id(1, 0))]),
        chain.batch(BANK_A, &[one_step(order_id(2, 0), 3)]),
    ];
    let before = chain.state.digest();
    let first = execute(&chain.state, &chain.context(7), &batches, &[], &chain).unwrap();
    let second = execute(&chain.state, &chain.context(7), &batches, &[], &chain).unwrap();
    assert_eq!(chain.state.digest(), before);
    assert_eq!(first.block, second.block);
    assert_eq!(first.outcomes, second.outcomes);
    assert_eq!(first.writes.records(), second.writes.records());
    assert_eq!(format!("{:?}", first.writes), format!("{:?}", second.writes));
}

/// Every write reaches the digest: blocks that differ in one fact differ in it.
#[test]
fn the_digest_tells_any_two_blocks_apart() {
    let chain = Chain::new();
    let id = order_id(1, 0);
    let mut referenced = one_step(id, 100);
    referenced.external_reference[0] = 1;
    let blocks = [
        (1, vec![]),
        (2, vec![]),
        (1, vec![chain.batch(BANK_A, &[one_step(id, 100)])]),
        (1, vec![chain.batch(BANK_A, &[referenced])]),
        (1, vec![chain.batch(BANK_A, &[one_step(id, 101)])]),
        (1, vec![chain.batch(BANK_A, &[one_step(id, 0)])]),
        (1, vec![chain.batch(BANK_A, &[order(id, 100)])]),
        (1, vec![chain.batch(SERVICE, &[order(id, 100)])]),
        (1, vec![chain.batch(AUDITOR, &[order(id, 100)])]),
        (30_000, vec![]),
    ];
    let digests: std::collections::BTreeSet<_> = blocks
        .iter()
        .map(|(after_ms, batches)| {
            let executed =
                execute(&chain.state, &chain.context(*after_ms), batches, &[], &chain).unwrap();
            executed.writes.digest()
        })
        .collect();
    assert_eq!(digests.len(), blocks.len());
}

#[test]
fn accounts_are_provable_against_the_header() {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    let digest = chain.blocks.last().unwrap().header.state_digest;
    let keys: Vec<_> = chain.state.accounts(None).map(|(key, _)| *key).collect();
    assert!(keys.is_sorted() && keys.len() == 7);
    for key in keys {
        let proof = chain.state.account_proof(&key).unwrap();
        assert!(proof.holds(digest));
        let mut richer = proof.clone();
        richer.account.credits_posted += 1;
        assert!(!richer.holds(digest), "other counters do not hold");
        for level in 0..proof.siblings.len() {
            let mut bent = proof.clone();
            bent.siblings[level] = Digest::from_bytes([1; 32]);
            assert!(!bent.holds(digest), "sibling {level} is not ignored");
        }
        let moved = chain_state::AccountProof { index: proof.index ^ 1, ..proof };
        assert!(!moved.holds(digest), "nor does another place");
    }
}

#[test]
fn block_zero_is_a_function_of_the_genesis_file() {
    let genesis = genesis();
    let zero = State::genesis_block(&genesis);
    assert_eq!(zero, State::genesis_block(&genesis));
    let state = State::genesis(&genesis);
    assert_eq!(state.block_hash(), zero.hash());
    assert_eq!(state.digest(), zero.header.state_digest);
    let mut other = genesis.clone();
    other.liquidity[0].net_debit_cap = other.liquidity[0].net_debit_cap.plus(Amount::new(1));
    assert_ne!(State::genesis_block(&other).hash(), zero.hash());
    let mut other = genesis;
    other.chain_id = ChainId::new(Digest::ZERO);
    assert_ne!(State::genesis_block(&other).header.state_digest, zero.header.state_digest);
}
