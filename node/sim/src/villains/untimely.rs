//! Proposes a block whose time is too far ahead for one who sees it at once, and just near enough
//! for those who see it a little later, together with its prevote.

use chain_types::Block;
use consensus_core::Message;
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// How far ahead the block's time is: a clock may drift by 5,000.
const AHEAD_MS: u64 = 5_150;
/// How much later most see it.
const LATER_MS: u64 = 250;

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct Untimely {
    /// The block that its replica proposed last, and the one that it proposes instead.
    last: Option<(Block, Block)>,
}

impl Villain for Untimely {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some(own) = scene.own_block(&said)
            && self.last.as_ref().is_none_or(|(known, _)| *known != own)
        {
            let time = scene.clock.plus(AHEAD_MS);
            let other = scene.remade(&own, |context| context.time = time);
            self.last = other.map(|other| (own, other));
        }
        let (Input::Message { message, .. }, Some((own, other))) = (said.clone(), &self.last)
        else {
            return scene.send(to, said);
        };
        let retold = scene.retold(message.clone(), own, other);
        let sees_at_once = scene.others().first() == Some(&to);
        match &retold {
            PeerMessage::Proposal { .. } if retold != message && sees_at_once => {
                scene.tell(to, retold);
            }
            PeerMessage::Proposal { .. } | PeerMessage::Consensus(Message::Vote(_))
                if retold != message =>
            {
                let input = scene.message(retold);
                scene.send_after(LATER_MS, to, input);
            }
            _ => scene.tell(to, retold),
        }
    }
}
