//! The virtual network: who can reach whom, how long a message takes, which are lost, and which
//! arrive twice.

use std::collections::BTreeMap;

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// The fault of the way from one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFault {
    /// No message arrives at all.
    Cut,
    /// Nothing arrives every other time of this length.
    Flaps {
        /// How long it works, and how long it does not.
        every_ms: u64,
    },
    /// Everything takes so much longer.
    Slow {
        /// The delay of each message, in milliseconds.
        by_ms: u64,
    },
}

/// The links between the nodes.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Messages lost, in thousandths.
    pub loss_per_mille: u32,
    /// Messages that arrive twice, in thousandths.
    pub twice_per_mille: u32,
    /// The longest delay of a message.
    pub delay_ms_max: u64,
    /// One bit a node; nodes whose bits differ cannot reach one another.
    pub sides: u32,
    /// One bit a node: nothing that it sends arrives.
    pub muted: u32,
    /// The faults of single links, by sender and receiver.
    pub links: BTreeMap<(u32, u32), LinkFault>,
}

impl Network {
    /// How long a message takes, or `None` if it does not arrive.
    pub fn delay_ms(
        &self,
        (from, to): (u32, u32),
        now_ms: u64,
        random: &mut ChaCha8Rng,
    ) -> Option<u64> {
        let bit = |set: u32, node: u32| set >> node & 1;
        let lost = random.random_range(0..1000) < self.loss_per_mille;
        let mut delay_ms = random.random_range(1..=self.delay_ms_max.max(1));
        let apart = bit(self.sides, from) != bit(self.sides, to) || bit(self.muted, from) == 1;
        match self.links.get(&(from, to)) {
            Some(LinkFault::Cut) => return None,
            Some(LinkFault::Flaps { every_ms }) if now_ms / every_ms.max(&1) % 2 == 1 => {
                return None;
            }
            Some(LinkFault::Slow { by_ms }) => delay_ms += by_ms,
            Some(LinkFault::Flaps { .. }) | None => {}
        }
        (!lost && !apart).then_some(delay_ms)
    }

    /// Returns true if a message arrives a second time.
    pub fn repeats(&self, random: &mut ChaCha8Rng) -> bool {
        self.twice_per_mille > 0 && random.random_range(0..1000) < self.twice_per_mille
    }

    /// Ends all faults of the network.
    pub fn heal(&mut self) {
        *self = Self { delay_ms_max: 10, ..Self::default() };
    }
}
