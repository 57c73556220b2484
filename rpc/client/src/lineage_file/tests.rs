#![allow(clippy::unwrap_used, clippy::expect_used)]
//! A lineage that stands apart holds as it is, and not cut, changed or of another chain.

use std::collections::BTreeMap;

use chain_types::{BlockHeader, Certificate, ChainGenesis, Height};

use super::*;

const VECTORS: &str = include_str!("../../../../chain/types/tests/vectors/vectors.json");
const GENESIS: &[u8] = include_bytes!("../../../../chain/types/tests/vectors/genesis.toml");

fn vector(name: &str) -> Vec<u8> {
    let vectors: BTreeMap<String, String> = serde_json::from_str(VECTORS).unwrap();
    hex::decode(&vectors[name]).unwrap()
}

fn chain() -> ChainGenesis {
    genesis::parse_genesis(GENESIS).unwrap()
}

fn walked(bytes: &[u8]) -> Result<u64, LineageFileError> {
    walk_over(bytes, &mut Walk::new(&chain(), []))
}

/// Gives a byte at a time, as a slow disk might.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

#[test]
fn it_says_who_decides_later_blocks() {
    let header: BlockHeader = codec::decode(&vector("lineage_skipping_header"), 1_000).unwrap();
    let certificate: Certificate =
        codec::decode(&vector("lineage_skipping_certificate"), 10_000).unwrap();
    let apart = vector("lineage_apart");
    let mut walk = Walk::new(&chain(), [header.height]);
    assert_eq!(walk_over(Slow(&apart), &mut walk).unwrap(), 9);
    assert_eq!(walk.since(), Height::new(10));
    assert_eq!(walk.finish().verify(&header, &certificate), Ok(()));
    assert_eq!(walked(&LINEAGE_MAGIC).unwrap(), 0, "a chain whose validators never changed");
}

#[test]
fn no_bit_of_it_can_be_changed() {
    let apart = vector("lineage_apart");
    for at in 0..apart.len() {
        let mut changed = apart.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(walked(&changed).is_err(), "byte {at} of {}", apart.len());
    }
}

#[test]
fn a_file_that_was_cut_is_refused_or_shorter() {
    let apart = vector("lineage_apart");
    let whole = (0..apart.len()).filter_map(|length| walked(&apart[..length]).ok());
    assert_eq!(whole.collect::<Vec<_>>(), (0..9).collect::<Vec<_>>(), "at handovers' ends only");
    let twice = [apart.as_slice(), &apart[LINEAGE_MAGIC.len()..]].concat();
    let again = walked(&twice).unwrap_err();
    let order = LineageError::Order;
    assert!(matches!(again, LineageFileError::Lineage { number: 10, error } if error == order));
}
