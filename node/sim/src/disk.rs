//! A node's virtual disk: what it holds is what survives a crash.
//!
//! It keeps the order of writes of `node/runtime` and `chain/store`. A staged block and the vote
//! guard are durable at once. Entries of the consensus log wait in memory until something is sent
//! or the guard is written. A commit appends its certificate; the next stage, checkpoint or start
//! makes it durable, so a loss of power before that takes it back.

use std::collections::BTreeMap;

use chain_types::{Block, Certificate, ExecutedBlock, Height, Outcome, VerifiedBatch};

/// A committed block, whole.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Header and batch ids.
    pub block: Block,
    /// The batches of the block.
    pub batches: Vec<VerifiedBatch>,
    /// The quorum that decided it.
    pub certificate: Certificate,
}

/// The files of a node, as far as it has written them.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    /// Committed blocks from height one on.
    pub blocks: Vec<Kept>,
    /// Staged blocks of the height after them.
    pub staged: Vec<ExecutedBlock>,
    /// The outcomes of each committed block's items.
    pub outcomes: BTreeMap<Height, Vec<Vec<Outcome>>>,
    /// The content of the vote guard.
    pub guard: Option<Vec<u8>>,
    /// The records of the consensus log.
    log: Vec<(Height, Vec<u8>)>,
    /// Entries for the consensus log that are in memory only.
    unwritten: Vec<(Height, Vec<u8>)>,
    /// While the last certificate is not durable: the blocks that were staged with its block.
    staged_with_head: Option<Vec<ExecutedBlock>>,
}

impl Disk {
    /// Keeps a staged block, and with it the certificate before it.
    pub fn stage(&mut self, staged: ExecutedBlock) {
        if !self.staged.iter().any(|known| known.block == staged.block) {
            self.sync();
            self.staged.push(staged);
        }
    }

    /// Makes the last certificate durable.
    pub fn sync(&mut self) {
        self.staged_with_head = None;
    }

    /// Keeps a decision, which is not durable yet.
    ///
    /// # Panics
    /// When the block was not staged or is not the next: a fault of the replica.
    pub fn commit(&mut self, certificate: Certificate, committed: &ExecutedBlock) {
        let found = self.staged.iter().find(|staged| staged.block == committed.block);
        let Some(found) = found else { panic!("committed a block that was never staged") };
        let ExecutedBlock { block, batches, outcomes } = found.clone();
        assert_eq!(block.hash(), certificate.block, "the certificate is the block's");
        assert_eq!(block.header.height, self.head().next(), "heights ascend by one");
        self.outcomes.insert(block.header.height, outcomes);
        self.staged_with_head = Some(std::mem::take(&mut self.staged));
        self.blocks.push(Kept { block, batches, certificate });
    }

    /// Keeps an entry for the consensus log in memory.
    pub fn persist(&mut self, height: Height, entry: Vec<u8>) {
        self.unwritten.push((height, entry));
    }

    /// Writes what waits for the consensus log: entries of the last height only.
    pub fn write_log(&mut self) {
        let Some((height, _)) = self.unwritten.last() else { return };
        let height = *height;
        let waiting = std::mem::take(&mut self.unwritten);
        self.log.extend(waiting.into_iter().filter(|(of, _)| *of == height));
    }

    /// Entries of lower heights leave the consensus log.
    pub fn prune_log(&mut self, below: Height) {
        self.unwritten.retain(|(height, _)| *height >= below);
        self.log.retain(|(height, _)| *height >= below);
    }

    /// Replaces the vote guard, with what the log has before it.
    pub fn write_guard(&mut self, bytes: Vec<u8>) {
        self.write_log();
        self.guard = Some(bytes);
    }

    /// The process has ended. With the power the last certificate goes too, unless it was durable:
    /// the height that is lost so.
    pub fn crash(&mut self, loses_power: bool) -> Option<Height> {
        self.unwritten.clear();
        if !loses_power {
            return None;
        }
        let staged = self.staged_with_head.take()?;
        let lost = self.blocks.pop()?;
        self.staged = staged;
        Some(lost.block.header.height)
    }

    /// The consensus log's entries of a height.
    pub fn log_from(&self, height: Height) -> Vec<(Height, Vec<u8>)> {
        self.log.iter().filter(|(of, _)| *of >= height).cloned().collect()
    }

    /// The last committed height.
    pub fn head(&self) -> Height {
        Height::new(self.blocks.len() as u64)
    }
}
