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
        quote_id: QuoteId::of(ParticipantId::new(F), number).get().into(),
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
    market_of(&genesis())
}

fn market_of(genesis: &ChainGenesis) -> (Scene, QuoteItem) {
    let mut scene = Scene::of(genesis);
    scene.transferred(TransferAction::Deposit, (5, u64::from(F), USD), 1_000);
    scene.say(F, rate(scene.time, 1_405, 4), 0);
    let quote = quote(&scene, 1, 1_405, 5_000);
    scene.say(F, quote, 0);
    scene.say(F, quote, 1);
    (scene, quote)
}

#[test]
fn an_order_is_converted_and_the_provider_delivers_what_is_paid() {
    let (mut scene, quote) = market();
    let order = converted(&mut scene, &quote, 1_001);
    scene.say(SERVICE, order, 0);
    let accepted = scene.time;
    scene.say(A, collect(&order), 0);
    // 1001 × 0.1405 = 140.6405: 140 from F to the merchant.
    scene.balance((2, MERCHANT, USD), 140);
    scene.balance((5, u64::from(F), CNY), 1_001);
    scene.balance((5, u64::from(F), USD), 860);
    scene.close_window();
    let expected = vec![
        ((1, 20, CNY), 1_001, 0),
        ((1, 21, USD), 0, 140),
        ((5, 30, CNY), 0, 1_001),
        ((5, 30, USD), 140, 0),
    ];
    assert_eq!(scene.parties(0), expected);
    let instructions = scene.auditor.instructions();
    let (_, instruction) = instructions.first_key_value().unwrap();
    assert_eq!(instruction.due_ms, accepted + 300_000);
    scene.say(B, arrival(0, USD, 140), 0);
    // An order of the 501 that are left would be paid 70; one of 3 would be paid nothing.
    scene.say(B, send_back(&order, 1, 998), 329);
    scene.say(B, send_back(&order, 1, 2), 329);
    scene.say(B, send_back(&order, 1, 500), 0);
    scene.balance((1, 21, USD), 70);
    scene.say(B, send_back(&order, 2, 501), 0);
    scene.balance((1, 21, USD), 0);
    scene.balance((5, u64::from(F), CNY), 0);
    scene.balance((5, u64::from(F), USD), 1_000);
    scene.balance((1, 20, CNY), i128::from(OPENING));
    scene.close_window();
    let expected = vec![
        ((1, 20, CNY), 0, 1_001),
        ((1, 21, USD), 140, 0),
        ((5, 30, CNY), 1_001, 0),
        ((5, 30, USD), 0, 140),
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
    for (item, amount, code) in [
        (good, 5_001, 225),
        (drifted, 10, 227),
        (near, 100, 0),
        (good, 3, 230),
        (good, 10, 233),
        (near, 8_000, 229),
    ] {
        let order = converted(&mut scene, &item, amount);
        scene.say(SERVICE, order, code);
    }
    scene.say(SERVICE, minimum, 228);
    scene.change(&Change::ParticipantSuspended {
        participant: ParticipantId::new(F),
        suspended: true,
    });
    let late = converted(&mut scene, &good, 10);
    scene.say(SERVICE, late, 231);
}

#[test]
fn a_quote_ends_and_a_reference_goes_stale() {
    let (mut scene, first) = market();
    let until = first.valid_until.get();
    scene.pass(until - 1_000 - scene.time);
    let (last, late) = (converted(&mut scene, &first, 100), converted(&mut scene, &first, 100));
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
fn a_quote_is_judged_by_the_others() {
    let (mut scene, own) = market();
    let second = rate(scene.time, 14_200, 5);
    scene.say(G, second, 0);
    // F says 0.1405, but G's 0.1420 is 1 % above it.
    let order = converted(&mut scene, &own, 1_000);
    scene.say(SERVICE, order, 227);
    let high = quote(&scene, 2, 1_420, 1_000);
    scene.say(F, high, 0);
    let order = converted(&mut scene, &high, 500);
    scene.say(SERVICE, order, 0);
}

#[test]
fn a_step_waits_until_the_reference_has_kept_to_it() {
    let (mut scene, own) = market();
    let high = quote(&scene, 2, 1_440, 1_000);
    scene.say(F, high, 0);
    // 2.5 % in one step, the same second's word.
    let stepped = rate(scene.time, 1_440, 4);
    scene.say(F, stepped, 0);
    let since = scene.time;
    for item in [&own, &high] {
        let order = converted(&mut scene, item, 500);
        scene.say(SERVICE, order, 234);
    }
    scene.window += 1;
    scene.pass(since + 58_999 - scene.time);
    let again = quote(&scene, 3, 1_440, 1_000);
    let order = converted(&mut scene, &again, 500);
    let words = scene.batch(F, &[rate(scene.time, 1_440, 4)]);
    let (quotes, orders) = (scene.batch(F, &[again]), scene.batch(SERVICE, &[order]));
    scene.block(&[(words, &[0]), (quotes, &[0]), (orders, &[234])]);
    let (word, order) = (rate(scene.time, 1_440, 4), converted(&mut scene, &again, 500));
    scene.say(F, word, 0);
    scene.say(SERVICE, order, 0);
}

#[test]
fn a_reservation_lets_its_quote_go_after_a_while() {
    let (mut scene, quote) = market();
    let order = converted(&mut scene, &quote, 5_000);
    scene.say(SERVICE, order, 0);
    scene.window += 1;
    scene.pass(30_000);
    let other = converted(&mut scene, &quote, 500);
    let early = scene.batch(SERVICE, &[other]);
    let later = scene.batch(A, &[collect(&order)]);
    scene.block(&[(early, &[224]), (later, &[304])]);
    scene.balance((5, u64::from(F), USD), 1_000);
    assert_eq!(scene.counters((5, u64::from(F), USD)).debits_pending, 0);
}

#[test]
fn after_a_while_the_payout_currency_goes_back() {
    let mut genesis = genesis();
    genesis.parameters.return_rate_ms = 40_000;
    let (mut scene, quote) = market_of(&genesis);
    let order_id = scene.order_id(A);
    let order = RechargeItem { order_id, flags: 1.into(), ..converted(&mut scene, &quote, 1_000) };
    scene.say(A, order, 0);
    scene.balance((2, MERCHANT, USD), 140);
    scene.close_window();
    scene.say(B, arrival(0, USD, 140), 0);
    // 32 s, then 42 s after the collection.
    scene.say(B, send_back(&order, 1, 400), 0);
    scene.balance((5, u64::from(F), CNY), 600);
    scene.pass(9_000);
    scene.say(B, send_back(&order, 2, 600), 0);
    scene.balance((5, u64::from(F), CNY), 600);
    scene.balance((5, u64::from(F), USD), 916);
    scene.balance((1, 20, USD), 84);
    scene.balance((1, 21, USD), 0);
    scene.close_window();
    let expected = vec![
        ((1, 20, CNY), 0, 400),
        ((1, 20, USD), 0, 84),
        ((1, 21, USD), 140, 0),
        ((5, 30, CNY), 400, 0),
        ((5, 30, USD), 0, 56),
    ];
    assert_eq!(scene.parties(1), expected);
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
