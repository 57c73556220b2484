//! The owner of a row: for each method that confines callers to their own rows, the field of its
//! parameters or of its answer that names a party. One mechanism confines all of them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::base64::decode_base64;
use crate::methods::method_of;

/// The letters of a batch in base64 whose bytes hold the submitter: 30 whole groups of four.
const HEADER_LETTERS: usize = 120;
/// The place of the submitter in a batch's bytes (docs/wire-format.md, section 5).
const SUBMITTER_AT: usize = 36;

/// The parties that a token acts for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnParties {
    /// Participants by id: services, gateways, providers, registrars.
    pub participants: BTreeSet<u64>,
    /// Merchants, each by its id.
    pub merchants: BTreeSet<u64>,
}

/// The place in which a method's parameters or answer name the owner of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Nowhere: confined callers are refused.
    Unnamed,
    /// The batch that is submitted, in its header.
    Batch,
    /// A parameter, by its path.
    Parameter(&'static str),
    /// The order that a parameter names: its id ends in its submitter's. Of other orders, the
    /// fields of the answer of `recharge_order`.
    Order,
    /// Fields of the answer, by their paths.
    Answer(&'static [&'static str]),
    /// Fields of each item of a page; other items are left out.
    Items(&'static [&'static str]),
    /// A list within the answer, or within each item of a page; other elements are left out.
    Within(&'static str, &'static [&'static str]),
}

/// The fields of an order's answer that name its parties.
pub const ORDER_FIELDS: &[&str] = &[
    "/order/submitter",
    "/order/merchant",
    "/order/collecting_gateway",
    "/order/paying_gateway",
    "/conversion/provider",
];

impl Ownership {
    /// Returns where a method names the owner of its rows.
    pub fn of(method: &str) -> Self {
        const MERCHANT: &[&str] = &["/merchant", "/payout_gateway"];
        match method {
            "batch_submit" => Self::Batch,
            "recharge_order" | "recharge_receipt" | "settlement_returns" => Self::Order,
            "ledger_accounts" | "ledger_transfers" => Self::Items(&["/account"]),
            "ledger_transfer" => Self::Answer(&["/account"]),
            "ledger_account" | "ledger_entries" | "ledger_account_proof" => {
                Self::Parameter("account")
            }
            "ledger_lines" => Self::Parameter("owner"),
            "ledger_lines_held" => Self::Parameter("holder"),
            "chain_liquidity" => Self::Items(&["/gateway"]),
            "fx_quote" => Self::Answer(&["/provider"]),
            "fx_quotes" => Self::Parameter("provider"),
            "cashback_programmes" => Self::Items(&["/merchant"]),
            "cashback_programme" => Self::Parameter("merchant"),
            "chain_merchants" | "governance_merchants" => Self::Items(MERCHANT),
            "governance_merchant" => Self::Answer(MERCHANT),
            "governance_registrars" => Self::Items(&["/participant", "/gateway"]),
            "settlement_windows" | "settlement_window" => Self::Within("positions", &["/owner"]),
            "settlement_instructions" => Self::Items(&["/gateway", "/merchant"]),
            "settlement_instruction" => Self::Answer(&["/gateway", "/merchant"]),
            "settlement_subscribe_instructions" => Self::Parameter("gateway"),
            "settlement_breaches" => Self::Items(&["/late"]),
            "settlement_sla" => Self::Items(&["/participant"]),
            _ => Self::Unnamed,
        }
    }
}

impl OwnParties {
    /// Returns true if a value names one of these parties: an id as a number or text, or an account
    /// such as `gateway-liquidity:201:CNY`.
    fn has_value(&self, field: &str, value: &Value) -> bool {
        let (kind, id) = match value {
            Value::Number(number) => (field, number.as_u64()),
            Value::String(text) => match text.split(':').collect::<Vec<_>>()[..] {
                [kind, owner, _] => (kind, owner.parse().ok()),
                _ => (field, text.parse().ok()),
            },
            _ => return false,
        };
        let known = if is_of_merchants(kind) { &self.merchants } else { &self.participants };
        id.is_some_and(|id| known.contains(&id))
    }

    /// Returns true if one of the fields names one of these parties.
    pub fn has_row(&self, row: &Value, fields: &[&str]) -> bool {
        // A position's owner is a merchant if its account's kind is one of merchants.
        let kind = row.get("kind").and_then(Value::as_str);
        fields.iter().any(|field| {
            let name = kind.filter(|_| *field == "/owner").unwrap_or(field);
            row.pointer(field).is_some_and(|value| self.has_value(name, value))
        })
    }

    /// Returns true if a parameter of a call names one of these parties. `params` is the text of
    /// the parameters, by name or by place.
    pub fn has_parameter(&self, method: &str, params: Option<&str>, name: &str) -> bool {
        let value = parameter(method, params, name);
        value.is_some_and(|value| self.has_value(name, &value))
    }

    /// Returns true if a call submits a batch of one of these parties.
    pub fn has_batch(&self, params: Option<&str>) -> bool {
        let value = parameter("batch_submit", params, "bytes_base64");
        let submitter = value.as_ref().and_then(Value::as_str).and_then(submitter_of);
        submitter.is_some_and(|submitter| self.participants.contains(&submitter))
    }

    /// Returns true if the id of the order that a call names ends in one of these participants.
    pub fn has_order(&self, method: &str, params: Option<&str>) -> bool {
        let value = parameter(method, params, "order_id");
        let digits = value.as_ref().and_then(Value::as_str).and_then(|id| id.get(28..36));
        let submitter = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        submitter.is_some_and(|submitter| self.participants.contains(&submitter))
    }

    /// Leaves of an answer what these parties may see; `None` if it names none of them.
    pub fn confine(&self, ownership: Ownership, mut answer: Value) -> Option<Value> {
        match ownership {
            Ownership::Answer(fields) => self.has_row(&answer, fields).then_some(answer),
            Ownership::Items(fields) => {
                let items = answer.get_mut("items")?.as_array_mut()?;
                items.retain(|item| self.has_row(item, fields));
                Some(answer)
            }
            Ownership::Within(list, fields) => {
                let narrow = |row: &mut Value| {
                    if let Some(Value::Array(rows)) = row.get_mut(list) {
                        rows.retain(|one| self.has_row(one, fields));
                    }
                };
                match answer.get_mut("items").and_then(Value::as_array_mut) {
                    Some(items) => items.iter_mut().for_each(narrow),
                    None => narrow(&mut answer),
                }
                Some(answer)
            }
            Ownership::Unnamed | Ownership::Batch | Ownership::Order | Ownership::Parameter(_) => {
                Some(answer)
            }
        }
    }
}

/// Returns true if ids of a field, or owners of a kind of accounts, are merchants'.
fn is_of_merchants(kind: &str) -> bool {
    matches!(kind, "merchant" | "/merchant" | "merchant-payable" | "cashback-pool")
}

/// A parameter of a call, by name or by its place in the method's row.
pub fn parameter(method: &str, params: Option<&str>, name: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(params?).ok()?;
    match value {
        Value::Object(mut members) => members.remove(name),
        Value::Array(mut values) => {
            let mut parameters = method_of(method)?.parameters.iter();
            let place = parameters.position(|one| one.name == name)?;
            (place < values.len()).then(|| values.swap_remove(place))
        }
        _ => None,
    }
}

fn submitter_of(base64: &str) -> Option<u64> {
    let bytes = decode_base64(base64.get(..HEADER_LETTERS)?)?;
    let field = bytes.get(SUBMITTER_AT..SUBMITTER_AT + 4)?;
    Some(u32::from_le_bytes(field.try_into().ok()?).into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::{RECORDED, RecordedCall};
    use crate::method::{Rows, TokenScope};
    use crate::methods::methods;

    fn parties(participants: &[u64], merchants: &[u64]) -> OwnParties {
        OwnParties {
            participants: participants.iter().copied().collect(),
            merchants: merchants.iter().copied().collect(),
        }
    }

    /// Methods whose rows have no owner in JSON: confined callers are refused.
    const REFUSED: [&str; 2] = ["batch_status", "settlement_window_proof"];

    #[test]
    fn every_method_of_own_rows_names_their_owner_or_is_refused() {
        for method in methods() {
            let is_confined = [TokenScope::Participant, TokenScope::Gateway]
                .iter()
                .any(|of| method.scope.rows(*of) == Rows::Own);
            let is_named = Ownership::of(method.name) != Ownership::Unnamed;
            let is_refused = REFUSED.contains(&method.name);
            assert_eq!(is_confined && !is_refused, is_named, "{}", method.name);
        }
    }

    /// The fields are those that nodes write: each recorded answer has one of them.
    #[test]
    fn recorded_answers_have_the_fields_that_name_owners() {
        let calls: std::collections::BTreeMap<String, RecordedCall> =
            serde_json::from_str(RECORDED).unwrap();
        for method in methods() {
            let call = &calls[method.name];
            let has = |row: &Value, fields: &[&str]| {
                fields.iter().any(|field| row.pointer(field).is_some())
            };
            match Ownership::of(method.name) {
                Ownership::Answer(fields) => assert!(has(&call.result, fields), "{}", method.name),
                Ownership::Items(fields) => {
                    let items = call.result["items"].as_array().unwrap();
                    let known = items.iter().filter(|item| has(item, fields)).count();
                    // A row of nobody in particular has no participant.
                    let expected = if method.name == "settlement_sla" { 0 } else { items.len() };
                    assert!(known >= expected, "{}: {items:?}", method.name);
                }
                _ => {}
            }
        }
        let order = &calls["recharge_order"].result;
        assert!(order.pointer("/order/submitter").is_some(), "{order}");
    }

    #[test]
    fn batches_orders_and_accounts_name_their_owner() {
        let own = parties(&[201], &[1001]);
        let calls: std::collections::BTreeMap<String, RecordedCall> =
            serde_json::from_str(RECORDED).unwrap();
        let batch = json!(calls["batch_submit"].params).to_string();
        assert!(own.has_batch(Some(&batch)));
        assert!(!parties(&[202], &[201]).has_batch(Some(&batch)));
        assert!(!own.has_batch(Some("[\"AQAB\"]")));
        let order = r#"["01a3185c-5190-7202-8202-0202000000c9"]"#;
        assert!(own.has_order("recharge_order", Some(order)));
        assert!(!parties(&[101], &[]).has_order("recharge_order", Some(order)));
        for (account, is_own) in [
            ("gateway-liquidity:201:CNY", true),
            ("gateway-liquidity:202:CNY", false),
            ("gateway-liquidity:1001:CNY", false),
            ("merchant-payable:1001:CNY", true),
            ("merchant-payable:201:CNY", false),
            ("cashback-pool:1001:CNY", true),
            ("201", true),
        ] {
            let params = json!({ "account": account }).to_string();
            let found = own.has_parameter("ledger_account", Some(&params), "account");
            assert_eq!(found, is_own, "{account}");
        }
    }

    #[test]
    fn rows_of_others_are_left_out() {
        let own = parties(&[201], &[]);
        let page = json!({"items": [{"gateway": 201}, {"gateway": 202}], "next": "x"});
        let kept = own.confine(Ownership::Items(&["/gateway"]), page).unwrap();
        assert_eq!(kept, json!({"items": [{"gateway": 201}], "next": "x"}));
        let window = json!({"positions": [
            {"kind": "gateway-liquidity", "owner": "201"},
            {"kind": "gateway-liquidity", "owner": "202"},
            {"kind": "merchant-payable", "owner": "201"},
        ]});
        let kept = own.confine(Ownership::of("settlement_window"), window).unwrap();
        assert_eq!(kept["positions"].as_array().unwrap().len(), 1, "{kept}");
        let foreign = json!({"gateway": 202, "merchant": 201});
        assert_eq!(own.confine(Ownership::of("settlement_instruction"), foreign), None);
    }
}
