//! Shows one block to one half of the others and another to the other half, and votes for each
//! where it showed it.

use chain_types::Block;
use node_replica::Input;

use super::{Scene, Villain};

/// In what the two blocks differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The two blocks differ in their times.
    Times,
    /// The two blocks differ in their batches.
    Batches,
}

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Equivocator {
    /// The difference between its two blocks.
    difference: Difference,
    /// The block that its replica proposed last, and the other block.
    last: Option<(Block, Block)>,
}

impl Equivocator {
    /// One that has shown nothing yet.
    pub fn new(difference: Difference) -> Self {
        Self { difference, last: None }
    }

    fn other(&self, scene: &Scene<'_>, own: &Block) -> Option<Block> {
        match self.difference {
            Difference::Times => scene.remade(own, |context| context.time = context.time.plus(1)),
            Difference::Batches => scene.emptied(own),
        }
    }
}

impl Villain for Equivocator {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some(own) = scene.own_block(&said)
            && self.last.as_ref().is_none_or(|(known, _)| *known != own)
        {
            self.last = self.other(scene, &own).map(|other| (own, other));
        }
        let others = scene.others();
        let is_second_half = others.iter().skip(others.len() / 2).any(|other| *other == to);
        match (said, &self.last) {
            (Input::Message { message, .. }, Some((own, other))) if is_second_half => {
                let retold = scene.retold(message, own, other);
                scene.tell(to, retold);
            }
            (said, _) => scene.send(to, said),
        }
    }
}
