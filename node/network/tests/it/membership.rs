//! Who may connect changes while the network runs.

use node_network::{Lane, NetworkConfig, RequestError};

use crate::node::{Node, config, keys, numbered, wait_for};

const REFUSED: &str = "libp2p_swarm_connections_incoming_error_total";

async fn talks(from: &Node, to: &mut Node) {
    for lane in Lane::ALL {
        from.network.send(to.key, lane, numbered(1, 8));
        assert_eq!(to.next_message().await, (from.key, lane, numbered(1, 8)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_added_is_let_in_and_who_is_removed_is_cut_off() {
    let mut one = Node::start(NetworkConfig { allowed: keys([1, 2]), ..config(1) }).await;
    let peers = vec![one.peer()];
    let mut two = Node::start(NetworkConfig { peers, allowed: keys([1, 2]), ..config(2) }).await;
    one.expect_connected(two.key).await;
    two.expect_connected(one.key).await;
    let peers = vec![one.peer(), two.peer()];
    let mut three = Node::start(NetworkConfig { peers, ..config(3) }).await;
    wait_for(|| one.figure(REFUSED, &[]) >= 2 && two.figure(REFUSED, &[]) >= 2).await;

    // Twice: who was cut off may be let in again.
    for _ in 0..2 {
        one.network.allow(keys([1, 2, 3]));
        one.expect_connected(three.key).await;
        three.expect_connected(one.key).await;
        talks(&one, &mut three).await;
        talks(&three, &mut one).await;
        assert_eq!(two.network.connected(), [one.key], "the other's list is its own");

        one.network.allow(keys([1, 2]));
        one.expect_disconnected(three.key).await;
        three.expect_disconnected(one.key).await;
        let seen = one.figure(REFUSED, &[]);
        wait_for(|| one.figure(REFUSED, &[]) > seen).await;
        assert_eq!(one.network.connected(), [two.key]);
        assert_eq!(one.figure("network_peers_connected", &[]), 1);
        let answer = one.network.request(three.key, "hello".into()).await;
        assert_eq!(answer, Err(RequestError::UnknownPeer));
        talks(&one, &mut two).await;
        talks(&two, &mut one).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_is_dialled_only_while_it_is_allowed() {
    let mut two = Node::start(config(2)).await;
    let peers = vec![two.peer()];
    let mut one = Node::start(NetworkConfig { peers, allowed: keys([1]), ..config(1) }).await;
    let dials = "libp2p_swarm_connections_outgoing_total";
    assert_eq!(one.figure(dials, &[]), 0);
    one.network.allow(keys([1, 2]));
    one.expect_connected(two.key).await;
    two.expect_connected(one.key).await;
    talks(&one, &mut two).await;
}
