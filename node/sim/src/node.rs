//! One simulated node: what dies in a crash, and what outlives it.

use std::collections::{BTreeMap, VecDeque};

use chain_state::State;
use chain_types::{ChainGenesis, Height, Outcome};
use consensus_core::Proposers;
use node_replica::{Checkpoint, Replica, SharedState, SinceCheckpoint, Timer};

use crate::archive::Shelf;
use crate::checks::{Coverage, has_returns};
use crate::disk::Disk;
use crate::inbox::Inbox;

/// The part of a node that outlives crashes.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// Blocks, votes and locks.
    pub disk: Disk,
    /// The last checkpoint and its height.
    pub checkpoint: Option<(Height, Vec<u8>)>,
    /// The archive that contracts ask of the past.
    pub shelf: Shelf,
    /// True if it is a copy in which nothing has been signed yet.
    pub copied: bool,
}

impl Folder {
    /// A copy of the whole folder.
    pub fn copy(&self) -> Self {
        Self { shelf: self.shelf.copied(), copied: true, ..self.clone() }
    }
}

/// One simulated node, up or down.
pub struct Node {
    /// Its place in the registry. Two nodes have one if a home was copied and both are started.
    pub place: u32,
    /// The deciding half, while the node is up.
    pub replica: Option<Replica>,
    /// The committed state, shared with the replica.
    pub state: SharedState,
    /// The part that outlives crashes.
    pub folder: Folder,
    /// A copy of the folder from earlier.
    pub backup: Option<Folder>,
    /// A checkpoint that is being written.
    pub writing: Option<(Height, Vec<u8>)>,
    /// The timers that run, by the number of the event that ends each.
    pub timers: BTreeMap<Timer, u64>,
    /// Timers that have ended while the node was busy, with those numbers.
    pub due: VecDeque<(Timer, u64)>,
    /// Inputs that have arrived while the node was busy.
    pub inbox: Inbox,
    /// Until when it is busy, in virtual microseconds.
    pub busy_until_us: u64,
    /// Counts its lives: events of an earlier one are void.
    pub life: u32,
    /// Effects until it crashes, and how long it is away then.
    pub doom: Option<(u32, u64)>,
    /// How far its clock is ahead of the slowest one that is possible.
    pub clock_off_ms: u64,
    /// How far its clock was set ahead.
    pub clock_ahead_ms: u64,
}

impl Node {
    /// A node that was never up.
    pub fn new(place: u32, genesis: &ChainGenesis, clock_off_ms: u64) -> Self {
        Self {
            place,
            replica: None,
            state: SharedState::new(State::genesis(genesis)),
            folder: Folder::default(),
            backup: None,
            writing: None,
            timers: BTreeMap::new(),
            due: VecDeque::new(),
            inbox: Inbox::default(),
            busy_until_us: 0,
            life: 0,
            doom: None,
            clock_off_ms,
            clock_ahead_ms: 0,
        }
    }

    /// Drops what is only in memory. Returns the height of a commit that is gone with it.
    pub fn die(&mut self, loses_power: bool) -> Option<Height> {
        self.replica = None;
        self.doom = None;
        self.life += 1;
        self.timers.clear();
        self.due.clear();
        self.inbox.clear();
        self.writing = None;
        self.busy_until_us = 0;
        self.folder.disk.crash(loses_power)
    }

    /// The state that its disk gives: from its checkpoint and the blocks after it.
    pub fn rebuild(
        &self,
        genesis: &ChainGenesis,
        seen: &mut Coverage,
    ) -> Result<(State, Proposers), String> {
        let (mut state, mut proposers) = match &self.folder.checkpoint {
            None => (State::genesis(genesis), Proposers::new()),
            Some((height, bytes)) => self.restore(genesis, *height, bytes)?,
        };
        if self.folder.checkpoint.is_some() {
            seen.restored_holds += u64::from(!state.tables().held.is_empty());
            let is_changed = state.height().get() > 0 && *state.registry() != registry(genesis);
            seen.restored_registries += u64::from(is_changed);
        }
        for kept in self.folder.disk.blocks.iter().skip(state.height().get() as usize) {
            let (block, batches) = (&kept.block, &kept.batches);
            let executed = node_replica::replay_block(&state, block, batches, &self.folder.shelf)
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
        let blocks = self.folder.disk.blocks.iter().take(height.get() as usize);
        for kept in blocks.filter(|kept| kept.block.header.time >= from) {
            let outcomes = self.outcomes(kept.block.header.height)?;
            restoring.remember(&kept.block.header, &kept.batches, outcomes);
        }
        let state = restoring.finish().map_err(|fault| fault.to_string())?;
        Ok((state, checkpoint.proposers))
    }

    /// How many orders [`Self::rebuild`] executes again.
    pub fn replayed_orders(&self) -> u64 {
        let from = self.folder.checkpoint.as_ref().map_or(Height::new(0), |(height, _)| *height);
        let head = self.folder.disk.head();
        let replayed = self.folder.disk.outcomes.range(from.next()..);
        let replayed = replayed.take_while(|(height, _)| **height <= head);
        replayed.map(|(_, outcomes)| SinceCheckpoint::orders_of(outcomes)).sum()
    }

    fn outcomes(&self, height: Height) -> Result<&[Vec<Outcome>], String> {
        let outcomes = self.folder.disk.outcomes.get(&height).map(Vec::as_slice);
        outcomes.ok_or_else(|| format!("no outcomes of block {height}"))
    }
}

fn registry(genesis: &ChainGenesis) -> chain_state::RegistryContent {
    chain_state::RegistryContent::genesis(genesis)
}
