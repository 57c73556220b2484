//! Deficit round robin: items, not batches, and what is taken is not lost.

use std::collections::BTreeMap;

use consensus_scheduler::queues::ItemQueues;
use consensus_scheduler::weights::{WEIGHT_STANDARD, Weights};
use proptest::prelude::*;

use crate::support::{id, party};

/// Takes blocks of 10,000 items and counts what each submitter got, while all have more to send.
fn contest(sizes: &[(u32, u32)], blocks: usize, weights: &Weights) -> BTreeMap<u32, u64> {
    let mut queues = ItemQueues::default();
    let (mut owners, mut next, mut got) = (BTreeMap::new(), 0, BTreeMap::new());
    for _ in 0..blocks {
        for (submitter, size) in sizes {
            while queues.items_of(party(*submitter)) < 40_000 {
                next += 1;
                queues.push(party(*submitter), id(next), *size);
                owners.insert(id(next), (*submitter, *size));
            }
        }
        let (taken, items) = queues.take(10_000, usize::MAX, weights);
        assert!(items <= 10_000);
        for batch in taken {
            let (submitter, size) = owners.remove(&batch).unwrap();
            *got.entry(submitter).or_default() += u64::from(size);
            assert!(queues.remove(party(submitter), &batch));
        }
    }
    got
}

#[test]
fn who_sends_singles_gets_as_many_items_as_who_sends_8192() {
    let got = contest(&[(1, 1), (2, 8_192), (3, 300)], 400, &Weights::default());
    let total: u64 = got.values().sum();
    for (submitter, items) in &got {
        let share = items * 1_000 / total;
        assert!((310..=355).contains(&share), "{submitter} has {share} thousandths");
    }
}

#[test]
fn weights_divide_items() {
    let mut weights = Weights::default();
    weights.set(party(2), 3 * WEIGHT_STANDARD);
    let got = contest(&[(1, 100), (2, 1_000)], 400, &weights);
    let parts = got[&2] * 100 / got[&1];
    assert!((280..=320).contains(&parts), "{parts} hundredths");
}

#[test]
fn a_submitter_that_comes_new_is_in_the_next_block() {
    let mut queues = ItemQueues::default();
    let weights = Weights::default();
    let mut next = 0;
    for _ in 0..10 {
        // Five always have more to send than two blocks hold.
        for submitter in 1..=5 {
            while queues.items_of(party(submitter)) < 20_000 {
                next += 1;
                queues.push(party(submitter), id(next), 1_000);
            }
        }
        for batch in queues.take(10_000, usize::MAX, &weights).0 {
            assert!((1..=5).any(|submitter| queues.remove(party(submitter), &batch)));
        }
    }
    queues.push(party(9), id(next + 1), 10);
    assert!(queues.take(10_000, usize::MAX, &weights).0.contains(&id(next + 1)));
}

#[test]
fn a_batch_that_did_not_fit_is_first_in_the_next_block() {
    let mut queues = ItemQueues::default();
    queues.push(party(1), id(1), 600);
    queues.push(party(2), id(2), 8_000);
    queues.push(party(3), id(3), 300);
    let weights = Weights::default();
    assert_eq!(queues.take(1_000, usize::MAX, &weights), (vec![id(1), id(3)], 900));
    queues.remove(party(1), &id(1));
    queues.remove(party(3), &id(3));
    queues.push(party(4), id(4), 500);
    assert_eq!(queues.take(8_400, usize::MAX, &weights).0, [id(2)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Pushes, takes and removals in any order: counts hold, a submitter's order holds, and what
    /// was taken and not removed is taken again.
    #[test]
    fn nothing_is_lost_and_nothing_is_taken_twice(
        steps in prop::collection::vec((0..4_u8, 0..6_u32, 1..3_000_u32), 1..200),
    ) {
        let mut queues = ItemQueues::default();
        let weights = Weights::default();
        let mut waiting: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
        for (number, (what, submitter, items)) in (0_u64..).zip(steps) {
            match what {
                0 | 1 => {
                    queues.push(party(submitter), id(number), items);
                    waiting.entry(submitter).or_default().push((number, items));
                }
                2 => {
                    let (taken, sum) = queues.take(u64::from(items) * 4, 50, &weights);
                    let mut expected = 0;
                    for line in waiting.values() {
                        let from_line: Vec<u64> = line.iter().map(|(n, _)| *n)
                            .filter(|number| taken.contains(&id(*number))).collect();
                        let front: Vec<u64> =
                            line.iter().map(|(n, _)| *n).take(from_line.len()).collect();
                        prop_assert_eq!(&from_line, &front, "a submitter's order");
                        let sizes = line.iter().take(front.len());
                        expected += sizes.map(|(_, items)| u64::from(*items)).sum::<u64>();
                    }
                    prop_assert_eq!(sum, expected);
                }
                _ => {
                    let line = waiting.entry(submitter).or_default();
                    if !line.is_empty() {
                        let (gone, _) = line.remove(items as usize % line.len());
                        prop_assert!(queues.remove(party(submitter), &id(gone)));
                        prop_assert!(!queues.remove(party(submitter), &id(gone)));
                    }
                }
            }
            let sum = |line: &Vec<(u64, u32)>| line.iter().map(|(_, i)| u64::from(*i)).sum::<u64>();
            prop_assert_eq!(queues.items(), waiting.values().map(sum).sum::<u64>());
            for (submitter, line) in &waiting {
                prop_assert_eq!(queues.items_of(party(*submitter)), sum(line));
            }
        }
        // In the end everything can be taken, at once.
        let (taken, _) = queues.take(u64::MAX / 4, usize::MAX, &weights);
        prop_assert_eq!(taken.len(), waiting.values().map(Vec::len).sum::<usize>());
    }
}
