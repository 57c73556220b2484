//! Row 10, first half: a home is replaced by an older copy of itself while the chain waits for its
//! vote. Whatever the validator does then, no two of its signatures exclude each other.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::figures::Watch;
use crate::peer::Peer;
use crate::recorder::Recorder;
use crate::support::{Network, PATIENCE, eventually, run};
use crate::{HONEST, HOSTILE, rounds};

/// The validator whose home is restored.
const RESTORED: usize = 2;
/// The validator that is stopped meanwhile, so that the chain waits for the restored one.
const PAUSED: usize = 1;
/// How long a height that cannot be decided takes to have everybody's first votes.
const STANDING: Duration = Duration::from_millis(900);
/// Blocks between the copy and the crash.
const OLDER_BLOCKS: u64 = 5;
/// How long the restored validator has the chain waiting for it: more than a round's timeouts.
pub const EXPOSED: Duration = Duration::from_millis(2_500);

/// Copies a folder that is in use, as a careless operator would: what vanishes meanwhile is left
/// out.
pub fn copy_in_use(from: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(from).arg(to));
}

pub async fn grows(network: &Network, node: usize, blocks: u64) {
    let goal = network.height(node).await + blocks;
    let what = format!("node {node} reaches {goal}; log: {}", network.log(node));
    eventually(&what, || async { network.height(node).await >= goal }).await;
}

/// Waits until the restored validator has the others' head; false if it refuses to start.
async fn has_caught_up(network: &mut Network) -> bool {
    let started = Instant::now();
    while network.is_running(RESTORED) {
        assert!(started.elapsed() < PATIENCE, "it never catches up: {}", network.log(RESTORED));
        let (own, head) = (network.height(RESTORED).await, network.height(0).await);
        if own > 0 && own >= head {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// Stops the chain at a height on which all have voted who can: two of four are away.
pub async fn stand_still(network: &Network, recorder: &Recorder) {
    recorder.set_mute(true);
    network.pause(PAUSED);
    tokio::time::sleep(STANDING).await;
}

/// Brings back the two.
pub fn go_on(network: &Network, recorder: &Recorder) {
    network.resume(PAUSED);
    recorder.set_mute(false);
}

/// One restore; gives whether the node started from the older copy.
async fn restore(network: &mut Network, recorder: &Recorder) -> bool {
    let (home, older, newer) = {
        let home = network.home(RESTORED);
        (home.clone(), home.with_extension("older"), home.with_extension("newer"))
    };
    copy_in_use(&home, &older);
    grows(network, 0, OLDER_BLOCKS).await;
    stand_still(network, recorder).await;
    network.kill(RESTORED);
    std::fs::rename(&home, &newer).unwrap();
    std::fs::rename(&older, &home).unwrap();
    network.start(RESTORED);
    let runs = has_caught_up(network).await;
    if runs {
        tokio::time::sleep(EXPOSED).await;
        std::fs::remove_dir_all(&newer).unwrap();
    } else {
        // The newest state is there, and never left this machine.
        std::fs::remove_dir_all(&home).unwrap();
        std::fs::rename(&newer, &home).unwrap();
        network.start(RESTORED);
    }
    go_on(network, recorder);
    grows(network, 0, OLDER_BLOCKS).await;
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_restored_from_an_older_copy_does_not_sign_twice() {
    let mut network = Network::new(&[]);
    let recorder = Recorder::default();
    let _peer = Peer::start(&network, HOSTILE, recorder.clone()).await;
    network.start_all(&HONEST).await;
    let watch = Watch::start(&network, &[0]).await;
    grows(&network, 0, 5).await;
    let rounds = rounds(4, 200);
    let mut restored = 0;
    for _ in 0..rounds {
        restored += usize::from(restore(&mut network, &recorder).await);
    }
    grows(&network, RESTORED, OLDER_BLOCKS).await;
    let figures = watch.end(None).await;
    let (pairs, heard) = (recorder.doubles().len(), recorder.heard(RESTORED as u32));
    let case = format!("{restored} of {rounds} restores: {heard} signatures, {pairs} pairs");
    figures.print("10", &case);
    assert!(restored > 0, "no older copy started: {}", network.log(RESTORED));
    assert!(heard > 0);
    recorder.assert_none_signed_twice();
}
