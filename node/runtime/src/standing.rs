//! This node's standing in the registry, told to its operator when it changes. Whether the node
//! votes is the replica's to decide, from its keys and the registry at its height.

use std::time::{Duration, Instant};

use chain_state::RegistryContent;
use chain_types::{Height, PublicKey, SecretKey};
use genesis::{ConfigFault, NodeConfig, NodeIdentity, Standing};
use node_replica::Role;
use tracing::{error, info, warn};

use super::own_keys::{self, Chosen, Ended, Withdrawn};

/// How long a node that nobody lets in waits before it tries its other keys, at the first start.
const OTHER_KEYS_FIRST: Duration = Duration::from_secs(10);
/// The same once it has tried them before.
const OTHER_KEYS_AGAIN: Duration = Duration::from_secs(60);

/// This node as the registry last had it.
pub struct Registration {
    config: NodeConfig,
    identity: NodeIdentity,
    /// Another pair of keys is here.
    has_other: bool,
    /// These keys are the ones that lay ready.
    is_next: bool,
    /// It has started again for other keys before.
    has_tried: bool,
    standing: Option<Standing>,
    /// Since when no peer has been connected.
    alone_since: Option<Instant>,
    ending: Option<Ended>,
}

impl Registration {
    /// As the registry has it at the node's start. `has_tried` says whether the start before this
    /// one ended to try other keys.
    ///
    /// # Errors
    /// When the registry names another node by this one's name or keys.
    pub fn new(
        config: NodeConfig,
        chosen: &Chosen,
        registry: &RegistryContent,
        has_tried: bool,
    ) -> Result<Self, ConfigFault> {
        let standing = own_keys::standing(&config, &chosen.identity, registry)?;
        let registration = Self {
            config,
            identity: chosen.identity.clone(),
            has_other: chosen.other.is_some(),
            is_next: chosen.is_next,
            has_tried,
            standing: Some(standing),
            alone_since: None,
            ending: None,
        };
        if chosen.is_next {
            info!(
                network_key = %chosen.identity.public_key(),
                "starts with the keys that lay ready; `sluice key rotate-node` puts them in place"
            );
        }
        registration.tell(standing);
        Ok(registration)
    }

    /// The public halves of the keys of connections and of votes; `None` without one for votes.
    pub fn keys(&self) -> Option<(PublicKey, PublicKey)> {
        let vote = self.identity.validator_key.as_ref().map(SecretKey::public_key)?;
        Some((self.identity.network_key.public_key(), vote))
    }

    /// The public half of the key of its connections.
    pub fn network_key(&self) -> PublicKey {
        self.identity.network_key.public_key()
    }

    /// The configuration of the node.
    pub const fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Returns true if the registry names this node.
    pub fn is_registered(&self) -> bool {
        self.standing.is_some_and(Standing::is_registered)
    }

    /// Returns true if peers are configured.
    pub fn has_peers(&self) -> bool {
        !self.config.network.peers.is_empty()
    }

    /// The configured peers, for the log: names with addresses.
    pub fn peers(&self) -> String {
        let peers = self.config.network.peers.iter();
        let texts: Vec<String> =
            peers.map(|peer| format!("{}={}", peer.name, peer.address)).collect();
        texts.join(", ")
    }

    /// Why the node ends now, if it does.
    pub fn ending(&self) -> Option<&Ended> {
        self.ending.as_ref()
    }

    /// Records whether this node is alone at `now`: a node that nobody lets in may have other
    /// keys.
    pub fn look(&mut self, is_alone: bool, now: Instant) {
        if !is_alone {
            self.alone_since = None;
            return;
        }
        let since = *self.alone_since.get_or_insert(now);
        let patience = if self.has_tried { OTHER_KEYS_AGAIN } else { OTHER_KEYS_FIRST };
        if self.has_other && self.ending.is_none() && now.duration_since(since) >= patience {
            warn!(
                network_key = %self.network_key(),
                "no peer lets this node in by these keys: it starts again with the other ones that \
                 lie here"
            );
            self.ending = Some(Ended::OtherKeys { tries_next: !self.is_next });
        }
    }

    /// Takes over nodes that have changed. A node that is registered wrongly goes on following, for
    /// what is written cannot be taken back here.
    pub fn follow(&mut self, registry: &RegistryContent) {
        match own_keys::standing(&self.config, &self.identity, registry) {
            Ok(standing) if self.standing == Some(standing) => {}
            Ok(standing) => {
                self.standing = Some(standing);
                self.tell(standing);
                self.end_if_withdrawn(standing, registry);
            }
            Err(fault) => {
                if self.standing.take().is_some() {
                    error!(%fault, "governance registered this node otherwise; it cannot vote");
                }
            }
        }
    }

    fn end_if_withdrawn(&mut self, standing: Standing, registry: &RegistryContent) {
        match standing {
            Standing::Removed => {
                let name = self.config.name.clone();
                self.ending = Some(Ended::Withdrawn(Withdrawn::Removed { name }));
            }
            Standing::Replaced => {
                let present = self.config.identity();
                let tries_next = false;
                let chosen = present.and_then(|present| {
                    own_keys::choose(&self.config, present, registry, tries_next)
                });
                match chosen {
                    Ok(Ok(chosen)) if chosen.identity.public_key() != self.network_key() => {
                        info!("the keys that lie ready hold now: the node starts again with them");
                        self.ending = Some(Ended::OtherKeys { tries_next });
                    }
                    Ok(Ok(_)) => {}
                    Ok(Err(withdrawn)) => {
                        error!("{withdrawn}; until then it neither votes nor syncs")
                    }
                    Err(fault) => {
                        error!(%fault, "the keys that governance registered cannot be used")
                    }
                }
            }
            _ => {}
        }
    }

    fn tell(&self, standing: Standing) {
        match standing {
            Standing::Unregistered => {
                let network_key = self.identity.network_key.public_key();
                let vote = self.identity.validator_key.as_ref().map(SecretKey::public_key);
                let validator_key = vote.unwrap_or(network_key);
                warn!(
                    name = self.config.name,
                    %network_key,
                    %validator_key,
                    "not registered at the height of this home: it follows once the operators have \
                     added it by governance, by this name and these keys; no restart is needed"
                );
            }
            Standing::Ahead => warn!(
                "the registry at the height of this home names earlier keys of this node: it \
                 follows until the chain has come to these; if none are proposed, start it without \
                 the next ones"
            ),
            Standing::Replaced => error!("governance replaced the keys of this node"),
            Standing::Removed => error!("governance removed this node"),
            Standing::Edge => info!("registered as an edge node: it follows without a vote"),
            Standing::Keyless { power } => warn!(
                power,
                "registered as a validator, but no validator_key is configured: it follows without \
                 voting"
            ),
            Standing::Validator { id, power: 0 } => {
                info!(%id, "registered as a validator without power: it follows without a vote");
            }
            Standing::Validator { id, power } => info!(%id, power, "registered as a validator"),
        }
    }
}

/// Says what the node does in consensus from `height` on.
pub fn tell_role(role: Role, height: Height) {
    match role {
        Role::Follows => info!(%height, "follows without voting"),
        Role::Waits(id) => info!(
            %id, %height,
            "a validator that has just started: silent until it is known that it cannot sign twice"
        ),
        Role::Silenced(id) => error!(
            %id, %height,
            "a validator whose key signs elsewhere: silent until it is started again"
        ),
        Role::Votes(id) => info!(%id, %height, "votes"),
    }
}
