//! A batch is believed whole or not at all.

use bytes::Bytes;
use chain_types::batch::{BATCH_BYTES_MAX, BATCH_ITEMS_MAX, Items};
use chain_types::*;
use zerocopy::IntoBytes as _;

use crate::support::{self, PREFIX};

/// Returns what becomes of batch bytes: accepted, or refused with a code.
fn judge(bytes: &[u8]) -> Result<VerifiedBatch, Rejection> {
    SignedBatch::decode(Bytes::copy_from_slice(bytes))
        .and_then(|batch| batch.verify(support::chain_id(), support::keys_of))
        .map_err(|error| error.rejection)
}

fn two_orders() -> Vec<u8> {
    support::signed(101, &[support::recharge(0), support::recharge(1)])
}

/// The batch with `change` made to its header and signed again, so that only the change is wrong.
fn resigned(change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let bytes = two_orders();
    let mut header: BatchHeader = codec::decode(&bytes[..84], 84).unwrap();
    change(&mut header);
    let signature = support::key(101).sign(&header.id().digest());
    [codec::encode(&header).as_slice(), &signature.bytes(), &bytes[PREFIX..]].concat()
}

#[test]
fn a_good_batch_gives_its_items_back() {
    let batch = judge(&two_orders()).unwrap();
    assert_eq!(batch.count(), 2);
    assert_eq!(batch.kind(), BatchKind::Recharge);
    assert_eq!(batch.id(), batch.header().id());
    let Items::Recharge(items) = batch.items() else { panic!("wrong kind") };
    assert_eq!(items, [support::recharge(0), support::recharge(1)]);
    assert_eq!(batch.item_bytes(1).unwrap(), support::recharge(1).as_bytes());
    assert_eq!(batch.item_bytes(2), None);
    assert_eq!(batch.leaves()[1], merkle::leaf(support::recharge(1).as_bytes()));
}

#[test]
fn every_kind_travels() {
    let samples = support::samples();
    assert!(samples.iter().map(|sample| sample.kind).eq(BatchKind::ALL.iter().copied()));
    for support::Sample { kind, item, batch: bytes } in samples {
        let batch = judge(&bytes).unwrap();
        assert_eq!((batch.kind(), support::item_count(batch.items())), (kind, 1));
        assert_eq!(batch.item_bytes(0).unwrap(), item);
        assert_eq!((item.len(), bytes.len()), (kind.item_bytes(), PREFIX + kind.item_bytes()));
        assert_eq!(BatchKind::from_number(kind.number()), Some(kind));
    }
    assert_eq!(BatchKind::from_number(0), None);
    assert_eq!(BatchKind::from_number(26), None);
}

#[test]
fn every_changed_byte_of_every_kind_is_refused() {
    for support::Sample { kind, batch: bytes, .. } in support::samples() {
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            assert!(judge(&bytes).is_err(), "byte {at} of a {} batch", kind.name());
        }
        for length in 0..bytes.len() {
            assert_eq!(judge(&bytes[..length]).unwrap_err(), Rejection::Truncated);
        }
    }
}

#[test]
fn each_kind_has_its_most_items() {
    for support::Sample { kind, item, batch } in support::samples() {
        for (count, expected) in [
            (kind.items_max(), Rejection::RootMismatch),
            (kind.items_max() + 1, Rejection::CountOutOfBounds),
        ] {
            let mut header: BatchHeader = codec::decode(&batch[..84], 84).unwrap();
            header.count = count;
            let submitter = support::tag(header.submitter.get());
            let signature = support::key(submitter).sign(&header.id().digest());
            let items = item.repeat(count as usize);
            let bytes = [codec::encode(&header).as_slice(), &signature.bytes(), &items].concat();
            let code =
                if bytes.len() > BATCH_BYTES_MAX { Rejection::BatchTooLarge } else { expected };
            assert_eq!(judge(&bytes).unwrap_err(), code, "{count} of {}", kind.name());
        }
    }
}

#[test]
fn either_key_of_a_party_signs_and_the_batch_says_which() {
    for tag in [202, support::SECOND_KEY] {
        let batch = judge(&support::signed_with(tag, 202, &[support::arrival()])).unwrap();
        assert_eq!(batch.public_key(), support::key(tag).public_key());
    }
    let stranger = support::signed_with(7, 202, &[support::arrival()]);
    assert_eq!(judge(&stranger).unwrap_err(), Rejection::SignatureInvalid);
}

#[test]
fn every_truncation_is_truncated() {
    let bytes = two_orders();
    for length in 0..bytes.len() {
        assert_eq!(judge(&bytes[..length]).unwrap_err(), Rejection::Truncated, "{length} bytes");
    }
}

#[test]
fn every_changed_byte_is_refused() {
    let bytes = two_orders();
    for at in 0..bytes.len() {
        for change in [0x01, 0x10, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            assert!(judge(&bytes).is_err(), "byte {at} changed by {change:#x}");
        }
    }
}

/// Batches with one mistake each, and its code.
fn mistakes() -> Vec<(&'static str, Vec<u8>, Rejection)> {
    let longer = [two_orders().as_slice(), &[0]].concat();
    let huge = vec![0; BATCH_BYTES_MAX + 1];
    let mut wrong_item = two_orders();
    *wrong_item.last_mut().unwrap() = 1;
    vec![
        ("a byte too many", longer, Rejection::TrailingBytes),
        ("more than any batch", huge, Rejection::BatchTooLarge),
        ("version 2", resigned(|header| header.version = 2), Rejection::VersionUnsupported),
        ("kind 0", resigned(|header| header.kind = 0), Rejection::KindUnknown),
        ("kind 99", resigned(|header| header.kind = 99), Rejection::KindUnknown),
        ("no items", resigned(|header| header.count = 0), Rejection::CountOutOfBounds),
        (
            "8,193 items",
            resigned(|header| header.count = BATCH_ITEMS_MAX + 1),
            Rejection::CountOutOfBounds,
        ),
        ("count above items", resigned(|header| header.count = 3), Rejection::Truncated),
        ("count below items", resigned(|header| header.count = 1), Rejection::TrailingBytes),
        (
            "another chain",
            resigned(|header| header.chain_id = ChainId::default()),
            Rejection::WrongChain,
        ),
        (
            "a stranger",
            resigned(|header| header.submitter = ParticipantId::new(999)),
            Rejection::SubmitterUnknown,
        ),
        (
            "another's name",
            resigned(|header| header.submitter = ParticipantId::new(201)),
            Rejection::SignatureInvalid,
        ),
        (
            "another root",
            resigned(|header| header.items_root = Digest::ZERO),
            Rejection::RootMismatch,
        ),
        ("a changed item", wrong_item, Rejection::RootMismatch),
    ]
}

#[test]
fn each_mistake_has_its_code() {
    for (what, bytes, expected) in mistakes() {
        assert_eq!(judge(&bytes).unwrap_err(), expected, "{what}");
    }
}

/// Together with good batches, with one another and with batches of a party that has two keys, each
/// has the answer that it has alone.
#[test]
fn together_each_has_the_answer_it_has_alone() {
    let mut sent: Vec<Vec<u8>> = mistakes().into_iter().map(|(_, bytes, _)| bytes).collect();
    let arrival = |tag| support::signed_with(tag, 202, &[support::arrival()]);
    sent.extend([202, support::SECOND_KEY, 7].map(arrival));
    sent.extend((0..70).map(|number| support::signed(101, &[support::recharge(number)])));
    let well_formed = |bytes: &Vec<u8>| SignedBatch::decode(Bytes::copy_from_slice(bytes)).ok();
    let keys_of = |id| support::keys_of(id).as_ref().map(ReadyKeys::new);
    let answer = |verified: Result<VerifiedBatch, BatchError>| {
        verified.map(|batch| (batch.id(), batch.public_key(), batch.bytes().clone()))
    };
    let batches: Vec<SignedBatch> = sent.iter().filter_map(well_formed).collect();
    assert!(batches.len() > 75, "{}", batches.len());
    let alone: Vec<_> = batches
        .iter()
        .map(|batch| answer(batch.clone().verify(support::chain_id(), keys_of)))
        .collect();
    let together = SignedBatch::verify_all(batches, support::chain_id(), keys_of);
    assert_eq!(together.into_iter().map(answer).collect::<Vec<_>>(), alone);
}

#[test]
fn hashed_batches_hold_together_or_not_at_all() {
    let keys_of = |id| support::keys_of(id).as_ref().map(ReadyKeys::new);
    let hashed = |sent: Vec<Vec<u8>>| -> Vec<HashedBatch> {
        let hash =
            |bytes| SignedBatch::decode(Bytes::from(bytes)).unwrap().hash(support::chain_id());
        sent.into_iter().map(hash).collect::<Result<_, _>>().unwrap()
    };
    let mut sent: Vec<Vec<u8>> =
        (0..5).map(|number| support::signed(101, &[support::recharge(number)])).collect();
    sent.push(support::signed_with(support::SECOND_KEY, 202, &[support::arrival()]));
    let verified = HashedBatch::verify_all(hashed(sent.clone()), keys_of).unwrap();
    let bytes = verified.iter().map(|batch| batch.bytes().to_vec());
    assert_eq!(bytes.collect::<Vec<_>>(), sent);
    sent.insert(3, support::signed_with(7, 101, &[support::recharge(9)]));
    let error = HashedBatch::verify_all(hashed(sent), keys_of).unwrap_err();
    assert_eq!(error.rejection, Rejection::SignatureInvalid);
}

#[test]
fn an_error_says_what_was_wrong() {
    let bytes = resigned(|header| header.submitter = ParticipantId::new(999));
    let error = SignedBatch::decode(Bytes::from(bytes))
        .and_then(|batch| batch.verify(support::chain_id(), support::keys_of))
        .unwrap_err();
    assert!(error.to_string().starts_with("submitter-unknown: "), "{error}");
    assert!(error.to_string().contains("999"), "{error}");
}

#[test]
fn the_largest_batch_is_accepted() {
    let items: Vec<RechargeItem> = (0..BATCH_ITEMS_MAX).map(support::recharge).collect();
    let bytes = support::signed(101, &items);
    assert_eq!(bytes.len(), BATCH_BYTES_MAX);
    assert_eq!(judge(&bytes).unwrap().count(), BATCH_ITEMS_MAX);
    let items: Vec<RechargeItem> = (0..=BATCH_ITEMS_MAX).map(support::recharge).collect();
    assert_eq!(judge(&support::signed(101, &items)).unwrap_err(), Rejection::BatchTooLarge);
    assert_eq!(
        judge(&support::signed::<RechargeItem>(101, &[])).unwrap_err(),
        Rejection::CountOutOfBounds
    );
}

#[test]
fn items_of_another_order_are_another_batch() {
    let (first, second) = (support::recharge(0), support::recharge(1));
    let one = support::verified(support::signed(101, &[first, second]));
    let other = support::verified(support::signed(101, &[second, first]));
    assert_ne!(one.id(), other.id());
}
