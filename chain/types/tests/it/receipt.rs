//! A receipt proves what it says with nothing but the genesis file; changed anywhere, it proves
//! nothing.

use chain_types::*;

use crate::support::{self, LONG_ORDER_INDEX, ORDER_INDEX};

/// Returns true if bytes are a receipt that holds.
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
    assert_eq!((proven.cashback_tier, proven.returned), (None, Amount::new(0)));
}

#[test]
fn a_receipt_proves_every_step_there_is() {
    let bytes = codec::encode(&support::long_receipt());
    let proven = Receipt::decode(&bytes).unwrap().verify(&support::genesis()).unwrap();
    let time = |height: u64| support::GENESIS_TIME.plus(1_500 + height * 250);
    assert_eq!(proven.order_id, support::order_id(LONG_ORDER_INDEX));
    assert_eq!(proven.outcome, Outcome::HELD);
    assert_eq!((proven.accepted, proven.collected), (time(6), Some(time(12))));
    assert_eq!(proven.arrived.unwrap().1, time(40));
    assert_eq!((proven.cashback_tier, proven.returned), (Some(1), Amount::new(500)));
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
        evidence: Vec::new(),
    };
    let (certificate, outcomes) = (&decided.certificate, decided.outcomes.as_slice());
    let parties = decided.parties.as_slice();
    let provable = Provable { block: &block, certificate, outcomes, parties };
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
    let strangers = Provable { parties: &parties[5..], ..provable };
    assert_eq!(
        strangers.include(1, decided.batches[1].bytes(), 0),
        None,
        "no keys of participant 101"
    );
}

/// Returns true if the long forms of tests are asked for.
fn is_long() -> bool {
    std::env::var_os("SLUICE_LONG").is_some()
}

/// Shows that `receipt` holds, and not with a byte changed in any of these ways, cut or added.
fn holds_as_it_is_only(receipt: &Receipt, changes: impl Fn(usize) -> Vec<u8>) {
    let genesis = support::genesis();
    let bytes = codec::encode(receipt);
    assert!(holds(&bytes, &genesis));
    for at in 0..bytes.len() {
        for change in changes(at) {
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
fn a_change_of_any_one_byte_is_refused() {
    let every: &[u8] = if is_long() {
        &[1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x55, 0xaa, 0x0f]
    } else {
        &[0x01, 0x80, 0xff]
    };
    holds_as_it_is_only(&support::receipt(), |_| every.to_vec());
}

#[test]
fn a_flipped_bit_in_any_step_or_handover_is_refused() {
    // Every bit takes a minute; each byte's turn of a bit still meets every field in every bit.
    let flips = |at: usize| if is_long() { (0..8).collect() } else { vec![at % 8] };
    let flips = |at| flips(at).into_iter().map(|bit: usize| 1 << bit).collect();
    holds_as_it_is_only(&support::long_receipt(), flips);
}

#[test]
fn a_receipt_of_another_chain_is_refused() {
    let mut genesis = support::genesis();
    genesis.chain_id = ChainId::new(Digest::from_bytes([1; 32]));
    let error = support::receipt().verify(&genesis).unwrap_err().to_string();
    assert!(error.contains("is of chain"), "{error}");
}

#[test]
fn fewer_than_a_quorum_prove_nothing() {
    let mut receipt = support::receipt();
    let header = &receipt.order.header;
    receipt.order.certificate = support::certify(header, Round::new(1), &[0, 1]);
    assert!(refused(&receipt).contains("not above two thirds"));
}

#[test]
fn signers_are_counted_once_and_in_order() {
    let mut receipt = support::receipt();
    let header = receipt.order.header.clone();
    receipt.order.certificate = support::certify(&header, Round::new(1), &[0, 0, 0, 1]);
    assert!(refused(&receipt).contains("strictly ascending"));
    receipt.order.certificate = support::certify(&header, Round::new(1), &[2, 1, 0]);
    assert!(refused(&receipt).contains("strictly ascending"));
    receipt.order.certificate = support::certify(&header, Round::new(1), &[0, 1, 2]);
    receipt.order.certificate.signatures[2].0 = ValidatorId::new(7);
    assert!(refused(&receipt).contains("not a validator"));
}

#[test]
fn votes_of_another_step_or_height_are_no_certificate() {
    let mut receipt = support::receipt();
    let header = receipt.order.header.clone();
    let vote = Vote {
        height: header.height,
        round: Round::new(1),
        step: VoteStep::Prevote,
        block: Some(header.hash()),
    };
    for (id, signature) in &mut receipt.order.certificate.signatures {
        let tag = u8::try_from(id.get()).unwrap() + 1;
        *signature = support::key(tag).sign(&vote.digest(support::chain_id()));
    }
    assert!(refused(&receipt).contains("does not verify"));
    let mut receipt = support::receipt();
    let other = BlockHeader { height: Height::new(6), ..header };
    receipt.order.certificate = support::certify(&other, Round::new(1), &[0, 1, 2, 3]);
    assert!(refused(&receipt).contains("is of another block"));
}

#[test]
fn votes_for_the_block_at_another_height_are_no_certificate() {
    let mut receipt = support::receipt();
    let certificate = &mut receipt.order.certificate;
    certificate.height = Height::new(6);
    let vote = Vote {
        height: certificate.height,
        round: certificate.round,
        step: VoteStep::Precommit,
        block: Some(certificate.block),
    };
    for (id, signature) in &mut certificate.signatures {
        let tag = u8::try_from(id.get()).unwrap() + 1;
        *signature = support::key(tag).sign(&vote.digest(support::chain_id()));
    }
    let validators = support::genesis().validators();
    assert_eq!(certificate.verify(support::chain_id(), &validators), Ok(()));
    assert!(refused(&receipt).contains("is of another block"));
}

#[test]
fn a_batch_of_another_chain_is_no_order() {
    let other = ChainId::new(Digest::from_bytes([1; 32]));
    let (id, key) = (ParticipantId::new(101), support::key(101));
    let items = [support::recharge(0)];
    let bytes = SignedBatch::sign(other, id, &key, support::valid_until(), &items);
    let batch = SignedBatch::decode(bytes.into()).unwrap();
    let batch = batch.verify(other, support::keys_of).unwrap();
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
    receipt.order.certificate =
        support::certify(&receipt.order.header, Round::new(1), &[0, 1, 2, 3]);
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

/// The long receipt's steps, made anew with one of them changed.
fn releases(index: u32, decision: Decision, outcome: Outcome) -> Receipt {
    let batch = support::signed(501, &[support::hold_decision(index, decision)]);
    let release = Some(support::alone(8, 1, batch, outcome));
    Receipt { release, ..support::long_receipt() }
}

#[test]
fn only_a_release_of_this_held_order_lets_it_be_collected() {
    let (this, yes, no) = (LONG_ORDER_INDEX, Decision::Approve, Decision::Refuse);
    let too_late = Outcome::from(Rejection::OrderNotHeld);
    assert!(releases(this, yes, Outcome::APPLIED).verify(&support::genesis()).is_ok());
    for (what, receipt) in [
        ("another order", releases(this + 1, yes, Outcome::APPLIED)),
        ("a refusal", releases(this, no, Outcome::APPLIED)),
        ("a release refused", releases(this, yes, too_late)),
    ] {
        assert!(refused(&receipt).contains("release does not belong"), "{what}");
    }
    let held = Receipt { release: None, ..support::long_receipt() };
    assert!(refused(&held).contains("collection does not belong"));
    let release = releases(ORDER_INDEX, yes, Outcome::APPLIED).release;
    let never_held = Receipt { release, ..support::receipt() };
    assert!(refused(&never_held).contains("release does not belong"));
}

#[test]
fn a_held_order_flagged_as_collected_is_collected_when_released() {
    let item =
        RechargeItem { flags: Flags::COLLECTED.into(), ..support::recharge(LONG_ORDER_INDEX) };
    let order = support::alone(6, 1, support::signed(201, &[item]), Outcome::HELD);
    let waiting = Receipt {
        order,
        collection: None,
        release: None,
        arrival: None,
        returns: vec![],
        ..support::receipt()
    };
    let proven = waiting.verify(&support::genesis()).unwrap();
    assert_eq!((proven.outcome, proven.collected), (Outcome::HELD, None));
    let batch =
        support::signed(501, &[support::hold_decision(LONG_ORDER_INDEX, Decision::Approve)]);
    let release = Some(support::alone(8, 1, batch, Outcome::with_cashback(2)));
    let released = Receipt { release, ..waiting };
    let proven = released.verify(&support::genesis()).unwrap();
    assert_eq!(proven.collected, Some(support::GENESIS_TIME.plus(1_500 + 8 * 250)));
    assert_eq!(proven.cashback_tier, Some(2));
}

#[test]
fn returns_are_this_orders_in_order_and_within_its_amount() {
    let (this, applied) = (LONG_ORDER_INDEX, Outcome::APPLIED);
    let back = |index, sequence, amount, outcome| {
        let items = [support::send_back(index, sequence, amount)];
        support::alone(60, 5, support::signed(202, &items), outcome)
    };
    let amount = support::recharge(this).amount.get();
    let whole =
        Receipt { returns: vec![back(this, 1, amount, applied)], ..support::long_receipt() };
    assert_eq!(whole.verify(&support::genesis()).unwrap().returned, Amount::new(amount));
    let exceeded = Outcome::from(Rejection::ReturnExceeded);
    let (first, second) = (back(this, 1, 600, applied), back(this, 2, amount - 599, applied));
    for (what, returns) in [
        ("the second alone", vec![back(this, 2, 1, applied)]),
        ("one twice", vec![first.clone(), first.clone()]),
        ("more than the order", vec![first, second]),
        ("more than any number", vec![back(this, 1, 1, applied), back(this, 2, u64::MAX, applied)]),
        ("another order", vec![back(this + 1, 1, 1, applied)]),
        ("one refused", vec![back(this, 1, 1, exceeded)]),
        ("one repeated", vec![back(this, 1, 1, Outcome::REPEATED)]),
    ] {
        let receipt = Receipt { returns, ..support::long_receipt() };
        assert!(refused(&receipt).contains("return does not belong"), "{what}");
    }
    let never_collected = Receipt { collection: None, arrival: None, ..support::long_receipt() };
    assert!(refused(&never_collected).contains("return does not belong"));
}

#[test]
fn a_key_is_good_for_its_heights_only() {
    let at = |height, tag| {
        let batch = support::signed_with(tag, 202, &[support::send_back(LONG_ORDER_INDEX, 1, 1)]);
        let returns = vec![support::alone(height, 5, batch, Outcome::APPLIED)];
        Receipt { returns, ..support::long_receipt() }
    };
    let (changed, overlap) = (support::KEY_HEIGHT.get(), support::OVERLAP_END.get());
    for (height, tag, holds) in [
        (changed - 1, 202, true),
        (changed - 1, support::SECOND_KEY, false),
        (changed, 202, true),
        (changed, support::SECOND_KEY, true),
        (overlap, 202, true),
        (overlap + 1, 202, false),
        (overlap + 1, support::SECOND_KEY, true),
    ] {
        let verified = at(height, tag).verify(&support::genesis());
        assert_eq!(verified.is_ok(), holds, "block {height}, key {tag}: {verified:?}");
    }
    assert!(refused(&at(overlap + 1, 202)).contains("batch signature"));
}

#[test]
fn keys_are_the_submitters_own_of_that_very_block() {
    let mut receipt = support::receipt();
    let parties = support::parties_at(Height::new(5));
    let leaves: Vec<Digest> = parties.iter().map(PartyKeys::leaf).collect();
    let put = |order: &mut Inclusion, at: usize, keys: PartyKeys| {
        order.keys = keys;
        order.keys_index = u32::try_from(at).unwrap();
        order.keys_proof = merkle::prove(&leaves, at).unwrap();
    };
    // Keys of its own choice, with which the submission is signed anew.
    let mut order = receipt.order.clone();
    let chosen = PartyKeys { current: support::key(9).public_key(), ..order.keys };
    put(&mut order, 4, chosen);
    order.batch_signature = support::key(9).sign(&order.batch.id().digest());
    assert!(refused(&Receipt { order, ..receipt.clone() }).contains("submitter's keys"));
    // Another participant's, who signs in its place.
    let mut order = receipt.order.clone();
    put(&mut order, 5, parties[5]);
    order.batch_signature = support::key(201).sign(&order.batch.id().digest());
    assert!(refused(&Receipt { order, ..receipt.clone() }).contains("batch signature"));
    // Its own, under another place.
    receipt.order.keys_index += 1;
    assert!(refused(&receipt).contains("submitter's keys"));
}
