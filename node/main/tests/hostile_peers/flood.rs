//! Row 5: the key of an edge node, which has no vote, sends forged votes and bad small batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chain_types::{
    BlockHash, Digest, Height, ParticipantId, Round, SecretKey, Signature, SignedBatch,
    ValidatorId, Vote, VoteStep, codec,
};
use consensus_core::{Message, SignedVote};
use node_network::{Event, Events, Lane};
use node_replica::{PEER_MESSAGE_BYTES_MAX, PeerMessage};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::figures::{Figures, Goal, Watch};
use crate::peer::{connect, identity};
use crate::support::{GATEWAYS, Network, collected, now};

/// Forged votes a second, to each validator.
const VOTES_PER_SECOND: u64 = 20_000;
/// Bad batches a second, to each validator.
const BATCHES_PER_SECOND: u64 = 2_000;
/// How often a part of them is sent, in milliseconds.
const EVERY_MS: u64 = 10;
/// The place of the edge node.
const EDGE: usize = 4;
const VALIDATORS: [usize; 4] = [0, 1, 2, 3];
/// Lines that a node may log in a run. Nobody reads more, and a disk is not for them.
const LOG_LINES_MAX: usize = 2_000;

/// The messages that the edge node sends while it is hostile.
struct Flood {
    hostile: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    _running: DropGuard,
}

impl Flood {
    async fn start(network: &Network) -> Self {
        let (config, identity) = identity(network, EDGE);
        let cancel = CancellationToken::new();
        let (edge, events) = connect(&config, &identity, cancel.clone()).await;
        let height = Arc::new(AtomicU64::new(0));
        let (hostile, sent) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        tokio::spawn(listen(events, height.clone()));
        let batches = bad_batches(network);
        let (flooding, count, stop) = (hostile.clone(), sent.clone(), cancel.clone());
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(Duration::from_millis(EVERY_MS));
            let mut number = 0;
            while !stop.is_cancelled() {
                interval.tick().await;
                if !flooding.load(Ordering::Relaxed) {
                    continue;
                }
                let next = Height::new(height.load(Ordering::Relaxed) + 1);
                for _ in 0..VOTES_PER_SECOND * EVERY_MS / 1_000 {
                    number += 1;
                    edge.broadcast(Lane::Consensus, forged_vote(next, number));
                }
                for at in 0..BATCHES_PER_SECOND * EVERY_MS / 1_000 {
                    let at = (number + at) as usize % batches.len();
                    edge.broadcast(Lane::Bulk, batches[at].clone());
                }
                count.store(number, Ordering::Relaxed);
            }
        });
        Self { hostile, sent, _running: cancel.drop_guard() }
    }
}

/// Hears how far the chain is: edge nodes are told.
async fn listen(mut events: Events, height: Arc<AtomicU64>) {
    while let Some(event) = events.recv().await {
        if let Event::Message { bytes, .. } = event
            && let Ok(PeerMessage::Status { height: said }) =
                codec::decode(&bytes, PEER_MESSAGE_BYTES_MAX)
        {
            height.fetch_max(said.get(), Ordering::Relaxed);
        }
    }
}

/// A vote like no other in a validator's name, with a signature that nobody made.
fn forged_vote(height: Height, number: u64) -> Bytes {
    let mut digest = [0xab; 32];
    digest[..8].copy_from_slice(&number.to_le_bytes());
    let mut signature = [0x11; 64];
    signature[..8].copy_from_slice(&number.to_le_bytes());
    let step = if number.is_multiple_of(2) { VoteStep::Prevote } else { VoteStep::Precommit };
    let vote = Vote {
        height,
        round: Round::new(0),
        step,
        block: Some(BlockHash::new(Digest::from_bytes(digest))),
    };
    let signed = SignedVote {
        vote,
        validator: ValidatorId::new((number % 4) as u32),
        signature: Signature::from_bytes(signature),
    };
    Bytes::from(codec::encode(&PeerMessage::Consensus(Message::Vote(signed))))
}

/// Batches of one order each that a stranger signed in a gateway's name.
fn bad_batches(network: &Network) -> Vec<Bytes> {
    let stranger = SecretKey::from_seed(&[9; 32]);
    let submitter = ParticipantId::new(GATEWAYS[0]);
    let until = now().plus(120_000);
    let sign =
        |_| SignedBatch::sign(network.chain_id, submitter, &stranger, until, &collected(1)).into();
    (0..256).map(sign).collect()
}

async fn measure(network: &Network, goal: Goal) -> (bool, Figures) {
    let watch = Watch::start(network, &VALIDATORS).await;
    let reached = watch.reaches(goal, || true).await;
    (reached, watch.end(None).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_node_that_floods_does_not_stop_the_chain() {
    let mut network = Network::new(&["--edges", "1"]);
    network.start_all(&VALIDATORS).await;
    let flood = Flood::start(&network).await;
    let goal = Goal { seconds: 10, blocks: 30, orders: 200 };
    let (_, honest) = measure(&network, goal).await;
    honest.print("5", "an edge node that says nothing");
    flood.hostile.store(true, Ordering::Relaxed);
    let goal = Goal { seconds: 15, ..goal };
    let (reached, figures) = measure(&network, goal).await;
    flood.hostile.store(false, Ordering::Relaxed);
    let votes = flood.sent.load(Ordering::Relaxed);
    let lines = VALIDATORS.map(|node| network.whole_log(node).lines().count());
    let lines = lines.into_iter().max().unwrap();
    figures.print("5", &format!("{votes} forged votes to each, {lines} log lines at most"));
    assert!(votes > 0);
    assert!(reached, "{goal:?}: {figures:?}");
    assert!(lines <= LOG_LINES_MAX, "{lines} lines: {}", network.log(0));
}
