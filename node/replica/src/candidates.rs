//! Blocks proposed for the height being decided: gathering their batches, executing them, and
//! telling consensus whether they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chain_state::WriteSet;
use chain_types::{
    BatchId, Block, BlockHash, Certificate, ExecutedBlock, Height, Round, VerifiedBatch,
};
use consensus_mempool::Mempool;
use contracts::BlockContext;

use crate::committed::read_state;
use crate::effect::{Effect, Timer};
use crate::identity::NodeIndex;
use crate::message::REQUEST_BATCHES_MAX;
use crate::past::{Past, asks_for_past};
use crate::proposals::Slots;
use crate::replica::Replica;

/// How long a request for batches may take before the next peer is asked.
const FETCH_AGAIN_MS: u64 = 200;
/// How long a block that asks for the past waits for the archive to have its parent.
const ARCHIVE_MS: u64 = 1;

/// Blocks of a height that are kept without being proposed in a round that is kept.
const BLOCKS_KEPT_MAX: usize = 64;

/// The blocks proposed for one height. Their number is bounded by that of the proposals.
#[derive(Default)]
pub(crate) struct Candidates {
    pub(crate) blocks: BTreeMap<BlockHash, Candidate>,
    /// The proposals that name them.
    pub(crate) slots: Slots,
    /// The certificates that came with them, of the block before.
    parents: BTreeMap<BlockHash, Certificate>,
    /// Batches that were fetched for a candidate, and those of the executed ones.
    batches: BTreeMap<BatchId, VerifiedBatch>,
    attempts: usize,
    /// [`Self::batches`] changed, by more than what was fetched, since
    /// [`Self::take_batches_changed`].
    batches_changed: bool,
}

pub(crate) enum Candidate {
    /// Its batches are being gathered, or its time has not come.
    Gathering {
        block: Arc<Block>,
        from: NodeIndex,
        /// Those of its batches that were not seen here since it was proposed: each is looked for
        /// until it is found once, so that what comes piece by piece costs no more than its pieces.
        lacking: BTreeSet<BatchId>,
    },
    /// Executed, and its header is what execution gives.
    Valid { staged: ExecutedBlock, writes: Option<WriteSet> },
    /// Its header is not what execution gives.
    Invalid,
}

impl Candidates {
    /// Returns true if a candidate lacks this batch.
    pub(crate) fn wants(&self, id: &BatchId) -> bool {
        !self.batches.contains_key(id)
            && self.blocks.values().any(|candidate| match candidate {
                Candidate::Gathering { lacking, .. } => lacking.contains(id),
                _ => false,
            })
    }

    /// Keeps a batch that a candidate lacks.
    pub(crate) fn keep(&mut self, batch: VerifiedBatch) {
        self.batches.insert(batch.id(), batch);
    }

    /// The ids of the batches that were fetched or executed.
    pub(crate) fn batch_ids(&self) -> impl Iterator<Item = BatchId> {
        self.batches.keys().copied()
    }

    /// Returns whether what [`Self::batch_ids`] gives changed, but for kept batches, since this was
    /// last called.
    pub(crate) fn take_batches_changed(&mut self) -> bool {
        std::mem::take(&mut self.batches_changed)
    }

    pub(crate) fn batch(&self, id: &BatchId) -> Option<&VerifiedBatch> {
        self.batches.get(id)
    }

    pub(crate) fn is_staged(&self, hash: &BlockHash) -> bool {
        matches!(self.blocks.get(hash), Some(Candidate::Valid { .. }))
    }

    /// Header and list of a block, unless it is known not to hold.
    pub(crate) fn block(&self, hash: &BlockHash) -> Option<&Block> {
        match self.blocks.get(hash)? {
            Candidate::Gathering { block, .. } => Some(block.as_ref()),
            Candidate::Valid { staged, .. } => Some(&staged.block),
            Candidate::Invalid => None,
        }
    }

    /// The certificate that came with a block.
    pub(crate) fn parent(&self, hash: &BlockHash) -> Option<&Certificate> {
        self.parents.get(hash)
    }

    /// Takes up a proposed block, if it is not there.
    pub(crate) fn gather(
        &mut self,
        hash: BlockHash,
        block: Block,
        from: NodeIndex,
        parent: Option<Certificate>,
    ) {
        self.blocks.entry(hash).or_insert_with(|| {
            let lacking = block.batches.iter().copied().collect();
            Candidate::Gathering { block: Arc::new(block), from, lacking }
        });
        if let Some(parent) = parent {
            self.parents.entry(hash).or_insert(parent);
        }
    }

    /// When there are too many blocks, forgets those that no kept proposal names, but for these.
    /// What the last run left on disk is named by none, and may still be decided.
    pub(crate) fn forget_all_but(&mut self, kept: &[Option<BlockHash>]) {
        if self.blocks.len() <= BLOCKS_KEPT_MAX {
            return;
        }
        let proposed = self.slots.blocks();
        let is_kept = |hash: &BlockHash| proposed.contains(hash) || kept.contains(&Some(*hash));
        self.blocks.retain(|hash, _| is_kept(hash));
        let kept = self.blocks.values().flat_map(Candidate::batch_ids);
        let kept: BTreeSet<BatchId> = kept.copied().collect();
        self.batches.retain(|id, _| kept.contains(id));
        self.batches_changed = true;
        self.parents.retain(|hash, _| is_kept(hash));
    }

    pub(crate) fn executed(&mut self, hash: BlockHash, staged: ExecutedBlock, writes: WriteSet) {
        self.batches.extend(staged.batches.iter().map(|batch| (batch.id(), batch.clone())));
        self.batches_changed = true;
        self.blocks.insert(hash, Candidate::Valid { staged, writes: Some(writes) });
    }

    /// The decided block and what it writes, if it was executed here; everything else of the
    /// height is forgotten then.
    pub(crate) fn decide(&mut self, hash: &BlockHash) -> Option<(ExecutedBlock, WriteSet)> {
        if !self.is_staged(hash) {
            return None;
        }
        let decided = self.blocks.remove(hash);
        self.clear();
        match decided {
            Some(Candidate::Valid { staged, writes: Some(writes) }) => Some((staged, writes)),
            _ => None,
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self { batches_changed: true, ..Self::default() };
    }

    /// The blocks proposed in the rounds up to `round`.
    fn due(&self, round: Round) -> BTreeSet<BlockHash> {
        let slots = self.slots.iter().filter(|slot| slot.signed.proposal.round <= round);
        slots.map(|slot| slot.signed.proposal.block).collect()
    }

    /// Those of [`Self::due`] of which every batch was seen here or in the pool.
    fn complete(&mut self, round: Round, pool: &Mempool) -> Vec<(BlockHash, Arc<Block>)> {
        let due = self.due(round);
        let Self { blocks, batches, .. } = self;
        let is_here = |id: &BatchId| batches.contains_key(id) || pool.get(id).is_some();
        let complete = |(hash, candidate): (&BlockHash, &mut Candidate)| match candidate {
            Candidate::Gathering { block, lacking, .. } if due.contains(hash) => {
                while lacking.first().is_some_and(is_here) {
                    lacking.pop_first();
                }
                lacking.is_empty().then(|| (*hash, block.clone()))
            }
            _ => None,
        };
        blocks.iter_mut().filter_map(complete).collect()
    }

    /// Looks again for all batches of a block: the pool let one of them go.
    fn gather_again(&mut self, hash: &BlockHash) {
        if let Some(Candidate::Gathering { block, lacking, .. }) = self.blocks.get_mut(hash) {
            lacking.extend(block.batches.iter().copied());
        }
    }
}

impl Candidate {
    /// The batches that a block names, unless the block is known not to hold.
    fn batch_ids(&self) -> &[BatchId] {
        match self {
            Self::Gathering { block, .. } => &block.batches,
            Self::Valid { staged, .. } => &staged.block.batches,
            Self::Invalid => &[],
        }
    }
}

impl Replica {
    /// Executes every candidate that has all its batches and whose time has come, and tells
    /// consensus what became of it.
    pub(crate) fn judge_candidates(&mut self) {
        for (hash, block) in self.candidates.complete(self.running_round(), &self.pool) {
            let batches: Option<Vec<VerifiedBatch>> =
                block.batches.iter().map(|id| self.find_batch(id)).collect();
            match batches {
                // The archive has the block before only after this call.
                Some(batches) if self.has_committed && asks_for_past(&batches) => {
                    let timer = Timer::Fetch(self.height());
                    self.effects.push(Effect::Schedule { timer, after_ms: ARCHIVE_MS });
                }
                Some(batches) if self.try_accept(&hash, &block) => {
                    self.execute_candidate(hash, &block, batches);
                }
                Some(_) => {}
                None => self.candidates.gather_again(&hash),
            }
        }
        let verdicts = self.verdicts();
        if !verdicts.is_empty() {
            self.drive(verdicts.into());
        }
        self.try_late_decision();
    }

    /// Returns true if blocks wait for something else than batches: a quorum's prevotes may release
    /// them.
    pub(crate) fn has_waiting_candidates(&self) -> bool {
        let waits = |candidate: &Candidate| matches!(candidate, Candidate::Gathering { .. });
        self.candidates.blocks.values().any(waits)
    }

    /// Executes under the context that the header names and compares everything.
    fn execute_candidate(&mut self, hash: BlockHash, block: &Block, batches: Vec<VerifiedBatch>) {
        let context = context_of(block);
        let executed = {
            let state = &read_state(&self.state);
            let past = Past { state, archive: &*self.archive };
            contracts::execute(state, &context, &batches, &block.evidence, &past).ok()
        };
        match executed.filter(|executed| executed.block == *block) {
            Some(executed) => {
                self.stage(executed, batches);
            }
            None => {
                self.candidates.blocks.insert(hash, Candidate::Invalid);
            }
        }
    }

    /// Returns true if the header says truly in which round its parent was decided: as this node
    /// has it, or as the certificate shows that came with the block.
    pub(crate) fn is_parent_proven(&self, hash: &BlockHash, block: &Block) -> bool {
        let header = &block.header;
        if header.parent_round == self.parent_round() {
            return true;
        }
        let proves = |shown: &Certificate| {
            shown.height.next() == header.height
                && shown.round == header.parent_round
                && shown.block == header.parent
                && shown.verify(self.chain_id, &self.deciders).is_ok()
        };
        header.height > Height::new(1) && self.candidates.parent(hash).is_some_and(proves)
    }

    fn find_batch(&self, id: &BatchId) -> Option<VerifiedBatch> {
        self.pool.get(id).or_else(|| self.candidates.batch(id)).cloned()
    }

    /// Returns the batches that the candidates of the rounds so far lack.
    pub(crate) fn missing(&self) -> BTreeSet<BatchId> {
        let due = self.candidates.due(self.running_round());
        let lacking = |hash: &BlockHash| match self.candidates.blocks.get(hash) {
            Some(Candidate::Gathering { lacking, .. }) => Some(lacking),
            _ => None,
        };
        let named = due.iter().filter_map(lacking).flatten();
        named.filter(|id| self.find_batch(id).is_none()).copied().collect()
    }

    /// Judges what waited for the archive, and asks a peer for the batches that candidates lack:
    /// the proposer first, then the others.
    pub(crate) fn fetch_missing(&mut self) {
        self.judge_candidates();
        let missing: Vec<BatchId> = self.missing().into_iter().collect();
        if missing.is_empty() {
            return;
        }
        let proposer = self.candidates.blocks.values().find_map(|candidate| match candidate {
            Candidate::Gathering { from, .. } => Some(*from),
            _ => None,
        });
        let mut nodes: Vec<NodeIndex> = proposer.into_iter().collect();
        nodes.extend(self.peers.keys().filter(|node| Some(**node) != proposer));
        if let Some(from) = nodes.get(self.candidates.attempts % nodes.len().max(1)) {
            for ids in missing.chunks(REQUEST_BATCHES_MAX) {
                self.effects.push(Effect::RequestBatches { from: *from, ids: ids.to_vec() });
            }
        }
        self.candidates.attempts += 1;
        let timer = Timer::Fetch(self.height());
        self.effects.push(Effect::Schedule { timer, after_ms: FETCH_AGAIN_MS });
    }
}

/// The context that a header says its block was executed under.
pub(crate) fn context_of(block: &Block) -> BlockContext {
    BlockContext {
        height: block.header.height,
        round: block.header.round,
        parent_round: block.header.parent_round,
        proposer: block.header.proposer,
        time: block.header.time,
    }
}
