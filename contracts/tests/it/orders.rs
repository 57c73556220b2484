//! Submissions: each row is an order and what becomes of it.

use chain_state::{AccountKey, EntryCause, OrderStatus};
use chain_types::{Amount, Currency, OrderId, Outcome, ParticipantId, RechargeItem, Rejection};

use crate::kit::*;

/// Changes an acceptable order into the row's.
type Change = fn(&mut RechargeItem);

struct Row {
    name: &'static str,
    submitter: u32,
    change: Change,
    expected: Option<Rejection>,
}

const fn row(name: &'static str, change: Change, expected: Option<Rejection>) -> Row {
    Row { name, submitter: SERVICE, change, expected }
}

const fn by(submitter: u32, row: Row) -> Row {
    Row { submitter, ..row }
}

const ROWS: &[Row] = &[
    row("an acceptable reservation", |_| {}, None),
    by(BANK_A, row("the collecting gateway reserves itself", |_| {}, None)),
    by(BANK_A, row("one step by the collecting gateway", |item| item.flags = 1.into(), None)),
    row("up to the last unit available", |item| item.amount = 10_000.into(), None),
    row("no UUID", |item| item.order_id = [0xff; 16], Some(Rejection::OrderIdInvalid)),
    row("a UUIDv4", |item| item.order_id[6] = 0x40, Some(Rejection::OrderIdInvalid)),
    row("spare byte set", |item| item.spare[5] = 1, Some(Rejection::SpareNotZero)),
    row("unknown flag", |item| item.flags = 2.into(), Some(Rejection::FlagsUnknown)),
    row("unknown high flag", |item| item.flags = 0x8000.into(), Some(Rejection::FlagsUnknown)),
    row("past its validity", |item| id(item, -180_000), Some(Rejection::OrderIdExpired)),
    row("in its last millisecond", |item| id(item, -179_999), None),
    row("ahead by more than the skew", |item| id(item, 60_002), Some(Rejection::OrderIdEarly)),
    row("ahead by exactly the skew", |item| id(item, 60_001), None),
    row("nothing", |item| item.amount = 0.into(), Some(Rejection::AmountZero)),
    row("above the limit", |item| item.amount = 1_000_001.into(), Some(Rejection::AmountTooLarge)),
    row(
        "the largest number",
        |item| item.amount = u64::MAX.into(),
        Some(Rejection::AmountTooLarge),
    ),
    row(
        "a currency that the chain does not accept",
        |item| (item.currency, item.payout_currency) = (GBP.into(), GBP.into()),
        Some(Rejection::CurrencyUnsupported),
    ),
    row(
        "another payout currency",
        |item| item.payout_currency = JPY.into(),
        Some(Rejection::ConversionUnavailable),
    ),
    row("a quote", |item| item.fx_quote = 1.into(), Some(Rejection::ConversionUnavailable)),
    row(
        "a payout minimum",
        |item| item.payout_minimum = 1.into(),
        Some(Rejection::ConversionUnavailable),
    ),
    row("no such merchant", |item| item.merchant = 9.into(), Some(Rejection::MerchantUnknown)),
    row(
        "a suspended merchant",
        |item| item.merchant = SHOP_SUSPENDED.into(),
        Some(Rejection::MerchantSuspended),
    ),
    row(
        "no such gateway",
        |item| item.collecting_gateway = 9.into(),
        Some(Rejection::GatewayUnknown),
    ),
    row(
        "a party that is no gateway",
        |item| item.collecting_gateway = SERVICE.into(),
        Some(Rejection::GatewayUnknown),
    ),
    row(
        "a suspended collecting gateway",
        |item| item.collecting_gateway = BANK_SUSPENDED.into(),
        Some(Rejection::GatewaySuspended),
    ),
    row(
        "a suspended paying gateway",
        |item| item.merchant = SHOP_OF_SUSPENDED.into(),
        Some(Rejection::GatewaySuspended),
    ),
    row(
        "the service says collected",
        |item| item.flags = 1.into(),
        Some(Rejection::NotCollectingGateway),
    ),
    by(
        BANK_B,
        row(
            "another gateway says collected",
            |item| item.flags = 1.into(),
            Some(Rejection::NotCollectingGateway),
        ),
    ),
    by(BANK_B, row("a gateway submits for another", |_| {}, Some(Rejection::NotCollectingGateway))),
    row(
        "one unit more than available",
        |item| item.amount = 10_001.into(),
        Some(Rejection::LiquidityExceeded),
    ),
    row(
        "a gateway without a line",
        |item| (item.collecting_gateway, item.amount) = (BANK_POOR.into(), 1.into()),
        Some(Rejection::LiquidityExceeded),
    ),
    row(
        "a line in another currency does not count",
        |item| {
            (item.currency, item.payout_currency) = (JPY.into(), JPY.into());
            item.amount = 501.into();
        },
        Some(Rejection::LiquidityExceeded),
    ),
];

fn id(item: &mut RechargeItem, offset_ms: i64) {
    item.order_id = order_id(77, offset_ms).bytes();
}

/// Each row on a chain of its own: in the block one millisecond after block zero.
#[test]
fn each_order_meets_its_fate() {
    for row in ROWS {
        let mut chain = Chain::new();
        let opening = chain.entries().len();
        let mut item = order(order_id(1, 0), 100);
        (row.change)(&mut item);
        if row.expected != Some(Rejection::OrderIdInvalid) {
            item.order_id = of(row.submitter, item.order_id()).bytes();
        }
        let expected = row.expected.map_or(Outcome::APPLIED, Outcome::from);
        assert_eq!(chain.one(row.submitter, item), expected.0, "{}", row.name);
        let is_recorded = !matches!(
            row.expected,
            Some(
                Rejection::OrderIdInvalid
                    | Rejection::OrderIdExpired
                    | Rejection::OrderIdEarly
                    | Rejection::NotCollectingGateway
            )
        );
        let status = chain.status(&item.order_id());
        match (row.expected, is_recorded) {
            (None, _) if item.is_collected() => assert_eq!(status, Some(OrderStatus::Collected)),
            (None, _) => assert_eq!(status, Some(OrderStatus::Reserved), "{}", row.name),
            (Some(_), true) => assert_eq!(status, Some(OrderStatus::Rejected), "{}", row.name),
            (Some(_), false) => assert_eq!(status, None, "{}: not recorded", row.name),
        }
        if row.expected.is_some() {
            assert_eq!(chain.entries().len(), opening, "{}: booked, though refused", row.name);
            assert_eq!(chain.payable(SHOP), Default::default(), "{}", row.name);
        }
    }
}

/// With two things wrong, the lower code is said.
#[test]
fn rules_are_checked_in_order_of_their_codes() {
    let wrong: &[(Change, Rejection)] = &[
        (|item| item.order_id[8] = 0, Rejection::OrderIdInvalid),
        (|item| item.spare[0] = 1, Rejection::SpareNotZero),
        (|item| item.flags = 0xff00.into(), Rejection::FlagsUnknown),
        (|item| id(item, -200_000), Rejection::OrderIdExpired),
        (|item| item.amount = 0.into(), Rejection::AmountZero),
        (|item| item.currency = GBP.into(), Rejection::CurrencyUnsupported),
        (|item| item.fx_quote = 5.into(), Rejection::ConversionUnavailable),
        (|item| item.merchant = 9.into(), Rejection::MerchantUnknown),
        (|item| item.collecting_gateway = 9.into(), Rejection::GatewayUnknown),
    ];
    for (at, (first, expected)) in wrong.iter().enumerate() {
        for (second, _) in &wrong[at + 1..] {
            let mut chain = Chain::new();
            let mut item = order(order_id(1, 0), 100);
            // The later fault first: a new id must not undo the damage done to the old one.
            second(&mut item);
            first(&mut item);
            assert_eq!(chain.one(SERVICE, item), expected.code());
        }
    }
}

#[test]
fn one_step_moves_the_money_at_once() {
    let mut chain = Chain::new();
    assert_eq!(chain.one(BANK_A, one_step(order_id(1, 0), 700)), 0);
    let (liquidity, payable) = (chain.liquidity(BANK_A), chain.payable(SHOP));
    assert_eq!((liquidity.debits_posted, liquidity.debits_pending), (700, 0));
    assert_eq!((payable.credits_posted, payable.credits_pending), (700, 0));
    assert_eq!((liquidity.balance(), payable.balance()), (300, 700));
    assert_eq!(liquidity.available(), 9_300);
    let entries = chain.entries();
    let [.., debit, credit] = entries.as_slice() else { panic!("two entries") };
    assert_eq!(
        (debit.cause, debit.debits_posted, debit.order_count),
        (EntryCause::Batch(0), 700, 1)
    );
    assert_eq!((credit.credits_posted, credit.credits_pending), (700, 0));
}

#[test]
fn a_reservation_is_pending_on_both_sides() {
    let mut chain = Chain::new();
    assert_eq!(chain.one(SERVICE, order(order_id(1, 0), 700)), 0);
    let (liquidity, payable) = (chain.liquidity(BANK_A), chain.payable(SHOP));
    assert_eq!((liquidity.debits_posted, liquidity.debits_pending), (0, 700));
    assert_eq!((payable.credits_posted, payable.credits_pending), (0, 700));
    assert_eq!(liquidity.available(), 9_300, "what is reserved is no longer available");
    assert_eq!(chain.state.reservation_count(), 1);
}

#[test]
fn the_cap_holds_within_one_batch_and_bad_items_harm_no_others() {
    let mut chain = Chain::new();
    let mut items: Vec<_> = (0..6).map(|number| one_step(order_id(number, 0), 2_500)).collect();
    items[1].amount = 0.into();
    items[2].spare[0] = 1;
    let batch = chain.batch(BANK_A, &items);
    let codes: Vec<u16> = chain.block(1, &[batch])[0].iter().map(|outcome| outcome.0).collect();
    assert_eq!(codes, [0, 206, 201, 0, 0, 0], "four times 2,500 is all there is");
    assert_eq!(chain.one(BANK_A, one_step(order_id(9, 0), 1)), 215);
    assert_eq!(chain.liquidity(BANK_A).available(), 0);
    assert_eq!(chain.liquidity(BANK_A).balance(), -9_000, "down to the cap, never below");
}

#[test]
fn the_same_content_gets_the_same_fate() {
    let mut chain = Chain::new();
    let item = order(order_id(1, 0), 100);
    assert_eq!(chain.one(SERVICE, item), 0);
    let first = chain.state.order(&item.order_id()).unwrap();
    for _ in 0..3 {
        assert_eq!(chain.one(SERVICE, item), 1, "repeated");
    }
    let batch = chain.batch(SERVICE, &[item, item]);
    assert_eq!(chain.block(1, &[batch])[0], [Outcome::REPEATED; 2]);
    assert_eq!(chain.state.order(&item.order_id()), Some(first), "the first record stands");
    assert_eq!(chain.liquidity(BANK_A).debits_pending, 100, "booked once");
}

#[test]
fn the_same_order_twice_in_one_block_is_booked_once() {
    let mut chain = Chain::new();
    let item = one_step(order_id(1, 0), 100);
    let batches =
        [chain.batch(BANK_A, &[item, item]), chain.batch_until(BANK_A, START.plus(9), &[item])];
    let outcomes = chain.block(1, &batches);
    assert_eq!(outcomes[0], [Outcome::APPLIED, Outcome::REPEATED]);
    assert_eq!(outcomes[1], [Outcome::REPEATED]);
    assert_eq!(chain.payable(SHOP).credits_posted, 100);
}

#[test]
fn the_same_id_with_other_content_is_a_conflict_for_ever() {
    let mut chain = Chain::new();
    let item = order(order_id(1, 0), 100);
    assert_eq!(chain.one(SERVICE, item), 0);
    let record = chain.state.order(&item.order_id());
    for amount in [1, 99, 101] {
        assert_eq!(chain.one(SERVICE, order(order_id(1, 0), amount)), 205);
    }
    let mut reference = item;
    reference.external_reference[31] = 1;
    assert_eq!(chain.one(SERVICE, reference), 205, "every byte counts");
    assert_eq!(chain.state.order(&item.order_id()), record, "the recorded order is unchanged");
    assert_eq!(chain.liquidity(BANK_A).debits_pending, 100);
}

/// A refused order's id is used up: more liquidity later does not bring it to life.
#[test]
fn a_refused_order_stays_refused() {
    let mut chain = Chain::new();
    let item = order(order_id(1, 0), 10_001);
    assert_eq!(chain.one(SERVICE, item), 215);
    assert_eq!(chain.one(SERVICE, item), 215, "the refusal stands, and is said again");
    assert_eq!(chain.one(SERVICE, order(order_id(1, 0), 5)), 205);
    let record = chain.state.order(&item.order_id()).unwrap();
    assert_eq!((record.status, record.outcome.0), (OrderStatus::Rejected, 215));
}

/// An early id is not recorded: the same order is accepted once its time has come.
#[test]
fn an_early_order_may_come_again() {
    let mut chain = Chain::new();
    let item = order(order_id(1, 60_010), 100);
    assert_eq!(chain.one(SERVICE, item), 204);
    chain.block(20, &[]);
    assert_eq!(chain.one(SERVICE, item), 0);
}

/// An order is remembered for as long as its id could commit and some seconds more, and then
/// refused as expired.
#[test]
fn an_order_never_settles_twice_however_late_it_comes_again() {
    let mut chain = Chain::new();
    let item = one_step(order_id(1, 0), 100);
    assert_eq!(chain.one(BANK_A, item), 0);
    for _ in 0..250 {
        let is_known = chain.state.order(&item.order_id()).is_some();
        let code = chain.one(BANK_A, item);
        let is_over = chain.state.time() > START.plus(180_000);
        assert!(is_known || is_over);
        assert_eq!(code, if is_known { 1 } else { 203 }, "at {}", chain.state.time());
        chain.block(999, &[]);
    }
    assert!(chain.state.order(&item.order_id()).is_none(), "it has left the window");
    assert_eq!(chain.status(&item.order_id()), Some(OrderStatus::Collected), "for the store");
    assert_eq!(chain.payable(SHOP).credits_posted, 100);
}

/// The sum that one window collects for a merchant has to fit one instruction.
#[test]
fn a_sum_too_large_for_one_instruction_is_refused() {
    let mut genesis = genesis();
    genesis.parameters.order_amount_max = u64::MAX;
    for line in &mut genesis.liquidity {
        line.net_debit_cap = Amount::new(u64::MAX);
        line.opening_liquidity = Amount::new(u64::MAX);
    }
    let mut chain = Chain::of(genesis);
    assert_eq!(chain.one(BANK_A, one_step(order_id(1, 0), u64::MAX)), 0);
    assert_eq!(chain.one(BANK_A, one_step(order_id(2, 0), 1)), 216);
    assert_eq!(chain.one(SERVICE, order(order_id(3, 0), 1)), 0, "reserving is still possible");
    assert_eq!(chain.one(BANK_A, collect(order_id(3, 0))), 216);
    assert_eq!(chain.liquidity(BANK_A).debits_pending, 1, "it stays reserved");
    chain.block(30_000, &[]);
    assert_eq!(chain.one(BANK_A, collect(order_id(3, 0))), 0, "the next window has room");
    assert_eq!(chain.instructions().last().unwrap().amount.get(), u64::MAX);
}

#[test]
fn the_record_says_where_the_order_stands() {
    let mut chain = Chain::new();
    let filler = chain.batch(BANK_A, &[one_step(order_id(8, 0), 1)]);
    let wanted: [OrderId; 2] = [order_id(1, 0), order_id(2, 0)];
    let batch = chain.batch(SERVICE, &wanted.map(|id| order(id, 5)));
    chain.block(1, &[filler, batch.clone()]);
    let record = chain.state.order(&wanted[1]).unwrap();
    assert_eq!(
        (record.location.height.get(), record.location.batch, record.location.item),
        (1, 1, 1)
    );
    assert_eq!(record.fingerprint, batch.leaves()[1].bytes()[..16]);
    assert_eq!(record.status_location, record.location);
    assert_eq!(chain.state.batch_location(&batch.id()), Some((record.location.height, 1)));
}

#[test]
fn other_currencies_have_books_of_their_own() {
    let mut chain = Chain::new();
    let mut item = one_step(order_id(1, 0), 500);
    (item.currency, item.payout_currency) = (JPY.into(), JPY.into());
    assert_eq!(chain.one(BANK_A, item), 0);
    let yen = AccountKey::liquidity(ParticipantId::new(BANK_A), Currency::new(JPY));
    assert_eq!(chain.account(yen).balance(), 0);
    assert_eq!(chain.liquidity(BANK_A).debits_posted, 0);
}
