//! Invariant 1: one block and one state digest a height, whoever commits it, and whenever.
//! Invariant 13: what a node has committed it still has after a crash.

use std::collections::BTreeMap;

use chain_types::{Block, BlockHash, Digest, Height};

/// The blocks that any node has committed.
#[derive(Debug, Default)]
pub struct Agreement {
    decided: BTreeMap<Height, (BlockHash, Digest)>,
    heads: BTreeMap<u32, Height>,
}

impl Agreement {
    /// A node has committed a block and computed a digest of its state.
    pub fn committed(&mut self, node: u32, block: &Block, digest: Digest) -> Result<(), String> {
        let height = block.header.height;
        let ours = (block.hash(), digest);
        let first = *self.decided.entry(height).or_insert(ours);
        let head = self.heads.entry(node).or_default();
        if height.get() != head.get() + 1 {
            return Err(format!("node {node} committed {height} after {head}"));
        }
        *head = height;
        if first == ours && digest == block.header.state_digest {
            Ok(())
        } else {
            Err(format!("node {node} committed {ours:?} at {height}, another {first:?}"))
        }
    }

    /// A node starts again from what its disk holds.
    pub fn restarted(&mut self, node: u32, head: Height) -> Result<(), String> {
        let before = self.heads.get(&node).copied().unwrap_or_default();
        if before == head {
            Ok(())
        } else {
            Err(format!("node {node} had committed {before} and starts again at {head}"))
        }
    }

    /// A node's disk holds less than it had committed: a crash took what was not durable, or an
    /// earlier copy was put back. It is held to what is left.
    pub fn went_back(&mut self, node: u32, head: Height) {
        self.heads.insert(node, head);
    }

    /// A node's disk is gone: it begins anew, and is held to nothing it had committed.
    pub fn lost_disk(&mut self, node: u32) {
        self.heads.remove(&node);
    }

    /// The highest height that any node has committed.
    pub fn head(&self) -> Height {
        self.decided.last_key_value().map(|(height, _)| *height).unwrap_or_default()
    }
}
