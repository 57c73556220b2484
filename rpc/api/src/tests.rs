#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_types::{
    AccountKey, AccountKind, Amount, BatchError, BatchId, CashbackTier, Change, Currency, Digest,
    Height, MerchantId, Outcome, Parameters, Programme, Rate, Rejection,
};

use crate::batch::{Outcomes, outcome_name};
use crate::error::{ApiError, ErrorData, PROTOCOL_ERRORS};
use crate::methods::signatures;
use crate::money::{Money, currency_code, currency_of};
use crate::{
    Base64Bytes, BatchReport, BatchState, BlockSelector, CashbackRefusal, CashbackReport,
    ChangeReport, InstructionSelector, LIMIT_MAX, OrderStanding, OrderState, Page,
    ParametersReport, PositionReport, Wait, api_error, rate_of, rate_text, rejection_error,
};

fn money(minor: u64, code: &str) -> Money {
    Money::new(Amount::new(minor), Currency::from_code(code).unwrap())
}

#[test]
fn money_reads_as_people_write_it() {
    let rows = [
        (money(1234, "CNY"), "12.34 CNY"),
        (money(5, "CNY"), "0.05 CNY"),
        (money(0, "USD"), "0.00 USD"),
        (money(1234, "JPY"), "1234 JPY"),
        (money(1234, "KWD"), "1.234 KWD"),
        (Money::sum(-7, Currency::new(156)), "-0.07 CNY"),
        (Money::sum(9, Currency::new(999)), "9 XXX"),
        (Money::sum(9, Currency::new(1)), "9 001"),
    ];
    for (money, text) in rows {
        assert_eq!(money.to_string(), text);
    }
}

#[test]
fn currency_text_round_trips_listed_or_not() {
    for number in [156, 840, 392, 414, 1, 0] {
        assert_eq!(currency_of(&currency_code(Currency::new(number))), Some(Currency::new(number)));
    }
    for text in ["", "CN", "cny", "15", "+15", "1566", "CNYX"] {
        assert_eq!(currency_of(text), None, "{text:?}");
    }
}

#[test]
fn amounts_are_strings_and_heights_numbers() {
    let json = serde_json::to_value(money(u64::MAX, "CNY")).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"minor": "18446744073709551615", "currency": "CNY", "exponent": 2})
    );
    assert_eq!(serde_json::from_value::<Money>(json).unwrap(), money(u64::MAX, "CNY"));
    let number = serde_json::json!({"minor": 5, "currency": "CNY", "exponent": 2});
    assert!(serde_json::from_value::<Money>(number).is_err());
}

#[test]
fn a_page_has_a_cursor_only_if_the_list_goes_on() {
    let page = Page::of(vec![1, 2, 3], 2, ToString::to_string);
    assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
    let page = Page::of(vec![1, 2], 2, ToString::to_string);
    assert_eq!((page.items, page.next), (vec![1, 2], None));
    let page = Page::of(Vec::<u8>::new(), LIMIT_MAX, ToString::to_string);
    assert_eq!(serde_json::to_string(&page).unwrap(), r#"{"items":[]}"#);
}

#[test]
fn outcomes_are_counted_and_the_rest_is_named() {
    let conflict = Outcome::from(Rejection::OrderConflict);
    let codes = [Outcome::APPLIED, conflict, Outcome::APPLIED, Outcome::REPEATED];
    let outcomes = Outcomes::new(&codes, true);
    assert_eq!(outcomes.item_count, 4);
    assert_eq!(outcomes.count_of(Outcome::APPLIED), 2);
    assert_eq!(outcomes.count_of(conflict), 1);
    let named: Vec<_> =
        outcomes.not_applied.iter().map(|item| (item.item_index, item.name.as_str())).collect();
    assert_eq!(named, [(1, "order-conflict"), (3, "repeated")]);
    assert_eq!(outcomes.codes_base64.as_deref(), Some("AADNAAAAAQA="));
    assert_eq!(Outcomes::new(&codes, false).codes_base64, None);
}

#[test]
fn base64_that_is_none_is_told_apart() {
    let good: Base64Bytes = serde_json::from_str(r#""AAEC""#).unwrap();
    assert_eq!(good.into_bytes().as_deref(), Some([0_u8, 1, 2].as_slice()));
    for text in ["AAE", "AA=C", "AA\\nEC", "A-_C", "*", "AAEC ", "AB==", "AAF=", "AA"] {
        let bad: Base64Bytes = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        assert_eq!(bad.into_bytes(), None, "{text:?}");
    }
    let escaped: Base64Bytes = serde_json::from_str(r#""\u0041AEC""#).unwrap();
    assert!(escaped.into_bytes().is_some(), "an escaped letter is the letter");
    assert!(serde_json::from_str::<Base64Bytes>("5").is_err());
}

#[test]
fn account_names_round_trip_and_refuse_the_rest() {
    for kind in AccountKind::ALL {
        let name = AccountKey { kind: *kind, owner: u64::MAX, currency: Currency::new(414) };
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_eq!(kind.name().parse(), Ok(*kind));
        let position = serde_json::to_value(PositionReport {
            kind: *kind,
            owner: 1,
            gross_debits: Money::sum(0, Currency::new(156)),
            gross_credits: Money::sum(0, Currency::new(156)),
            net: Money::sum(0, Currency::new(156)),
        });
        assert_eq!(position.unwrap()["kind"], kind.name());
    }
    for text in ["", "fees", "fees:0", "fees:0:CNY:", "fee:0:CNY", "fees:-1:CNY", "fees:0:ZZZ"] {
        assert!(text.parse::<AccountKey>().is_err(), "{text:?}");
    }
}

#[test]
fn errors_carry_name_cause_and_remedy() {
    let error = api_error(ApiError::BadCursor, "(\"x\")");
    assert_eq!(error.code(), 1001);
    let data = ErrorData::of(&error).unwrap();
    assert_eq!((data.name.as_str(), data.detail.as_str()), ("bad-cursor", "(\"x\")"));
    let full = BatchError::new(Rejection::PoolFull, "(64 batches)");
    let error = rejection_error(&full, Some(250));
    assert_eq!(error.code(), i32::from(Rejection::PoolFull.code()));
    let data = ErrorData::of(&error).unwrap();
    assert!(data.transient);
    assert_eq!(data.retry_after_ms, Some(250));
}

#[test]
fn error_codes_are_distinct_ascending_and_apart_from_rejections() {
    for pair in ApiError::ALL.windows(2) {
        assert!(pair[0].code() < pair[1].code());
    }
    let mut names: Vec<_> = ApiError::ALL.iter().map(|error| error.name()).collect();
    // A batch may be refused by the chain and by the interface for one reason, in two words only.
    names.extend(Rejection::ALL.iter().map(|rejection| rejection.name()));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for error in ApiError::ALL {
        assert!(error.code() >= 1000 && Rejection::from_code(error.code() as u16).is_none());
        assert_eq!(ApiError::from_code(error.code()), Some(*error));
        assert!(error.cause().ends_with('.') && error.remedy().ends_with('.'));
    }
    assert!(PROTOCOL_ERRORS.iter().all(|error| error.code < 0));
}

/// Whoever reads an error knows JSON and this interface, and no programming language.
#[test]
fn errors_speak_the_language_of_the_interface() {
    let own = ApiError::ALL.iter().map(|error| [error.cause(), error.remedy()]);
    let protocol = PROTOCOL_ERRORS.iter().map(|error| [error.cause, error.remedy]);
    let signatures = signatures();
    let forms = signatures.iter().flat_map(|signature| signature.parameters);
    let forms = forms.map(|parameter| [parameter.form.expected(), ""]);
    for text in own.chain(protocol).chain(forms).flatten() {
        for word in
            ["struct", "enum", "serde", "u64", "usize", "Option", "None", "::", "invalid type"]
        {
            assert!(!text.contains(word), "{word:?} in {text:?}");
        }
    }
    for signature in &signatures {
        for params in ["[1, 2, 3, 4, 5, 6, 7]", r#"{"another": 1}"#, "[[]]", r#"{"\ud800": 1}"#] {
            let Err(error) = signature.check(Some(params)) else { continue };
            let data = ErrorData::of(&error).unwrap();
            assert!(data.detail.starts_with('(') && data.detail.ends_with(')'), "{}", data.detail);
            assert!(!data.detail.contains("expected struct"), "{}", data.detail);
        }
    }
}

/// Of every error of the interface: may whoever got it for an order's submission make a new order
/// with a new id at once? Never: none of them says what the chain knows of the order.
#[test]
fn no_error_of_the_interface_makes_a_new_id_safe() {
    for error in ApiError::ALL {
        let object = api_error(*error, "");
        let data = ErrorData::of(&object).unwrap();
        assert!(!data.new_id_is_safe, "{}", error.name());
    }
    let advices = ApiError::ALL.iter().map(|error| (error.code(), error.remedy()));
    let protocol = PROTOCOL_ERRORS.iter().map(|error| (error.code, error.remedy));
    for (code, remedy) in advices.chain(protocol) {
        for words in ["new order", "new id", "anew"] {
            assert!(!remedy.contains(words), "{code}: {remedy}");
        }
    }
    // After these the batch may be on its way, or done: the way on keeps the bytes or the ids.
    let open = [1005, 1006, 1008, 1010, 1013, 1014, 1015, 1016, 1017];
    for code in open {
        let remedy = ApiError::from_code(code).unwrap().remedy();
        let keeps = ["same bytes", "keep their ids"].iter().any(|words| remedy.contains(words));
        assert!(keeps, "{code}: {remedy}");
    }
}

#[test]
fn a_rejection_says_whether_a_new_id_is_safe() {
    for rejection in Rejection::ALL {
        let object = rejection_error(&BatchError::new(*rejection, ""), None);
        let data = ErrorData::of(&object).unwrap();
        assert_eq!(data.new_id_is_safe, rejection.new_id_is_safe(), "{}", rejection.name());
    }
}

/// A standing advises a new order only where nothing was booked under the id and nothing will be.
#[test]
fn a_standing_says_what_to_do_and_whether_a_new_id_is_safe() {
    let row = |status, same, outcome: Outcome| {
        let standing = OrderStanding::known(status, same, outcome, (7, 9));
        (standing.new_id_is_safe, standing.remedy)
    };
    let rejected = Outcome::from(Rejection::LiquidityExceeded);
    let rows = [
        (OrderState::Rejected, Some(true), rejected, true, "make a new order with a new id"),
        (OrderState::Rejected, Some(false), rejected, false, "Only another purchase"),
        (OrderState::Collected, Some(true), Outcome::APPLIED, false, "no other order is made"),
        (OrderState::Collected, None, Outcome::APPLIED, false, "no other order is made"),
        (OrderState::Collected, Some(false), Outcome::APPLIED, false, "Only another purchase"),
        (OrderState::Reserved, Some(true), Outcome::APPLIED, false, "make no other order"),
        (OrderState::Debiting, Some(true), Outcome::APPLIED, false, "only that gateway"),
        (OrderState::Held, Some(true), Outcome::HELD, false, "make no other order"),
        (OrderState::Voided, Some(true), Outcome::APPLIED, false, "give that back before"),
        (OrderState::Expired, Some(true), Outcome::APPLIED, false, "give that back before"),
        (OrderState::Refused, Some(true), Outcome::HELD, false, "give that back before"),
    ];
    for (status, same, outcome, is_safe, words) in rows {
        let (said, remedy) = row(status, same, outcome);
        assert_eq!(said, is_safe, "{status:?} {same:?}");
        assert!(remedy.contains(words), "{status:?} {same:?}: {remedy}");
    }
    let never = OrderStanding::never();
    assert!(never.new_id_is_safe && never.remedy.contains("debit the user no second time"));
    let json = serde_json::to_value(&never).unwrap();
    assert_eq!(json["status"], "not-found");
    assert!(json.get("height").is_none());
}

#[test]
fn reports_leave_out_what_is_not_known() {
    let id = BatchId::new(Digest::from_bytes([7; 32]));
    let report = BatchReport::pending(id, BatchState::Admitted);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(json, format!(r#"{{"batch_id":"{id}","state":"admitted"}}"#));
    assert_eq!(serde_json::from_str::<BatchReport>(&json).unwrap(), report);
    assert_eq!(serde_json::from_str::<Wait>(r#""final""#).unwrap(), Wait::Final);
    assert!(serde_json::from_str::<Wait>(r#""soon""#).is_err());
}

#[test]
fn a_block_is_selected_by_number_or_text() {
    let by = |json| serde_json::from_str::<BlockSelector>(json);
    assert_eq!(by("7").unwrap(), BlockSelector::Height(7));
    assert_eq!(by(r#""7""#).unwrap(), BlockSelector::Hash("7".to_owned()));
    assert!(by("-1").is_err());
    assert!(by("null").is_err());
    assert!(serde_json::from_str::<InstructionSelector>(r#"{"merchant":1}"#).is_err());
}

#[test]
fn parameters_are_numbers_and_the_largest_amount_is_a_string() {
    let report = ParametersReport::new(&Parameters::default());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["order_amount_max"], "1000000000000");
    assert_eq!(json["window_ms"], 30_000);
}

#[test]
fn rates_are_exact_text() {
    for (text, mantissa, scale) in [
        ("7.1234", 71_234, 4),
        ("7.10", 710, 2),
        ("7", 7, 0),
        ("0.000000001", 1, 9),
        ("0.05", 5, 2),
        ("1000000000", 1_000_000_000, 0),
        ("18446.744073709551615", u64::MAX, 15),
    ] {
        let rate = Rate::new(mantissa, scale).unwrap();
        assert_eq!(rate_text(rate), text);
        assert_eq!(rate_of(text), Some(rate));
    }
    for text in ["", ".", ".5", "5.", "-1", "+1", "1e3", "1,5", " 1", "1.2.3", "0", "0.0"] {
        assert_eq!(rate_of(text), None, "{text:?}");
    }
    // Sixteen decimals, and one step outside of either bound.
    for text in ["0.1000000000000000", "0.0000000001", "1000000001", "18446744073709551616"] {
        assert_eq!(rate_of(text), None, "{text:?}");
    }
}

#[test]
fn an_outcome_s_name_tells_what_became_of_cashback() {
    let rows = [
        (Outcome::HELD, "held"),
        (Outcome::with_cashback(1), "applied-cashback-tier-1"),
        (Outcome::with_cashback(4), "applied-cashback-tier-4"),
        (Outcome::CASHBACK_OVER_MONTH, "applied-cashback-over-month"),
        (Outcome::CASHBACK_OVER_BUDGET, "applied-cashback-over-budget"),
        (Outcome(14), "unknown"),
        (Outcome(205), "order-conflict"),
    ];
    for (outcome, name) in rows {
        assert_eq!(outcome_name(outcome), name);
    }
    let outcomes = Outcomes::new(&[Outcome::with_cashback(2), Outcome::HELD], false);
    let others: Vec<_> = outcomes.not_applied.iter().map(|item| item.code).collect();
    assert_eq!(others, [2], "what was applied with cashback is applied");
}

#[test]
fn an_order_tells_cashback_granted_or_refused_or_neither() {
    let granted = CashbackReport::new(Outcome::with_cashback(2), money(800, "CNY")).unwrap();
    assert_eq!((granted.tier, granted.amount), (Some(2), Some(money(800, "CNY"))));
    let refused = CashbackReport::new(Outcome::CASHBACK_OVER_BUDGET, money(0, "CNY")).unwrap();
    assert_eq!((refused.tier, refused.refused), (None, Some(CashbackRefusal::OverBudget)));
    assert_eq!(refused.amount, None);
    assert_eq!(CashbackReport::new(Outcome::APPLIED, money(0, "CNY")), None);
}

#[test]
fn changes_name_their_kind_and_parameter() {
    let json = |change: Change| {
        let report = ChangeReport::new(&change, Height::new(9));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(serde_json::from_value::<ChangeReport>(json.clone()).unwrap(), report);
        json
    };
    let parameter = json(Change::Parameter { index: 2, value: 60_000 });
    let expected = serde_json::json!(
        {"kind": "parameter", "parameter": "window_ms", "value": "60000"}
    );
    assert_eq!(parameter, expected);
    let programme = Programme {
        merchant: MerchantId::new(1001),
        currency: Currency::new(156),
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount::new(0),
        user_month_max: Amount::new(5_000),
        offset_min: 480,
        is_active: true,
        order_least: Amount::new(13),
        gateways: vec![chain_types::ParticipantId::new(201)],
    };
    let programme = json(Change::Programme(programme));
    assert_eq!(programme["tiers"][0], serde_json::json!({"above": 5, "basis_points": 800}));
    assert_eq!(programme["since_height"], 9);
    assert!(programme.get("order_max").is_none(), "zero means no bound");
    assert_eq!(programme["user_month_max"]["minor"], "5000");
    assert_eq!(programme["order_least"]["minor"], "13");
    assert_eq!(programme["gateways"], serde_json::json!([201]));
    assert_eq!(json(Change::Currency(Currency::new(392)))["currency"], "JPY");
}
