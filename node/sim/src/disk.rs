//! A node's virtual disk: what it holds is what survives a crash.

use std::collections::BTreeMap;

use chain_types::{Block, Certificate, Height, Outcome, VerifiedBatch};
use node_replica::StagedBlock;

/// A committed block, whole.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Header and batch ids.
    pub block: Block,
    /// Its batches.
    pub batches: Vec<VerifiedBatch>,
    /// The quorum that decided it.
    pub certificate: Certificate,
}

/// What a node has made durable.
#[derive(Debug, Default)]
pub struct Disk {
    /// Committed blocks from height one on.
    pub blocks: Vec<Kept>,
    /// Staged blocks of the height after them.
    pub staged: Vec<StagedBlock>,
    /// The outcomes of each committed block's items.
    pub outcomes: BTreeMap<Height, Vec<Vec<Outcome>>>,
    /// The consensus log.
    pub wal: Vec<(Height, Vec<u8>)>,
    /// The vote guard.
    pub guard: Option<Vec<u8>>,
}

impl Disk {
    /// Keeps a staged block.
    pub fn stage(&mut self, staged: StagedBlock) {
        if !self.staged.iter().any(|known| known.block == staged.block) {
            self.staged.push(staged);
        }
    }

    /// Keeps a decision.
    ///
    /// # Panics
    /// When the block was not staged or is not the next: a fault of the replica.
    pub fn commit(&mut self, certificate: Certificate, committed: &StagedBlock) {
        let at = self.staged.iter().position(|staged| staged.block == committed.block);
        let Some(at) = at else { panic!("committed a block that was never staged") };
        let StagedBlock { block, batches, outcomes } = self.staged.swap_remove(at);
        assert_eq!(block.hash(), certificate.block, "the certificate is the block's");
        self.outcomes.insert(block.header.height, outcomes);
        assert_eq!(block.header.height, self.head().next(), "heights ascend by one");
        self.staged.clear();
        self.blocks.push(Kept { block, batches, certificate });
    }

    /// The consensus log's entries of a height.
    pub fn wal_of(&self, height: Height) -> Vec<Vec<u8>> {
        let entries = self.wal.iter().filter(|(of, _)| *of == height);
        entries.map(|(_, entry)| entry.clone()).collect()
    }

    /// The last committed height.
    pub fn head(&self) -> Height {
        Height(self.blocks.len() as u64)
    }
}
