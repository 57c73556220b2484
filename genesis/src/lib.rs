//! The genesis file, its checks, and the folders that a network starts from.
//!
//! [`parse_genesis`] turns a file's bytes into a [`chain_types::ChainGenesis`] in which every value
//! is within its bounds, so that no configuration value can halt a chain later.
//! [`network_assemble`] makes one genesis file and a configuration for each node and participant
//! from a plan with their public keys; [`network_new`] makes a demonstration network with
//! everybody's secret keys in one folder. [`network_join`] makes the folder of one more node.
//! [`NodeConfig`] and [`ParticipantConfig`] read those back.

mod access;
pub mod assemble;
mod bounds;
pub mod check;
pub mod fault;
mod folder;
pub mod identity;
pub mod join;
pub mod key;
mod lines;
pub mod network;
pub mod node;
pub mod parameters;
pub mod participant;
mod table;

pub use access::AccessSection;
pub use assemble::{Assembled, AssembledPart, network_assemble};
pub use bounds::GENESIS_BYTES_MAX;
pub use check::{load_genesis, parse_genesis};
pub use fault::{ConfigFault, FieldError};
pub use identity::{NodeIdentity, Standing};
pub use join::{JoinPlan, JoinedNode, network_join};
pub use key::{
    create_secret_key, draw_secret_key, load_secret_key, new_secret_key, next_key_path,
    replace_secret_key, replaced_key_path,
};
pub use network::{
    NetworkFolder, NetworkPlan, NodeFolder, PORTS_PER_NODE, ParticipantFolder, network_new,
};
pub use node::{
    ForwardedHeader, LogSection, NetworkSection, NodeConfig, OperatorSection, Peer, RpcSection,
    StoreSection, TlsSection,
};
pub use participant::ParticipantConfig;
