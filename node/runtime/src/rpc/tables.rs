//! Pages of what stands in memory, in the order of its keys.

use std::collections::BTreeMap;
use std::ops::Bound;

/// The first `count` entries after `after` of a table.
pub fn after<'a, K: Ord, V>(
    table: &'a BTreeMap<K, V>,
    after: Option<&K>,
    count: usize,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
    table.range((lower, Bound::Unbounded)).take(count)
}

/// The last `count` values below `before` of a table that are wanted, descending.
pub fn below<'a, K: Ord, V>(
    table: &'a BTreeMap<K, V>,
    before: Option<&K>,
    is_wanted: impl Fn(&V) -> bool,
    count: usize,
) -> impl Iterator<Item = &'a V> {
    let upper = before.map_or(Bound::Unbounded, Bound::Excluded);
    let values = table.range((Bound::Unbounded, upper)).rev().map(|(_, value)| value);
    values.filter(move |value| is_wanted(value)).take(count)
}

/// The first `count` items after the one that is named, of a list that ascends by name.
pub fn after_named<T, N: Ord>(
    all: &[T],
    name: impl Fn(&T) -> N,
    after: Option<N>,
    count: usize,
) -> impl Iterator<Item = &T> {
    let first = after.map_or(0, |after| all.partition_point(|one| name(one) <= after));
    all.iter().skip(first).take(count)
}
