//! When a block took too long, and what that says.

use consensus_scheduler::block_time::BlockTime;

const WAITING: u64 = 1_000;

/// Blocks that follow each other, each begun at once because items waited.
struct Blocks {
    time: BlockTime,
    now_us: u64,
}

impl Blocks {
    fn new() -> Self {
        let mut time = BlockTime::default();
        assert_eq!(time.record(0, WAITING, 1_000_000), None, "the first says nothing");
        Self { time, now_us: 1_000_000 }
    }

    fn record(&mut self, items: u64, waiting_items: u64, elapsed_ms: u64) -> Option<u64> {
        self.now_us += elapsed_ms * 1_000;
        self.time.record(items, waiting_items, self.now_us)
    }
}

#[test]
fn what_came_after_the_time_that_a_block_should_take_is_left_behind() {
    let mut blocks = Blocks::new();
    assert_eq!(blocks.record(10, WAITING, 100), None);
    assert_eq!(blocks.record(20_000, WAITING, 250), None, "150 ms above a light one");
    assert_eq!(blocks.record(30_000, 30_000, 500), Some(15_000));
    assert_eq!(blocks.record(30_000, u64::MAX, 500), Some(u64::MAX / 2));
    assert_eq!(blocks.record(30_000, 0, 500), Some(0), "it was long, and nothing is left");
}

#[test]
fn a_block_after_a_pause_says_nothing() {
    let mut blocks = Blocks::new();
    assert_eq!(blocks.record(30_000, 0, 100), None);
    // Nothing waited: it began when its first batch came, minutes later.
    assert_eq!(blocks.record(30_000, WAITING, 300_000), None);
    assert!(blocks.record(30_000, WAITING, 300).is_some());
}

#[test]
fn a_clock_that_stands_makes_no_block_long() {
    let mut blocks = Blocks::new();
    for _ in 0..3 {
        assert_eq!(blocks.record(30_000, WAITING, 0), None);
    }
}

#[test]
fn distance_is_no_load() {
    // Rounds over half the world take 450 ms, whatever the blocks hold.
    let mut blocks = Blocks::new();
    for items in [10, 500, 40_000, 20, 65_536] {
        assert_eq!(blocks.record(items, WAITING, 450), None, "{items}");
    }
}

#[test]
fn a_network_that_becomes_slow_under_load_is_learned_from_smaller_blocks() {
    let mut blocks = Blocks::new();
    assert_eq!(blocks.record(10, WAITING, 100), None);
    let (mut items, mut long) = (40_000, 0);
    while blocks.record(items, items, 450).is_some() {
        // What is admitted becomes less, and the blocks take as long as before.
        items = items * 9 / 10;
        long += 1;
        assert!(long < 60, "{items} items and still long");
    }
    assert!(items > 1_024, "what little load remains is not held back: {items}");
}

#[test]
fn no_light_block_is_believed_to_take_more_than_a_second() {
    let mut blocks = Blocks::new();
    assert!(blocks.record(10, WAITING, 60_000).is_some());
    assert_eq!(blocks.record(30_000, WAITING, 1_150), None);
    assert!(blocks.record(30_000, WAITING, 1_151).is_some());
}
