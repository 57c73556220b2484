//! The table of codes is consistent with itself.

use std::collections::BTreeSet;

use chain_types::{
    BatchKind, Decision, FailureReason, HoldReason, Outcome, PolicyScope, Rejection, ReturnReason,
    TransferAction, VoidReason,
};

#[test]
fn codes_ascend_and_lead_back() {
    assert!(Rejection::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    for rejection in Rejection::ALL {
        assert_eq!(Rejection::from_code(rejection.code()), Some(*rejection));
        assert_eq!(Outcome::from(*rejection).rejection(), Some(*rejection));
        assert!(!Outcome::from(*rejection).is_applied());
    }
    let known: BTreeSet<u16> = Rejection::ALL.iter().map(|each| each.code()).collect();
    for code in 0..=u16::MAX {
        assert_eq!(Rejection::from_code(code).is_some(), known.contains(&code), "code {code}");
    }
    assert!(known.iter().all(|code| *code >= 100), "below are outcomes that refuse nothing");
}

#[test]
fn outcomes_below_the_rejections_have_their_frozen_meaning() {
    let applied = [0, 10, 11, 12, 13, 20, 21];
    for code in 0..100 {
        let outcome = Outcome(code);
        assert_eq!(outcome.is_applied(), applied.contains(&code), "code {code}");
        assert_eq!(outcome.rejection(), None, "code {code}");
        let tier = (10..=13).contains(&code).then(|| code - 9);
        assert_eq!(outcome.cashback_tier(), tier, "code {code}");
        assert!(tier.is_none_or(|tier| Outcome::with_cashback(tier) == outcome));
    }
    assert_eq!(
        [Outcome::APPLIED, Outcome::REPEATED, Outcome::HELD].map(|outcome| outcome.0),
        [0, 1, 2]
    );
    assert_eq!(Outcome::CASHBACK_OVER_MONTH, Outcome(20));
    assert_eq!(Outcome::CASHBACK_OVER_BUDGET, Outcome(21));
}

#[test]
fn names_are_unique_and_sentences_are_whole() {
    let names: BTreeSet<&str> = Rejection::ALL.iter().map(|each| each.name()).collect();
    assert_eq!(names.len(), Rejection::ALL.len());
    for rejection in Rejection::ALL {
        let name = rejection.name();
        let plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(name.chars().all(plain), "{name}");
        assert!(rejection.cause().ends_with('.'), "the cause of {name}");
        assert!(rejection.remedy().ends_with('.'), "the remedy of {name}");
        assert!(!rejection.cause().contains('|') && !rejection.remedy().contains('|'), "{name}");
    }
}

/// Numbers from `first` on lead to the choices, and no others to any.
macro_rules! leads_back {
    ($choices:ident, $first:literal) => {
        for (number, choice) in ($first..).zip($choices::ALL) {
            assert_eq!(choice.number(), number, "{choice:?}");
        }
        let count = (0..=u16::MAX).filter(|number| $choices::from_number(*number).is_some());
        assert_eq!(count.count(), $choices::ALL.len(), stringify!($choices));
        for choice in $choices::ALL {
            assert_eq!($choices::from_number(choice.number()), Some(*choice));
        }
    };
}

#[test]
fn reasons_and_choices_lead_back() {
    leads_back!(VoidReason, 1);
    leads_back!(FailureReason, 1);
    leads_back!(ReturnReason, 1);
    leads_back!(HoldReason, 1);
    leads_back!(Decision, 1);
    leads_back!(TransferAction, 1);
    leads_back!(PolicyScope, 0);
    leads_back!(BatchKind, 1);
}

#[test]
fn reasons_name_an_iso_20022_code() {
    let codes = (VoidReason::ALL.iter().map(|reason| reason.iso_code()))
        .chain(FailureReason::ALL.iter().map(|reason| reason.iso_code()))
        .chain(ReturnReason::ALL.iter().map(|reason| reason.iso_code()))
        .chain(HoldReason::ALL.iter().map(|reason| reason.iso_code()));
    for code in codes {
        let is_code = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit();
        assert!(code.len() == 4 && code.bytes().all(is_code), "{code}");
    }
}
