//! Blocks proposed for the height being decided: gathering their batches, executing them, and
//! telling consensus whether they hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chain_state::WriteSet;
use chain_types::{BatchId, Block, BlockHash, Round, VerifiedBatch};
use consensus_core::{Input as ConsensusInput, Message, SignedProposal};
use contracts::BlockContext;

use crate::committed::read_state;
use crate::effect::{Effect, StagedBlock, Timer};
use crate::past::{Past, asks_for_past};
use crate::replica::{NodeIndex, Replica};

/// How long a proposal waits for batches that travel on their own, before they are asked for.
const FETCH_FIRST_MS: u64 = 40;
/// How long a request for batches may take before the next peer is asked.
const FETCH_AGAIN_MS: u64 = 200;
/// How long a block that asks for the past waits for the archive to have its parent.
const ARCHIVE_MS: u64 = 1;
/// The most ids in one request for batches.
const FETCH_IDS_MAX: usize = 8;
/// The most proposals of one height that may wait for a verdict.
const PENDING_MAX: usize = 16;
/// The most blocks that the proposer of one round may have us execute: an honest one proposes one.
/// Should a third be decided, it comes by sync.
const BLOCKS_PER_ROUND_MAX: usize = 2;

/// The blocks proposed for one height.
#[derive(Default)]
pub(crate) struct Candidates {
    blocks: BTreeMap<BlockHash, Candidate>,
    /// Batches that a candidate named and the pool did not hold.
    fetched: BTreeMap<BatchId, VerifiedBatch>,
    /// Proposals whose block has no verdict yet.
    pending: Vec<SignedProposal>,
    /// Which blocks each round's proposer has proposed.
    rounds: BTreeMap<Round, BTreeSet<BlockHash>>,
    attempts: usize,
}

enum Candidate {
    /// Its batches are being gathered.
    Gathering { block: Block, from: NodeIndex },
    /// Executed, and its header is what execution gives.
    Valid { staged: StagedBlock, writes: Option<WriteSet> },
    /// Its header is not what execution gives.
    Invalid,
}

impl Candidates {
    /// Whether a candidate lacks this batch.
    pub(crate) fn wants(&self, id: &BatchId) -> bool {
        !self.fetched.contains_key(id)
            && self.blocks.values().any(|candidate| match candidate {
                Candidate::Gathering { block, .. } => block.batches.contains(id),
                _ => false,
            })
    }

    pub(crate) fn keep(&mut self, batch: VerifiedBatch) {
        self.fetched.insert(batch.id(), batch);
    }

    pub(crate) fn batch(&self, id: &BatchId) -> Option<&VerifiedBatch> {
        self.fetched.get(id).or_else(|| {
            self.blocks.values().find_map(|candidate| match candidate {
                Candidate::Valid { staged, .. } => {
                    staged.batches.iter().find(|batch| batch.id() == *id)
                }
                _ => None,
            })
        })
    }

    pub(crate) fn staged(&self, hash: &BlockHash) -> Option<&StagedBlock> {
        match self.blocks.get(hash) {
            Some(Candidate::Valid { staged, .. }) => Some(staged),
            _ => None,
        }
    }

    pub(crate) fn executed(&mut self, hash: BlockHash, staged: StagedBlock, writes: WriteSet) {
        self.blocks.insert(hash, Candidate::Valid { staged, writes: Some(writes) });
    }

    /// The decided block and what it writes; everything else of the height is forgotten.
    pub(crate) fn decide(&mut self, hash: &BlockHash) -> Option<(StagedBlock, WriteSet)> {
        let decided = self.blocks.remove(hash);
        *self = Self::default();
        match decided {
            Some(Candidate::Valid { staged, writes: Some(writes) }) => Some((staged, writes)),
            _ => None,
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Replica {
    /// A proposal with its block. Consensus checks the proposer's signature; the block is only
    /// considered once the proposal is known to be the proposer's own.
    pub(crate) fn proposal(&mut self, from: NodeIndex, proposal: SignedProposal, block: Block) {
        let said = &proposal.proposal;
        let proposer = self.proposers.proposer(&self.validators, said.height, said.round);
        let genuine = said.height == self.height()
            && self.pace.started
            && block.header.height == said.height
            && block.hash() == said.block
            && said.proposer == proposer
            && self.is_signed(&proposal);
        let seen = self.candidates.rounds.entry(said.round).or_default();
        let too_many = !seen.contains(&said.block) && seen.len() >= BLOCKS_PER_ROUND_MAX;
        if !genuine || too_many || self.candidates.pending.len() >= PENDING_MAX {
            return;
        }
        seen.insert(said.block);
        self.candidates.blocks.entry(said.block).or_insert(Candidate::Gathering { block, from });
        self.candidates.pending.push(proposal);
        self.drive([ConsensusInput::Message(Message::Proposal(proposal))].into());
        self.judge_candidates();
        if !self.missing().is_empty() {
            let timer = Timer::Fetch(self.height());
            self.effects.push(Effect::Schedule { timer, after_ms: FETCH_FIRST_MS });
        }
    }

    fn is_signed(&self, signed: &SignedProposal) -> bool {
        let digest = signed.proposal.digest(self.chain_id);
        let proposer = self.validators.get(signed.proposal.proposer);
        proposer.is_some_and(|known| known.public_key.verifies(&digest, &signed.signature))
    }

    /// Executes every candidate that has all its batches and tells consensus what became of it.
    pub(crate) fn judge_candidates(&mut self) {
        let gathering: Vec<(BlockHash, Block)> = self
            .candidates
            .blocks
            .iter()
            .filter_map(|(hash, candidate)| match candidate {
                Candidate::Gathering { block, .. } => Some((*hash, block.clone())),
                _ => None,
            })
            .collect();
        for (hash, block) in gathering {
            let batches: Option<Vec<VerifiedBatch>> =
                block.batches.iter().map(|id| self.find_batch(id)).collect();
            match batches {
                // The archive has the block before only after this call.
                Some(batches) if self.has_committed && asks_for_past(&batches) => {
                    let timer = Timer::Fetch(self.height());
                    self.effects.push(Effect::Schedule { timer, after_ms: ARCHIVE_MS });
                }
                Some(batches) => self.execute_candidate(hash, &block, batches),
                None => {}
            }
        }
        let verdicts = self.verdicts();
        self.drive(verdicts);
    }

    fn verdicts(&mut self) -> VecDeque<ConsensusInput> {
        let mut verdicts = VecDeque::new();
        let blocks = &self.candidates.blocks;
        self.candidates.pending.retain(|signed| {
            let said = &signed.proposal;
            let valid = match blocks.get(&said.block) {
                Some(Candidate::Valid { .. }) => true,
                Some(Candidate::Invalid) => false,
                Some(Candidate::Gathering { .. }) | None => return true,
            };
            verdicts.push_back(ConsensusInput::Verdict {
                height: said.height,
                round: said.round,
                proposer: said.proposer,
                valid_round: said.valid_round,
                block: said.block,
                valid,
            });
            false
        });
        verdicts
    }

    /// Executes under the context that the header names and compares everything.
    pub(crate) fn execute_candidate(
        &mut self,
        hash: BlockHash,
        block: &Block,
        batches: Vec<VerifiedBatch>,
    ) {
        let header = &block.header;
        let drift = self.parameters.clock_drift_ms;
        let timely = header.time <= self.now.plus(drift);
        let turn = self.proposers.proposer(&self.validators, header.height, header.round);
        let executed = (timely && turn == header.proposer)
            .then(|| {
                let context = context_of(block);
                let state = &read_state(&self.state);
                let past = Past { state, archive: &*self.archive };
                contracts::execute(state, &context, &batches, &block.evidence, &past).ok()
            })
            .flatten()
            .filter(|executed| executed.block == *block);
        match executed {
            Some(executed) => {
                self.stage(executed, batches);
            }
            None => {
                self.candidates.blocks.insert(hash, Candidate::Invalid);
            }
        }
    }

    fn find_batch(&self, id: &BatchId) -> Option<VerifiedBatch> {
        self.pool.get(id).or_else(|| self.candidates.batch(id)).cloned()
    }

    fn missing(&self) -> BTreeSet<BatchId> {
        let mut missing = BTreeSet::new();
        for candidate in self.candidates.blocks.values() {
            if let Candidate::Gathering { block, .. } = candidate {
                missing.extend(block.batches.iter().filter(|id| self.find_batch(id).is_none()));
            }
        }
        missing
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
            for ids in missing.chunks(FETCH_IDS_MAX) {
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
