use chain_state::State;
use chain_types::{ChainGenesis, Height};
use node_replica::PassedOverReason;

use super::*;

fn header(proposer: u32) -> BlockHeader {
    let mut header = State::genesis_block(&ChainGenesis::default()).header;
    header.proposer = ValidatorId::new(proposer);
    header
}

fn passed_over(validator: u32, until: u64) -> PassedOver {
    let reason = PassedOverReason::TurnFailed;
    PassedOver { validator: ValidatorId::new(validator), until: Height::new(until), reason }
}

/// The seconds at which a notice comes within five minutes of ticks every half second.
fn seconds_of(is_alone: bool, wanted: fn(&Notice) -> bool) -> Vec<u64> {
    let start = Instant::now();
    let mut watch = Watch::new(start, Vec::new());
    let ticks = (0..600).map(|tick| Duration::from_millis(500) * tick);
    let told = ticks.filter(|at| watch.tick(start + *at, is_alone).iter().any(wanted));
    told.map(|at| at.as_secs()).collect()
}

#[test]
fn silence_is_told_at_doubling_intervals_of_at_most_a_minute() {
    let told = seconds_of(false, |notice| matches!(notice, Notice::NoBlock(_)));
    assert_eq!(told, [5, 10, 20, 40, 80, 140, 200, 260]);
}

#[test]
fn a_node_that_nobody_lets_in_says_so_at_doubling_intervals() {
    let alone = |notice: &Notice| matches!(notice, Notice::NobodyLetsIn(_));
    assert_eq!(seconds_of(true, alone), [10, 20, 40, 80, 160]);
    assert_eq!(seconds_of(false, alone), [0; 0], "it is not alone");
}

#[test]
fn a_block_ends_the_silence_and_is_told_once_and_only_after_a_notice() {
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut watch = Watch::new(start, Vec::new());
    assert_eq!(watch.commit(after(4), &header(0), Some(Vec::new())), []);
    assert_eq!(watch.tick(after(8), false), [], "the last block is four seconds old");
    let quiet = Duration::from_secs(5);
    assert_eq!(watch.tick(after(9), false), [Notice::NoBlock(quiet)]);
    let lasted = Duration::from_secs(8);
    assert_eq!(
        watch.commit(after(12), &header(0), Some(Vec::new())),
        [Notice::BlocksAgain(lasted)]
    );
    assert_eq!(watch.commit(after(13), &header(0), Some(Vec::new())), []);
    assert_eq!(watch.tick(after(17), false), []);
    assert_eq!(watch.tick(after(18), false), [Notice::NoBlock(quiet)]);
}

#[test]
fn the_first_connection_after_a_notice_is_told() {
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    let mut watch = Watch::new(start, Vec::new());
    assert_eq!(watch.tick(after(1), false), []);
    assert_eq!(watch.tick(after(4), true), []);
    let lasted = Duration::from_secs(10);
    let notices = watch.tick(after(11), true);
    assert!(notices.contains(&Notice::NobodyLetsIn(lasted)), "{notices:?}");
    assert_eq!(watch.tick(after(12), false), [Notice::LetIn]);
    assert_eq!(watch.tick(after(12), false), []);
}

#[test]
fn each_change_of_those_passed_over_is_told_once_with_its_reason() {
    let now = Instant::now();
    let mut watch = Watch::new(now, vec![passed_over(1, 90)]);
    let both = || vec![passed_over(1, 90), passed_over(3, 120)];
    let told = watch.commit(now, &header(0), Some(both()));
    assert_eq!(told, [Notice::PassedOver(passed_over(3, 120))]);
    assert_eq!(watch.commit(now, &header(0), Some(both())), []);
    assert_eq!(watch.commit(now, &header(0), None), [], "an old block tells nothing");
    // Passed over once more before its time is over: nothing new.
    let longer = || vec![passed_over(1, 190), passed_over(3, 120)];
    assert_eq!(watch.commit(now, &header(0), Some(longer())), []);
    let proposed = watch.commit(now, &header(1), Some(vec![passed_over(3, 120)]));
    assert_eq!(proposed, [Notice::Forgiven(ValidatorId::new(1), Forgiven::Proposed)]);
    let elapsed = watch.commit(now, &header(0), Some(Vec::new()));
    assert_eq!(elapsed, [Notice::Forgiven(ValidatorId::new(3), Forgiven::Elapsed)]);
}
