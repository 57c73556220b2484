//! Row 10, second half: one node's folder runs twice at a time, as after a failover that did not
//! wait. Whatever the two do, no two signatures of their key exclude each other.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use genesis::NodeConfig;

use crate::figures::Watch;
use crate::peer::Peer;
use crate::recorder::Recorder;
use crate::restore::copy_in_use;
use crate::support::{Network, eventually, sluice};
use crate::{HONEST, HOSTILE, rounds};

/// The validator whose folder is started twice.
const TWICE: usize = 2;
/// How long both run.
const BOTH: Duration = Duration::from_secs(6);
/// The places of the second one's ports, above those of the network's nodes.
const PORTS_ABOVE: u16 = 18;

/// The second process with a node's folder; killed when dropped.
struct Twin {
    folder: PathBuf,
    child: Child,
}

impl Twin {
    /// Copies the node's folder and starts it on other ports.
    fn start(network: &Network) -> Self {
        let original = network.config(TWICE);
        let original = original.parent().unwrap();
        let folder = original.with_file_name("twin");
        copy_in_use(original, &folder);
        let path = folder.join("node.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = NodeConfig::load(&path).unwrap();
        let port = network.base_port + PORTS_ABOVE;
        let text = text
            .replace(&loaded.network.listen.to_string(), &format!("127.0.0.1:{port}"))
            .replace(&loaded.rpc.listen.to_string(), &format!("127.0.0.1:{}", port + 1));
        std::fs::write(&path, text).unwrap();
        let log = std::fs::File::create(network.path().join("twin.log")).unwrap();
        let mut command = sluice();
        command.arg("start").arg("--config").arg(path).env("RUST_LOG", "info");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self { folder, child: command.spawn().expect("the twin starts") }
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_runs_twice_does_not_sign_twice() {
    let mut network = Network::new(&[]);
    let recorder = Recorder::default();
    let _peer = Peer::start(&network, HOSTILE, recorder.clone()).await;
    network.start_all(&HONEST).await;
    let watch = Watch::start(&network, &[0, 1]).await;
    eventually("the chain grows", || async { network.height(TWICE).await >= 5 }).await;
    let rounds = rounds(2, 50);
    for round in 0..rounds {
        let from_rest = round % 2 == 1;
        if from_rest {
            network.kill(TWICE);
        }
        let twin = Twin::start(&network);
        if from_rest {
            network.start(TWICE);
        }
        tokio::time::sleep(BOTH).await;
        drop(twin);
        // What has heard its key from elsewhere may be silent until it is started again.
        network.kill(TWICE);
        network.start(TWICE);
        let goal = network.height(0).await + 5;
        let what = format!("it follows to {goal}; log: {}", network.log(TWICE));
        eventually(&what, || async { network.height(TWICE).await >= goal }).await;
    }
    let figures = watch.end(None).await;
    let (pairs, heard) = (recorder.doubles().len(), recorder.heard(TWICE as u32));
    let case = format!("{rounds} double starts: {heard} signatures, {pairs} pairs");
    figures.print("10", &case);
    assert!(heard > 0);
    recorder.assert_none_signed_twice();
}
