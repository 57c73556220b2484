//! Loads and scenarios as commands on networks of their own: what they count and report. No test
//! here asserts a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use serde_json::Value;
use support::{run, sluice};

/// Runs a command with `--json` in a folder of its own, which it leaves empty; gives its document.
fn answer(command: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let words = command.split_whitespace();
    let output = run(sluice().args(words).arg("--json").arg("--folder").arg(folder.path()));
    let error = String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|problem| panic!("{command}: {problem}: {error}"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{command} leaves {left:?} behind");
    (output.status.code(), value)
}

fn number(value: &Value, path: &str) -> u64 {
    let found = value.pointer(path).unwrap_or_else(|| panic!("{path} in {value:#}"));
    found.as_u64().unwrap_or_else(|| panic!("{path} is {found}"))
}

/// Returns true if a figure is there and above zero.
fn has(value: &Value, path: &str) -> bool {
    value.pointer(path).and_then(Value::as_f64).is_some_and(|figure| figure > 0.0)
}

#[test]
fn single_orders_have_a_signature_each_and_runs_are_summed_up() {
    let (code, value) = answer(
        "bench --without-contracts --seconds 1 --rate 200 --batch-items 1 --runs 2 --websockets 1 --list 8",
    );
    assert_eq!(code, Some(0), "{value:#}");
    let runs = value["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert_eq!((number(run, "/submitted"), number(run, "/final")), (200, 200), "{run:#}");
        assert_eq!(number(run, "/batches"), 200);
        assert_eq!(number(run, "/latency/count"), 200);
        assert_eq!(number(run, "/pacing/unsent_orders"), 0);
        for figure in [
            "/signatures_per_second",
            "/costs/cpu_seconds_per_million_orders",
            "/costs/written_bytes_per_order_and_node",
            "/costs/disk_bytes_per_order_and_node",
            "/costs/network_bytes_per_order",
            "/costs/memory_peak_bytes",
            "/costs/yuan_per_million_orders",
        ] {
            assert!(has(run, figure), "{figure} in {run:#}");
        }
        assert_eq!(run["costs"]["processes"].as_array().unwrap().len(), 4);
        assert_eq!(run["costs"]["machine"]["yuan_per_hour"], 0.35);
    }
    let figures: Vec<&str> = value["summary"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["figure"].as_str().unwrap())
        .collect();
    for figure in ["throughput_per_second", "latency_p99_ms", "yuan_per_million_orders"] {
        assert!(figures.contains(&figure), "{figures:?}");
    }
}

#[test]
fn a_mixed_load_counts_each_kind_and_reads_beside_it() {
    let (code, value) = answer(
        "bench --seconds 3 --rate 500 --batch-items 20 --users 50 --mix 60/20/10/10 --reads 25 \
         --parameter heartbeat_ms=100",
    );
    assert_eq!(code, Some(0), "{value:#}");
    let kinds = value["kinds"].as_array().unwrap();
    let of = |kind: &str| {
        let found = kinds.iter().find(|counts| counts["kind"] == kind);
        let found = found.unwrap_or_else(|| panic!("{kind} in {value:#}"));
        (number(found, "/submitted"), number(found, "/final"))
    };
    let asked = ["one-step", "reserve", "cross-border", "return"].map(of);
    // A batch of returns holds what its gateway may return by then, which may be less: then the
    // next turn comes sooner, and the last one may begin as the time ends.
    let all = asked.iter().map(|(submitted, _)| submitted).sum::<u64>();
    assert!((1_440..=1_520).contains(&all), "{asked:?}");
    // Shares of 1,500; returns may be put off for a batch or two while none can be returned yet.
    for ((submitted, _), share) in asked.iter().zip([900, 300, 150, 150]) {
        assert!(submitted.abs_diff(share) <= 60, "{asked:?}");
    }
    for (submitted, done) in &asked[..3] {
        assert_eq!(submitted, done, "{value:#}");
    }
    // Of each batch of twenty reservations the fiftieth is voided: none; all are collected.
    assert_eq!(of("collect").1, asked[1].1);
    assert!(number(&value, "/market/rates") >= 3 && number(&value, "/market/quotes") >= 1);
    let read = number(&value, "/reads/recent/reads") + number(&value, "/reads/old/reads");
    assert!(read > 0, "{value:#}");
    assert_eq!(number(&value, "/reads/recent/errors"), 0);
}

#[test]
fn a_load_goes_on_while_one_validator_is_down() {
    let (code, value) =
        answer("bench --without-contracts --seconds 4 --rate 300 --batch-items 10 --stop-one");
    assert_eq!(code, Some(0), "{value:#}");
    assert_eq!((number(&value, "/submitted"), number(&value, "/final")), (1_200, 1_200));
    assert_eq!(number(&value, "/setting/nodes"), 3);
    let phases = value["phases"].as_array().unwrap();
    let names: Vec<&str> = phases.iter().map(|phase| phase["phase"].as_str().unwrap()).collect();
    assert_eq!(names, ["all up", "one down", "all up again"]);
    let counts: u64 = phases.iter().map(|phase| number(phase, "/latency/count")).sum();
    assert_eq!(counts, 1_200);
    for phase in phases {
        assert!(number(phase, "/latency/count") >= 100, "{phase:#}");
        assert_eq!(number(phase, "/errors"), 0);
        assert!(has(phase, "/throughput_per_second"), "{phase:#}");
    }
    // The process that was killed and the one that came after it are one node's.
    assert_eq!(value["costs"]["processes"].as_array().unwrap().len(), 4);
}

#[test]
fn a_closed_loop_has_so_many_batches_in_flight() {
    let (code, value) =
        answer("bench --without-contracts --seconds 1 --batch-items 50 --in-flight 1");
    assert_eq!(code, Some(0), "{value:#}");
    assert_eq!(value["setting"]["pace"], "closed");
    assert!(number(&value, "/final") > 0);
    assert_eq!(number(&value, "/final"), number(&value, "/submitted"));
    assert!(value.get("pacing").is_none() && value.get("kinds").is_none());
}

#[test]
fn a_day_in_small_ends_with_books_to_the_cent_and_the_auditor_s_verdict() {
    let (code, value) =
        answer("scenario double-eleven --scale 0.0004 --seconds 3 --window-ms 1500");
    assert_eq!(code, Some(0), "{value:#}");
    assert_eq!(value["is_well"], true);
    assert_eq!((number(&value, "/orders"), number(&value, "/final")), (2_000, 2_000));
    // 2,000 of 172.00 each.
    assert_eq!(value["books"]["collected"]["minor"], "34400000");
    assert_eq!(number(&value, "/books/orders"), 2_000);
    assert!(value["books_abroad"]["arrived"]["minor"].as_str().unwrap().len() > 1);
    let verdict = &value["verdict"];
    assert_eq!(verdict["digests_equal"], true);
    assert!(number(verdict, "/items") >= 2_000 && number(verdict, "/accounts") > 20);
    assert_eq!(verdict["heads"].as_array().unwrap().len(), 4);
    assert!(has(&value, "/compression"));
}

#[test]
fn what_makes_no_sense_together_is_usage() {
    for command in ["bench --mix 80/12/5/4", "bench --parameter windows=3", "scenario tea-party"] {
        let output = run(sluice().args(command.split_whitespace()));
        assert_eq!(output.status.code(), Some(2), "{command}");
    }
    let output = run(sluice().args(["bench", "--network", "/nowhere", "--stop-one"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--start"));
}

#[test]
fn a_history_is_real_blocks_that_replay_from_genesis() {
    let folder = tempfile::tempdir().unwrap();
    let network = folder.path().join("network");
    let line = "bench-history --json --orders 5000,20000 --measure 2000 --batch-items 500 \
        --rate 5000 --checkpoint-blocks 8 --users 500 --home";
    let output = run(sluice().args(line.split_whitespace()).arg(&network));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(number(&value, "/sizes/1/orders_before"), 20_000, "{value:#}");
    assert_eq!(number(&value, "/sizes/1/orders_measured"), 2_000);
    let (home, genesis) = (network.join("nodes/validator-0/home"), network.join("genesis.toml"));
    let mut replay = sluice();
    replay.args(["replay", "--json", "--home"]).arg(home).arg("--genesis").arg(genesis);
    let output = run(&mut replay);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let replayed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(number(&replayed, "/height"), number(&value, "/sizes/1/height"));
    assert!(number(&replayed, "/items") > 22_000, "the scheme's own items are among them");
}
