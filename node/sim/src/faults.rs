//! What goes wrong in a run, drawn from its seed.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::setup::{NODES, VALIDATORS};
use crate::villains::Boaster;

/// How far the clocks are ahead when every machine has slept: longer than the chain remembers
/// batches, quotes, and instructions that ended, or waits for checkers and approvals.
pub const SLEEP_MS: u64 = 16 * 60_000;

/// Bounds of what may go wrong.
#[derive(Debug, Clone, Copy)]
pub struct FaultPlan {
    /// How long things go wrong, in virtual milliseconds.
    pub fault_ms: u64,
    /// How long nothing goes wrong after that.
    pub healed_ms: u64,
    /// Messages lost, in thousandths, at most.
    pub loss_per_mille_max: u32,
    /// The longest delay of a message.
    pub delay_ms_max: u64,
    /// Crashes and partitions in the fault phase, at most.
    pub events_max: u32,
    /// Runs of four in which a node loses its disk.
    pub lost_disks_of_four: u32,
    /// Runs of four in which every machine sleeps for sixteen minutes.
    pub sleeps_of_four: u32,
    /// A validator that says it is further than it is, all the time.
    pub boaster: Option<Boaster>,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            fault_ms: 12_000,
            healed_ms: 12_000,
            loss_per_mille_max: 100,
            delay_ms_max: 120,
            events_max: 8,
            lost_disks_of_four: 1,
            sleeps_of_four: 1,
            boaster: None,
        }
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The node stops after so many more effects, and starts again so many milliseconds later.
    Crash {
        /// Which.
        node: u32,
        /// Effects that still happen.
        after_effects: u32,
        /// How long it is away.
        away_ms: u64,
    },
    /// Every node stops at once, and all start again together.
    CrashAll {
        /// How long they are away.
        away_ms: u64,
    },
    /// Every machine sleeps as long: nobody does anything, and every clock leaps ahead.
    Sleep,
    /// The node stops and starts again with an empty disk: at most once in a run, for one faulty
    /// validator of four is what the chain bears.
    LoseDisk {
        /// Which.
        node: u32,
        /// How long it is away.
        away_ms: u64,
    },
    /// Nodes whose bits differ cannot reach one another.
    Partition {
        /// One bit a node.
        sides: u32,
        /// For how long.
        for_ms: u64,
    },
    /// Nothing that the node sends arrives; it hears the others.
    Mute {
        /// Which.
        node: u32,
        /// For how long.
        for_ms: u64,
    },
}

/// What goes wrong in one run.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Messages lost, in thousandths.
    pub loss_per_mille: u32,
    /// The longest delay of a message.
    pub delay_ms_max: u64,
    /// When what happens, ascending.
    pub events: Vec<(u64, Fault)>,
}

impl Faults {
    /// Draws a run's faults.
    pub fn draw(plan: &FaultPlan, random: &mut ChaCha8Rng) -> Self {
        let mut events: Vec<(u64, Fault)> = (0..random.random_range(0..=plan.events_max))
            .map(|_| (random.random_range(0..plan.fault_ms), draw_fault(plan, random)))
            .collect();
        if random.random_range(0..4) < plan.lost_disks_of_four {
            let node = random.random_range(0..NODES);
            let away_ms = random.random_range(100..=plan.fault_ms / 3);
            events.push((random.random_range(0..plan.fault_ms), Fault::LoseDisk { node, away_ms }));
        }
        if random.random_range(0..4) < plan.sleeps_of_four {
            events.push((random.random_range(0..plan.fault_ms), Fault::Sleep));
        }
        events.sort_by_key(|(at, _)| *at);
        Self {
            loss_per_mille: random.random_range(0..=plan.loss_per_mille_max),
            delay_ms_max: random.random_range(2..=plan.delay_ms_max),
            events,
        }
    }
}

impl Faults {
    /// Whether a node loses its disk.
    pub fn lose_disk(&self) -> bool {
        self.events.iter().any(|(_, fault)| matches!(fault, Fault::LoseDisk { .. }))
    }
}

fn draw_fault(plan: &FaultPlan, random: &mut ChaCha8Rng) -> Fault {
    let for_ms = random.random_range(100..=plan.fault_ms / 3);
    match random.random_range(0..10) {
        0..5 => Fault::Crash {
            node: random.random_range(0..NODES),
            after_effects: random.random_range(0..40),
            away_ms: for_ms,
        },
        5 => Fault::CrashAll { away_ms: for_ms },
        6..9 => Fault::Partition { sides: random.random_range(0..1 << NODES), for_ms },
        _ => Fault::Mute { node: random.random_range(0..VALIDATORS), for_ms },
    }
}
