//! What hostile nodes cost the honest: each kind runs over many seeds, and the figures of the
//! honest are printed and bounded. Time is virtual, so a seed gives the same figures everywhere.
//!
//! `SLUICE_SEED=N` runs one seed; `SLUICE_SEEDS=N` runs N seeds: 12 unless said otherwise (4 of
//! seven validators), 200 with `scripts/test --long`. The mixed runs are 20 and 1,000.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use node_sim::{Costs, Fault, FaultPlan, Kind, LinkFault, Report, simulate};

/// How long a run takes, in virtual milliseconds.
const RUN_MS: u64 = 20_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds(few: u64, many: u64) -> std::ops::Range<u64> {
    let long = std::env::var_os("SLUICE_LONG").is_some();
    match number("SLUICE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SLUICE_SEEDS").unwrap_or(if long { many } else { few }),
    }
}

/// One run; what broke, in words, with its seed.
fn run(seed: u64, plan: &FaultPlan) -> Result<Report, String> {
    let told = |broken: &dyn std::fmt::Display| format!("SLUICE_SEED={seed}: {broken}");
    match catch_unwind(AssertUnwindSafe(|| simulate(seed, plan))) {
        Ok(result) => result.map_err(|broken| told(&broken)),
        Err(_) => Err(told(&"an assertion of the replica's own failed")),
    }
}

/// The bounds that must hold over all seeds of a scene.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// The longest time without a block.
    gap_ms: u64,
    /// The least share of honest proposers' blocks, in thousandths.
    honest_blocks: u64,
    /// The least share of orders that are final in three seconds, in thousandths.
    final_in_3_s: u64,
    /// The most blocks a second.
    blocks_per_s: u64,
    /// The longest time until a node that started again is near the head.
    behind_ms: u64,
    /// The least number of hostile validators that a run's blocks name by evidence.
    caught: usize,
}

impl Bounds {
    /// The cost that `hostile` of `validators` may have: each of their turns fails, one after the
    /// other. A turn that fails takes at most its round's three timeouts; the block before it may
    /// be a heartbeat old. Blocks come at most as often as the interval lets them, and a fifth
    /// more.
    fn of(validators: u64, hostile: u64) -> Self {
        let timeouts_ms: u64 = (0..hostile).map(|round| 3 * (600 + 200 * round)).sum();
        Self {
            gap_ms: 1_000 + timeouts_ms + 500,
            // Whose turns are even leave a few blocks more to one than to another.
            honest_blocks: (validators - hostile) * 1_000 / validators - 20,
            final_in_3_s: 990,
            blocks_per_s: 12,
            behind_ms: 3_000,
            caught: 0,
        }
    }
}

/// Figures of all seeds of a scene.
#[derive(Debug, Default)]
struct Sums {
    runs: u64,
    virtual_ms: u64,
    blocks: u64,
    honest_blocks: u64,
    gap: (u64, u64),
    orders: u64,
    final_in_1_s: u64,
    final_in_3_s: u64,
    behind: (u64, u64),
    evidence: u64,
    /// Runs by how many validators their blocks name.
    caught: BTreeMap<usize, u64>,
    broken: Vec<String>,
}

fn per_mille(part: u64, whole: u64) -> u64 {
    (part * 1_000).checked_div(whole).unwrap_or(0)
}

impl Sums {
    fn add(&mut self, seed: u64, result: Result<Report, String>) {
        let report = match result {
            Ok(report) => report,
            Err(broken) => return self.broken.push(broken),
        };
        let figures = &report.figures;
        self.runs += 1;
        self.virtual_ms += report.virtual_ms;
        self.blocks += figures.blocks;
        self.honest_blocks += figures.honest_blocks;
        self.gap = self.gap.max((figures.gap_ms_max, seed));
        self.orders += figures.orders;
        self.final_in_1_s += figures.final_in_1_s;
        self.final_in_3_s += figures.final_in_3_s;
        self.behind = self.behind.max((figures.behind_ms_max, seed));
        self.evidence += report.named.caught.values().sum::<u64>();
        *self.caught.entry(report.named.caught.len()).or_default() += 1;
    }

    fn tell(&self, scene: &str) {
        let share = |part, whole| format!("{:>5.1} %", per_mille(part, whole) as f64 / 10.0);
        println!(
            "| {scene:<28} | {:>4} | {:>6} (seed {:>3}) | {} | {} | {} | {:>5.1} | {:>6} | {:>4} |",
            self.runs,
            self.gap.0,
            self.gap.1,
            share(self.honest_blocks, self.blocks),
            share(self.final_in_1_s, self.orders),
            share(self.final_in_3_s, self.orders),
            self.blocks as f64 * 1_000.0 / (self.virtual_ms.max(1) as f64),
            self.behind.0,
            self.evidence,
        );
    }

    fn check(&self, scene: &str, bounds: &Bounds) -> Vec<String> {
        let mut broken = self.broken.clone();
        let mut at_most = |what: &str, found: u64, most: u64, seed: Option<u64>| {
            if found > most {
                let seed = seed.map_or_else(String::new, |seed| format!(" (SLUICE_SEED={seed})"));
                broken.push(format!("{scene}: {what} {found}, at most {most}{seed}"));
            }
        };
        let short = |part, whole| 1_000 - per_mille(part, whole);
        at_most("gap in ms", self.gap.0, bounds.gap_ms, Some(self.gap.1));
        at_most("behind in ms", self.behind.0, bounds.behind_ms, Some(self.behind.1));
        let hostile = short(self.honest_blocks, self.blocks);
        at_most("hostile blocks in 1,000", hostile, 1_000 - bounds.honest_blocks, None);
        let late = short(self.final_in_3_s, self.orders);
        at_most("late orders in 1,000", late, 1_000 - bounds.final_in_3_s, None);
        let unseen: u64 = self.caught.range(..bounds.caught).map(|(_, runs)| runs).sum();
        at_most("runs whose evidence is missing", unseen, 0, None);
        let per_s = self.blocks * 1_000 / self.virtual_ms.max(1);
        at_most("blocks a second", per_s, bounds.blocks_per_s, None);
        broken
    }
}

/// Runs a scene over its seeds, prints its figures, and gives what is out of bounds.
fn scene(name: &str, bounds: &Bounds, plan: impl Fn(u64) -> FaultPlan) -> Vec<String> {
    let mut sums = Sums::default();
    // Seven validators say three times as much as four.
    let few = if plan(0).validators > 4 { 4 } else { 12 };
    for seed in seeds(few, 200) {
        sums.add(seed, run(seed, &plan(seed)));
    }
    sums.tell(name);
    sums.check(name, bounds)
}

fn must_hold(broken: &[String]) {
    println!(
        "| scene | runs | longest gap in ms | honest blocks | final in 1 s | in 3 s | blocks/s | \
         behind in ms | evidence |"
    );
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// One hostile validator of four, and two of seven.
fn validators(kind: Kind) {
    let name = format!("{kind:?}");
    // Row 14: who signs two blocks, or two times, is named in a block of each run.
    let is_caught = matches!(kind, Kind::TwoBlocks | Kind::TwoTimes);
    let bounds = |validators, hostile| Bounds {
        caught: if is_caught { hostile as usize } else { 0 },
        ..Bounds::of(validators, hostile)
    };
    let mut broken = scene(&format!("{name} 1 of 4"), &bounds(4, 1), |seed| FaultPlan {
        villains: vec![((seed % 4) as u32, kind)],
        ..FaultPlan::calm(4, RUN_MS)
    });
    // Over few seeds, two that show two lists may make a few more than one order in a hundred late.
    let final_in_3_s = if matches!(kind, Kind::TwoLists) { 985 } else { 990 };
    let two_of_seven = Bounds { final_in_3_s, ..bounds(7, 2) };
    broken.extend(scene(&format!("{name} 2 of 7"), &two_of_seven, |seed| {
        let first = seed % 7;
        let second = (first + 1 + seed / 7 % 6) % 7;
        FaultPlan {
            villains: vec![(first as u32, kind), (second as u32, kind)],
            ..FaultPlan::calm(7, RUN_MS)
        }
    }));
    must_hold(&broken);
}

/// A hostile edge node beside four honest validators: it costs nothing.
fn edge(kind: Kind) {
    let bounds = Bounds { honest_blocks: 1_000, ..Bounds::of(4, 0) };
    must_hold(&scene(&format!("{kind:?} at the edge"), &bounds, |_| FaultPlan {
        villains: vec![(4, kind)],
        ..FaultPlan::calm(4, RUN_MS)
    }));
}

/// Four honest validators and what goes wrong.
fn faults(name: &str, bounds: &Bounds, events: impl Fn(u64) -> Vec<(u64, Fault)>) {
    must_hold(&scene(name, bounds, |seed| FaultPlan {
        events: events(seed),
        ..FaultPlan::calm(4, RUN_MS)
    }));
}

macro_rules! tests {
    ($run:ident: $($(#[$doc:meta])* $test:ident = $kind:ident;)*) => {
        $($(#[$doc])* #[test] fn $test() { $run(Kind::$kind); })*
    };
}

mod hostile_validators {
    use super::*;

    tests! { validators:
        absent = Absent;
        // Row 1.
        says_a_later_round = FalseRound;
        // Row 2.
        proposes_an_unknown_batch = UnknownBatch;
        // Row 3.
        shows_two_batch_lists = TwoLists;
        // Row 4.
        shows_an_untimely_block = Untimely;
        // Row 6.
        proposes_for_far_rounds = FarRounds;
        // Row 11.
        hides_a_lock = HiddenLock;
        // Row 12.
        begins_heights_early = EarlyStarter;
        shows_two_times = TwoTimes;
        shows_two_blocks = TwoBlocks;
        withholds_its_blocks = Withholder;
        shows_its_blocks_to_one = ShowsOne;
        frames_others = Framer;
        proposes_false_evidence = FalseEvidence;
        refuses_those_who_start = Refuser;
        censors_a_submitter = Censor;
        boasts = Boaster;
        boasts_and_gives_blocks_slowly = SlowBoaster;
        boasts_and_gives_false_blocks = FalseBoaster;
    }

    /// Row 5. A machine a tenth as fast as a real one sees a tenth of the flood.
    #[test]
    fn floods() {
        must_hold(&scene("Flooder 1 of 4", &Bounds::of(4, 1), |seed| FaultPlan {
            villains: vec![((seed % 4) as u32, Kind::Flooder)],
            costs: Costs { verify_us: 500, ..Costs::default() },
            ..FaultPlan::calm(4, RUN_MS / 2)
        }));
    }
}

mod hostile_edges {
    use super::*;

    tests! { edge:
        begins_heights_early = EarlyStarter;
        frames_others = Framer;
        proposes_for_far_rounds = FarRounds;
        boasts = Boaster;
    }

    // Row 5.
    #[test]
    fn floods() {
        let bounds = Bounds { honest_blocks: 1_000, ..Bounds::of(4, 0) };
        must_hold(&scene("Flooder at the edge", &bounds, |_| FaultPlan {
            villains: vec![(4, Kind::Flooder)],
            costs: Costs { verify_us: 500, ..Costs::default() },
            ..FaultPlan::calm(4, RUN_MS / 2)
        }));
    }

    fn wiped_beside(kind: Kind) {
        // One answer of the villain's may be waited for.
        let bounds = Bounds { honest_blocks: 1_000, behind_ms: 6_000, ..Bounds::of(4, 1) };
        must_hold(&scene(&format!("a wiped one beside {kind:?}"), &bounds, |seed| FaultPlan {
            villains: vec![(4, kind)],
            events: vec![(10_000, Fault::LoseDisk { node: (seed % 4) as u32, away_ms: 300 })],
            ..FaultPlan::calm(4, RUN_MS)
        }));
    }

    // Row 7.
    #[test]
    fn a_wiped_validator_comes_back_beside_one_that_gives_blocks_slowly() {
        wiped_beside(Kind::SlowBoaster);
    }

    // Row 7.
    #[test]
    fn a_wiped_validator_comes_back_beside_one_that_gives_false_blocks() {
        wiped_beside(Kind::FalseBoaster);
    }
}

mod clocks {
    use super::*;

    fn stepped(name: &str, node: Option<u32>, ahead_ms: u64) {
        // A block that is on its way when clocks go back costs its proposer's turn.
        let mut bounds = Bounds { honest_blocks: 1_000, ..Bounds::of(4, 1) };
        if ahead_ms > 180_000 {
            // Clients' clocks are right: their orders have expired.
            bounds.final_in_3_s = 0;
        }
        faults(name, &bounds, |seed| {
            let node = node.map(|node| (node + seed as u32) % 4);
            vec![(8_000, Fault::Clock { node, ahead_ms, for_ms: 4_000 })]
        });
    }

    // Row 8.
    #[test]
    fn all_are_ahead_for_a_while() {
        stepped("all clocks 30 s ahead", None, 30_000);
    }

    // Row 8.
    #[test]
    fn all_are_an_hour_ahead_for_a_while() {
        stepped("all clocks an hour ahead", None, 3_600_000);
    }

    #[test]
    fn one_is_ahead_for_a_while() {
        stepped("one clock 30 s ahead", Some(0), 30_000);
    }
}

mod links {
    use super::*;

    fn both_ways(one: u32, other: u32, fault: LinkFault) -> Vec<(u64, Fault)> {
        let link = |from, to| (4_000, Fault::Link { from, to, fault, for_ms: RUN_MS });
        vec![link(one, other), link(other, one)]
    }

    // Row 9.
    #[test]
    fn one_is_cut_while_a_validator_is_away() {
        // Two of the three that are left hear one another from the third alone, when it relays:
        // they may begin a height a relay apart. So the turn before that of the absent one may fail
        // too, when its proposal, and its batches after it, come over the third just after the
        // timeout. Over 200 seeds one order in a hundred is late; over twelve it may be a few more.
        let gap_ms = Bounds::of(4, 2).gap_ms + 600;
        let bounds = Bounds { gap_ms, final_in_3_s: 985, ..Bounds::of(4, 1) };
        must_hold(&scene("a cut link beside Absent", &bounds, |seed| {
            let absent = (seed % 4) as u32;
            FaultPlan {
                villains: vec![(absent, Kind::Absent)],
                events: both_ways((absent + 1) % 4, (absent + 2) % 4, LinkFault::Cut),
                ..FaultPlan::calm(4, RUN_MS)
            }
        }));
    }

    fn faulty(name: &str, fault: LinkFault, is_both_ways: bool) {
        faults(name, &Bounds { honest_blocks: 1_000, ..Bounds::of(4, 1) }, |seed| {
            let (one, other) = ((seed % 4) as u32, ((seed + 1 + seed / 4 % 3) % 4) as u32);
            let mut events = both_ways(one, other, fault);
            events.truncate(if is_both_ways { 2 } else { 1 });
            events
        });
    }

    #[test]
    fn one_is_cut() {
        faulty("a cut link", LinkFault::Cut, true);
    }

    #[test]
    fn one_is_cut_in_one_direction() {
        faulty("a link cut one way", LinkFault::Cut, false);
    }

    #[test]
    fn one_flaps() {
        faulty("a flapping link", LinkFault::Flaps { every_ms: 250 }, true);
    }

    #[test]
    fn one_is_slow() {
        faulty("a slow link", LinkFault::Slow { by_ms: 500 }, true);
    }

    /// A node that was cut off asks before it votes, and once: a slow link that brings it every
    /// block by others' hands is no reason to fall silent again.
    #[test]
    fn one_that_was_cut_off_asks_once() {
        for seed in seeds(12, 200) {
            let away = (seed % 4) as u32;
            let cut = (4_000, Fault::Partition { sides: 1 << away, for_ms: 5_000 });
            let others = (0..4).filter(|node| *node != away);
            let slow = |node| both_ways(away, node, LinkFault::Slow { by_ms: 500 });
            let events = [cut].into_iter().chain(others.flat_map(slow)).collect();
            let report = run(seed, &FaultPlan { events, ..FaultPlan::calm(4, RUN_MS) });
            let asks = report.expect("the run holds").figures.asks;
            // A few times at the start, and once a block that it missed.
            let most = asks.values().max();
            assert!(most.is_some_and(|most| *most <= 70), "SLUICE_SEED={seed}: {asks:?}");
        }
    }

    #[test]
    fn messages_arrive_twice() {
        let bounds = Bounds { honest_blocks: 1_000, ..Bounds::of(4, 0) };
        must_hold(&scene("messages twice", &bounds, |_| FaultPlan {
            twice_per_mille_max: 1_000,
            ..FaultPlan::calm(4, RUN_MS)
        }));
    }
}

mod disks {
    use super::*;

    #[test]
    fn one_starts_again_beside_one_that_refuses() {
        // Whoever was away when it was its turn is passed over.
        let bounds = Bounds { honest_blocks: 640, ..Bounds::of(4, 1) };
        must_hold(&scene("starts beside Refuser", &bounds, |seed| FaultPlan {
            villains: vec![((seed % 4) as u32, Kind::Refuser)],
            events: vec![
                (
                    6_000,
                    Fault::Crash { node: (seed + 1) as u32 % 4, after_effects: 3, away_ms: 400 },
                ),
                (12_000, Fault::CrashAll { away_ms: 400 }),
            ],
            ..FaultPlan::calm(4, RUN_MS)
        }));
    }

    /// Row 13: the honest one whose disk it is counts as hostile for a while.
    #[test]
    fn staged_blocks_are_lost() {
        let bounds = Bounds { honest_blocks: 1_000, ..Bounds::of(4, 1) };
        must_hold(&scene("staged blocks lost", &bounds, |seed| FaultPlan {
            events: (2..8)
                .map(|at| {
                    let node = ((seed + at) % 4) as u32;
                    (at * 2_000 + seed * 37 % 1_000, Fault::LoseStaged { node, away_ms: 60 })
                })
                .collect(),
            delay_ms_max: 120,
            ..FaultPlan::calm(4, RUN_MS)
        }));
    }

    fn restored(name: &str, guard: bool) {
        let bounds = Bounds { honest_blocks: 1_000, ..Bounds::of(4, 1) };
        faults(name, &bounds, |seed| {
            let node = (seed % 4) as u32;
            let copied_ms = 8_000 - seed * 97 % 3_000;
            let lost_ms = copied_ms + 20 + seed * 53 % 1_000;
            let mut events = vec![
                (copied_ms, Fault::BackUp { node }),
                (lost_ms, Fault::Restore { node, guard, away_ms: 5 }),
            ];
            // It hears late how far the others are, while its clients are quick.
            events.extend((0..4).filter(|from| *from != node).map(|from| {
                let fault = LinkFault::Slow { by_ms: 300 };
                (lost_ms, Fault::Link { from, to: node, fault, for_ms: 1_500 })
            }));
            events
        });
    }

    // Row 10.
    #[test]
    fn an_old_copy_is_put_back() {
        restored("an old copy put back", true);
    }

    // Row 10.
    #[test]
    fn an_old_copy_is_put_back_without_its_guard() {
        restored("an old copy without guard", false);
    }

    // Row 10.
    #[test]
    fn a_copy_is_started_beside_the_original() {
        faults("one key twice", &Bounds { honest_blocks: 0, ..Bounds::of(4, 1) }, |seed| {
            let node = (seed % 4) as u32;
            vec![(6_000 + seed * 97 % 2_000, Fault::StartTwice { node })]
        });
    }
}

/// The faults beside hostile nodes to one honest validator of seven. More than two that are hostile
/// or have forgotten would be too many.
fn mixed(seed: u64) -> FaultPlan {
    let first = (seed % 7) as u32;
    let (second, node) = ((first + 3) % 7, (first + 5) % 7);
    let mut villains = vec![(first, Kind::Moody), (7, Kind::Moody)];
    let at_ms = 3_000 + seed * 97 % 4_000;
    let mut events = Vec::new();
    match seed % 3 {
        0 => villains.push((second, Kind::Moody)),
        1 => {
            let guard = seed.is_multiple_of(2);
            events.push((at_ms, Fault::BackUp { node }));
            events.push((at_ms + seed * 53 % 900, Fault::Restore { node, guard, away_ms: 20 }));
        }
        _ => events.push((at_ms, Fault::StartTwice { node })),
    }
    FaultPlan {
        validators: 7,
        villains,
        events,
        must_recover: false,
        lost_disks_of_four: 0,
        healed_ms: 4_000,
        govern: seed.is_multiple_of(2),
        ..FaultPlan::default()
    }
}

/// Safety only: hostile nodes in every way, and everything else that may go wrong.
#[test]
fn all_kinds_mixed_are_safe() {
    let seeds = seeds(20, 1_000);
    let runs: Vec<_> = seeds.clone().map(|seed| run(seed, &mixed(seed))).collect();
    let broken: Vec<String> = runs.iter().filter_map(|run| run.clone().err()).collect();
    let blocks: u64 = runs.iter().flatten().map(|report| report.height.get()).sum();
    println!("{} runs, {blocks} blocks", runs.len());
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(blocks > seeds.end - seeds.start, "the runs did nothing");
}
