//! Every parameter has a name, a place and bounds, and a set that disagrees is none.

use std::collections::BTreeSet;

use chain_types::Parameters;
use proptest::prelude::*;

/// A place of a parameter, as a change names it.
fn index_of(name: &str) -> u16 {
    let at = Parameters::NAMES.iter().position(|known| *known == name).unwrap();
    u16::try_from(at).unwrap()
}

#[test]
fn names_bounds_and_values_are_in_one_order() {
    let values = Parameters::default().values();
    let names: BTreeSet<&str> = Parameters::NAMES.iter().copied().collect();
    assert_eq!(names.len(), Parameters::NAMES.len(), "a name is there twice");
    assert_eq!((values.len(), Parameters::BOUNDS.len()), (names.len(), names.len()));
    for ((name, value), (low, high)) in
        Parameters::NAMES.iter().zip(&values).zip(Parameters::BOUNDS)
    {
        assert!((low..=high).contains(&value), "the default of {name} is out of its bounds");
    }
    assert_eq!(values[usize::from(index_of("window_ms"))], Parameters::default().window_ms);
    assert_eq!(values[usize::from(index_of("rates_min"))], 3);
    assert_eq!(Parameters::default().check(), Ok(()));
}

#[test]
fn values_that_are_too_few_too_many_or_too_wide_are_no_parameters() {
    let values = Parameters::default().values();
    assert_eq!(Parameters::from_values(&values), Some(Parameters::default()));
    assert_eq!(Parameters::from_values(&values[1..]), None);
    assert_eq!(Parameters::from_values(&[values.as_slice(), &[0]].concat()), None);
    let mut wide = values;
    wide[usize::from(index_of("rates_min"))] = 1 << 32;
    assert_eq!(Parameters::from_values(&wide), None);
}

#[test]
fn a_value_out_of_its_bounds_is_refused_by_name() {
    let parameters = Parameters::default();
    for ((index, name), (low, high)) in (0..).zip(Parameters::NAMES).zip(Parameters::BOUNDS) {
        for value in [low.checked_sub(1), high.checked_add(1)].into_iter().flatten() {
            assert_eq!(parameters.with(index, value).unwrap_err().name, *name, "{value}");
        }
    }
    let beyond = u16::try_from(Parameters::NAMES.len()).unwrap();
    assert_eq!(parameters.with(beyond, 0).unwrap_err().name, "parameter");
}

#[test]
fn parameters_must_agree() {
    let rows = [
        ("heartbeat_ms", 99, "heartbeat_ms"),
        ("window_ms", 1_000, ""),
        ("heartbeat_ms", 31_000, "window_ms"),
        ("window_ms", 90_000, ""),
        ("window_ms", 90_001, "deadline_domestic_ms"),
        ("payment_least_ms", 90_000, ""),
        ("payment_least_ms", 90_001, "deadline_domestic_ms"),
        ("deadline_domestic_ms", 119_999, "deadline_domestic_ms"),
        ("deadline_cross_border_ms", 179_999, "deadline_cross_border_ms"),
        ("deadline_collect_ms", 120_001, "deadline_domestic_ms"),
        ("reservation_ms", 60_000, ""),
        ("reservation_ms", 59_999, "reservation_ms"),
        ("consensus_timeout_ms", 3_001, "consensus_timeout_max_ms"),
    ];
    for (name, value, refused) in rows {
        let changed = Parameters::default().with(index_of(name), value);
        assert_eq!(changed.err().map_or("", |error| error.name), refused, "{name} = {value}");
    }
    let hour = 3_600_000;
    let long = Parameters { order_validity_ms: hour, return_period_ms: hour, ..Default::default() };
    assert_eq!(long.check().unwrap_err().name, "return_period_ms");
}

proptest! {
    #[test]
    fn a_change_sets_one_value_and_makes_another_digest(
        at in any::<prop::sample::Index>(),
        value in any::<u64>(),
        is_within in any::<bool>(),
    ) {
        let at = at.index(Parameters::NAMES.len());
        let (low, high) = Parameters::BOUNDS[at];
        let value = if is_within { low + value % (high - low + 1) } else { value };
        let before = Parameters::default();
        let Ok(after) = before.with(u16::try_from(at).unwrap(), value) else { return Ok(()) };
        prop_assert_eq!(after.check(), Ok(()));
        let mut expected = before.values();
        expected[at] = value;
        prop_assert_eq!(after.values(), expected);
        prop_assert_eq!(after.digest() == before.digest(), value == before.values()[at]);
    }
}
