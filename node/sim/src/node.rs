//! One simulated node: what dies in a crash, and what outlives it.

use std::collections::BTreeMap;

use chain_state::State;
use chain_types::{ChainGenesis, Height, Outcome};
use consensus_core::Proposers;
use node_replica::{Checkpoint, Replica, SharedState, SinceCheckpoint, Timer};

use crate::archive::Shelf;
use crate::checks::{Coverage, has_returns};
use crate::disk::Disk;

/// A node.
pub struct Node {
    /// What decides, while the node is up.
    pub replica: Option<Replica>,
    /// The committed state.
    pub state: SharedState,
    /// Outlives crashes.
    pub disk: Disk,
    /// The last checkpoint and its height; outlives crashes.
    pub checkpoint: Option<(Height, Vec<u8>)>,
    /// What contracts ask; outlives crashes.
    pub shelf: Shelf,
    /// The timers that run, by the number of the event that ends each.
    pub timers: BTreeMap<Timer, u64>,
    /// Counts its lives: events of an earlier one are void.
    pub life: u32,
    /// Effects until it crashes, and how long it is away then.
    pub doom: Option<(u32, u64)>,
    /// How far its clock is ahead of the slowest one that is possible.
    pub clock_off_ms: u64,
}

impl Node {
    /// A node that was never up.
    pub fn new(genesis: &ChainGenesis, clock_off_ms: u64) -> Self {
        Self {
            replica: None,
            state: SharedState::new(State::genesis(genesis)),
            disk: Disk::default(),
            checkpoint: None,
            shelf: Shelf::default(),
            timers: BTreeMap::new(),
            life: 0,
            doom: None,
            clock_off_ms,
        }
    }

    /// Everything that outlives crashes is gone.
    pub fn lose_disk(&mut self) {
        self.disk = Disk::default();
        self.checkpoint = None;
        self.shelf = Shelf::default();
    }

    /// The state that its disk gives: from its checkpoint and the blocks after it.
    pub fn rebuild(
        &self,
        genesis: &ChainGenesis,
        seen: &mut Coverage,
    ) -> Result<(State, Proposers), String> {
        let (mut state, mut proposers) = match &self.checkpoint {
            None => (State::genesis(genesis), Proposers::new()),
            Some((height, bytes)) => self.restore(genesis, *height, bytes)?,
        };
        if self.checkpoint.is_some() {
            seen.restored_holds += u64::from(!state.tables().held.is_empty());
            let is_changed = state.height().0 > 0 && *state.registry() != registry(genesis);
            seen.restored_registries += u64::from(is_changed);
        }
        for kept in self.disk.blocks.iter().skip(state.height().0 as usize) {
            let (block, batches) = (&kept.block, &kept.batches);
            let executed = node_replica::replay_block(&state, block, batches, &self.shelf)
                .map_err(|error| format!("cannot replay: {error}"))?;
            seen.replayed_returns += u64::from(has_returns(batches));
            let penalty = state.parameters().proposer_penalty_heights;
            proposers.note(&kept.block, state.validators(), penalty);
            state.apply(executed.writes);
        }
        Ok((state, proposers))
    }

    fn restore(
        &self,
        genesis: &ChainGenesis,
        height: Height,
        bytes: &[u8],
    ) -> Result<(State, Proposers), String> {
        let checkpoint = Checkpoint::decode(bytes).map_err(|error| error.to_string())?;
        let mut restoring =
            State::restore(genesis, &checkpoint.state).map_err(|fault| fault.to_string())?;
        let from = restoring.blocks_from();
        let blocks = self.disk.blocks.iter().take(height.0 as usize);
        for kept in blocks.filter(|kept| kept.block.header.time >= from) {
            let outcomes = self.outcomes(kept.block.header.height)?;
            restoring.remember(&kept.block.header, &kept.batches, outcomes);
        }
        let state = restoring.finish().map_err(|fault| fault.to_string())?;
        Ok((state, checkpoint.proposers))
    }

    /// How many orders [`Self::rebuild`] executes again.
    pub fn replayed_orders(&self) -> u64 {
        let from = self.checkpoint.as_ref().map_or(Height(0), |(height, _)| *height);
        let head = self.disk.head();
        let replayed = self.disk.outcomes.range(from.next()..);
        let replayed = replayed.take_while(|(height, _)| **height <= head);
        replayed.map(|(_, outcomes)| SinceCheckpoint::orders_of(outcomes)).sum()
    }

    fn outcomes(&self, height: Height) -> Result<&[Vec<Outcome>], String> {
        let outcomes = self.disk.outcomes.get(&height).map(Vec::as_slice);
        outcomes.ok_or_else(|| format!("no outcomes of block {height}"))
    }
}

fn registry(genesis: &ChainGenesis) -> chain_state::RegistryContent {
    chain_state::RegistryContent::genesis(genesis)
}
