//! Row 2: proposals that name a batch which nobody has, sixteen at a time, so that a node which
//! keeps no more than so many waits for them and drops the honest ones.

use chain_types::block::batches_root;
use chain_types::evidence::evidence_root;
use chain_types::{BatchId, Block, BlockHeader, Digest, Height, Round};
use consensus_core::Proposal;
use node_replica::{PeerMessage, WireBlock};

use crate::conduct::{Conduct, Own};
use crate::figures::{Goal, Watch};
use crate::peer::Peer;
use crate::support::Network;
use crate::{HONEST, HOSTILE};

/// The number of proposals that are repeated at each height.
const REPEATS: u32 = 16;

/// How the proposals of a height differ.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    Same,
    LaterRounds,
    OtherBlocks,
}

/// Proposes what cannot be executed, as soon as a height may begin, and votes honestly.
struct UnknownBatch {
    pattern: Pattern,
    parent: Option<WireBlock>,
}

impl UnknownBatch {
    fn proposals(&self, own: &Own, parent: &WireBlock) -> Vec<PeerMessage> {
        let height = parent.block.header.height.next();
        let turn = own.first_turn(height);
        let number = |repeat: u32| match self.pattern {
            Pattern::Same => (0, turn),
            Pattern::LaterRounds => (repeat, Round::new(turn.get() + repeat * own.turns())),
            Pattern::OtherBlocks => (repeat, turn),
        };
        let numbers = (0..REPEATS).map(number);
        numbers.map(|(batch, round)| propose(own, parent, height, round, batch)).collect()
    }
}

fn propose(own: &Own, parent: &WireBlock, height: Height, round: Round, batch: u32) -> PeerMessage {
    let mut id = [0xee; 32];
    id[..4].copy_from_slice(&batch.to_le_bytes());
    id[4..12].copy_from_slice(&height.get().to_le_bytes());
    let batches = vec![BatchId::new(Digest::from_bytes(id))];
    let before = &parent.block.header;
    let header = BlockHeader {
        height,
        round,
        parent_round: parent.certificate.round,
        proposer: own.id,
        time: before.time.plus(100),
        parent: parent.block.hash(),
        batch_count: 1,
        batches_root: batches_root(&batches),
        evidence_count: 0,
        evidence_root: evidence_root(&[]),
        ..before.clone()
    };
    let block = Block { header, batches, evidence: Vec::new() };
    let (hash, proposer) = (block.hash(), own.id);
    let proposal = Proposal { height, round, block: hash, valid_round: None, proposer };
    let parent = Some(parent.certificate.clone());
    PeerMessage::Proposal { proposal: own.sign_proposal(proposal), block, parent }
}

impl Conduct for UnknownBatch {
    /// Its replica's own blocks would be good ones.
    fn says(&mut self, own: &Own, _to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        if own.proposes_fresh(message) { Vec::new() } else { vec![message.clone()] }
    }

    /// Whoever has just committed the parent looks at proposals of the next height from now on.
    fn hears(&mut self, own: &Own, _from: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        match (message, &self.parent) {
            (PeerMessage::Status { height }, Some(parent))
                if *height == parent.block.header.height =>
            {
                self.proposals(own, parent)
            }
            _ => Vec::new(),
        }
    }

    fn committed(&mut self, own: &Own, block: &WireBlock) -> Vec<PeerMessage> {
        self.parent = Some(block.clone());
        self.proposals(own, block)
    }

    fn syncs_at_once(&self) -> bool {
        true
    }
}

async fn sixteen_proposals(pattern: Pattern, case: &str) {
    let mut network = Network::new(&[]);
    let _peer = Peer::start(&network, HOSTILE, UnknownBatch { pattern, parent: None }).await;
    network.start_all(&HONEST).await;
    let watch = Watch::start(&network, &HONEST).await;
    let goal = Goal { seconds: 10, blocks: 40, orders: 150 };
    let reached = watch.reaches(goal, || true).await;
    let figures = watch.end(Some(HOSTILE as u32)).await;
    figures.print("2", case);
    assert!(reached, "{goal:?}: {figures:?}");
    assert!(figures.honest_blocks * 2 >= figures.blocks, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proposal_of_an_unknown_batch_sent_often_does_not_stop_the_chain() {
    sixteen_proposals(Pattern::Same, "unknown batch, one proposal 16 times").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_batches_in_later_rounds_do_not_stop_the_chain() {
    sixteen_proposals(Pattern::LaterRounds, "unknown batches, 16 rounds").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_batches_of_many_blocks_do_not_stop_the_chain() {
    sixteen_proposals(Pattern::OtherBlocks, "unknown batches, 16 blocks").await;
}
