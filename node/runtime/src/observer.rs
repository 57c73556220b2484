//! Puts together what readiness, `node_status` and `/metrics` say of this node: the driver's
//! vitals, the registry of the head, and the connections. Nothing here waits for the driver.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chain_types::{Height, Node, PublicKey, ValidatorId};
use node_network::Network;
use node_replica::{NodeIndex, ReplicaProgress, Role, SharedState};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use rpc_api::{PassedOverReport, PeerReport, StandingReport};

use super::descriptors;
use super::readiness::{KnownValidator, Situation, lacks_text, reason, waits_for_text};
use super::vitals::{Vitals, milliseconds};

/// How long a judgement holds: clients' batches ask for it at their rate.
const HOLDS: Duration = Duration::from_millis(100);

/// Sees how a node stands.
#[derive(Debug)]
pub struct Observer {
    vitals: Arc<Vitals>,
    state: SharedState,
    network: Network,
    own_key: PublicKey,
    judged: Mutex<Option<(Instant, Option<String>)>>,
}

impl Observer {
    /// Sees the node whose network key is `own_key`.
    pub fn new(
        vitals: Arc<Vitals>,
        state: SharedState,
        network: Network,
        own_key: PublicKey,
    ) -> Self {
        Self { vitals, state, network, own_key, judged: Mutex::new(None) }
    }

    /// Why this node is not ready; `None` when it is. A moment old at most.
    pub fn reason_not_ready(&self) -> Option<String> {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        match &*judged {
            Some((at, reason)) if at.elapsed() < HOLDS => reason.clone(),
            _ => {
                let reason = reason(&self.situation().causes());
                *judged = Some((Instant::now(), reason.clone()));
                reason
            }
        }
    }

    /// The present facts on which readiness depends.
    pub fn situation(&self) -> Situation {
        let rules = self.state.rules();
        let nodes = &rules.registry.nodes;
        let words = self.vitals.words();
        let progress = self.vitals.progress();
        let role = progress.as_ref().map(|progress| progress.role);
        let silent = progress.as_ref().and_then(|progress| silence(progress));
        let validators = (0..).zip(nodes.iter()).filter(|(_, node)| node.power > 0);
        let known = |(index, node): (u32, &Node)| KnownValidator {
            name: node.name.clone(),
            power: node.power,
            is_own: node.network_key == self.own_key,
            word: words.get(&NodeIndex::new(index)).copied(),
        };
        let is_registered = nodes.iter().any(|node| node.network_key == self.own_key);
        let lacks = progress.map(|progress| lacks_text(&progress.waits_for, name_in(nodes)));
        Situation {
            has_failed: self.vitals.failed.load(Ordering::Relaxed),
            votes: silent.is_none() && matches!(role, Some(Role::Votes(_))),
            silent,
            is_registered,
            is_withdrawn: !is_registered
                && rules.registry.place_of_network_key(self.own_key).is_some(),
            peers_connected: self.network.connected().len(),
            validators: validators.map(known).collect(),
            height: Height::new(self.vitals.height.load(Ordering::Relaxed)),
            block_age_ms: milliseconds(self.vitals.block_age()),
            heartbeat_ms: rules.parameters().heartbeat_ms,
            lacks: lacks.unwrap_or_else(|| "this node is starting".to_owned()),
        }
    }

    /// The report of `node_status` about the next block and the validators.
    pub fn standing(&self) -> StandingReport {
        let rules = self.state.rules();
        let name = name_in(&rules.registry.nodes);
        let mut report = StandingReport {
            reason: self.reason_not_ready(),
            last_block_age_ms: milliseconds(self.vitals.block_age()),
            ..StandingReport::default()
        };
        if let Some(progress) = self.vitals.progress() {
            report.round = progress.round.map(|round| round.get());
            report.waits_for = Some(waits_for_text(&progress.waits_for, &name));
            report.missing = progress.waits_for.missing().iter().copied().map(&name).collect();
            let passed_over = progress.passed_over.iter().map(|passed| PassedOverReport {
                validator: passed.validator.get(),
                name: name(passed.validator),
                until_height: passed.until.get(),
                reason: passed.reason.to_string(),
            });
            report.passed_over = passed_over.collect();
        }
        report
    }

    /// The other registered nodes.
    pub fn peers(&self) -> Vec<PeerReport> {
        let rules = self.state.rules();
        let connected = self.network.connected();
        let words = self.vitals.words();
        let nodes = (0..).map(NodeIndex::new).zip(rules.registry.nodes.iter());
        let others =
            nodes.filter(|(_, node)| node.network_key != self.own_key && !node.is_removed());
        others
            .map(|(index, node)| {
                let word = words.get(&index);
                PeerReport {
                    name: node.name.clone(),
                    network_key: node.network_key.to_string(),
                    is_connected: connected.contains(&node.network_key),
                    said_height: word.map(|word| word.height.get()),
                    said_age_ms: word.map(|word| word.age_ms),
                }
            })
            .collect()
    }
}

/// Why a validator signs nothing now, if it does not.
fn silence(progress: &ReplicaProgress) -> Option<String> {
    match progress.role {
        Role::Waits(_) => Some("it is silent until it cannot sign twice".to_owned()),
        Role::Silenced(_) => Some("its key signs on another machine".to_owned()),
        Role::Votes(_) => progress.mute.map(|reason| reason.to_string()),
        Role::Follows => None,
    }
}

/// Validators' names, as the registry has them.
fn name_in(nodes: &[Node]) -> impl Fn(ValidatorId) -> String {
    |id| nodes.get(id.get() as usize).map_or_else(|| format!("{id}"), |node| node.name.clone())
}

/// Figures that are made when they are asked for: a driver that hangs must not freeze them.
#[derive(Debug)]
struct Figures(Arc<Observer>);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let age = ConstGauge::new(self.0.vitals.block_age().as_secs_f64());
        let help = "The age of the last committed block";
        let name = "last_block_age_seconds";
        age.encode(encoder.encode_descriptor(name, help, None, age.metric_type())?)?;
        if let Some(open) = descriptors::open_now() {
            let open = ConstGauge::new(open as i64);
            let help = "File descriptors that the process has open";
            let name = "descriptors_open";
            open.encode(encoder.encode_descriptor(name, help, None, open.metric_type())?)?;
        }
        let ready = ConstGauge::new(i64::from(self.0.reason_not_ready().is_none()));
        let help = "Whether this node is ready: 1 or 0, as /readyz says";
        ready.encode(encoder.encode_descriptor("ready", help, None, ready.metric_type())?)
    }
}

/// Registers the figures of an observer under `sluice_`.
pub fn register(observer: &Arc<Observer>, registry: &mut Registry) {
    let sluice = registry.sub_registry_with_prefix("sluice");
    sluice.register_collector(Box::new(Figures(observer.clone())));
}
