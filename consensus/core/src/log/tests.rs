#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_types::hash::sha256;
use chain_types::{Digest, Signature, Vote, VoteStep};

use super::*;
use crate::interface::TimeoutKind;
use crate::messages::Proposal;

fn block() -> BlockHash {
    BlockHash::new(Digest::from_bytes([7; 32]))
}

fn record() -> Record {
    let (height, round) = (Height::new(3), Round::new(1));
    let vote = |step, block| {
        let vote = Vote { height, round, step, block };
        Entry::Vote(SignedVote {
            vote,
            validator: ValidatorId::new(2),
            signature: Signature::from_bytes([4; 64]),
        })
    };
    let proposal = Proposal {
        height,
        round,
        block: block(),
        valid_round: Some(Round::new(0)),
        proposer: ValidatorId::new(1),
    };
    let entries = vec![
        Entry::Verdict {
            height,
            round,
            proposer: ValidatorId::new(1),
            valid_round: Some(Round::new(0)),
            block: block(),
            valid: true,
        },
        Entry::Proposal(SignedProposal { proposal, signature: Signature::from_bytes([5; 64]) }),
        vote(VoteStep::Prevote, Some(block())),
        vote(VoteStep::Precommit, None),
        Entry::Timeout(Timeout { height, round, kind: TimeoutKind::Precommit }),
        Entry::Polka(PolkaCertificate {
            height,
            round,
            block: block(),
            signatures: vec![(ValidatorId::new(2), Signature::from_bytes([6; 64]))],
        }),
    ];
    Record { height, entries }
}

#[test]
fn the_bytes_are_frozen() {
    let bytes = record().to_bytes();
    assert_eq!(
        (bytes.len(), sha256(&[&bytes]).to_string().as_str()),
        (550, "37bf68d9ab187cbc2f85d1e9b613181952267d8696432242453caa48ab53f298")
    );
}

#[test]
fn a_timeout_reads_as_it_is_written() {
    let timeout =
        Timeout { height: Height::new(3), round: Round::new(1), kind: TimeoutKind::Prevote };
    let record = Record { height: Height::new(3), entries: vec![Entry::Timeout(timeout)] };
    let mut expected = vec![1]; // version
    expected.extend(3_u64.to_le_bytes()); // height
    expected.extend(1_u64.to_le_bytes()); // one entry
    expected.extend(3_u32.to_le_bytes()); // a timeout
    expected.extend(3_u64.to_le_bytes());
    expected.extend(1_u32.to_le_bytes());
    expected.extend(1_u32.to_le_bytes()); // of the prevotes
    assert_eq!(record.to_bytes(), expected);
}

#[test]
fn bytes_lead_back_to_the_record_and_entries_to_their_inputs() {
    let record = record();
    assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
    for entry in &record.entries {
        assert_eq!(Entry::of(record.height, &entry.input()).as_ref(), Some(entry));
    }
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let bytes = record().to_bytes();
    for length in 0..bytes.len() {
        assert!(Record::from_bytes(&bytes[..length]).is_err());
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        let _ = Record::from_bytes(&changed);
    }
}

#[test]
fn inputs_that_must_not_be_kept_have_no_entry() {
    let value = malachite_core::LocallyProposedValue::new(
        convert::height_in(Height::new(3)),
        convert::round_in(Round::new(0)),
        EngineValue(block()),
    );
    assert_eq!(Entry::of(Height::new(3), &EngineInput::Propose(value)), None);
}
