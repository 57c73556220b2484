//! Backups of a node that runs, under load and under kill -9; homes that are restored, copied, or
//! have lost their guard: their validators catch up, and vote only once they cannot have voted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rpc_api::{BlockSelector, ChainRpcClient as _};
use support::load::Load;
use support::{Network, eventually, run, sluice};

fn said(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let (out, text) = (&output.stdout, &output.stderr);
        let (out, text) = (String::from_utf8_lossy(out), String::from_utf8_lossy(text));
        panic!("{error}: {out:?} {text:?}")
    })
}

fn back_up(network: &Network, node: usize, to: &Path) -> Command {
    let mut command = sluice();
    command.args(["--json", "backup", "--config"]).arg(network.config(node));
    command.arg("--out").arg(to);
    command
}

fn restore(network: &Network, from: &Path, home: &Path) -> Output {
    let mut command = sluice();
    command.args(["--json", "restore", "--from"]).arg(from).arg("--home").arg(home);
    run(command.arg("--genesis").arg(network.genesis()))
}

fn every_file(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(every_file(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// A file is changed, a restore is refused with a name, and the file is as before.
fn assert_refused(network: &Network, backup: &Path, file: &Path, change: impl Fn(&mut Vec<u8>)) {
    let good = std::fs::read(file).unwrap();
    let mut bad = good.clone();
    change(&mut bad);
    std::fs::write(file, bad).unwrap();
    let target = network.path().join("refused");
    let output = restore(network, backup, &target);
    std::fs::write(file, good).unwrap();
    let (text, name) = (said(&output), file.file_name().unwrap().to_str().unwrap());
    assert_eq!(output.status.code(), Some(1), "{name}: {text}");
    assert!(text["error"]["message"].as_str().unwrap().contains(name), "{name}: {text}");
    assert!(!target.join("blocks").exists(), "no home is left of it");
    let _ = std::fs::remove_dir_all(target);
}

/// A backup is what it says, or is refused with the file that is not.
fn assert_judged(network: &Network, backup: &Path) {
    for file in every_file(backup) {
        let text = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(!["vote.guard", "consensus.wal", "validator.key", "network.key"].contains(&name));
        assert_refused(network, backup, &file, |bytes| bytes[text.len() / 2] ^= 1);
        if name.starts_with("manifest") {
            for at in (0..text.len()).step_by(text.len() / 5) {
                assert_refused(network, backup, &file, |bytes| bytes[at] ^= 1);
            }
        }
    }
    let wrong = network.path().join("another.toml");
    let genesis = std::fs::read_to_string(network.genesis()).unwrap();
    std::fs::write(&wrong, format!("{genesis}\n# another chain\n")).unwrap();
    let target = network.path().join("refused");
    let mut command = sluice();
    command.args(["--json", "restore", "--from"]).arg(backup).arg("--home").arg(&target);
    let output = run(command.arg("--genesis").arg(&wrong));
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let output = restore(network, backup, &network.home(0));
    assert_eq!(output.status.code(), Some(2), "a home that is there: {}", said(&output));
    let output = run(&mut back_up(network, 0, backup));
    assert_eq!(output.status.code(), Some(2), "a backup that is there: {}", said(&output));
}

/// A disk that takes no more: the process may write files of this many blocks only.
fn assert_full_disk_is_clean(network: &Network) {
    let to = network.path().join("full");
    let line = format!(
        "trap '' XFSZ; ulimit -f 16; exec {} --json backup --config {} --out {}",
        env!("CARGO_BIN_EXE_sluice"),
        network.config(0).display(),
        to.display()
    );
    let output = run(Command::new("sh").args(["-c", &line]));
    let text = said(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text["error"]["message"].as_str().unwrap().contains("check the disk"), "{text}");
    assert!(every_file(&to).is_empty(), "nothing is left of it");
}

/// Returns true if validator `node` signed the block of a height, as the first node has it.
async fn signed(network: &Network, node: usize, height: u64) -> bool {
    let block = network.client(0).block(BlockSelector::Height(height)).await.expect("a block");
    block.certificate.expect("a certificate").signers.contains(&(node as u32))
}

/// Stops `node` for good, lets `change` loose on its home and starts it again: it says `words`,
/// catches up, signs nothing that it may have signed before, and then votes.
async fn silent_then_votes(
    network: &mut Network,
    node: usize,
    change: impl FnOnce(&Network),
    words: &str,
) {
    network.kill(node);
    // It was a block ahead of the others at most, and may have voted on the next one. The first
    // node, which is asked later, may be behind them all.
    let others: Vec<usize> = (0..network.nodes.len()).filter(|other| *other != node).collect();
    let mut killed = 0;
    for other in &others {
        killed = killed.max(network.height(*other).await + 2);
    }
    eventually("the others go on", || async { network.height(0).await > killed + 4 }).await;
    change(network);
    let mut heard = u64::MAX;
    for other in others {
        heard = heard.min(network.height(other).await);
    }
    network.start(node);
    let what = format!("validator {node} catches up and votes (log: {})", network.log(node));
    eventually(&what, || async {
        let height = network.height(0).await;
        network.height(node).await > heard + 2 && signed(network, node, height).await
    })
    .await;
    for height in killed + 1..=heard + 2 {
        assert!(!signed(network, node, height).await, "it may have voted on {height}");
    }
    let log = network.whole_log(node);
    assert!(log.contains(words), "{log}");
}

fn move_away(home: &Path) -> PathBuf {
    let aside = home.with_extension("aside");
    std::fs::rename(home, &aside).unwrap();
    aside
}

/// Copies of a node that runs and is killed now and then; gives the last that ended.
async fn backups_under_kills(network: &mut Network, node: usize) -> PathBuf {
    let mut last = None;
    for round in 0..6 {
        let to = network.path().join(format!("backup-{round}"));
        let mut child = back_up(network, node, &to);
        let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
        // Somewhere on its way, each time elsewhere.
        tokio::time::sleep(Duration::from_millis(4 * round)).await;
        if round % 2 == 0 {
            network.kill(node);
            network.start(node);
        } else {
            let _ = child.kill();
        }
        let status = child.wait().unwrap();
        let home = network.path().join(format!("restored-{round}"));
        if status.success() {
            let output = restore(network, &to, &home);
            assert!(output.status.success(), "round {round}: {}", said(&output));
            last = Some(to);
        } else if to.exists() {
            // Killed, or the node was killed before it had made its home: it is none, or whole.
            let output = restore(network, &to, &home);
            let is_whole = to.join("manifest.json.sha256").exists();
            assert_eq!(output.status.success(), is_whole, "round {round}: {}", said(&output));
        }
        network.ready(node).await;
    }
    last.expect("a backup beside which the node was killed")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_or_copied_validator_is_silent_until_it_cannot_have_voted() {
    let mut network = Network::started(&[]).await;
    let load = Load::on(&network, &[0, 1]);
    eventually("the load runs", || async { load.count().await > 1_000 }).await;
    let older = backups_under_kills(&mut network, 3).await;
    assert_judged(&network, &older);
    assert_full_disk_is_clean(&network);

    // Restored from a backup.
    let scratch = network.path().join("scratch");
    let output = restore(&network, &older, &scratch);
    let report = said(&output);
    assert!(output.status.success(), "{report}");
    assert_eq!(report["verified_to"], report["height"]);
    assert!(report["what_follows"][0].as_str().unwrap().contains("silent until"), "{report}");
    let from_backup = |network: &Network| {
        move_away(&network.home(3));
        std::fs::rename(&scratch, network.home(3)).unwrap();
    };
    let words = "the vote guard is new and the home is not";
    silent_then_votes(&mut network, 3, from_backup, words).await;

    // Its whole home copied, guard and all.
    let copied = |network: &Network| {
        let aside = move_away(&network.home(2));
        let output = run(Command::new("cp").arg("-a").arg(aside).arg(network.home(2)));
        assert!(output.status.success());
    };
    silent_then_votes(&mut network, 2, copied, "the vote guard was copied").await;

    // An older guard written over the one that is there.
    let guard = network.home(3).join("vote.guard");
    let old = std::fs::read(&guard).unwrap();
    let older_guard = |_: &Network| std::fs::write(&guard, old).unwrap();
    silent_then_votes(&mut network, 3, older_guard, "the vote guard was copied").await;

    let finals = load.end().await;
    assert!(finals.len() > 1_000);
    // kill -9 and a start in its own place are no copy.
    network.kill(1);
    network.start(1);
    network.ready(1).await;
    assert!(!network.whole_log(1).contains("guard was copied"), "{}", network.log(1));
    for node in 0..4 {
        let log = network.whole_log(node);
        assert!(!log.contains("signed two values"), "{}", network.log(node));
    }
    let mut digests = network.digests().await;
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}
