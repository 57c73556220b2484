//! What a run is judged by. Parts are in hundredths of a percent, times in milliseconds.

use super::world::{Batch, Fate, World};
use super::{CALM_AGAIN_US, CAPACITY, END_US, Manner, SURGE_US};
use consensus_scheduler::shares::{Claim, divide};

/// The figures of one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report {
    /// Items settled during the surge, of what the network could do.
    pub goodput: u64,
    /// The time from admission to finality of all that was admitted.
    pub admitted_p99_ms: u64,
    /// Orders of calm submitters that were final within a second.
    pub calm: u64,
    /// Jain's index over what each surging submitter got of what weighted max-min gives it.
    pub jain: u64,
    /// Orders that were neither settled nor definitively refused while they were valid.
    pub unresolved: u64,
    pub refused: u64,
    /// The part of the definitive refusals that clients got within 100 ms.
    pub told_at_once: u64,
    /// The part of the stated times to retry that were right within a fifth.
    pub promises: u64,
    pub promised: u64,
    /// From the end of the surge until every order of a calm submitter is final within a second.
    pub normal_again_ms: u64,
}

fn part(of: u64, whole: u64) -> u64 {
    if whole == 0 { 10_000 } else { (u128::from(of) * 10_000 / u128::from(whole)) as u64 }
}

impl Report {
    pub fn of(world: &World<'_>) -> Self {
        let surge = SURGE_US + 1_000_000..CALM_AGAIN_US;
        let possible = CAPACITY * (surge.end - surge.start) / 1_000_000;
        let settled = world.batches.iter().filter(|batch| is_final_in(batch, &surge));
        let goodput = part(settled.map(|batch| batch.items).sum(), possible);
        let during = |batch: &&Batch| (SURGE_US..CALM_AGAIN_US).contains(&batch.created_us);
        let rogue = |batch: &&Batch| world.is(batch, Manner::Rogue);
        let honest: Vec<&Batch> =
            world.batches.iter().filter(during).filter(|batch| !rogue(batch)).collect();
        let items = |is: &dyn Fn(&Batch) -> bool| -> u64 {
            honest.iter().filter(|batch| is(batch)).map(|batch| batch.items).sum()
        };
        let total = items(&|_| true);
        let refused = |batch: &Batch| matches!(batch.fate, Fate::Refused { .. });
        let is_soon = |batch: &Batch| match batch.fate {
            Fate::Refused { at_us } => at_us <= batch.created_us + 100_000,
            _ => false,
        };
        let unresolved = items(&|batch| match batch.fate {
            Fate::Final { at_us, .. } | Fate::Refused { at_us } => at_us > batch.valid_until_us(),
            Fate::Open | Fate::Admitted { .. } => true,
        });
        let is_calm = |batch: &Batch| world.is(batch, Manner::Calm);
        let calm_in_time = items(&|batch| is_calm(batch) && is_final_in_a_second(batch));
        let (promises, promised) = promises(&honest);
        let after = CALM_AGAIN_US..END_US - 2_000_000;
        let late = world.batches.iter().filter(|batch| {
            after.contains(&batch.created_us) && is_calm(batch) && !is_final_in_a_second(batch)
        });
        let last_late_us = late.map(|batch| batch.created_us).max();
        Self {
            goodput,
            admitted_p99_ms: admitted_p99_ms(&honest),
            calm: part(calm_in_time, items(&is_calm)),
            jain: jain(world),
            unresolved: part(unresolved, total),
            refused: part(items(&refused), total),
            told_at_once: part(items(&is_soon), items(&refused)),
            promises,
            promised,
            normal_again_ms: last_late_us.map_or(0, |at_us| (at_us - CALM_AGAIN_US) / 1_000),
        }
    }
}

fn is_final_in_a_second(batch: &Batch) -> bool {
    matches!(batch.fate, Fate::Final { at_us, .. } if at_us <= batch.created_us + 1_000_000)
}

fn is_final_in(batch: &Batch, range: &std::ops::Range<u64>) -> bool {
    matches!(batch.fate, Fate::Final { at_us, .. } if range.contains(&at_us))
}

/// Returns the 99th percentile of the time from admission to finality, by items. A batch that was
/// admitted and never became final counts until the end of the run.
fn admitted_p99_ms(batches: &[&Batch]) -> u64 {
    let mut waits: Vec<(u64, u64)> = batches
        .iter()
        .filter_map(|batch| match batch.fate {
            Fate::Final { admitted_us, at_us } => Some((at_us - admitted_us, batch.items)),
            Fate::Admitted { at_us } => Some((END_US - at_us, batch.items)),
            _ => None,
        })
        .collect();
    waits.sort_unstable();
    let total: u64 = waits.iter().map(|(_, items)| items).sum();
    let mut seen = 0;
    let at = waits.iter().find(|(_, items)| {
        seen += items;
        seen * 100 >= total * 99
    });
    at.map_or(0, |(wait_us, _)| wait_us / 1_000)
}

/// Returns the part of the stated times to retry that came true within a fifth, or within one
/// block, and the number of all. It counts batches that were admitted later.
fn promises(batches: &[&Batch]) -> (u64, u64) {
    let mut counts = (0, 0);
    for batch in batches {
        let Some((asked_us, stated_us)) = batch.promise else { continue };
        let (Fate::Final { admitted_us, .. } | Fate::Admitted { at_us: admitted_us }) = batch.fate
        else {
            continue;
        };
        let stated = stated_us.saturating_sub(asked_us);
        let off = (admitted_us - asked_us).abs_diff(stated);
        counts.1 += 1;
        counts.0 += u64::from(off <= (stated / 5).max(100_000));
    }
    (part(counts.0, counts.1), counts.1)
}

fn jain(world: &World<'_>) -> u64 {
    let surge = SURGE_US + 1_000_000..CALM_AGAIN_US;
    let seconds = (surge.end - surge.start) / 1_000_000;
    let count = world.crowd.profiles.len();
    let mut claims: Vec<Claim> = Vec::new();
    for profile in &world.crowd.profiles {
        claims.push(Claim { demand: profile.surge_per_s, weight: profile.weight });
    }
    let mut settled = vec![0; count];
    for batch in &world.batches {
        if is_final_in(batch, &surge) {
            settled[batch.client] += batch.items;
        }
    }
    let division = divide(CAPACITY, &mut claims.clone());
    let parts: Vec<u64> = (0..count)
        .filter(|client| world.crowd.profiles[*client].manner == Manner::Surge)
        .map(|client| settled[client] * 10_000 / (division.share(&claims[client]) * seconds).max(1))
        .collect();
    let sum: u64 = parts.iter().sum();
    let squares: u64 = parts.iter().map(|part| part * part).sum();
    part(sum * sum, parts.len() as u64 * squares)
}
