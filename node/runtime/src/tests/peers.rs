//! Nodes over real connections, each driven by hand: batches, and what a hostile key may send.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use node_network::{Lane, Limits, Network, NetworkConfig, Peer, Throttle};
use node_replica::{Input, NodeIndex, PeerMessage, PeerRequest, REQUEST_BATCHES_MAX};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::hub::Hub;
use crate::inbox::{InputReceiver, inbox};
use crate::peers::{Directory, PeerWork, Peers};
use crate::vitals::Vitals;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The node after the validators, which has no power.
const EDGE: u32 = VALIDATORS;

/// A node's side of its connections, and what its driver would get.
struct Side {
    peers: Peers,
    inputs: InputReceiver,
    registry: Registry,
    own: PublicKey,
}

/// The chain's validators and an edge.
fn registered(chain: &Chain) -> Vec<Node> {
    let mut nodes = read_state(&chain.state).nodes().to_vec();
    let network_key = key(2, EDGE).public_key();
    nodes.push(Node {
        name: format!("node-{EDGE}"),
        operator: OPERATOR,
        network_key,
        validator_key: network_key,
        power: 0,
    });
    nodes
}

impl Side {
    async fn start(
        chain: &Chain,
        number: u32,
        dials: Option<&Side>,
        cancel: &CancellationToken,
    ) -> Self {
        let (height, nodes) = (chain.height(), registered(chain));
        let network_key = key(2, number);
        let own = network_key.public_key();
        let directory = Arc::new(Directory::new(height, &nodes, own));
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
        let mut registry = Registry::default();
        let (network, events) =
            Network::start(config, &mut registry, cancel.clone()).await.unwrap();
        let (sender, inputs) = inbox();
        let peers = Peers {
            chain_id: chain.genesis.chain_id,
            network,
            directory,
            inputs: sender,
            state: chain.state.clone(),
            store: chain.store.clone(),
            hub: Arc::new(Hub::new(Height::new(0))),
            vitals: Arc::new(Vitals::new(Height::new(0), Duration::ZERO)),
            read_faults: Arc::new(Mutex::new(Throttle::default())),
        };
        tokio::spawn(peers.clone().listen(events, cancel.clone()));
        Self { peers, inputs, registry, own }
    }

    fn next(&self) -> Input {
        self.inputs.recv_timeout(PATIENCE).expect("an input in time")
    }

    /// The sum of the figures whose line starts with `name` and holds `label`.
    fn figure(&self, name: &str, label: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    async fn wait_for_figure(&self, name: &str, label: &str, value: u64) {
        let reached = async {
            while self.figure(name, label) < value {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("the figure in time");
    }

    fn says(&self, to: &Side, message: &PeerMessage) {
        let bytes = Bytes::from(codec::encode(message));
        self.peers.network.send(to.own, Lane::Consensus, bytes);
    }
}

/// Small batches, each another.
fn arrivals(chain: &Chain, count: u64) -> Vec<VerifiedBatch> {
    let item = |window: u64| ArrivalItem {
        window: window.into(),
        merchant: SHOP.get().into(),
        amount: 100.into(),
        currency: CNY.get().into(),
        reference: [7; 32],
        attempt: 1.into(),
        spare: [0; 4],
    };
    (0..count).map(|window| chain.batch(BANK_B, &key(1, BANK_B.get()), &[item(window)])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_sent_and_batches_asked_for_reach_the_driver() {
    let chain = Chain::new();
    let cancel = CancellationToken::new();
    let one = Side::start(&chain, 0, None, &cancel).await;
    let two = Side::start(&chain, 1, Some(&one), &cancel).await;
    assert!(matches!(one.next(), Input::Connected(node) if node == NodeIndex::new(1)));
    assert!(matches!(two.next(), Input::Connected(node) if node == NodeIndex::new(0)));

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
    work.send(PeerWork::Batches { from: NodeIndex::new(0), ids: vec![id] }).await.unwrap();
    let Input::BatchesWanted { ids, token } = one.next() else { panic!("nothing is asked") };
    assert_eq!(ids, [id]);
    one.peers.hub.found(token, vec![wanted], Vec::new());
    let Input::Batch(arrived) = two.next() else { panic!("no batch") };
    assert_eq!(arrived.id(), id);
    cancel.cancel();
}

/// A prevote of `author` in a round, signed with the vote key of `signer`.
fn vote(chain: &Chain, author: u32, signer: &SecretKey, round: u32) -> PeerMessage {
    let (height, step) = (chain.height().next(), VoteStep::Prevote);
    let vote = Vote { height, round: Round::new(round), step, block: None };
    let signature = signer.sign(&vote.digest(chain.genesis.chain_id));
    let validator = ValidatorId::new(author);
    PeerMessage::Consensus(Message::Vote(SignedVote { vote, validator, signature }))
}

/// A listening node, the honest validator 1, and a hostile node of any number, all linked.
async fn with_a_villain(
    chain: &Chain,
    number: u32,
    cancel: &CancellationToken,
) -> (Side, Side, Side) {
    let one = Side::start(chain, 0, None, cancel).await;
    let honest = Side::start(chain, 1, Some(&one), cancel).await;
    let villain = Side::start(chain, number, Some(&one), cancel).await;
    for side in [&honest, &villain] {
        assert!(matches!(side.next(), Input::Connected(node) if node == NodeIndex::new(0)));
        assert!(matches!(one.next(), Input::Connected(_)));
    }
    (one, honest, villain)
}

/// The honest validator's next votes arrive, and nothing else but news of links.
fn only_the_honest_are_heard(chain: &Chain, one: &Side, honest: &Side) {
    for round in 0..20 {
        honest.says(one, &vote(chain, 1, &key(3, 1), round));
    }
    let mut rounds = 0..20;
    while !rounds.is_empty() {
        match one.next() {
            Input::Message { from, message } if from == NodeIndex::new(1) => {
                assert_eq!(message, vote(chain, 1, &key(3, 1), rounds.next().unwrap()));
            }
            Input::Connected(node) | Input::Disconnected(node) => {
                assert_ne!(node, NodeIndex::new(1));
            }
            other => panic!("the driver hears {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_votes_ban_their_sender_and_the_honest_are_heard() {
    let chain = Chain::new();
    let rows: [(&str, u32, u32, SecretKey); 3] = [
        ("Forged", 2, 1, key(3, 2)),
        ("Powerless", EDGE, EDGE, key(2, EDGE)),
        ("Powerless", EDGE, 1, key(2, EDGE)),
    ];
    for (kind, villain, author, signer) in rows {
        let cancel = CancellationToken::new();
        let (one, honest, villain) = with_a_villain(&chain, villain, &cancel).await;
        for round in 0..500 {
            villain.says(&one, &vote(&chain, author, &signer, round));
        }
        one.wait_for_figure("network_bans_total", "peer", 1).await;
        only_the_honest_are_heard(&chain, &one, &honest);
        let strikes = one.figure("network_strikes_total", &format!("kind=\"{kind}\""));
        assert_eq!(strikes, 3, "a flood costs three messages a ban: {kind}");
        assert_eq!(one.figure("network_strikes_total", "kind"), 3);
        cancel.cancel();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_decode_bans_its_sender_on_every_road() {
    let chain = Chain::new();
    let cancel = CancellationToken::new();
    let (one, honest, villain) = with_a_villain(&chain, EDGE, &cancel).await;
    let network = &villain.peers.network;
    let nonsense = Bytes::from_static(&[255; 300]);
    network.send(one.own, Lane::Consensus, nonsense.clone());
    assert!(network.request(one.own, nonsense.clone()).await.is_err());
    one.wait_for_figure("network_strikes_total", "Undecodable", 2).await;
    network.send(one.own, Lane::Bulk, Bytes::from_static(b"no batch"));
    one.wait_for_figure("network_bans_total", "peer", 1).await;
    only_the_honest_are_heard(&chain, &one, &honest);
    cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_under_an_unknown_key_are_counted_and_slow_down_their_sender_alone() {
    let chain = Chain::new();
    let cancel = CancellationToken::new();
    let (one, honest, villain) = with_a_villain(&chain, EDGE, &cancel).await;
    // As an honest peer sends for a moment, while a key is being rotated.
    let sent = arrivals(&chain, 100);
    for batch in &sent {
        let mut wrong = batch.bytes().to_vec();
        wrong[100] ^= 1;
        villain.peers.network.send(one.own, Lane::Bulk, Bytes::from(wrong));
        honest.peers.network.send(one.own, Lane::Bulk, batch.bytes().clone());
    }
    for batch in &sent {
        let Input::Batch(arrived) = one.next() else { panic!("no batch") };
        assert_eq!(arrived.id(), batch.id());
    }
    one.wait_for_figure("network_strikes_total", "Unverifiable", 100).await;
    assert_eq!(one.figure("network_bans_total", "peer"), 0);
    // What is sent twice is taken once.
    honest.peers.network.send(one.own, Lane::Bulk, sent[0].bytes().clone());
    one.wait_for_figure("network_ignored_total", "Duplicate", 1).await;
    cancel.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_batches_than_a_request_may_name_are_an_offence_on_both_sides() {
    let chain = Chain::new();
    let cancel = CancellationToken::new();
    let one = Side::start(&chain, 0, None, &cancel).await;
    let two = Side::start(&chain, 1, Some(&one), &cancel).await;
    assert!(matches!(one.next(), Input::Connected(node) if node == NodeIndex::new(1)));
    assert!(matches!(two.next(), Input::Connected(node) if node == NodeIndex::new(0)));
    let held = arrivals(&chain, REQUEST_BATCHES_MAX as u64 + 1);
    let ids: Vec<_> = held.iter().map(VerifiedBatch::id).collect();
    let request = PeerRequest::Batches(ids.clone());
    let asked = two.peers.network.request(one.own, codec::encode(&request).into()).await;
    assert!(asked.is_err(), "asked for one more than any honest node");
    one.wait_for_figure("network_strikes_total", "Invalid", 1).await;

    let (work, questions) = tokio::sync::mpsc::channel(1);
    tokio::spawn(two.peers.clone().ask(questions));
    let ids = ids[..REQUEST_BATCHES_MAX].to_vec();
    work.send(PeerWork::Batches { from: NodeIndex::new(0), ids: ids.clone() }).await.unwrap();
    let Input::BatchesWanted { ids: wanted, token } = one.next() else { panic!("not asked") };
    assert_eq!(wanted, ids, "as many as a request names are answered");
    one.peers.hub.found(token, held, Vec::new());
    two.wait_for_figure("network_strikes_total", "Invalid", 1).await;
    cancel.cancel();
}
