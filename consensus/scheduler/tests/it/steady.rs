//! A wall clock that is set, and two readers of it.

use chain_types::TimeMs;
use consensus_scheduler::SteadyTime;

const BEGIN_MS: u64 = 1_800_000_000_000;

#[test]
fn a_clock_that_is_set_moves_the_time_by_what_passes_after() {
    let mut time = SteadyTime::default();
    assert_eq!(time.follow(TimeMs::new(BEGIN_MS)), BEGIN_MS * 1_000);
    assert_eq!(time.follow(TimeMs::new(BEGIN_MS + 70)), (BEGIN_MS + 70) * 1_000);
    // An hour back, and on from there.
    let back = BEGIN_MS - 3_600_000;
    assert_eq!(time.follow(TimeMs::new(back)), (BEGIN_MS + 70) * 1_000);
    assert_eq!(time.follow(TimeMs::new(back + 30)), (BEGIN_MS + 100) * 1_000);
    assert_eq!(time.of(TimeMs::new(back + 1_030)), TimeMs::new(BEGIN_MS + 1_100));
    // A year ahead counts as ten seconds.
    let ahead = BEGIN_MS + 31_536_000_000;
    assert_eq!(time.follow(TimeMs::new(ahead)), (BEGIN_MS + 10_100) * 1_000);
    assert_eq!(time.of(TimeMs::new(ahead + 5)), TimeMs::new(BEGIN_MS + 10_105));
}

#[test]
fn two_readers_that_come_out_of_order_do_not_speed_it_up() {
    let mut time = SteadyTime::default();
    time.follow(TimeMs::new(BEGIN_MS));
    for step in 1..=1_000 {
        time.follow(TimeMs::new(BEGIN_MS + step));
        time.follow(TimeMs::new(BEGIN_MS + step - 1));
    }
    assert_eq!(time.follow(TimeMs::new(BEGIN_MS + 1_000)), (BEGIN_MS + 1_000) * 1_000);
}
