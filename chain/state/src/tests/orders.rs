//! The duplicate window: orders packed, looked up together, and retired in runs.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// An order comes out of its packed form as it went in.
    #[test]
    fn orders_pack_without_loss(
        heights in (1_u64..u64::from(u32::MAX), 0_u64..u64::from(u32::MAX), 0_u64..9),
        places in (0_u32..1 << 19, 0_u32..8_192, 0_u32..1 << 19, 0_u32..8_192),
        outcome in any::<u16>(), leaf in any::<[u8; 32]>(), status in 1_u8..=5, is_stepped: bool,
    ) {
        let (first, more, step) = heights;
        let location = at(first + more, places.0, places.1);
        let status = OrderStatus::from_number(status).unwrap();
        let leaf = Digest::from_bytes(leaf);
        let mut record = OrderRecord::new(location, &leaf, Outcome(outcome), status);
        if is_stepped {
            let location = at(location.height.get() + step, places.2, places.3);
            record = record.stepped(OrderStatus::Voided, location.height, Some(location));
        }
        let window = window_of_orders();
        let other = self::record(at(first, 0, 0));
        window.insert(id(1, START), other);
        window.insert(id(2, START), record);
        prop_assert_eq!(window.get(&id(2, START)), Some(record));
        prop_assert_eq!(window.get(&id(1, START)), Some(other));
        let far = START.plus(900_000);
        let retired = window.retire(&Parameters::default(), Height::new(9), far);
        let run = [(id(1, START), other), (id(2, START), record)];
        prop_assert_eq!(&retired.runs, &[OrderRun::of(&run)]);
        prop_assert!(retired.runs[0].sorted().eq(run));
        prop_assert_eq!(retired.runs[0].get(&id(2, START)), Some(record));
    }
}

#[test]
fn a_slice_leaves_exactly_when_none_of_its_ids_can_commit() {
    let parameters = Parameters::default();
    // START is a multiple of the slice: ids of START .. START + 9,999 share a slice.
    let (first, last, next) = (START, START.plus(SLICE_MS - 1), START.plus(SLICE_MS));
    let window = window_of_orders();
    for (number, time) in [(3, last), (1, first), (2, first), (4, next)] {
        window.insert(id(number, time), record(at(1, 0, 0)));
    }
    let end = last.plus(parameters.order_validity_ms);
    assert!(check_timely(&parameters, id(3, last), end).is_ok(), "it could still commit");
    assert!(window.retire(&parameters, Height::new(9), end).runs.is_empty());
    assert!(is_live(&parameters, id(1, first), end));
    assert!(check_timely(&parameters, id(3, last), end.plus(1)).is_err());
    assert!(!is_live(&parameters, id(3, last), end.plus(1)));
    let retired = window.retire(&parameters, Height::new(9), end.plus(1));
    let run: Vec<OrderId> = ids_of(&retired).collect();
    assert_eq!(run, [id(1, first), id(2, first), id(3, last)], "sorted");
    assert_eq!((window.len(), window.get(&id(1, first))), (1, None));
    assert!(window.get(&id(4, next)).is_some());
}

#[test]
fn orders_are_looked_up_together_as_one_by_one() {
    let (window, readers) = (window_of_orders(), window_of_orders().shared());
    let order = |number: u64| id(number << 16, START.plus(number % 3 * 10_000));
    let known: Vec<_> = (0..3_000).map(|number| order(2 * number)).collect();
    let records = (0..).zip(&known).map(|(item, id)| (*id, record(at(7, 0, item))));
    window.insert_all(&records.collect::<Vec<_>>());
    let all: Vec<OrderId> = (0..6_000).map(order).collect();
    let expected = window.expect(all.iter().copied());
    for (number, (id, expected)) in (0..).zip(all.iter().zip(&expected)) {
        let item = u32::try_from(number / 2).unwrap();
        let there = (number % 2 == 0).then(|| record(at(7, 0, item)));
        assert_eq!(expected.is_in_state, there.is_some(), "order {number}");
        assert_eq!(window.get_hashed(expected.hash, id), there, "order {number}");
        assert_eq!(window.shared().look_up(id), Sought { record: there, left: Height::new(0) });
        assert_eq!(readers.look_up(id).record, None, "another window's");
    }
    let copy = window.clone();
    let retired = window.retire(&Parameters::default(), Height::new(8), START.plus(900_000));
    let mut ascending = known.clone();
    ascending.sort_unstable();
    assert!(ids_of(&retired).eq(ascending));
    assert_eq!((retired.runs.len(), window.len(), copy.len()), (3, 0, 3_000));
    for id in &known {
        let left = Sought { record: None, left: Height::new(8) };
        assert_eq!(window.shared().look_up(id), left, "it is elsewhere from block 8 on");
        assert!(retired.runs.iter().any(|run| run.get(id).is_some()));
    }
}

fn ids_of(retired: &Retired) -> impl Iterator<Item = OrderId> + '_ {
    retired.runs.iter().flat_map(OrderRun::sorted).map(|(id, _)| id)
}

#[test]
fn runs_ascend_and_do_not_overlap() {
    let window = window_of_orders();
    for number in (0..500_u64).rev() {
        // Some share a millisecond, in no order.
        window.insert(id(number * 7 % 501, START.plus(number / 9 * 873)), record(at(1, 0, 0)));
    }
    let retired = window.retire(&Parameters::default(), Height::new(9), START.plus(900_000));
    let ids: Vec<OrderId> = ids_of(&retired).collect();
    assert_eq!(ids.len(), 500);
    assert!(ids.is_sorted());
    for run in &retired.runs {
        let (first, last) = (run.sorted().next().unwrap().0, run.sorted().last().unwrap().0);
        assert!(last.time().get() - first.time().get() < SLICE_MS);
    }
}

#[test]
#[should_panic(expected = "outside its slice")]
fn an_order_below_its_slice_is_a_bug() {
    let window = window_of_orders();
    window.insert(id(1, START), record(at(5, 0, 0)));
    // One of them is in the same part.
    (2..1_000).for_each(|number| window.insert(id(number, START), record(at(4, 0, 0))));
}
