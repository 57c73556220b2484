//! The table of codes is consistent with itself.

use std::collections::BTreeSet;

use chain_types::{FailureReason, Outcome, Rejection, VoidReason};

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
    assert!(!known.contains(&Outcome::APPLIED.0) && !known.contains(&Outcome::REPEATED.0));
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

#[test]
fn reasons_lead_back() {
    for reason in VoidReason::ALL {
        assert_eq!(VoidReason::from_number(reason.number()), Some(*reason));
        assert_eq!(reason.iso_code().len(), 4);
    }
    for reason in FailureReason::ALL {
        assert_eq!(FailureReason::from_number(reason.number()), Some(*reason));
        assert_eq!(reason.iso_code().len(), 4);
    }
    assert_eq!(VoidReason::from_number(0), None);
    assert_eq!(FailureReason::from_number(0), None);
}
