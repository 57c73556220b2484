//! The costs of a run, measured from outside: the nodes' processes, homes and traffic.

use std::path::PathBuf;
use std::time::Duration;

use genesis::NetworkFolder;
use node_localnet::http;
use serde::Serialize;

use super::processes;

/// How long a node may take to give its figures.
const METRICS_TIMEOUT: Duration = Duration::from_secs(5);
/// The counter of bytes between nodes.
const TRAFFIC: &str = "network_bytes_total{";
/// The label of what a node sends.
const SENT: &str = "direction=\"Out\"";

/// Measures nodes from start to stop.
#[derive(Debug)]
pub struct Gauge {
    processes: Vec<Process>,
    wires: Vec<Wire>,
    homes: Vec<(PathBuf, u64)>,
    own_cpu_seconds: f64,
}

#[derive(Debug)]
struct Process {
    name: String,
    pid: u32,
    before: Reading,
    cost: Reading,
    memory_peak_bytes: u64,
}

/// Counters of a process.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    cpu_seconds: f64,
    written_bytes: u64,
}

/// A node's traffic to others.
#[derive(Debug)]
struct Wire {
    operator_address: String,
    before: u64,
    sent_bytes: Option<u64>,
}

impl Reading {
    fn of(pid: u32) -> Option<Self> {
        let cpu_seconds = processes::cpu_seconds(pid)?;
        Some(Self { cpu_seconds, written_bytes: processes::written_bytes(pid).unwrap_or(0) })
    }
}

impl Process {
    fn new(name: String, pid: u32) -> Option<Self> {
        let before = Reading::of(pid)?;
        Some(Self { name, pid, before, cost: Reading::default(), memory_peak_bytes: 0 })
    }

    /// Adds what the process has cost since the last time; one that has ended cannot be measured.
    fn add(&mut self) {
        let Some(now) = Reading::of(self.pid) else { return };
        self.cost.cpu_seconds += now.cpu_seconds - self.before.cpu_seconds;
        self.cost.written_bytes += now.written_bytes.saturating_sub(self.before.written_bytes);
        self.before = now;
        let peak = processes::memory_peak_bytes(self.pid).unwrap_or(0);
        self.memory_peak_bytes = self.memory_peak_bytes.max(peak);
    }
}

impl Wire {
    async fn add(&mut self) {
        if let Some(now) = sent_bytes(&self.operator_address).await {
            let more = now.saturating_sub(self.before);
            self.sent_bytes = Some(self.sent_bytes.unwrap_or(0) + more);
            self.before = now;
        }
    }
}

/// Reads the bytes that a node reports as sent to other nodes.
async fn sent_bytes(operator_address: &str) -> Option<u64> {
    sum_sent(&http::text(operator_address, "/metrics", METRICS_TIMEOUT).await?)
}

fn sum_sent(metrics: &str) -> Option<u64> {
    let lines = metrics.lines().filter(|line| line.starts_with(TRAFFIC) && line.contains(SENT));
    let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
    values.reduce(|one, other| one + other)
}

impl Gauge {
    /// Begins. `pids` are the nodes' processes, when their homes do not tell them.
    pub async fn start(network: &NetworkFolder, pids: &[u32]) -> Self {
        let named = |(at, pid): (usize, &u32)| {
            let name = network
                .nodes
                .get(at)
                .map_or_else(|| format!("process {pid}"), |node| node.name.clone());
            Process::new(name, *pid)
        };
        let told = network
            .nodes
            .iter()
            .filter_map(|node| Process::new(node.name.clone(), processes::node_pid(&node.home)?));
        let processes = if pids.is_empty() {
            told.collect()
        } else {
            pids.iter().enumerate().filter_map(named).collect()
        };
        let mut wires = Vec::new();
        for node in &network.nodes {
            let operator_address = node.operator_address.to_string();
            let before = sent_bytes(&operator_address).await.unwrap_or(0);
            wires.push(Wire { operator_address, before, sent_bytes: None });
        }
        let homes = network.nodes.iter().map(|node| node.home.clone());
        let homes = homes.filter(|home| home.exists()).map(|home| {
            let bytes = processes::data_bytes(&home);
            (home, bytes)
        });
        let own_cpu_seconds = processes::cpu_seconds(std::process::id()).unwrap_or(0.0);
        Self { processes, wires, homes: homes.collect(), own_cpu_seconds }
    }

    /// The node at `at` is about to end: its counters end with it.
    pub async fn leaves(&mut self, at: usize) {
        if let Some(process) = self.processes.get_mut(at) {
            process.add();
        }
        if let Some(wire) = self.wires.get_mut(at) {
            wire.add().await;
            wire.before = 0;
        }
    }

    /// The node at `at` is a new process.
    pub fn joins(&mut self, at: usize, pid: u32) {
        if let Some(process) = self.processes.get_mut(at) {
            process.pid = pid;
            process.before = Reading::default();
        }
    }

    /// Stops measuring and returns the costs.
    pub async fn stop(mut self) -> RunCosts {
        let own = processes::cpu_seconds(std::process::id()).unwrap_or(0.0);
        let mut costs =
            RunCosts { load_cpu_seconds: own - self.own_cpu_seconds, ..RunCosts::default() };
        for mut process in self.processes {
            process.add();
            costs.processes.push(ProcessCost {
                name: process.name,
                cpu_seconds: process.cost.cpu_seconds,
                written_bytes: process.cost.written_bytes,
                memory_peak_bytes: process.memory_peak_bytes,
            });
        }
        for wire in &mut self.wires {
            wire.add().await;
            costs.network_bytes.extend(wire.sent_bytes);
        }
        for (home, before) in self.homes {
            let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            costs.disk_bytes.push(signed(processes::data_bytes(&home)) - signed(before));
        }
        costs
    }
}

/// The cost of a node's process.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessCost {
    /// The name of the node.
    pub name: String,
    /// CPU time, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Bytes that it had written to disk.
    pub written_bytes: u64,
    /// The most memory that it had resident, in bytes.
    pub memory_peak_bytes: u64,
}

/// The cost of the nodes during the run.
#[derive(Debug, Clone, Default)]
pub struct RunCosts {
    /// Each process that could be measured.
    pub processes: Vec<ProcessCost>,
    /// Bytes of data that each home grew by.
    pub disk_bytes: Vec<i64>,
    /// Bytes that each node sent to others, of those that said it.
    pub network_bytes: Vec<u64>,
    /// CPU time of the load itself, in seconds.
    pub load_cpu_seconds: f64,
}

/// The price of a machine.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MachinePrice {
    /// The number of its cores.
    pub cores: f64,
    /// The price in yuan an hour.
    pub yuan_per_hour: f64,
}

/// The cost of the nodes in figures; those of a million orders are missing without a final order.
#[derive(Debug, Clone, Serialize)]
pub struct CostReport {
    /// The cost of each node's process.
    pub processes: Vec<ProcessCost>,
    /// CPU time of all nodes together, in seconds.
    pub cpu_seconds: f64,
    /// The same for a million final orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds_per_million_orders: Option<f64>,
    /// CPU time of the load itself, in seconds.
    pub bench_cpu_seconds: f64,
    /// The share of the load in the CPU time that it and the nodes took, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bench_cpu_percent: Option<f64>,
    /// The most memory that one node had resident, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Bytes that all nodes had written to disk, kept or not.
    pub written_bytes: u64,
    /// The same for one order on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_bytes_per_order_and_node: Option<f64>,
    /// The number of homes that were measured.
    pub homes: usize,
    /// The growth of all homes, in bytes of data.
    pub disk_growth_bytes: i64,
    /// The same for one order on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_bytes_per_order_and_node: Option<f64>,
    /// Bytes that all nodes sent to each other.
    pub network_bytes: u64,
    /// The same for one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_bytes_per_order: Option<f64>,
    /// The price that was assumed for the machine.
    pub machine: MachinePrice,
    /// The price of all nodes' CPU time for a million orders, in yuan, on machines that do nothing
    /// else and are never idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yuan_per_million_orders: Option<f64>,
}

impl RunCosts {
    /// In figures, for so many final orders.
    pub fn report(&self, final_orders: u64, machine: MachinePrice) -> CostReport {
        let per_order = |amount: f64| (final_orders > 0).then(|| amount / final_orders as f64);
        let of_nodes = |amount: f64, nodes: usize| {
            if nodes == 0 { None } else { per_order(amount / nodes as f64) }
        };
        let cpu_seconds: f64 = self.processes.iter().map(|process| process.cpu_seconds).sum();
        let written_bytes: u64 = self.processes.iter().map(|process| process.written_bytes).sum();
        let disk_growth_bytes: i64 = self.disk_bytes.iter().sum();
        let network_bytes: u64 = self.network_bytes.iter().sum();
        let cpu_seconds_per_million_orders =
            per_order(cpu_seconds).filter(|_| !self.processes.is_empty()).map(|cpu| cpu * 1e6);
        CostReport {
            cpu_seconds,
            cpu_seconds_per_million_orders,
            bench_cpu_seconds: self.load_cpu_seconds,
            bench_cpu_percent: (cpu_seconds > 0.0)
                .then(|| self.load_cpu_seconds * 100.0 / (self.load_cpu_seconds + cpu_seconds)),
            memory_peak_bytes: self.processes.iter().map(|one| one.memory_peak_bytes).max(),
            written_bytes,
            written_bytes_per_order_and_node: of_nodes(written_bytes as f64, self.processes.len()),
            homes: self.disk_bytes.len(),
            disk_growth_bytes,
            disk_bytes_per_order_and_node: of_nodes(
                disk_growth_bytes as f64,
                self.disk_bytes.len(),
            ),
            network_bytes,
            network_bytes_per_order: per_order(network_bytes as f64)
                .filter(|_| !self.network_bytes.is_empty()),
            machine,
            yuan_per_million_orders: cpu_seconds_per_million_orders
                .map(|cpu| cpu / machine.cores / 3_600.0 * machine.yuan_per_hour),
            processes: self.processes.clone(),
        }
    }
}

impl CostReport {
    /// Formats the report for people.
    pub fn text(&self) -> String {
        let optional = |value: Option<f64>, digits: usize| {
            value.map_or("?".to_owned(), |value| format!("{value:.digits$}"))
        };
        let each: Vec<String> = self
            .processes
            .iter()
            .map(|process| format!("{} {:.1} s", process.name, process.cpu_seconds))
            .collect();
        format!(
            "CPU          {} s per million orders, all nodes ({}; the load {:.1} s, {} % of \
             all)\n\
             memory       {} MiB at most in one node\n\
             disk         {} bytes kept and {} written per order and node\n\
             network      {} bytes per order between all nodes\n\
             cost         {} yuan per million orders: the nodes' CPU time at {} yuan an hour for a \
             machine of {} cores in full use",
            optional(self.cpu_seconds_per_million_orders, 1),
            each.join(", "),
            self.bench_cpu_seconds,
            optional(self.bench_cpu_percent, 1),
            self.memory_peak_bytes.map_or("?".to_owned(), |bytes| (bytes >> 20).to_string()),
            optional(self.disk_bytes_per_order_and_node, 1),
            optional(self.written_bytes_per_order_and_node, 1),
            optional(self.network_bytes_per_order, 1),
            optional(self.yuan_per_million_orders, 6),
            self.machine.yuan_per_hour,
            self.machine.cores,
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const MACHINE: MachinePrice = MachinePrice { cores: 2.0, yuan_per_hour: 0.36 };

    #[test]
    fn costs_are_those_of_an_order() {
        let process = |name: &str| ProcessCost {
            name: name.to_owned(),
            cpu_seconds: 10.0,
            written_bytes: 3_000,
            memory_peak_bytes: 5,
        };
        let costs = RunCosts {
            processes: vec![process("a"), process("b")],
            disk_bytes: vec![700, 700],
            network_bytes: vec![1_000],
            load_cpu_seconds: 1.0,
        };
        let report = costs.report(10, MACHINE);
        let near = |value: Option<f64>, expected: f64| {
            assert!((value.unwrap() / expected - 1.0).abs() < 1e-9, "{value:?} {expected}");
        };
        near(report.cpu_seconds_per_million_orders, 2_000_000.0);
        near(report.written_bytes_per_order_and_node, 300.0);
        near(report.disk_bytes_per_order_and_node, 70.0);
        near(report.network_bytes_per_order, 100.0);
        // Two million seconds of a core are 277.8 hours of a machine of two.
        near(report.yuan_per_million_orders, 100.0);
        assert_eq!(report.memory_peak_bytes, Some(5));
        // One second beside the nodes' twenty.
        near(report.bench_cpu_percent, 100.0 / 21.0);
        assert!(report.text().contains("0.36 yuan an hour"), "{}", report.text());
    }

    #[test]
    fn without_orders_or_nodes_nothing_is_divided() {
        let report = RunCosts::default().report(0, MACHINE);
        assert_eq!(report.cpu_seconds_per_million_orders, None);
        assert_eq!((report.disk_bytes_per_order_and_node, report.bench_cpu_percent), (None, None));
        assert_eq!(report.network_bytes_per_order, None);
        let report = RunCosts::default().report(5, MACHINE);
        assert_eq!(report.yuan_per_million_orders, None);
        assert!(report.text().contains("? yuan"));
    }

    #[test]
    fn a_process_that_starts_again_goes_on_adding() {
        let own = std::process::id();
        let mut process = Process::new("own".to_owned(), own).unwrap();
        process.before = Reading::default();
        process.add();
        let once = process.cost.cpu_seconds;
        process.before = Reading::default();
        process.add();
        assert!(process.cost.cpu_seconds >= once * 2.0);
        assert!(process.memory_peak_bytes > 0);
    }

    #[test]
    fn what_a_node_sends_is_summed_over_lanes() {
        let metrics = "# TYPE network_bytes counter\n\
            network_bytes_total{lane=\"Bulk\",direction=\"Out\"} 40\n\
            network_bytes_total{lane=\"Consensus\",direction=\"Out\"} 2\n\
            network_bytes_total{lane=\"Bulk\",direction=\"In\"} 9\n\
            network_messages_total{lane=\"Bulk\",direction=\"Out\"} 7\n";
        assert_eq!(sum_sent(metrics), Some(42));
        assert_eq!(sum_sent("# EOF\n"), None);
    }
}
