//! What an overload came to: for each run what the platform promises, in figures.

use node_localnet::latency::Latencies;
use serde::Serialize;

use super::offering::{OverloadAnswer, SurgeTimes, ToldFate};
use super::options::OverloadOptions;
use super::rogue::RogueCount;
use super::shapes::{CrowdMember, Manner, max_min};

/// A calm order is on time within a second, and a refusal is told at once within 100 ms.
const CALM_US: u64 = 1_000_000;
const SOON_US: u64 = 100_000;
/// The failures that the platform allows, in percent of all orders.
const FAILURES_PERCENT_MAX: f64 = 0.05;

/// One overload. A *failure* is an order that is neither settled nor definitively refused with its
/// reason within its validity; orders of rogues are not counted but as load.
#[derive(Debug, Clone, Serialize)]
pub struct OverloadRun {
    /// How many times the capacity the crowd offered.
    pub factor: u64,
    /// The number of rogues beside it.
    pub rogues: usize,
    /// Orders that the crowd and the calm clients offered.
    pub offered: u64,
    /// Those of them that were final.
    #[serde(rename = "final")]
    pub final_orders: u64,
    /// Those that were definitively refused.
    pub refused: u64,
    /// Those of which nobody could say in time what became of them.
    pub unresolved: u64,
    /// Orders that were final within the surge, rogues' too, in percent of the closed loop.
    pub goodput_percent: f64,
    /// Orders of calm clients that were offered in the surge and final within 1 s, in percent.
    pub calm_in_a_second_percent: f64,
    /// From the call that was admitted until the order was final.
    pub admitted_p99_ms: f64,
    /// Jain's index of what each member of the crowd got of what an even division gives it, in
    /// orders, in percent.
    pub jain_percent: f64,
    /// Definitive refusals that were told within 100 ms of the offer, in percent.
    pub never_told_at_once_percent: f64,
    /// Stated times to retry that were right within 20 %, in percent.
    pub retry_times_right_percent: f64,
    /// How many times to retry were stated and tried.
    pub retry_times: u64,
    /// By how much a node's process grew more than in the closed loop, in MiB.
    pub memory_above_normal_mib: f64,
    /// From the end of the surge until every calm order is final within a second.
    pub normal_again_seconds: f64,
    /// Failures, in percent of the orders that were offered.
    pub failure_rate_percent: f64,
    /// Calls of the rogues.
    pub rogue_calls: u64,
}

/// The overloads of one network.
#[derive(Debug, Clone, Serialize)]
pub struct OverloadReport {
    /// The throughput of the closed loop of the hour, in orders a second.
    pub closed_loop_orders_per_s: u64,
    /// How long each surge lasted.
    pub seconds: u64,
    /// How many paced clients offered too much.
    pub crowd: usize,
    /// How many stayed within their shares.
    pub calm: usize,
    /// How long each order was valid.
    pub valid_ms: u64,
    /// The runs, in their order.
    pub runs: Vec<OverloadRun>,
}

impl OverloadReport {
    /// The report of runs.
    pub fn new(
        capacity: u64,
        seconds: u64,
        options: &OverloadOptions,
        runs: Vec<OverloadRun>,
    ) -> Self {
        let OverloadOptions { crowd, calm, valid_ms, .. } = *options;
        Self { closed_loop_orders_per_s: capacity, seconds, crowd, calm, valid_ms, runs }
    }

    /// Returns true if no run has more failures than the platform allows.
    pub fn is_clean(&self) -> bool {
        let is_clean = |run: &OverloadRun| run.failure_rate_percent <= FAILURES_PERCENT_MAX;
        !self.runs.is_empty() && self.runs.iter().all(is_clean)
    }

    /// Formats the report for people.
    pub fn text(&self) -> String {
        let Self { closed_loop_orders_per_s, seconds, crowd, calm, valid_ms, .. } = self;
        let head = format!(
            "closed loop  {closed_loop_orders_per_s} orders/s\n\
             overload     {seconds} s each; {crowd} clients offer too much, {calm} stay calm; \
             orders are valid for {valid_ms} ms"
        );
        let runs = self.runs.iter().map(OverloadRun::text);
        std::iter::once(head).chain(runs).collect::<Vec<_>>().join("\n\n")
    }
}

impl OverloadRun {
    /// Formats the run for people.
    pub fn text(&self) -> String {
        let Self { factor, rogues, offered, final_orders, refused, unresolved, .. } = self;
        format!(
            "{factor} times, {rogues} rogues ({} calls)\n\
             orders       {offered} offered, {final_orders} final, {refused} refused, {unresolved} \
             unresolved\n\
             goodput      {:.1} % of the closed loop\n\
             calm         {:.2} % final within 1 s\n\
             admitted     p99 {:.0} ms\n\
             Jain         {:.1} % in orders\n\
             never        {:.1} % told within 100 ms\n\
             retry times  {:.1} % right within 20 %, of {}\n\
             memory       {:.0} MiB above normal in one node\n\
             normal again {:.1} s after the surge\n\
             failure rate {:.3} %",
            self.rogue_calls,
            self.goodput_percent,
            self.calm_in_a_second_percent,
            self.admitted_p99_ms,
            self.jain_percent,
            self.never_told_at_once_percent,
            self.retry_times_right_percent,
            self.retry_times,
            self.memory_above_normal_mib,
            self.normal_again_seconds,
            self.failure_rate_percent,
        )
    }
}

/// The count of one run.
#[derive(Debug)]
pub struct RunFigures {
    members: Vec<CrowdMember>,
    times: SurgeTimes,
    valid_ms: u64,
    offered: u64,
    final_orders: u64,
    refused: u64,
    refused_soon: u64,
    unresolved: u64,
    failures: u64,
    /// Of each member, what was final within the surge.
    got: Vec<u64>,
    calm: u64,
    calm_on_time: u64,
    admitted: Latencies,
    stated: u64,
    kept: u64,
    last_late_us: u64,
}

impl RunFigures {
    /// The count of a run of which no batch has ended yet.
    pub fn new(members: &[CrowdMember], times: SurgeTimes, valid_ms: u64) -> Self {
        Self {
            members: members.to_vec(),
            times,
            valid_ms,
            offered: 0,
            final_orders: 0,
            refused: 0,
            refused_soon: 0,
            unresolved: 0,
            failures: 0,
            got: vec![0; members.len()],
            calm: 0,
            calm_on_time: 0,
            admitted: Latencies::default(),
            stated: 0,
            kept: 0,
            last_late_us: times.end_us(),
        }
    }

    /// Counts a batch that has ended.
    pub fn add(&mut self, answer: &OverloadAnswer) {
        let OverloadAnswer { place, orders, made_us, fate, trail } = *answer;
        let (begin_us, end_us) = (self.times.begin_us, self.times.end_us());
        let took_us = trail.told_us.saturating_sub(made_us);
        self.offered += orders;
        self.stated += u64::from(trail.stated);
        self.kept += u64::from(trail.kept);
        match fate {
            ToldFate::Final => {
                self.final_orders += orders;
                let waited_us = trail.told_us.saturating_sub(trail.sent_us);
                self.admitted.record(std::time::Duration::from_micros(waited_us), orders);
                if (begin_us..end_us).contains(&trail.told_us) {
                    self.got[place] += orders;
                }
            }
            ToldFate::Refused => {
                self.refused += orders;
                self.refused_soon += if took_us <= SOON_US { orders } else { 0 };
                let is_late = took_us > self.valid_ms.saturating_mul(1_000);
                self.failures += if is_late { orders } else { 0 };
            }
            ToldFate::Unresolved => {
                self.unresolved += orders;
                self.failures += orders;
            }
        }
        if self.members[place].manner == Manner::Calm {
            let is_on_time = fate == ToldFate::Final && took_us <= CALM_US;
            if (begin_us..end_us).contains(&made_us) {
                self.calm += orders;
                self.calm_on_time += if is_on_time { orders } else { 0 };
            } else if made_us >= end_us && !is_on_time {
                self.last_late_us = self.last_late_us.max(made_us);
            }
        }
    }

    /// Returns the report of the run.
    pub fn report(
        &self,
        (factor, rogues): (u64, usize),
        capacity: u64,
        rogue: RogueCount,
    ) -> OverloadRun {
        let seconds = self.times.surge.as_secs_f64();
        let in_surge = self.got.iter().sum::<u64>() + rogue.final_orders;
        let normal_again_us = self.last_late_us.saturating_sub(self.times.end_us());
        OverloadRun {
            factor,
            rogues,
            offered: self.offered,
            final_orders: self.final_orders,
            refused: self.refused,
            unresolved: self.unresolved,
            goodput_percent: in_surge as f64 * 100.0 / (capacity as f64 * seconds).max(1.0),
            calm_in_a_second_percent: percent(self.calm_on_time, self.calm),
            admitted_p99_ms: self.admitted.report().p99_ms,
            jain_percent: self.jain(capacity, rogues) * 100.0,
            never_told_at_once_percent: percent(self.refused_soon, self.refused),
            retry_times_right_percent: percent(self.kept, self.stated),
            retry_times: self.stated,
            memory_above_normal_mib: 0.0,
            normal_again_seconds: normal_again_us as f64 / 1e6,
            failure_rate_percent: match self.offered {
                0 => 0.0,
                offered => self.failures as f64 * 100.0 / offered as f64,
            },
            rogue_calls: rogue.calls,
        }
    }

    /// Jain's index over what each of the crowd got of what weighted max-min gives it; all weights
    /// are the standard one. A rogue asks for everything.
    fn jain(&self, capacity: u64, rogues: usize) -> f64 {
        let demands = self.members.iter().map(|member| member.orders_per_s);
        let demands: Vec<u64> = demands.chain(std::iter::repeat_n(u64::MAX, rogues)).collect();
        let due = max_min(capacity, &demands);
        let surging = (0..self.members.len())
            .filter(|place| self.members[*place].manner == Manner::Surging)
            .map(|place| self.got[place] as f64 / due[place].max(1) as f64);
        let parts: Vec<f64> = surging.collect();
        let (sum, squares): (f64, f64) =
            (parts.iter().sum(), parts.iter().map(|part| part * part).sum());
        if squares > 0.0 { sum * sum / (parts.len() as f64 * squares) } else { 0.0 }
    }
}

/// A part in percent; everything of nothing.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rpc_client::paced::fate::BatchTrail;

    use super::super::shapes::SurgeShape;
    use super::*;

    const CAPACITY: u64 = 100;

    fn members() -> Vec<CrowdMember> {
        let member = |manner, orders_per_s| CrowdMember {
            manner,
            shape: SurgeShape::Step,
            batch_items: 10,
            orders_per_s,
        };
        vec![member(Manner::Surging, 500), member(Manner::Surging, 500), member(Manner::Calm, 10)]
    }

    fn figures() -> RunFigures {
        let second = Duration::from_secs(1);
        RunFigures::new(&members(), SurgeTimes::after(second, second * 2, second), 3_000)
    }

    /// Ten orders that were made so many milliseconds after the surge's begin, and told later.
    fn answer(
        figures: &RunFigures,
        place: usize,
        times: (u64, u64),
        fate: ToldFate,
    ) -> OverloadAnswer {
        let made_us = figures.times.begin_us + times.0 * 1_000;
        let told_us = made_us + times.1 * 1_000;
        let (offered_us, sent_us) = (made_us, made_us + 10_000);
        let trail = BatchTrail { offered_us, sent_us, told_us, ..BatchTrail::default() };
        OverloadAnswer { place, orders: 10, made_us, fate, trail }
    }

    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() <= expected.abs() * 0.01 + 1e-9, "{value} {expected}");
    }

    #[test]
    fn what_is_settled_or_refused_in_its_validity_is_no_failure() {
        let mut figures = figures();
        for (times, fate) in [
            ((0, 300), ToldFate::Final),
            ((0, 50), ToldFate::Refused),
            ((0, 2_900), ToldFate::Refused),
            ((0, 3_100), ToldFate::Refused),
            ((0, 13_000), ToldFate::Unresolved),
        ] {
            let answer = answer(&figures, 0, times, fate);
            figures.add(&answer);
        }
        let run = figures.report((2, 0), CAPACITY, RogueCount::default());
        assert_eq!((run.offered, run.final_orders, run.refused, run.unresolved), (50, 10, 30, 10));
        near(run.failure_rate_percent, 40.0);
        near(run.never_told_at_once_percent, 100.0 / 3.0);
        near(run.admitted_p99_ms, 290.0);
        let report = OverloadReport {
            closed_loop_orders_per_s: CAPACITY,
            seconds: 2,
            crowd: 2,
            calm: 1,
            valid_ms: 3_000,
            runs: vec![run],
        };
        assert!(!report.is_clean());
        assert!(report.text().contains("failure rate 40.000 %"), "{}", report.text());
    }

    #[test]
    fn goodput_calm_and_jain_are_those_of_the_surge() {
        let mut figures = figures();
        for (place, times) in [(0, (0, 300)), (0, (500, 300)), (1, (0, 300)), (1, (500, 300))] {
            let answer = answer(&figures, place, times, ToldFate::Final);
            figures.add(&answer);
        }
        // One calm order is late in the surge, and one after it.
        for times in [(0, 300), (100, 1_100), (2_500, 1_200), (2_800, 100)] {
            let answer = answer(&figures, 2, times, ToldFate::Final);
            figures.add(&answer);
        }
        let rogue = RogueCount { calls: 9, final_orders: 40 };
        let run = figures.report((5, 1), CAPACITY, rogue);
        near(run.goodput_percent, (40.0 + 20.0 + 40.0) * 100.0 / 200.0);
        near(run.calm_in_a_second_percent, 50.0);
        near(run.jain_percent, 100.0);
        near(run.normal_again_seconds, 0.5);
        near(run.failure_rate_percent, 0.0);
        // All to one of two is half of what is possible.
        let mut figures = self::figures();
        let answer = answer(&figures, 0, (0, 300), ToldFate::Final);
        figures.add(&answer);
        near(figures.report((5, 0), CAPACITY, RogueCount::default()).jain_percent, 50.0);
    }
}
