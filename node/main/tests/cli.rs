#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The command line as scripts see it: answers on standard output, exit codes, and errors that
//! say where to look. No node runs here.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use chain_types::batch::Items;
use chain_types::{ParticipantId, PartyKeys, SignedBatch};

fn sluice(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The exit code, and the one JSON document on standard output.
fn answer(arguments: &[&str]) -> (i32, serde_json::Value) {
    let output = sluice(&[&["--json"], arguments].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    (output.status.code().unwrap(), value)
}

fn message(value: &serde_json::Value) -> &str {
    value["error"]["message"].as_str().unwrap()
}

/// A network's folder, and the path of one of its files.
struct Network(tempfile::TempDir);

impl Network {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net").display().to_string();
        let (code, value) = answer(&["localnet", "new", &path, "--validators", "4"]);
        assert_eq!(code, 0, "{value}");
        assert_eq!(value["nodes"].as_array().unwrap().len(), 4);
        Self(folder)
    }

    fn file(&self, path: &str) -> String {
        self.0.path().join("net").join(path).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[test]
fn a_network_is_made_once_and_its_chain_id_is_the_file_s_hash() {
    let network = Network::new();
    let path = network.file("");
    let bytes = std::fs::read(network.file("genesis.toml")).unwrap();
    let chain_id = chain_types::hash::sha256(&[&bytes]).to_string();
    for node in ["validator-0", "validator-3"] {
        assert!(Path::new(&network.file(&format!("nodes/{node}/node.toml"))).exists());
    }
    let (code, value) = answer(&["localnet", "new", &path]);
    assert_eq!(code, 2);
    assert!(message(&value).contains("not empty"), "{value}");
    let order = network.write("one.csv", "1001,201,12.34,CNY");
    let out = network.file("batch.base64");
    let participant = network.file("participants/recharge-101/participant.toml");
    let submit = ["submit", "--participant", &participant, &order, "--sign-only", &out];
    assert_eq!(answer(&submit).0, 0);
    let bytes = rpc_api::decode_base64(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let batch = SignedBatch::decode(bytes.into()).unwrap();
    assert_eq!(batch.header().chain_id.to_string(), chain_id);
}

#[test]
fn a_signed_batch_holds_what_the_file_says_and_verifies() {
    let network = Network::new();
    let genesis = genesis::load_genesis(Path::new(&network.file("genesis.toml"))).unwrap();
    let lines = "merchant,amount,currency,reference\n1001,12.34,CNY,a\n1002,500,JPY,\n";
    let orders = network.write("orders.csv", lines);
    let out = network.file("batch.base64");
    let participant = network.file("participants/gateway-201/participant.toml");
    let (code, value) = answer(&[
        "submit",
        "--participant",
        &participant,
        &orders,
        "--kind",
        "collected",
        "--sign-only",
        &out,
    ]);
    assert_eq!(code, 0, "{value}");
    let bytes = rpc_api::decode_base64(&std::fs::read_to_string(&out).unwrap()).unwrap();
    let keys_of = |id: ParticipantId| genesis.participant(id).map(PartyKeys::of);
    let batch =
        SignedBatch::decode(bytes.into()).unwrap().verify(genesis.chain_id, keys_of).unwrap();
    assert_eq!(value["batch_id"].as_str().unwrap(), batch.id().to_string());
    let Items::Recharge(items) = batch.items() else { panic!("recharges") };
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].amount().get(), 1_234);
    assert_eq!(items[1].amount().get(), 500);
    assert!(items.iter().all(|item| item.is_collected()));
    assert!(items.iter().all(|item| item.collecting_gateway() == ParticipantId::new(201)));
    let ids: Vec<String> = items.iter().map(|item| item.order_id().to_string()).collect();
    assert_eq!(value["operations"], serde_json::json!(ids));
}

#[test]
fn a_wrong_file_is_usage_and_names_file_line_and_field() {
    let network = Network::new();
    let participant = network.file("participants/recharge-101/participant.toml");
    let orders = network.write("bad.csv", "1001,201,12.34,CNY\n1001,201,12.345,CNY\n");
    let (code, value) = answer(&["submit", "--participant", &participant, &orders]);
    assert_eq!(code, 2);
    for part in ["bad.csv", "line 2", "field amount", "3 decimals; CNY has 2"] {
        assert!(message(&value).contains(part), "{value}");
    }
    let (code, value) = answer(&["submit", "--participant", "/nowhere/p.toml", &orders]);
    assert_eq!(code, 2);
    assert!(message(&value).contains("/nowhere/p.toml"), "{value}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let network = Network::new();
    let key = network.file("participants/recharge-101/participant.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let participant = network.file("participants/recharge-101/participant.toml");
    let orders = network.write("o.csv", "1001,201,12.34,CNY");
    let (code, value) = answer(&["submit", "--participant", &participant, &orders]);
    assert_eq!(code, 2);
    assert!(message(&value).contains("chmod 600"), "{value}");
}

#[test]
fn nodes_out_of_reach_are_code_four() {
    let id = "0190a8e2-7c00-7000-8000-000000000000";
    // Port 9: nothing listens there.
    let (code, value) = answer(&["order", id, "--rpc", "http://127.0.0.1:9"]);
    assert_eq!(code, 4);
    assert!(message(&value).contains("http://127.0.0.1:9 does not answer"), "{value}");
    let network = Network::new();
    let participant = network.file("participants/recharge-101/participant.toml");
    let orders = network.write("o.csv", "1001,201,12.34,CNY");
    let (code, value) = answer(&[
        "submit",
        "--participant",
        &participant,
        &orders,
        "--rpc",
        "http://127.0.0.1:9",
        "--timeout",
        "1",
    ]);
    assert_eq!(code, 4, "{value}");
    assert_eq!(value["unknown"], 1);
    assert!(value["operations"][0]["id"].as_str().unwrap().len() == 36, "{value}");
}

#[test]
fn what_is_no_receipt_is_invalid_and_a_missing_file_is_usage() {
    let network = Network::new();
    let genesis = network.file("genesis.toml");
    for (name, bytes) in [("empty", ""), ("text", "SLUICER2 and more"), ("other", "PK")] {
        let receipt = network.write(name, bytes);
        let (code, value) = answer(&["verify", &receipt, "--genesis", &genesis]);
        assert_eq!(code, 1, "{value}");
        assert_eq!(value["valid"], false);
        assert!(value["reason"].as_str().unwrap().contains("not a receipt"), "{value}");
    }
    let (code, _) = answer(&["verify", "/nowhere/receipt", "--genesis", &genesis]);
    assert_eq!(code, 2);
    let receipt = network.write("r", "x");
    let (code, value) = answer(&["verify", &receipt, "--genesis", "/nowhere/genesis.toml"]);
    assert_eq!(code, 2);
    assert!(message(&value).contains("/nowhere/genesis.toml"), "{value}");
}

#[test]
fn replay_and_audit_need_a_home_and_do_not_make_one() {
    let network = Network::new();
    let home = network.file("nodes/validator-0/home");
    let genesis = network.file("genesis.toml");
    for command in ["replay", "audit"] {
        let (code, value) = answer(&[command, "--home", &home, "--genesis", &genesis]);
        assert_eq!(code, 2);
        assert!(message(&value).contains("is not a home folder"), "{value}");
        assert!(!Path::new(&home).exists());
    }
}

#[test]
fn a_local_network_of_another_size_is_not_started() {
    let network = Network::new();
    let (code, value) =
        answer(&["localnet", "--home", &network.file(""), "--validators", "7", "--for", "1"]);
    assert_eq!(code, 2);
    assert!(message(&value).contains("4 validators, not 7"), "{value}");
}

#[test]
fn usage_errors_and_help_have_their_codes() {
    assert_eq!(sluice(&["mint"]).status.code(), Some(2));
    assert_eq!(sluice(&[]).status.code(), Some(2));
    let help = sluice(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains("Exit codes:"), "{text}");
    // An error without --json leaves standard output empty.
    let output = sluice(&["verify", "/nowhere/receipt", "--genesis", "/nowhere/genesis.toml"]);
    assert!(output.stdout.is_empty());
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.starts_with("sluice: usage: ") && line.lines().count() == 1, "{line}");
}
