//! Row 7: an edge node says that it is at the greatest height and answers each request for blocks
//! with one block after nine seconds, while a validator without a disk catches up.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chain_types::{Height, codec};
use node_network::{Event, Events, Reply};
use node_replica::{PeerMessage, PeerRequest, PeerResponse, REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX};
use rpc_api::{BlockSelector, ChainRpcClient as _};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::figures::{Goal, Watch};
use crate::peer::{connect, identity};
use crate::support::{Network, PATIENCE, eventually};

/// Just within the time in which a request must be answered.
const DELAY: Duration = Duration::from_secs(9);
/// How often it says how far it is.
const BOAST_EVERY: Duration = Duration::from_millis(200);
/// The place of the edge node.
const EDGE: usize = 4;
/// The validator that loses its disk.
const WIPED: usize = 3;
const OTHERS: [usize; 3] = [0, 1, 2];

async fn start_edge(network: &Network) -> DropGuard {
    let (config, identity) = identity(network, EDGE);
    let cancel = CancellationToken::new();
    let (edge, events) = connect(&config, &identity, cancel.clone()).await;
    tokio::spawn(serve(edge, events, identity.genesis.nodes[0].network_key));
    cancel.drop_guard()
}

async fn serve(edge: node_network::Network, mut events: Events, source: chain_types::PublicKey) {
    let boast = PeerMessage::Status { height: Height::new(u64::MAX) };
    let boast = Bytes::from(codec::encode(&boast));
    let mut interval = tokio::time::interval(BOAST_EVERY);
    loop {
        tokio::select! {
            _ = interval.tick() => edge.broadcast(node_network::Lane::Consensus, boast.clone()),
            event = events.recv() => match event {
                None => return,
                Some(Event::Request { bytes, reply, .. }) => {
                    tokio::spawn(answer(edge.clone(), source, bytes, reply));
                }
                Some(_) => {}
            },
        }
    }
}

/// Gives one true block, late.
async fn answer(
    edge: node_network::Network,
    source: chain_types::PublicKey,
    bytes: Bytes,
    reply: Reply,
) {
    let Ok(PeerRequest::Blocks { from, .. }) = codec::decode(&bytes, REQUEST_BYTES_MAX) else {
        return;
    };
    let one = codec::encode(&PeerRequest::Blocks { from, count: 1 });
    tokio::time::sleep(DELAY).await;
    let Ok(block) = edge.request(source, Bytes::from(one)).await else { return };
    let is_block = codec::decode::<PeerResponse>(&block, RESPONSE_BYTES_MAX);
    assert!(matches!(is_block, Ok(PeerResponse::Blocks(_))));
    reply.send(block);
}

/// Returns true if the certificate of a block has the validator's signature.
async fn signs(network: &Network, height: u64, validator: u32) -> bool {
    let block = network.client(0).block(BlockSelector::Height(height)).await;
    let certificate = block.ok().and_then(|block| block.certificate);
    certificate.is_some_and(|certificate| certificate.signers.contains(&validator))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_liar_does_not_keep_a_validator_behind() {
    let mut network = Network::new(&["--edges", "1"]);
    network.start_all(&[0, 1, 2, WIPED]).await;
    let _edge = start_edge(&network).await;
    eventually("some chain to fetch", || async { network.height(0).await >= 20 }).await;
    network.kill(WIPED);
    std::fs::remove_dir_all(network.home(WIPED)).unwrap();
    let watch = Watch::start(&network, &OTHERS).await;
    eventually("a chain to fetch", || async { watch.reached().0 >= 150 }).await;
    let goal = network.height(0).await;
    network.start(WIPED);
    let started = Instant::now();
    // It is a newcomer, and catches up by blocks alone until it may vote.
    let mut voted = false;
    let mut caught_up = None;
    while started.elapsed() < PATIENCE && !voted {
        let (own, head) = (network.height(WIPED).await, network.height(0).await);
        if own >= goal && own + 3 >= head {
            caught_up = caught_up.or(Some(started.elapsed()));
        }
        voted = caught_up.is_some() && signs(&network, head, WIPED as u32).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (own, head) = (network.height(WIPED).await, network.height(0).await);
    let passed = started.elapsed();
    let reached = watch.reaches(Goal { seconds: 0, blocks: 150, orders: 300 }, || true).await;
    let figures = watch.end(None).await;
    let case = match caught_up {
        Some(after) => format!(
            "slow liar: caught up after {:.1} s, votes after {:.1} s",
            after.as_secs_f64(),
            passed.as_secs_f64()
        ),
        None => format!(
            "slow liar: from 0 to {own} in {:.0} s, the chain from {goal} to {head}",
            passed.as_secs_f64()
        ),
    };
    figures.print("7", &case);
    assert!(reached, "{figures:?}");
    assert!(voted, "it caught up ({caught_up:?}) and votes: {}", network.log(WIPED));
}
