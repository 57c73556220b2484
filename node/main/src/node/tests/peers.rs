//! Batches between two nodes over a real connection, each driven by hand.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use node_network::{Lane, Limits, Network, NetworkConfig, Peer};
use node_replica::{Input, NodeIndex};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::node::hub::Hub;
use crate::node::peers::{Directory, PeerWork, Peers};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node's side of its connections, and what its driver would get.
struct Side {
    peers: Peers,
    inputs: Receiver<Input>,
}

impl Side {
    async fn start(
        chain: &Chain,
        number: u32,
        dials: Option<&Side>,
        cancel: &CancellationToken,
    ) -> Self {
        let nodes = read_state(&chain.state).nodes().to_vec();
        let network_key = key(2, number);
        let directory = Arc::new(Directory::new(&nodes, network_key.public_key()));
        let peer = |side: &Side| Peer {
            key: key(2, 0).public_key(),
            address: side.peers.network.listen_address().to_string(),
        };
        let config = NetworkConfig {
            chain_id: chain.genesis.chain_id,
            key: network_key,
            listen: "127.0.0.1:0".to_owned(),
            peers: dials.map(peer).into_iter().collect(),
            allowed: nodes.iter().map(|node| node.network_key).collect::<BTreeSet<_>>(),
            limits: Limits::default(),
        };
        let (network, events) =
            Network::start(config, &mut Registry::default(), cancel.clone()).await.unwrap();
        let (sender, inputs) = sync_channel(64);
        let peers = Peers {
            chain_id: chain.genesis.chain_id,
            network,
            directory,
            inputs: sender,
            state: chain.state.clone(),
            store: chain.store.clone(),
            hub: Arc::new(Hub::new(Height(0))),
        };
        tokio::spawn(peers.clone().listen(events, cancel.clone()));
        Self { peers, inputs }
    }

    fn next(&self) -> Input {
        self.inputs.recv_timeout(PATIENCE).expect("an input in time")
    }
}

/// Small batches, each another.
fn arrivals(chain: &Chain, count: u64) -> Vec<VerifiedBatch> {
    let item = |window: u64| ArrivalItem {
        window: window.into(),
        merchant: SHOP.0.into(),
        amount: 100.into(),
        currency: CNY.0.into(),
        reference: [7; 32],
        spare: [0; 6],
    };
    (0..count).map(|window| chain.batch(BANK_B, &key(1, BANK_B.0), &[item(window)])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_sent_and_batches_asked_for_reach_the_driver() {
    let chain = Chain::new();
    let cancel = CancellationToken::new();
    let one = Side::start(&chain, 0, None, &cancel).await;
    let two = Side::start(&chain, 1, Some(&one), &cancel).await;
    assert!(matches!(one.next(), Input::Connected(NodeIndex(1))));
    assert!(matches!(two.next(), Input::Connected(NodeIndex(0))));

    // Small ones that arrive together, a wrong one among them.
    let sent = arrivals(&chain, 100);
    for batch in &sent {
        let mut wrong = batch.bytes().to_vec();
        wrong[100] ^= 1;
        for bytes in [Bytes::from(wrong), batch.bytes().clone()] {
            one.peers.network.send(key(2, 1).public_key(), Lane::Bulk, bytes);
        }
    }
    for batch in &sent {
        let Input::Batch(arrived) = two.next() else { panic!("no batch") };
        assert_eq!(arrived.id(), batch.id());
    }

    // One that a proposal names and that never arrived.
    let wanted = arrivals(&chain, 101).pop().unwrap();
    let id = wanted.id();
    let (work, questions) = tokio::sync::mpsc::channel(1);
    tokio::spawn(two.peers.clone().ask(questions));
    work.send(PeerWork::Batches { from: NodeIndex(0), ids: vec![id] }).await.unwrap();
    let Input::BatchesWanted { ids, token } = one.next() else { panic!("nothing is asked") };
    assert_eq!(ids, [id]);
    one.peers.hub.found(token, vec![wanted], Vec::new());
    let Input::Batch(arrived) = two.next() else { panic!("no batch") };
    assert_eq!(arrived.id(), id);
    cancel.cancel();
}
