#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Operation files: every form, and errors that say where to look.

use chain_types::{
    Amount, CashbackTier, Change, Currency, Height, OrderId, ParticipantId, RechargeItem, TimeMs,
};
use rpc_api::ChangeReport;

use super::operations::{OperationKind, Operations, RowContext};
use super::order_file::{Format, Row, read, row_of};

const SUBMITTER: ParticipantId = ParticipantId::new(201);
const NOW: TimeMs = TimeMs::new(1_790_000_000_000);

fn rows(text: &str, kind: OperationKind) -> Vec<Row> {
    read(text, Format::Auto, kind.fields()).unwrap()
}

fn operations(text: &str, kind: OperationKind) -> Result<Operations, String> {
    let mut made = 0_u8;
    let new_id = || {
        made += 1;
        OrderId::owned(SUBMITTER, NOW, [made; 6])
    };
    let mut making = RowContext { submitter: SUBMITTER, now: NOW, new_id };
    read(text, Format::Auto, kind.fields())
        .and_then(|rows| Operations::from_rows(&rows, kind, &mut making))
        .map_err(|error| error.to_string())
}

fn recharges(text: &str) -> Vec<RechargeItem> {
    match operations(text, OperationKind::Recharge).unwrap() {
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
    assert_eq!(expected[0].amount().get(), 1_234);
    assert_eq!(expected[0].currency(), Currency::new(156));
    assert_eq!(expected[0].payout_currency(), Currency::new(156));
    assert_eq!(&expected[0].external_reference[..10], b"invoice 7\0");
    assert_eq!(expected[1].amount().get(), 500);
    assert_eq!(expected[1].merchant().get(), 1_002);
    assert_eq!(expected[1].collecting_gateway(), ParticipantId::new(202));
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
        ("[[orders]]\nmerchant = ", "line 2: is not TOML: "),
        ("[[payments]]\nmerchant = 1", "line 1: expected [[orders]] or [[operations]] tables"),
        (r#"[{"merchant": 1, "amount": 12.34}]"#, "entry 1, field amount: write a number with"),
        (r#"[{"merchant": 1}, 5]"#, "entry 2: is not an object"),
        (r#"[{"merchant": {}}]"#, "entry 1, field merchant: is not text or a number"),
        (r#"{"orders": 5}"#, "file: `orders` is not an array"),
        (r#"{"payments": []}"#, "file: expected one field, `orders`"),
        ("{\n\"orders\": [}", "line 2: is not JSON"),
    ];
    for (text, expected) in table {
        let error = operations(text, OperationKind::Recharge).unwrap_err();
        assert!(error.starts_with(expected), "{text:?}\n gave {error:?}\n not {expected:?}");
    }
}

#[test]
fn optional_fields_are_checked_too() {
    let order = |extra: &str| {
        operations(
            &format!("[[orders]]\nmerchant=1\ngateway=2\namount='1'\ncurrency='CNY'\n{extra}"),
            OperationKind::Recharge,
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
    let Operations::Recharge(items) = operations(text, OperationKind::Collected).unwrap() else {
        panic!()
    };
    assert!(items[0].is_collected());
    assert_eq!(items[0].collecting_gateway(), SUBMITTER);
    assert!(!recharges("1001,201,1,CNY")[0].is_collected());
}

#[test]
fn the_other_kinds_of_operation_read_their_own_fields() {
    let id = "0190a8e2-7c00-7000-8000-000000000000";
    let Ok(Operations::Collect(items)) =
        operations(&format!("{id},bank 5"), OperationKind::Collect)
    else {
        panic!()
    };
    assert_eq!(items[0].order_id().to_string(), id);
    assert_eq!(&items[0].reference[..7], b"bank 5\0");

    for reason in ["CUST", "2"] {
        let Ok(Operations::Void(items)) =
            operations(&format!("{id},{reason}"), OperationKind::Void)
        else {
            panic!()
        };
        assert_eq!(items[0].reason.get(), 2);
    }
    let error = operations(&format!("{id},9"), OperationKind::Void).unwrap_err();
    assert!(error.contains("field reason: \"9\" is not a reason; known are 1 (AM04)"), "{error}");

    let Ok(Operations::Arrival(items)) = operations("12-1001-156,34.50", OperationKind::Arrival)
    else {
        panic!()
    };
    assert_eq!(items[0].instruction().to_string(), "12-1001-156");
    assert_eq!(items[0].amount.get(), 3_450);

    let failures = operations("12-1001-156,AC04", OperationKind::Failure).unwrap();
    assert_eq!((failures.count(), failures.subject(0).as_str()), (1, "12-1001-156"));
    let error = operations("12-1001,AC04", OperationKind::Failure).unwrap_err();
    assert!(error.contains("field instruction: not an id"), "{error}");
}

#[test]
fn the_format_is_found_from_the_first_characters() {
    assert_eq!(rows("1,2,3,CNY", OperationKind::Recharge)[0].place, "line 1");
    assert_eq!(rows("\n# c\n[[orders]]\nmerchant = 1", OperationKind::Recharge)[0].place, "line 3");
    assert_eq!(rows("[{}]", OperationKind::Recharge)[0].place, "entry 1");
    assert_eq!(
        rows("[ [] ]".replace("[]", "{}").as_str(), OperationKind::Recharge)[0].place,
        "entry 1"
    );
}

/// The one item of a file of one operation.
macro_rules! only {
    ($kind:ident, $text:expr) => {
        match operations($text, OperationKind::$kind).unwrap() {
            Operations::$kind(items) if items.len() == 1 => items[0],
            other => panic!("{other:?}"),
        }
    };
}

const ID: &str = "0190a8e2-7c00-7000-8000-000000000000";
const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[test]
fn a_converted_order_names_quote_and_minimum_in_the_payout_currency() {
    let text = "merchant,gateway,amount,currency,payout_currency,quote_id,payout_minimum\n\
                1001,201,100.00,CNY,JPY,1292785156097,1990";
    let item = only!(Recharge, text);
    assert_eq!((item.currency().get(), item.payout_currency().get()), (156, 392));
    assert_eq!(item.quote().unwrap().provider(), ParticipantId::new(301));
    assert_eq!((item.amount().get(), item.payout_minimum.get()), (10_000, 1_990));
}

#[test]
fn returns_reinstructions_and_settled_windows_are_read() {
    let item = only!(Return, &format!("{ID},40.00,CNY,FRAD,2,bank 9"));
    assert_eq!((item.amount().get(), item.reason.get(), item.sequence.get()), (4_000, 4, 2));
    assert_eq!((item.order_id().to_string().as_str(), item.rested_max().get()), (ID, 0));
    let item = only!(Return, &format!("{ID},40.00,CNY,FRAD,2,bank 9,3.50"));
    assert_eq!(item.rested_max().get(), 350);
    let item = only!(Return, &format!("{ID},40.00,CNY,FRAD,2,,any"));
    assert_eq!(item.rested_max().get(), u64::MAX);
    let item = only!(Consent, &format!("{ID},40.00,CNY,case 9"));
    assert_eq!((item.amount().get(), item.order_id().to_string().as_str()), (4_000, ID));
    let item = only!(Debiting, &format!("{ID},bank 5"));
    assert_eq!((item.order_id().to_string().as_str(), &item.reference[..6]), (ID, &b"bank 5"[..]));
    let item = only!(Reinstruct, "12-1001-156,corrected");
    assert_eq!(item.instruction().to_string(), "12-1001-156");
    let digest = "0a".repeat(32);
    let item = only!(SettleWindow, &format!("7,{digest},HVPS 2026"));
    assert_eq!((item.window().get(), &item.reference[..9]), (7, b"HVPS 2026".as_slice()));
    assert_eq!(item.digest, [10; 32]);
    let item = only!(SettlementDecision, &format!("7,approve,{digest},HVPS 2026"));
    assert_eq!((item.window().get(), item.decision.get(), item.digest), (7, 1, [10; 32]));
    let error = operations(&format!("{ID},1,CNY,XXXX,1"), OperationKind::Return).unwrap_err();
    assert!(
        error.contains("field reason: \"XXXX\" is not a reason; known are 1 (CUST)"),
        "{error}"
    );
}

#[test]
fn transfers_name_an_account_and_their_checker_repeats_them() {
    let item = only!(Transfer, "deposit,fx-position:301:JPY,5000,wire 1");
    assert_eq!((item.action.get(), item.account_kind.get(), item.owner.get()), (1, 5, 301));
    assert_eq!((item.currency().get(), item.amount().get()), (392, 5_000));
    assert_eq!(item.transfer_id().time(), NOW, "an id is made");
    let text = format!("{ID},approve,cap,5.5,KWD,checked");
    let item = only!(TransferDecision, &text);
    assert_eq!((item.decision.get(), item.action.get(), item.amount.get()), (1, 3, 5_500));
    let error = operations("give,fees:0:CNY,1", OperationKind::Transfer).unwrap_err();
    assert!(error.contains("known are 1 (deposit), 2 (withdraw), 3 (cap)"), "{error}");
    let error = operations("deposit,fees:CNY,1", OperationKind::Transfer).unwrap_err();
    assert!(error.contains("field account: not an id: expected kind:owner:CURRENCY"), "{error}");
}

#[test]
fn rates_and_quotes_are_exact_and_know_the_time() {
    let item = only!(Rate, "USD,CNY,7.1230");
    assert_eq!((item.mantissa.get(), item.scale.get()), (71_230, 4));
    assert_eq!(item.observed(), NOW);
    assert_eq!(only!(Rate, "USD,CNY,7.1,1789999999000").observed(), TimeMs::new(1_789_999_999_000));
    let item = only!(Quote, "9,CNY,USD,0.1404,25000.00,30000");
    assert_eq!(item.quote_id().provider(), SUBMITTER);
    assert_eq!((item.quote_id().get() & 0xFFFF_FFFF, item.ceiling().get()), (9, 2_500_000));
    assert_eq!(item.valid_until(), NOW.plus(30_000));
    let error = operations("USD,CNY,1e3", OperationKind::Rate).unwrap_err();
    assert!(error.contains("field rate: \"1e3\" is not a rate"), "{error}");
}

#[test]
fn policies_lines_and_decisions_about_holds_are_read() {
    let item = only!(Policy, "scope,currency,user_day_max,hold_above\nscheme,CNY,20000,5000.50");
    assert_eq!((item.scope.get(), item.subject.get(), item.order_max.get()), (0, 0, 0));
    assert_eq!((item.user_day_max.get(), item.hold_above.get()), (2_000_000, 500_050));
    let item = only!(Line, "gateway-liquidity,101,5000.50,CNY");
    assert_eq!((item.account.get(), item.holder.get(), item.limit.get()), (1, 101, 500_050));
    let item = only!(Line, "account,holder,currency,limit\nfx-position,201,JPY,0");
    assert_eq!((item.account.get(), item.holder.get(), item.limit.get()), (5, 201, 0));
    let error = operations("gateway,CNY", OperationKind::Policy).unwrap_err();
    assert!(error.contains("field subject: is missing"), "{error}");
    for (word, number) in [("release", 1), ("approve", 1), ("refuse", 2)] {
        let item = only!(HoldDecision, &format!("{ID},{word},ACCP"));
        assert_eq!(item.decision.get(), number);
    }
}

#[test]
fn every_change_is_read_and_reads_back() {
    let merchant = "merchant = 9\nname = \"M\"\npayout_gateway = 201";
    let key = format!("public_key = \"{DIGEST}\"");
    let keys = format!("validator_key = \"{DIGEST}\"\nnetwork_key = \"{DIGEST}\"");
    let rows = [
        (
            "participant",
            format!("participant = 7\nname = \"P\"\nroles = \"gateway auditor\"\n{key}"),
        ),
        ("key", format!("participant = 7\noverlap_heights = 50\n{key}")),
        ("participant-suspended", "participant = 7\nsuspended = true".to_owned()),
        (
            "participant",
            format!(
                "participant = 7\nname = \"P\"\nroles = \"gateway\"\n{key}\nlegal_entity = \"X1\""
            ),
        ),
        ("merchant", merchant.to_owned()),
        ("merchant", format!("{merchant}\nlegal_entity = \"5493001KJTIIGC8Y1R12\"")),
        ("merchant", format!("{merchant}\npayout_account = \"{DIGEST}\"")),
        ("merchant-suspended", "merchant = 9\nsuspended = false".to_owned()),
        ("parameter", "parameter = \"window_ms\"\nvalue = 60000".to_owned()),
        ("node", format!("name = \"n\"\noperator = 1\npower = 0\n{keys}")),
        ("power", "node = 3\npower = 2".to_owned()),
        ("currency", "currency = \"CHF\"".to_owned()),
        ("programme", "merchant = 9\ncurrency = \"CNY\"".to_owned()),
        ("protocol-version", "protocol_version = 2".to_owned()),
    ];
    for (name, fields) in rows {
        let text = format!("[[operations]]\nchange = \"{name}\"\nactivation_height = 99\n{fields}");
        let item = only!(Proposal, &text);
        assert_eq!(item.activation_height(), Height::new(99));
        let change = ChangeReport::new(&item.change().unwrap(), Height::new(99));
        assert_eq!(serde_json::to_value(&change).unwrap()["kind"], name);
    }
}

#[test]
fn a_programme_has_the_default_tier_or_those_it_names() {
    let of = |extra: &str| {
        let text = format!(
            "[[orders]]\nchange='programme'\nactivation_height=1\nmerchant=9\ncurrency='CNY'\n{extra}"
        );
        operations(&text, OperationKind::Proposal).map(|operations| match operations {
            Operations::Proposal(items) => items[0].change(),
            other => panic!("{other:?}"),
        })
    };
    let Ok(Some(Change::Programme(programme))) = of("") else { panic!() };
    assert_eq!((programme.tiers, programme.is_active), (vec![CashbackTier::DEFAULT], true));
    let extra = "tiers = '5:800 20:1000'\noffset_min = '-60'\norder_max = '10'\nactive = false\n\
        order_least = '2.50'\ngateways = '202 201'";
    let Ok(Some(Change::Programme(programme))) = of(extra) else { panic!() };
    let gateways = vec![ParticipantId::new(201), ParticipantId::new(202)];
    assert_eq!((programme.order_least, programme.gateways), (Amount::new(250), gateways));
    assert_eq!(programme.tiers[1], CashbackTier { above: 20, basis_points: 1_000 });
    assert_eq!(
        (programme.offset_min, programme.order_max.get(), programme.is_active),
        (-60, 1_000, false)
    );
    let error = of("tiers = '5-800'").unwrap_err();
    assert!(error.contains("\"5-800\" is not above:basis_points"), "{error}");
}

#[test]
fn a_change_takes_its_own_fields_only_and_names_what_it_does_not_know() {
    let of = |fields: &str| {
        operations(&format!("[[orders]]\nactivation_height = 1\n{fields}"), OperationKind::Proposal)
    };
    for (fields, expected) in [
        (
            "change = 'power'\nnode = 1\npower = 1\nvalue = 2",
            "field value: is not known; known are",
        ),
        ("change = 'mint'", "field change: \"mint\" is not a change; known are participant, key"),
        ("change = 'parameter'\nparameter = 'fee'\nvalue = 1", "\"fee\" is not a parameter; known"),
        (
            "change = 'participant'\nparticipant = 1\nname = 'x'\nroles = 'king'",
            "\"king\" is not a role",
        ),
        ("change = 'key'\nparticipant = 1\npublic_key = 'aa'", "is not a public key"),
        ("change = 'merchant-suspended'\nmerchant = 1\nsuspended = 'no'", "is not true or false"),
    ] {
        let error = of(fields).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_approval_names_the_digest_that_was_read() {
    let item = only!(Approval, &format!("{ID},refuse,{DIGEST}"));
    assert_eq!((item.decision.get(), item.digest[1]), (2, 0x11));
    assert_eq!(item.proposal_id().to_string(), ID);
    assert!(operations(&format!("{ID},approve,00"), OperationKind::Approval).is_err());
}

#[test]
fn one_operation_may_be_given_on_the_command_line() {
    let pairs = ["currency=USD", "payout_currency=CNY", "rate = 7.1"].map(str::to_owned);
    let row = row_of(&pairs).unwrap();
    assert_eq!((row.required("rate"), row.only(OperationKind::Rate.fields())), (Ok("7.1"), Ok(())));
    let row = row_of(&pairs[..2]).unwrap();
    assert_eq!(row.required("currency"), Ok("USD"));
    assert_eq!(
        row.required("rate").unwrap_err().to_string(),
        "command line, field rate: is missing"
    );
    let twice = row_of(&["a=1".to_owned(), "a=2".to_owned()]).unwrap_err().to_string();
    assert_eq!(twice, "command line, field a: is given twice");
    let error = row_of(&["a".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "command line: \"a\" is not name=value");
}
