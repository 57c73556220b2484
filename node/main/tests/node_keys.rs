//! A node's keys are rotated by one change while orders flow, and a node is removed: who is
//! registered is let in, who is registered no longer is not, and nobody else is edited or started.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::PathBuf;

use rpc_api::{BlockSelector, ChainRpcClient as _, GovernanceRpcClient as _, NodeRpcClient as _};
use support::load::Load;
use support::{Network, eventually, run, sluice};

const OPERATORS: [&str; 2] =
    ["participants/operator-1/participant.toml", "participants/operator-2/participant.toml"];
/// The place of the edge node.
const EDGE: usize = 4;
/// How a node ends that governance took its keys from.
const WITHDRAWN: i32 = 6;

/// A command's one JSON document.
fn done(network: &Network, line: &str) -> serde_json::Value {
    let mut command = sluice();
    command.current_dir(network.path()).arg("--json").args(line.split_whitespace());
    let output = run(&mut command);
    assert!(output.status.success(), "{line}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn rotate(network: &Network, node: usize) -> serde_json::Value {
    let config = network.config(node);
    let (url, operator) = (network.url(1), OPERATORS[0]);
    let line =
        format!("key rotate-node --config {} --rpc {url} --operator {operator}", config.display());
    done(network, &line)
}

fn approve(network: &Network, proposal: &serde_json::Value) {
    let id = proposal.as_str().expect("an id");
    let (url, operator) = (network.url(1), OPERATORS[1]);
    done(network, &format!("decide proposal {id} approve --participant {operator} --rpc {url}"));
}

fn key_file(network: &Network, node: usize, name: &str) -> PathBuf {
    network.config(node).with_file_name(name)
}

async fn reaches(network: &Network, node: usize, height: u64) {
    let what = format!("node {node} reaches {height} (log: {})", network.log(node));
    eventually(&what, || async { network.height(node).await >= height }).await;
}

/// Waits until a validator has signed a block from `height` on, as node 1 has its certificate.
async fn votes(network: &Network, validator: u32, height: u64) {
    let node = usize::try_from(validator).unwrap();
    let what = format!("validator {validator} votes (log: {})", network.log(node));
    eventually(&what, || async {
        let head = network.height(1).await;
        if head < height {
            return false;
        }
        let block = network.client(1).block(BlockSelector::Height(head)).await.expect("a block");
        block.certificate.expect("a certificate").signers.contains(&validator)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validators_keys_are_rotated_by_one_change_while_orders_flow() {
    let mut network = Network::started(&[]).await;
    let load = Load::on(&network, &[1, 2]);
    let said = rotate(&network, 3);
    assert_eq!(said["state"], "proposed", "{said}");
    let (proposal, since) = (said["proposal_id"].clone(), said["activation_height"].as_u64());
    let since = since.expect("a height");
    // Asked twice, it proposes once and keeps the keys that it made.
    let again = rotate(&network, 3);
    assert_eq!(again["state"], "waits");
    for field in ["proposal_id", "network_key", "validator_key"] {
        assert_eq!(again[field], said[field]);
    }
    // Killed and started while they lie ready: the registered ones are used.
    network.kill(3);
    network.start(3);
    network.ready(3).await;
    votes(&network, 3, network.height(1).await + 3).await;

    approve(&network, &proposal);
    votes(&network, 3, since + 5).await;
    network.logged(3, &["the keys that lie ready hold now"]).await;
    network.ready(3).await;
    assert!(network.is_running(3), "it starts again by itself");
    let registry = network.client(1).registry().await.unwrap();
    assert_eq!(registry.nodes[3].network_key, said["network_key"].as_str().unwrap());
    assert_eq!(registry.nodes[3].validator_key, said["validator_key"].as_str().unwrap());
    assert_eq!((registry.nodes[3].power, registry.nodes[3].removed), (10, false));

    // One change of validators, and a proof of the last block holds across it.
    let genesis = network.genesis();
    let (rpc, genesis) = (format!("--rpc {}", network.url(1)), genesis.display());
    let kept = done(&network, &format!("lineage {rpc} --genesis {genesis} --out kept.lineage"));
    assert_eq!(kept["changes"], 1);
    done(&network, &format!("proof gateway-liquidity:201:CNY {rpc} --out one.proof"));
    done(&network, &format!("verify one.proof --genesis {genesis}"));

    // Killed before they are in place, it starts with them; then they are put in place.
    network.kill(3);
    network.start(3);
    network.ready(3).await;
    votes(&network, 3, network.height(1).await + 3).await;
    let placed = rotate(&network, 3);
    assert_eq!(placed["state"], "in-place");
    assert_eq!(placed["network_key"], said["network_key"]);
    let replaced = placed["replaced_key_files"].as_array().unwrap().clone();
    assert_eq!(replaced.len(), 2, "{placed}");
    assert!(!key_file(&network, 3, "network.key.next").exists());
    assert_eq!(network.stop(3), Some(0), "{}", network.log(3));
    network.start(3);
    network.ready(3).await;
    votes(&network, 3, network.height(1).await + 3).await;

    // With the keys of before it is refused: by its own home, and by the others.
    assert_eq!(network.stop(3), Some(0), "{}", network.log(3));
    for (kept, name) in replaced.iter().zip(["network.key", "validator.key"]) {
        std::fs::rename(key_file(&network, 3, name), key_file(&network, 3, "aside")).unwrap();
        std::fs::copy(kept.as_str().unwrap(), key_file(&network, 3, name)).unwrap();
        std::fs::rename(key_file(&network, 3, "aside"), network.path().join(name)).unwrap();
    }
    network.start(3);
    assert_eq!(network.ended(3), Some(WITHDRAWN), "{}", network.log(3));
    network.logged(3, &["governance gave the node validator-3 other keys than these"]).await;
    std::fs::rename(network.home(3), network.path().join("home-aside")).unwrap();
    network.start(3);
    network.logged(3, &["no peer lets this node in"]).await;
    assert_eq!(network.height(3).await, 0);
    network.kill(3);

    // Its home is gone, and the genesis file names the keys of before: it catches up by the new
    // ones and votes.
    std::fs::remove_dir_all(network.home(3)).unwrap();
    for name in ["network.key", "validator.key"] {
        std::fs::rename(network.path().join(name), key_file(&network, 3, name)).unwrap();
    }
    network.start(3);
    network.logged(3, &["names earlier keys of this node"]).await;
    votes(&network, 3, network.height(1).await + 1).await;
    network.ready(3).await;
    load.end().await;
    let mut digests = network.digests().await;
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_was_down_at_its_rotation_tries_its_next_keys() {
    let mut network = Network::started(&[]).await;
    network.kill(2);
    let said = rotate(&network, 2);
    assert_eq!(said["state"], "proposed", "{said}");
    approve(&network, &said["proposal_id"]);
    let since = said["activation_height"].as_u64().unwrap();
    // Until those who were late have had their time under the old keys.
    reaches(&network, 1, since + 25).await;
    // Its home names the keys of before, by which nobody lets it in.
    network.start(2);
    network.logged(2, &["it starts again with the other ones"]).await;
    network.ready(2).await;
    votes(&network, 2, since + 4).await;
    assert_eq!(rotate(&network, 2)["state"], "in-place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_edge_node_loses_its_links_and_ends() {
    let mut network = Network::started(&["--edges", "1"]).await;
    let height = network.height(1).await + 15;
    let url = network.url(1);
    let said = done(
        &network,
        &format!(
            "submit --kind proposal --participant {} --rpc {url} --set change=node-removed \
         --set node={EDGE} --set activation_height={height}",
            OPERATORS[0]
        ),
    );
    let connected = network.client(1).status().await.unwrap().peers;
    assert!(connected.iter().any(|peer| peer.name == network.nodes[EDGE] && peer.is_connected));
    approve(&network, &said["operations"][0]["id"]);
    assert_eq!(network.ended(EDGE), Some(WITHDRAWN), "{}", network.log(EDGE));
    network.logged(EDGE, &["governance removed the node"]).await;
    eventually("its links are closed", || async {
        network.figure(1, "network_peers_connected") == 3.0
    })
    .await;
    let status = network.client(1).status().await.unwrap();
    assert!(status.peers.iter().all(|peer| peer.name != network.nodes[EDGE]));
    let registry = network.client(1).registry().await.unwrap();
    assert!(registry.nodes[EDGE].removed);
    // Started again it says so at once; with an empty home nobody lets it in, once those who were
    // late have had their time to hear of it.
    reaches(&network, 1, height + 25).await;
    network.start(EDGE);
    assert_eq!(network.ended(EDGE), Some(WITHDRAWN), "{}", network.log(EDGE));
    std::fs::remove_dir_all(network.home(EDGE)).unwrap();
    network.start(EDGE);
    network.logged(EDGE, &["no peer lets this node in"]).await;
    assert_eq!(network.height(EDGE).await, 0);
}
