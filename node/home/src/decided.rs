//! A decided block on the state before it: its certificate verified, the block executed, every
//! result compared, and its writes applied.

use chain_state::State;
use chain_store::BlockRecords;
use chain_types::{Block, BlockHeader, Certificate, HashedBatch, Outcome};
use contracts::{BlockContext, execute};
use node_replica::Past;

use crate::archive::StoreArchive;
use crate::blocks::{DecidedBlock, outcomes};
use crate::difference::{BlockDifference, header_difference, outcome_difference};
use crate::version::check_version;

/// The trust in the blocks of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockTrust {
    /// This node wrote them, and saw each certificate.
    Own,
    /// They came from somewhere: every certificate and every outcome is verified.
    Nobody,
}

/// The results of a block that was applied.
#[derive(Debug)]
pub struct AppliedBlock {
    /// The rows that the index learns of it, with the orders that left memory.
    pub records: BlockRecords,
    /// The outcome of each item, a list a batch.
    pub outcomes: Vec<Vec<Outcome>>,
}

/// Verifies and executes the next block on `state`, compares every result with what the home holds,
/// and applies its writes. The state stays as it is when this fails.
///
/// # Errors
/// [`BlockDifference`] for the first result that differs; [`Outdated`](crate::version::Outdated)
/// when this program does not know the block's protocol version; a fault of the store.
pub fn apply_decided(
    state: &mut State,
    decided: DecidedBlock,
    archive: &StoreArchive,
    trust: BlockTrust,
) -> anyhow::Result<AppliedBlock> {
    check_version(state.protocol_version())?;
    let DecidedBlock { block, certificate, batches } = decided;
    let height = state.height().next();
    if block.header.height != height {
        return Err(BlockDifference::new(height, "height", block.header.height, height).into());
    }
    if trust == BlockTrust::Nobody {
        verify_certificate(&block, &certificate, state)?;
    }
    let batches = HashedBatch::verify_all(batches, |id| state.ready_keys(id))
        .map_err(|error| BlockDifference::new(height, "batches", "decided", error))?;
    let past = Past { state, archive };
    let executed = execute(state, &context(&block.header), &batches, &block.evidence, &past);
    archive.check()?;
    let mut executed =
        executed.map_err(|error| BlockDifference::new(height, "validity", "decided", error))?;
    let mut difference = header_difference(&block.header, &executed.block.header);
    if difference.is_none() && trust == BlockTrust::Nobody {
        let stored = outcomes(archive.store(), height)?;
        difference = outcome_difference(height, &stored, &executed.outcomes);
    }
    if difference.is_none() && executed.block != block {
        let (stored, executed) = (block.hash(), executed.block.hash());
        difference = Some(BlockDifference::new(height, "content", stored, executed));
    }
    if let Some(difference) = difference {
        return Err(difference.into());
    }
    let learned = BlockRecords::take(&mut executed.writes);
    let retired = state.apply(executed.writes);
    let records = BlockRecords { retired, ..learned };
    Ok(AppliedBlock { records, outcomes: executed.outcomes })
}

/// Checks that a quorum of the validators of its height decided this block.
fn verify_certificate(
    block: &Block,
    certificate: &Certificate,
    state: &State,
) -> Result<(), BlockDifference> {
    let (height, hash) = (block.header.height, block.hash());
    let difference =
        |stored, expected| BlockDifference::new(height, "certificate", stored, expected);
    if (certificate.height, certificate.block) != (height, hash) {
        let stored = format!("one of block {} at height {}", certificate.block, certificate.height);
        return Err(difference(stored, hash.to_string()));
    }
    certificate
        .verify(state.chain_id(), state.validators())
        .map_err(|error| difference(error.to_string(), "a quorum's precommits".to_owned()))
}

fn context(header: &BlockHeader) -> BlockContext {
    BlockContext {
        height: header.height,
        round: header.round,
        parent_round: header.parent_round,
        proposer: header.proposer,
        time: header.time,
    }
}
