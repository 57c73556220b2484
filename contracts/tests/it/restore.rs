//! A state from a checkpoint and the recent blocks is the state that was never stopped.

use chain_state::{HashSeeds, State, StateFault};
use chain_types::{ChainId, Digest, Height};
use contracts::execute;
use proptest::prelude::*;

use crate::histories::{history, run};
use crate::kit::*;

/// Restores the chain's state as a node does at start: with seeds of its own, which show nowhere.
fn restored(chain: &Chain) -> State {
    let (bytes, seeds) = (chain.state.checkpoint(), HashSeeds([1, 2, 3, 4]));
    let mut restoring = State::restore_hashed(&chain.genesis, &bytes, seeds).unwrap();
    let from = restoring.blocks_from();
    for block in chain.blocks.iter().filter(|block| block.header.time >= from) {
        restoring.remember(&block.header, &block.batches, &block.outcomes);
    }
    restoring.finish().unwrap()
}

/// Everything that can be asked of both.
fn assert_same(chain: &Chain, restored: &State) {
    let live = &chain.state;
    assert_eq!(restored.digest(), live.digest());
    assert_eq!(restored.height(), live.height());
    assert_eq!(restored.time(), live.time());
    assert_eq!(restored.block_hash(), live.block_hash());
    assert_eq!(restored.open_window(), live.open_window());
    assert_eq!(restored.recent_order_count(), live.recent_order_count());
    for item in chain.blocks.iter().flat_map(|block| &block.batches) {
        assert_eq!(restored.batch_location(&item.id()), live.batch_location(&item.id()));
        let chain_types::batch::Items::Recharge(items) = item.items() else { continue };
        for id in items.iter().map(|item| item.order_id()) {
            assert_eq!(restored.order(&id), live.order(&id), "order {id}");
            assert_eq!(restored.reservation(&id), live.reservation(&id));
        }
    }
    assert!(restored.outstanding_instructions().eq(live.outstanding_instructions()));
    assert!(restored.accounts(None).eq(live.accounts(None)));
    assert_eq!(restored.checkpoint(), live.checkpoint());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..Default::default()
    })]

    /// After every fifth block, and from there on block by block.
    #[test]
    fn a_restored_state_goes_on_as_the_live_one(steps in history()) {
        let mut chain = Chain::new();
        let mut other: Option<State> = None;
        run(&mut chain, &steps, |chain, _| {
            let last = chain.blocks.last().unwrap();
            if let Some(state) = &mut other {
                let context = contracts::BlockContext {
                    height: last.header.height,
                    round: last.header.round,
                    parent_round: last.header.parent_round,
                    proposer: last.header.proposer,
                    time: last.header.time,
                };
                let executed = execute(state, &context, &last.batches, &[], chain).unwrap();
                assert_eq!(executed.block.header, last.header);
                assert_eq!(executed.outcomes, last.outcomes);
                state.apply(executed.writes);
                assert_same(chain, state);
            }
            if last.header.height.get() % 5 == 0 {
                let state = restored(chain);
                assert_same(chain, &state);
                other = Some(state);
            }
        });
    }

    /// Replay from genesis gives every header, outcome and record again.
    #[test]
    fn replay_gives_every_digest_again(steps in history()) {
        let mut chain = Chain::new();
        run(&mut chain, &steps, |_, _| {});
        let mut again = Chain::new();
        for block in &chain.blocks[1..] {
            let after_ms = block.header.time.get() - again.state.time().get();
            prop_assert_eq!(&again.block(after_ms, &block.batches), &block.outcomes);
            prop_assert_eq!(&again.blocks.last().unwrap().header, &block.header);
        }
        prop_assert_eq!(again.records, chain.records);
        prop_assert_eq!(again.retired, chain.retired);
    }
}

fn some_history() -> Chain {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    chain.one(BANK_A, one_step(order_id(2, 0), 100));
    chain.block(30_000, &[]);
    chain.one(SERVICE, order(order_id(3, 0), 100));
    chain
}

#[test]
fn no_changed_or_missing_byte_of_a_checkpoint_is_accepted() {
    let chain = some_history();
    let bytes = chain.state.checkpoint();
    assert!(State::restore(&chain.genesis, &bytes).is_ok());
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        assert!(State::restore(&chain.genesis, &bent).is_err(), "byte {at} changed");
        assert!(State::restore(&chain.genesis, &bytes[..at]).is_err(), "cut at {at}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(State::restore(&chain.genesis, &longer).is_err());
}

#[test]
fn a_checkpoint_of_another_chain_is_refused() {
    let chain = some_history();
    let mut genesis = genesis();
    genesis.chain_id = ChainId::new(Digest::ZERO);
    let fault = State::restore(&genesis, &chain.state.checkpoint()).unwrap_err();
    assert!(matches!(fault, StateFault::Chain { .. }), "{fault}");
}

#[test]
fn blocks_that_do_not_complete_the_checkpoint_are_refused() {
    let chain = some_history();
    let feed = |heights: &[usize]| {
        let mut restoring = State::restore(&chain.genesis, &chain.state.checkpoint()).unwrap();
        for height in heights {
            let block = &chain.blocks[*height];
            restoring.remember(&block.header, &block.batches, &block.outcomes);
        }
        restoring.finish().map(|_| ())
    };
    assert_eq!(feed(&[0, 1, 2, 3, 4]), Ok(()));
    assert!(matches!(feed(&[]), Err(StateFault::BlocksEnd { actual: None, .. })));
    assert!(matches!(feed(&[0, 1, 2, 3]), Err(StateFault::BlocksEnd { .. })));
    let (actual, expected) = (Height::new(4), Height::new(3));
    assert_eq!(feed(&[0, 1, 2, 4]), Err(StateFault::BlockOrder { actual, expected }));
    let fault = StateFault::ReservationsDiffer { actual: 1, expected: 2 };
    assert_eq!(feed(&[2, 3, 4]), Err(fault), "order 1's block is missing");
}

/// Signatures are not looked at again, so everything must follow from the last block's hash.
#[test]
fn blocks_that_are_not_those_decided_are_refused() {
    let chain = some_history();
    let feed = |bend: &dyn Fn(&mut Decided)| {
        let mut restoring = State::restore(&chain.genesis, &chain.state.checkpoint()).unwrap();
        for block in &chain.blocks {
            let mut block = block.clone();
            if block.header.height == Height::new(1) {
                bend(&mut block);
            }
            restoring.remember(&block.header, &block.batches, &block.outcomes);
        }
        restoring.finish().map(|_| ())
    };
    assert_eq!(feed(&|_| {}), Ok(()));
    let refused =
        |height, what| Err(StateFault::BlockDiffers { height: Height::new(height), what });
    assert_eq!(feed(&|block| block.batches.clear()), refused(1, "batches"));
    assert_eq!(feed(&|block| block.outcomes[0][0].0 ^= 1), refused(1, "outcomes"));
    assert_eq!(feed(&|block| block.header.time = block.header.time.plus(1)), refused(2, "parent"));
}

#[test]
fn the_checkpoint_of_block_zero_needs_no_blocks() {
    let chain = Chain::new();
    let restoring = State::restore(&chain.genesis, &chain.state.checkpoint()).unwrap();
    assert_same(&chain, &restoring.finish().unwrap());
}
