//! The report of a run of the local network, and whether all is well.

use std::time::Duration;

use chain_types::ChainGenesis;
use rpc_api::OrderState;
use rpc_client::client::{CallError, Client};
use rpc_client::operations::now;
use serde::Serialize;

use super::activity::Counts;
use super::acts::ActReport;
use super::audit::{self, AgreementReport, Baseline, Breaches, Settlement};
use crate::latency::LatencyReport;
use crate::refused::RefusedCount;

/// Orders by where they stand, as the chain says; refused ones as the nodes answered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OrdersByState {
    /// Refused: never entered the books. Other refused operations are counted here too.
    pub rejected: u64,
    /// Reserved and not collected: those nobody will collect expire.
    pub reserved: u64,
    /// Reserved and past their validity.
    pub expired: u64,
    /// Reserved, and voided by a party.
    pub voided: u64,
    /// Collected; the window is open.
    pub collected: u64,
    /// Instructed, not arrived yet.
    pub instructed: u64,
    /// Instructed, and credited to the merchant.
    pub arrived: u64,
    /// The paying gateway could not pay.
    pub failed: u64,
}

/// The summary of a run.
#[derive(Debug, Serialize)]
pub struct LocalnetReport {
    /// True if nothing below is a problem.
    pub is_well: bool,
    /// The problems of the run, in sentences.
    pub problems: Vec<String>,
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// Orders by their state at the end.
    pub orders: OrdersByState,
    /// Refused operations by code.
    pub refused: Vec<RefusedCount>,
    /// Operations whose fate was not told in time.
    pub unresolved: u64,
    /// From submission of an order to its final answer.
    pub finality: LatencyReport,
    /// From acceptance of an instruction's first order to arrival, for each of its orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<LatencyReport>,
    /// The shortest deadline that any instruction had, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Windows that closed in the run.
    pub windows_closed: u64,
    /// Instructions made, arrived and late.
    pub instructions: u64,
    /// Instructions whose money arrived.
    pub arrivals: u64,
    /// Of them, arrived late.
    pub late: u64,
    /// Deadlines missed, as the ledger records them; orders nobody collects are among them.
    pub breaches: Breaches,
    /// True if debits equal credits on every node.
    pub books_balanced: bool,
    /// True if all nodes have one digest at the common height.
    pub digests_equal: bool,
    /// The nodes at their common height.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementReport>,
    /// The result of each contract's act.
    pub contracts: Vec<ActReport>,
    /// Single orders asked for.
    pub orders_checked: usize,
    /// Receipts fetched and verified against the genesis file.
    pub receipts_verified: usize,
}

impl LocalnetReport {
    /// Reads what the chain says and compares it with `counts`.
    pub async fn read(
        client: &Client,
        genesis: &ChainGenesis,
        baseline: Baseline,
        counts: Counts,
        elapsed: Duration,
    ) -> Self {
        let mut report = Self::of_counts(&counts, genesis, elapsed);
        let settlement = Settlement::read(client, baseline).await;
        if let Some(settlement) = report.told("settlement", settlement) {
            report.settlement(&settlement, &counts, baseline);
        }
        let agreement = audit::agreement(client).await;
        if let Some(agreement) = report.told("agreement", agreement) {
            report.agreement(agreement);
        }
        let breaches = audit::breaches(client, baseline).await;
        if let Some(breaches) = report.told("breaches", breaches) {
            report.breaches = breaches;
            let missed = breaches.instructed + breaches.arrived;
            if missed > 0 {
                report.problem(format!("{missed} deadlines of settlement were missed"));
            }
        }
        report.single_orders(client, genesis, &counts).await;
        report
    }

    fn of_counts(counts: &Counts, genesis: &ChainGenesis, elapsed: Duration) -> Self {
        let expired =
            counts.expired(now().get().saturating_sub(genesis.parameters.order_validity_ms));
        let mut report = Self {
            is_well: true,
            problems: Vec::new(),
            seconds: elapsed.as_secs_f64(),
            orders: OrdersByState {
                rejected: counts.refused_in_all(),
                reserved: counts.still_reserved().saturating_sub(expired),
                expired,
                voided: counts.voided,
                ..OrdersByState::default()
            },
            refused: counts.refused.values().cloned().collect(),
            unresolved: counts.unresolved,
            finality: counts.finality.report(),
            arrival: None,
            deadline_ms: None,
            windows_closed: 0,
            instructions: 0,
            arrivals: 0,
            late: 0,
            breaches: Breaches::default(),
            books_balanced: false,
            digests_equal: false,
            agreement: None,
            contracts: Vec::new(),
            orders_checked: 0,
            receipts_verified: 0,
        };
        let last = counts.last_problem.as_deref().unwrap_or("see `refused`");
        if counts.refused_in_all() > 0 {
            let refused = counts.refused_in_all();
            report.problem(format!("{refused} operations were refused; last: {last}"));
        }
        if counts.unresolved > 0 {
            let unresolved = counts.unresolved;
            report.problem(format!("{unresolved} operations without an answer; last: {last}"));
        }
        report
    }

    /// Takes in how the contracts' acts went.
    pub fn contracts(&mut self, acts: Vec<ActReport>) {
        for act in acts.iter().filter(|act| !act.is_well) {
            self.problem(format!("{}: {}", act.name, act.says));
        }
        if acts.is_empty() {
            self.problem("no contract was shown".to_owned());
        }
        self.contracts = acts;
    }

    /// Notes what is not well.
    pub fn problem(&mut self, problem: String) {
        self.is_well = false;
        self.problems.push(problem);
    }

    fn told<T>(&mut self, what: &str, answer: Result<T, CallError>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.problem(format!("{what}: {error}"));
                None
            }
        }
    }

    fn settlement(&mut self, settlement: &Settlement, counts: &Counts, baseline: Baseline) {
        self.orders.collected = settlement.window_open;
        self.orders.instructed = settlement.instructed;
        self.orders.arrived = settlement.arrived;
        self.orders.failed = settlement.failed;
        self.windows_closed = settlement.windows_closed;
        self.instructions = settlement.instructions;
        self.arrivals = settlement.arrivals;
        self.late = settlement.late;
        self.arrival = Some(settlement.arrival.report()).filter(|arrival| arrival.count > 0);
        self.deadline_ms = settlement.deadline_ms;
        let told = counts.collected_in_all() + baseline.order_count;
        if settlement.collected != told && counts.unresolved == 0 {
            let on_chain = settlement.collected;
            self.problem(format!("{on_chain} orders collected on chain, {told} were confirmed"));
        }
        let named =
            settlement.window_open + settlement.instructed + settlement.arrived + settlement.failed;
        if named != settlement.collected {
            let collected = settlement.collected;
            self.problem(format!("{collected} orders collected, {named} in instructions"));
        }
        if settlement.arrived == 0 {
            self.problem("no order arrived".to_owned());
        }
        if !settlement.is_complete() {
            let waiting = settlement.window_open + settlement.instructed;
            self.problem(format!("{waiting} orders have not arrived yet"));
        }
        if settlement.failed > 0 {
            self.problem(format!("{} orders could not be paid out", settlement.failed));
        }
        if settlement.late > 0 {
            self.problem(format!("{} instructions arrived late", settlement.late));
        }
    }

    fn agreement(&mut self, agreement: AgreementReport) {
        self.books_balanced = agreement.books_balance();
        self.digests_equal = agreement.digests_are_equal();
        if !self.books_balanced {
            self.problem("the books do not balance".to_owned());
        }
        if !self.digests_equal {
            let height = agreement.common_height;
            self.problem(format!("the nodes' digests differ at height {height}"));
        }
        self.agreement = Some(agreement);
    }

    async fn single_orders(&mut self, client: &Client, genesis: &ChainGenesis, counts: &Counts) {
        // Orders that have not arrived are told of already.
        if self.orders.instructed + self.orders.collected > 0 {
            return;
        }
        let elsewhere = audit::orders_elsewhere(client, &counts.sample, OrderState::Arrived).await;
        if let Some((checked, elsewhere)) = self.told("orders", elsewhere) {
            self.orders_checked = checked;
            for order in elsewhere {
                self.problem(format!("{order}, not arrived"));
            }
        }
        match audit::receipts(client, genesis, &counts.sample).await {
            Ok(verified) => self.receipts_verified = verified,
            Err(error) => self.problem(node_console::output::message_of(&error)),
        }
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let orders = &self.orders;
        let yes_no = |yes| if yes { "yes" } else { "NO" };
        let mut lines = vec![
            format!(
                "orders     {} arrived, {} instructed, {} collected, {} reserved, {} expired, \
                 {} voided, {} failed, {} rejected",
                orders.arrived,
                orders.instructed,
                orders.collected,
                orders.reserved,
                orders.expired,
                orders.voided,
                orders.failed,
                orders.rejected
            ),
            format!(
                "finality   p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms over {} orders",
                self.finality.p50_ms,
                self.finality.p99_ms,
                self.finality.max_ms,
                self.finality.count
            ),
        ];
        if let Some(arrival) = &self.arrival {
            lines.push(format!(
                "arrival    p50 {:.1} s, p99 {:.1} s, max {:.1} s; deadline {:.0} s",
                arrival.p50_ms / 1_000.0,
                arrival.p99_ms / 1_000.0,
                arrival.max_ms / 1_000.0,
                self.deadline_ms.unwrap_or(0) as f64 / 1_000.0
            ));
        }
        lines.push(format!(
            "settlement {} windows, {} instructions, {} arrivals, {} late; breaches: {} of \
             collection, {} of instruction, {} of arrival",
            self.windows_closed,
            self.instructions,
            self.arrivals,
            self.late,
            self.breaches.collected,
            self.breaches.instructed,
            self.breaches.arrived
        ));
        lines.extend(self.contracts.iter().map(ActReport::line));
        lines.push(format!(
            "checked    books balanced: {}; digests equal: {}; {} orders, {} receipts",
            yes_no(self.books_balanced),
            yes_no(self.digests_equal),
            self.orders_checked,
            self.receipts_verified
        ));
        if let Some(agreement) = &self.agreement {
            lines.push(format!("at height  {}", agreement.common_height));
            for node in &agreement.nodes {
                lines.push(format!("  {} digest {}", node.url, node.state_digest));
            }
        }
        for problem in &self.problems {
            lines.push(format!("PROBLEM    {problem}"));
        }
        lines.push(if self.is_well { "all is well".to_owned() } else { "NOT WELL".to_owned() });
        lines.join("\n")
    }
}

/// The run in one line.
pub fn live_line(elapsed: Duration, counts: &Counts, height: Option<u64>) -> String {
    let finality = counts.finality.report();
    let height = height.map_or_else(|| "?".to_owned(), |height| height.to_string());
    format!(
        "{:>4} s  height {height}  orders {} (collected {}, voided {}, refused {})  \
         final p50 {:.0} ms p99 {:.0} ms  instructions {}, arrived {} ({} orders)",
        elapsed.as_secs(),
        counts.reserved + counts.one_step,
        counts.collected_in_all(),
        counts.voided,
        counts.refused_in_all() + counts.unresolved,
        finality.p50_ms,
        finality.p99_ms,
        counts.instructions,
        counts.arrivals,
        counts.arrived_orders
    )
}
