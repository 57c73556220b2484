//! A node for tests: a network, its events and its figures.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use chain_types::{ChainId, Digest, PublicKey, SecretKey};
use node_network::{
    Event, Events, Lane, LaneLimits, Limits, Network, NetworkConfig, NetworkFault, Peer,
};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

/// A guard against hanging, never a measure.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));

pub fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

pub fn key(number: u8) -> PublicKey {
    secret(number).public_key()
}

pub fn keys(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<PublicKey> {
    numbers.into_iter().map(key).collect()
}

/// Quick to try again and generous with budgets, so that tests need not wait.
pub fn limits() -> Limits {
    let defaults = Limits::default();
    let consensus = LaneLimits { budget_messages_per_second: 50_000, ..defaults.consensus };
    let bulk = LaneLimits { budget_bytes_per_second: 10_000_000_000, ..defaults.bulk };
    Limits {
        consensus,
        bulk,
        redial_min: Duration::from_millis(20),
        redial_max: Duration::from_millis(100),
        ..Limits::default()
    }
}

/// Node `number`, allowing nodes 1 to 9.
pub fn config(number: u8) -> NetworkConfig {
    NetworkConfig {
        chain_id: CHAIN,
        key: secret(number),
        listen: "127.0.0.1:0".to_owned(),
        peers: Vec::new(),
        allowed: keys(1..10),
        limits: limits(),
    }
}

pub struct Node {
    pub key: PublicKey,
    pub network: Network,
    pub events: Events,
    registry: Registry,
    cancel: CancellationToken,
}

impl Node {
    pub async fn start(config: NetworkConfig) -> Self {
        Self::try_start(config).await.unwrap()
    }

    pub async fn try_start(config: NetworkConfig) -> Result<Self, NetworkFault> {
        let key = config.key.public_key();
        let mut registry = Registry::default();
        let cancel = CancellationToken::new();
        let (network, events) = Network::start(config, &mut registry, cancel.clone()).await?;
        Ok(Self { key, network, events, registry, cancel })
    }

    /// This node, as one to dial.
    pub fn peer(&self) -> Peer {
        Peer { key: self.key, address: self.network.listen_address().to_string() }
    }

    pub async fn stop(&self) {
        self.cancel.cancel();
        tokio::time::timeout(PATIENCE, self.network.wait_stopped()).await.unwrap();
    }

    pub async fn next(&mut self) -> Event {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event.expect("no event came").expect("the events ended")
    }

    pub async fn expect_connected(&mut self, peer: PublicKey) {
        match self.next().await {
            Event::Connected(connected) if connected == peer => {}
            other => panic!("not connected, but {other:?}"),
        }
    }

    pub async fn expect_disconnected(&mut self, peer: PublicKey) {
        match self.next().await {
            Event::Disconnected(gone) if gone == peer => {}
            other => panic!("not disconnected, but {other:?}"),
        }
    }

    /// The next message, whatever else happens before.
    pub async fn next_message(&mut self) -> (PublicKey, Lane, Bytes) {
        loop {
            if let Event::Message { from, lane, bytes, .. } = self.next().await {
                return (from, lane, bytes);
            }
        }
    }

    /// Waits until this node and `peers` others are linked.
    pub async fn wait_peers(&self, peers: usize) {
        wait_for(|| self.network.connected().len() == peers).await;
    }

    /// The sum of the figures whose line starts with `name` and holds all of `labels`.
    pub fn figure(&self, name: &str, labels: &[&str]) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let fits = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        };
        let value = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64;
        text.lines().filter(fits).map(value).sum()
    }
}

pub async fn wait_for(mut holds: impl FnMut() -> bool) {
    let held = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.expect("it never came to hold");
}

/// `count` linked nodes, numbered from 1; each dials all that started before it.
pub async fn cluster(count: u8, limits: Limits) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in 1..=count {
        let peers = nodes.iter().map(Node::peer).collect();
        nodes.push(Node::start(NetworkConfig { peers, limits, ..config(number) }).await);
    }
    for node in &nodes {
        node.wait_peers(usize::from(count) - 1).await;
    }
    for node in &mut nodes {
        for _ in 1..count {
            assert!(matches!(node.next().await, Event::Connected(_)));
        }
    }
    nodes
}

/// A message that tells its sender's number, its place in the order, and its length.
pub fn numbered(place: usize, length: usize) -> Bytes {
    let mut bytes = vec![place as u8; length.max(8)];
    bytes[..8].copy_from_slice(&(place as u64).to_le_bytes());
    Bytes::from(bytes)
}

/// The place that [`numbered`] wrote, having checked every byte.
pub fn place(bytes: &Bytes) -> usize {
    let place = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert!(*bytes == numbered(place, bytes.len()), "message {place} arrived changed");
    place
}
