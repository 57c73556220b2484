use super::*;

/// Draws that a distribution is checked with.
const DRAWS: usize = 1_000_000;

/// Chi-square of counts against shares that add up to one.
fn chi_square(counts: &[u64], shares: &[f64]) -> f64 {
    let all = counts.iter().sum::<u64>() as f64;
    let parts = counts.iter().zip(shares).map(|(count, share)| {
        let expected = share * all;
        assert!(expected >= 5.0, "too few draws for a share of {share}");
        (*count as f64 - expected).powi(2) / expected
    });
    parts.sum()
}

/// A bound that chance does not reach: the mean of chi-square and five of its deviations.
fn bound(places: usize) -> f64 {
    let freedom = places as f64 - 1.0;
    freedom + 5.0 * (2.0 * freedom).sqrt()
}

#[test]
fn places_are_drawn_by_their_weights() {
    let rows: [&[f64]; 5] = [
        &[1.0],
        &[30.0, 20.0, 12.0, 12.0, 12.0, 8.0, 4.0, 2.0],
        &[1.0, 1.0, 1.0],
        &[0.001, 0.999],
        &[5.0, 0.01, 0.01, 0.01],
    ];
    for weights in rows {
        let (table, mut entropy) = (AliasTable::new(weights), Entropy::seeded(7, 0));
        let mut counts = vec![0; weights.len()];
        for _ in 0..DRAWS {
            counts[table.draw(&mut entropy)] += 1;
        }
        let sum: f64 = weights.iter().sum();
        let shares: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
        let (found, most) = (chi_square(&counts, &shares), bound(weights.len()));
        assert!(found <= most, "{weights:?}: {counts:?}, {found} above {most}");
    }
}

#[test]
fn a_place_without_weight_is_never_drawn_and_no_weights_are_alike() {
    let (table, mut entropy) = (AliasTable::new(&[0.0, 1.0, 0.0]), Entropy::seeded(7, 1));
    assert!((0..10_000).all(|_| table.draw(&mut entropy) == 1));
    let table = AliasTable::new(&[0.0; 4]);
    let mut counts = [0; 4];
    (0..10_000).for_each(|_| counts[table.draw(&mut entropy)] += 1);
    assert!(chi_square(&counts, &[0.25; 4]) <= bound(4), "{counts:?}");
    assert_eq!(AliasTable::new(&[]).at(u64::MAX), 0);
}

#[test]
fn ranks_are_drawn_by_zipf_s_law() {
    for (count, exponent) in [(1, 1.0), (10, 1.0), (1_000, 1.0), (777, 0.8), (300, 0.0), (64, 1.5)]
    {
        let (zipf, mut entropy) = (Zipf::new(count, exponent), Entropy::seeded(11, count));
        let mut counts = vec![0_u64; usize::try_from(count).unwrap_or(0)];
        for _ in 0..DRAWS {
            counts[usize::try_from(zipf.draw(&mut entropy)).unwrap_or(usize::MAX)] += 1;
        }
        let sum: f64 = zipf.weights().sum();
        let shares: Vec<f64> = zipf.weights().map(|weight| weight / sum).collect();
        let (found, most) = (chi_square(&counts, &shares), bound(counts.len()));
        assert!(found <= most, "{count} ranks, exponent {exponent}: {found} above {most}");
    }
}

#[test]
fn a_large_crowd_has_its_head_and_its_tail() {
    let (count, mut entropy) = (2_500_000, Entropy::seeded(13, 0));
    let zipf = Zipf::new(count, 1.0);
    // The first, the next nine, and each further decade: shares by the harmonic numbers.
    let ends = [1, 10, 100, 1_000, 10_000, 100_000, count];
    let mut counts = vec![0_u64; ends.len()];
    for _ in 0..DRAWS {
        let rank = zipf.draw(&mut entropy) + 1;
        assert!(rank <= count, "{rank}");
        counts[ends.iter().position(|end| rank <= *end).unwrap_or(0)] += 1;
    }
    let harmonic = |end: u64| (1..=end).map(|rank| 1.0 / rank as f64).sum::<f64>();
    let sums: Vec<f64> = ends.iter().map(|end| harmonic(*end) / harmonic(count)).collect();
    let before = std::iter::once(0.0).chain(sums.iter().copied());
    let shares: Vec<f64> = sums.iter().zip(before).map(|(sum, before)| sum - before).collect();
    assert!(chi_square(&counts, &shares) <= bound(ends.len()), "{counts:?} {shares:?}");
}

#[test]
fn a_seed_gives_the_same_choices_and_other_ids() {
    let draw = |seed, stream| -> Vec<u64> {
        let (zipf, mut entropy) = (Zipf::new(10_000, 1.0), Entropy::seeded(seed, stream));
        (0..100).map(|_| zipf.draw(&mut entropy)).collect()
    };
    assert_eq!(draw(1, 0), draw(1, 0));
    assert_ne!(draw(1, 0), draw(2, 0));
    assert_ne!(draw(1, 0), draw(1, 1));
    let both = [Draws::new(1, 0), Draws::new(1, 0)];
    let mut drawn = both.into_iter().flatten().map(|mut draws| {
        let split = draws.split().choices.number();
        (split, draws.choices.number(), draws.ids.number())
    });
    let (one, other) = (drawn.next().unwrap_or_default(), drawn.next().unwrap_or_default());
    assert_eq!((one.0, one.1), (other.0, other.1));
    assert_ne!(one.2, other.2, "order ids are never made twice");
}
