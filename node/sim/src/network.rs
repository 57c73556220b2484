//! The virtual network: who can reach whom, how long a message takes, which are lost.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// The links between the nodes.
#[derive(Debug)]
pub struct Network {
    /// Messages lost, in thousandths.
    pub loss_per_mille: u32,
    /// The longest delay of a message.
    pub delay_ms_max: u64,
    /// One bit a node; nodes whose bits differ cannot reach one another.
    pub sides: u32,
    /// One bit a node: nothing that it sends arrives.
    pub muted: u32,
}

impl Network {
    /// How long a message takes, or `None` if it does not arrive.
    pub fn delay(&self, from: u32, to: u32, random: &mut ChaCha8Rng) -> Option<u64> {
        let bit = |set: u32, node: u32| set >> node & 1;
        let lost = random.random_range(0..1000) < self.loss_per_mille;
        let delay = random.random_range(1..=self.delay_ms_max);
        let apart = bit(self.sides, from) != bit(self.sides, to) || bit(self.muted, from) == 1;
        (!lost && !apart).then_some(delay)
    }

    /// Everything works again.
    pub fn heal(&mut self) {
        self.loss_per_mille = 0;
        self.delay_ms_max = 10;
        self.sides = 0;
        self.muted = 0;
    }
}
