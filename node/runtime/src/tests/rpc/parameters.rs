//! Every method's parameters, from its own signature: what is not its own is refused by name, and
//! each value is taken in one form only.

use rpc_api::signature::{Form, MethodSignature, Parameter};
use rpc_api::signatures;

use super::*;

/// Calls of one list.
const LIST_MAX: usize = 32;

fn order_id_text() -> String {
    OrderId::new(START, [7; 10]).to_string()
}

/// A value of a parameter in its one form: what the interface itself writes.
fn example(signature: &MethodSignature, parameter: &Parameter) -> String {
    let text = |text: &str| format!("\"{text}\"");
    match parameter.form {
        Form::U32 | Form::U64 => "7".to_owned(),
        Form::Flag => "true".to_owned(),
        Form::Base64 => text("AAAA"),
        Form::Wait => text("final"),
        Form::Block => text(&"ab".repeat(32)),
        Form::Filter => r#"{"window":1}"#.to_owned(),
        Form::Text => match parameter.name {
            "batch_id" => text(&"ab".repeat(32)),
            "order_id" | "transfer_id" | "proposal_id" => text(&order_id_text()),
            "account" => text("gateway-liquidity:201:CNY"),
            "currency" => text("CNY"),
            "payout_currency" => text("USD"),
            "merchant" => text("1001"),
            "user" => text(&"a0".repeat(16)),
            "quote_id" => text("1292785156103"),
            "instruction_id" => text("2-1001-156"),
            "cursor" => text(&cursor_of(signature.method)),
            other => panic!("say what a value of {other} looks like"),
        },
    }
}

/// A cursor as a method's pages give it.
fn cursor_of(method: &str) -> String {
    match method {
        "settlement_windows" | "settlement_returns" | "chain_blocks" | "chain_lineage" => {
            "7".to_owned()
        }
        "settlement_sla" | "fx_rates" | "chain_participants" | "governance_registrars" => {
            "201".to_owned()
        }
        "governance_proposal_changes" => "0".to_owned(),
        "governance_merchants" | "chain_merchants" => "1001".to_owned(),
        "chain_liquidity" => "201-CNY".to_owned(),
        "fx_quotes" => "1292785156103".to_owned(),
        "fx_rate_history" => "1790000000000".to_owned(),
        "settlement_instructions" | "settlement_subscribe_instructions" => "2-1001-156".to_owned(),
        "settlement_breaches" | "ledger_entries" | "chain_evidence" => "5-2".to_owned(),
        "ledger_accounts" => "gateway-liquidity:201:CNY".to_owned(),
        "cashback_programmes" => "1001-CNY".to_owned(),
        "risk_policies" => "gateway-201-CNY".to_owned(),
        "ledger_lines" | "ledger_lines_held" => "fx-position:301:CNY:101".to_owned(),
        "ledger_transfers" | "risk_held_orders" | "governance_proposals" => order_id_text(),
        other => panic!("say what a cursor of {other} looks like"),
    }
}

/// Other texts that could stand for the same value, and texts that stand for none.
fn other_forms(text: &str) -> Vec<String> {
    let mut forms = vec![String::new(), text.to_uppercase(), text.to_lowercase()];
    forms.extend(["+", " ", "0", "-", "0x", "\u{feff}"].map(|before| format!("{before}{text}")));
    forms.extend([" ", "\n", "\0", ".0", "-", ":"].map(|after| format!("{text}{after}")));
    forms.push(text.replace('-', ""));
    forms.push(format!("{{{text}}}"));
    forms.push(format!("urn:uuid:{text}"));
    forms.push(text.replace("CNY", "156"));
    forms.push(text.replace("156", "CNY"));
    // Digits of another script, and each number within the text written otherwise.
    forms.push(text.replace('1', "\u{ff11}").replace('7', "\u{ff17}").replace('a', "\u{ff41}"));
    let starts = text.char_indices().filter(|(at, letter)| {
        let before = text[..*at].chars().next_back();
        letter.is_ascii_digit() && !before.is_some_and(|before| before.is_ascii_digit())
    });
    for (at, _) in starts {
        let (before, number) = text.split_at(at);
        forms.extend(
            ["+", "0", "-", " ", "00", &"0".repeat(65)]
                .map(|sign| format!("{before}{sign}{number}")),
        );
    }
    forms.retain(|form| form != text);
    forms
}

/// JSON that is no value of a form.
fn wrong_values(form: Form) -> Vec<String> {
    let strings = |list: &[&str]| list.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let mut wrong = match form {
        // Half a surrogate pair is a string of JSON, and no text.
        Form::Text => strings(&["7", "true", "{}", "[]", "\"\\ud800\""]),
        Form::U32 => strings(&["-1", "1.0", "1e0", "\"7\"", "true", "[7]", "4294967296", "-0"]),
        Form::U64 => strings(&["-1", "1.0", "1e0", "\"7\"", "true", "18446744073709551616", "-0"]),
        Form::Flag => strings(&["0", "1", "\"true\"", "\"\""]),
        Form::Base64 => strings(&["5", "[]"]),
        Form::Wait => {
            strings(&["\"Final\"", "\"soon\"", "1", "\"\\u0066inal\"", "{\"final\":null}"])
        }
        Form::Block => strings(&["-1", "1.0", "true", "{}", "18446744073709551616"]),
        Form::Filter => strings(&[
            "5",
            "[1,null]",
            r#"{"merchant":1}"#,
            r#"{"window":1.0}"#,
            r#"{"window":"1"}"#,
            r#"{"gateway":4294967296}"#,
            r#"{"window":1,"window":1}"#,
        ]),
    };
    wrong.push("[[]]".to_owned());
    wrong
}

/// The error with which a call must be refused: a code, and for -32602 the name in its data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal(i64, &'static str);

/// A call's parameters as JSON, and how it must be refused.
type Row = (String, Refusal);

fn listed(values: &[String]) -> String {
    format!("[{}]", values.join(","))
}

fn named(signature: &MethodSignature, values: &[String]) -> String {
    let pairs = signature.parameters.iter().zip(values);
    let pairs: Vec<String> =
        pairs.map(|(parameter, value)| format!("\"{}\":{value}", parameter.name)).collect();
    format!("{{{}}}", pairs.join(","))
}

/// `openOnly` of `open_only`: a name that JSON clients like, and that is not the parameter's.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        camel.extend(part.chars().take(1).flat_map(char::to_uppercase));
        camel.extend(part.chars().skip(1));
    }
    camel
}

fn rows_of(signature: &MethodSignature) -> Vec<Row> {
    let parameters = signature.parameters;
    let good: Vec<String> = parameters.iter().map(|each| example(signature, each)).collect();
    let invalid = |name| Refusal(-32602, name);
    let mut rows = vec![
        // JSON-RPC 2.0 has a list or an object there, or nothing.
        ("5".to_owned(), Refusal(-32600, "")),
        ("\"text\"".to_owned(), Refusal(-32600, "")),
        (listed(&[good.clone(), vec!["null".to_owned()]].concat()), invalid("parameter-unknown")),
        (r#"{"surplus":1}"#.to_owned(), invalid("parameter-unknown")),
        (r#"{"\ud800":1}"#.to_owned(), invalid("parameter-unknown")),
        ("null".to_owned(), Refusal(-32600, "")),
    ];
    for (index, parameter) in parameters.iter().enumerate() {
        let with = |value: &str| {
            let mut values = good.clone();
            values[index] = value.to_owned();
            [listed(&values), named(signature, &values)]
        };
        let twice = named(signature, &good);
        let twice =
            format!("{},\"{}\":{}}}", &twice[..twice.len() - 1], parameter.name, good[index]);
        rows.push((twice, invalid("parameter-repeated")));
        for other in [camel_case(parameter.name), parameter.name.to_uppercase()] {
            if other != parameter.name {
                let renamed = named(signature, &good)
                    .replace(&format!("\"{}\":", parameter.name), &format!("\"{other}\":"));
                rows.push((renamed, invalid("parameter-unknown")));
            }
        }
        if !parameter.is_optional {
            let mut values = good.clone();
            values.truncate(index);
            rows.push((listed(&values), invalid("parameter-missing")));
            rows.push((named(signature, &values), invalid("parameter-missing")));
            rows.extend(with("null").map(|row| (row, invalid("parameter-malformed"))));
        }
        for wrong in wrong_values(parameter.form) {
            rows.extend(with(&wrong).map(|row| (row, invalid("parameter-malformed"))));
        }
        let is_text = matches!(parameter.form, Form::Text | Form::Block);
        if let Some(text) = serde_json::from_str::<String>(&good[index]).ok().filter(|_| is_text) {
            let refusal = match parameter.name {
                "cursor" => Refusal(1001, "bad-cursor"),
                _ => Refusal(1004, "id-malformed"),
            };
            for form in other_forms(&text) {
                let json = serde_json::to_string(&form).unwrap();
                rows.extend(with(&json).map(|row| (row, refusal.clone())));
            }
        }
    }
    rows
}

/// The answers to calls of one method with these parameters, in order.
async fn answers(server: &Served, method: &str, params: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for some in params.chunks(LIST_MAX) {
        let calls: Vec<String> = (some.iter().enumerate())
            .map(|(id, params)| {
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
            })
            .collect();
        let answer = server.post(&format!("[{}]", calls.join(","))).await;
        all.extend(answer.as_array().unwrap_or_else(|| panic!("{answer:?}")).clone());
    }
    assert_eq!(all.len(), params.len());
    all
}

fn refusal_of(answer: &Value) -> Option<(i64, String)> {
    let error = answer.get("error")?;
    let name = error["data"]["name"].as_str().unwrap_or_default().to_owned();
    Some((error["code"].as_i64()?, name))
}

/// Words of the programming language in an answer: a client knows JSON and this interface.
fn words_of_rust(answer: &Value) -> Option<String> {
    let words = ["struct ", "enum ", "Option", "Some(", "serde", "invalid type", "missing field"];
    let more = ["unknown variant", "unknown field", "did not match any variant", "\\u{"];
    let text = answer["error"].to_string();
    let found = words.iter().chain(&more).find(|word| text.contains(**word));
    found.map(|word| format!("{word:?} in {text}"))
}

#[tokio::test]
async fn what_is_not_a_method_s_own_parameter_in_its_one_form_is_refused_by_name() {
    let server = Served::start(Chain::of(served_genesis())).await;
    let (mut count, mut complaints) = (0, Vec::new());
    for signature in &signatures() {
        // Subscriptions answer over WebSocket only; their parameters are checked by the same code.
        if signature.method.contains("_subscribe_") {
            continue;
        }
        let rows = rows_of(signature);
        let params: Vec<String> = rows.iter().map(|(params, _)| params.clone()).collect();
        let answers = answers(&server, signature.method, &params).await;
        for ((params, Refusal(code, name)), answer) in rows.iter().zip(&answers) {
            count += 1;
            let said = refusal_of(answer);
            complaints.extend(words_of_rust(answer));
            if said != Some((*code, (*name).to_owned())) {
                complaints.push(format!("{} {params}: {said:?}, not {name}", signature.method));
            }
        }
    }
    assert!(count > 2_000, "only {count} inputs");
    assert!(complaints.is_empty(), "{} of {count}:\n{}", complaints.len(), complaints.join("\n"));
}

#[tokio::test]
async fn values_in_their_one_form_are_taken_by_place_and_by_name() {
    let server = Served::start(Chain::of(served_genesis())).await;
    for signature in &signatures() {
        if signature.method.contains("_subscribe_") {
            continue;
        }
        let good: Vec<String> =
            signature.parameters.iter().map(|each| example(signature, each)).collect();
        let answers =
            answers(&server, signature.method, &[listed(&good), named(signature, &good)]).await;
        for answer in answers {
            let refused = refusal_of(&answer).map(|(code, _)| code);
            let is_about_form = refused.is_some_and(|code| [-32602, 1001, 1004].contains(&code));
            assert!(!is_about_form, "{}: {answer}", signature.method);
        }
    }
}

#[tokio::test]
async fn the_signatures_name_every_method() {
    let server = Served::start(Chain::of(served_genesis())).await;
    for signature in &signatures() {
        let answer = answers(&server, signature.method, &["[]".to_owned()]).await;
        assert_ne!(answer[0]["error"]["code"], -32601, "{}", signature.method);
    }
}
