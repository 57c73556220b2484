//! What a node's methods answer, over real sockets: a small chain in a real home, whose driver is
//! the test.

mod answers;
mod batches;
mod examples;
mod lists;
mod parameters;

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chain_state::WindowRecord;
use chain_types::{RateItem, TransferAction, TransferId, TransferItem};
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use node_network::{Limits, Network, NetworkConfig, Peer};
use node_replica::{NodeIndex, ReplicaProgress, Role, SharedScheduler, WaitingBatches, WaitsFor};
use prometheus_client::registry::Registry;
use rpc_server::{AccessRule, Server, ServerConfig};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::hub::Hub;
use crate::inbox::{InputReceiver, inbox};
use crate::observer::Observer;
use crate::outlooks::Outlooks;
use crate::rpc::{ServedNode, methods};
use crate::submissions::{Desk, Submissions};
use crate::vitals::Vitals;

const USD: Currency = Currency::new(840);
const SHOP_B: MerchantId = MerchantId::new(1002);
const PROVIDERS: [ParticipantId; 2] = [ParticipantId::new(301), ParticipantId::new(302)];
const AGENT: ParticipantId = ParticipantId::new(401);

/// The small chain with providers, an agent and a second merchant.
fn served_genesis() -> ChainGenesis {
    let mut genesis = genesis();
    genesis.currencies.push(USD);
    // As long as any test takes, the last block and what validators said are young enough.
    genesis.parameters.heartbeat_ms = 3_600_000;
    let party = |id: ParticipantId, roles| {
        Participant::new(id, format!("party {id}"), roles, key(1, id.get()).public_key())
    };
    genesis.participants.extend(PROVIDERS.map(|id| party(id, Roles::FX_PROVIDER)));
    genesis.participants.push(party(AGENT, Roles::SETTLEMENT_AGENT));
    genesis.participants.sort_by_key(|one| one.id);
    let shop = genesis.merchants[0].clone();
    genesis.merchants.push(Merchant { id: SHOP_B, name: "second shop".to_owned(), ..shop });
    genesis
}

/// The connections of a validator.
fn network_config(chain: &Chain, number: u32, peers: Vec<Peer>) -> NetworkConfig {
    NetworkConfig {
        chain_id: chain.genesis.chain_id,
        key: key(2, number),
        listen: "127.0.0.1:0".to_owned(),
        peers,
        allowed: chain.genesis.nodes.iter().map(|node| node.network_key).collect(),
        limits: Limits::default(),
    }
}

/// A chain over JSON-RPC; the server stops when it is dropped.
struct Served {
    chain: Chain,
    node: Arc<ServedNode>,
    inputs: InputReceiver,
    address: SocketAddr,
    network: Network,
    cancel: CancellationToken,
    /// The parts that live as long as this: server, connections, and a peer of this node.
    kept: Vec<Box<dyn Any>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Served {
    /// A node that is ready, as a validator that votes is.
    async fn start(chain: Chain) -> Self {
        Self::start_with(chain, ServerConfig::default()).await
    }

    /// The same behind a port with bounds of its own.
    async fn start_with(chain: Chain, config: ServerConfig) -> Self {
        let mut served = Self::start_cut_off_with(chain, config).await;
        let network = served.network.clone();
        let address = network.listen_address().to_string();
        let own = Peer { key: key(2, 0).public_key(), address };
        let config = network_config(&served.chain, 1, vec![own]);
        let cancel = served.cancel.clone();
        let peer = Network::start(config, &mut Registry::default(), cancel).await.unwrap();
        served.kept.push(Box::new(peer));
        while network.connected().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for validator in 0..VALIDATORS {
            served.node.vitals.hear(NodeIndex::new(validator), served.chain.height());
        }
        served.node.vitals.publish(ReplicaProgress {
            height: served.chain.height().next(),
            round: None,
            waits_for: WaitsFor::Work,
            role: Role::Votes(ValidatorId::new(0)),
            mute: None,
            peers: Vec::new(),
            passed_over: Vec::new(),
        });
        served
    }

    /// A node that no peer lets in.
    async fn start_cut_off(chain: Chain) -> Self {
        Self::start_cut_off_with(chain, ServerConfig::default()).await
    }

    async fn start_cut_off_with(chain: Chain, server_config: ServerConfig) -> Self {
        let (cancel, mut registry) = (CancellationToken::new(), Registry::default());
        let own_key = key(2, 0).public_key();
        let config = network_config(&chain, 0, Vec::new());
        let (network, events) =
            Network::start(config, &mut registry, cancel.clone()).await.unwrap();
        let hub = Arc::new(Hub::new(chain.height()));
        let vitals = Arc::new(Vitals::new(chain.height(), Duration::ZERO));
        let state = chain.state.clone();
        let observer = Observer::new(vitals.clone(), state.clone(), network.clone(), own_key);
        let (sender, inputs) = inbox();
        let desk =
            Desk { chain_id: chain.genesis.chain_id, state, hub: hub.clone(), inputs: sender };
        let shares = SharedScheduler::default();
        let node = Arc::new(ServedNode {
            name: "node-0".to_owned(),
            keys: Some((own_key, key(3, 0).public_key())),
            wait_ms_max: server_config.wait_ms_max,
            genesis: chain.genesis.clone(),
            orders: chain.orders(),
            hub,
            vitals: vitals.clone(),
            observer: Arc::new(observer),
            waiting: WaitingBatches::default(),
            outlooks: Outlooks {
                chain_id: chain.genesis.chain_id,
                network_key: own_key,
                key: key(3, 0),
                state: chain.state.clone(),
                shares: shares.clone(),
                vitals: vitals.clone(),
                last: Mutex::default(),
            },
            shares,
            submissions: Submissions::start(desk),
            started: Instant::now(),
        });
        let (served, asked) = (node.clone(), node.clone());
        let server = Server::start(
            ServerConfig { access: AccessRule::Open, ..server_config },
            |reader| methods(&served, reader),
            Arc::new(move || asked.health()),
            Arc::new(Mutex::new(registry)),
            cancel.clone(),
        )
        .unwrap();
        let address = server.local_address();
        let kept: Vec<Box<dyn Any>> = vec![Box::new(events), Box::new(server)];
        Self { chain, node, inputs, address, network, cancel, kept }
    }

    fn http(&self) -> HttpClient {
        HttpClientBuilder::default().build(format!("http://{}", self.address)).unwrap()
    }

    async fn ws(&self) -> WsClient {
        WsClientBuilder::default().build(format!("ws://{}", self.address)).await.unwrap()
    }

    /// The next block, told to those who wait for it.
    fn block(&mut self, after_ms: u64, batches: Vec<VerifiedBatch>) -> Vec<Vec<Outcome>> {
        let outcomes = self.chain.block(after_ms, batches);
        let block = self.chain.store.block(self.chain.height()).unwrap().unwrap().block;
        self.node.hub.committed(&block, &outcomes);
        outcomes
    }

    /// The answer to a body as it is.
    async fn post(&self, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, json) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

/// The days in the books of [`busy`].
struct Days {
    roads: Roads,
    held: [OrderId; 2],
    transfers: [TransferId; 2],
    user: [u8; 16],
    /// Windows of both instructions.
    windows: [WindowId; 2],
}

/// At least two of everything that is listed.
fn busy(chain: &mut Chain) -> Days {
    let roads = history(chain);
    assert_eq!(chain.give_back(roads.one_step, 200, 2), Outcome::APPLIED);
    let user = chain.recharge(1, 0).user;
    for merchant in [SHOP, SHOP_B] {
        chain.govern(&Change::Programme(programme(merchant)));
    }
    let mut of_gateway = hold_large_orders();
    (of_gateway.scope, of_gateway.subject) = (1.into(), u64::from(BANK_A.get()).into());
    assert_eq!(chain.say(DESK, of_gateway), Outcome::APPLIED);
    let held = [3, 4].map(|more| {
        let order = chain.recharge(HOLD_ABOVE + more, 0);
        assert_eq!(chain.say(SERVICE, order), Outcome::HELD);
        order.order_id()
    });
    let transfers = [BANK_A, BANK_B].map(|owner| {
        let item = deposit(chain, owner);
        assert_eq!(chain.say(AGENT, item), Outcome::APPLIED);
        item.transfer_id()
    });
    for provider in PROVIDERS {
        for mantissa in [140, 141] {
            let rate = RateItem::new((CNY, USD), (mantissa, 3), chain.time());
            assert_eq!(chain.say(provider, rate), Outcome::APPLIED);
        }
    }
    // Nobody attests these instructions: both windows have breaches, and one its own.
    let windows = [SHOP, SHOP_B].map(|merchant| {
        let mut order = chain.recharge(1_000, Flags::COLLECTED);
        order.merchant = merchant.get().into();
        let window = read_state(&chain.state).window();
        let batch = chain.batch(BANK_A, &key(4, BANK_A.get()), &[order]);
        assert_eq!(chain.block(200, vec![batch])[0].len(), 1);
        chain.block(1_000, vec![]);
        window
    });
    Days { roads, held, transfers, user, windows }
}

fn programme(merchant: MerchantId) -> Programme {
    Programme {
        merchant,
        currency: CNY,
        tiers: vec![CashbackTier::DEFAULT],
        order_max: Amount::new(0),
        user_month_max: Amount::new(900),
        offset_min: 0,
        is_active: true,
        order_least: Amount::new(13),
        gateways: Vec::new(),
    }
}

fn deposit(chain: &mut Chain, owner: ParticipantId) -> TransferItem {
    chain.numbers += 1;
    TransferItem {
        transfer_id: OrderId::new(chain.time(), [chain.numbers; 10]).bytes(),
        action: TransferAction::Deposit.number().into(),
        account_kind: u16::from(AccountKey::liquidity(owner, CNY).kind.number()).into(),
        owner: u64::from(owner.get()).into(),
        currency: CNY.get().into(),
        amount: 500.into(),
        reference: [6; 32],
        spare: [0; 26],
    }
}

/// A chain with [`busy`] days, and a node that serves it.
async fn busy_node() -> (Served, Days) {
    let mut chain = Chain::of(served_genesis());
    let days = busy(&mut chain);
    (Served::start(chain).await, days)
}

fn open_window(chain: &Chain) -> WindowRecord {
    read_state(&chain.state).open_window()
}
