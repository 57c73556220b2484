//! Weighted max-min, against its definition.

use consensus_scheduler::shares::{Claim, Division, divide};
use proptest::prelude::*;

/// Fills the claims in the order of demand by weight: the textbook's way.
fn model(capacity: u64, claims: &[Claim]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&claims[*a], &claims[*b]);
        let left = u128::from(a.demand) * u128::from(b.weight);
        left.cmp(&(u128::from(b.demand) * u128::from(a.weight)))
    });
    let mut left = u128::from(capacity);
    let mut weights: u128 = claims.iter().map(|claim| u128::from(claim.weight)).sum();
    let mut shares = vec![0; claims.len()];
    for at in order {
        let claim = &claims[at];
        let fair = left * u128::from(claim.weight) / weights;
        let share = u128::from(claim.demand).min(fair);
        (left, weights) = (left - share, weights - u128::from(claim.weight));
        shares[at] = share as u64;
    }
    shares
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn shares_are_those_of_the_textbook(
        capacity in 1..2_000_000_u64,
        parts in prop::collection::vec((0..200_000_u64, 1..400_u32), 1..60),
    ) {
        let claim = |(demand, weight): &(u64, u32)| Claim { demand: *demand, weight: *weight };
        let claims: Vec<Claim> = parts.iter().map(claim).collect();
        let division = divide(capacity, &mut claims.clone());
        let shares: Vec<u64> = claims.iter().map(|claim| division.share(claim)).collect();
        prop_assert!(shares.iter().sum::<u64>() <= capacity);
        for (share, expected) in shares.iter().zip(model(capacity, &claims)) {
            // A level has 16 bits after its point.
            prop_assert!(share.abs_diff(expected) <= 60, "{share} instead of {expected}");
        }
        // The order of the claims does not matter.
        let mut turned = claims.clone();
        turned.reverse();
        prop_assert_eq!(divide(capacity, &mut turned), division);
    }
}

#[test]
fn demands_in_a_row_that_need_the_most_passes_never_get_too_much() {
    // Each claim is satisfied only after the one before it.
    let claims: Vec<Claim> = (0..60).map(|at| Claim { demand: 1 << (at / 2), weight: 1 }).collect();
    let total: u64 = claims.iter().map(|claim| claim.demand).sum();
    let division = divide(total - 1, &mut claims.clone());
    let given: u64 = claims.iter().map(|claim| division.share(claim)).sum();
    assert!(given < total && given > total / 2, "{given} of {total}");
}

#[test]
fn largest_demands_and_no_demands_are_divided_too() {
    let greedy = Claim { demand: u64::MAX, weight: 10_000 };
    let mut claims = vec![greedy; 1_000];
    assert!(matches!(divide(1, &mut claims), Division::Scarce { .. }));
    assert_eq!(divide(9, &mut []), Division::Plenty { spare: 9 });
    let idle = Claim { demand: 0, weight: 1 };
    assert_eq!(divide(9, &mut [idle, idle]), Division::Plenty { spare: 9 });
}
