//! The figures by which runs are compared: where each stands in a run's JSON report.

use serde_json::Value;

/// The name of each figure, and its place in the report of a run that has it.
pub const FIGURES: [(&str, &str); 25] = [
    ("throughput_per_second", "/throughput_per_second"),
    ("signatures_per_second", "/signatures_per_second"),
    ("latency_p50_ms", "/latency/p50_ms"),
    ("latency_p99_ms", "/latency/p99_ms"),
    ("latency_p999_ms", "/latency/p999_ms"),
    ("latency_max_ms", "/latency/max_ms"),
    ("late_orders", "/pacing/late_orders"),
    ("unsent_orders", "/pacing/unsent_orders"),
    ("cpu_seconds_per_million_orders", "/costs/cpu_seconds_per_million_orders"),
    ("bench_cpu_percent", "/costs/bench_cpu_percent"),
    ("memory_peak_bytes", "/costs/memory_peak_bytes"),
    ("disk_bytes_per_order_and_node", "/costs/disk_bytes_per_order_and_node"),
    ("written_bytes_per_order_and_node", "/costs/written_bytes_per_order_and_node"),
    ("network_bytes_per_order", "/costs/network_bytes_per_order"),
    ("yuan_per_million_orders", "/costs/yuan_per_million_orders"),
    ("reads_recent_p50_ms", "/reads/recent/latency/p50_ms"),
    ("reads_recent_p99_ms", "/reads/recent/latency/p99_ms"),
    ("reads_recent_max_ms", "/reads/recent/latency/max_ms"),
    ("reads_old_p50_ms", "/reads/old/latency/p50_ms"),
    ("reads_old_p99_ms", "/reads/old/latency/p99_ms"),
    ("reads_old_max_ms", "/reads/old/latency/max_ms"),
    ("one_down_throughput_per_second", "/phases/1/throughput_per_second"),
    ("one_down_p50_ms", "/phases/1/latency/p50_ms"),
    ("one_down_p99_ms", "/phases/1/latency/p99_ms"),
    ("one_down_errors", "/phases/1/errors"),
];

/// Returns the figures that a run's report has, in their order.
pub fn of_run(report: &Value) -> Vec<(&'static str, f64)> {
    let figure = |(name, place): &(&'static str, &str)| {
        Some((*name, report.pointer(place).and_then(Value::as_f64)?))
    };
    FIGURES.iter().filter_map(figure).collect()
}
