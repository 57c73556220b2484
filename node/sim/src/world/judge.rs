//! The end of a run.

use chain_types::Height;
use node_replica::{read_state, replay_block};

use super::{HEALED_BLOCKS_MIN, World};

impl World {
    /// Invariant 12: every honest node has come on.
    pub(super) fn has_recovered(&self, head_at_heal: Height) -> Result<(), String> {
        let head = self.agreement.head();
        if head.get() < head_at_heal.get() + HEALED_BLOCKS_MIN {
            return Err(format!("healed at height {head_at_heal}, and no further than {head}"));
        }
        let mut best = None;
        for (index, node) in (0..).zip(&self.nodes) {
            if !self.is_honest(index) {
                continue;
            }
            let own = node.folder.disk.head();
            if node.replica.is_none() || own.get() + 3 < head.get() {
                return Err(format!("node {index} is at {own} of {head} after healing"));
            }
            if best.is_none_or(|(height, _)| own > height) {
                best = Some((own, node));
            }
        }
        best.map_or(Ok(()), |(_, node)| {
            self.newcomers.all_vote(read_state(&node.state).validators())
        })
    }

    /// Invariants 4 and 11, and the auditor's balances.
    pub(super) fn judge(&self) -> Result<(), String> {
        let head = self.agreement.head();
        let honest: Vec<u32> = self.all_nodes().filter(|node| self.is_honest(*node)).collect();
        for index in &honest {
            let state = read_state(&self.nodes[*index as usize].state);
            self.audit.compare(&state).map_err(|error| format!("node {index}: {error}"))?;
            for balance in state.trial_balance() {
                if !balance.is_balanced() {
                    let currency = balance.currency;
                    return Err(format!("node {index}: currency {currency} is out of balance"));
                }
            }
        }
        // Everything again from genesis, on a node drawn from the seed's end.
        let node = honest[(head.get() % honest.len() as u64) as usize];
        let folder = &self.nodes[node as usize].folder;
        let mut state = chain_state::State::genesis(&self.genesis);
        for kept in &folder.disk.blocks {
            let executed = replay_block(&state, &kept.block, &kept.batches, &folder.shelf)
                .map_err(|error| format!("replay from genesis: {error}"))?;
            kept.certificate
                .verify(self.genesis.chain_id, state.validators())
                .map_err(|error| format!("certificate of {}: {error}", kept.block.header.height))?;
            state.apply(executed.writes);
        }
        Ok(())
    }
}
