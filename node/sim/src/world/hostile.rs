//! Lets the villains act.

use node_replica::{Input, SyncBlock};

use super::{Event, World};
use crate::disk::Kept;
use crate::villains::{Scene, Villain};

/// How soon a villain hears of a block that anybody has committed.
const INFORMED_AFTER_MS: u64 = 1;

impl World {
    /// Lets a node's villain act, and sends what it sends; `None` when the node is honest.
    pub(super) fn with_villain<T>(
        &mut self,
        node: u32,
        act: impl FnOnce(&mut dyn Villain, &mut Scene<'_>) -> T,
    ) -> Option<T> {
        let mut villain = self.villains.remove(&node)?;
        let (now_ms, clock) = (self.now_ms(), self.clock(node));
        let slot = &self.nodes[node as usize];
        let mut scene = Scene {
            node,
            now_ms,
            clock,
            shape: self.shape,
            state: &slot.state,
            shelf: &slot.folder.shelf,
            staged: &slot.folder.disk.staged,
            random: &mut self.random,
            sent: Vec::new(),
            wake_after_ms: None,
        };
        let result = act(villain.as_mut(), &mut scene);
        let (sent, wake_after_ms) = (scene.sent, scene.wake_after_ms);
        self.villains.insert(node, villain);
        for one in sent {
            self.deliver(node, one.to, one.after_ms * 1_000, one.input);
        }
        if let Some(after_ms) = wake_after_ms {
            self.after_ms(after_ms.max(1), Event::Wake(node));
        }
        Some(result)
    }

    /// Tells the villains of a block that somebody has committed: they may have voted on others.
    pub(super) fn inform_villains(&mut self, kept: &Kept) {
        let block = SyncBlock {
            block: kept.block.clone(),
            certificate: kept.certificate.clone(),
            batches: kept.batches.clone(),
        };
        let villains: Vec<u32> = self.villains.keys().copied().collect();
        for node in villains {
            let from = node_replica::NodeIndex::new(node);
            let input = Input::Blocks { from, blocks: vec![block.clone()] };
            self.post(node, INFORMED_AFTER_MS * 1_000, crate::inbox::Sender::Own, input);
        }
    }
}
