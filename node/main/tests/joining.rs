//! A node that governance adds joins a running network, becomes a validator and is needed; one that
//! governance takes the power of votes no more. Nobody else is edited or started again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::process::Command;

use rpc_api::{BlockSelector, ChainRpcClient as _, NodeRpcClient as _};
use support::load::Load;
use support::{Network, eventually, run, sluice};

/// The place of the node that joins.
const FIFTH: usize = 4;

/// Runs a line as an operator would type it, with the binary of this build.
fn shell(network: &Network, line: &str) -> serde_json::Value {
    let line = line.replace("sluice ", &format!("{} --json ", env!("CARGO_BIN_EXE_sluice")));
    let output = run(Command::new("sh").current_dir(network.path()).args(["-c", &line]));
    let (said, error) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{line}: {} {error}", String::from_utf8_lossy(said));
    serde_json::from_slice(said).expect("JSON")
}

/// The first operator proposes, the second approves, each by a command; gives the height.
async fn govern(network: &Network, proposal: &str) -> u64 {
    let height = network.height(1).await + 15;
    let rpc = format!("--rpc {}", network.url(1));
    let proposal = proposal
        .replace("participant.toml", "participants/operator-1/participant.toml")
        .replace("HEIGHT", &height.to_string());
    let said = shell(network, &format!("{proposal} {rpc}"));
    let id = said["operations"][0]["id"].as_str().expect("an id").to_owned();
    let approval = "--participant participants/operator-2/participant.toml";
    shell(network, &format!("sluice decide proposal {id} approve {approval} {rpc}"));
    height
}

async fn reaches(network: &Network, node: usize, height: u64) {
    let what = format!("node {node} reaches {height} (log: {})", network.log(node));
    eventually(&what, || async { network.height(node).await >= height }).await;
}

async fn validator_id(network: &Network, node: usize) -> Option<u32> {
    network.client(node).status().await.expect("a status").validator
}

/// Returns the signers of the block of a height, by a node's certificate.
async fn signers(network: &Network, node: usize, height: u64) -> Vec<u32> {
    let block = network.client(node).block(BlockSelector::Height(height)).await.expect("a block");
    block.certificate.expect("a certificate").signers
}

async fn equal_digests(network: &Network) {
    let mut digests = network.digests().await;
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

/// A proof of the last block holds with the genesis file alone; without its lineage it holds with
/// the one that is kept beside the genesis file, and only so.
fn proofs_hold(network: &Network, changes: u64) {
    let (rpc, genesis) = (format!("--rpc {}", network.url(1)), network.genesis());
    let genesis = format!("--genesis {}", genesis.display());
    let kept = shell(network, &format!("sluice lineage {rpc} {genesis} --out kept.lineage"));
    assert_eq!(kept["changes"], changes);
    let proof = format!("sluice proof gateway-liquidity:201:CNY {rpc}");
    let whole = shell(network, &format!("{proof} --out whole.proof"));
    let bare = shell(network, &format!("{proof} --lineage-apart --out bare.proof"));
    assert!(bare["bytes"].as_u64() < whole["bytes"].as_u64());
    let verify = |rest: &str| {
        let mut command = sluice();
        let command = command.current_dir(network.path()).arg("verify");
        let output = run(command.args(rest.split(' ').chain(genesis.split(' '))));
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(verify("whole.proof").0, Some(0));
    assert_eq!(verify("whole.proof --lineage kept.lineage").0, Some(0));
    assert_eq!(verify("bare.proof --lineage kept.lineage").0, Some(0));
    let (code, said) = verify("bare.proof");
    assert_eq!(code, Some(1));
    assert!(said.contains("give the file of `sluice lineage`"), "{said}");
    assert_eq!(verify("bare.proof --lineage whole.proof").0, Some(1), "that is no lineage");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_validator_joins_and_is_needed_and_one_that_is_removed_votes_no_more() {
    let mut network = Network::started(&[]).await;
    let load = Load::on(&network, &[1, 2]);
    let joined = network.join("validator-4");
    let proposal = joined["proposal"].as_str().unwrap().to_owned();

    // Started before it is registered, it is let in nowhere, and says what to do.
    network.start(FIFTH);
    let key = joined["validator_key"].as_str().unwrap();
    eventually("it says that it is not registered", || async {
        let log = network.whole_log(FIFTH);
        log.contains("not registered at the height of this home") && log.contains(key)
    })
    .await;
    reaches(&network, 0, 10).await;
    assert_eq!(network.height(FIFTH).await, 0);

    // Registered with little power, it catches up and votes.
    let since = govern(&network, &proposal).await;
    reaches(&network, FIFTH, since).await;
    assert_eq!(validator_id(&network, FIFTH).await, Some(4));
    eventually("it votes", || async {
        network.height(FIFTH).await > since
            && signers(&network, FIFTH, network.height(FIFTH).await).await.contains(&4)
    })
    .await;
    let signed_before = signers(&network, 0, since - 1).await;
    assert!(!signed_before.contains(&4), "nobody votes before governance says so");

    // Five of equal power: without one of them, the other four are just a quorum.
    let power = |node: usize, power: u64| {
        format!(
            "sluice submit --participant participant.toml --kind proposal --set change=power \
             --set activation_height=HEIGHT --set node={node} --set power={power}"
        )
    };
    let since = govern(&network, &power(FIFTH, 10)).await;
    reaches(&network, FIFTH, since).await;
    proofs_hold(&network, 2);
    network.kill(0);
    let goal = network.height(1).await + 10;
    for node in [1, FIFTH] {
        reaches(&network, node, goal).await;
    }
    let mut signed = signers(&network, 1, goal).await;
    signed.sort_unstable();
    assert_eq!(signed, [1, 2, 3, 4]);

    // The killed one comes back, and knows the fifth from the chain alone.
    network.start(0);
    reaches(&network, 0, goal).await;
    let since = govern(&network, &power(3, 0)).await;
    for node in 0..5 {
        reaches(&network, node, since + 5).await;
    }
    assert_eq!(validator_id(&network, 3).await, None);
    let says = "follows without voting";
    let log = network.whole_log(3);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(says)).collect();
    assert!(matches!(&lines[..], [line] if line.contains(&since.to_string())), "{lines:?}");
    assert!(signers(&network, 0, since - 1).await.len() >= 4);
    for height in since..since + 5 {
        assert!(!signers(&network, 0, height).await.contains(&3), "{height}");
    }
    // The lineage kept is gone on with.
    proofs_hold(&network, 3);
    load.end().await;
    equal_digests(&network).await;

    // Each home replays from the genesis file.
    for node in 0..5 {
        assert_eq!(network.stop(node), Some(0), "{}", network.log(node));
    }
    let mut replay = sluice();
    replay.arg("replay").arg("--home").arg(network.home(FIFTH));
    let output = run(replay.arg("--genesis").arg(network.genesis()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
