//! Section 7.

use chain_types::*;

use crate::kit::*;

fn rate(observed: u64, mantissa: u64, scale: u16) -> RateItem {
    RateItem {
        currency: CNY.into(),
        payout_currency: USD.into(),
        mantissa: mantissa.into(),
        scale: scale.into(),
        observed: observed.into(),
        spare: [0; 42],
    }
}

fn quote(scene: &Scene, number: u32, mantissa: u64, ceiling: u64) -> QuoteItem {
    QuoteItem {
        quote_id: QuoteId::new(ParticipantId(F), number).0.into(),
        currency: CNY.into(),
        payout_currency: USD.into(),
        mantissa: mantissa.into(),
        scale: 4.into(),
        ceiling: ceiling.into(),
        valid_until: (scene.time + 20_000).into(),
        spare: [0; 26],
    }
}

fn converted(scene: &mut Scene, quote: &QuoteItem, amount: u64) -> RechargeItem {
    RechargeItem { payout_currency: USD.into(), fx_quote: quote.quote_id, ..scene.order(amount) }
}

/// F has 1,000 USD cents and a quote of 0.1405 with a ceiling of 5,000.
fn market() -> (Scene, QuoteItem) {
    let mut scene = Scene::default();
    scene.transferred(TransferAction::Deposit, (5, u64::from(F), USD), 1_000);
    scene.say(F, rate(scene.time, 1_405, 4), 0);
    let quote = quote(&scene, 1, 1_405, 5_000);
    scene.say(F, quote, 0);
    scene.say(F, quote, 1);
    (scene, quote)
}

#[test]
fn an_order_is_converted_and_the_scheme_bears_the_rounding() {
    let (mut scene, quote) = market();
    let order = converted(&mut scene, &quote, 1_001);
    scene.say(SERVICE, order, 0);
    let accepted = scene.time;
    scene.say(A, collect(&order), 0);
    // 1001 × 0.1405 = 140.6405: 141 to the merchant, 140 from F, 1 from the scheme.
    scene.balance((2, MERCHANT, USD), 141);
    scene.balance((5, u64::from(F), CNY), 1_001);
    scene.balance((5, u64::from(F), USD), 860);
    scene.balance((9, 0, USD), -1);
    scene.close_window();
    let expected = vec![
        ((1, 20, CNY), 1_001, 0),
        ((1, 21, USD), 0, 141),
        ((5, 30, CNY), 0, 1_001),
        ((5, 30, USD), 140, 0),
        ((9, 0, USD), 1, 0),
    ];
    assert_eq!(scene.parties(0), expected);
    let instructions = scene.auditor.instructions();
    let (_, instruction) = instructions.first_key_value().unwrap();
    assert_eq!(instruction.due_ms, accepted + 300_000);
    scene.say(B, arrival(0, USD, 141), 0);
    // round(141 × 500 / 1001) = 70, then the 71 that are left.
    scene.say(B, send_back(&order, 1, 500), 0);
    scene.balance((1, 21, USD), 71);
    scene.say(B, send_back(&order, 2, 501), 0);
    scene.balance((1, 21, USD), 0);
    scene.balance((5, u64::from(F), CNY), 0);
    scene.balance((5, u64::from(F), USD), 1_001);
    scene.balance((1, 20, CNY), i128::from(OPENING));
    scene.close_window();
    let expected = vec![
        ((1, 20, CNY), 0, 1_001),
        ((1, 21, USD), 141, 0),
        ((5, 30, CNY), 1_001, 0),
        ((5, 30, USD), 0, 141),
    ];
    assert_eq!(scene.parties(1), expected);
}

#[test]
fn a_void_frees_the_quote_and_a_collection_does_not() {
    let (mut scene, quote) = market();
    let orders = [3_000, 2_000, 1].map(|amount| converted(&mut scene, &quote, amount));
    scene.say(SERVICE, orders[0], 0);
    scene.say(SERVICE, orders[1], 0);
    scene.say(SERVICE, orders[2], 225);
    scene.say(A, collect(&orders[0]), 0);
    scene.say(A, void(&orders[1]), 0);
    let again = converted(&mut scene, &quote, 2_000);
    scene.say(SERVICE, again, 0);
}

#[test]
fn each_rule_of_a_conversion_has_its_code() {
    let (mut scene, good) = market();
    let drifted = quote(&scene, 2, 1_410, 1_000_000);
    scene.say(F, drifted, 0);
    // 0.1409 is 0.28 % above 0.1405.
    let near = quote(&scene, 3, 1_409, 1_000_000);
    scene.say(F, near, 0);
    let back = RechargeItem {
        currency: USD.into(),
        payout_currency: CNY.into(),
        ..converted(&mut scene, &good, 10)
    };
    let unknown = RechargeItem { fx_quote: 77.into(), ..converted(&mut scene, &good, 10) };
    let minimum =
        RechargeItem { payout_minimum: 142.into(), ..converted(&mut scene, &good, 1_001) };
    scene.say(SERVICE, unknown, 222);
    scene.say(SERVICE, back, 223);
    for (item, amount, code) in
        [(good, 5_001, 225), (drifted, 10, 227), (near, 10, 0), (good, 3, 230), (near, 8_000, 229)]
    {
        let order = converted(&mut scene, &item, amount);
        scene.say(SERVICE, order, code);
    }
    scene.say(SERVICE, minimum, 228);
    scene.change(&Change::ParticipantSuspended { participant: ParticipantId(F), suspended: true });
    let late = converted(&mut scene, &good, 10);
    scene.say(SERVICE, late, 231);
}

#[test]
fn a_quote_ends_and_a_reference_goes_stale() {
    let (mut scene, first) = market();
    let until = first.valid_until.get();
    scene.pass(until - 1_000 - scene.time);
    let (last, late) = (converted(&mut scene, &first, 10), converted(&mut scene, &first, 10));
    scene.say(SERVICE, last, 0);
    scene.say(SERVICE, late, 224);
    scene.window += 1;
    scene.pass(60_000);
    let second = quote(&scene, 2, 1_405, 100);
    scene.say(F, second, 0);
    let stale = converted(&mut scene, &second, 10);
    scene.say(SERVICE, stale, 226);
    let other_way = QuoteItem {
        currency: USD.into(),
        payout_currency: CNY.into(),
        mantissa: 71_000.into(),
        ..quote(&scene, 3, 1, 100)
    };
    scene.say(F, other_way, 0);
    let untold = RechargeItem {
        currency: USD.into(),
        payout_currency: CNY.into(),
        ..converted(&mut scene, &other_way, 10)
    };
    scene.say(SERVICE, untold, 232);
}

#[test]
fn the_reference_is_the_lower_of_two() {
    let (mut scene, _) = market();
    let second = rate(scene.time, 14_200, 5);
    scene.say(G, second, 0);
    // Against 0.1405 the quote of 0.1420 has drifted by more than 1 %.
    let high = quote(&scene, 2, 1_420, 100);
    scene.say(F, high, 0);
    let order = converted(&mut scene, &high, 10);
    scene.say(SERVICE, order, 227);
    let newer = rate(scene.time, 1_420, 4);
    scene.say(F, newer, 0);
    let order = converted(&mut scene, &high, 10);
    scene.say(SERVICE, order, 0);
}

#[test]
fn rates_and_quotes_have_rules() {
    let (mut scene, good) = market();
    let now = scene.time;
    let foreign = QuoteItem { quote_id: 5.into(), ..good };
    let next = good.quote_id.get() + 1;
    let rates = [
        (RateItem { spare: [1; 42], ..rate(now, 0, 0) }, 201),
        (RateItem { payout_currency: CNY.into(), ..rate(now, 0, 0) }, 600),
        (rate(now, 1, 10), 601),
        (rate(now + 1_000 + 60_001, 1_405, 4), 603),
        (rate(now + 1_000 + 60_000, 1_405, 4), 0),
        (rate(now + 1_000 + 60_000, 1_405, 4), 1),
        (rate(now + 1_000 + 60_000, 1_406, 4), 602),
        (rate(now + 1_000 - 60_001, 1_405, 4), 603),
        (rate(now + 1_000 - 60_000, 1_405, 4), 602),
    ];
    let quotes = [
        (foreign, 605),
        (QuoteItem { currency: 978.into(), ..good }, 600),
        (QuoteItem { mantissa: 0.into(), ..good }, 601),
        (QuoteItem { ceiling: 0.into(), ..good }, 206),
        (QuoteItem { quote_id: next.into(), valid_until: (now + 1_000).into(), ..good }, 606),
        (QuoteItem { quote_id: next.into(), valid_until: (now + 601_001).into(), ..good }, 606),
        (QuoteItem { valid_until: (now + 601_000).into(), ..good }, 604),
        (QuoteItem { quote_id: (next - 2).into(), ..good }, 604),
        (good, 1),
        (QuoteItem { quote_id: (next + 1).into(), ..good }, 0),
        (QuoteItem { quote_id: next.into(), ..good }, 604),
    ];
    let rate_codes = rates.map(|(_, code)| code);
    let quote_codes = quotes.map(|(_, code)| code);
    let rates = scene.batch(F, &rates.map(|(item, _)| item));
    let quotes = scene.batch(F, &quotes.map(|(item, _)| item));
    scene.block(&[(rates, &rate_codes), (quotes, &quote_codes)]);
}
