//! Inputs that wait for a busy node: bounded, and taken from one peer after the other.

use std::collections::{BTreeMap, VecDeque};

use node_replica::Input;

/// The most inputs of one sender that wait; more are refused, never kept.
const WAITING_MAX: usize = 256;

/// The sender of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// A client of the node's own, or the node itself.
    Own,
    /// A peer, by its number.
    Peer(u32),
}

/// The inputs that wait for a node.
#[derive(Debug, Default)]
pub struct Inbox {
    waiting: BTreeMap<Sender, VecDeque<Input>>,
    last: Option<Sender>,
}

impl Inbox {
    /// Keeps an input, unless its sender has too many waiting.
    pub fn offer(&mut self, from: Sender, input: Input) {
        let waiting = self.waiting.entry(from).or_default();
        if waiting.len() < WAITING_MAX {
            waiting.push_back(input);
        }
    }

    /// The oldest input of the sender whose turn it is.
    pub fn pop(&mut self) -> Option<Input> {
        let after = self.last.and_then(|last| {
            let range = (std::ops::Bound::Excluded(last), std::ops::Bound::Unbounded);
            self.waiting.range(range).next().map(|(sender, _)| *sender)
        });
        let sender = after.or_else(|| self.waiting.keys().next().copied())?;
        self.last = Some(sender);
        let waiting = self.waiting.get_mut(&sender)?;
        let input = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&sender);
        }
        input
    }

    /// Forgets all inputs that wait.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}
