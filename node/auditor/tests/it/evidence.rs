//! What the auditor lets a block hold as evidence.

use chain_types::evidence::evidence_root;
use chain_types::*;

use crate::kit::*;

fn vote(validator: u32, height: u64, block: Option<u8>) -> SignedVote {
    let block = block.map(|byte| BlockHash::new(Digest::from_bytes([byte; 32])));
    let vote =
        Vote { height: Height::new(height), round: Round::new(0), step: VoteStep::Prevote, block };
    let signature = secret(2_000 + validator).sign(&vote.digest(genesis().chain_id));
    SignedVote { vote, validator: ValidatorId::new(validator), signature }
}

fn votes(validator: u32, height: u64) -> Equivocation {
    let (first, second) = (vote(validator, height, None), vote(validator, height, Some(1)));
    Equivocation::Votes { first, second }
}

fn proposals(validator: u32, height: u64) -> Equivocation {
    let proposal = |byte| {
        let block = BlockHash::new(Digest::from_bytes([byte; 32]));
        let (height, proposer) = (Height::new(height), ValidatorId::new(validator));
        let proposal =
            Proposal { height, round: Round::new(3), block, valid_round: None, proposer };
        let signature = secret(2_000 + validator).sign(&proposal.digest(genesis().chain_id));
        SignedProposal { proposal, signature }
    };
    Equivocation::Proposals { first: proposal(1), second: proposal(2) }
}

fn judge(scene: &mut Scene, evidence: &[Equivocation]) -> Result<(), String> {
    let mut header = scene.header(1);
    header.evidence_count = u32::try_from(evidence.len()).unwrap();
    header.evidence_root = evidence_root(evidence);
    let judged = scene.auditor.block(&header, evidence, &[], &[]);
    judged.map_err(|finding| finding.to_string())
}

/// Four blocks; the fourth holds evidence against validator 1 of height 3.
fn scene() -> Scene {
    let mut scene = Scene::default();
    for _ in 0..3 {
        scene.pass(1);
    }
    judge(&mut scene, &[votes(1, 3)]).unwrap();
    scene
}

#[test]
fn evidence_is_judged_by_the_page() {
    let pair = |first, second| Equivocation::Votes { first, second };
    let forged = SignedVote { signature: Signature::from_bytes([7; 64]), ..vote(0, 4, Some(1)) };
    let rows = [
        ("nothing", vec![], ""),
        ("votes and proposals", vec![votes(2, 3), proposals(0, 5)], ""),
        ("five", (0..4).map(|id| votes(id, 2)).chain([votes(0, 4)]).collect(), "at most 4"),
        ("not ascending", vec![votes(2, 4), votes(0, 4)], "ascends by height"),
        ("twice", vec![votes(2, 4), votes(2, 4)], "ascends by height"),
        ("of nobody", vec![votes(4, 4)], "a node that was registered then"),
        ("of a later height", vec![votes(2, 6)], "a height that has begun"),
        ("recorded", vec![votes(1, 3)], "not recorded yet"),
        ("recorded, another offence", vec![proposals(1, 3)], "not recorded yet"),
        ("two heights", vec![pair(vote(2, 4, None), vote(2, 3, Some(1)))], "two messages of one"),
        (
            "two validators",
            vec![pair(vote(2, 4, None), vote(3, 4, Some(1)))],
            "two messages of one",
        ),
        ("one value", vec![pair(vote(2, 4, Some(1)), vote(2, 4, Some(1)))], "two values"),
        ("the higher first", vec![pair(vote(2, 4, Some(1)), vote(2, 4, None))], "two values"),
        ("forged", vec![pair(vote(0, 4, None), forged)], "signatures that verify"),
    ];
    for (what, evidence, words) in rows {
        match judge(&mut scene(), &evidence) {
            Ok(()) => assert_eq!(words, "", "{what}"),
            Err(finding) => {
                assert!(!words.is_empty() && finding.contains(words), "{what}: {finding}")
            }
        }
    }
}

/// A key that was rotated counts for the heights at which it held, and the new one for those after.
#[test]
fn evidence_is_judged_with_the_key_of_its_height() {
    let mut scene = scene();
    let next = |key: u32| secret(key).public_key();
    scene.change(&Change::NodeKeys { node: 2, network_key: next(701), validator_key: next(2_010) });
    let first_new = scene.height + 1;
    scene.pass(1);
    scene.pass(1);
    let by_new = |height| {
        let vote = |block| SignedVote { validator: ValidatorId::new(2), ..vote(10, height, block) };
        Equivocation::Votes { first: vote(None), second: vote(Some(1)) }
    };
    let signatures = "signatures that verify";
    for (what, evidence, holds) in [
        ("the old key, then", votes(2, first_new - 1), true),
        ("the old key, now", votes(2, first_new), false),
        ("the new key, then", by_new(first_new - 2), false),
        ("the new key, now", by_new(first_new), true),
    ] {
        let judged = judge(&mut scene, &[evidence]);
        assert_eq!(judged.is_ok(), holds, "{what}: {judged:?}");
        assert!(holds || judged.unwrap_err().contains(signatures), "{what}");
    }
}

#[test]
fn headers_name_their_evidence() {
    let evidence = [votes(2, 3)];
    let root = evidence_root(&evidence);
    let rows = [(1, root, true), (0, root, false), (1, evidence_root(&[]), false)];
    for (evidence_count, evidence_root, holds) in rows {
        let mut scene = scene();
        let header = BlockHeader { evidence_count, evidence_root, ..scene.header(1) };
        let judged = scene.auditor.block(&header, &evidence, &[], &[]);
        assert_eq!(judged.is_ok(), holds, "{evidence_count} {judged:?}");
    }
}

#[test]
fn evidence_has_its_time() {
    let mut scene = scene();
    while scene.height < 10_003 {
        scene.pass(1);
    }
    assert!(judge(&mut scene, &[votes(2, 4)]).is_ok());
    let old = judge(&mut scene, &[votes(2, 4)]).unwrap_err();
    assert!(old.contains("the last 10000 heights"), "{old}");
}
