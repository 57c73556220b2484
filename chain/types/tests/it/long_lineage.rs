//! Lineages of a thousand changes: they hold, stay small, and say nothing that a quorum of the
//! validators trusted before did not sign.

use chain_types::lineage::{HANDOVER_BYTES_MAX, LINEAGE_MAGIC};
use chain_types::proof_bytes::PROOF_BYTES_MAX;
use chain_types::*;

use crate::support;
use crate::worlds::{self, Seats, World, set};

const CHANGES: u32 = 1_000;

#[test]
fn a_thousand_changes_of_power_are_skipped() {
    let mut world = World::new();
    for number in 0..CHANGES {
        world.change(|seats| seats[number as usize % 4].1 = 10 + u64::from(number / 4 % 2));
    }
    let (bytes, steps, verify_ms) = world.measure(&support::genesis());
    println!(
        "{CHANGES} changes of power: {bytes} bytes, {steps} steps, verified in {verify_ms} ms"
    );
    assert!(steps < 20, "{steps} steps");
}

#[test]
fn a_thousand_keys_one_after_another_fit_a_receipt() {
    let mut world = World::new();
    // Three of four sign, as many as must: nothing can be skipped.
    for number in 0..CHANGES {
        let at = number as usize % 4;
        let away = world.seat((at + 1) % 4);
        world.change_by(|seats| seats[at].0 = 1_000 + number, |number| number != away);
    }
    let (bytes, steps, verify_ms) = world.measure(&support::genesis());
    println!("{CHANGES} new keys of 4: {bytes} bytes, {steps} steps, verified in {verify_ms} ms");
    assert!(steps > 400, "no quorum can vouch over more than a few new keys of four");
    assert!(bytes < PROOF_BYTES_MAX / 4, "{bytes} bytes");
}

#[test]
fn a_large_set_skips_a_third_of_itself() {
    // A thousand take a minute to sign: 64 steps.
    let changes = CHANGES / 4;
    let seats: Seats = (0..64).map(|number| (1_000 + number, 5)).collect();
    let (mut world, genesis) = World::of(seats);
    for number in 0..changes {
        world.change(|seats| seats[number as usize % 64].0 = 2_000 + number);
    }
    let (bytes, steps, verify_ms) = world.measure(&genesis);
    println!("{changes} new keys of 64: {bytes} bytes, {steps} steps, verified in {verify_ms} ms");
    // Bisection finds at least half of what the signatures allow.
    assert!(steps <= 2 * changes as usize / 20, "{steps} steps");
    assert!(bytes < PROOF_BYTES_MAX / 4, "{bytes} bytes");
}

#[test]
fn blocks_between_changes_are_each_proven() {
    let world = worlds::skipping();
    let genesis = support::genesis();
    let page = world.page();
    let heights: Vec<Height> = page.iter().map(|handover| handover.header.height).collect();
    for one in &heights {
        for other in &heights {
            let lineage = world.lineage([*one, *other]);
            let trust = lineage.trust(&genesis, [*one, *other]);
            let trust = trust.unwrap_or_else(|error| panic!("{one}, {other}: {error}"));
            for height in [one, other] {
                let Handover { header, certificate, .. } =
                    page.iter().find(|handover| handover.header.height == *height).unwrap();
                assert_eq!(trust.verify(header, certificate), Ok(()), "{height} of {one}, {other}");
            }
        }
    }
    let last = world.last();
    let lineage = world.lineage([last.height]);
    assert!(lineage.0.len() < page.len(), "{} of {} steps", lineage.0.len(), page.len());
    assert_eq!(lineage.verify(&genesis, &last, &world.certify(&last)), Ok(()));
}

#[test]
fn what_was_skipped_is_not_known() {
    let world = worlds::skipping();
    let (genesis, last) = (support::genesis(), world.last());
    let lineage = world.lineage([last.height]);
    let page = world.page();
    let unknown = page.iter().filter(|handover| {
        let Handover { header, certificate, .. } = handover;
        let trust = lineage.trust(&genesis, [header.height, last.height]).unwrap();
        let refused = LineageError::Decided(header.height);
        trust.verify(header, certificate).map_or_else(|error| error == refused, |()| false)
    });
    assert!(unknown.count() > 0);
}

#[test]
fn a_step_is_the_word_of_a_quorum_of_those_before() {
    let genesis = support::genesis();
    // One of four gets another key, then a second: two are left of those that the file names.
    let mut world = World::new();
    world.change(|seats| seats[0].0 = 11);
    world.change(|seats| seats[1].0 = 12);
    let before = set(&[(1, 1), (2, 1), (3, 1), (4, 1)]);
    let deciders = set(&[(11, 1), (12, 1), (3, 1), (4, 1)]);
    let next = [(11, 1), (12, 1), (3, 1), (4, 2)];
    let header = world.header(Height::new(3), &next);
    let step = Handover {
        certificate: world.certify(&header),
        header,
        deciders: SetChange::between(&before, &deciders),
        next: SetChange::between(&deciders, &set(&next)),
    };
    let error = Walk::new(&genesis, []).step(&step).unwrap_err();
    assert_eq!(error, LineageError::Vouched { height: Height::new(3), power: 2, total: 4 });
    // Three of those of the file are a quorum of it, and of the four who decided.
    let mut world = World::new();
    world.change(|seats| seats[0].0 = 11);
    let deciders = set(&[(11, 1), (2, 1), (3, 1), (4, 1)]);
    let next = [(11, 1), (2, 1), (3, 1), (4, 2)];
    let header = world.header(Height::new(2), &next);
    let step = |signers: &[u32]| Handover {
        certificate: world.certify_by(&header, |number| signers.contains(&number)),
        header: header.clone(),
        deciders: SetChange::between(&before, &deciders),
        next: SetChange::between(&deciders, &set(&next)),
    };
    let walked = |signers: &[u32]| Walk::new(&genesis, []).step(&step(signers));
    assert_eq!(walked(&[2, 3, 4]), Ok(()));
    assert_eq!(walked(&[11, 2, 3, 4]), Ok(()));
    let error = walked(&[11, 3, 4]).unwrap_err();
    assert_eq!(error, LineageError::Vouched { height: Height::new(2), power: 2, total: 4 });
    // A quorum of those before is not enough where it is none of those who decide.
    let error = walked(&[3, 4]).unwrap_err();
    assert!(matches!(error, LineageError::Certificate { .. }), "{error}");
}

#[test]
fn the_lightest_signatures_are_left_out() {
    let (mut world, genesis) = World::of((0..10).map(|number| (1_000 + number, 1)).collect());
    world.change(|seats| seats.push((2_000, 1)));
    let lineage = world.lineage([Height::new(2)]);
    assert_eq!(lineage.0[0].certificate.signatures.len(), 7);
    assert_eq!(lineage.verify(&genesis, &world.last(), &world.certify(&world.last())), Ok(()));
}

#[test]
fn validators_who_come_back_need_no_step() {
    let mut world = World::new();
    world.change(|seats| (seats[0].0, seats[1].0, seats[2].0) = (11, 12, 13));
    world.change(|seats| (seats[0].0, seats[1].0, seats[2].0) = (1, 2, 3));
    assert_eq!(world.lineage([Height::new(3)]), Lineage::default());
    assert_eq!(world.measure(&support::genesis()).1, 0);
    assert_eq!(world.lineage([Height::new(2), Height::new(3)]).0.len(), 2);
}

#[test]
fn a_change_that_does_not_follow_is_not_kept() {
    let mut world = World::new();
    world.change(|seats| seats[0].1 = 2);
    let (last, mut kept) = (world.last(), world.handovers.clone());
    let certificate = world.certify(&last);
    let same = set(&[(1, 2), (2, 1), (3, 1), (4, 1)]);
    assert!(!kept.push(last.clone(), certificate.clone(), same.clone()), "it changes nobody");
    assert!(!kept.push(last, certificate.clone(), set(&[(1, 1)])), "the header names others");
    let next = [(1, 3), (2, 1), (3, 1), (4, 1)];
    let twice = world.header(Height::new(1), &next);
    assert!(!kept.push(twice, certificate.clone(), set(&next)), "it does not ascend");
    assert!(kept.push(world.header(Height::new(2), &next), certificate, set(&next)));
    assert_eq!((kept.len(), kept.is_empty()), (2, false));
}

#[test]
fn pages_hold_every_change_once() {
    let world = worlds::skipping();
    let (all, end) = (world.page(), Height::new(u64::MAX));
    let mut paged = Vec::new();
    let mut from = Height::new(0);
    loop {
        let (page, goes_on) = world.handovers.page(from, end, 2, usize::MAX);
        assert!(!page.is_empty() && page.len() <= 2);
        from = page.last().unwrap().header.height.next();
        paged.extend(page);
        if !goes_on {
            break;
        }
    }
    assert_eq!(paged, all);
    let (page, goes_on) = world.handovers.page(Height::new(0), end, 100, 1);
    assert_eq!((page.as_slice(), goes_on), (&all[..1], true), "one at least");
    let (page, goes_on) = world.handovers.page(Height::new(3), Height::new(5), 100, usize::MAX);
    assert_eq!((page.as_slice(), goes_on), (&all[2..4], false));
    let mut walk = Walk::new(&support::genesis(), []);
    for handover in &all {
        assert_eq!(walk.step(handover), Ok(()));
        assert!(codec::encode(handover).len() <= HANDOVER_BYTES_MAX);
    }
    assert_eq!(walk.since(), world.last().height);
}

#[test]
fn no_byte_of_a_step_that_skips_can_be_changed() {
    let (world, genesis) = (worlds::skipping(), support::genesis());
    let last = world.last();
    let lineage = world.lineage([last.height]);
    assert!(lineage.0.iter().any(|handover| handover.deciders != SetChange::default()));
    let certificate = world.certify(&last);
    let bytes = codec::encode(&lineage);
    let holds = |bytes: &[u8]| {
        let lineage = codec::decode::<Lineage>(bytes, bytes.len());
        lineage.is_ok_and(|lineage| lineage.verify(&genesis, &last, &certificate).is_ok())
    };
    assert!(holds(&bytes));
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            assert!(!holds(&changed), "byte {at} changed by {change:#04x} still holds");
        }
    }
    // Left out one at a time, or twice: each is needed once.
    for at in 0..lineage.0.len() {
        let mut without = lineage.clone();
        without.0.remove(at);
        assert!(without.verify(&genesis, &last, &certificate).is_err(), "without step {at}");
        let mut twice = lineage.clone();
        twice.0.insert(at, lineage.0[at].clone());
        assert!(twice.verify(&genesis, &last, &certificate).is_err(), "step {at} twice");
    }
}

#[test]
fn a_change_of_a_set_has_one_form() {
    let before = set(&[(1, 1), (2, 1), (3, 1)]);
    let after = set(&[(1, 1), (9, 1), (3, 0), (4, 5)]);
    let change = SetChange::between(&before, &after);
    assert_eq!(change.apply(&before), Some(after));
    assert_eq!(SetChange::between(&before, &before), SetChange::default());
    let same = before.as_slice()[0];
    let key = same.public_key;
    for (what, wrong) in [
        ("the same again", vec![(ValidatorId::new(0), Some((key, 1)))]),
        ("nobody goes", vec![(ValidatorId::new(7), None)]),
        ("twice", vec![(ValidatorId::new(0), None), (ValidatorId::new(0), None)]),
        ("descending", vec![(ValidatorId::new(1), None), (ValidatorId::new(0), None)]),
        ("too many", (3..200).map(|id| (ValidatorId::new(id), Some((key, 1)))).collect()),
    ] {
        assert_eq!(SetChange(wrong).apply(&before), None, "{what}");
    }
}

#[test]
fn a_receipt_without_its_lineage_holds_by_one_apart() {
    let genesis = support::genesis();
    let receipt = support::long_receipt();
    let proven = receipt.verify(&genesis).unwrap();
    let mut walk = Walk::new(&genesis, receipt.heights());
    receipt.lineage.0.iter().for_each(|handover| walk.step(handover).unwrap());
    let trust = walk.finish();
    let bare = Receipt { lineage: Lineage::default(), ..receipt.clone() };
    assert_eq!(bare.verify_by(&genesis, &trust), Ok(proven));
    // Nobody would check its own.
    assert_eq!(receipt.verify_by(&genesis, &trust), Err(ReceiptError::OwnLineage));
    let proof = crate::records::record_proof();
    let trust = proof.lineage.trust(&genesis, proof.heights()).unwrap();
    assert_eq!(proof.verify_by(&trust), Err(RecordProofError::OwnLineage));
    let bare = RecordProof { lineage: Lineage::default(), ..proof };
    assert_eq!(bare.verify_by(&trust), Ok(()));
    let elsewhere = bare.lineage.trust(&genesis, [Height::new(7)]).unwrap();
    assert!(bare.verify_by(&elsewhere).is_err(), "nobody was asked about its blocks");
}

#[test]
fn what_nobody_would_read_is_not_made() {
    let receipt = support::long_receipt();
    let lineage = Lineage(vec![support::handover(); 10_000]);
    let lineage_bytes = codec::encode(&lineage).len();
    let receipt = Receipt { lineage, ..receipt };
    let bytes = codec::encode(&receipt).len();
    assert_eq!(receipt.encode(), Err(ProofTooLarge { bytes, lineage_bytes }));
    assert!(Receipt::decode(&codec::encode(&receipt)).is_err(), "and whoever got it refuses it");
    let without = Receipt { lineage: Lineage::default(), ..receipt };
    assert_eq!(without.encode(), Ok(codec::encode(&without)));
}

#[test]
fn a_lineage_apart_is_its_handovers_in_a_row() {
    let world = worlds::skipping();
    let bytes = worlds::apart(&world.page());
    let mut rest = bytes.strip_prefix(&LINEAGE_MAGIC).unwrap();
    let mut walk = Walk::new(&support::genesis(), [world.last().height]);
    while !rest.is_empty() {
        let (handover, read) = codec::decode_front::<Handover>(rest).unwrap();
        walk.step(&handover).unwrap();
        rest = &rest[read..];
    }
    let last = world.last();
    assert_eq!(walk.finish().verify(&last, &world.certify(&last)), Ok(()));
}
