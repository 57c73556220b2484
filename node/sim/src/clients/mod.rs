//! Simulated participants of every role: they do their work, repeat themselves, and now and then
//! send what must be refused. Mostly they recharge.
//!
//! One file a desk; what each does next is drawn from the seed, and from what a node of the
//! network shows it.

mod fx;
mod governance;
mod lines;
mod liquidity;
mod memory;
mod moment;
mod orders;
mod returns;
mod risk;
mod settlement;

use chain_state::State;
use chain_types::{ExecutedBlock, TimeMs, VerifiedBatch};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use memory::Memory;
pub use memory::People;
use moment::{Keyring, Moment};

/// Something that a participant may do next; nothing when there is no occasion.
type Act = fn(&mut Memory, &mut Moment<'_>) -> Option<VerifiedBatch>;

/// The acts of the participants, each with its weight.
const MIX: &[(u32, Act)] = &[
    (24, orders::submit),
    (24, orders::submit_collected),
    (8, orders::collect),
    (2, orders::debit),
    (3, orders::void),
    (1, returns::consent),
    (8, returns::give_back),
    (7, settlement::arrive),
    (3, settlement::fail),
    (2, settlement::reinstruct),
    (1, settlement::bounce),
    (1, settlement::recall),
    (1, settlement::step_in),
    (2, settlement::settle_window),
    (2, settlement::decide_settlement),
    (5, liquidity::propose),
    (5, liquidity::decide),
    (5, fx::publish_rates),
    (5, fx::issue_quotes),
    (1, risk::set_policy),
    (1, lines::set),
    (4, risk::decide),
    (4, governance::propose),
    (1, governance::list),
    (7, governance::vote),
    (6, repeat),
];

/// All participants of the simulated scheme.
#[derive(Debug)]
pub struct Clients {
    memory: Memory,
    keys: Keyring,
}

impl Clients {
    /// Participants who have done nothing yet.
    pub fn new(people: People) -> Self {
        Self { memory: Memory::new(people), keys: Keyring::default() }
    }

    /// The next batch that someone sends, who asks a node with this state.
    pub fn next(
        &mut self,
        state: &State,
        now: TimeMs,
        random: &mut ChaCha8Rng,
    ) -> Option<VerifiedBatch> {
        let Self { memory, keys } = self;
        let mut moment = Moment { state, now, random, keys };
        let act = draw(moment.random);
        let batch = act(memory, &mut moment).or_else(|| orders::submit(memory, &mut moment))?;
        memory.sent.push(batch.clone());
        Some(batch)
    }

    /// The participants read a block that was decided, and the state after it.
    pub fn read(&mut self, decided: &ExecutedBlock, state: &State) {
        self.memory.read(decided, state);
    }
}

fn draw(random: &mut ChaCha8Rng) -> Act {
    let whole = MIX.iter().map(|(weight, _)| weight).sum();
    let mut left = random.random_range(0..whole);
    let drawn = MIX.iter().find(|(weight, _)| {
        let is_it = left < *weight;
        left = left.saturating_sub(*weight);
        is_it
    });
    drawn.map_or(orders::submit, |(_, act)| *act)
}

/// A batch that was sent before, as a client does that heard no answer.
fn repeat(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    // Mostly a late one: the early ones have expired.
    let late = memory.sent.len().saturating_sub(40);
    let from = if moment.one_in(5) { 0 } else { late };
    memory.sent.get(moment.random.random_range(from..memory.sent.len().max(from + 1))).cloned()
}
