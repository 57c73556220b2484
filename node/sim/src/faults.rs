//! The faults of a run, drawn from its seed or named by its plan.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::costs::Costs;
use crate::network::LinkFault;
use crate::setup::{LONG_VALIDITY_MS, SHORT_VALIDITY_MS, Shape};
use crate::villains::Kind;

/// How far the clocks are ahead when every machine has slept: longer than the chain remembers
/// batches, quotes, and instructions that ended, or waits for checkers and approvals.
pub const SLEEP_MS: u64 = 16 * 60_000;

/// Bounds of what may go wrong.
#[derive(Debug, Clone)]
pub struct FaultPlan {
    /// Validators from genesis on.
    pub validators: u32,
    /// How long things go wrong, in virtual milliseconds.
    pub fault_ms: u64,
    /// How long nothing goes wrong after that.
    pub healed_ms: u64,
    /// True if every honest node must have come on in the healed phase.
    pub must_recover: bool,
    /// Messages lost, in thousandths, at most.
    pub loss_per_mille_max: u32,
    /// Messages that arrive twice, in thousandths, at most.
    pub twice_per_mille_max: u32,
    /// The longest delay of a message.
    pub delay_ms_max: u64,
    /// Crashes, partitions and the like in the fault phase, at most.
    pub events_max: u32,
    /// Runs of four in which a node loses its disk.
    pub lost_disks_of_four: u32,
    /// Runs of four in which every machine sleeps for sixteen minutes.
    pub sleeps_of_four: u32,
    /// How far a node's clock may be off, either way.
    pub clock_off_ms_max: u64,
    /// Hostile nodes, all the time.
    pub villains: Vec<(u32, Kind)>,
    /// The faults of every run, each with its time in milliseconds.
    pub events: Vec<(u64, Fault)>,
    /// True if the operators change the registry.
    pub govern: bool,
    /// True if orders are good for minutes, as on a real chain.
    pub is_lasting: bool,
    /// The cost of work in every run.
    pub costs: Costs,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            validators: 4,
            fault_ms: 12_000,
            healed_ms: 12_000,
            must_recover: true,
            loss_per_mille_max: 100,
            twice_per_mille_max: 20,
            delay_ms_max: 120,
            events_max: 8,
            lost_disks_of_four: 1,
            sleeps_of_four: 1,
            clock_off_ms_max: 400,
            villains: Vec::new(),
            events: Vec::new(),
            govern: true,
            is_lasting: false,
            costs: Costs::default(),
        }
    }
}

impl FaultPlan {
    /// Nothing goes wrong but what is added to it: links are good and clocks nearly agree.
    pub fn calm(validators: u32, for_ms: u64) -> Self {
        Self {
            validators,
            fault_ms: for_ms,
            healed_ms: 0,
            must_recover: false,
            loss_per_mille_max: 0,
            twice_per_mille_max: 0,
            delay_ms_max: 15,
            events_max: 0,
            lost_disks_of_four: 0,
            sleeps_of_four: 0,
            clock_off_ms_max: 30,
            govern: false,
            is_lasting: true,
            ..Self::default()
        }
    }

    /// The nodes of a run.
    pub(crate) fn shape(&self) -> Shape {
        let validity_ms = if self.is_lasting { LONG_VALIDITY_MS } else { SHORT_VALIDITY_MS };
        Shape { validators: self.validators, order_validity_ms: validity_ms }
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The node stops after so many more effects, and starts again so many milliseconds later.
    Crash {
        /// The number of the node.
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
        /// The number of the node.
        node: u32,
        /// How long it is away.
        away_ms: u64,
    },
    /// The node stops, and its blocks staged for the next height are gone; log and guard are not.
    LoseStaged {
        /// The number of the node.
        node: u32,
        /// How long it is away.
        away_ms: u64,
    },
    /// The node's folder is copied while it runs.
    BackUp {
        /// The number of the node.
        node: u32,
    },
    /// The node stops and starts again with the copy of its folder.
    Restore {
        /// The number of the node.
        node: u32,
        /// True if the copy's vote guard is put back too, or left out.
        guard: bool,
        /// How long it is away.
        away_ms: u64,
    },
    /// A copy of the node's folder is started elsewhere, and the node goes on.
    StartTwice {
        /// The number of the node.
        node: u32,
    },
    /// Nodes whose bits differ cannot reach one another.
    Partition {
        /// One bit a node.
        sides: u32,
        /// The length of the fault, in milliseconds.
        for_ms: u64,
    },
    /// Nothing that the node sends arrives; it hears the others.
    Mute {
        /// The number of the node.
        node: u32,
        /// The length of the fault, in milliseconds.
        for_ms: u64,
    },
    /// One link is faulty, in one direction.
    Link {
        /// The number of the sending node.
        from: u32,
        /// The number of the receiving node.
        to: u32,
        /// The kind of the fault.
        fault: LinkFault,
        /// The length of the fault, in milliseconds.
        for_ms: u64,
    },
    /// A clock is set ahead, or all clocks are, and right again later.
    Clock {
        /// The node whose clock it is, or none for everybody's.
        node: Option<u32>,
        /// The difference from the true time, in milliseconds.
        ahead_ms: u64,
        /// The length of the fault, in milliseconds.
        for_ms: u64,
    },
}

/// The faults of one run.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Messages lost, in thousandths.
    pub loss_per_mille: u32,
    /// Messages that arrive twice, in thousandths.
    pub twice_per_mille: u32,
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
        let nodes = plan.shape().nodes();
        if random.random_range(0..4) < plan.lost_disks_of_four {
            let node = random.random_range(0..nodes);
            let away_ms = random.random_range(100..=plan.fault_ms / 3);
            events.push((random.random_range(0..plan.fault_ms), Fault::LoseDisk { node, away_ms }));
        }
        if random.random_range(0..4) < plan.sleeps_of_four {
            events.push((random.random_range(0..plan.fault_ms), Fault::Sleep));
        }
        events.extend(&plan.events);
        events.sort_by_key(|(at, _)| *at);
        Self {
            loss_per_mille: random.random_range(0..=plan.loss_per_mille_max),
            twice_per_mille: random.random_range(0..=plan.twice_per_mille_max),
            delay_ms_max: random.random_range(2..=plan.delay_ms_max),
            events,
        }
    }
}

impl Faults {
    /// Returns true if a node loses its disk.
    pub fn lose_disk(&self) -> bool {
        self.events.iter().any(|(_, fault)| matches!(fault, Fault::LoseDisk { .. }))
    }
}

fn draw_fault(plan: &FaultPlan, random: &mut ChaCha8Rng) -> Fault {
    let validators = plan.validators;
    let nodes = plan.shape().nodes();
    let for_ms = random.random_range(100..=plan.fault_ms / 3);
    match random.random_range(0..13) {
        0..5 => Fault::Crash {
            node: random.random_range(0..nodes),
            after_effects: random.random_range(0..40),
            away_ms: for_ms,
        },
        5 => Fault::CrashAll { away_ms: for_ms },
        6..9 => Fault::Partition { sides: random.random_range(0..1 << nodes), for_ms },
        9 => Fault::Mute { node: random.random_range(0..validators), for_ms },
        10..12 => Fault::Link {
            from: random.random_range(0..nodes),
            to: random.random_range(0..nodes),
            fault: draw_link_fault(random),
            for_ms,
        },
        _ => Fault::Clock {
            node: random.random_bool(0.5).then(|| random.random_range(0..nodes)),
            ahead_ms: random.random_range(0..4_000),
            for_ms,
        },
    }
}

fn draw_link_fault(random: &mut ChaCha8Rng) -> LinkFault {
    match random.random_range(0..3) {
        0 => LinkFault::Cut,
        1 => LinkFault::Flaps { every_ms: random.random_range(20..400) },
        _ => LinkFault::Slow { by_ms: random.random_range(20..600) },
    }
}
