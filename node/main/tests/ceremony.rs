//! A network that three key holders assemble from their public keys alone, each in a folder of its
//! own: no secret leaves its holder, all get one chain, and it settles orders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::{eventually, free_ports, now, run, sluice};

/// The holders: for each, the nodes that it runs, and the participants whose keys it has.
const HOLDERS: [(&[u32], &[u32]); 3] =
    [(&[0, 1], &[1, 101]), (&[2], &[2, 201, 401]), (&[3], &[3, 202, 402])];
const ROLES: [(u32, &str); 8] = [
    (1, "settlement-operator"),
    (2, "settlement-operator"),
    (3, "settlement-operator"),
    (101, "recharge-service"),
    (201, "gateway"),
    (202, "gateway"),
    (401, "settlement-agent"),
    (402, "settlement-agent"),
];

fn done(folder: &Path, line: &str) -> serde_json::Value {
    let mut command = sluice();
    command.current_dir(folder).arg("--json").args(line.split_whitespace());
    let output = run(&mut command);
    let value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(output.status.success(), "{line}: {value} {output:?}");
    value
}

/// A key that its holder makes; gives the public half.
fn make_key(folder: &Path, name: &str, purpose: &str) -> String {
    let said = done(folder, &format!("key new {name}.key --for {purpose}"));
    said["public_key"].as_str().expect("a public key").to_owned()
}

/// The plan, made of what the holders say: public keys and addresses.
fn plan(folders: &[PathBuf], base_port: u16) -> String {
    let mut text = format!(
        "name = \"three\"\ntime_ms = {}\ncurrencies = [\"CNY\"]\n[parameters]\nwindow_ms = 2000\n",
        now().get()
    );
    for ((nodes, participants), folder) in HOLDERS.iter().zip(folders) {
        for id in *participants {
            let key = make_key(folder, &format!("participant-{id}"), "participant");
            let (_, role) = ROLES.iter().find(|(known, _)| known == id).unwrap();
            let _ = write!(
                text,
                "[[participants]]\nid = {id}\nname = \"party-{id}\"\nroles = [\"{role}\"]\n\
                 public_key = \"{key}\"\n"
            );
        }
        for node in *nodes {
            let network_key = make_key(folder, &format!("network-{node}"), "network");
            let validator_key = make_key(folder, &format!("validator-{node}"), "validator");
            let (operator, port) = (participants[0], base_port + 3 * *node as u16);
            let _ = write!(
                text,
                "[[nodes]]\nname = \"validator-{node}\"\noperator = {operator}\npower = 10\n\
                 network_key = \"{network_key}\"\nvalidator_key = \"{validator_key}\"\n\
                 address = \"127.0.0.1:{port}\"\nrpc = \"127.0.0.1:{}\"\n",
                port + 1
            );
        }
    }
    for (merchant, gateway) in [(1001, 202), (1002, 201)] {
        let _ = write!(
            text,
            "[[merchants]]\nid = {merchant}\nname = \"shop-{merchant}\"\n\
             payout_gateway = {gateway}\n[[liquidity]]\ngateway = {gateway}\n\
             currency = \"CNY\"\nnet_debit_cap = 10000000\nopening_liquidity = 0\n"
        );
    }
    text
}

/// Makes a token for each participant of a holder, by which it calls the holder's own nodes.
fn hand_out_tokens(folder: &Path, nodes: &[u32], participants: &[u32], base_port: u16) {
    for id in participants {
        let (_, role) = ROLES.iter().find(|(known, _)| known == id).unwrap();
        let more = match *role {
            "settlement-operator" => "--scope operator",
            "settlement-agent" => "--scope auditor",
            _ => "",
        };
        done(
            folder,
            &format!(
                "token new --file net/tokens.toml --out net/participants/{id}/own.token \
                 --scope participant --participant {id} {more}"
            ),
        );
        let path = folder.join(format!("net/participants/{id}/participant.toml"));
        let config = std::fs::read_to_string(&path).unwrap();
        let urls = nodes
            .iter()
            .map(|node| format!("\"http://127.0.0.1:{}\"", base_port + 3 * *node as u16 + 1));
        let urls: Vec<String> = urls.collect();
        let lines = config.lines().filter(|line| !line.starts_with("rpc = "));
        let kept: Vec<&str> = lines.collect();
        let own = format!("token = \"own.token\"\nrpc = [{}]\n", urls.join(", "));
        std::fs::write(path, format!("{own}{}\n", kept.join("\n"))).unwrap();
    }
    for node in nodes {
        let path = folder.join(format!("net/nodes/validator-{node}/node.toml"));
        let config = std::fs::read_to_string(&path).unwrap();
        let access = "[rpc]\naccess = { tokens = \"../../tokens.toml\" }\n";
        std::fs::write(path, config.replace("[rpc]\n", access)).unwrap();
    }
}

/// Running nodes, ended with the test.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn start(config: &Path, log: &Path) -> Child {
    let log = std::fs::File::create(log).unwrap();
    let mut command = sluice();
    command.arg("start").arg("--config").arg(config).env("RUST_LOG", "info");
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().expect("the node starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn three_key_holders_make_one_chain_that_settles_orders_and_share_no_secret() {
    let root = tempfile::tempdir().unwrap();
    let folders: Vec<PathBuf> = (0..3).map(|at| root.path().join(format!("holder-{at}"))).collect();
    folders.iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
    let base_port = free_ports();
    let plan = plan(&folders, base_port);

    // Each assembles the same plan on its own, and compares the chain id with the others.
    let mut ids = Vec::new();
    for folder in &folders {
        std::fs::write(folder.join("plan.toml"), &plan).unwrap();
        let said = done(folder, "network assemble plan.toml --out net");
        ids.push(said["chain_id"].as_str().unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");

    // Each puts its own keys in place and starts its own nodes.
    let mut running = Running(Vec::new());
    for ((nodes, participants), folder) in HOLDERS.iter().zip(&folders) {
        for id in *participants {
            let place = folder.join(format!("net/participants/{id}/participant.key"));
            std::fs::rename(folder.join(format!("participant-{id}.key")), place).unwrap();
        }
        hand_out_tokens(folder, nodes, participants, base_port);
        for node in *nodes {
            let home = folder.join(format!("net/nodes/validator-{node}"));
            for kind in ["network", "validator"] {
                let made = folder.join(format!("{kind}-{node}.key"));
                std::fs::rename(made, home.join(format!("{kind}.key"))).unwrap();
            }
            running.0.push(start(&home.join("node.toml"), &home.join("node.log")));
        }
    }
    for node in 0..4 {
        let url = format!("http://127.0.0.1:{}/readyz", base_port + 3 * node + 2);
        eventually(&format!("validator-{node} is ready"), || async {
            run(Command::new("curl").args(["-sf", &url])).status.success()
        })
        .await;
    }

    // The gateway, in the second holder's folder, lets the service reserve. The service, in the
    // first's, submits; the gateway collects.
    let submit = "submit --participant net/participants";
    let line =
        "--set account=gateway-liquidity --set holder=101 --set limit=1000 --set currency=CNY";
    let line = format!("{submit}/201/participant.toml --kind line {line}");
    assert_eq!(done(&folders[1], &line)["applied"], 1);
    let order = "--set merchant=1001 --set gateway=201 --set amount=12.34 --set currency=CNY";
    let said = done(&folders[0], &format!("{submit}/101/participant.toml {order}"));
    assert_eq!(said["applied"], 1, "{said}");
    let id = said["operations"][0]["id"].as_str().unwrap().to_owned();
    let collect = format!("{submit}/201/participant.toml --kind collect --set order_id={id}");
    assert_eq!(done(&folders[1], &collect)["applied"], 1);
    // The third holder's agent asks its own node.
    let token = folders[2].join("net/participants/402/own.token");
    let (port, token) = (base_port + 10, token.display());
    let rpc = format!("--rpc http://127.0.0.1:{port} --token-file {token}");
    eventually("the order is instructed", || async {
        let asked = format!("--json order {id} {rpc}");
        let output = run(sluice().args(asked.split_whitespace()));
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        said["status"] == "instructed"
    })
    .await;
    done(&folders[2], &format!("receipt {id} {rpc} --out receipt"));
    let said = done(&folders[2], "verify receipt --genesis net/genesis.toml");
    assert!(said["collected_ms"].is_u64(), "{said}");

    // The operators govern with their own keys, each from its own folder.
    let propose = format!(
        "{submit}/1/participant.toml --kind proposal --set change=currency --set currency=USD \
         --set activation_height=1000000"
    );
    let id = done(&folders[0], &propose)["operations"][0]["id"].as_str().unwrap().to_owned();
    let participant = "--participant net/participants";
    let said = done(
        &folders[1],
        &format!("decide proposal {id} approve {participant}/2/participant.toml"),
    );
    assert_eq!(said["submitted"]["applied"], 1, "{said}");
}
