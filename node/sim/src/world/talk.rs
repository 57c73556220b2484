//! Messages between nodes travel, and are ingested when there is time.

use chain_types::{Height, ValidatorId};
use node_replica::{Input, NodeIndex, PeerMessage, SyncBlock, Target};

use super::{ANSWER_BLOCKS_MAX, Event, REQUEST_FAILS_AFTER_MS, REQUEST_WAITS_MS, World};
use crate::inbox::Sender;

/// How long a peer's connections to a key that runs twice stay with one of the two.
const STAYS_WITH_ONE_MS: u64 = 700;

impl World {
    /// A node's message, for each of its receivers.
    pub(super) fn send(&mut self, node: u32, lag_us: u64, to: Target, message: &PeerMessage) {
        let place = self.nodes[node as usize].place;
        let validators = self.validators(node);
        let reaches = |other: u32| match to {
            Target::Validators => validators.get(ValidatorId::new(other)).is_some(),
            Target::All => true,
            Target::Node(only) => other == only.get(),
        };
        for other in (0..self.shape.nodes()).filter(|other| *other != place && reaches(*other)) {
            let said = Input::Message { from: NodeIndex::new(place), message: message.clone() };
            self.utter(node, lag_us, other, said);
        }
    }

    /// Sends what leaves a node for one other: as its villain has it, if it has one.
    pub(super) fn utter(&mut self, node: u32, lag_us: u64, to: u32, said: Input) {
        if self.villains.contains_key(&node) {
            self.with_villain(node, |villain, scene| villain.say(scene, to, said));
        } else {
            self.deliver(node, to, lag_us, said);
        }
    }

    /// Something travels to a place; once, twice or not at all.
    pub(super) fn deliver(&mut self, node: u32, to: u32, lag_us: u64, input: Input) {
        let from = self.nodes[node as usize].place;
        let Some(receiver) = self.instance(from, to) else { return };
        let now_ms = self.now_ms();
        let times = 1 + u32::from(self.network.repeats(&mut self.random));
        for _ in 0..times {
            let delay_ms = self.network.delay_ms((from, to), now_ms, &mut self.random);
            if let Some(delay_ms) = delay_ms {
                let after_us = lag_us + delay_ms * 1_000;
                self.post(receiver, after_us, Sender::Peer(from), input.clone());
            }
        }
    }

    /// The node at a place: the one of two to which a peer is connected now, if its key runs twice.
    fn instance(&self, peer: u32, place: u32) -> Option<u32> {
        let is_there = |node: &u32| self.nodes[*node as usize].place == place;
        let there: Vec<u32> = self.all_nodes().filter(is_there).collect();
        let count = there.len().max(1) as u64;
        let at = (self.now_ms() / STAYS_WITH_ONE_MS + u64::from(peer)) % count;
        there.get(at as usize).copied()
    }

    pub(super) fn post(&mut self, node: u32, after_us: u64, from: Sender, input: Input) {
        let life = self.nodes[node as usize].life;
        let input = Box::new(input);
        self.at(self.now_us + after_us, Event::Input { node, life, from, input });
    }

    /// An input has reached a node: it is taken in at once, or waits while the node is busy.
    pub(super) fn arrive(&mut self, node: u32, from: Sender, input: Input) -> Result<(), String> {
        let heard = if self.villains.contains_key(&node) {
            self.with_villain(node, |villain, scene| villain.hear(scene, input)).flatten()
        } else {
            Some(input)
        };
        let slot = &mut self.nodes[node as usize];
        if let Some(input) = heard.filter(|_| slot.replica.is_some()) {
            slot.inbox.offer(from, input);
            self.work(node)?;
        }
        Ok(())
    }

    /// Takes in what waits, timers first, until the node is busy.
    pub(super) fn work(&mut self, node: u32) -> Result<(), String> {
        loop {
            let slot = &mut self.nodes[node as usize];
            if slot.replica.is_none() || slot.busy_until_us > self.now_us {
                return Ok(());
            }
            if let Some((timer, number)) = slot.due.pop_front() {
                if slot.timers.get(&timer) == Some(&number) {
                    slot.timers.remove(&timer);
                    self.feed(node, Input::Timer(timer))?;
                }
            } else if let Some(input) = slot.inbox.pop() {
                self.feed(node, input)?;
            } else {
                return Ok(());
            }
        }
    }

    pub(super) fn request_blocks(&mut self, asker: u32, to: u32, from: Height) {
        let here = self.nodes[asker as usize].place;
        let node = self.instance(here, to);
        let now_ms = self.now_ms();
        match (self.network.delay_ms((here, to), now_ms, &mut self.random), node) {
            (Some(delay_ms), Some(node)) => {
                let life = self.nodes[asker as usize].life;
                self.after_ms(delay_ms, Event::BlocksWanted { node, asker, life, from });
            }
            _ => self.no_blocks(asker, to),
        }
    }

    fn no_blocks(&mut self, asker: u32, place: u32) {
        let input = Input::Blocks { from: NodeIndex::new(place), blocks: Vec::new() };
        self.post(asker, REQUEST_FAILS_AFTER_MS * 1_000, Sender::Peer(place), input);
    }

    pub(super) fn answer_blocks(&mut self, node: u32, asker: u32, from: Height) {
        let slot = &self.nodes[node as usize];
        let place = slot.place;
        let skip = usize::try_from(from.get().saturating_sub(1)).unwrap_or(usize::MAX);
        let kept = slot.folder.disk.blocks.iter().skip(skip).take(ANSWER_BLOCKS_MAX);
        let blocks: Vec<SyncBlock> = kept
            .map(|kept| SyncBlock {
                block: kept.block.clone(),
                certificate: kept.certificate.clone(),
                batches: kept.batches.clone(),
            })
            .collect();
        let is_up = slot.replica.is_some() || self.villains.contains_key(&node);
        let (blocks, takes_ms) = if self.villains.contains_key(&node) {
            let answer =
                self.with_villain(node, |villain, scene| villain.give_blocks(scene, from, blocks));
            answer.unwrap_or_default()
        } else {
            (blocks, 0)
        };
        let (there, now_ms) = (self.nodes[asker as usize].place, self.now_ms());
        let delay_ms = self.network.delay_ms((place, there), now_ms, &mut self.random);
        match delay_ms.filter(|_| is_up) {
            Some(delay_ms) => {
                // The asker gives up by then.
                let (after_ms, blocks) = if takes_ms >= REQUEST_WAITS_MS {
                    (REQUEST_WAITS_MS, Vec::new())
                } else {
                    (delay_ms + takes_ms, blocks)
                };
                let input = Input::Blocks { from: NodeIndex::new(place), blocks };
                self.post(asker, after_ms * 1_000, Sender::Peer(place), input);
            }
            None => self.no_blocks(asker, place),
        }
    }
}
