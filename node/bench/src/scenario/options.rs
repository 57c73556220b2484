//! The scenarios with their figures, and the scale at which one is run.

use std::path::PathBuf;
use std::time::Duration;

use chain_types::Parameters;
use genesis::NetworkPlan;

use super::amounts::Usual;
use super::shape::DayCourse;
use crate::bench::mix::Shares;

/// The time between blocks while there is nothing to do: what stands before the first order takes
/// so many blocks.
const HEARTBEAT_MS: u64 = 200;

/// The least number of merchants of a small crowd, if there are as many.
const MERCHANTS_MIN: u32 = 20;

/// A scenario's own figures.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The name on the command line.
    pub name: &'static str,
    /// Recharges at full scale.
    pub orders: u64,
    /// The mean of the amounts, in minor units: the sum is exact.
    pub mean_minor: u64,
    /// The amounts that are drawn most often.
    pub(super) usual: &'static [Usual],
    /// Merchants who are paid.
    pub merchants: u32,
    /// Gateways, each with users of its own.
    pub gateways: u32,
    /// The shares of the kinds of orders.
    pub shares: Shares,
    /// True if there are cashback programmes and limits.
    pub cashback: bool,
    /// The course of the crowd.
    pub(super) shape: DayCourse,
    /// How long it took in life, in seconds.
    pub life_seconds: u64,
    /// How long it takes here unless said otherwise, in seconds.
    pub seconds: u64,
}

/// 2.4 million recharges of 120 million yuan for one streamer's birthday.
pub const LIVESTREAM: Scenario = Scenario {
    name: "livestream",
    orders: 2_400_000,
    mean_minor: 5_000,
    usual: &[
        (600, 300),
        (1_200, 200),
        (3_000, 200),
        (5_000, 100),
        (6_800, 80),
        (9_800, 50),
        (12_800, 30),
        (19_800, 20),
        (32_800, 10),
        (64_800, 10),
    ],
    merchants: 1,
    gateways: 4,
    shares: Shares { one_step: 100, two_step: 0, cross_border: 0, returns: 0 },
    cashback: false,
    shape: DayCourse::Stream,
    life_seconds: 3_600,
    seconds: 120,
};

/// A shopping day of 860 million yuan.
pub const DOUBLE_ELEVEN: Scenario = Scenario {
    name: "double-eleven",
    orders: 5_000_000,
    mean_minor: 17_200,
    usual: &[
        (1_990, 180),
        (3_990, 160),
        (5_900, 150),
        (9_900, 140),
        (12_900, 110),
        (19_900, 100),
        (29_900, 80),
        (49_900, 50),
        (89_900, 20),
        (199_900, 10),
    ],
    merchants: 200,
    gateways: 8,
    shares: Shares { one_step: 88, two_step: 7, cross_border: 5, returns: 0 },
    cashback: true,
    shape: DayCourse::Day,
    life_seconds: 86_400,
    seconds: 300,
};

/// The options of a scenario.
#[derive(Debug, Clone)]
pub struct ScenarioOptions {
    /// The scenario to run.
    pub scene: Scenario,
    /// Of a million orders at full scale, so many come.
    pub scale_millionths: u64,
    /// For how long orders come.
    pub period: Duration,
    /// The folder in which the network is made and stays; `None`: below `folder`, and removed
    /// afterwards.
    pub home: Option<PathBuf>,
    /// The folder in which temporary networks are made.
    pub folder: PathBuf,
    /// How long a settlement window stays open, in milliseconds.
    pub window_ms: u64,
}

impl ScenarioOptions {
    /// Orders at this scale: at least one.
    pub fn orders(&self) -> u64 {
        let scaled = u128::from(self.scene.orders) * u128::from(self.scale_millionths) / 1_000_000;
        u64::try_from(scaled).unwrap_or(u64::MAX).max(1)
    }

    /// Merchants at this scale: a small crowd goes to fewer of them.
    fn merchants(&self) -> u32 {
        let all = self.scene.merchants;
        let scaled = u64::from(all) * self.scale_millionths / 1_000_000;
        u32::try_from(scaled).unwrap_or(all).clamp(all.min(MERCHANTS_MIN), all)
    }

    /// The orders' sum in minor units.
    pub fn sum_minor(&self) -> u64 {
        self.orders() * self.scene.mean_minor
    }

    pub(super) fn plan(&self) -> NetworkPlan {
        let defaults = NetworkPlan::default();
        let Self { window_ms, .. } = *self;
        let parameters =
            Parameters { window_ms, heartbeat_ms: HEARTBEAT_MS, ..defaults.parameters };
        // A load leaves the last two of more than two merchants to others.
        let merchants = self.merchants();
        NetworkPlan {
            name: self.scene.name.to_owned(),
            gateways: self.scene.gateways,
            merchants: if merchants > 2 { merchants + 2 } else { merchants },
            parameters,
            ..defaults
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::amounts::{AMOUNT_MAX, AMOUNT_MIN};

    fn options(scene: Scenario, scale_millionths: u64) -> ScenarioOptions {
        ScenarioOptions {
            scene,
            scale_millionths,
            period: Duration::from_secs(1),
            home: None,
            folder: PathBuf::from("."),
            window_ms: 2_000,
        }
    }

    #[test]
    fn at_full_scale_the_sums_are_those_that_are_told() {
        let all = |scene| options(scene, 1_000_000);
        assert_eq!(all(LIVESTREAM).orders(), 2_400_000);
        assert_eq!(all(LIVESTREAM).sum_minor(), 120_000_000 * 100);
        assert_eq!(all(DOUBLE_ELEVEN).sum_minor(), 860_000_000 * 100);
        assert_eq!(options(LIVESTREAM, 1_000).orders(), 2_400);
        assert_eq!(options(LIVESTREAM, 0).orders(), 1);
        assert_eq!((all(LIVESTREAM).merchants(), all(DOUBLE_ELEVEN).merchants()), (1, 200));
        assert_eq!(options(DOUBLE_ELEVEN, 400).merchants(), 20);
    }

    #[test]
    fn usual_amounts_are_near_the_mean_and_within_bounds() {
        for scene in [LIVESTREAM, DOUBLE_ELEVEN] {
            let weights: u64 = scene.usual.iter().map(|(_, weight)| weight).sum();
            assert_eq!(weights, 1_000, "{}", scene.name);
            let mean = scene.usual.iter().map(|(amount, weight)| amount * weight).sum::<u64>();
            let (mean, told) = (mean / weights, scene.mean_minor);
            assert!(mean.abs_diff(told) * 5 < told, "{}: {mean} and {told}", scene.name);
            let bounds = AMOUNT_MIN..=AMOUNT_MAX;
            assert!(scene.usual.iter().all(|(amount, _)| bounds.contains(amount)));
        }
    }
}
