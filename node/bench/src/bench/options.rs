//! The options of a benchmark: the network, the pace, and what is sent.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::Parameters;
use genesis::NetworkPlan;

use super::compare::Earlier;
use super::gauge::MachinePrice;
use super::mix::Shares;
use super::shape::LoadShape;
use super::sizes::BatchSizes;

/// How batches are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many batches in flight; the next is sent when one is final.
    Closed {
        /// Batches in flight at each node.
        in_flight: usize,
    },
    /// So many orders a second, whatever the network does.
    Open {
        /// The rate of orders a second.
        rate: u64,
        /// Batches in flight at all nodes, beyond which sending waits (and latency counts on).
        in_flight_max: usize,
    },
}

/// The network that the load is put on.
#[derive(Debug, Clone)]
pub enum Ground {
    /// One that is there.
    Network {
        /// Its folder: its nodes, and its gateways' keys.
        folder: PathBuf,
        /// Start its nodes first and stop them at the end.
        start: bool,
    },
    /// A new one for each run, which is removed afterwards.
    Fresh {
        /// The folder below which it is made.
        below: PathBuf,
        /// The plan of each run's network.
        plan: Box<NetworkPlan>,
        /// The number of runs.
        runs: usize,
    },
}

/// The options of a benchmark.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The network that the load is put on.
    pub ground: Ground,
    /// How long to send.
    pub period: Duration,
    /// The pace at which batches are sent.
    pub pace: Pace,
    /// The merchants and users of the orders.
    pub shape: LoadShape,
    /// The sizes of batches.
    pub sizes: BatchSizes,
    /// The seed of what the load chooses.
    pub seed: u64,
    /// The number of threads that sign.
    pub signers: usize,
    /// WebSocket connections to each node; zero for HTTP.
    pub websockets: usize,
    /// Calls in a message over them.
    pub list: usize,
    /// The nodes' process ids, when their homes do not tell them.
    pub pids: Vec<u32>,
    /// The users of each gateway; an order is one of theirs.
    pub users: u64,
    /// Leave cashback and limits off, to see what they cost.
    pub without_contracts: bool,
    /// A mixed load, in these shares.
    pub mix: Option<Shares>,
    /// Reads a second beside the load.
    pub reads: u64,
    /// Merchants that registrars add beside the load.
    pub onboard: u64,
    /// Kill one node after a third of the period and start it again after two.
    pub stop_one: bool,
    /// The price of a machine, for the cost of a million orders.
    pub machine: MachinePrice,
    /// A report that these runs are to be compared with: they are refused if they are unlike it.
    pub earlier: Option<Earlier>,
}

/// The plan of a new network with some parameters of its own, `name=value` each.
///
/// # Errors
/// When a parameter is unknown, or a value out of its bounds or at odds with others.
pub fn plan_with(settings: &[String]) -> anyhow::Result<NetworkPlan> {
    let mut plan = NetworkPlan::default();
    for setting in settings {
        let (name, value) = setting
            .split_once('=')
            .with_context(|| format!("{setting:?}: write name=value, such as window_ms=2000"))?;
        let index =
            Parameters::NAMES.iter().position(|known| *known == name).with_context(|| {
                format!(
                    "there is no parameter {name:?}; there are {}",
                    Parameters::NAMES.join(", ")
                )
            })?;
        let value: u64 = value.parse().with_context(|| format!("{setting:?}: no number"))?;
        plan.parameters = plan.parameters.with(u16::try_from(index)?, value)?;
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn parameters_of_a_plan_are_named_and_bounded() {
        let settings = ["window_ms=2000".to_owned(), "block_batches_max=4096".to_owned()];
        let plan = plan_with(&settings).unwrap();
        let parameters = &plan.parameters;
        assert_eq!((parameters.window_ms, parameters.block_batches_max), (2_000, 4_096));
        assert_eq!(parameters.rates_min, NetworkPlan::default().parameters.rates_min);
        let rows = [
            ("window_ms", "write name=value"),
            ("windows=1", "no parameter \"windows\"; there are order_skew_ms"),
            ("window_ms=x", "no number"),
            ("window_ms=1", "out of its bounds"),
        ];
        for (setting, problem) in rows {
            let error = format!("{:#}", plan_with(&[setting.to_owned()]).unwrap_err());
            assert!(error.contains(problem), "{setting}: {error}");
        }
    }
}
