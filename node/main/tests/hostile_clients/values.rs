//! The parameters' values: which texts are one, what a method gives for it, and texts that look
//! like one.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::Currency;
use rpc_api::ApiError;
use rpc_api::signature::{Form, Parameter};

use crate::batches;
use crate::json::Json;
use crate::world::World;

/// A call's arguments, each of its parameter's form; those left out or null are not there.
#[derive(Debug, Clone, Default)]
pub struct Args(pub BTreeMap<&'static str, Json>);

impl Args {
    fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Json::Text(Some(text)) => Some(text),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Json::Number(text) => whole(text),
            _ => None,
        }
    }
}

/// The answer to a call whose values have the right forms.
#[derive(Debug, Default)]
pub struct Said {
    pub result: bool,
    pub codes: BTreeSet<i32>,
}

impl Said {
    fn result() -> Self {
        Self { result: true, ..Self::default() }
    }

    fn error(error: ApiError) -> Self {
        Self { result: false, codes: BTreeSet::from([error.code()]) }
    }

    fn found(is_known: bool) -> Self {
        if is_known { Self::result() } else { Self::error(ApiError::NotFound) }
    }

    fn or(mut self, error: ApiError) -> Self {
        self.codes.insert(error.code());
        self
    }
}

/// The number of a decimal text without sign and leading zeros.
pub fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = is_digits && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| is_hex(part, part.len()))
}

/// RFC 9562: version 7 and the variant of that document.
fn is_uuid_v7(text: &str) -> bool {
    is_uuid(text)
        && text.as_bytes()[14] == b'7'
        && matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b')
}

fn is_currency(text: &str) -> bool {
    let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_number = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let unlisted = || text.parse().is_ok_and(|number| Currency::new(number).code().is_none());
    (is_code && Currency::from_code(text).is_some()) || (is_number && unlisted())
}

const ACCOUNT_KINDS: [&str; 8] = [
    "gateway-liquidity",
    "merchant-payable",
    "cashback-pool",
    "cashback-owed",
    "fx-position",
    "fees",
    "suspense",
    "scheme-settlement",
];

fn is_account(text: &str) -> bool {
    match text.split(':').collect::<Vec<_>>().as_slice() {
        [kind, owner, currency] => {
            ACCOUNT_KINDS.contains(kind) && whole::<u64>(owner).is_some() && is_currency(currency)
        }
        _ => false,
    }
}

fn is_instruction(text: &str) -> bool {
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [window, merchant, currency] => {
            whole::<u64>(window).is_some()
                && whole::<u64>(merchant).is_some()
                && whole::<u16>(currency).is_some()
        }
        _ => false,
    }
}

fn is_pair(text: &str, first: fn(&str) -> bool, second: fn(&str) -> bool) -> bool {
    text.split_once('-').is_some_and(|(one, two)| first(one) && second(two))
}

fn is_whole<T: std::str::FromStr>(text: &str) -> bool {
    whole::<T>(text).is_some()
}

fn is_line(text: &str) -> bool {
    let is_kind = text.starts_with("gateway-liquidity:") || text.starts_with("fx-position:");
    is_kind
        && match text.split(':').collect::<Vec<_>>().as_slice() {
            [_, owner, currency, holder] => {
                is_whole::<u32>(owner) && is_currency(currency) && is_whole::<u32>(holder)
            }
            _ => false,
        }
}

/// Returns a check of a method's cursors, and a cursor that its pages could give.
fn cursor_form(method: &str) -> (fn(&str) -> bool, &'static str) {
    match method {
        "settlement_windows" | "chain_blocks" | "chain_lineage" => (is_whole::<u64>, "7"),
        "governance_merchants" | "chain_merchants" => (is_whole::<u64>, "1001"),
        "fx_quotes" => (is_whole::<u64>, "1292785156103"),
        "fx_rate_history" => (is_whole::<u64>, "1790000000000"),
        "settlement_returns" => (is_whole::<u16>, "1"),
        "settlement_sla" | "fx_rates" | "chain_participants" | "governance_registrars" => {
            (is_whole::<u32>, "201")
        }
        "governance_proposal_changes" => (is_whole::<u32>, "0"),
        "settlement_instructions" | "settlement_subscribe_instructions" => {
            (is_instruction, "1-1001-156")
        }
        "settlement_breaches" | "ledger_entries" | "chain_evidence" => {
            (|text| is_pair(text, is_whole::<u64>, is_whole::<u32>), "1-0")
        }
        "chain_liquidity" => (|text| is_pair(text, is_whole::<u32>, is_currency), "201-CNY"),
        "cashback_programmes" => (|text| is_pair(text, is_whole::<u64>, is_currency), "1001-CNY"),
        "ledger_accounts" => (is_account, "gateway-liquidity:201:CNY"),
        "ledger_lines" | "ledger_lines_held" => (is_line, "gateway-liquidity:201:CNY:101"),
        "risk_policies" => (
            |text| match text.split('-').collect::<Vec<_>>().as_slice() {
                [scope, subject, currency] => {
                    ["scheme", "gateway", "merchant"].contains(scope)
                        && whole::<u64>(subject).is_some()
                        && is_currency(currency)
                }
                _ => false,
            },
            "gateway-201-CNY",
        ),
        "ledger_transfers" | "risk_held_orders" | "governance_proposals" => {
            (is_uuid, "0190a8e2-7c00-7000-8000-000000000000")
        }
        other => panic!("say what a cursor of {other} looks like"),
    }
}

/// Returns the codes of what is wrong with values that have their forms.
fn problems(method: &str, args: &Args) -> BTreeSet<i32> {
    let mut codes = BTreeSet::new();
    for (name, value) in &args.0 {
        let error = match (*name, value) {
            ("cursor", Json::Text(Some(text))) => {
                (!cursor_form(method).0(text)).then_some(ApiError::BadCursor)
            }
            ("limit", Json::Number(text)) => {
                let is_within = whole(text).is_some_and(|limit| (1..=1_000_u64).contains(&limit));
                (!is_within).then_some(ApiError::LimitOutOfBounds)
            }
            ("timeout_ms", Json::Number(text)) => {
                let is_within = whole(text).is_some_and(|wait| (1..=60_000_u64).contains(&wait));
                (!is_within).then_some(ApiError::TimeoutOutOfBounds)
            }
            ("filter", Json::Object(members)) => {
                let given = members.iter().filter(|(_, value)| *value != Json::Null).count();
                (given != 1).then_some(ApiError::FilterMalformed)
            }
            ("bytes_base64", Json::Text(Some(text))) => {
                batches::from_base64(text).is_none().then_some(ApiError::InvalidBase64)
            }
            ("wait", _) => None,
            (name, Json::Text(Some(text))) => {
                (!is_name(name, text)).then_some(ApiError::IdMalformed)
            }
            _ => None,
        };
        codes.extend(error.map(ApiError::code));
    }
    codes
}

fn is_name(parameter: &str, text: &str) -> bool {
    match parameter {
        "order_id" => is_uuid_v7(text),
        "transfer_id" | "proposal_id" => is_uuid(text),
        "batch_id" | "block" => is_hex(text, 64),
        "user" => is_hex(text, 32),
        "merchant" | "quote_id" => is_whole::<u64>(text),
        "currency" | "payout_currency" => is_currency(text),
        "account" => is_account(text),
        "instruction_id" => is_instruction(text),
        other => panic!("say what a value of {other} looks like"),
    }
}

/// Returns the answer to a call whose arguments have the right forms.
pub fn judge_values(world: &World, method: &str, args: &Args) -> Said {
    let codes = problems(method, args);
    if !codes.is_empty() {
        return Said { result: false, codes };
    }
    let text = |name: &str| args.text(name).unwrap_or_default();
    match method {
        "batch_submit" => {
            let bytes = batches::from_base64(text("bytes_base64")).unwrap_or_default();
            let (codes, result) = batches::judge(world, &bytes);
            let said = Said { result, codes };
            // Its own patience may end before the block.
            let is_bounded = text("wait") == "final" || args.number("timeout_ms").is_some();
            let may_end = said.result && is_bounded;
            if may_end { said.or(ApiError::WaitTimeout) } else { said }
        }
        "recharge_receipt" => Said::found(world.orders.contains(text("order_id"))),
        "settlement_window" => window(world, args),
        "settlement_window_proof" => match window(world, args) {
            said if said.result => said.or(ApiError::WindowOpen),
            said => said,
        },
        // Windows close meanwhile.
        "settlement_instruction" => Said::result().or(ApiError::NotFound),
        "ledger_account" | "ledger_entries" => {
            Said::found(world.accounts.contains(text("account")))
        }
        "ledger_account_proof" => {
            let said = Said::found(world.accounts.contains(text("account")));
            match args.number("height") {
                Some(_) => said.or(ApiError::NotFound),
                None => said,
            }
        }
        "ledger_transfer" | "fx_quote" | "governance_proposal" | "governance_proposal_changes" => {
            Said::found(false)
        }
        "cashback_programme" | "cashback_user_month" => {
            let name = (text("merchant").to_owned(), text("currency").to_owned());
            Said::found(world.programmes.contains(&name))
        }
        "governance_merchant" => Said::found(world.merchants.contains(text("merchant"))),
        "chain_block" => match args.number("block") {
            Some(height) if height <= world.head => Said::result(),
            Some(height) if height > world.head + 1_000_000 => Said::found(false),
            Some(_) => Said::result().or(ApiError::NotFound),
            None => Said::found(world.block_hash == text("block")),
        },
        "settlement_subscribe_instructions" => {
            let gateway = args.number("gateway").unwrap_or_default();
            Said::found(world.gateways.contains(&gateway))
        }
        // Everything else is a list, a state, or an answer that says what is not known.
        _ => Said::result(),
    }
}

/// Windows come as time passes.
fn window(world: &World, args: &Args) -> Said {
    match args.number("window").unwrap_or_default() {
        known if known == world.window => Said::result(),
        near if near > 0 && near < world.window + 1_000_000 => {
            Said::result().or(ApiError::NotFound)
        }
        _ => Said::found(false),
    }
}

/// A value of a parameter that the node knows, as JSON.
pub fn example(world: &World, method: &str, parameter: &Parameter) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    let first = |names: &BTreeSet<String>| quoted(names.first().expect("one of them"));
    match (parameter.form, parameter.name) {
        (Form::Base64, _) => quoted(&rpc_api::encode_base64(&world.batch)),
        (Form::Flag, _) => "true".to_owned(),
        (Form::Wait, _) => "\"admitted\"".to_owned(),
        (Form::Block, _) => world.head.to_string(),
        (Form::Filter, _) => r#"{"gateway":201}"#.to_owned(),
        (Form::U32 | Form::U64, "limit") => "3".to_owned(),
        (Form::U32 | Form::U64, "gateway" | "provider") => "201".to_owned(),
        (Form::U32 | Form::U64, "window") => world.window.to_string(),
        (Form::U32 | Form::U64, "height" | "from_height") => world.head.to_string(),
        (Form::U32 | Form::U64, _) => "1000".to_owned(),
        (Form::Text, "batch_id") => quoted(&world.batch_id),
        (Form::Text, "order_id") => first(&world.orders),
        (Form::Text, "transfer_id" | "proposal_id") => {
            quoted("0190a8e2-7c00-7000-8000-000000000000")
        }
        (Form::Text, "account") => quoted("gateway-liquidity:201:CNY"),
        (Form::Text, "currency") => quoted("CNY"),
        (Form::Text, "payout_currency") => quoted("USD"),
        (Form::Text, "merchant") => quoted("1001"),
        (Form::Text, "user") => quoted(&"03".repeat(16)),
        (Form::Text, "quote_id") => quoted("1292785156103"),
        (Form::Text, "instruction_id") => quoted("1-1001-156"),
        (Form::Text, "cursor") => quoted(cursor_form(method).1),
        (Form::Text, other) => panic!("say what a value of {other} looks like"),
    }
}

/// JSON that could be meant for a value of a form, and is one or is not.
pub fn variants(form: Form, example: &str) -> Vec<String> {
    let mut all: Vec<String> = NUMBERS.iter().map(|number| (*number).to_owned()).collect();
    all.extend(OTHERS.iter().map(|other| (*other).to_owned()));
    all.push(format!("[{example}]"));
    all.push(format!("{{\"value\":{example}}}"));
    all.push(format!("\"{}\"", "x".repeat(5_000)));
    all.push(format!("[{}]", vec![example; 200].join(",")));
    for levels in [61, 62, 63, 64, 65] {
        all.push(format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        all.push(format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels)));
    }
    match form {
        Form::Text | Form::Base64 | Form::Block | Form::Wait => {
            let text: String = serde_json::from_str(example).unwrap_or_else(|_| example.to_owned());
            let quoted = |text: &String| serde_json::to_string(text).expect("a text");
            all.extend(lookalikes(&text).iter().map(quoted));
            all.extend(EXTREMES.iter().map(|text| format!("\"{text}\"")));
            all.push(format!("\"{}\\ud800\"", &text[..text.len().min(3)]));
            all.push(format!("\"\\udc00{text}\""));
        }
        Form::Filter => all.extend(FILTERS.iter().map(|filter| (*filter).to_owned())),
        Form::U32 | Form::U64 | Form::Flag => {
            all.push(format!("\"{example}\""));
            all.push(format!(" {example}\t"));
        }
    }
    all
}

const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "-1",
    "-0",
    "1.0",
    "1e3",
    "1E0",
    "0.5",
    "1000",
    "1001",
    "65535",
    "65536",
    "60000",
    "60001",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1e999",
    "-1e-999",
];

const OTHERS: [&str; 16] = [
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "\"\"",
    "\" \"",
    "\"null\"",
    "\"0\"",
    "\"-1\"",
    "\"\\u0000\"",
    "\"\u{202e}abc\"",
    "\"\u{1f4b0}\"",
    "\"\\ud800\"",
    "\"\\udfff\\ud800\"",
    "\"../../etc/passwd\"",
];

/// Texts at the ends of what cursors and ids may be; the node must not fail over one.
const EXTREMES: [&str; 20] = [
    "18446744073709551615",
    "18446744073709551616",
    "4294967295",
    "4294967296",
    "65535",
    "65536",
    "18446744073709551615-4294967295",
    "18446744073709551615-18446744073709551615",
    "18446744073709551615-18446744073709551615-65535",
    "18446744073709551615-18446744073709551615-65536",
    "4294967295-XXX",
    "18446744073709551615-CNY",
    "merchant-18446744073709551615-CNY",
    "scheme-0-003",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-7fff-bfff-ffffffffffff",
    "scheme-settlement:18446744073709551615:XXX",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffff",
];

const FILTERS: [&str; 16] = [
    r#"{"window":1}"#,
    r#"{"window":18446744073709551615}"#,
    r#"{"gateway":4294967295}"#,
    r#"{"gateway":4294967296}"#,
    r#"{"window":1,"gateway":201}"#,
    r#"{"window":null}"#,
    r#"{"window":1,"gateway":null}"#,
    r#"{"window":null,"gateway":null}"#,
    r#"{"window":1,"window":1}"#,
    r#"{"merchant":1}"#,
    r#"{"window":1.0}"#,
    r#"{"window":-0}"#,
    r#"{"window":"1"}"#,
    r#"{"\u0077indow":1}"#,
    r#"{"\ud800":1}"#,
    r#"[1,null]"#,
];

/// Other texts that could stand for the same value, and texts that stand for none.
fn lookalikes(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_uppercase(), text.to_lowercase(), text.replace('-', "")];
    forms.extend(["+", " ", "0", "-", "0x", "\u{feff}"].map(|before| format!("{before}{text}")));
    forms.extend([" ", "\n", "\0", ".0", "-", ":"].map(|after| format!("{text}{after}")));
    forms.extend([format!("{{{text}}}"), format!("urn:uuid:{text}"), format!("{text}{text}")]);
    forms.extend([text.replace("CNY", "156"), text.replace("156", "CNY")]);
    forms.push(text.replace('1', "\u{ff11}").replace('7', "\u{ff17}").replace('a', "\u{ff41}"));
    let half = text.len() / 2;
    if text.is_char_boundary(half) && half > 0 {
        forms.extend([text[..half].to_owned(), text[half..].to_owned()]);
        forms.push(text[..text.len() - 1].to_owned());
    }
    for (at, letter) in text.char_indices().take(40) {
        let before = text[..at].chars().next_back();
        if letter.is_ascii_digit() && !before.is_some_and(|before| before.is_ascii_digit()) {
            let (before, number) = text.split_at(at);
            forms.extend(["+", "0", "-", " "].map(|sign| format!("{before}{sign}{number}")));
        }
    }
    forms
}
