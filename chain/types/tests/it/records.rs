//! The records of the vectors. This crate knows them as bytes only: they are written here from
//! `docs/wire-format.md`, and `node/runtime` holds them against the structures.

use chain_types::record_proof::RECORD_PROOF_MAGIC;
use chain_types::*;

use crate::support::{self, Decided, GENESIS_TIME, HANDOVER_HEIGHT};

/// Window 2, closed: gateway 201 owes gateway 202 of one currency, and is owed of another.
pub fn window_record() -> Vec<u8> {
    let head = (
        0_u32,
        (2_u64, GENESIS_TIME.plus(3_500), 8_u64),
        (Some(GENESIS_TIME.plus(6_750)), Some(20_u64)),
        (43_u64, 3_u64, 4_u64),
    );
    let [first, second, third, fourth] = positions();
    [codec::encode(&head), first, second, third, fourth].concat()
}

/// Returns the sums that the parties of window 2 owe and are owed.
fn positions() -> [Vec<u8>; 4] {
    let position = |kind: u8, owner: u64, currency: u16, debits: u128, credits: u128| {
        codec::encode(&(kind, owner, currency, debits, credits))
    };
    [
        position(1, 201, 156, 40_780, 1_500),
        position(1, 201, 392, 0, 9_000),
        position(1, 202, 156, 0, 39_280),
        position(1, 202, 392, 9_000, 0),
    ]
}

/// The digest that maker and checker of the settlement of window 2 sign.
pub fn report_digest() -> Digest {
    let head = codec::encode(&(2_u64, 4_u64));
    hash::hash(hash::Domain::Report, &[&head, &positions().concat()])
}

/// The settlement of window 2, proposed by agent 401 and approved by agent 402 in block 60.
pub fn window_settlement_record() -> Vec<u8> {
    let location = (60_u64, 0_u32, 0_u32);
    let time = GENESIS_TIME.plus(1_500 + 60 * 250);
    let word = (4_u32, 2_u64, 401_u32, [0x18_u8; 32], time, location);
    codec::encode(&(word, 402_u32, report_digest()))
}

/// The record of the first evidence of the vectors, in block 6.
pub fn evidence_record() -> Vec<u8> {
    let Some(Equivocation::Votes { first, second }) = support::evidence().into_iter().next() else {
        panic!("the first evidence is of votes");
    };
    let place = (6_u64, 0_u32, GENESIS_TIME.plus(1_500 + 6 * 250));
    let offence = (1_u32, 1_u32, 5_u64, 0_u32);
    codec::encode(&(12_u32, place, offence, first.vote.block, second.vote.block))
}

/// The proof that the block of `height` left record `index` of `records`.
pub fn left(height: u64, records: &[Vec<u8>], index: usize) -> RecordInclusion {
    let signers: &[u8] =
        if Height::new(height) <= HANDOVER_HEIGHT { &[0, 1, 3] } else { &[0, 1, 3, 4] };
    let Decided { mut header, .. } = support::decide(height, 3, vec![], signers);
    let leaves: Vec<Digest> = records.iter().map(|record| merkle::leaf(record)).collect();
    header.record_count = u32::try_from(leaves.len()).unwrap();
    header.records_root = merkle::root(&leaves);
    RecordInclusion {
        record: records[index].clone(),
        index: u32::try_from(index).unwrap(),
        path: merkle::prove(&leaves, index).unwrap(),
        certificate: support::certify(&header, Round::new(1), signers),
        header,
    }
}

/// The report of window 2, first of five records of block 21, and its settlement,
/// second of three of block 60, which is after the change of validators.
pub fn record_proof() -> RecordProof {
    let other = |number: u8| vec![number; 9];
    let closing = [window_record(), other(1), other(2), other(3), other(4)];
    let settling = [other(5), window_settlement_record(), other(6)];
    RecordProof {
        magic: RECORD_PROOF_MAGIC,
        records: vec![left(21, &closing, 0), left(60, &settling, 1)],
        lineage: Lineage(vec![support::handover()]),
    }
}
