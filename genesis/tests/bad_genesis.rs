//! Every way a genesis file can be wrong, and the field that the operator is pointed to.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

use chain_types::hash::sha256;
use chain_types::{Digest, Parameters, SecretKey, TimeMs};
use genesis::{NetworkPlan, network_new, parse_genesis};

fn demo() -> String {
    let folder = tempfile::tempdir().unwrap();
    let plan = NetworkPlan {
        edges: 1,
        seed: Some(1),
        time: Some(TimeMs::new(1_790_000_000_000)),
        ..NetworkPlan::default()
    };
    fs::read_to_string(network_new(folder.path(), &plan).unwrap().genesis).unwrap()
}

/// The file of a network with real money.
fn good() -> String {
    let demo = demo().replace("development = true\n", "");
    demo.replace("net_debit_cap = 1000000000000000\n", "net_debit_cap = 10000000000000\n")
}

/// The value of `key` in the `nth` section that has it.
fn value_of(text: &str, key: &str, nth: usize) -> String {
    let start = format!("{key} = ");
    let line = text.lines().filter(|line| line.starts_with(&start)).nth(nth).unwrap();
    line[start.len()..].to_owned()
}

/// Changes the `nth` line that sets `key`; an empty value removes the line.
fn set(text: &str, key: &str, nth: usize, value: &str) -> String {
    let start = format!("{key} = ");
    let mut seen = 0;
    let mut changed = String::new();
    for line in text.lines() {
        let is_it = line.starts_with(&start) && {
            seen += 1;
            seen == nth + 1
        };
        match (is_it, value) {
            (true, "") => {}
            (true, value) => changed.push_str(&format!("{start}{value}\n")),
            (false, _) => changed.push_str(&format!("{line}\n")),
        }
    }
    assert!(seen > nth, "no line {nth} sets {key}");
    changed
}

fn refused(text: &str, field: &str) {
    let error = parse_genesis(text.as_bytes()).expect_err(field);
    assert_eq!(error.field, field, "{error}");
    assert!(!error.value.is_empty() && !error.remedy.is_empty(), "{error:?}");
}

#[test]
fn the_good_file_is_good() {
    parse_genesis(good().as_bytes()).unwrap();
}

/// A key, which of its lines is set, the value, and the field that the refusal names.
type Row<'a> = (&'a str, usize, &'a str, &'a str);

fn each_is_named(good: &str, rows: &[Row<'_>]) {
    for (key, nth, value, field) in rows {
        refused(&set(good, key, *nth, value), field);
    }
}

#[test]
fn each_bad_value_of_the_chain_and_its_parties_is_named() {
    let good = good();
    // The zero point and the point of order two: signatures under them can be forged.
    let weak = format!("\"{}\"", "00".repeat(32));
    let weak_two = format!("\"01{}\"", "00".repeat(31));
    let first_key = value_of(&good, "public_key", 0);
    let long_name = format!("\"{}\"", "n".repeat(65));
    let rows = [
        ("name", 0, "\"\"", "name"),
        ("name", 0, "5", "name"),
        ("name", 0, "\" x\"", "name"),
        ("name", 0, "\"a\\u0007b\"", "name"),
        ("name", 0, &long_name, "name"),
        ("name", 0, "", "name"),
        ("time_ms", 0, "1790000000", "time_ms"),
        ("time_ms", 0, "-1", "time_ms"),
        ("time_ms", 0, "\"now\"", "time_ms"),
        ("currencies", 0, "[]", "currencies"),
        ("currencies", 0, "[\"CNY\", \"ZZZ\"]", "currencies[1]"),
        ("currencies", 0, "[\"cny\"]", "currencies[0]"),
        ("currencies", 0, "[\"CNY\", \"CNY\"]", "currencies[1]"),
        ("currencies", 0, "[\"XAU\"]", "currencies[0]"),
        ("currencies", 0, "[156]", "currencies[0]"),
        ("currencies", 0, "\"CNY\"", "currencies"),
        ("id", 1, "1", "participants[1].id"),
        ("id", 1, "0", "participants[1].id"),
        ("id", 1, "4294967296", "participants[1].id"),
        ("id", 1, "1.5", "participants[1].id"),
        ("name", 1, "\"\"", "participants[0].name"),
        ("roles", 1, "[]", "participants[1].roles"),
        ("roles", 1, "[\"king\"]", "participants[1].roles[0]"),
        ("roles", 1, "[\"auditor\", \"auditor\"]", "participants[1].roles[1]"),
        ("roles", 1, "\"auditor\"", "participants[1].roles"),
        ("roles", 0, "[\"settlement-operator\", \"gateway\"]", "participants[0].roles"),
        ("roles", 5, "[\"gateway\", \"settlement-agent\"]", "participants[5].roles"),
        ("roles", 1, "[\"auditor\"]", "nodes[1].operator"),
        ("roles", 5, "[\"auditor\"]", "merchants[0].payout_gateway"),
        ("public_key", 1, &weak, "participants[1].public_key"),
        ("public_key", 1, &weak_two, "participants[1].public_key"),
        ("public_key", 1, "\"abc\"", "participants[1].public_key"),
        ("public_key", 1, &first_key, "participants[1].public_key"),
        ("public_key", 1, "", "participants[1].public_key"),
    ];
    each_is_named(&good, &rows);
}

#[test]
fn each_bad_value_of_merchants_lines_and_nodes_is_named() {
    let good = good();
    let first_key = value_of(&good, "public_key", 0);
    let first_network_key = value_of(&good, "network_key", 0);
    let rows = [
        ("id", 15, "1001", "merchants[1].id"),
        ("id", 15, "0", "merchants[1].id"),
        ("id", 15, "-5", "merchants[1].id"),
        ("payout_gateway", 0, "999", "merchants[0].payout_gateway"),
        ("payout_gateway", 0, "101", "merchants[0].payout_gateway"),
        ("gateway", 0, "101", "liquidity[0].gateway"),
        ("gateway", 0, "999", "liquidity[0].gateway"),
        ("currency", 0, "\"CHF\"", "liquidity[0].currency"),
        ("currency", 1, "\"CNY\"", "liquidity[1].currency"),
        ("net_debit_cap", 0, "-1", "liquidity[0].net_debit_cap"),
        ("net_debit_cap", 0, "9000000000000000000", "liquidity[0].net_debit_cap"),
        ("opening_liquidity", 0, "1e3", "liquidity[0].opening_liquidity"),
        ("account", 0, "\"fees\"", "reservation_lines[0].account"),
        ("account", 0, "1", "reservation_lines[0].account"),
        ("owners", 0, "[101]", "reservation_lines[0].owners[0]"),
        ("owners", 0, "[201, 999]", "reservation_lines[0].owners[1]"),
        ("owners", 0, "[201, 201]", "reservation_lines[0].holders"),
        ("owners", 0, "201", "reservation_lines[0].owners"),
        ("owners", 1, "[201]", "reservation_lines[1].owners[0]"),
        ("holders", 0, "[201]", "reservation_lines[0].holders[0]"),
        ("holders", 0, "[\"101\"]", "reservation_lines[0].holders[0]"),
        ("holders", 1, "[101, 201, 301]", "reservation_lines[1].holders[2]"),
        ("currencies", 1, "[\"CHF\"]", "reservation_lines[0].currencies[0]"),
        ("limit", 0, "0", "reservation_lines[0].limit"),
        ("limit", 0, "-1", "reservation_lines[0].limit"),
        ("operator", 0, "101", "nodes[0].operator"),
        ("operator", 0, "999", "nodes[0].operator"),
        ("power", 0, "-1", "nodes[0].power"),
        ("power", 0, "15", "nodes[0].power"),
        ("power", 0, "2000000000", "nodes[0].power"),
        ("network_key", 1, &first_network_key, "nodes[1].network_key"),
        ("network_key", 1, &first_key, "nodes[1].network_key"),
        ("validator_key", 1, &first_network_key, "nodes[1].validator_key"),
        ("validator_key", 1, "", "nodes[1].validator_key"),
        ("power", 4, "1", "nodes[4].validator_key"),
        ("power", 0, "0", "nodes[0].validator_key"),
    ];
    each_is_named(&good, &rows);
}

#[test]
fn a_payout_account_is_a_hash_or_not_given() {
    let good = good();
    let with = |value: &str| {
        let line = format!("payout_account = {value}\npayout_gateway = ");
        good.replacen("payout_gateway = ", &line, 1)
    };
    let account = |text: &str| parse_genesis(text.as_bytes()).unwrap().merchants[0].payout_account;
    assert_eq!(account(&good), Digest::ZERO);
    assert_eq!(account(&with(&format!("\"{}\"", "5a".repeat(32)))), Digest::from_bytes([0x5a; 32]));
    for value in ["\"\"", "\"5a\"", "5", &format!("\"{}\"", "xy".repeat(32))] {
        refused(&with(value), "merchants[0].payout_account");
    }
}

#[test]
fn no_parameter_passes_its_bounds() {
    let good = good();
    for (name, (low, high)) in Parameters::NAMES.iter().zip(Parameters::BOUNDS) {
        let field = format!("parameters.{name}");
        for (value, bound) in [(high + 1, high), (low.wrapping_sub(1), low)] {
            // TOML's numbers are signed: below zero there is -1.
            let value = value.cast_signed();
            let error = parse_genesis(set(&good, name, 0, &value.to_string()).as_bytes());
            let error = error.expect_err(name);
            assert_eq!((error.field.as_str(), error.value), (field.as_str(), value.to_string()));
            assert!(error.remedy.contains(&bound.to_string()), "{}", error.remedy);
        }
        refused(&set(&good, name, 0, ""), &field);
        refused(&set(&good, name, 0, "true"), &field);
    }
}

#[test]
fn parameters_that_disagree_show_the_value_to_change() {
    let error = parse_genesis(set(&good(), "window_ms", 0, "180000").as_bytes()).unwrap_err();
    assert_eq!(
        (error.field.as_str(), error.value.as_str()),
        ("parameters.deadline_domestic_ms", "180000")
    );
    assert!(error.remedy.contains("`window_ms`"), "{}", error.remedy);
}

#[test]
fn each_parameter_has_bounds_and_they_agree() {
    let good = good();
    let rows = [
        ("order_skew_ms", "0"),
        ("order_validity_ms", "0"),
        ("order_validity_ms", "9000000000000000000"),
        ("window_ms", "0"),
        ("window_ms", "900"),
        ("window_ms", "100000000"),
        ("deadline_domestic_ms", "0"),
        ("deadline_domestic_ms", "30000"),
        ("deadline_cross_border_ms", "170000"),
        ("deadline_collect_ms", "180001"),
        ("deadline_collect_ms", "0"),
        ("reservation_ms", "59999"),
        ("reservation_ms", "3600001"),
        ("block_interval_ms", "0"),
        ("block_interval_ms", "10001"),
        ("heartbeat_ms", "99"),
        ("heartbeat_ms", "0"),
        ("clock_drift_ms", "0"),
        ("consensus_timeout_ms", "0"),
        ("consensus_timeout_ms", "3001"),
        ("consensus_timeout_step_ms", "0"),
        ("consensus_timeout_max_ms", "299"),
        ("consensus_timeout_max_ms", "3600000"),
        ("proposer_penalty_heights", "-1"),
        ("block_batches_max", "0"),
        ("block_items_max", "8191"),
        ("block_items_max", "99999999"),
        ("order_amount_max", "0"),
        ("order_amount_max", "9000000000000000000"),
        ("order_amount_max", ""),
    ];
    for (key, value) in rows {
        let field = match (key, value) {
            // The parameter whose agreement breaks is the one named.
            ("deadline_collect_ms", "180001") => "parameters.deadline_domestic_ms".to_owned(),
            ("block_interval_ms", "10001") => "parameters.block_interval_ms".to_owned(),
            ("consensus_timeout_ms", "3001") => "parameters.consensus_timeout_max_ms".to_owned(),
            _ => format!("parameters.{key}"),
        };
        refused(&set(&good, key, 0, value), &field);
    }
    // Both within their bounds, where these meet.
    let hour = set(&good, "order_validity_ms", 0, "3600000");
    refused(&set(&hour, "return_period_ms", 0, "3600000"), "parameters.return_period_ms");
}

#[test]
fn unknown_fields_are_refused_in_every_section() {
    let good = good();
    let rows = [
        ("time_ms = ", "surprise"),
        ("order_skew_ms = ", "parameters.surprise"),
        ("roles = ", "participants[0].surprise"),
        ("payout_gateway = ", "merchants[0].surprise"),
        ("net_debit_cap = ", "liquidity[0].surprise"),
        ("limit = ", "reservation_lines[0].surprise"),
        ("operator = ", "nodes[0].surprise"),
    ];
    for (before, field) in rows {
        refused(&good.replacen(before, &format!("surprise = 1\n{before}"), 1), field);
    }
    refused(&format!("{good}\n[surprise]\nx = 1\n"), "surprise");
}

#[test]
fn bounds_of_a_demonstration_need_the_word_development() {
    parse_genesis(demo().as_bytes()).unwrap();
    refused(
        &demo().replace("development = true\n", ""),
        "liquidity of gateway 201 in AUD: net_debit_cap",
    );
    let good = good();
    refused(
        &set(&good, "net_debit_cap", 0, "10000000000001"),
        "liquidity of gateway 201 in CNY: net_debit_cap",
    );
    // Fewer fresh rates than it takes until no provider sets the reference alone.
    for rates in ["1", "2"] {
        let text = set(&good, "rates_min", 0, rates);
        refused(&text, "parameters.rates_min");
        let text = text.replacen("currencies", "development = true\ncurrencies", 1);
        parse_genesis(text.as_bytes()).unwrap();
    }
    // One operator alone, and more approvals than there are operators.
    for approvals in ["1", "5"] {
        let text = set(&good, "governance_approvals", 0, approvals);
        refused(&text, "parameters.governance_approvals");
        let text = text.replacen("currencies", "development = true\ncurrencies", 1);
        parse_genesis(text.as_bytes()).unwrap();
    }
    let four = set(&good, "governance_approvals", 0, "4");
    parse_genesis(four.as_bytes()).unwrap();
    // Two operators of one legal entity are one.
    let of_house = "legal_entity = \"HOUSE\"\nroles = [\"settlement-operator\"]";
    let of_house = |text: &str| text.replacen("roles = [\"settlement-operator\"]", of_house, 2);
    refused(&of_house(&four), "parameters.governance_approvals");
    let three = set(&good, "governance_approvals", 0, "3");
    parse_genesis(of_house(&three).as_bytes()).unwrap();
}

#[test]
fn too_few_validators_need_the_word_development() {
    let good = good();
    let few = set(&set(&good, "power", 3, "0"), "validator_key", 3, "");
    refused(&few, "nodes");
    let development = few.replacen("currencies", "development = true\ncurrencies", 1);
    parse_genesis(development.as_bytes()).unwrap();
    refused(&few.replacen("currencies", "development = 1\ncurrencies", 1), "development");
}

/// A participant of both roles needs no line on its own account, and nobody gives more lines than
/// it may later.
#[test]
fn lines_are_on_others_accounts_and_bounded() {
    let good = good();
    let both = set(&good, "roles", 6, "[\"gateway\", \"recharge-service\"]");
    assert_eq!(value_of(&both, "id", 6), "202");
    let own = set(&both, "holders", 0, "[101, 202]");
    refused(&own, "reservation_lines[0].holders");
    parse_genesis(set(&own, "owners", 0, "[201]").as_bytes()).unwrap();

    let services: Vec<u32> = (5_000..5_228).collect();
    let mut many = String::new();
    for id in &services {
        let key = SecretKey::from_seed(&sha256(&[&id.to_le_bytes()]).bytes()).public_key();
        many.push_str(&format!(
            "[[participants]]\nid = {id}\nname = \"s\"\nroles = [\"recharge-service\"]\n\
             public_key = \"{key}\"\n\n"
        ));
    }
    let good = good.replacen("[[merchants]]", &format!("{many}[[merchants]]"), 1);
    let holders = |count: usize| set(&good, "holders", 0, &format!("{:?}", &services[..count]));
    let lines = parse_genesis(holders(227).as_bytes()).unwrap().lines;
    assert_eq!(lines.iter().filter(|line| line.key.owner.get() == 201).count(), 227 * 18);
    refused(&holders(228), "reservation_lines");
}

#[test]
fn what_is_no_toml_names_its_line() {
    let good = good();
    refused(&good.replacen("time_ms = ", "time_ms ", 1), "line 4");
    refused(&good.replacen("time_ms = ", "name = \"x\"\ntime_ms = ", 1), "line 4");
    let error = parse_genesis(b"name = \"\xff\"").unwrap_err();
    assert_eq!(error.field, "byte 8");
    assert!(parse_genesis(b"").is_err());
    assert!(parse_genesis(&vec![b'#'; genesis::GENESIS_BYTES_MAX + 1]).is_err());
}

#[test]
fn any_change_of_the_file_makes_another_chain() {
    let good = good();
    let one = parse_genesis(good.as_bytes()).unwrap();
    let two = parse_genesis(format!("{good}\n").as_bytes()).unwrap();
    assert_ne!(one.chain_id, two.chain_id);
}

#[test]
fn no_truncation_panics() {
    let good = good();
    for end in (0..good.len()).step_by(7) {
        let _ = parse_genesis(&good.as_bytes()[..end]);
    }
}

#[test]
fn a_legal_entity_is_of_capital_letters_and_digits() {
    let with = |entity: &str| {
        let line = format!("legal_entity = {entity}\nroles = ");
        good().replacen("roles = ", &line, 1)
    };
    let genesis = parse_genesis(with("\"5493001KJTIIGC8Y1R12\"").as_bytes()).unwrap();
    assert_eq!(genesis.participants[0].legal_entity, "5493001KJTIIGC8Y1R12");
    assert_eq!(genesis.participants[1].legal_entity, "");
    for entity in ["\"\"", "\"house\"", "\"ABCDEFGHIJKLMNOPQRSTU\"", "7"] {
        refused(&with(entity), "participants[0].legal_entity");
    }
}
