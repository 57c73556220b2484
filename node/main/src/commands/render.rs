//! Reports for people: any JSON document of the interface as indented lines.

use rpc_api::Money;
use serde_json::Value;

use node_console::output::time_text;

/// A document as lines of text: money with its currency, times as dates, empty fields left out.
pub fn text(value: &Value) -> String {
    let mut lines = Vec::new();
    put(&mut lines, 0, value);
    lines.join("\n")
}

fn put(lines: &mut Vec<String>, depth: usize, value: &Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                put_field(lines, depth, name, value);
            }
        }
        Value::Array(items) => {
            for item in items {
                put_item(lines, depth, item);
            }
        }
        scalar => lines.push(format!("{}{}", indent(depth), plain("", scalar))),
    }
}

fn put_field(lines: &mut Vec<String>, depth: usize, name: &str, value: &Value) {
    let start = format!("{}{}:", indent(depth), name.replace('_', " "));
    match value {
        Value::Null => {}
        Value::Array(items) if items.is_empty() => lines.push(format!("{start} none")),
        Value::Array(items) if items.iter().all(is_scalar) => {
            let items: Vec<String> = items.iter().map(|item| plain(name, item)).collect();
            lines.push(format!("{start} {}", items.join(", ")));
        }
        Value::Object(_) | Value::Array(_) if !is_scalar(value) => {
            lines.push(start);
            put(lines, depth + 1, value);
        }
        scalar => {
            let (name, text) = (name.trim_end_matches("_ms"), plain(name, scalar));
            lines.push(format!("{}{}: {text}", indent(depth), name.replace('_', " ")));
        }
    }
}

/// An item of a list: its first line begins with a dash.
fn put_item(lines: &mut Vec<String>, depth: usize, item: &Value) {
    let mut own = Vec::new();
    put(&mut own, depth + 1, item);
    if let Some(first) = own.first_mut() {
        *first = format!("{}- {}", indent(depth), first.trim_start());
    }
    lines.append(&mut own);
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn is_scalar(value: &Value) -> bool {
    match value {
        Value::Object(_) => money_of(value).is_some(),
        Value::Array(_) => false,
        _ => true,
    }
}

fn money_of(value: &Value) -> Option<Money> {
    value.get("minor").and_then(|_| serde_json::from_value(value.clone()).ok())
}

/// Block times are later than this; spans of time are shorter.
const TIMES_FROM_MS: u64 = 1_000_000_000_000;

fn plain(name: &str, value: &Value) -> String {
    if let Some(money) = money_of(value) {
        return money.to_string();
    }
    match (value, value.as_u64()) {
        (_, Some(time_ms)) if name.ends_with("_ms") && time_ms >= TIMES_FROM_MS => {
            time_text(time_ms)
        }
        (_, Some(span_ms)) if name.ends_with("_ms") => format!("{span_ms} ms"),
        (Value::String(text), _) => text.clone(),
        (Value::Bool(flag), _) => if *flag { "yes" } else { "no" }.to_owned(),
        (other, _) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn money_times_and_lists_read_as_people_write_them() {
        let report = json!({
            "window": 7,
            "opened_ms": 1_790_000_000_000_u64,
            "longest_ms": 30_000,
            "closed_ms": null,
            "approvals": [1, 2],
            "refusals": [],
            "is_late": false,
            "positions": [
                {"owner": "201", "net": {"minor": "-1234", "currency": "CNY", "exponent": 2}},
                {"owner": "202", "net": {"minor": "1234", "currency": "CNY", "exponent": 2}},
            ],
            "settled": {"agent": 401},
        });
        let expected = "\
approvals: 1, 2
is late: no
longest: 30000 ms
opened: 2026-09-21T14:13:20.000Z
positions:
  - net: -12.34 CNY
    owner: 201
  - net: 12.34 CNY
    owner: 202
refusals: none
settled:
  agent: 401
window: 7";
        assert_eq!(text(&report), expected);
    }

    /// The operator's page shows a window as the command prints it.
    #[test]
    fn the_operators_page_shows_a_window_as_it_is_printed() {
        const PAGE: &str = include_str!("../../../../docs/operating.md");
        let money = |minor: &str| json!({"minor": minor, "currency": "CNY", "exponent": 2});
        let position = |owner: &str, debits: &str, credits: &str, net: &str| {
            json!({
                "kind": "gateway-liquidity",
                "owner": owner,
                "gross_debits": money(debits),
                "gross_credits": money(credits),
                "net": money(net),
            })
        };
        let shown = PAGE.lines().find_map(|line| line.strip_prefix("   digest: "));
        let report = json!({
            "window": 7,
            "opened_ms": 1_795_939_200_000_u64,
            "closed_ms": 1_795_939_230_000_u64,
            "first_height": 2_101,
            "last_height": 2_130,
            "order_count": 2,
            "instruction_count": 1,
            "positions": [
                position("201", "30000", "0", "-30000"),
                position("202", "0", "30000", "30000"),
            ],
            "digest": shown,
        });
        let report: rpc_api::WindowReport = serde_json::from_value(report).expect("a report");
        let printed = text(&serde_json::to_value(&report).expect("JSON"));
        let lines: Vec<String> = printed.lines().map(|line| format!("   {line}\n")).collect();
        assert!(PAGE.contains(&lines.concat()), "the page does not show:\n{}", lines.concat());
    }

    #[test]
    fn a_bare_list_or_value_has_its_lines_too() {
        assert_eq!(text(&json!([{"a": 1, "b": 2}, "x"])), "- a: 1\n  b: 2\n- x");
        assert_eq!(text(&json!("0a0b")), "0a0b");
    }
}
