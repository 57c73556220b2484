//! The rules of whole batches, in admission and in execution.

use chain_types::batch::BatchItem;
use chain_types::{ChainId, Digest, OrderId, Outcome, Rejection, VerifiedBatch};
use contracts::{BlockError, admit, execute};
use zerocopy::{Immutable, IntoBytes};

use crate::kit::*;

/// A batch that `submitter` is said to have signed with the key of `signer`.
fn forged(
    chain: &Chain,
    submitter: u32,
    signer: u32,
    items: &[impl IntoBytes + Immutable + BatchItem],
) -> VerifiedBatch {
    chain.batch_signed(submitter, &key_of(signer), START.plus(60_000), items)
}

#[test]
fn each_refused_batch_gives_its_code_to_every_item_and_books_nothing() {
    let chain = Chain::new();
    let orders = [one_step(order_id(1, 0), 100), order(order_id(2, 0), 100)];
    let collects = [collect(order_id(1, 0)), collect(order_id(2, 0))];
    let arrivals = [arrival(0, SHOP, 100), arrival(0, SHOP, 200)];
    let failures = [failure(0, SHOP, 1), failure(0, SHOP, 2)];
    let after = |ms: u64| START.plus(ms);
    let rows = [
        ("unknown submitter", forged(&chain, 9, SERVICE, &orders), Rejection::SubmitterUnknown),
        ("not its key", forged(&chain, SERVICE, BANK_A, &orders), Rejection::SignatureInvalid),
        ("suspended", chain.batch(SERVICE_SUSPENDED, &orders), Rejection::SubmitterSuspended),
        ("an auditor submits", chain.batch(AUDITOR, &orders), Rejection::RoleMissing),
        ("a service collects", chain.batch(SERVICE, &collects), Rejection::RoleMissing),
        ("a service attests", chain.batch(SERVICE, &arrivals), Rejection::RoleMissing),
        ("a service fails it", chain.batch(SERVICE, &failures), Rejection::RoleMissing),
        (
            "valid until the block before",
            chain.batch_until(BANK_A, after(0), &orders),
            Rejection::BatchExpired,
        ),
        (
            "valid for too long",
            chain.batch_until(BANK_A, after(240_002), &orders),
            Rejection::BatchValidTooLong,
        ),
    ];
    for (name, batch, expected) in rows {
        let mut chain = Chain::new();
        let refused = admit(&chain.state, &batch, after(1)).unwrap_err();
        assert_eq!(refused.rejection, expected, "{name}");
        let good = chain.batch(BANK_A, &[one_step(order_id(7, 0), 5)]);
        let outcomes = chain.block(1, &[batch, good]);
        assert_eq!(outcomes[0], [Outcome::from(expected); 2], "{name}");
        assert_eq!(outcomes[1], [Outcome::APPLIED], "{name}: another batch is not harmed");
        assert_eq!(chain.payable(SHOP).credits_posted, 5, "{name}");
        let ids: [OrderId; 2] = [of(BANK_A, order_id(1, 0)), order_id(2, 0)];
        assert!(ids.iter().all(|id| chain.state.order(id).is_none()), "{name}: nothing recorded");
    }
}

#[test]
fn the_bounds_of_valid_until_are_in() {
    for until in [START.plus(1), START.plus(240_001)] {
        let mut chain = Chain::new();
        let batch = chain.batch_until(BANK_A, until, &[one_step(order_id(1, 0), 100)]);
        assert!(admit(&chain.state, &batch, START.plus(1)).is_ok());
        assert_eq!(chain.block(1, &[batch])[0], [Outcome::APPLIED]);
    }
}

#[test]
fn a_batch_of_another_chain_is_refused() {
    let mut genesis = genesis();
    genesis.chain_id = ChainId::new(Digest::ZERO);
    let other = Chain::of(genesis);
    let batch = other.batch(BANK_A, &[one_step(order_id(1, 0), 100)]);
    let mut chain = Chain::new();
    let refused = admit(&chain.state, &batch, START).unwrap_err();
    assert_eq!(refused.rejection, Rejection::WrongChain);
    assert_eq!(chain.block(1, &[batch])[0], [Rejection::WrongChain.into()]);
}

#[test]
fn a_batch_commits_once() {
    let mut chain = Chain::new();
    let batch = chain.batch(BANK_A, &[one_step(order_id(1, 0), 100)]);
    let twice = [batch.clone(), batch.clone()];
    let repeated = Some(BlockError::BatchRepeated(batch.id()));
    assert_eq!(execute(&chain.state, &chain.context(1), &twice, &[], &chain).err(), repeated);
    chain.block(1, std::slice::from_ref(&batch));
    let again = execute(&chain.state, &chain.context(1), std::slice::from_ref(&batch), &[], &chain);
    assert_eq!(again.err(), repeated);
    let refused = admit(&chain.state, &batch, chain.state.time()).unwrap_err();
    assert_eq!(refused.rejection, Rejection::BatchRepeated);
    // Also by a clock for which its time is over: it is final, not expired.
    let refused = admit(&chain.state, &batch, START.plus(60_001)).unwrap_err();
    assert_eq!(refused.rejection, Rejection::BatchRepeated);
    // For as long as it could apply; after that it is expired.
    chain.block(59_998, &[]);
    assert!(chain.state.batch_location(&batch.id()).is_some());
    assert_eq!(chain.state.time(), START.plus(59_999));
    chain.block(2, &[]);
    assert!(chain.state.batch_location(&batch.id()).is_none());
    assert_eq!(chain.block(1, &[batch])[0], [Rejection::BatchExpired.into()]);
}

#[test]
fn a_refused_batch_may_not_come_again_while_it_could_apply() {
    let mut chain = Chain::new();
    let batch = chain.batch(AUDITOR, &[one_step(order_id(1, 0), 100)]);
    assert_eq!(chain.block(1, std::slice::from_ref(&batch))[0], [Rejection::RoleMissing.into()]);
    let again = execute(&chain.state, &chain.context(1), std::slice::from_ref(&batch), &[], &chain);
    assert_eq!(again.err(), Some(BlockError::BatchRepeated(batch.id())));
}
