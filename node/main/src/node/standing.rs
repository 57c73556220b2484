//! What the registry says of this node, told to its operator when it changes. Whether the node
//! votes is the replica's to decide, from its keys and the registry at its height.

use chain_types::{Height, Node, PublicKey, SecretKey};
use genesis::{ConfigFault, NodeConfig, NodeIdentity, Standing};
use node_replica::Role;
use tracing::{error, info, warn};

/// This node as the registry last had it.
pub struct Registration {
    config: NodeConfig,
    identity: NodeIdentity,
    standing: Option<Standing>,
}

impl Registration {
    /// As the registry has it at the node's start.
    ///
    /// # Errors
    /// When the registry names another node by this one's name or keys.
    pub fn new(
        config: NodeConfig,
        identity: NodeIdentity,
        nodes: &[Node],
    ) -> Result<Self, ConfigFault> {
        let standing = config.standing(&identity, nodes)?;
        let registration = Self { config, identity, standing: Some(standing) };
        registration.tell(standing);
        Ok(registration)
    }

    /// The public halves of the keys of connections and of votes; `None` without one for votes.
    pub fn keys(&self) -> Option<(PublicKey, PublicKey)> {
        let vote = self.identity.validator_key.as_ref().map(SecretKey::public_key)?;
        Some((self.identity.network_key.public_key(), vote))
    }

    /// Takes over nodes that have changed. A node that is registered wrongly goes on following, for
    /// what is written cannot be taken back here.
    pub fn follow(&mut self, nodes: &[Node]) {
        match self.config.standing(&self.identity, nodes) {
            Ok(standing) if self.standing == Some(standing) => {}
            Ok(standing) => {
                self.standing = Some(standing);
                self.tell(standing);
            }
            Err(fault) => {
                if self.standing.take().is_some() {
                    error!(%fault, "governance registered this node otherwise; it cannot vote");
                }
            }
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
