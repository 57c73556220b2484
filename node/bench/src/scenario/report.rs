//! The report of a scenario: the crowd, the books to the cent, and the auditor's verdict.

use chain_types::Currency;
use node_auditor::Auditor;
use node_home::audit::verdict::{Takings, Verdict, takings};
use node_localnet::latency::LatencyReport;
use node_localnet::refused::RefusedCount;
use rpc_api::Money;
use serde::Serialize;

use super::options::{Scenario, ScenarioOptions};
use super::play::Played;
use crate::bench::market::{MarketReport, PAID, PAID_OUT};
use crate::bench::tally::KindReport;

/// Books in one currency, by the auditor's reckoning.
#[derive(Debug, Clone, Serialize)]
pub struct BooksReport {
    /// The sum collected from users.
    pub collected: Money,
    /// In so many orders.
    pub orders: u64,
    /// Cashback that users got.
    pub cashback: Money,
    /// The sum that merchants were ever owed.
    pub owed: Money,
    /// The sum that instructions told gateways to pay.
    pub instructed: Money,
    /// Of it, what arrived.
    pub arrived: Money,
    /// The sum that merchants are still owed.
    pub left: Money,
}

/// The summary of a scenario.
#[derive(Debug, Serialize)]
pub struct ScenarioReport {
    /// The name of the scenario.
    pub scenario: &'static str,
    /// True if nothing below is a problem.
    pub is_well: bool,
    /// The problems of the run, in sentences.
    pub problems: Vec<String>,
    /// The part of the full crowd that came.
    pub scale: f64,
    /// How long orders came, in seconds.
    pub period_seconds: f64,
    /// How many seconds in life are one here.
    pub compression: f64,
    /// How long it took until the last order was answered, in seconds.
    pub seconds: f64,
    /// Orders that were to come.
    pub orders: u64,
    /// The sum of the orders.
    pub sum: Money,
    /// Orders that became final.
    #[serde(rename = "final")]
    pub final_orders: u64,
    /// Operations refused, by code.
    pub refused: Vec<RefusedCount>,
    /// Operations whose fate the nodes did not say in time.
    pub unresolved: u64,
    /// Refusals for now and nodes out of reach on the way.
    pub retries: u64,
    /// Orders a second that the course asks for at its peak.
    pub peak_asked_per_second: f64,
    /// The most orders that became final in one second.
    pub peak_per_second: u64,
    /// Orders that were sent over ten milliseconds late.
    pub late_orders: u64,
    /// The most that any was late, in milliseconds.
    pub late_max_ms: f64,
    /// From when an order was to be sent to its answer.
    pub latency: LatencyReport,
    /// Each kind of operation.
    pub kinds: Vec<KindReport>,
    /// The report of the FX providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketReport>,
    /// The number of windows that closed.
    pub windows_closed: u64,
    /// The number of instructions that arrived.
    pub arrivals: u64,
    /// In the currency that users pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub books: Option<BooksReport>,
    /// In the currency that merchants across the border are paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub books_abroad: Option<BooksReport>,
    /// The verdict of the independent auditor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl ScenarioReport {
    /// Makes the report of the crowd and the nodes; the auditor's verdict is added later.
    pub fn new(options: &ScenarioOptions, played: Played) -> Self {
        let Played { tally, pacing, elapsed, market, paid, settlement, agreement } = played;
        let (scene, total) = (&options.scene, &tally.total);
        let period_seconds = options.period.as_secs_f64();
        let mut report = Self {
            scenario: scene.name,
            is_well: true,
            problems: Vec::new(),
            scale: options.scale_millionths as f64 / 1e6,
            period_seconds,
            compression: scene.life_seconds as f64 / period_seconds,
            seconds: elapsed.as_secs_f64(),
            orders: options.orders(),
            sum: Money::sum(i128::from(options.sum_minor()), PAID),
            final_orders: total.final_orders,
            refused: total.refused.values().cloned().collect(),
            unresolved: total.unresolved,
            retries: tally.retries,
            peak_asked_per_second: options.orders() as f64 / period_seconds * scene.shape.peak(),
            peak_per_second: tally.peak_per_second(),
            late_orders: pacing.late_orders,
            late_max_ms: pacing.lag_max.as_secs_f64() * 1_000.0,
            latency: total.latency.report(),
            kinds: tally.kinds(),
            windows_closed: settlement.windows_closed,
            arrivals: settlement.arrivals,
            books: None,
            books_abroad: None,
            verdict: None,
            market: None,
        };
        let quoted = market.iter().flat_map(|market| &market.problems);
        quoted.for_each(|problem| report.problem(format!("an FX provider: {problem}")));
        report.market = market;
        report.check(&settlement.is_complete(), paid.refused_in_all() + paid.unresolved);
        for (is_true, problem) in [
            (agreement.books_balance(), "the books do not balance, say the nodes"),
            (agreement.digests_are_equal(), "the nodes' digests differ"),
        ] {
            if !is_true {
                report.problem(problem.to_owned());
            }
        }
        report
    }

    fn check(&mut self, is_paid: &bool, unpaid: u64) {
        let refused: u64 = self.refused.iter().map(|refused| refused.orders).sum();
        let (all, done) = (self.orders, self.final_orders);
        for (is_true, problem) in [
            (done == all, format!("{done} of {all} orders became final")),
            (refused == 0, format!("refused: {}", RefusedCount::text(&self.refused))),
            (self.unresolved == 0, format!("{} operations without an answer", self.unresolved)),
            (*is_paid, "some instructions have not arrived".to_owned()),
            (unpaid == 0, format!("{unpaid} words of paying gateways failed")),
        ] {
            if !is_true {
                self.problem(problem);
            }
        }
    }

    /// Takes in what the auditor says, and holds its books against what was to come.
    pub fn judge(&mut self, options: &ScenarioOptions, verdict: Verdict, auditor: &Auditor) {
        verdict.problems().into_iter().for_each(|problem| self.problem(problem));
        self.verdict = Some(verdict);
        let (paid, abroad) = (takings(auditor, PAID), takings(auditor, PAID_OUT));
        for problem in unlike(&options.scene, options.orders(), options.sum_minor(), paid, abroad) {
            self.problem(problem);
        }
        self.books = Some(books(paid, PAID));
        self.books_abroad =
            (options.scene.shares.cross_border > 0).then(|| books(abroad, PAID_OUT));
    }

    /// Notes what is not well.
    pub fn problem(&mut self, problem: String) {
        self.is_well = false;
        self.problems.push(problem);
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "{:<12} {} orders of {} in {:.0} s: {:.0} s of life in one second, scale {}",
                self.scenario,
                self.orders,
                self.sum,
                self.period_seconds,
                self.compression,
                self.scale
            ),
            format!(
                "orders       {} final, {} unresolved, {} retries; refused {}; the last answered \
                 after {:.1} s",
                self.final_orders,
                self.unresolved,
                self.retries,
                RefusedCount::text(&self.refused),
                self.seconds
            ),
            format!(
                "peak         {} orders/s; the course asks for {:.0}; {} sent late, by {:.0} ms at \
                 most",
                self.peak_per_second,
                self.peak_asked_per_second,
                self.late_orders,
                self.late_max_ms
            ),
            format!("latency      {}", self.latency.text()),
        ];
        let kinds = self.kinds.iter().filter(|_| self.kinds.len() > 1);
        lines.extend(kinds.map(|kind| {
            let name = kind.kind.name();
            format!("{name:<12} {} final; {}", kind.final_operations, kind.latency.text())
        }));
        lines.extend(self.market.as_ref().map(|market| {
            format!("market       {} rates, {} quotes", market.rates, market.quotes)
        }));
        let (windows, arrivals) = (self.windows_closed, self.arrivals);
        lines.push(format!("settlement   {windows} windows, {arrivals} instructions arrived"));
        for books in self.books.iter().chain(&self.books_abroad) {
            lines.push(format!(
                "books        {} collected in {} orders, {} cashback; merchants were owed {}, \
                 instructed {}, arrived {}, left {}",
                books.collected,
                books.orders,
                books.cashback,
                books.owed,
                books.instructed,
                books.arrived,
                books.left
            ));
        }
        lines.extend(self.verdict.as_ref().map(Verdict::text));
        lines.extend(self.problems.iter().map(|problem| format!("PROBLEM      {problem}")));
        lines.push(if self.is_well { "all is well".to_owned() } else { "NOT WELL".to_owned() });
        lines.join("\n")
    }
}

fn books(takings: Takings, currency: Currency) -> BooksReport {
    let money = |minor: u128| Money::sum(i128::try_from(minor).unwrap_or(i128::MAX), currency);
    BooksReport {
        collected: money(takings.collected),
        orders: takings.orders,
        cashback: money(takings.cashback),
        owed: money(takings.owed),
        instructed: money(takings.instructed),
        arrived: money(takings.arrived),
        left: Money::sum(takings.left, currency),
    }
}

/// Lists the books that are not what the crowd makes them, to the cent. `paid` is in the currency
/// of users, `abroad` in that of merchants across the border.
fn unlike(scene: &Scenario, orders: u64, sum: u64, paid: Takings, abroad: Takings) -> Vec<String> {
    let sum = u128::from(sum);
    let is_domestic = scene.shares.cross_border == 0;
    let rows = [
        (paid.orders == orders, format!("{} orders in the books, not {orders}", paid.orders)),
        (paid.collected == sum, format!("{} collected, not {sum}", paid.collected)),
        // Nothing is converted: what users paid is what merchants are owed.
        (!is_domestic || paid.owed == sum, format!("{} owed, not {sum}", paid.owed)),
        (paid.owed <= sum, format!("{} owed of {sum} collected", paid.owed)),
        (is_domestic || abroad.owed > 0, "nothing was owed across the border".to_owned()),
        (!scene.cashback || orders < 100 || paid.cashback > 0, "no cashback".to_owned()),
    ];
    let mut problems: Vec<String> =
        rows.into_iter().filter(|(is_true, _)| !is_true).map(|(_, problem)| problem).collect();
    for takings in [paid, abroad] {
        let Takings { owed, instructed, arrived, left, .. } = takings;
        if owed != instructed || owed != arrived || left != 0 {
            problems.push(format!(
                "{owed} owed, {instructed} instructed, {arrived} arrived, {left} left"
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DOUBLE_ELEVEN, LIVESTREAM};

    fn even(orders: u64, sum: u128) -> Takings {
        Takings { orders, collected: sum, owed: sum, instructed: sum, arrived: sum, ..none() }
    }

    fn none() -> Takings {
        Takings::default()
    }

    #[test]
    fn a_cent_is_told() {
        let good = even(10, 5_000);
        assert_eq!(unlike(&LIVESTREAM, 10, 5_000, good, none()), Vec::<String>::new());
        let rows = [
            (Takings { orders: 9, ..good }, "9 orders"),
            (even(10, 4_999), "4999 collected, not 5000"),
            (Takings { owed: 4_999, ..good }, "4999 owed, not 5000"),
            (Takings { instructed: 4_999, ..good }, "4999 instructed"),
            (Takings { arrived: 4_999, ..good }, "4999 arrived"),
            (Takings { left: 1, ..good }, "1 left"),
        ];
        for (takings, problem) in rows {
            let problems = unlike(&LIVESTREAM, 10, 5_000, takings, none()).join("; ");
            assert!(problems.contains(problem), "{problem}: {problems}");
        }
    }

    #[test]
    fn a_day_has_cashback_and_payments_across_the_border() {
        let paid = Takings { cashback: 1, ..even(1_000, 5_000) };
        let home = Takings { owed: 4_000, instructed: 4_000, arrived: 4_000, ..paid };
        let check = |paid, abroad| unlike(&DOUBLE_ELEVEN, 1_000, 5_000, paid, abroad).join("; ");
        assert_eq!(check(home, even(0, 139)), "");
        assert!(check(home, none()).contains("across the border"));
        assert!(check(Takings { cashback: 0, ..home }, even(0, 139)).contains("no cashback"));
    }
}
