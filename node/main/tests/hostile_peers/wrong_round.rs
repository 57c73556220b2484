//! Row 1: at its own turn a validator proposes a good block that says it was first proposed four
//! rounds later. The turn is the same, so a node that takes the field as it is passes over the
//! other three.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chain_types::{BlockHash, Round};
use consensus_core::Message;
use node_replica::PeerMessage;

use crate::conduct::{Conduct, Own};
use crate::figures::{Goal, Watch};
use crate::peer::Peer;
use crate::support::Network;
use crate::{HONEST, HOSTILE};

/// Writes a later round into its blocks, and votes for them.
#[derive(Default)]
struct WrongRound {
    /// Its replica's block, and the one proposed in its place.
    changed: Option<(BlockHash, BlockHash)>,
    proposed: Arc<AtomicUsize>,
}

impl Conduct for WrongRound {
    fn says(&mut self, own: &Own, _to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        let fresh = own.proposes_fresh(message);
        let mut message = message.clone();
        match &mut message {
            PeerMessage::Proposal { proposal, block, .. } if fresh => {
                let honest = block.hash();
                let round = block.header.round;
                block.header.round = Round::new(round.get() + own.turns());
                proposal.proposal.block = block.hash();
                *proposal = own.sign_proposal(proposal.proposal);
                if self.changed.replace((honest, block.hash())) != self.changed {
                    self.proposed.fetch_add(1, Ordering::Relaxed);
                }
            }
            PeerMessage::Consensus(Message::Vote(signed)) => {
                if let Some((honest, changed)) = self.changed
                    && signed.vote.block == Some(honest)
                {
                    signed.vote.block = Some(changed);
                    own.sign_again(signed);
                }
            }
            _ => {}
        }
        vec![message]
    }

    fn syncs_at_once(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_that_lies_about_the_round_does_not_own_the_chain() {
    let mut network = Network::new(&[]);
    let hostile = WrongRound::default();
    let proposed = hostile.proposed.clone();
    let _peer = Peer::start(&network, HOSTILE, hostile).await;
    network.start_all(&HONEST).await;
    let watch = Watch::start(&network, &HONEST).await;
    let goal = Goal { seconds: 20, blocks: 60, orders: 300 };
    let reached = watch.reaches(goal, || proposed.load(Ordering::Relaxed) >= 2).await;
    let figures = watch.end(Some(HOSTILE as u32)).await;
    figures.print("1", "header.round of the own blocks is four too high");
    assert!(reached, "{goal:?}: {figures:?}");
    assert!(figures.honest_blocks * 2 >= figures.blocks, "{figures:?}");
}
