//! A node is ready by a quorum's word. One that is cut off, behind or let in by nobody says so at
//! `/readyz`, in `node_status` and in its log, and never that an order "may still commit".
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use chain_types::{Flags, OrderId, Rejection};
use jsonrpsee::core::client::Error as ClientError;
use rpc_api::{ApiError, NodeRpcClient as _, OrderState, RechargeRpcClient as _, StatusReport};
use support::{GATEWAYS, Network, eventually, order, run};

async fn status(network: &Network, node: usize) -> StatusReport {
    network.client(node).status().await.expect("a status")
}

/// The code with which a node refuses to say what became of an order; `None` when it says it.
async fn refusal(network: &Network, node: usize, id: OrderId) -> Option<ApiError> {
    match network.client(node).order(id.to_string()).await {
        Ok(_) => None,
        Err(ClientError::Call(error)) => ApiError::from_code(error.code()),
        Err(error) => panic!("{error}"),
    }
}

fn unknown() -> OrderId {
    OrderId::new(support::now(), support::entropy())
}

fn metrics(network: &Network, node: usize) -> String {
    let url = format!("{}/metrics", network.operator_url(node));
    String::from_utf8(run(std::process::Command::new("curl").args(["-sf", &url])).stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_two_of_four_stopped_the_others_say_whose_votes_are_missing() {
    let mut network = Network::started(&[]).await;
    let item = order(GATEWAYS[0], Flags::COLLECTED, 100);
    let known = OrderId::from_bytes(item.order_id);
    network.submit(0, &network.batch(GATEWAYS[0], &[item])).await.expect("it is final");
    let report = network.order(0, unknown()).await;
    assert_eq!((report.status, report.searched.may_still_commit), (OrderState::NotFound, true));
    let well = status(&network, 0).await;
    assert!(well.is_ready && well.standing.reason.is_none(), "{well:?}");
    assert!(well.peers.iter().all(|peer| peer.said_height.is_some()), "{well:?}");
    assert!(metrics(&network, 0).contains("sluice_ready 1"), "{}", metrics(&network, 0));

    network.kill(2);
    network.kill(3);
    for node in [0, 1] {
        let heard = format!("{}, {}", network.nodes[0], network.nodes[1]);
        let heard = heard.replace(&network.nodes[node], &own_name(&network, node));
        network.not_ready(node, &["no quorum: heard", &heard, "of 4 validators"]).await;
        network.not_ready(node, &["no block for", &network.nodes[2], &network.nodes[3]]).await;
        let missing = ["no block for", "waits_for", "missing", "connected"];
        network.logged(node, &missing).await;
        let said = status(&network, node).await;
        let reason = said.standing.reason.as_deref().unwrap_or_default();
        assert!(!said.is_ready && reason.contains("no quorum"), "{said:?}");
        assert_eq!(said.standing.missing, [&*network.nodes[2], &*network.nodes[3]], "{said:?}");
        assert!(said.standing.waits_for.is_some() && said.standing.round.is_some(), "{said:?}");
        let figures = metrics(&network, node);
        assert!(figures.contains("sluice_ready 0"), "{figures}");
        assert!(figures.contains("sluice_last_block_age_seconds"), "{figures}");
        assert!(figures.contains("sluice_own_votes_missed_total"), "{figures}");

        // What it has, it says; what it does not find may be final elsewhere.
        assert_eq!(network.order(node, known).await.status, OrderState::Collected);
        assert_eq!(refusal(&network, node, unknown()).await, Some(ApiError::NodeBehind));
        let receipt = network.client(node).receipt(unknown().to_string(), None).await.unwrap_err();
        assert!(receipt.to_string().contains("node-behind"), "{receipt}");
        let batch = network.batch(GATEWAYS[0], &[order(GATEWAYS[0], Flags::COLLECTED, 1)]);
        let refused = network.submit(node, &batch).await.unwrap_err();
        assert!(refused.contains(Rejection::NotReady.name()), "{refused}");
        let alive = run(std::process::Command::new("curl")
            .args(["-sf", &format!("{}/healthz", network.operator_url(node))]));
        assert!(alive.status.success(), "/healthz says whether the process lives");
    }

    network.start(2);
    for node in [0, 1, 2] {
        network.ready(node).await;
        assert_eq!(refusal(&network, node, unknown()).await, None, "node {node}");
    }
    network.logged(0, &["blocks come again"]).await;

    // Nobody else is there: what its home holds is not the chain's head by itself.
    for node in [0, 1, 2] {
        network.kill(node);
    }
    network.start(0);
    network.not_ready(0, &["no peer lets this node in"]).await;
    assert_eq!(refusal(&network, 0, unknown()).await, Some(ApiError::NodeBehind));
    network.logged(0, &["no peer lets this node in for", "is_registered=true"]).await;
    assert_eq!(network.readyz(0).0, 503);
}

/// How a node names itself among those heard.
fn own_name(network: &Network, node: usize) -> String {
    format!("{} (this node)", network.nodes[node])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_lets_in_says_so_with_the_remedy() {
    let mut network = Network::started(&[]).await;
    let joined = network.join("validator-4");
    let key = joined.to_string();
    let stranger = network.nodes.len() - 1;
    network.start(stranger);
    network.not_ready(stranger, &["not registered, and no peer lets this node in"]).await;
    network.logged(stranger, &["no peer lets this node in for", "is_registered=false"]).await;
    let log = network.whole_log(stranger);
    let line = log.lines().find(|line| line.contains("no peer lets this node in for")).unwrap();
    let shown = line.split("network_key=").nth(1).unwrap().split(' ').next().unwrap();
    assert!(key.contains(shown), "{line} names another key than {key}");
    assert_eq!(refusal(&network, stranger, unknown()).await, Some(ApiError::NodeBehind));
    for node in 0..4 {
        assert_eq!(network.readyz(node).0, 200, "a stranger changes nothing for the others");
    }
}

/// A validator whose peers are another chain's nodes: it reaches them, and they do not speak to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_wrong_peers_is_not_ready_and_says_so() {
    let others = Network::started(&[]).await;
    let mut network = Network::new(&[]);
    let config = network.config(0);
    let mut text = std::fs::read_to_string(&config).unwrap();
    for node in 1..4_u16 {
        let port = |base: u16| format!("127.0.0.1:{}", base + 3 * node);
        let changed = text.replace(&port(network.base_port), &port(others.base_port));
        assert_ne!(changed, text, "node {node} is not among the peers");
        text = changed;
    }
    std::fs::write(&config, text).unwrap();
    network.start(0);
    network.not_ready(0, &["no peer lets this node in"]).await;
    network.logged(0, &["no peer lets this node in for", "is_registered=true"]).await;
    network.logged(0, &["no block for", "connected"]).await;
    eventually("an order is not said to be not found", || async {
        refusal(&network, 0, unknown()).await == Some(ApiError::NodeBehind)
    })
    .await;
    let said = status(&network, 0).await;
    assert!(said.peers.iter().all(|peer| !peer.is_connected && peer.said_height.is_none()));
}
