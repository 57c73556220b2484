//! Proposes a block of a batch that does not exist, many times, and shows nobody the block that it
//! should propose.

use chain_types::block::batches_root;
use chain_types::{BatchId, Block};
use consensus_core::Proposal;
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// How often it says so to each.
const TIMES: u32 = 16;

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct UnknownBatch;

impl Villain for UnknownBatch {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        let Some((signed, own)) = scene.fresh_proposal(&said) else { return scene.send(to, said) };
        let batches = vec![BatchId::new(own.hash().digest())];
        let mut header = own.header.clone();
        header.batch_count = 1;
        header.batches_root = batches_root(&batches);
        let unknown = Block { header, batches, ..own.clone() };
        let proposal = scene.propose(Proposal { block: unknown.hash(), ..signed.proposal });
        let Input::Message { mut message, .. } = said else { return };
        if let PeerMessage::Proposal { proposal: signed, block, .. } = &mut message {
            (*signed, *block) = (proposal, unknown);
        }
        for _ in 0..TIMES {
            scene.tell(to, message.clone());
        }
    }
}
