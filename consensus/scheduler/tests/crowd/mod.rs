//! A crowd of submitters before one network, simulated: who sends what when, what the network can
//! do, and what becomes of every order. One seed gives one run, everywhere.
//!
//! The network is one pool and one processor that does `CAPACITY` items a second: a quarter of an
//! item's work is reading, hashing and checking its signature, three quarters are its execution.
//! Calls are answered before blocks are made, up to nine tenths of the time: that is how a node
//! drowns in what it refuses.
#![allow(dead_code, reason = "each user of this file needs a part of it")]

pub mod clients;
pub mod policies;
pub mod report;
pub mod world;

/// Items a second that the simulated network can do.
pub const CAPACITY: u64 = 100_000;
/// The step of the simulation, in microseconds.
pub const STEP_US: u64 = 5_000;
/// The time between two blocks, in microseconds.
pub const BLOCK_US: u64 = 100_000;
/// The time from a block's proposal until it is final, in microseconds.
pub const SETTLE_US: u64 = 150_000;
/// The surge: its beginning and its end, and the end of the run, in microseconds. The clock starts
/// an hour after zero.
pub const START_US: u64 = 3_600_000_000;
pub const SURGE_US: u64 = START_US + 5_000_000;
pub const CALM_AGAIN_US: u64 = SURGE_US + 20_000_000;
pub const END_US: u64 = CALM_AGAIN_US + 35_000_000;
/// For how long an order is valid, in microseconds.
pub const VALID_US: u64 = 30_000_000;

/// The random numbers of a run, by SplitMix64.
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0x5851_F42D_4C95_7F2D)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, below: u64) -> u64 {
        self.word() % below.max(1)
    }
}

/// How the surge of a submitter goes over its time. The mean is the same for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Step,
    Ramp,
    Sawtooth,
    Flash,
}

/// How a submitter behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Calm,
    Surge,
    /// Sends all that it has again each 20 ms, whatever it is told.
    Rogue,
}

/// The load that one submitter sends.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    pub manner: Manner,
    pub shape: Shape,
    pub weight: u32,
    pub batch_items: u64,
    /// Items a second without and with the surge.
    pub usual_per_s: u64,
    pub surge_per_s: u64,
}

impl Profile {
    /// Items a second at a moment.
    pub fn rate(&self, now_us: u64) -> u64 {
        if !(SURGE_US..CALM_AGAIN_US).contains(&now_us) {
            return self.usual_per_s;
        }
        let (at, span) = (now_us - SURGE_US, CALM_AGAIN_US - SURGE_US);
        let thousandths = match self.shape {
            Shape::Step => 1_000,
            // Up to twice the mean in the middle, and down again.
            Shape::Ramp => 4_000 * at.min(span - at) / span,
            Shape::Sawtooth => 2_000 * (at % 4_000_000) / 4_000_000,
            // Everything in one second of four.
            Shape::Flash => {
                if at % 4_000_000 < 1_000_000 {
                    4_000
                } else {
                    0
                }
            }
        };
        self.surge_per_s * thousandths / 1_000
    }
}

/// A simulated run: its seed and its submitters.
#[derive(Debug, Clone)]
pub struct Crowd {
    pub seed: u64,
    pub profiles: Vec<Profile>,
    /// The part of the capacity that is left in each third second, in percent: a validator is
    /// stopped.
    pub slow_percent: u64,
}

impl Crowd {
    /// Twelve submitters. Eight of them surge until all together offer `times` the capacity.
    pub fn of_twelve(seed: u64, times: u64) -> Self {
        let mut draws = Draws::new(seed);
        let calm = |_| Profile {
            manner: Manner::Calm,
            shape: Shape::Step,
            weight: 100,
            batch_items: 100,
            usual_per_s: CAPACITY / 50,
            surge_per_s: CAPACITY / 50,
        };
        let mut profiles: Vec<Profile> = (0..4).map(calm).collect();
        let parts: Vec<u64> = (0..8).map(|_| 50 + draws.below(101)).collect();
        let sum: u64 = parts.iter().sum();
        for part in parts {
            let weight = if draws.below(4) == 0 { 200 } else { 100 };
            profiles.push(Profile {
                manner: Manner::Surge,
                shape: Shape::Step,
                weight,
                batch_items: [64, 256, 1_024, 4_096][draws.below(4) as usize],
                usual_per_s: CAPACITY * 4 / 100,
                surge_per_s: CAPACITY * (times * 100 - 8) / 100 * part / sum,
            });
        }
        Self { seed, profiles, slow_percent: 100 }
    }

    /// Two more submitters that send everything again each 20 ms.
    pub fn with_rogues(mut self, rogues: usize) -> Self {
        for _ in 0..rogues {
            self.profiles.push(Profile {
                manner: Manner::Rogue,
                shape: Shape::Step,
                weight: 100,
                batch_items: 256,
                usual_per_s: 0,
                surge_per_s: CAPACITY,
            });
        }
        self
    }

    /// Half of every surge.
    pub fn halved(mut self) -> Self {
        self.profiles.iter_mut().for_each(|each| each.surge_per_s /= 2);
        self
    }

    pub fn with_shape(mut self, shape: Shape) -> Self {
        let surging = self.profiles.iter_mut().filter(|each| each.manner == Manner::Surge);
        surging.for_each(|each| each.shape = shape);
        self
    }
}
