//! Evidence that a block may hold, and what it leaves.

use chain_state::{EvidenceRecord, Record};
use chain_types::evidence::{EVIDENCE_AGE_HEIGHTS, EVIDENCE_MAX, EquivocationFlaw, evidence_root};
use chain_types::hash::sha256;
use chain_types::{
    BlockHash, Change, Equivocation, EquivocationKind, Height, Node, ParticipantId, Proposal,
    Round, SignedProposal, SignedVote, ValidatorId, Vote, VoteStep,
};
use contracts::{BlockError, EvidenceError, check_evidence, execute};

use crate::kit::*;

fn block_named(name: &str) -> BlockHash {
    BlockHash::new(sha256(&[name.as_bytes()]))
}

/// Two precommits of a validator: one for nothing, one for a block.
fn votes(chain: &Chain, validator: u32, height: u64) -> Equivocation {
    let vote = |block| {
        let (height, round, step) = (Height::new(height), Round::new(1), VoteStep::Precommit);
        let vote = Vote { height, round, step, block };
        let signature = vote_key(validator).sign(&vote.digest(chain.genesis.chain_id));
        SignedVote { vote, validator: ValidatorId::new(validator), signature }
    };
    Equivocation::Votes { first: vote(None), second: vote(Some(block_named("a"))) }
}

/// Two proposals of a validator.
fn proposals(chain: &Chain, validator: u32, height: u64) -> Equivocation {
    let proposal = |name| {
        let (height, round, block) = (Height::new(height), Round::new(0), block_named(name));
        let proposer = ValidatorId::new(validator);
        let proposal = Proposal { height, round, block, valid_round: None, proposer };
        let signature = vote_key(validator).sign(&proposal.digest(chain.genesis.chain_id));
        SignedProposal { proposal, signature }
    };
    Equivocation::Proposals { first: proposal("a"), second: proposal("b") }.in_order()
}

/// Why the next block may not hold this.
fn refused(chain: &Chain, evidence: &[Equivocation]) -> Option<EvidenceError> {
    match execute(&chain.state, &chain.context(1), &[], evidence, chain) {
        Ok(_) => None,
        Err(BlockError::Evidence(error)) => Some(error),
        Err(other) => panic!("{other}"),
    }
}

/// A chain at height 2.
fn short_chain() -> Chain {
    let mut chain = Chain::new();
    chain.block(1, &[]);
    chain.block(1, &[]);
    chain
}

#[test]
fn what_no_block_may_hold() {
    let chain = short_chain();
    let good = |validator, height| votes(&chain, validator, height);
    let Equivocation::Votes { first, second } = good(1, 2) else { panic!("those are votes") };
    let framed = |signed: SignedVote| SignedVote { validator: ValidatorId::new(0), ..signed };
    let framing = Equivocation::Votes { first: framed(first), second: framed(second) };
    let once = Equivocation::Votes { first, second: first };
    let backwards = Equivocation::Votes { first: second, second: first };
    let stranger = Equivocation::Votes {
        first: SignedVote { validator: ValidatorId::new(4), ..first },
        second: SignedVote { validator: ValidatorId::new(4), ..second },
    };
    let five: Vec<_> = (0..4).map(|id| good(id, 1)).chain([good(0, 2)]).collect();
    let rows = [
        ("nothing", vec![], None),
        ("votes of the last height", vec![good(1, 2)], None),
        ("proposals", vec![proposals(&chain, 3, 1)], None),
        ("votes of its own height", vec![good(1, 3)], None),
        ("votes of height zero", vec![good(1, 0)], None),
        ("as much as it may", five[..EVIDENCE_MAX].to_vec(), None),
        ("more than it may", five.clone(), Some(EvidenceError::Count(5))),
        ("the same twice", vec![good(1, 2), good(1, 2)], Some(EvidenceError::Order)),
        (
            "two offences of one height",
            vec![good(1, 2), proposals(&chain, 1, 2)],
            Some(EvidenceError::Order),
        ),
        ("a later height first", vec![good(1, 2), good(2, 1)], Some(EvidenceError::Order)),
        ("a higher validator first", vec![good(2, 2), good(1, 2)], Some(EvidenceError::Order)),
        ("of nobody", vec![stranger], Some(EvidenceError::Stranger(ValidatorId::new(4)))),
        ("of the next height", vec![good(1, 4)], Some(EvidenceError::Future(Height::new(4)))),
        (
            "against another",
            vec![framing],
            Some(EvidenceError::Flaw(EquivocationFlaw::Signature("first"))),
        ),
        ("one vote", vec![once], Some(EvidenceError::Flaw(EquivocationFlaw::SameValue))),
        ("another form", vec![backwards], Some(EvidenceError::Flaw(EquivocationFlaw::Order))),
        (
            "one that fails among good ones",
            vec![good(0, 1), good(2, 4)],
            Some(EvidenceError::Future(Height::new(4))),
        ),
    ];
    for (what, evidence, error) in rows {
        assert_eq!(refused(&chain, &evidence), error, "{what}");
        if let [one] = evidence.as_slice() {
            assert_eq!(check_evidence(&chain.state, one).err(), error, "{what}, asked ahead");
        }
    }
}

#[test]
fn evidence_leaves_a_record_and_is_never_recorded_again() {
    let mut chain = short_chain();
    let evidence = [votes(&chain, 1, 2), proposals(&chain, 2, 2)];
    let empty = execute(&chain.state, &chain.context(1), &[], &[], &chain).unwrap();
    let executed = execute(&chain.state, &chain.context(1), &[], &evidence, &chain).unwrap();
    let header = executed.block.header.clone();
    assert_eq!(executed.block.evidence, evidence);
    assert_eq!((header.evidence_count, header.evidence_root), (2, evidence_root(&evidence)));
    assert_ne!(header.state_digest, empty.block.header.state_digest);
    assert_ne!(header.records_root, empty.block.header.records_root);
    let caught: Vec<_> = (executed.writes.records().iter())
        .filter_map(|record| match record {
            Record::Evidence(caught) => Some(*caught),
            _ => None,
        })
        .collect();
    let [of_votes, of_proposals] = caught[..] else { panic!("{caught:?}") };
    let expected = EvidenceRecord {
        height: Height::new(3),
        sequence: 0,
        time: header.time,
        validator: ValidatorId::new(1),
        kind: EquivocationKind::Precommits,
        offence_height: Height::new(2),
        offence_round: Round::new(1),
        first: None,
        second: Some(block_named("a")),
    };
    assert_eq!(of_votes, expected);
    assert_eq!((of_proposals.sequence, of_proposals.validator), (1, ValidatorId::new(2)));
    assert_eq!(of_proposals.kind, EquivocationKind::Proposals);
    chain.apply(executed, &[]);
    for one in [votes(&chain, 1, 2), proposals(&chain, 1, 2)] {
        let (validator, height) = (ValidatorId::new(1), Height::new(2));
        let recorded = Some(EvidenceError::Recorded { validator, height });
        assert_eq!(refused(&chain, &[one]), recorded);
    }
    assert_eq!(refused(&chain, &[votes(&chain, 1, 1)]), None, "another height is another offence");
}

/// A word that a key signed while it held is judged with it, though it was withdrawn since; what
/// the next key is said to have signed before is not.
#[test]
fn evidence_is_judged_with_the_key_of_its_height() {
    let mut genesis = genesis();
    genesis.parameters.governance_notice_heights = 1;
    let mut chain = Chain::of(genesis);
    chain.change(&Change::NodeKeys {
        node: 1,
        network_key: key_named("fresh").public_key(),
        validator_key: vote_key(9).public_key(),
    });
    let since = chain.state.height().get() + 1;
    chain.block(1, &[]);
    let of = |place: u32, evidence: Equivocation| match evidence {
        Equivocation::Votes { first, second } => {
            let of = |signed| SignedVote { validator: ValidatorId::new(place), ..signed };
            Equivocation::Votes { first: of(first), second: of(second) }
        }
        other => other,
    };
    let forged = Some(EvidenceError::Flaw(EquivocationFlaw::Signature("first")));
    for (what, evidence, error) in [
        ("the old key, then", votes(&chain, 1, since - 1), None),
        ("the old key, now", votes(&chain, 1, since), forged),
        ("the new key, then", of(1, votes(&chain, 9, since - 1)), forged),
        ("the new key, now", of(1, votes(&chain, 9, since)), None),
    ] {
        assert_eq!(refused(&chain, &[evidence]), error, "{what}");
    }
    // Removed: what it signed before counts, and nothing after.
    chain.change(&Change::Node(Node { operator: ParticipantId::new(OPERATORS[0]), ..node(5) }));
    chain.change(&Change::NodeRemoved { node: 1 });
    let removed = chain.state.height().get() + 1;
    chain.block(1, &[]);
    let stranger = Some(EvidenceError::Stranger(ValidatorId::new(1)));
    for (what, evidence, error) in [
        ("the first key", votes(&chain, 1, since - 1), None),
        ("the last key", of(1, votes(&chain, 9, removed - 1)), None),
        ("no key", of(1, votes(&chain, 9, removed)), stranger),
    ] {
        assert_eq!(refused(&chain, &[evidence]), error, "{what}");
    }
}

/// The last block that may hold evidence of a height still knows what is recorded of it; the next
/// one forgets it and refuses the evidence for its age.
#[test]
fn evidence_has_its_time_and_is_forgotten_after_it() {
    let mut chain = short_chain();
    let evidence = [votes(&chain, 1, 2)];
    let executed = execute(&chain.state, &chain.context(1), &[], &evidence, &chain).unwrap();
    chain.apply(executed, &[]);
    let key = (Height::new(2), ValidatorId::new(1));
    while chain.state.height().next() < Height::new(2 + EVIDENCE_AGE_HEIGHTS) {
        chain.block(1, &[]);
    }
    let recorded =
        EvidenceError::Recorded { validator: ValidatorId::new(1), height: Height::new(2) };
    assert_eq!(refused(&chain, &evidence), Some(recorded));
    assert_eq!(refused(&chain, &[votes(&chain, 2, 2)]), None, "in time");
    chain.block(1, &[]);
    assert!(chain.state.tables().evidence.contains_key(&key));
    let old = Some(EvidenceError::Old(Height::new(2)));
    assert_eq!(refused(&chain, &evidence), old);
    assert_eq!(refused(&chain, &[votes(&chain, 2, 2)]), old);
    chain.block(1, &[]);
    assert!(chain.state.tables().evidence.is_empty());
}
