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
    /// The highest height that another node says it has committed.
    others: Height,
    proposed: Arc<AtomicUsize>,
}

impl OtherList {
    /// Below this height it is honest; from it on, it is silent until others have decided it.
    fn holds_back_from(&self) -> Option<Height> {
        self.silent.map(|(height, _)| height).filter(|height| *height > self.others)
    }

    /// Its own fresh proposal, as it is shown to one validator; one a height.
    fn propose(&mut self, own: &Own, to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        let mut said = message.clone();
        let PeerMessage::Proposal { proposal, block, .. } = &mut said else { return vec![said] };
        let height = proposal.proposal.height;
        let shown = (height, block.hash());
        if self.silent.is_some_and(|(silent, hash)| silent == height && hash != shown.1) {
            return Vec::new();
        }
        if self.silent.replace(shown) != Some(shown) {
            self.proposed.fetch_add(1, Ordering::Relaxed);
        }
        // The hostile validator has the highest place.
        if u64::from(to) == height.get() % u64::from(own.turns() - 1) {
            *block = with_other_list(block);
        }
        vec![said]
    }
}

/// The same header with a list that is too long, too short or in another order.
fn with_other_list(block: &Block) -> Block {
    let mut other = block.clone();
    let height = block.header.height.get();
    match height % 3 {
        0 if block.batches.len() > 1 => other.batches.reverse(),
        1 if !block.batches.is_empty() => other.batches.truncate(block.batches.len() - 1),
        _ => other.batches.push(BatchId::new(Digest::from_bytes([0xdd; 32]))),
    }
    other
}

impl Conduct for OtherList {
    fn says(&mut self, own: &Own, to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        if own.proposes_fresh(message) {
            return self.propose(own, to, message);
        }
        let Some((silent, hash)) = self.silent else { return vec![message.clone()] };
        let is_prevote = match message {
            PeerMessage::Consensus(Message::Vote(signed)) => {
                signed.vote.step == VoteStep::Prevote && signed.vote.block == Some(hash)
            }
            _ => false,
        };
        let about = height_of(message);
        let holds_back = self.holds_back_from().is_some_and(|from| about >= Some(from));
        let speaks = is_prevote || !(holds_back || about == Some(silent) && !is_status(message));
        if speaks { vec![message.clone()] } else { Vec::new() }
    }

    fn hears(&mut self, _own: &Own, _from: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        if let PeerMessage::Status { height } = message {
            self.others = self.others.max(*height);
        }
        Vec::new()
    }

    /// Its own precommit is in the certificate of what it alone has decided.
    fn serves_up_to(&self) -> Height {
        let below = self.holds_back_from().and_then(Height::previous);
        below.unwrap_or(Height::new(u64::MAX))
    }
}

fn is_status(message: &PeerMessage) -> bool {
    matches!(message, PeerMessage::Status { .. })
}

fn height_of(message: &PeerMessage) -> Option<Height> {
    match message {
        PeerMessage::Consensus(message) => Some(message.height()),
        PeerMessage::Proposal { proposal, .. } => Some(proposal.proposal.height),
        PeerMessage::Votes(votes) => votes.first().map(|signed| signed.vote.height),
        PeerMessage::Status { height } => Some(*height),
        PeerMessage::Ask { .. } | PeerMessage::Heard { .. } => None,
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
