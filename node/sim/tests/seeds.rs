//! Seeds with faults: agreement, no double vote, books in balance, recovery after healing.
//!
//! `SLUICE_SEED=N` runs one seed; `SLUICE_SEEDS=N` runs so many: 200 unless said otherwise, 10,000
//! with `scripts/test --long`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chain_types::BatchKind;
use node_sim::{Coverage, FaultPlan, Kind, simulate};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tells the seed when an assertion of the replica's own fails.
struct TellSeed(u64);

impl Drop for TellSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SLUICE_SEED={} repeats it", self.0);
        }
    }
}

#[test]
fn every_seed_keeps_the_invariants() {
    let plan = FaultPlan::default();
    let long = std::env::var_os("SLUICE_LONG").is_some();
    let seeds = match number("SLUICE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SLUICE_SEEDS").unwrap_or(if long { 10_000 } else { 200 }),
    };
    let (mut blocks, mut orders, mut crashes, mut virtual_ms) = (0, 0, 0, 0);
    let mut coverage = Coverage::default();
    for seed in seeds.clone() {
        let _told = TellSeed(seed);
        let report = simulate(seed, &plan)
            .unwrap_or_else(|broken| panic!("SLUICE_SEED={seed} breaks an invariant: {broken}"));
        blocks += report.height.get();
        orders += report.orders;
        crashes += report.crashes;
        virtual_ms += report.virtual_ms;
        coverage += &report.coverage;
        // Every twentieth seed runs twice: the same seed must give the same trace.
        if seed % 20 == 0 {
            assert_eq!(simulate(seed, &plan).unwrap(), report, "SLUICE_SEED={seed} differs");
        }
    }
    println!(
        "{} seeds, {blocks} blocks, {orders} orders, {crashes} crashes, {:.1} virtual minutes",
        seeds.end - seeds.start,
        virtual_ms as f64 / 60_000.0
    );
    println!("{coverage:?}");
    assert!(orders > 0 && (crashes > 0 || seeds.end - seeds.start < 10), "the runs did nothing");
    if seeds.end - seeds.start >= 100 {
        assert_covers(&coverage);
    }
}

/// The outcomes that a hundred runs are sure to see, of every kind: that it is applied, and the
/// refusals that rest on what a node remembers. What refuses a whole batch is not among them: no
/// honest proposer takes one that is refused at that moment.
const SEEN: [(BatchKind, &[u16]); 21] = [
    (BatchKind::Recharge, &[0, 2, 10, 11, 12, 20, 21, 213, 215, 217, 226, 227, 231, 235]),
    (BatchKind::Collect, &[0, 1, 10, 21, 300, 301, 304, 307]),
    (BatchKind::Debiting, &[0, 1, 214]),
    (BatchKind::Void, &[0, 300, 302, 304, 312]),
    (BatchKind::Arrival, &[0, 1, 402, 404]),
    (BatchKind::Failure, &[0, 1, 306, 403]),
    (BatchKind::Return, &[0, 1, 320, 322, 323, 324, 326, 330]),
    (BatchKind::Consent, &[0, 331, 332]),
    (BatchKind::Reinstruct, &[0, 405]),
    (BatchKind::SettleWindow, &[0, 1, 410, 411]),
    (BatchKind::SettlementDecision, &[0, 503]),
    (BatchKind::Transfer, &[0, 504, 505]),
    (BatchKind::TransferDecision, &[0, 1, 502, 503, 508]),
    (BatchKind::Rate, &[0, 602, 603]),
    (BatchKind::Quote, &[0, 606]),
    (BatchKind::HoldDecision, &[0, 215, 229, 308]),
    (BatchKind::Policy, &[0, 701]),
    (BatchKind::Line, &[0, 1, 513]),
    (BatchKind::Proposal, &[0, 804, 805, 806, 807, 808, 809]),
    (BatchKind::Approval, &[0, 1, 508, 802]),
    (BatchKind::ChangeList, &[0]),
];

fn assert_covers(coverage: &Coverage) {
    for (kind, outcomes) in SEEN {
        let unseen = coverage.unseen(kind, outcomes);
        assert!(unseen.is_empty(), "no item of kind {} came to {unseen:?}", kind.name());
    }
    let counts = [
        ("returns of orders that left the duplicate window", coverage.late_returns),
        ("batches under an old key", coverage.old_keys),
        ("changes of validators", coverage.validator_changes),
        ("changes of parameters", coverage.parameter_changes),
        ("votes of a node that was added", coverage.votes_of_added),
        ("returns by sync", coverage.synced_returns),
        ("returns replayed", coverage.replayed_returns),
        ("orders held over a restart", coverage.restored_holds),
        ("changed registries over a restart", coverage.restored_registries),
    ];
    for (what, count) in counts {
        assert!(count > 10, "only {count} {what}");
    }
}

/// Runs seeds in which validator `seed % 4` boasts; gives how many lost disks were returned from.
fn boasted(count: u64, plan: &FaultPlan) -> u64 {
    let seeds = number("SLUICE_SEED").map_or(0..count, |seed| seed..seed + 1);
    let run = |seed: u64| {
        let _told = TellSeed(seed);
        let villains = vec![((seed % 4) as u32, Kind::Boaster)];
        let run = simulate(seed, &FaultPlan { villains, ..plan.clone() });
        run.unwrap_or_else(|broken| panic!("SLUICE_SEED={seed} with a boaster: {broken}")).returned
    };
    seeds.map(run).sum()
}

#[test]
fn a_chain_is_born_while_one_validator_boasts() {
    boasted(20, &FaultPlan { events_max: 0, lost_disks_of_four: 0, ..FaultPlan::default() });
}

#[test]
fn a_validator_that_lost_its_disk_returns_while_another_boasts() {
    let plan = FaultPlan { lost_disks_of_four: 4, ..FaultPlan::default() };
    let returned = boasted(60, &plan);
    println!("{returned} validators returned");
    assert!(returned > 20 || number("SLUICE_SEED").is_some(), "only {returned} returned");
}
