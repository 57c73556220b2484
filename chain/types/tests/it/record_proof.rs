//! A proof of records holds with nothing but the genesis file, and not with anything changed.

use chain_types::record_proof::RECORDS_MAX;
use chain_types::*;

use crate::records;
use crate::support::{self, HANDOVER_HEIGHT};

fn holds(bytes: &[u8]) -> bool {
    RecordProof::decode(bytes).is_ok_and(|proof| proof.verify(&support::genesis()).is_ok())
}

/// Returns the flaw of the vectors' proof once it was changed.
fn changed(change: impl FnOnce(&mut RecordProof)) -> RecordProofError {
    let mut proof = records::record_proof();
    change(&mut proof);
    proof.verify(&support::genesis()).unwrap_err()
}

#[test]
fn a_proof_of_records_holds() {
    let proof = records::record_proof();
    let read = RecordProof::decode(&codec::encode(&proof)).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.verify(&support::genesis()), Ok(()));
    assert_eq!(read.records[0].record, records::window_record());
    assert_eq!(read.records[1].record, records::window_settlement_record());
}

#[test]
fn every_record_of_a_block_has_its_proof() {
    for count in 1..=9 {
        let records: Vec<Vec<u8>> = (0..count).map(|at| vec![at; usize::from(at)]).collect();
        for index in 0..count {
            let included = records::left(21, &records, usize::from(index));
            let proof = RecordProof { records: vec![included], ..records::record_proof() };
            let proof = RecordProof { lineage: Lineage::default(), ..proof };
            assert_eq!(proof.verify(&support::genesis()), Ok(()), "{index} of {count}");
            for other in (0..=count).filter(|other| *other != index) {
                let mut elsewhere = proof.clone();
                elsewhere.records[0].index = u32::from(other);
                assert!(elsewhere.verify(&support::genesis()).is_err(), "{index} at {other}");
            }
        }
    }
}

#[test]
fn a_change_of_any_one_byte_is_refused() {
    let bytes = codec::encode(&records::record_proof());
    assert!(holds(&bytes));
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            assert!(!holds(&bytes), "byte {at} changed by {change:#04x} still holds");
        }
    }
    for length in 0..bytes.len() {
        assert!(!holds(&bytes[..length]), "{length} bytes of {} hold", bytes.len());
    }
    assert!(!holds(&[bytes.as_slice(), &[0]].concat()));
    let long = vec![0; PROOF_BYTES_MAX + 1];
    let error = RecordProof::decode(&long).unwrap_err();
    assert!(matches!(error, RecordProofError::Codec(codec::CodecError::TooLarge { .. })));
}

#[test]
fn what_does_not_hold_is_named() {
    use RecordProofError as Error;
    let none = changed(|proof| proof.records.clear());
    assert_eq!(none, Error::Count(0));
    let many = changed(|proof| proof.records = vec![proof.records[0].clone(); RECORDS_MAX + 1]);
    assert_eq!(many, Error::Count(RECORDS_MAX + 1));
    assert_eq!(changed(|proof| proof.records.reverse()), Error::Order);
    let twice = changed(|proof| proof.records[1] = proof.records[0].clone());
    assert_eq!(twice, Error::Order);
    let other = changed(|proof| proof.records[0].record[4] ^= 1);
    assert_eq!(other, Error::Path { height: Height::new(21), index: 0 });
    let elsewhere = changed(|proof| proof.records[1].index = 0);
    assert_eq!(elsewhere, Error::Path { height: Height::new(60), index: 0 });
    let needless = changed(|proof| drop(proof.records.pop()));
    assert_eq!(needless, Error::Lineage(LineageError::Needless(HANDOVER_HEIGHT)));
    let lost = changed(|proof| proof.lineage = Lineage::default());
    assert_eq!(lost, Error::Lineage(LineageError::Decided(Height::new(60))));
    let mut genesis = support::genesis();
    genesis.chain_id = ChainId::default();
    let error = records::record_proof().verify(&genesis).unwrap_err();
    assert_eq!(error, Error::Lineage(LineageError::Chain));
}
