//! `risk-trainer`: trains a model on one month, measures it on another, and writes its bytes. It is
//! a tool beside the node, run by `scripts/risk`.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use risk_engine::CompiledModel;
use risk_month::{HOLD_LIMIT, MonthScale};
use risk_trainer::{
    ALERTS_PPM, Alerts, BoostPlan, CohortAge, Logistic, ObservedOrder, PROBABILITY_ONE,
    WARM_UP_DAYS, alerts, average_precision_ppm, ledger, limit_of_share, observe, train_desk_model,
};

/// From a month's seed to the seed of the month that is trained on.
const TRAINING_SEED: u64 = 1_000_000;
/// The most splits on a path.
const DEPTH: usize = 4;
/// The part of its best value that a leaf takes: one in so many.
const SLOWNESS: i64 = 5;

/// Trains on a month, measures on another.
#[derive(Debug, Parser)]
#[command(
    name = "risk-trainer",
    max_term_width = 100,
    after_help = "\
The model is trained on the month of another seed, on the days before day 20, and the labels that
came by its end. Measured is the month of the seed: its day 20 brings a kind of fraud that no model
has seen. Equal arguments give equal bytes of models and equal figures, on every machine."
)]
struct Arguments {
    /// The orders to measure on.
    #[arg(long, value_enum, default_value_t = Data::Month)]
    data: Data,
    /// The seed of the month that is measured.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The size of both months.
    #[arg(long, value_enum, default_value_t = Scale::Small)]
    scale: Scale,
    /// Writes the larger model's bytes to this file.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Data {
    /// The months of `sluice scenario risk-month`.
    Month,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scale {
    /// Some 240,000 orders a month; 400 MB of memory.
    Small,
    /// Some 960,000 orders a month; 1.5 GB of memory.
    Large,
    /// Some 60,000 orders a month: for a look.
    Tiny,
}

impl Scale {
    const fn of_month(self) -> MonthScale {
        match self {
            Self::Small => MonthScale::SMALL,
            Self::Large => MonthScale { users: 24_000, merchants: 1_200, orders_a_day: 32_000 },
            Self::Tiny => MonthScale { users: 2_000, merchants: 100, orders_a_day: 2_000 },
        }
    }
}

/// The facts that a score comes from.
enum Scoring {
    /// Every order has the same score.
    Nothing,
    /// The order's amount is the score.
    Amount,
    /// The model gives the score.
    Model(Box<CompiledModel>),
}

/// A way to judge orders.
struct Judge {
    name: String,
    scoring: Scoring,
    /// The least score that is held.
    hold_at: i64,
}

impl Judge {
    fn score(&self, order: &ObservedOrder) -> i32 {
        match &self.scoring {
            Scoring::Nothing => 0,
            Scoring::Amount => i32::try_from(order.amount).unwrap_or(i32::MAX),
            Scoring::Model(model) => model.score(&order.features),
        }
    }

    const fn model(&self) -> Option<&CompiledModel> {
        match &self.scoring {
            Scoring::Model(model) => Some(model),
            Scoring::Nothing | Scoring::Amount => None,
        }
    }

    fn scored(&self, orders: &[&ObservedOrder]) -> Vec<(i32, bool)> {
        orders.iter().map(|order| (self.score(order), order.truth.is_some())).collect()
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let Data::Month = arguments.data;
    let scale = arguments.scale.of_month();
    let past = observe(arguments.seed.wrapping_add(TRAINING_SEED), scale)?;
    let mut judges = vec![
        Judge { name: "never flagging".to_owned(), scoring: Scoring::Nothing, hold_at: i64::MAX },
        Judge { name: "limits only".to_owned(), scoring: Scoring::Amount, hold_at: hold_limit() },
    ];
    for trees in [16, 64] {
        judges.push(trained(&past, trees)?);
    }
    drop(past);
    let mut report = String::new();
    let larger = judges.last().and_then(Judge::model);
    if let (Some(path), Some(model)) = (&arguments.model, larger) {
        std::fs::write(path, model.model().encode()).with_context(|| path.display().to_string())?;
        writeln!(report, "{}: model {}", path.display(), model.model().id())?;
    }
    let month = observe(arguments.seed, scale)?;
    let measured: Vec<&ObservedOrder> =
        month.iter().filter(|order| order.day() >= WARM_UP_DAYS).collect();
    writeln!(
        report,
        "month {}, {} orders from day {WARM_UP_DAYS} on",
        arguments.seed,
        measured.len()
    )?;
    scores(&mut report, &judges, &measured)?;
    mistakes(&mut report, &judges, &measured)?;
    calibration(&mut report, &judges, &measured)?;
    // A reader that has gone, such as `head`, is no failure.
    match std::io::stdout().write_all(report.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The limit from which policies hold an order, as a score.
fn hold_limit() -> i64 {
    i64::try_from(HOLD_LIMIT).unwrap_or(i64::MAX)
}

/// A judge of a model that is trained on a month.
fn trained(past: &[ObservedOrder], trees: usize) -> anyhow::Result<Judge> {
    let plan = BoostPlan { trees, depth: DEPTH, slowness: SLOWNESS };
    let model = train_desk_model(past, &plan)?;
    let hold_at = i64::from(model.head().hold_at);
    let name = format!("{trees} trees of depth {DEPTH}");
    Ok(Judge { name, scoring: Scoring::Model(Box::new(CompiledModel::new(model))), hold_at })
}

fn scores(report: &mut String, judges: &[Judge], orders: &[&ObservedOrder]) -> fmt::Result {
    writeln!(report, "\n{:22} {:>8}  at 0.5 % alerts     at its limit", "by the truth", "AP")?;
    writeln!(
        report,
        "{:22} {:>8}  {:>8} {:>8}  {:>8} {:>9} {:>8} {:>9}",
        "", "", "precise", "recall", "alerts", "precise", "recall", "misjudged"
    )?;
    for judge in judges {
        let scored = judge.scored(orders);
        let share = alerts(&scored, limit_of_share(&scored, ALERTS_PPM));
        let own = alerts(&scored, judge.hold_at);
        writeln!(
            report,
            "{:22} {:>8}  {:>8} {:>8}  {:>8} {:>9} {:>8} {:>9}",
            judge.name,
            share_of(average_precision_ppm(&scored), 1_000_000),
            precision(&share),
            recall(&share),
            share_of(own.alerts, own.orders),
            precision(&own),
            recall(&own),
            share_of(own.misjudged(), own.orders),
        )?;
    }
    Ok(())
}

fn precision(alerts: &Alerts) -> String {
    share_of(alerts.hits, alerts.alerts)
}

fn recall(alerts: &Alerts) -> String {
    share_of(alerts.hits, alerts.frauds)
}

fn mistakes(report: &mut String, judges: &[Judge], orders: &[&ObservedOrder]) -> fmt::Result {
    writeln!(report, "\n{:22} {:>8} {:>8} {:>8}", "misjudged, by labels", "7 d", "30 d", "90 d")?;
    for judge in judges {
        let cells = CohortAge::ALL.map(|age| {
            let held = |order: &ObservedOrder| i64::from(judge.score(order)) >= judge.hold_at;
            let counts = ledger(orders.iter().map(|order| (*order, held(order))), age);
            share_of(counts.misjudged(), counts.inquiries)
        });
        writeln!(report, "{:22} {:>8} {:>8} {:>8}", judge.name, cells[0], cells[1], cells[2])?;
    }
    let unlabelled = CohortAge::ALL.map(|age| {
        let counts = ledger(orders.iter().map(|order| (*order, false)), age);
        share_of(counts.unlabelled, counts.inquiries)
    });
    writeln!(
        report,
        "{:22} {:>8} {:>8} {:>8}",
        "unlabelled", unlabelled[0], unlabelled[1], unlabelled[2]
    )?;
    Ok(())
}

/// Expected frauds beside those that were, and the value of what was missed and held.
fn calibration(report: &mut String, judges: &[Judge], orders: &[&ObservedOrder]) -> fmt::Result {
    let logistic = Logistic::new();
    writeln!(
        report,
        "\n{:22} {:>9} {:>7}  {:>13} {:>12}",
        "calibration and value", "expected", "frauds", "value missed", "value held"
    )?;
    for judge in judges {
        let (mut expected, mut frauds) = (0_i64, 0_u64);
        let (mut fraud_value, mut missed, mut honest_value, mut held) = (0_u64, 0, 0, 0);
        for order in orders {
            let score = i64::from(judge.score(order));
            expected += logistic.probability(score);
            let is_held = score >= judge.hold_at;
            if order.truth.is_some() {
                frauds += 1;
                fraud_value += order.amount;
                missed += if is_held { 0 } else { order.amount };
            } else {
                honest_value += order.amount;
                held += if is_held { order.amount } else { 0 };
            }
        }
        let expected = match judge.model() {
            Some(_) => (expected / PROBABILITY_ONE).to_string(),
            None => String::new(),
        };
        writeln!(
            report,
            "{:22} {expected:>9} {frauds:>7}  {:>13} {:>12}",
            judge.name,
            share_of(missed, fraud_value),
            share_of(held, honest_value),
        )?;
    }
    Ok(())
}

/// A share in percent, with three places.
fn share_of(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 100_000 / u128::from(whole.max(1));
    format!("{}.{:03} %", thousandths / 1_000, thousandths % 1_000)
}
