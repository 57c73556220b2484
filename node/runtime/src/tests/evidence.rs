//! Evidence from a block to a reader, through a restart.

use chain_types::{
    BlockHash, Equivocation, EquivocationKind, Proposal, SignedProposal, SignedVote, ValidatorId,
    Vote, VoteStep,
};
use node_home::reports;

use super::*;

/// Two prevotes of a validator, at the height of the next block.
pub(super) fn votes_of(chain: &Chain, validator: u32) -> Equivocation {
    let vote = |block| {
        let (height, round, step) = (chain.height().next(), Round::new(2), VoteStep::Prevote);
        let vote = Vote { height, round, step, block };
        let signature = key(3, validator).sign(&vote.digest(chain.genesis.chain_id));
        SignedVote { vote, validator: ValidatorId::new(validator), signature }
    };
    Equivocation::Votes {
        first: vote(None),
        second: vote(Some(BlockHash::new(Digest::from_bytes([1; 32])))),
    }
}

/// Two proposals of a validator, at the height of the next block.
pub(super) fn proposals_of(chain: &Chain, validator: u32) -> Equivocation {
    let proposal = |byte| {
        let (height, round, proposer) =
            (chain.height().next(), Round::new(0), ValidatorId::new(validator));
        let block = BlockHash::new(Digest::from_bytes([byte; 32]));
        let proposal = Proposal { height, round, block, valid_round: None, proposer };
        let signature = key(3, validator).sign(&proposal.digest(chain.genesis.chain_id));
        SignedProposal { proposal, signature }
    };
    Equivocation::Proposals { first: proposal(1), second: proposal(2) }
}

#[test]
fn who_signs_twice_is_told_and_passed_over_after_a_restart_too() {
    let mut chain = Chain::new();
    chain.block(200, vec![]);
    chain.checkpoint();
    chain.evidence = vec![votes_of(&chain, 1), proposals_of(&chain, 4)];
    chain.block(200, vec![]);
    chain.block(200, vec![]);
    let kept = chain.store.block(Height::new(2)).unwrap().unwrap().block;
    assert_eq!((kept.evidence.len(), kept.header.evidence_count), (2, 2));

    let found = chain.store.evidence(None, 9).unwrap();
    let nodes = chain.genesis.nodes.as_slice();
    let told: Vec<_> = found.iter().map(|record| reports::evidence(record, nodes)).collect();
    let [of_votes, of_proposals] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((of_votes.validator, of_votes.name.as_str()), (1, "node-1"));
    assert_eq!(
        (of_votes.what, of_votes.height, of_votes.round),
        (EquivocationKind::Prevotes, 2, 2)
    );
    assert_eq!((&of_votes.first, of_votes.second.as_deref()), (&None, Some(&*"01".repeat(32))));
    assert_eq!((of_votes.block_height, of_votes.sequence), (2, 0));
    assert_eq!((of_proposals.what, of_proposals.sequence), (EquivocationKind::Proposals, 1));
    assert_eq!(of_proposals.validator, 4);

    let Chain { folder, genesis, state, store, archive, .. } = chain;
    let expected = read_state(&state).digest();
    drop((store, archive));
    let home = opening::open(folder.path(), &genesis, StoreOptions::default(), false).unwrap();
    assert_eq!(read_state(&home.state).digest(), expected);
    let caught = (0..VALIDATORS)
        .filter(|id| home.proposers.is_caught(ValidatorId::new(*id), Height::new(4)));
    assert_eq!(caught.collect::<Vec<_>>(), [1, 4]);
}
