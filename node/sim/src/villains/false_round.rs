//! Says in each of its blocks that it was proposed in a later round, so that those whose turns
//! came before are passed over.

use chain_types::{Block, Round};
use node_replica::Input;

use super::{Scene, Villain};

/// The round that it says.
const SAID: Round = Round::new(4);

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct FalseRound {
    /// The block that its replica proposed last, and the one that it shows instead.
    last: Option<(Block, Block)>,
}

impl Villain for FalseRound {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some(own) = scene.own_block(&said)
            && self.last.as_ref().is_none_or(|(known, _)| *known != own)
        {
            let other = scene.remade(&own, |context| context.round = SAID);
            self.last = other.map(|other| (own, other));
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
