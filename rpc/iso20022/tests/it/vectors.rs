//! Ids as other implementers should find them. `SLUICE_WRITE_PAGES=1` writes the file again: a
//! vector that changed is a change of what banks see.

use chain_types::{ChainId, Digest};
use rpc_iso20022::{BankReference, EndToEndId};
use serde_json::{Value, json};

use crate::support::obligation;

const FILE: &str = "vectors/ids.json";

fn ids() -> Vec<Value> {
    let most = u64::MAX;
    let cases = [
        (0, 0, "CNY", 1, 0),
        (12, 1_001, "CNY", 1, 0),
        (12, 1_001, "CNY", 1, 1),
        (12, 1_001, "CNY", 2, 0),
        (12, 1_001, "JPY", 1, 0),
        (12, 1_001, "KWD", 65_535, 65_535),
        (9_999_999_999, 9_999_999_999_999, "CNY", 65_535, 0),
        (99_999_999_999, 9_999_999_999_999, "CNY", 65_535, 0),
        (most, 1_001, "USD", 1, 0),
        (1, most, "USD", 1, 0),
        (most, most, "KWD", 65_535, 65_535),
    ];
    let chains =
        [ChainId::new(Digest::from_bytes([7; 32])), ChainId::new(Digest::from_bytes([0; 32]))];
    let mut vectors = Vec::new();
    for (window, merchant, code, attempt, resend) in cases {
        for chain in chains {
            let id = obligation(window, merchant, code, attempt).end_to_end_id();
            let obligation = id.of_chain(chain);
            assert_eq!(id.to_string().parse::<EndToEndId>(), Ok(id));
            vectors.push(json!({
                "chain": chain.to_string(),
                "window": window.to_string(),
                "merchant": merchant.to_string(),
                "currency": code,
                "currency_number": id.instruction.currency.get(),
                "attempt": attempt,
                "resend": resend,
                "end_to_end_id": id.to_string(),
                "uetr": obligation.uetr(resend).to_string(),
            }));
        }
    }
    vectors
}

fn references() -> Vec<Value> {
    let texts = [
        "FT26334ABC",
        "12345678901234567890123456789012",
        "123456789012345678901234567890123",
        "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "银行流水号",
        "123456789012345678901234567890123456",
    ];
    let vectors = texts.map(|text| {
        let reference = BankReference::of_text(text).unwrap();
        let hex: String = reference.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "text": text, "bytes": hex, "reads_back": reference.text().is_some() })
    });
    vectors.to_vec()
}

#[test]
fn vectors_of_ids_are_those_of_the_file() {
    let vectors = json!({ "ids": ids(), "references": references() });
    let text = serde_json::to_string_pretty(&vectors).unwrap() + "\n";
    if std::env::var_os("SLUICE_WRITE_PAGES").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(FILE).unwrap_or_default(), text, "{FILE}");
}
