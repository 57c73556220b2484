//! A receipt proves what it says with nothing but the genesis file; changed anywhere, it proves
//! nothing.

use chain_types::*;

use crate::support::{self, ORDER_INDEX};

/// Whether bytes are a receipt that holds.
fn holds(bytes: &[u8], genesis: &ChainGenesis) -> bool {
    Receipt::decode(bytes).is_ok_and(|receipt| receipt.verify(genesis).is_ok())
}

fn refused(receipt: &Receipt) -> String {
    let bytes = codec::encode(receipt);
    Receipt::decode(&bytes)
        .and_then(|read| read.verify(&support::genesis()))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_receipt_proves_the_whole_life_of_an_order() {
    let bytes = codec::encode(&support::receipt());
    let proven = Receipt::decode(&bytes).unwrap().verify(&support::genesis()).unwrap();
    assert_eq!(proven.order_id, support::order_id(ORDER_INDEX));
    assert_eq!(proven.item, support::recharge(ORDER_INDEX));
    assert_eq!(proven.outcome, Outcome::APPLIED);
    assert_eq!(proven.accepted, support::GENESIS_TIME.plus(1_500 + 5 * 250));
    assert_eq!(proven.collected, Some(support::GENESIS_TIME.plus(1_500 + 9 * 250)));
    let (instruction, arrived) = proven.arrived.unwrap();
    assert_eq!(instruction.to_string(), "2-1001-156");
    assert_eq!(arrived, support::GENESIS_TIME.plus(1_500 + 40 * 250));
}

#[test]
fn a_refusal_is_proven_as_well() {
    let decided = support::order_block();
    let order = support::include(&decided, 1, 38);
    let receipt = Receipt { order, collection: None, arrival: None, ..support::receipt() };
    let proven = receipt.verify(&support::genesis()).unwrap();
    assert_eq!(proven.outcome.rejection(), Some(Rejection::LiquidityExceeded));
    assert_eq!((proven.collected, proven.arrived), (None, None));
}

#[test]
fn every_item_of_every_batch_has_its_receipt() {
    let decided = support::order_block();
    for index in 0..40 {
        let order = support::include(&decided, 1, index);
        let receipt = Receipt { order, collection: None, arrival: None, ..support::receipt() };
        let proven = receipt.verify(&support::genesis()).unwrap();
        assert_eq!(proven.order_id, support::order_id(index));
        assert_eq!(proven.outcome.is_applied(), index % 7 != 3);
    }
}

#[test]
fn proofs_are_made_from_a_committed_block() {
    let decided = support::order_block();
    let block = Block {
        header: decided.header.clone(),
        batches: decided.batches.iter().map(VerifiedBatch::id).collect(),
    };
    let (certificate, outcomes) = (&decided.certificate, decided.outcomes.as_slice());
    let provable = prove::Provable { block: &block, certificate, outcomes };
    for (batch, bytes) in (0_u32..).zip(decided.batches.iter().map(VerifiedBatch::bytes)) {
        let count = decided.batches[batch as usize].count();
        for item in 0..count {
            let expected = support::include(&decided, batch as usize, item);
            assert_eq!(provable.include(batch, bytes, item), Some(expected));
        }
        assert_eq!(provable.include(batch, bytes, count), None);
        assert_eq!(provable.include((batch + 1) % 3, bytes, 0), None, "another batch's place");
        assert_eq!(provable.include(batch, &bytes[..100], 0), None);
    }
    assert_eq!(provable.include(3, decided.batches[0].bytes(), 0), None);
}

#[test]
fn a_change_of_any_one_byte_is_refused() {
    let genesis = support::genesis();
    let bytes = codec::encode(&support::receipt());
    assert!(holds(&bytes, &genesis));
    let changes: &[u8] = if std::env::var_os("SLUICE_LONG").is_some() {
        &[1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x55, 0xaa, 0x0f]
    } else {
        &[0x01, 0x80, 0xff]
    };
    for at in 0..bytes.len() {
        for change in changes {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            assert!(!holds(&bytes, &genesis), "byte {at} changed by {change:#04x} still holds");
        }
    }
    for length in 0..bytes.len() {
        assert!(!holds(&bytes[..length], &genesis), "{length} bytes of {} hold", bytes.len());
    }
    assert!(!holds(&[bytes.as_slice(), &[0]].concat(), &genesis));
}

#[test]
fn a_receipt_of_another_chain_is_refused() {
    let mut genesis = support::genesis();
    genesis.chain_id = ChainId(Digest([1; 32]));
    let error = support::receipt().verify(&genesis).unwrap_err().to_string();
    assert!(error.contains("is of chain"), "{error}");
}

#[test]
fn fewer_than_a_quorum_prove_nothing() {
    let mut receipt = support::receipt();
    let header = &receipt.order.header;
    receipt.order.certificate = support::certify(header, Round(1), &[0, 1]);
    assert!(refused(&receipt).contains("not above two thirds"));
}

#[test]
fn signers_are_counted_once_and_in_order() {
    let mut receipt = support::receipt();
    let header = receipt.order.header.clone();
    receipt.order.certificate = support::certify(&header, Round(1), &[0, 0, 0, 1]);
    assert!(refused(&receipt).contains("strictly ascending"));
    receipt.order.certificate = support::certify(&header, Round(1), &[2, 1, 0]);
    assert!(refused(&receipt).contains("strictly ascending"));
    receipt.order.certificate = support::certify(&header, Round(1), &[0, 1, 2]);
    receipt.order.certificate.signatures[2].0 = ValidatorId(7);
    assert!(refused(&receipt).contains("not a validator"));
}

#[test]
fn votes_of_another_step_or_height_are_no_certificate() {
    let mut receipt = support::receipt();
    let header = receipt.order.header.clone();
    let vote = Vote {
        height: header.height,
        round: Round(1),
        step: VoteStep::Prevote,
        block: Some(header.hash()),
    };
    for (id, signature) in &mut receipt.order.certificate.signatures {
        let tag = u8::try_from(id.0).unwrap() + 1;
        *signature = support::key(tag).sign(&vote.digest(support::chain_id()));
    }
    assert!(refused(&receipt).contains("does not verify"));
    let mut receipt = support::receipt();
    let other = BlockHeader { height: Height(6), ..header };
    receipt.order.certificate = support::certify(&other, Round(1), &[0, 1, 2, 3]);
    assert!(refused(&receipt).contains("certificate's block"));
}

#[test]
fn votes_for_the_block_at_another_height_are_no_certificate() {
    let mut receipt = support::receipt();
    let certificate = &mut receipt.order.certificate;
    certificate.height = Height(6);
    let vote = Vote {
        height: certificate.height,
        round: certificate.round,
        step: VoteStep::Precommit,
        block: Some(certificate.block),
    };
    for (id, signature) in &mut certificate.signatures {
        let tag = u8::try_from(id.0).unwrap() + 1;
        *signature = support::key(tag).sign(&vote.digest(support::chain_id()));
    }
    let validators = support::genesis().validators();
    assert_eq!(certificate.verify(support::chain_id(), &validators), Ok(()));
    assert!(refused(&receipt).contains("certificate's block"));
}

#[test]
fn a_batch_of_another_chain_is_no_order() {
    let other = ChainId(Digest([1; 32]));
    let (id, key) = (ParticipantId(101), support::key(101));
    let items = [support::recharge(0)];
    let bytes = SignedBatch::sign(other, id, &key, support::valid_until(), &items);
    let batch = SignedBatch::decode(bytes.into()).unwrap();
    let batch = batch.verify(other, |_| Some(key.public_key())).unwrap();
    let decided = support::decide(5, 1, vec![(batch, vec![Outcome::APPLIED])], &[0, 1, 2, 3]);
    let order = support::include(&decided, 0, 0);
    let receipt = Receipt { order, collection: None, arrival: None, ..support::receipt() };
    assert!(refused(&receipt).contains("is of chain"));
}

#[test]
fn validators_of_the_attackers_choice_prove_nothing() {
    let mut receipt = support::receipt();
    let strangers = ValidatorSet::new(vec![]);
    receipt.order.header.validators_hash = strangers.digest();
    receipt.order.certificate = support::certify(&receipt.order.header, Round(1), &[0, 1, 2, 3]);
    assert!(refused(&receipt).contains("validators"));
}

#[test]
fn parts_of_different_orders_do_not_combine() {
    let other = support::verified(support::signed(201, &[support::collect(36)]));
    let decided = support::decide(9, 2, vec![(other, vec![Outcome::APPLIED])], &[0, 1, 3]);
    let foreign = support::include(&decided, 0, 0);
    let receipt = Receipt { collection: Some(foreign), ..support::receipt() };
    assert!(refused(&receipt).contains("does not belong"));

    let refused_collect = support::verified(support::signed(201, &[support::collect(37)]));
    let outcomes = vec![Outcome::from(Rejection::OrderVoided)];
    let decided = support::decide(9, 2, vec![(refused_collect, outcomes)], &[0, 1, 3]);
    let collection = Some(support::include(&decided, 0, 0));
    assert!(refused(&Receipt { collection, ..support::receipt() }).contains("does not belong"));
}

#[test]
fn an_arrival_needs_the_orders_own_instruction() {
    let without = Receipt { collection: None, ..support::receipt() };
    assert!(refused(&without).contains("the arrival does not belong"));
    let another_window = ArrivalItem { window: 3.into(), ..support::arrival() };
    let another_merchant = ArrivalItem { merchant: 1002.into(), ..support::arrival() };
    let another_currency = ArrivalItem { currency: 392.into(), ..support::arrival() };
    for item in [another_window, another_merchant, another_currency] {
        let batch = support::verified(support::signed(202, &[item]));
        let decided = support::decide(40, 3, vec![(batch, vec![Outcome::APPLIED])], &[0, 1, 2]);
        let arrival = Some(support::include(&decided, 0, 0));
        assert!(refused(&Receipt { arrival, ..support::receipt() }).contains("does not belong"));
    }
}

#[test]
fn a_batch_of_another_kind_is_no_order() {
    let receipt = support::receipt();
    let order = receipt.collection.clone().unwrap();
    assert!(refused(&Receipt { order, ..receipt }).contains("batch kind"));
}

#[test]
fn an_order_collected_in_one_step_is_collected_when_accepted() {
    let item = RechargeItem { flags: Flags::COLLECTED.into(), ..support::recharge(3) };
    let batch = support::verified(support::signed(201, &[item]));
    let decided = support::decide(8, 2, vec![(batch, vec![Outcome::APPLIED])], &[1, 2, 3]);
    let order = support::include(&decided, 0, 0);
    let receipt = Receipt { order, collection: None, ..support::receipt() };
    let proven = receipt.verify(&support::genesis()).unwrap();
    assert_eq!(proven.collected, Some(proven.accepted));
    assert!(proven.arrived.is_some());
}
