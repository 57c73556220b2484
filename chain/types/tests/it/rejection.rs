//! The table of codes is consistent with itself.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    BatchKind, Decision, FailureReason, HoldReason, LineAccount, Outcome, PolicyScope, Rejection,
    ReturnReason, TransferAction, VoidReason,
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
    for (number, account) in [1, 5].into_iter().zip(LineAccount::ALL) {
        assert_eq!(account.number(), number, "{account:?}");
        assert_eq!(LineAccount::from_number(number), Some(*account));
    }
    // Numbers of kinds that were given away and are not used yet stay free.
    for kind in BatchKind::ALL {
        assert_eq!(BatchKind::from_number(kind.number()), Some(*kind));
    }
    let known = (0..=u16::MAX).filter(|number| BatchKind::from_number(*number).is_some());
    assert_eq!(known.count(), BatchKind::ALL.len());
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

/// Of every code: may whoever got it for an order's submission make a new order with a new id at
/// once? `Yes` only where nothing was booked under the id, and nothing ever will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NewId {
    Yes,
    AfterAsking,
}

const NEW_IDS: &[(&[u16], NewId, &str)] = &[
    (
        &[100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117],
        NewId::AfterAsking,
        "of a whole batch: says nothing of what its orders were in earlier batches",
    ),
    (&[200], NewId::AfterAsking, "no order has this id; the order may have been made with another"),
    (&[201, 202, 205], NewId::AfterAsking, "an order with other content may be final"),
    (&[203], NewId::AfterAsking, "late: the very same order may be final"),
    (&[204], NewId::AfterAsking, "early: the very same order may become final"),
    (
        &[206, 207, 208, 209, 210, 211, 212, 213, 215],
        NewId::Yes,
        "recorded under an id that was new",
    ),
    (&[240], NewId::AfterAsking, "another's id: the order may be in the books as another's"),
    (&[214, 216], NewId::AfterAsking, "of a collection: the order stays reserved"),
    (
        &[
            217, 218, 219, 220, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234,
            235, 236,
        ],
        NewId::Yes,
        "recorded under an id that was new",
    ),
    (
        &[300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311],
        NewId::AfterAsking,
        "of a step of an order: the order itself is final, or the user was debited",
    ),
    (
        &[241, 242, 320, 321, 322, 323, 324, 325, 326, 327, 328, 329],
        NewId::AfterAsking,
        "a return may be final",
    ),
    (&[400, 401, 402, 403, 404, 405, 406, 407, 410, 411], NewId::AfterAsking, "names a window"),
    (&[500, 501, 502, 503, 504, 505, 506, 507, 508], NewId::AfterAsking, "a transfer may be final"),
    (&[600, 601, 602, 603, 604, 605, 606], NewId::AfterAsking, "a rate or quote may be final"),
    (&[512, 513, 514], NewId::AfterAsking, "of a line"),
    (&[700, 701], NewId::AfterAsking, "of a policy"),
    (
        &[
            800, 801, 802, 803, 804, 805, 806, 807, 808, 809, 810, 811, 812, 813, 814, 815, 816,
            817, 818,
        ],
        NewId::AfterAsking,
        "a proposal may be final",
    ),
];

#[test]
fn a_new_id_is_advised_only_where_nothing_can_be_booked_twice() {
    let said: BTreeMap<u16, (NewId, &str)> = NEW_IDS
        .iter()
        .flat_map(|(codes, new_id, why)| codes.iter().map(move |code| (*code, (*new_id, *why))))
        .collect();
    let codes: Vec<u16> = Rejection::ALL.iter().map(|each| each.code()).collect();
    // Rejections that are not about orders follow the rule "only after asking".
    for rejection in Rejection::ALL {
        let (code, remedy) = (rejection.code(), rejection.remedy());
        let (new_id, why) = said.get(&code).copied().unwrap_or((NewId::AfterAsking, "new here"));
        assert_eq!(rejection.new_id_is_safe(), new_id == NewId::Yes, "{code}: {why}");
        let advises = ["new id", "new order", "anew", "next number", "made again"];
        let advises = advises.iter().any(|words| remedy.contains(words));
        let first = ["Ask `", "Ask the risk desk", "Keep the id"];
        let asks = first.iter().any(|words| remedy.starts_with(words));
        match new_id {
            NewId::Yes => assert!(advises || remedy.contains("with new ids"), "{code}: {remedy}"),
            NewId::AfterAsking => assert!(!advises || asks, "{code}: {why}; but {remedy}"),
        }
    }
    assert!(said.keys().all(|code| codes.contains(code)), "the table names a code that is none");
}

#[test]
fn a_refused_batch_leaves_its_orders_their_ids() {
    // Whoever signs anew keeps the orders; these are the codes after which one does.
    for code in [102, 107, 108, 109, 110, 111, 112, 113] {
        let remedy = Rejection::from_code(code).unwrap().remedy();
        assert!(remedy.contains("keep their ids"), "{code}: {remedy}");
    }
}
