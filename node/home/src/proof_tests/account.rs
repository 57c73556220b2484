#![allow(clippy::unwrap_used, clippy::expect_used)]
//! An account's proof holds as it is, and not with anything changed.

use chain_state::AccountKey;
use chain_state::proof::{AccountProofError, ProvenAccount};
use chain_store::ChainStore as _;
use chain_types::lineage::{Lineage, LineageError};
use chain_types::{
    Currency, Handover, Height, MerchantId, PROOF_BYTES_MAX, SetChange, TimeMs, Walk,
};
use rpc_client::operations::OperationKind;

use crate::test_chain::{GATEWAYS, SHOP, TestChain};

/// A payable after an order, proven.
fn proven() -> (TestChain, ProvenAccount) {
    let mut chain = TestChain::new(TimeMs::new(1_790_000_000_000));
    let bought = "merchant,amount,currency\n1001,12.34,CNY";
    let bought = chain.operations(GATEWAYS[0], OperationKind::Collected, bought);
    assert_eq!(chain.block(1_000, &[(GATEWAYS[0], bought)]), [0]);
    let key = AccountKey::payable(MerchantId::new(SHOP), Currency::new(156));
    let proof = chain.state.account_proof(&key).unwrap();
    let committed = chain.store.block(Height::new(1)).unwrap().unwrap();
    let (header, certificate) = (committed.block.header, committed.certificate);
    let proven = ProvenAccount { proof, header, certificate, lineage: Lineage::default() };
    (chain, proven)
}

#[test]
fn a_proof_says_what_the_books_say() {
    let (chain, proven) = proven();
    let read = ProvenAccount::decode(&proven.encode().unwrap()).unwrap();
    assert_eq!(read, proven);
    assert_eq!(read.verify(&chain.genesis), Ok(()));
    assert_eq!(read.proof.account.balance(), 1_234);
}

#[test]
fn no_bit_of_a_proof_can_be_changed() {
    let (chain, proven) = proven();
    let bytes = proven.encode().unwrap();
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
    genesis.chain_id = chain_types::ChainId::new(chain_types::hash::sha256(&[b"another"]));
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
    let (deciders, next) = (SetChange::default(), SetChange::default());
    let needless = LineageError::Needless(header.height);
    proven.lineage = Lineage(vec![Handover { header, certificate, deciders, next }]);
    assert_eq!(proven.verify(&chain.genesis), Err(needless.into()));
}

#[test]
fn a_proof_without_its_lineage_holds_by_one_apart() {
    let (chain, proven) = proven();
    let trust = Walk::new(&chain.genesis, [proven.header.height]).finish();
    assert_eq!(proven.verify_by(&trust), Ok(()));
    let (header, certificate) = (proven.header.clone(), proven.certificate.clone());
    let (deciders, next) = (SetChange::default(), SetChange::default());
    let lineage = Lineage(vec![Handover { header, certificate, deciders, next }]);
    let own = ProvenAccount { lineage, ..proven };
    assert_eq!(own.verify_by(&trust), Err(AccountProofError::OwnLineage));
}

#[test]
fn what_the_verifier_would_refuse_is_not_made() {
    let (_, mut proven) = proven();
    let (header, certificate) = (proven.header.clone(), proven.certificate.clone());
    let (deciders, next) = (SetChange::default(), SetChange::default());
    let handover = Handover { header, certificate, deciders, next };
    proven.lineage = Lineage(vec![handover; 8_000]);
    let too_large = proven.encode().unwrap_err();
    assert!(too_large.bytes > PROOF_BYTES_MAX && too_large.lineage_bytes < too_large.bytes);
    proven.lineage.0.truncate(4_000);
    let bytes = proven.encode().unwrap();
    assert!(bytes.len() > 1024 * 1024, "what an earlier version made and then refused");
    assert_eq!(ProvenAccount::decode(&bytes), Ok(proven));
}

#[test]
fn the_largest_proof_fits_an_answer_and_a_client() {
    // As base64, with room for what stands beside it.
    let answer_bytes = PROOF_BYTES_MAX.div_ceil(3) * 4 + 64 * 1024;
    assert!(rpc_server::ServerConfig::default().response_bytes_max as usize >= answer_bytes);
    assert!(rpc_client::client::RESPONSE_BYTES_MAX as usize >= answer_bytes);
}
