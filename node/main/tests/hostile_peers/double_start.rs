//! Row 10, second half: one node's folder runs twice at a time, as after a failover that did not
//! wait. Whatever the two do, no two signatures of their key exclude each other.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use genesis::NodeConfig;
use jsonrpsee_http_client::HttpClientBuilder;
use rpc_api::ChainRpcClient as _;

use crate::figures::Watch;
use crate::peer::Peer;
use crate::recorder::Recorder;
use crate::restore::{EXPOSED, copy_in_use, go_on, grows, stand_still};
use crate::support::{Network, eventually, sluice};
use crate::{HONEST, HOSTILE, rounds};

/// The validator whose folder is started twice.
const TWICE: usize = 2;
/// How long both run.
const BOTH: Duration = Duration::from_secs(4);
/// How long the second has to catch up while the chain stands.
const CATCHES_UP: Duration = Duration::from_secs(10);
/// The places of the second one's ports, above those of the network's nodes.
const PORTS_ABOVE: u16 = 18;

/// The second process with a node's folder; killed when dropped.
struct Twin {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Twin {
    /// Copies the node's folder.
    fn copy(network: &Network) -> Self {
        let original = network.config(TWICE);
        let original = original.parent().unwrap();
        let folder = original.with_file_name("twin");
        let _ = std::fs::remove_dir_all(&folder);
        copy_in_use(original, &folder);
        Self { folder, port: network.base_port + PORTS_ABOVE, child: None }
    }

    /// Starts it on ports of its own.
    fn start(&mut self) {
        let path = self.folder.join("node.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = NodeConfig::load(&path).unwrap();
        let (listen, rpc) = (loaded.network.listen.to_string(), loaded.rpc.listen.to_string());
        let text = text
            .replace(&listen, &format!("127.0.0.1:{}", self.port))
            .replace(&rpc, &format!("127.0.0.1:{}", self.port + 1));
        std::fs::write(&path, text).unwrap();
        let log = std::fs::File::create(self.folder.with_file_name("twin.log")).unwrap();
        let mut command = sluice();
        command.arg("start").arg("--config").arg(path).env("RUST_LOG", "info");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().expect("the twin starts"));
    }

    fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Waits until it has the others' head; while the first holds its connections it may not.
    async fn has_caught_up(&mut self, network: &Network) {
        let url = format!("http://127.0.0.1:{}", self.port + 1);
        let client = HttpClientBuilder::default().build(url).expect("a client");
        let started = Instant::now();
        while self.is_running() && started.elapsed() < CATCHES_UP {
            let own = client.head().await.map_or(0, |head| head.height);
            if own > 0 && own >= network.height(0).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn log(&self) -> String {
        let path = self.folder.with_file_name("twin.log");
        std::fs::read_to_string(path).unwrap_or_default()
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// One double start; gives whether both ran to its end.
async fn run_twice(network: &mut Network, recorder: &Recorder, round: usize) -> bool {
    let mut twin = Twin::copy(network);
    match round % 3 {
        // The first is frozen while the chain waits at a height on which it has voted since the
        // copy; it wakes up beside the second.
        0 => {
            grows(network, 0, 5).await;
            stand_still(network, recorder).await;
            network.pause(TWICE);
            twin.start();
            twin.has_caught_up(network).await;
            tokio::time::sleep(EXPOSED).await;
            network.resume(TWICE);
            go_on(network, recorder);
        }
        // From one folder at rest, at the same time.
        1 => {
            network.kill(TWICE);
            twin = Twin::copy(network);
            twin.start();
            network.start(TWICE);
        }
        // The second takes over, and the first comes back.
        _ => {
            network.kill(TWICE);
            twin = Twin::copy(network);
            twin.start();
            grows(network, 0, 20).await;
            network.start(TWICE);
        }
    }
    tokio::time::sleep(BOTH).await;
    let runs = twin.is_running() && network.is_running(TWICE);
    if !runs {
        println!("one of two does not run; the second says: {}", twin.log());
    }
    runs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_runs_twice_does_not_sign_twice() {
    let mut network = Network::new(&[]);
    let recorder = Recorder::default();
    let _peer = Peer::start(&network, HOSTILE, recorder.clone()).await;
    network.start_all(&HONEST).await;
    let watch = Watch::start(&network, &[0, 1]).await;
    eventually("the chain grows", || async { network.height(TWICE).await >= 5 }).await;
    let rounds = rounds(3, 60);
    let mut both = 0;
    for round in 0..rounds {
        both += usize::from(run_twice(&mut network, &recorder, round).await);
        // What has heard its key from elsewhere may be silent until it is started again.
        network.kill(TWICE);
        network.start(TWICE);
        grows(&network, 0, 5).await;
        let goal = network.height(0).await;
        let what = format!("it follows to {goal}; log: {}", network.log(TWICE));
        eventually(&what, || async { network.height(TWICE).await >= goal }).await;
    }
    let figures = watch.end(None).await;
    let (pairs, heard) = (recorder.doubles().len(), recorder.heard(TWICE as u32));
    let case = format!("{both} of {rounds} double starts: {heard} signatures, {pairs} pairs");
    figures.print("10", &case);
    assert!(both > 0 && heard > 0);
    recorder.assert_none_signed_twice();
}
