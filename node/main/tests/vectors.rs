//! The vectors' genesis file is one that a node accepts, and their receipt holds under it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;

use chain_types::{Receipt, Rejection};

const FOLDER: &str = "../../chain/types/tests/vectors";

fn vector(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(Path::new(FOLDER).join("vectors.json")).unwrap();
    let vectors: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    hex::decode(&vectors[name]).unwrap()
}

#[test]
fn the_receipt_holds_under_the_genesis_file() {
    let genesis = genesis::load_genesis(&Path::new(FOLDER).join("genesis.toml")).unwrap();
    assert_eq!(genesis.chain_id.digest().bytes().to_vec(), vector("chain_id"));
    assert_eq!(genesis.validators().digest().bytes().to_vec(), vector("validators_hash"));
    assert_eq!(genesis.parameters.digest().bytes().to_vec(), vector("parameters_hash"));
    let receipt = Receipt::decode(&vector("receipt")).unwrap();
    let proven = receipt.verify(&genesis).unwrap();
    assert_eq!(proven.outcome.rejection(), None::<Rejection>);
    assert_eq!(proven.arrived.unwrap().0.to_string(), "2-1001-156");
}

#[test]
fn another_genesis_file_proves_nothing() {
    let text = std::fs::read_to_string(Path::new(FOLDER).join("genesis.toml")).unwrap();
    let genesis = genesis::parse_genesis((text + "\n").as_bytes()).unwrap();
    let receipt = Receipt::decode(&vector("receipt")).unwrap();
    assert!(receipt.verify(&genesis).unwrap_err().to_string().contains("is of chain"));
}
