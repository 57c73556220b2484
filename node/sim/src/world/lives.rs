//! Nodes stop and start again, and other things go wrong.

use std::sync::Arc;

use chain_types::{Height, ValidatorId};
use node_replica::{CheckpointInterval, Config, Input, NodeIndex, NodeKeys, Replica, SharedState};
use rand::Rng as _;

use super::{Event, World};
use crate::faults::{Fault, SLEEP_MS};
use crate::inbox::Sender;
use crate::node::{Folder, Node};
use crate::setup::{network_key, node_key};

/// How soon peers notice that a connection stands, or is gone.
const NOTICED_AFTER_MS: u64 = 5;

impl World {
    pub(super) fn fault(&mut self, fault: Fault) -> Result<(), String> {
        self.note("fault", format!("{fault:?}").as_bytes());
        match fault {
            Fault::Crash { node, after_effects, away_ms } => {
                self.nodes[node as usize].doom = Some((after_effects, away_ms));
            }
            Fault::CrashAll { away_ms } => {
                for node in self.all_nodes() {
                    self.crash(node, away_ms);
                }
            }
            // See `newcomer` in node/replica for the chain's first two blocks.
            Fault::LoseDisk { .. } if self.agreement.head() < Height::new(3) => {}
            Fault::LoseDisk { node, .. }
                if !self.newcomers.may_lose_disk(node, &self.validators(node)) => {}
            Fault::LoseDisk { node, away_ms } => {
                let has_vote = self.validators(node).get(ValidatorId::new(node)).is_some();
                self.crash(node, away_ms);
                self.nodes[node as usize].folder = Folder::default();
                self.agreement.lost_disk(node);
                if has_vote && self.is_honest(node) {
                    self.newcomers.lost_disk(node);
                }
            }
            Fault::LoseStaged { node, away_ms } => {
                self.crash(node, away_ms);
                self.troubled.insert(node);
                self.nodes[node as usize].folder.disk.staged.clear();
            }
            Fault::BackUp { node } => {
                let slot = &mut self.nodes[node as usize];
                slot.backup = Some(slot.folder.copy());
            }
            Fault::Restore { node, guard, away_ms } => self.restore(node, guard, away_ms),
            Fault::StartTwice { node } => self.start_twice(node)?,
            Fault::Sleep => self.slept_ms += SLEEP_MS,
            Fault::Partition { sides, for_ms } => {
                self.network.sides = sides;
                self.after_ms(for_ms, Event::EndPartition);
            }
            Fault::Mute { node, for_ms } => {
                self.network.muted |= 1 << node;
                self.after_ms(for_ms, Event::EndMute(node));
            }
            Fault::Link { from, to, fault, for_ms } => {
                self.network.links.insert((from, to), fault);
                self.after_ms(for_ms, Event::EndLink(from, to));
            }
            Fault::Clock { node, ahead_ms, for_ms } => {
                self.set_clock(node, |ahead| ahead + ahead_ms);
                self.after_ms(for_ms, Event::EndClock(node, ahead_ms));
            }
        }
        Ok(())
    }

    fn restore(&mut self, node: u32, guard: bool, away_ms: u64) {
        let Some(mut folder) = self.nodes[node as usize].backup.take() else { return };
        if folder.disk.head() < Height::new(3) {
            return;
        }
        if !guard {
            folder.disk.guard = None;
        }
        self.troubled.insert(node);
        self.crash(node, away_ms);
        self.agreement.went_back(node, folder.disk.head());
        self.nodes[node as usize].folder = folder;
    }

    fn start_twice(&mut self, node: u32) -> Result<(), String> {
        let original = &self.nodes[node as usize];
        if original.folder.disk.head() < Height::new(3) {
            return Ok(());
        }
        let (place, off_ms) = (original.place, original.clock_off_ms);
        let mut copy = Node::new(place, &self.genesis, off_ms);
        copy.folder = original.folder.copy();
        copy.folder.disk.crash(false);
        let twin = self.all_nodes().end;
        self.agreement.went_back(twin, copy.folder.disk.head());
        self.troubled.extend([node, twin]);
        self.nodes.push(copy);
        self.restart(twin)
    }

    pub(super) fn crash(&mut self, node: u32, away_ms: u64) {
        if self.nodes[node as usize].replica.is_none() {
            self.nodes[node as usize].doom = None;
            return;
        }
        let loses_power = self.random.random_bool(0.5);
        let slot = &mut self.nodes[node as usize];
        if slot.die(loses_power).is_some() {
            let head = slot.folder.disk.head();
            self.agreement.went_back(node, head);
            // Its log may lead to a block above the head that is left, whose body is not staged.
            self.troubled.insert(node);
        }
        self.crashes += 1;
        self.note("crash", &node.to_le_bytes());
        self.after_ms(away_ms, Event::Restart(node));
        let place = self.nodes[node as usize].place;
        for other in self.all_nodes() {
            if self.nodes[other as usize].place != place {
                let input = Input::Disconnected(NodeIndex::new(place));
                self.post(other, NOTICED_AFTER_MS * 1_000, Sender::Peer(place), input);
            }
        }
    }

    pub(super) fn restart(&mut self, node: u32) -> Result<(), String> {
        let hostile = self.villains.get(&node);
        let runs_replica = hostile.is_none_or(|villain| villain.runs_replica());
        if hostile.is_some() && self.now_us == 0 {
            self.at(1_000, Event::Wake(node));
        }
        if !runs_replica {
            return Ok(());
        }
        let slot = &mut self.nodes[node as usize];
        let (state, proposers) = slot
            .rebuild(&self.genesis, &mut self.observer.seen)
            .map_err(|error| format!("node {node}: {error}"))?;
        slot.state = SharedState::new(state);
        // What a killed process wrote becomes durable when the store is opened.
        slot.folder.disk.sync();
        let disk = &slot.folder.disk;
        let head = disk.head();
        let place = slot.place;
        let config = Config {
            genesis: self.genesis.clone(),
            keys: Some(NodeKeys {
                network: network_key(place).public_key(),
                vote: node_key(place),
            }),
            pool: consensus_mempool::Limits::default(),
            checkpoints: CheckpointInterval { blocks: 7, orders: 300 },
            replayed_orders: slot.replayed_orders(),
            head: disk.blocks.last().map(|kept| kept.certificate.clone()),
            guard_is_copied: slot.folder.copied,
            instance: self.random.random(),
        };
        let guard = disk.guard.clone();
        let (state, archive) = (slot.state.clone(), Arc::new(slot.folder.shelf.clone()));
        let replica = Replica::new(config, state, archive, proposers, guard.as_deref())
            .map_err(|fault| format!("node {node} does not start: {fault}"))?;
        let staged = disk.staged.iter().map(chain_types::ExecutedBlock::with_batches).collect();
        let wal = disk.log_from(head.next());
        slot.replica = Some(replica);
        if self.is_honest(node) {
            self.agreement.restarted(node, head)?;
            self.figures.started(node, self.now_us / 1_000);
        }
        self.feed(node, Input::Recover { staged, wal })?;
        self.connect(node, place);
        Ok(())
    }

    fn connect(&mut self, node: u32, place: u32) {
        for other in self.all_nodes() {
            let slot = &self.nodes[other as usize];
            let (is_up, there) = (slot.replica.is_some(), slot.place);
            if there != place && is_up {
                let after_us = NOTICED_AFTER_MS * 1_000;
                let (here, there) = (NodeIndex::new(place), NodeIndex::new(there));
                self.post(other, after_us, Sender::Peer(place), Input::Connected(here));
                self.post(node, after_us, Sender::Peer(there.get()), Input::Connected(there));
            }
        }
    }
}
