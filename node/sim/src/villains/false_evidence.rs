//! Would have another validator named on the chain: puts evidence into its blocks that is forged.

use chain_types::evidence::evidence_root;
use chain_types::{Block, BlockHash, Equivocation, ValidatorId, Vote, VoteStep};
use consensus_core::SignedVote;
use node_replica::Input;

use super::{Scene, Villain};

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct FalseEvidence {
    /// The block that its replica proposed last, and the one that it proposes instead.
    last: Option<(Block, Block)>,
}

impl FalseEvidence {
    fn framed(scene: &mut Scene<'_>, own: &Block) -> Block {
        let validator = ValidatorId::new(scene.others().first().copied().unwrap_or_default());
        let height = own.header.height.previous().unwrap_or_default();
        let word = |scene: &mut Scene<'_>| {
            let block = Some(BlockHash::new(scene.any_digest()));
            let vote = Vote { height, round: own.header.round, step: VoteStep::Prevote, block };
            SignedVote { vote, validator, signature: scene.forge() }
        };
        let (first, second) = (word(scene), word(scene));
        let mut framed = own.clone();
        framed.evidence = vec![Equivocation::Votes { first, second }.in_order()];
        framed.header.evidence_count = 1;
        framed.header.evidence_root = evidence_root(&framed.evidence);
        framed
    }
}

impl Villain for FalseEvidence {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some(own) = scene.own_block(&said)
            && self.last.as_ref().is_none_or(|(known, _)| *known != own)
        {
            let framed = Self::framed(scene, &own);
            self.last = Some((own, framed));
        }
        match (said, &self.last) {
            (Input::Message { message, .. }, Some((own, other))) => {
                let retold = scene.retold(message, own, other);
                scene.tell(to, retold);
            }
            (said, _) => scene.send(to, said),
        }
    }
}
