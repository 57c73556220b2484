//! Those who are not of the chain.

use chain_types::{ChainId, Digest};
use node_network::{Lane, NetworkConfig, RequestError};

use crate::node::{Node, config, key, keys, wait_for};

const REFUSED: &str = "libp2p_swarm_connections_incoming_error_total";

/// `one` is honest and unaware; `other` dials it and must get nowhere.
async fn gets_nowhere(mut one: Node, mut other: Node) {
    wait_for(|| one.figure(REFUSED, &[]) >= 3).await;
    one.network.broadcast(Lane::Consensus, "secret".into());
    one.network.broadcast(Lane::Bulk, "secret".into());
    other.network.broadcast(Lane::Consensus, "let me in".into());
    let answer = other.network.request(one.key, "let me in".into()).await;
    assert!(matches!(answer, Err(RequestError::NotConnected | RequestError::Disconnected)));
    let seen = one.figure(REFUSED, &[]);
    wait_for(|| one.figure(REFUSED, &[]) > seen).await;
    assert!(one.network.connected().is_empty());
    assert!(other.network.connected().is_empty());
    assert!(one.events.try_recv().is_none());
    assert!(other.events.try_recv().is_none());

    // An honest node still gets in.
    let honest = Node::start(NetworkConfig { peers: vec![one.peer()], ..config(3) }).await;
    one.expect_connected(honest.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_refused() {
    let one = Node::start(config(1)).await;
    let peers = vec![one.peer()];
    let allowed = keys([1, 200]);
    let stranger = Node::start(NetworkConfig { peers, allowed, ..config(200) }).await;
    gets_nowhere(one, stranger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_hears_nothing() {
    let one = Node::start(config(1)).await;
    let peers = vec![one.peer()];
    // Only the last bit of the chain id differs: protocol names alone would not tell.
    let mut other_chain = [7; 32];
    other_chain[31] ^= 1;
    let chain_id = ChainId::new(Digest::from_bytes(other_chain));
    let other = Node::start(NetworkConfig { peers, chain_id, ..config(2) }).await;
    gets_nowhere(one, other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_with_another_key_than_expected_is_not_trusted() {
    let mut one = Node::start(config(1)).await;
    let mut wrong = one.peer();
    wrong.key = key(4);
    let mut two = Node::start(NetworkConfig { peers: vec![wrong], ..config(2) }).await;
    let failed = "libp2p_swarm_outgoing_connection_error_total";
    wait_for(|| two.figure(failed, &["WrongPeerId"]) >= 2).await;
    assert!(one.network.connected().is_empty() && two.network.connected().is_empty());
    assert!(one.events.try_recv().is_none() && two.events.try_recv().is_none());
}
