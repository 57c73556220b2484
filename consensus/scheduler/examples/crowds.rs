//! Prints the table of ADR 0053: twelve submitters, eight of which surge, under the scheduler and
//! under what it is compared with.
//!
//! `cargo run --release -p consensus-scheduler --example crowds -- SEEDS`
#![allow(clippy::unwrap_used)]

#[path = "../tests/crowd/mod.rs"]
mod crowd;

use crowd::policies::{Grants, all};
use crowd::report::Report;
use crowd::{Crowd, Shape, world};

/// A crowd by its seed.
type Case = (&'static str, fn(u64) -> Crowd);

/// A figure's median and its worst value over the seeds.
fn figure(reports: &[Report], value: impl Fn(&Report) -> u64, is_more_better: bool) -> String {
    let mut values: Vec<u64> = reports.iter().map(value).collect();
    values.sort_unstable();
    let worst = if is_more_better { values[0] } else { values[values.len() - 1] };
    let text = |value: u64| format!("{}.{:02}", value / 100, value % 100);
    format!("{} ({})", text(values[values.len() / 2]), text(worst))
}

fn line(name: &str, reports: &[Report]) {
    println!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        figure(reports, |report| report.goodput, true),
        figure(reports, |report| report.admitted_p99_ms / 10, false),
        figure(reports, |report| report.calm, true),
        figure(reports, |report| report.jain / 100, true),
        figure(reports, |report| report.unresolved, false),
        figure(reports, |report| report.refused, false),
        figure(reports, |report| report.told_at_once, true),
        figure(reports, |report| report.promises, true),
        figure(reports, |report| report.normal_again_ms / 10, false),
        reports.iter().map(|report| report.promised).sum::<u64>(),
    );
}

fn heading(text: &str) {
    println!("\n{text}: median and, in brackets, worst of the seeds\n");
    println!(
        "| policy | goodput % | admitted p99 s | calm final in 1 s % | Jain by weight \
         | unresolved % | refused % | told in 100 ms % | retry times right % \
         | normal again s | times stated |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
}

fn main() {
    let seeds: u64 = std::env::args().nth(1).map_or(50, |text| text.parse().unwrap());
    for times in [2, 5, 10] {
        heading(&format!("{times} times the capacity, {seeds} seeds"));
        for at in 0..all().len() {
            let run = |seed| {
                let mut policy = all().swap_remove(at);
                world::run(&Crowd::of_twelve(seed, times), policy.as_mut())
            };
            let reports: Vec<Report> = (1..=seeds).map(run).collect();
            line(all()[at].name(), &reports);
        }
    }
    heading("Grants in other crowds, 10 times");
    let cases: [Case; 6] = [
        ("two rogues", |seed| Crowd::of_twelve(seed, 10).with_rogues(2)),
        ("ramp", |seed| Crowd::of_twelve(seed, 10).with_shape(Shape::Ramp)),
        ("sawtooth", |seed| Crowd::of_twelve(seed, 10).with_shape(Shape::Sawtooth)),
        ("flash", |seed| Crowd::of_twelve(seed, 10).with_shape(Shape::Flash)),
        ("70 % of the capacity in each third second", |seed| Crowd {
            slow_percent: 70,
            ..Crowd::of_twelve(seed, 10)
        }),
        ("half the capacity offered", |seed| Crowd::of_twelve(seed, 1).halved()),
    ];
    for (name, crowd) in cases {
        let run = |seed| world::run(&crowd(seed), &mut Grants::new());
        line(name, &(1..=seeds).map(run).collect::<Vec<Report>>());
    }
    let run = |seed| {
        let mut policy = Grants::new();
        policy.reads_all = true;
        world::run(&Crowd::of_twelve(seed, 10).with_rogues(2), &mut policy)
    };
    line("two rogues, everything read", &(1..=seeds.min(10)).map(run).collect::<Vec<Report>>());
}
