#![allow(clippy::unwrap_used, clippy::expect_used)]
//! An account's proof holds as it is, and not with anything changed.

use chain_state::AccountKey;
use chain_store::ChainStore as _;
use chain_types::{Currency, Handover, Height, MerchantId, TimeMs};

use super::*;
use crate::participant::operations::Kind;
use crate::test_chain::{GATEWAYS, SHOP, TestChain};

/// A payable after an order, proven.
fn proven() -> (TestChain, ProvenAccount) {
    let mut chain = TestChain::new(TimeMs(1_790_000_000_000));
    let bought = "merchant,amount,currency\n1001,12.34,CNY";
    let bought = chain.operations(GATEWAYS[0], Kind::Collected, bought);
    assert_eq!(chain.block(1_000, &[(GATEWAYS[0], bought)]), [0]);
    let key = AccountKey::payable(MerchantId(SHOP), Currency(156));
    let proof = chain.state.account_proof(&key).unwrap();
    let committed = chain.store.block(Height(1)).unwrap().unwrap();
    let (header, certificate) = (committed.block.header, committed.certificate);
    let proven = ProvenAccount { proof, header, certificate, lineage: Lineage::default() };
    (chain, proven)
}

#[test]
fn a_proof_says_what_the_books_say() {
    let (chain, proven) = proven();
    let read = ProvenAccount::decode(&proven.encode()).unwrap();
    assert_eq!(read, proven);
    assert_eq!(read.verify(&chain.genesis), Ok(()));
    assert_eq!(read.proof.account.balance(), 1_234);
}

#[test]
fn no_bit_of_a_proof_can_be_changed() {
    let (chain, proven) = proven();
    let bytes = proven.encode();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let result = ProvenAccount::decode(&changed).and_then(|read| read.verify(&chain.genesis));
        assert!(result.is_err(), "byte {at} of {}", bytes.len());
    }
    for length in 0..bytes.len() {
        assert!(ProvenAccount::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_proof_is_of_its_own_chain_and_account() {
    let (chain, proven) = proven();
    let mut genesis = chain.genesis.clone();
    genesis.chain_id = chain_types::ChainId(chain_types::hash::sha256(&[b"another"]));
    assert_eq!(proven.verify(&genesis), Err(LineageError::Chain.into()));
    let mut other = proven.clone();
    other.proof.key.owner += 1;
    assert_eq!(other.verify(&chain.genesis), Err(AccountProofError::Counters));
    let mut richer = proven;
    richer.proof.account.credits_posted += 1;
    assert_eq!(richer.verify(&chain.genesis), Err(AccountProofError::Counters));
}

#[test]
fn a_change_of_validators_that_nothing_rests_on_is_refused() {
    let (chain, mut proven) = proven();
    let (header, certificate) = (proven.header.clone(), proven.certificate.clone());
    let handover = Handover { header, certificate, validators: chain.genesis.validators() };
    proven.lineage = Lineage(vec![handover]);
    assert_eq!(proven.verify(&chain.genesis), Err(AccountProofError::Needless));
}
