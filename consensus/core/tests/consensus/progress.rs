//! What a validator says of the height that runs: whose proposal or votes are missing.

use std::collections::BTreeMap;

use chain_types::{BlockHash, Height, Parameters, Round, ValidatorId};
use consensus_core::{Consensus, Progress, RoundStep, Timeouts};

use crate::lone::{HEIGHT, Lone, block, precommit, prevote, proposal, verdict};
use crate::world::{chain_id, validators};

fn ids(ids: &[u32]) -> Vec<ValidatorId> {
    ids.iter().copied().map(ValidatorId::new).collect()
}

fn votes(votes: &[(u32, Option<BlockHash>)]) -> BTreeMap<ValidatorId, Option<BlockHash>> {
    votes.iter().map(|(id, block)| (ValidatorId::new(*id), *block)).collect()
}

/// The running round, and those that it waits for.
fn progress(lone: &Lone) -> (Progress, Vec<ValidatorId>) {
    let progress = lone.consensus.progress().unwrap();
    let missing = progress.missing(&validators(4));
    (progress, missing)
}

#[test]
fn each_step_names_those_that_it_waits_for() {
    let mut lone = Lone::new(0);
    // At height 1 the turns are 1, 2, 3, 0.
    let (at, missing) = progress(&lone);
    assert_eq!((at.height, at.round, at.step), (HEIGHT, Round::new(0), RoundStep::Propose));
    assert_eq!((at.proposer, missing), (ValidatorId::new(1), ids(&[1])));

    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    lone.feed(prevote(3, 0, None));
    let (at, missing) = progress(&lone);
    assert_eq!((at.step, missing), (RoundStep::Prevote, ids(&[1, 2])));
    assert_eq!(at.prevotes, votes(&[(0, Some(block(7))), (3, None)]));
    assert_eq!(at.precommits, votes(&[]));

    lone.feed(prevote(1, 0, Some(block(7))));
    lone.feed(prevote(2, 0, Some(block(7))));
    lone.feed(precommit(2, 0, Some(block(7))));
    let (at, missing) = progress(&lone);
    assert_eq!((at.step, missing), (RoundStep::Precommit, ids(&[1, 3])));
    assert_eq!(at.precommits, votes(&[(0, Some(block(7))), (2, Some(block(7)))]));
}

#[test]
fn votes_of_other_rounds_are_not_counted() {
    let mut lone = Lone::new(0);
    lone.feed(proposal(1, 0, block(7)));
    lone.feed(verdict(1, 0, block(7), true));
    lone.feed(prevote(2, 1, None));
    let (at, missing) = progress(&lone);
    assert_eq!((at.round, missing), (Round::new(0), ids(&[1, 2, 3])));
}

#[test]
fn nothing_runs_before_the_first_height_and_after_a_decision() {
    let timeouts = Timeouts::from(&Parameters::default());
    let consensus = Consensus::new(chain_id(), None, timeouts, None).unwrap();
    assert_eq!(consensus.progress(), None);
    let mut lone = Lone::precommitted();
    assert!(lone.consensus.progress().is_some());
    lone.feed(precommit(1, 0, Some(block(7))));
    lone.feed(precommit(2, 0, Some(block(7))));
    assert_eq!(lone.consensus.progress(), None);
    assert_eq!(lone.consensus.height(), Some(Height::new(1)));
}
