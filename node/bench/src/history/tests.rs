//! A history in small: blocks of two batches of 512, a window of five seconds, a checkpoint every
//! 50 blocks. No test here asserts a time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn options(folder: &Path) -> HistoryOptions {
    let plan = NetworkPlan::default();
    let parameters = chain_types::Parameters {
        order_validity_ms: 5_000,
        window_ms: 3_000,
        ..plan.parameters.clone()
    };
    HistoryOptions {
        plan: NetworkPlan { seed: Some(7), parameters, ..plan },
        home: None,
        folder: folder.to_owned(),
        sizes: vec![180_000, 60_000],
        measured: 20_000,
        rate: 6_000,
        batch_items: 512,
        block_batches: 2,
        checkpoint_blocks: Some(50),
        users: 3_000,
        skew: None,
        without_contracts: false,
    }
}

#[test]
fn a_history_grows_leaves_memory_and_opens_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    let report = run(options(folder.path()), Output { json: true }, &cancel).unwrap();
    let [small, large] = report.sizes.as_slice() else { panic!("two sizes") };
    for (size, orders) in [(small, 60_000), (large, 180_000)] {
        // Whole blocks only.
        assert!((orders..orders + 1_024).contains(&size.orders_before), "{}", size.orders_before);
        assert_eq!(size.orders_measured, 20 * 1_024);
        assert_eq!(size.blocks_measured, 20);
        // The checkpoint was taken right before them, or at a multiple of 50 among them.
        assert!(size.restart.replayed_blocks <= 20, "{}", size.restart.replayed_blocks);
        assert!(size.restart.remembered_blocks > 0);
        assert!(size.checkpoint.bytes > 0 && size.order.cpu_ns > 0.0);
        assert!(size.disk.block_bytes_per_order > 128.0, "{}", size.disk.block_bytes_per_order);
    }
    // Five seconds and one slice of ten at the most: memory does not grow with the history.
    assert!(large.orders_in_memory <= 15 * 6_000 + 1_024, "{}", large.orders_in_memory);
    let (read, cold) = (large.reads.as_ref().unwrap(), large.reads_cold.as_ref().unwrap());
    assert_eq!((read.count, cold.count), (READS as u64, READS as u64));
    assert!(report.text().contains("orders before"), "{}", report.text());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}

#[test]
fn the_chain_s_time_goes_by_the_rate_and_always_on() {
    let making = |rate, items| SigningTerms {
        chain_id: chain_types::ChainId::default(),
        loaders: Vec::new(),
        keys: Vec::new(),
        from: chain_types::TimeMs::new(1_000),
        rate,
        valid_ms: 1_000,
        batch_items: items,
        block_batches: 2,
    };
    let times = |making: SigningTerms| [1, 2, 300].map(|number| making.time(number).get());
    assert_eq!(times(making(120_000, 6_000)), [1_100, 1_200, 31_000]);
    assert_eq!(times(making(1_000_000, 1)), [1_001, 1_002, 1_300]);
    assert!(maker::start(making(1, 1)).is_err(), "no gateway");
}
