#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Operation files: every form, and errors that say where to look.

use chain_types::{Currency, OrderId, ParticipantId, RechargeItem, TimeMs};

use super::operations::{Kind, Operations};
use super::order_file::{Format, Row, read};

const SUBMITTER: ParticipantId = ParticipantId(201);

fn rows(text: &str, kind: Kind) -> Vec<Row> {
    read(text, Format::Auto, kind.fields()).unwrap()
}

fn operations(text: &str, kind: Kind) -> Result<Operations, String> {
    let mut made = 0_u8;
    let order_id = || {
        made += 1;
        OrderId::new(TimeMs(1_790_000_000_000), [made; 10])
    };
    read(text, Format::Auto, kind.fields())
        .and_then(|rows| Operations::from_rows(&rows, kind, SUBMITTER, order_id))
        .map_err(|error| error.to_string())
}

fn recharges(text: &str) -> Vec<RechargeItem> {
    match operations(text, Kind::Recharge).unwrap() {
        Operations::Recharge(items) => items,
        other => panic!("{other:?}"),
    }
}

#[test]
fn toml_json_and_lines_say_the_same() {
    let toml = r#"
        # two orders
        [[orders]]
        merchant = 1001
        gateway = 201
        amount = "12.34"
        currency = "CNY"
        reference = "invoice 7"
        [[orders]]
        merchant = 1002
        gateway = 202
        amount = 500
        currency = "JPY"
    "#;
    let json = r#"{"orders": [
        {"merchant": 1001, "gateway": 201, "amount": "12.34", "currency": "CNY",
         "reference": "invoice 7"},
        {"merchant": "1002", "gateway": 202, "amount": 500, "currency": "JPY", "user": null}
    ]}"#;
    let named = "currency,amount,merchant,gateway,reference\n\
                 CNY, 12.34, 1001, 201, invoice 7\n\n# a comment\nJPY,500,1002,202,\n";
    let unnamed = "1001,201,12.34,CNY,invoice 7\n1002,202,500,JPY,\n";
    let expected = recharges(toml);
    assert_eq!(expected.len(), 2);
    assert_eq!(expected[0].amount().0, 1_234);
    assert_eq!(expected[0].currency(), Currency(156));
    assert_eq!(expected[0].payout_currency(), Currency(156));
    assert_eq!(&expected[0].external_reference[..10], b"invoice 7\0");
    assert_eq!(expected[1].amount().0, 500);
    assert_eq!(expected[1].merchant().0, 1_002);
    assert_eq!(expected[1].collecting_gateway(), ParticipantId(202));
    for text in [json, named, unnamed] {
        assert_eq!(recharges(text), expected, "{text}");
    }
}

#[test]
fn a_json_array_or_single_object_needs_no_wrapping() {
    let order = r#"{"merchant": 1, "gateway": 2, "amount": "3", "currency": "CNY"}"#;
    assert_eq!(recharges(order).len(), 1);
    assert_eq!(recharges(&format!("[{order}, {order}]")).len(), 2);
}

#[test]
fn an_error_names_line_and_field() {
    let table: &[(&str, &str)] = &[
        ("1001,201,12.345,CNY", "line 1, field amount: \"12.345\" has 3 decimals; CNY has 2"),
        ("# x\n1001,201,1,CNY\nabc,201,1,CNY", "line 3, field merchant: \"abc\" is not a whole"),
        ("1001,201,1,XXQ", "line 1, field currency: \"XXQ\" is not an ISO 4217 code"),
        ("1001,201,1,cny", "line 1, field currency: \"cny\" is not an ISO 4217 code"),
        ("1001,4294967296,1,CNY", "line 1, field gateway: \"4294967296\" is not a whole number"),
        ("1001,+201,1,CNY", "line 1, field gateway: \"+201\" is not a whole number"),
        ("1001,201,,CNY", "line 1, field amount: is missing"),
        ("1001,201,1,CNY\n1001,201,1", "line 2: 3 fields, expected 4 (merchant,gateway,amount"),
        ("merchant,gateway,colour\n1,2,red", "line 2, field colour: is not known; known are"),
        ("1,2,\"3\",CNY", "line 1: quotes are not read"),
        ("merchant,amount,currency\n1,2,CNY", "line 2, field gateway: is missing"),
        ("", "file: holds no operations"),
        ("# only a comment\n", "file: holds no operations"),
        (
            "[[orders]]\nmerchant = 1\ngateway = 2\namount = 12.34\ncurrency = 'CNY'",
            "line 4, field amount: write a number with decimals in quotes",
        ),
        ("[[orders]]\nmerchant = [1]", "line 2, field merchant: is not text or a number"),
        ("[[orders]]\nmerchant = -5", "line 1, field currency: is missing"),
        ("[[orders]]\nmerchant = ", "line 2: "),
        ("[[payments]]\nmerchant = 1", "line 1: "),
        (r#"[{"merchant": 1, "amount": 12.34}]"#, "entry 1, field amount: write a number with"),
        (r#"[{"merchant": 1}, 5]"#, "entry 2: is not an object"),
        (r#"[{"merchant": {}}]"#, "entry 1, field merchant: is not text or a number"),
        (r#"{"orders": 5}"#, "file: `orders` is not an array"),
        (r#"{"payments": []}"#, "file: expected one field, `orders`"),
        ("{\n\"orders\": [}", "line 2: is not JSON"),
    ];
    for (text, expected) in table {
        let error = operations(text, Kind::Recharge).unwrap_err();
        assert!(error.starts_with(expected), "{text:?}\n gave {error:?}\n not {expected:?}");
    }
}

#[test]
fn optional_fields_are_checked_too() {
    let order = |extra: &str| {
        operations(
            &format!("[[orders]]\nmerchant=1\ngateway=2\namount='1'\ncurrency='CNY'\n{extra}"),
            Kind::Recharge,
        )
    };
    for (extra, expected) in [
        ("user = 'zz'", "field user: \"zz\" is not a pseudonym: 32 hexadecimal digits"),
        ("order_id = 'x'", "field order_id: not an id: expected a UUID"),
        ("device = 'x'", "field device: \"x\" is not a whole number"),
        ("reference = '123456789012345678901234567890123'", "has 33 bytes; at most 32"),
    ] {
        let error = order(extra).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let id = "0190a8e2-7c00-7000-8000-000000000000";
    let extra = format!("order_id = '{id}'\nuser = '000102030405060708090a0b0c0d0e0f'");
    let Operations::Recharge(items) = order(&extra).unwrap() else { panic!() };
    assert_eq!(items[0].order_id().to_string(), id);
    assert_eq!(items[0].user[15], 15);
}

#[test]
fn orders_collected_in_one_step_are_the_submitter_s_own() {
    let text = "merchant,amount,currency\n1001,1,CNY";
    let Operations::Recharge(items) = operations(text, Kind::Collected).unwrap() else { panic!() };
    assert!(items[0].is_collected());
    assert_eq!(items[0].collecting_gateway(), SUBMITTER);
    assert!(!recharges("1001,201,1,CNY")[0].is_collected());
}

#[test]
fn the_other_kinds_of_operation_read_their_own_fields() {
    let id = "0190a8e2-7c00-7000-8000-000000000000";
    let Ok(Operations::Collect(items)) = operations(&format!("{id},bank 5"), Kind::Collect) else {
        panic!()
    };
    assert_eq!(items[0].order_id().to_string(), id);
    assert_eq!(&items[0].reference[..7], b"bank 5\0");

    for reason in ["CUST", "2"] {
        let Ok(Operations::Void(items)) = operations(&format!("{id},{reason}"), Kind::Void) else {
            panic!()
        };
        assert_eq!(items[0].reason.get(), 2);
    }
    let error = operations(&format!("{id},9"), Kind::Void).unwrap_err();
    assert!(error.contains("field reason: \"9\" is not a reason; known are 1 (AM04)"), "{error}");

    let Ok(Operations::Arrival(items)) = operations("12-1001-156,34.50", Kind::Arrival) else {
        panic!()
    };
    assert_eq!(items[0].instruction().to_string(), "12-1001-156");
    assert_eq!(items[0].amount.get(), 3_450);

    let failures = operations("12-1001-156,AC04", Kind::Failure).unwrap();
    assert_eq!((failures.len(), failures.subject(0).as_str()), (1, "12-1001-156"));
    let error = operations("12-1001,AC04", Kind::Failure).unwrap_err();
    assert!(error.contains("field instruction: not an id"), "{error}");
}

#[test]
fn the_format_is_found_from_the_first_characters() {
    assert_eq!(rows("1,2,3,CNY", Kind::Recharge)[0].place, "line 1");
    assert_eq!(rows("\n# c\n[[orders]]\nmerchant = 1", Kind::Recharge)[0].place, "line 3");
    assert_eq!(rows("[{}]", Kind::Recharge)[0].place, "entry 1");
    assert_eq!(rows("[ [] ]".replace("[]", "{}").as_str(), Kind::Recharge)[0].place, "entry 1");
}
