//! One validator down: killed after a third of the run, started again after two thirds.

use std::time::Duration;

use genesis::NetworkFolder;
use node_localnet::http;
use node_localnet::nodes::Nodes;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::gauge::Gauge;
use super::tally::Tally;

/// How often the node that was started again is asked whether it is ready.
const PROBE_EVERY: Duration = Duration::from_millis(200);
/// How long a probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The outage of the network's last node.
#[derive(Debug)]
pub struct Outage {
    victim: usize,
    operator_address: String,
    due: [Instant; 2],
    done: usize,
    ready: Option<JoinHandle<f64>>,
}

impl Outage {
    /// One within a run; `None` when the network has too few nodes to go on without one.
    pub fn of(network: &NetworkFolder, started: Instant, period: Duration) -> Option<Self> {
        let victim = victim(network)?;
        let operator_address = network.nodes.get(victim)?.operator_address.to_string();
        let due = [started + period / 3, started + period * 2 / 3];
        Some(Self { victim, operator_address, due, done: 0, ready: None })
    }

    /// Waits until something is to be done; for ever when nothing is left.
    pub async fn due(this: Option<&Self>) {
        match this.and_then(|outage| outage.due.get(outage.done)) {
            Some(due) => tokio::time::sleep_until(*due).await,
            None => std::future::pending().await,
        }
    }

    /// Does what is due. To be called on the process's first thread, as [`Nodes::restart`].
    ///
    /// # Errors
    /// When the node can be neither killed nor started.
    pub async fn act(
        &mut self,
        nodes: &mut Nodes,
        gauge: &mut Gauge,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        self.done += 1;
        if self.done == 1 {
            gauge.leaves(self.victim).await;
            nodes.kill(self.victim).await?;
            tally.phase("one down", Instant::now());
            return Ok(());
        }
        let started = Instant::now();
        if let Some(pid) = nodes.restart(self.victim)? {
            gauge.joins(self.victim, pid);
        }
        tally.phase("all up again", started);
        let operator_address = self.operator_address.clone();
        self.ready = Some(tokio::spawn(async move {
            while http::status(&operator_address, "/readyz", PROBE_TIMEOUT).await != Some(200) {
                tokio::time::sleep(PROBE_EVERY).await;
            }
            started.elapsed().as_secs_f64()
        }));
        Ok(())
    }

    /// How long the node took to be ready again, in seconds; `None` if it is not yet.
    pub async fn end(self) -> Option<f64> {
        let ready = self.ready?;
        if !ready.is_finished() {
            ready.abort();
        }
        ready.await.ok()
    }
}

/// The node that is stopped: the last validator.
pub fn victim(network: &NetworkFolder) -> Option<usize> {
    let validators = network.nodes.iter().filter(|node| node.is_validator).count();
    let last = network.nodes.iter().rposition(|node| node.is_validator);
    last.filter(|_| validators >= 4)
}
