//! From the genesis file to a later header, by those who were to decide it and no others.

use chain_types::*;

use crate::support::{self, HANDOVER_HEIGHT};

/// Returns true if the chain decided the block of `height`, by the signatures of `signers`.
fn verify(lineage: &Lineage, height: u64, signers: &[u8]) -> Result<(), LineageError> {
    let decided = support::decide(height, 1, vec![], signers);
    lineage.verify(&support::genesis(), &decided.header, &decided.certificate)
}

fn one() -> Lineage {
    Lineage(vec![support::handover()])
}

/// The handover with its header changed and decided anew by `signers`.
fn handover(change: impl FnOnce(&mut Handover), signers: &[u8]) -> Lineage {
    let mut handover = support::handover();
    change(&mut handover);
    handover.certificate = support::certify(&handover.header, Round::new(1), signers);
    Lineage(vec![handover])
}

#[test]
fn each_height_has_its_validators() {
    let last = HANDOVER_HEIGHT.get();
    let (four, five): (&[u8], &[u8]) = (&[0, 1, 2], &[1, 2, 3, 4]);
    let decided = |height| Err(LineageError::Decided(Height::new(height)));
    let needless = Err(LineageError::Needless(HANDOVER_HEIGHT));
    let none = Lineage::default();
    let rows = [
        ("the first block", &none, 1, four, Ok(())),
        ("the last before", &none, last, four, Ok(())),
        ("the first after, and no word of it", &none, last + 1, five, decided(last + 1)),
        ("the handover itself", &one(), last, four, needless.clone()),
        ("the first after", &one(), last + 1, five, Ok(())),
        ("far after", &one(), last + 1_000_000, five, Ok(())),
        ("before, with a handover to come", &one(), 7, four, needless),
    ];
    for (what, lineage, height, signers, expected) in rows {
        assert_eq!(verify(lineage, height, signers), expected, "{what}");
    }
    let attempts: [(&Lineage, u64, &[u8]); 3] =
        [(&none, last, five), (&one(), last + 1, four), (&one(), last + 1, &[0, 1, 2])];
    for (lineage, height, signers) in attempts {
        let error = verify(lineage, height, signers).unwrap_err();
        assert!(matches!(error, LineageError::Certificate { .. }), "block {height}: {error}");
    }
}

#[test]
fn a_handover_is_the_word_of_those_before() {
    let next = HANDOVER_HEIGHT.next().get();
    let five: &[u8] = &[0, 1, 2, 3, 4];
    let attempt = |lineage: &Lineage| verify(lineage, next, five).unwrap_err();
    let at = HANDOVER_HEIGHT;
    let too_few = attempt(&handover(|_| {}, &[0, 1]));
    assert!(matches!(too_few, LineageError::Certificate { height, .. } if height == at));
    let by_those_after = attempt(&handover(|_| {}, five));
    assert!(matches!(by_those_after, LineageError::Certificate { height, .. } if height == at));
    let stranger = ValidatorSet::new(vec![Validator {
        id: ValidatorId::new(0),
        public_key: support::key(9).public_key(),
        power: 1,
    }]);
    let next_set = SetChange::between(&support::validators_at(at), &stranger);
    let named_otherwise = handover(|each| each.next = next_set, &[0, 1, 2]);
    assert_eq!(attempt(&named_otherwise), LineageError::Validators(at));
    let other_chain = handover(|each| each.header.chain_id = ChainId::default(), &[0, 1, 2]);
    assert_eq!(attempt(&other_chain), LineageError::Chain);
    let other_set = support::validators_at(Height::new(next)).digest();
    let other_before = handover(|each| each.header.validators_hash = other_set, &[0, 1, 2]);
    assert_eq!(attempt(&other_before), LineageError::Decided(at));
    let mut other_block = one();
    other_block.0[0].header.time = TimeMs::new(1);
    assert_eq!(attempt(&other_block), LineageError::Block(at));
}

#[test]
fn handovers_ascend_and_change_somebody() {
    let five: &[u8] = &[0, 1, 2, 3, 4];
    let twice = Lineage(vec![support::handover(), support::handover()]);
    assert_eq!(verify(&twice, 60, five), Err(LineageError::Order));
    let at_zero = handover(|each| each.header.height = Height::new(0), &[0, 1, 2]);
    assert_eq!(verify(&at_zero, 60, five), Err(LineageError::Order));
    let nobody = handover(
        |each| {
            each.next = SetChange::default();
            each.header.next_validators_hash = each.header.validators_hash;
        },
        &[0, 1, 2],
    );
    assert_eq!(verify(&nobody, 60, five), Err(LineageError::Order));
}

#[test]
fn a_receipt_is_nothing_without_its_lineage() {
    let receipt = Receipt { lineage: Lineage::default(), ..support::long_receipt() };
    let error = receipt.verify(&support::genesis()).unwrap_err().to_string();
    assert!(error.contains("the return's block is not the chain's"), "{error}");
}

#[test]
fn a_handover_that_nothing_rests_on_is_refused() {
    // Nobody would check it, so anybody could change it.
    let receipt = Receipt { lineage: one(), ..support::receipt() };
    assert!(receipt.verify(&support::genesis()).is_err(), "past the last block");
    let mut lineage = support::long_receipt().lineage;
    lineage
        .0
        .push(handover(|each| each.header.height = Height::new(61), &[0, 1, 2, 3, 4]).0.remove(0));
    let receipt = Receipt { lineage, ..support::long_receipt() };
    assert!(receipt.verify(&support::genesis()).is_err(), "at the last block");
}
