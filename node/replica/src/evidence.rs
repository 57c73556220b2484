//! The evidence that this node has seen of validators that sign twice, until a block holds it.
//!
//! A proposer puts it beside its batches. Nobody passes evidence on by itself: whoever has seen
//! both messages proposes it at its own turn, and the relay of votes lets all see them.

use std::collections::BTreeMap;

use chain_types::evidence::EVIDENCE_MAX;
use chain_types::{Equivocation, Height, ValidatorId};

use crate::committed::read_state;
use crate::replica::Replica;

/// Pieces of evidence that wait at most: the earliest offences go first. One a validator and height
/// counts, so that a validator that signs twice a thousand times takes no more room than once.
const WAITING_MAX: usize = 64;

/// Evidence that waits for a block.
#[derive(Debug, Default)]
pub(crate) struct EvidencePool(BTreeMap<(Height, ValidatorId), Equivocation>);

impl EvidencePool {
    /// Keeps one piece of evidence of each validator and height.
    pub(crate) fn note(&mut self, evidence: &Equivocation) {
        let (first, second) = evidence.values();
        if first == second {
            return;
        }
        let place = (evidence.height(), evidence.validator());
        self.0.entry(place).or_insert_with(|| evidence.clone().in_order());
        if self.0.len() > WAITING_MAX {
            self.0.pop_last();
        }
    }
}

impl Replica {
    /// Returns the evidence that may stand in the next block. What never may again is forgotten.
    pub(crate) fn proposable_evidence(&mut self) -> Vec<Equivocation> {
        let state = read_state(&self.state);
        self.evidence.0.retain(|_, one| contracts::check_evidence(&state, one).is_ok());
        self.evidence.0.values().take(EVIDENCE_MAX).cloned().collect()
    }
}
