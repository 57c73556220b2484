//! Row 3: a good signed proposal to two validators, the same signed header with another batch list
//! to the third, then silence for the rest of the height. Two lock the block; a third that refuses
//! its hash for ever would hold up the chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chain_types::{BatchId, Block, BlockHash, Digest, Height, VoteStep};
use consensus_core::Message;
use node_replica::PeerMessage;

use crate::conduct::{Conduct, Own};
use crate::figures::{Goal, Watch};
use crate::peer::Peer;
use crate::support::Network;
use crate::{HONEST, HOSTILE};

/// Shows one validator another batch list under the same header.
#[derive(Default)]
struct OtherList {
    /// The height at which it is silent but for its prevote for this block.
    silent: Option<(Height, BlockHash)>,
    proposed: Arc<AtomicUsize>,
}

/// The same header with a list that is too long, too short or in another order.
fn with_other_list(block: &Block) -> Block {
    let mut other = block.clone();
    let height = block.header.height.0;
    match height % 3 {
        0 if block.batches.len() > 1 => other.batches.reverse(),
        1 if !block.batches.is_empty() => other.batches.truncate(block.batches.len() - 1),
        _ => other.batches.push(BatchId(Digest([0xdd; 32]))),
    }
    other
}

impl Conduct for OtherList {
    fn says(&mut self, own: &Own, to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        let mut said = message.clone();
        match &mut said {
            PeerMessage::Status { .. } => return vec![said],
            PeerMessage::Proposal { proposal, block, .. } if own.proposes_fresh(message) => {
                let height = proposal.proposal.height;
                let shown = (height, block.hash());
                if self.silent.is_some_and(|(silent, hash)| silent == height && hash != shown.1) {
                    return Vec::new();
                }
                if self.silent.replace(shown) != Some(shown) {
                    self.proposed.fetch_add(1, Ordering::Relaxed);
                }
                // The hostile validator has the highest place.
                if u64::from(to) == height.0 % u64::from(own.turns() - 1) {
                    *block = with_other_list(block);
                }
                return vec![said];
            }
            _ => {}
        }
        let Some((silent, hash)) = self.silent else { return vec![said] };
        let is_prevote = match message {
            PeerMessage::Consensus(Message::Vote(signed)) => {
                signed.vote.step == VoteStep::Prevote && signed.vote.block == Some(hash)
            }
            _ => false,
        };
        let speaks = height_of(message) != Some(silent) || is_prevote;
        if speaks { vec![said] } else { Vec::new() }
    }
}

fn height_of(message: &PeerMessage) -> Option<Height> {
    match message {
        PeerMessage::Consensus(message) => Some(message.height()),
        PeerMessage::Proposal { proposal, .. } => Some(proposal.proposal.height),
        PeerMessage::Status { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_batch_list_for_one_validator_does_not_stop_the_chain() {
    let mut network = Network::new(&[]);
    let hostile = OtherList::default();
    let proposed = hostile.proposed.clone();
    let _peer = Peer::start(&network, HOSTILE, hostile).await;
    network.start_all(&HONEST).await;
    let watch = Watch::start(&network, &HONEST).await;
    let goal = Goal { seconds: 20, blocks: 40, orders: 300 };
    let reached = watch.reaches(goal, || proposed.load(Ordering::Relaxed) >= 2).await;
    let figures = watch.end(Some(HOSTILE as u32)).await;
    let attempts = proposed.load(Ordering::Relaxed);
    figures.print("3", &format!("another batch list for one of three, {attempts} times"));
    assert!(reached, "{goal:?}: {figures:?}");
    assert!(figures.honest_blocks * 2 >= figures.blocks, "{figures:?}");
}
