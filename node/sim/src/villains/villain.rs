//! The conduct of a hostile node: everything has a default, which is honest.

use chain_types::Height;
use node_replica::{Input, SyncBlock};

use super::scene::Scene;

/// The behaviour of a hostile node.
pub trait Villain {
    /// Returns true if a replica runs on it.
    fn runs_replica(&self) -> bool {
        true
    }

    /// Something on its way to the replica; `None` keeps it from it.
    fn hear(&mut self, _scene: &mut Scene<'_>, input: Input) -> Option<Input> {
        Some(input)
    }

    /// Something that its replica sends to node `to`: a message or a batch.
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        scene.send(to, said);
    }

    /// Its own timer, first at the start, and then as often as it sets it.
    fn wake(&mut self, _scene: &mut Scene<'_>) {}

    /// Its answer to a request for blocks from `from` on, and how long it takes; `honest` is what
    /// its disk gives.
    fn give_blocks(
        &mut self,
        _scene: &mut Scene<'_>,
        _from: Height,
        honest: Vec<SyncBlock>,
    ) -> (Vec<SyncBlock>, u64) {
        (honest, 0)
    }
}
