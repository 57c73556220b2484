//! Evidence proves that one validator signed two values, and nothing else passes for it.

use chain_types::evidence::evidence_root;
use chain_types::*;
use proptest::prelude::*;

use crate::support::{self, chain_id, key};

/// The vote key of a validator of the vectors.
fn key_of(validator: ValidatorId) -> Option<PublicKey> {
    let index = usize::try_from(validator.get()).ok()?;
    support::genesis().nodes.get(index).map(|node| node.validator_key)
}

/// Returns true if it is evidence against whom it names.
fn holds(one: &Equivocation) -> bool {
    key_of(one.validator()).is_some_and(|key| one.verify(chain_id(), key).is_ok())
}

fn votes() -> (SignedVote, SignedVote) {
    match &support::evidence()[0] {
        Equivocation::Votes { first, second } => (*first, *second),
        other => panic!("{other:?}"),
    }
}

fn proposals() -> (SignedProposal, SignedProposal) {
    match &support::evidence()[1] {
        Equivocation::Proposals { first, second } => (*first, *second),
        other => panic!("{other:?}"),
    }
}

fn signed_vote(vote: Vote, validator: u32) -> SignedVote {
    let tag = u8::try_from(validator).unwrap() + 1;
    let signature = key(tag).sign(&vote.digest(chain_id()));
    SignedVote { vote, validator: ValidatorId::new(validator), signature }
}

fn signed_proposal(proposal: Proposal) -> SignedProposal {
    let tag = u8::try_from(proposal.proposer.get()).unwrap() + 1;
    SignedProposal { proposal, signature: key(tag).sign(&proposal.digest(chain_id())) }
}

#[test]
fn two_signed_values_are_evidence() {
    for one in support::evidence() {
        assert!(holds(&one), "{one:?}");
        assert_eq!(one.clone().in_order(), one);
    }
    let (first, second) = votes();
    let all = support::evidence();
    let backwards = Equivocation::Votes { first: second, second: first };
    assert_eq!(backwards.in_order(), all[0]);
    let (first, second) = proposals();
    let backwards = Equivocation::Proposals { first: second, second: first };
    assert_eq!(backwards.in_order(), all[1]);
    let kinds = all.iter().map(Equivocation::kind).collect::<Vec<_>>();
    assert_eq!(kinds, [EquivocationKind::Precommits, EquivocationKind::Proposals]);
}

#[test]
fn whatever_excludes_nothing_is_no_evidence() {
    let (first, second) = votes();
    let vote =
        |vote, validator| Equivocation::Votes { first, second: signed_vote(vote, validator) };
    let (earlier, later) = proposals();
    let said = later.proposal;
    let proposal =
        |second| Equivocation::Proposals { first: earlier, second: signed_proposal(second) };
    let unsigned = SignedVote { signature: Signature::from_bytes([0; 64]), ..second };
    use EquivocationFlaw as Flaw;
    let rows = [
        ("two validators", vote(second.vote, 3), Flaw::Validator),
        ("two heights", vote(Vote { height: Height::new(6), ..second.vote }, 1), Flaw::Step),
        ("two rounds", vote(Vote { round: Round::new(1), ..second.vote }, 1), Flaw::Step),
        ("two steps", vote(Vote { step: VoteStep::Prevote, ..second.vote }, 1), Flaw::Step),
        ("one value", vote(first.vote, 1), Flaw::SameValue),
        ("the wrong order", Equivocation::Votes { first: second, second: first }, Flaw::Order),
        (
            "a forged second",
            Equivocation::Votes { first, second: unsigned },
            Flaw::Signature("second"),
        ),
        (
            "a forged first",
            Equivocation::Votes {
                first: SignedVote { signature: second.signature, ..first },
                second,
            },
            Flaw::Signature("first"),
        ),
        (
            "two proposers",
            proposal(Proposal { proposer: ValidatorId::new(3), ..said }),
            Flaw::Validator,
        ),
        (
            "proposals of two heights",
            proposal(Proposal { height: Height::new(8), ..said }),
            Flaw::Step,
        ),
        (
            "proposals of two rounds",
            proposal(Proposal { round: Round::new(1), ..said }),
            Flaw::Step,
        ),
        (
            "one block proposed with two valid rounds",
            proposal(Proposal { block: earlier.proposal.block, ..said }),
            Flaw::SameValue,
        ),
    ];
    for (what, evidence, flaw) in rows {
        let key = key_of(evidence.validator()).unwrap();
        assert_eq!(evidence.verify(chain_id(), key), Err(flaw), "{what}");
    }
    let other_chain = ChainId::default();
    let key = key_of(ValidatorId::new(1)).unwrap();
    let refused = support::evidence()[0].verify(other_chain, key);
    assert_eq!(refused, Err(Flaw::Signature("first")), "of another chain");
}

#[test]
fn no_bit_can_be_changed() {
    for one in support::evidence() {
        let bytes = codec::encode(&one);
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let Ok(read) = codec::decode::<Equivocation>(&changed, 1_024) else { continue };
            assert!(!holds(&read), "bit {at} of {one:?}");
        }
    }
}

#[test]
fn the_root_names_the_evidence_and_its_order() {
    let all = support::evidence();
    let reversed: Vec<_> = all.iter().rev().cloned().collect();
    let roots = [&all[..], &all[..1], &all[1..], &reversed, &[]].map(evidence_root);
    for (at, root) in roots.iter().enumerate() {
        assert!(!roots[..at].contains(root));
    }
}

proptest! {
    /// Messages of any values and places verify as evidence exactly if they exclude each other.
    #[test]
    fn it_verifies_exactly_if_two_values_are_signed_for_one_place(
        one in (0..2_u64, 0..2_u32, any::<bool>(), prop::option::of(0..3_u8), 0..2_u32),
        other in (0..2_u64, 0..2_u32, any::<bool>(), prop::option::of(0..3_u8), 0..2_u32),
    ) {
        let said = |(height, round, precommits, block, validator): (_, _, _, Option<u8>, _)| {
            let step = if precommits { VoteStep::Precommit } else { VoteStep::Prevote };
            let block = block.map(|byte| BlockHash::new(Digest::from_bytes([byte; 32])));
            let vote = Vote { height: Height::new(height), round: Round::new(round), step, block };
            signed_vote(vote, validator)
        };
        let evidence = Equivocation::Votes { first: said(one), second: said(other) }.in_order();
        let is_one_place = (one.0, one.1, one.2, one.4) == (other.0, other.1, other.2, other.4);
        prop_assert_eq!(holds(&evidence), is_one_place && one.3 != other.3);
    }
}
