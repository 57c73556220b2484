//! Shows its proposals to one other only, or to nobody, and is honest beside that.

use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Withholder {
    /// True if one other node sees them.
    pub shows_one: bool,
}

impl Villain for Withholder {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        let is_proposal = matches!(&said,
            Input::Message { message: PeerMessage::Proposal { proposal, .. }, .. }
                if proposal.proposal.proposer.get() == scene.node);
        let sees = self.shows_one && scene.others().first() == Some(&to);
        if !is_proposal || sees {
            scene.send(to, said);
        }
    }
}
