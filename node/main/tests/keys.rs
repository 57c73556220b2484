//! A participant's key is replaced by its owner's commands alone, and the registry at the head, not
//! the genesis file, says which key signs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::PathBuf;

use rpc_api::GovernanceRpcClient as _;
use support::{Network, eventually, run, sluice};

/// A command's exit code and its one JSON document.
fn answer(network: &Network, arguments: &[&str]) -> (i32, serde_json::Value) {
    let mut command = sluice();
    command.current_dir(network.path()).arg("--json").args(arguments);
    let output = run(&mut command);
    let value = serde_json::from_slice(&output.stdout);
    let value = value.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.code().expect("an exit code"), value)
}

fn done(network: &Network, arguments: &[&str]) -> serde_json::Value {
    let (code, value) = answer(network, arguments);
    assert_eq!(code, 0, "{arguments:?}: {value}");
    value
}

fn message(value: &serde_json::Value) -> &str {
    value["error"]["message"].as_str().expect("an error")
}

const OPERATORS: [&str; 3] = [
    "participants/operator-1/participant.toml",
    "participants/operator-2/participant.toml",
    "participants/operator-3/participant.toml",
];
const GATEWAY: &str = "participants/gateway-201/participant.toml";

fn key_file(network: &Network, name: &str) -> PathBuf {
    network.path().join("participants").join(name).join("participant.key")
}

/// Waits until the registry has a key for a participant.
async fn registered(network: &Network, participant: u32, key: &str) {
    eventually("the key is registered at every node", || async {
        let mut everywhere = true;
        for node in 0..4 {
            let registry = network.client(node).registry().await.expect("a registry");
            everywhere &= registry.participants.iter().any(|known| {
                known.participant.participant == participant && known.participant.public_key == key
            });
        }
        everywhere
    })
    .await;
}

fn propose<'a>(change: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["submit", "--kind", "proposal", "--participant", OPERATORS[0]];
    for field in change {
        arguments.extend(["--set", field]);
    }
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_submits_and_decides_and_the_one_before_is_refused_by_name() {
    let network = Network::started(&[]).await;
    let order = |participant: &str| {
        let set = ["merchant=1001", "amount=12.34", "currency=CNY"];
        let mut arguments = vec!["submit", "--participant", participant, "--kind", "collected"];
        for field in set {
            arguments.extend(["--set", field]);
        }
        answer(&network, &arguments)
    };
    assert_eq!(order(GATEWAY).0, 0);

    // A gateway cannot propose: it is told the command for an operator, and its key is made once.
    let rotate = ["key", "rotate", "--participant", GATEWAY, "--new-key", "gateway.key"];
    let zero = ["--overlap-heights", "0"];
    let said = done(&network, &[&rotate[..], &zero].concat());
    assert_eq!(said["state"], "to-propose");
    let new_key = said["public_key"].as_str().unwrap().to_owned();
    assert!(said["next"].as_str().unwrap().contains(&new_key), "{said}");
    let by_operator = [&rotate[..], &zero, &["--operator", OPERATORS[0]]].concat();
    let said = done(&network, &by_operator);
    assert_eq!(said["state"], "proposed");
    assert_eq!(said["public_key"], new_key.as_str());
    let proposal = said["proposal_id"].as_str().unwrap().to_owned();
    // Asked twice, it proposes once.
    let again = done(&network, &by_operator);
    assert_eq!(again["state"], "waits");
    assert_eq!(again["proposal_id"], said["proposal_id"]);

    // While it waits, the old key signs, and the new one is refused with the reason.
    assert_eq!(order(GATEWAY).0, 0);
    let early = std::fs::read_to_string(network.path().join(GATEWAY)).unwrap();
    let early = early.replace("participant.key", "../../gateway.key");
    let early_path = "participants/gateway-201/early.toml";
    std::fs::write(network.path().join(early_path), early).unwrap();
    let (code, value) = order(early_path);
    assert_eq!(code, 2, "{value}");
    assert!(message(&value).contains("waits for approvals"), "{value}");

    done(&network, &["decide", "proposal", &proposal, "approve", "--participant", OPERATORS[1]]);
    registered(&network, 201, &new_key).await;

    // The old key: which key is registered since when, and what to do.
    let (code, value) = order(GATEWAY);
    assert_eq!(code, 2, "{value}");
    for part in [new_key.as_str(), "is registered since block ", "let `key` in", "sluice key new"] {
        assert!(message(&value).contains(part), "{part}: {value}");
    }
    // In place, and again: nothing changes any more.
    for kept in [true, false] {
        let said = done(&network, &[&rotate[..], &zero].concat());
        assert_eq!(said["state"], "in-place");
        assert_eq!(said["replaced_key_file"].is_string(), kept, "{said}");
    }
    let (code, value) = order(GATEWAY);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["applied"], 1);
    // The genesis file of another network is found out before anything is signed.
    done(&network, &["localnet", "new", "other"]);
    let other = std::fs::read_to_string(network.path().join(GATEWAY)).unwrap();
    let other = other.replace("../../genesis.toml", "../../other/genesis.toml");
    std::fs::write(network.path().join(early_path), other).unwrap();
    let (code, value) = order(early_path);
    assert_eq!(code, 2, "{value}");
    assert!(message(&value).contains("serves chain"), "{value}");
    let shown = ["key", "show", "gateway.key", "--rpc", &network.url(1)];
    let shown = done(&network, &shown);
    assert_eq!(shown["registered_for"][0]["of"], "participant 201 (gateway-201)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_and_a_party_that_governance_added_are_not_locked_out() {
    let network = Network::started(&[]).await;
    // An operator proposes its own key, with an overlap.
    let rotate = ["key", "rotate", "--participant", OPERATORS[1], "--new-key", "two.key"];
    let said = done(&network, &[&rotate[..], &["--overlap-heights", "100000"]].concat());
    assert_eq!(said["state"], "proposed", "{said}");
    let proposal = said["proposal_id"].as_str().unwrap();
    let new_key = said["public_key"].as_str().unwrap();
    done(&network, &["decide", "proposal", proposal, "approve", "--participant", OPERATORS[2]]);
    registered(&network, 2, new_key).await;

    // A party that no genesis file knows.
    let made = done(&network, &["key", "new", "service.key", "--for", "participant"]);
    let public_key = format!("public_key={}", made["public_key"].as_str().unwrap());
    let height = format!("activation_height={}", network.height(0).await + 15);
    let change =
        ["change=participant", "participant=150", "name=service", "roles=recharge-service"];
    let change = [&change[..], &[&*public_key, &*height]].concat();
    let said = done(&network, &propose(&change));
    let proposal = said["operations"][0]["id"].as_str().unwrap();
    let config = std::fs::read_to_string(network.path().join(GATEWAY)).unwrap();
    let config = config
        .replace("id = 201", "id = 150")
        .replace("gateway-201", "service")
        .replace("participant.key", "../../service.key");
    std::fs::write(network.path().join("participants/gateway-201/service.toml"), config).unwrap();
    let submit = "submit --participant participants/gateway-201/service.toml --set merchant=1001 \
                  --set gateway=201 --set amount=12.34 --set currency=CNY";
    let submit: Vec<&str> = submit.split_whitespace().collect();
    let (code, value) = answer(&network, &submit);
    assert_eq!(code, 2, "{value}");
    assert!(message(&value).contains("the registry has no participant 150"), "{value}");

    // With the old key during the overlap; with the new one once it is in place.
    let decide = ["decide", "proposal", proposal, "refuse", "--participant", OPERATORS[1]];
    done(&network, &decide);
    assert_eq!(done(&network, &rotate)["state"], "in-place");
    assert!(key_file(&network, "operator-2").exists());
    let decide = ["decide", "proposal", proposal, "approve", "--participant", OPERATORS[1]];
    done(&network, &decide);

    registered(&network, 150, made["public_key"].as_str().unwrap()).await;
    let line = "submit --participant participants/gateway-201/participant.toml --kind line \
                --set account=gateway-liquidity --set holder=150 --set limit=1000 \
                --set currency=CNY";
    let line: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(done(&network, &line)["applied"], 1);
    let value = done(&network, &submit);
    assert_eq!(value["applied"], 1, "{value}");
}
