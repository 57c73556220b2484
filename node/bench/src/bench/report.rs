//! The report of a run: counts, latencies and costs, as one JSON document; and the figures of
//! several runs side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use node_localnet::latency::LatencyReport;
use node_localnet::refused::RefusedCount;
use serde::Serialize;

use super::figures;
use super::gauge::{CostReport, MachinePrice, RunCosts};
use super::market::MarketReport;
use super::mix::Shares;
use super::onboarding::OnboardingReport;
use super::pace::Pacing;
use super::reads::ReadsReport;
use super::shape::ShapeReport;
use super::tally::{KindReport, PhaseReport, Tally};

/// How a run was set up.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Setting {
    /// The pace of the load, `closed` or `open`.
    pub pace: &'static str,
    /// Orders a second asked for; zero in a closed loop.
    pub rate: u64,
    /// Batches in flight: at each node in a closed loop, at most at all nodes in an open one.
    pub in_flight: usize,
    /// WebSocket connections to each node; zero for HTTP.
    pub websockets: usize,
    /// Calls in a message over them, at most.
    pub list: usize,
    /// Orders in a batch, at most.
    pub batch_items: usize,
    /// The number of gateways that submit.
    pub gateways: usize,
    /// Nodes they submit to.
    pub nodes: usize,
    /// The shares of a mixed load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mix: Option<Shares>,
    /// The shape of the load.
    pub shape: ShapeReport,
    /// True if cashback and users' limits are on.
    pub contracts: bool,
    /// Reads a second beside the load.
    pub reads: u64,
    /// True if one node is killed and started again.
    pub stop_one: bool,
    /// The parameters that the network begins with, as far as they are not the default ones.
    pub parameters: BTreeMap<&'static str, u64>,
}

/// How well an open loop kept its times.
#[derive(Debug, Clone, Serialize)]
pub struct PacingReport {
    /// Orders that were sent over ten milliseconds late, because too many batches were in flight
    /// or none was signed. Their latencies count from when they were to be sent.
    pub late_orders: u64,
    /// The most that any was late, in milliseconds.
    pub late_max_ms: f64,
    /// Orders that were not sent at all: the network was too far behind.
    pub unsent_orders: u64,
}

/// The reports of the work that ran beside the load.
#[derive(Debug, Default)]
pub struct Beside {
    /// The report of the reads of orders.
    pub reads: Option<ReadsReport>,
    /// The report of the FX providers.
    pub market: Option<MarketReport>,
    /// The merchants that registrars added, if they did.
    pub onboarding: Option<OnboardingReport>,
    /// How long the node that was killed took to be ready again, in seconds from its start.
    pub ready_again_seconds: Option<f64>,
}

/// The result of a run.
#[derive(Debug, Serialize)]
pub struct BenchReport {
    /// How it was set up.
    pub setting: Setting,
    /// How long it sent, in seconds.
    pub seconds: f64,
    /// The number of batches that were sent.
    pub batches: u64,
    /// Orders sent, returns among them.
    pub submitted: u64,
    /// Those applied in a decided block, also after the period.
    #[serde(rename = "final")]
    pub final_orders: u64,
    /// Operations refused, by code.
    pub refused: Vec<RefusedCount>,
    /// Operations whose fate the nodes did not say in time.
    pub unresolved: u64,
    /// Refusals for now and nodes out of reach on the way.
    pub retries: u64,
    /// Orders a second applied within the period.
    pub throughput_per_second: f64,
    /// Batches a second that were final within the period: each has a signature of its own.
    pub signatures_per_second: f64,
    /// From sending (open loop: from when it was to be sent) to the answer, whatever it was.
    pub latency: LatencyReport,
    /// How well an open loop kept its times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pacing: Option<PacingReport>,
    /// Each kind of operation, when there was more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindReport>,
    /// The report of the FX providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketReport>,
    /// The merchants that registrars added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onboarding: Option<OnboardingReport>,
    /// Reads beside the load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<ReadsReport>,
    /// Before, while and after one node was down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseReport>,
    /// How long the node that was killed took to be ready again, in seconds from its start;
    /// missing when it was not by the end of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_again_seconds: Option<f64>,
    /// The cost of the nodes.
    pub costs: CostReport,
    /// The last refusal or silence, if there was any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_problem: Option<String>,
    #[serde(skip)]
    refused_in_earnest: u64,
}

impl BenchReport {
    /// The report of a run that was measured over `period`.
    pub fn new(
        tally: &Tally,
        period: Duration,
        setting: Setting,
        pacing: Pacing,
        beside: Beside,
        costs: &RunCosts,
        machine: MachinePrice,
    ) -> Self {
        let seconds = period.as_secs_f64();
        let (total, kinds) = (&tally.total, tally.kinds());
        let pacing = PacingReport {
            late_orders: pacing.late_orders,
            late_max_ms: pacing.lag_max.as_secs_f64() * 1_000.0,
            unsent_orders: pacing.unsent_orders,
        };
        Self {
            pacing: (setting.pace == "open").then_some(pacing),
            setting,
            seconds,
            batches: tally.batches,
            submitted: total.submitted,
            final_orders: total.final_orders,
            refused: total.refused.values().cloned().collect(),
            unresolved: total.unresolved,
            retries: tally.retries,
            throughput_per_second: tally.final_in_period as f64 / seconds,
            signatures_per_second: tally.batches_in_period as f64 / seconds,
            latency: total.latency.report(),
            kinds: if kinds.len() > 1 { kinds } else { Vec::new() },
            market: beside.market,
            onboarding: beside.onboarding,
            reads: beside.reads,
            phases: tally.phases(),
            ready_again_seconds: beside.ready_again_seconds,
            costs: costs.report(total.final_orders, machine),
            last_problem: tally.last_problem.clone(),
            refused_in_earnest: total.refused_in_earnest(),
        }
    }

    /// Returns true if every order that was to be sent was, and was applied; but for returns that
    /// came after their window's close.
    pub fn is_clean(&self) -> bool {
        let unsent = self.pacing.as_ref().map_or(0, |pacing| pacing.unsent_orders);
        let faults = self.refused_in_earnest + self.unresolved + unsent;
        let read_errors = self.reads.as_ref().map_or(0, ReadsReport::errors);
        let is_quoted = self.market.as_ref().is_none_or(|market| market.problems.is_empty());
        self.final_orders > 0 && faults == 0 && read_errors == 0 && is_quoted
    }

    /// The figures that runs are compared by.
    fn figures(&self) -> Vec<(&'static str, f64)> {
        // A report has names for keys and no other fault; without figures nothing is compared.
        figures::of_run(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            self.setting.text(),
            format!(
                "throughput   {:.0} orders/s, {:.0} signatures/s over {:.0} s",
                self.throughput_per_second, self.signatures_per_second, self.seconds
            ),
            format!(
                "orders       {} submitted, {} final, {} unresolved; {} batches, {} retries",
                self.submitted, self.final_orders, self.unresolved, self.batches, self.retries
            ),
            format!("refused      {}", RefusedCount::text(&self.refused)),
            format!("latency      {}", self.latency.text()),
        ];
        lines.extend(self.pacing.as_ref().map(PacingReport::text));
        lines.extend(self.kinds.iter().map(kind_text));
        lines.extend(self.market.as_ref().map(market_text));
        lines.extend(self.onboarding.as_ref().map(OnboardingReport::text));
        lines.extend(self.reads.as_ref().map(ReadsReport::text));
        lines.extend(self.phases.iter().map(phase_text));
        if !self.phases.is_empty() {
            let seconds = self.ready_again_seconds;
            let again = seconds.map_or("not by the end".to_owned(), |time| format!("{time:.1} s"));
            lines.push(format!("ready again  {again} after its start"));
        }
        lines.push(self.costs.text());
        lines.extend(self.last_problem.as_ref().map(|problem| format!("last problem {problem}")));
        lines.join("\n")
    }
}

impl Setting {
    fn text(&self) -> String {
        let Self { gateways, nodes, shape, pace, rate, in_flight, .. } = self;
        let pace = match *pace {
            "open" => format!("open loop at {rate} orders/s"),
            _ => format!("closed loop with {in_flight} batches in flight at each node"),
        };
        let contracts = if self.contracts { "contracts on" } else { "contracts off" };
        format!(
            "shape        {}\n\
             setting      {gateways} gateways, {nodes} nodes; {pace}; {contracts}",
            shape.text()
        )
    }
}

impl PacingReport {
    fn text(&self) -> String {
        let Self { late_orders, late_max_ms, unsent_orders } = self;
        format!(
            "sent late    {late_orders} orders, by {late_max_ms:.1} ms at most; {unsent_orders} not \
             sent at all"
        )
    }
}

fn kind_text(kind: &KindReport) -> String {
    format!(
        "{:<12} {} submitted, {} final, {} unresolved; refused {}; {}",
        kind.kind.name(),
        kind.submitted,
        kind.final_operations,
        kind.unresolved,
        RefusedCount::text(&kind.refused),
        kind.latency.text()
    )
}

fn market_text(market: &MarketReport) -> String {
    let problems: Vec<String> =
        market.problems.iter().map(|problem| format!("; problem: {problem}")).collect();
    format!("market       {} rates, {} quotes{}", market.rates, market.quotes, problems.concat())
}

fn phase_text(phase: &PhaseReport) -> String {
    format!(
        "{:<12} {:.0} orders/s over {:.0} s; {}; {} errors, {} retries",
        phase.phase,
        phase.throughput_per_second,
        phase.seconds,
        phase.latency.text(),
        phase.errors,
        phase.retries
    )
}

/// A figure over several runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// The name of the figure.
    pub figure: &'static str,
    /// Of an even number of runs, the mean of the middle two.
    pub median: f64,
    /// The least value of the runs.
    pub min: f64,
    /// The greatest value of the runs.
    pub max: f64,
}

/// The figures of several runs.
#[derive(Debug, Serialize)]
pub struct RunsReport {
    /// Each figure that all runs have.
    pub summary: Vec<Spread>,
    /// The runs, in order.
    pub runs: Vec<BenchReport>,
}

impl RunsReport {
    /// Puts runs side by side.
    pub fn new(runs: Vec<BenchReport>) -> Self {
        let figures: Vec<_> = runs.iter().map(BenchReport::figures).collect();
        let names = figures.first().into_iter().flatten().map(|(name, _)| *name);
        let of_all = |name: &'static str| -> Option<Spread> {
            let value = |run: &Vec<(&str, f64)>| {
                run.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
            };
            spread(name, figures.iter().map(value).collect::<Option<_>>()?)
        };
        Self { summary: names.filter_map(of_all).collect(), runs }
    }

    /// Returns true if every run was.
    pub fn is_clean(&self) -> bool {
        self.runs.iter().all(BenchReport::is_clean)
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for (number, run) in (1..).zip(&self.runs) {
            lines.push(format!("run {number}\n{}\n", run.text()));
        }
        lines.push(format!("{:<34} {:>14} {:>14} {:>14}", "of all runs", "median", "min", "max"));
        for Spread { figure, median, min, max } in &self.summary {
            let figure = figure.replace('_', " ");
            // A price is small.
            let digits = if *max > 0.0 && *max < 0.1 { 6 } else { 3 };
            lines.push(format!(
                "{figure:<34} {median:>14.digits$} {min:>14.digits$} {max:>14.digits$}"
            ));
        }
        lines.join("\n")
    }
}

fn spread(figure: &'static str, mut values: Vec<f64>) -> Option<Spread> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let (min, max) = (*values.first()?, *values.last()?);
    let upper = *values.get(middle)?;
    let median = match values.len().is_multiple_of(2) {
        true => (values.get(middle.checked_sub(1)?)? + upper) / 2.0,
        false => upper,
    };
    Some(Spread { figure, median, min, max })
}

#[cfg(test)]
pub(crate) mod tests;
