//! The coverage of the runs, so that a test can tell that they were not about nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use chain_state::{SLICE_MS, State};
use chain_types::batch::Items;
use chain_types::{
    BatchKind, BlockHeader, ExecutedBlock, OrderId, Outcome, ParticipantId, PublicKey, TimeMs,
    VerifiedBatch,
};

/// How often what happened.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Items by kind and outcome.
    pub outcomes: BTreeMap<(BatchKind, u16), u64>,
    /// Returns applied of orders that had left the duplicate window.
    pub late_returns: u64,
    /// Batches accepted that were signed with a key rotated away.
    pub old_keys: u64,
    /// Blocks after which the validators, or their powers, were others.
    pub validator_changes: u64,
    /// Votes of the node that the genesis file does not name.
    pub votes_of_added: u64,
    /// Blocks after which the parameters were others.
    pub parameter_changes: u64,
    /// Times that a node applied a block with returns which came by sync.
    pub synced_returns: u64,
    /// Times that a node which started again executed a block with returns anew.
    pub replayed_returns: u64,
    /// Times that a node started again from a checkpoint while an order was held.
    pub restored_holds: u64,
    /// Times that a node started again from a checkpoint with a registry unlike the genesis file's.
    pub restored_registries: u64,
}

impl Coverage {
    /// How many items of a kind had this outcome.
    pub fn of(&self, kind: BatchKind, outcome: u16) -> u64 {
        self.outcomes.get(&(kind, outcome)).copied().unwrap_or_default()
    }

    /// Returns those of the outcomes that a kind's items never came to.
    pub fn unseen(&self, kind: BatchKind, outcomes: &[u16]) -> Vec<u16> {
        outcomes.iter().copied().filter(|outcome| self.of(kind, *outcome) == 0).collect()
    }
}

/// A line a kind, with how often each outcome was seen, and a line for the rest.
impl fmt::Debug for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kind = None;
        for ((of, outcome), count) in &self.outcomes {
            if kind.replace(*of) != Some(*of) {
                write!(formatter, "\n{}:", of.name())?;
            }
            write!(formatter, " {outcome} x{count}")?;
        }
        write!(
            formatter,
            "\nreturns: {} late, {} by sync, {} replayed; {} batches under an old key; changes of \
             validators: {}, of parameters: {}; votes of a node that was added: {}; restored with \
             held orders: {}, with another registry: {}",
            self.late_returns,
            self.synced_returns,
            self.replayed_returns,
            self.old_keys,
            self.validator_changes,
            self.parameter_changes,
            self.votes_of_added,
            self.restored_holds,
            self.restored_registries,
        )
    }
}

impl AddAssign<&Self> for Coverage {
    fn add_assign(&mut self, other: &Self) {
        for (key, count) in &other.outcomes {
            *self.outcomes.entry(*key).or_default() += count;
        }
        self.late_returns += other.late_returns;
        self.old_keys += other.old_keys;
        self.validator_changes += other.validator_changes;
        self.votes_of_added += other.votes_of_added;
        self.parameter_changes += other.parameter_changes;
        self.synced_returns += other.synced_returns;
        self.replayed_returns += other.replayed_returns;
        self.restored_holds += other.restored_holds;
        self.restored_registries += other.restored_registries;
    }
}

/// Counts as blocks are decided.
#[derive(Debug, Default)]
pub struct Observer {
    /// The events that were counted.
    pub seen: Coverage,
    /// The time of the block before.
    time: TimeMs,
    /// Each participant's key for the next block.
    keys: BTreeMap<ParticipantId, PublicKey>,
}

/// Returns true if a block's execution reads the past.
pub fn has_returns(batches: &[VerifiedBatch]) -> bool {
    batches.iter().any(|batch| batch.kind() == BatchKind::Return)
}

impl Observer {
    /// A new block, and the state that it left if that is still at hand.
    pub fn read(&mut self, decided: &ExecutedBlock, state: &State) {
        let header = &decided.block.header;
        for (batch, outcomes) in decided.batches.iter().zip(&decided.outcomes) {
            for outcome in outcomes {
                *self.seen.outcomes.entry((batch.kind(), outcome.0)).or_default() += 1;
            }
            self.read_key(batch);
            self.read_returns(batch, outcomes, state);
        }
        self.seen.validator_changes +=
            u64::from(header.validators_hash != header.next_validators_hash);
        self.read_registry(header, state);
        self.time = header.time;
    }

    fn read_key(&mut self, batch: &VerifiedBatch) {
        let own = self.keys.get(&batch.header().submitter);
        self.seen.old_keys += u64::from(own.is_some_and(|key| *key != batch.public_key()));
    }

    fn read_returns(&mut self, batch: &VerifiedBatch, outcomes: &[Outcome], state: &State) {
        let Items::Return(items) = batch.items() else { return };
        let validity_ms = state.parameters().order_validity_ms;
        let oldest = self.time.minus(validity_ms).get() / SLICE_MS;
        let has_left = |id: OrderId| id.time().get() / SLICE_MS < oldest;
        let applied = items.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_applied());
        let late = applied.filter(|(item, _)| has_left(item.order_id())).count();
        self.seen.late_returns += late as u64;
    }

    fn read_registry(&mut self, header: &BlockHeader, state: &State) {
        if state.height() != header.height {
            return;
        }
        let (parties, _) = state.parties();
        self.keys = parties.iter().map(|party| (party.participant, party.current)).collect();
        let (_, parameters) = state.registry_hashes();
        self.seen.parameter_changes += u64::from(parameters != header.parameters_hash);
    }
}
