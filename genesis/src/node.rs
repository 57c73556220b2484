//! A node's configuration: `node.toml`, then environment variables. Unknown keys are refused in
//! both.
//!
//! A variable is `SLUICE_NODE_` and the field's name in capitals, sections set off by two
//! underscores: `SLUICE_NODE_RPC__LISTEN=0.0.0.0:26001`.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use chain_types::PublicKey;
use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format as _, Toml};
use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::AccessSection;
use crate::fault::{ConfigFault, FieldError};

/// The prefix of the environment variables that a node reads.
pub const ENVIRONMENT_PREFIX: &str = "SLUICE_NODE_";

/// `node.toml`. Paths in the file are relative to it; here they are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// The node's name in the registry.
    pub name: String,
    /// The network's genesis file.
    pub genesis: PathBuf,
    /// The folder of the node's blocks and indexes; made if it is missing.
    pub home: PathBuf,
    /// The key of its votes; absent for an edge node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator_key: Option<PathBuf>,
    /// The key of its connections.
    pub network_key: PathBuf,
    /// Connections to other nodes.
    pub network: NetworkSection,
    /// The section of the port for clients.
    pub rpc: RpcSection,
    /// Health and figures, for the operator.
    #[serde(default)]
    pub operator: OperatorSection,
    /// The section of the store: bounds of disk and memory.
    #[serde(default)]
    pub store: StoreSection,
    /// The section of the log.
    #[serde(default)]
    pub log: LogSection,
}

/// Connections to other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSection {
    /// The address at which it listens: `address:port`.
    pub listen: SocketAddr,
    /// The nodes to connect to, other than itself.
    #[serde(default)]
    pub peers: Vec<Peer>,
}

/// A node to connect to, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its name, for people.
    pub name: String,
    /// The public key of its connections, 64 hexadecimal digits.
    pub key: String,
    /// The address at which it listens: `address:port`.
    pub address: SocketAddr,
}

impl Peer {
    /// The public key of its connections. [`NodeConfig::load`] has checked that it is one.
    pub fn public_key(&self) -> Option<PublicKey> {
        PublicKey::from_hex(&self.key)
    }
}

/// The section of the port for clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcSection {
    /// The address at which it listens: `address:port`; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The most connections at once (1 to 100,000).
    #[serde(default = "connections_max")]
    pub connections_max: u32,
    /// The most subscriptions at once, over all connections (1 to 100,000).
    #[serde(default = "subscriptions_max")]
    pub subscriptions_max: u32,
    /// The most calls a second from one address (1 to 10,000,000).
    #[serde(default = "calls_per_second_max")]
    pub calls_per_second_max: u32,
    /// The longest `timeout_ms` of `batch_submit` (1 to 300,000).
    #[serde(default = "wait_ms_max")]
    pub wait_ms_max: u64,
    /// The most connections of one address at once (1 to 100,000).
    #[serde(default = "connections_per_address_max")]
    pub connections_per_address_max: u32,
    /// The most subscriptions of one address at once (1 to 100,000).
    #[serde(default = "subscriptions_per_address_max")]
    pub subscriptions_per_address_max: u32,
    /// Names under which clients may address the node (at most 64); IP addresses and `localhost`
    /// always may.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Origins whose web pages browsers may call from (at most 64), such as
    /// `https://example.com`; `*` for any, none by default.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Networks of proxies that name their client in a header (at most 64), such as `10.0.0.0/8`.
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which those proxies name their client. The other header is never read: it
    /// would be the client's own word.
    #[serde(default)]
    pub forwarded_header: ForwardedHeader,
    /// True if the port serves the explorer's pages at `/explorer/`. False by default.
    #[serde(default)]
    pub explorer: bool,
    /// The callers that are answered. Without it, everybody may call the methods of the scopes
    /// `open` and `public`, and nobody the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessSection>,
    /// TLS of the port; without it the port speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSection>,
}

/// TLS of a listener. The files are in PEM, and read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// The listener's own certificate first, then those that lead to its authority.
    pub certificate: PathBuf,
    /// The secret key of the certificate.
    pub key: PathBuf,
    /// Authorities of clients: only clients that show a certificate of one of them are served. By
    /// default clients need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_authorities: Option<PathBuf>,
}

impl TlsSection {
    /// The section with its paths relative to a folder.
    fn resolved(self, folder: &Path) -> Self {
        Self {
            certificate: folder.join(self.certificate),
            key: folder.join(self.key),
            client_authorities: self.client_authorities.map(|path| folder.join(path)),
        }
    }
}

/// The header in which trusted proxies name their client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// The header `X-Forwarded-For`, as most proxies set it.
    #[default]
    XForwardedFor,
    /// The header `Forwarded` (RFC 7239).
    Forwarded,
}

/// Health and figures: `/healthz`, `/readyz` and `/metrics`, apart from the public interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorSection {
    /// The address at which they are served: `address:port`. By default on loopback, at the port
    /// after the one of `rpc.listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// TLS of these paths; without it they are plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSection>,
}

fn connections_max() -> u32 {
    1_024
}
fn subscriptions_max() -> u32 {
    2_048
}
fn calls_per_second_max() -> u32 {
    10_000
}
fn wait_ms_max() -> u64 {
    60_000
}
fn connections_per_address_max() -> u32 {
    256
}
fn subscriptions_per_address_max() -> u32 {
    512
}

impl RpcSection {
    /// The defaults, listening at `listen`.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            connections_max: connections_max(),
            subscriptions_max: subscriptions_max(),
            calls_per_second_max: calls_per_second_max(),
            wait_ms_max: wait_ms_max(),
            connections_per_address_max: connections_per_address_max(),
            subscriptions_per_address_max: subscriptions_per_address_max(),
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            explorer: false,
            access: None,
            tls: None,
        }
    }
}

/// The section of the store: bounds of disk and memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    /// Bytes that a block file is preallocated with (1 MiB to 4 GiB).
    pub block_file_bytes: u64,
    /// Full block files that the system may keep in memory beside the one being written (0 to
    /// 1,000,000): what is older is read from the disk.
    pub block_files_cached: u32,
    /// The most blocks between two checkpoints of the state (1 to 1,000,000).
    pub checkpoint_blocks: u64,
    /// The most orders between two checkpoints (100,000 to 1,000,000,000), a batch counting as 16:
    /// a start replays about so many at most.
    pub checkpoint_orders: u64,
    /// Bytes of the index's shared cache (1 MiB to 64 GiB).
    pub cache_bytes: u64,
    /// Bytes of batches that wait for a block (16 MiB to 16 GiB); more are refused as `pool-full`.
    pub pool_bytes_max: u64,
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            block_file_bytes: 256 * MIB,
            block_files_cached: 2,
            checkpoint_blocks: 1_000,
            checkpoint_orders: 6_000_000,
            cache_bytes: 64 * MIB,
            pool_bytes_max: 128 * MIB,
        }
    }
}

/// Logs, on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// The lines that are logged: `info`, or by room, `info,node_network=debug`.
    pub filter: String,
    /// True if each line is JSON.
    pub json: bool,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { filter: "info".to_owned(), json: false }
    }
}

/// Entries of a list in the section `rpc`.
const LIST_MAX: usize = 64;
const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

impl NodeConfig {
    /// Reads the file, then the environment.
    ///
    /// # Errors
    /// When the file cannot be read, or a field is unknown, missing, malformed or out of bounds.
    pub fn load(path: &Path) -> Result<Self, ConfigFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigFault::Read { path: path.to_owned(), source })?;
        let mut config = Self::parse(&text, Some(ENVIRONMENT_PREFIX))
            .map_err(|error| ConfigFault::field(path, error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.genesis = folder.join(&config.genesis);
        config.home = folder.join(&config.home);
        config.network_key = folder.join(&config.network_key);
        config.validator_key = config.validator_key.map(|key| folder.join(key));
        if let Some(AccessSection::Tokens(path)) = &mut config.rpc.access {
            *path = folder.join(&*path);
        }
        config.rpc.tls = config.rpc.tls.map(|tls| tls.resolved(folder));
        config.operator.tls = config.operator.tls.map(|tls| tls.resolved(folder));
        Ok(config)
    }

    /// Returns the address at which health and figures are served.
    pub fn operator_address(&self) -> SocketAddr {
        let after_rpc = match self.rpc.listen.port() {
            0 => 0,
            port => port.saturating_add(1),
        };
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, after_rpc));
        self.operator.listen.unwrap_or(default)
    }

    fn parse(text: &str, environment: Option<&str>) -> Result<Self, FieldError> {
        let config: Self = extract(text, environment)?;
        config.check_bounds()?;
        config.check_peers()?;
        Ok(config)
    }

    fn check_bounds(&self) -> Result<(), FieldError> {
        let (rpc, store) = (&self.rpc, &self.store);
        let rows = [
            ("rpc.connections_max", u64::from(rpc.connections_max), 1..=100_000),
            ("rpc.subscriptions_max", u64::from(rpc.subscriptions_max), 1..=100_000),
            (
                "rpc.connections_per_address_max",
                u64::from(rpc.connections_per_address_max),
                1..=100_000,
            ),
            (
                "rpc.subscriptions_per_address_max",
                u64::from(rpc.subscriptions_per_address_max),
                1..=100_000,
            ),
            ("rpc.calls_per_second_max", u64::from(rpc.calls_per_second_max), 1..=10_000_000),
            ("rpc.wait_ms_max", rpc.wait_ms_max, 1..=300_000),
            ("store.block_file_bytes", store.block_file_bytes, MIB..=4 * GIB),
            ("store.block_files_cached", u64::from(store.block_files_cached), 0..=1_000_000),
            ("store.checkpoint_blocks", store.checkpoint_blocks, 1..=1_000_000),
            ("store.checkpoint_orders", store.checkpoint_orders, 100_000..=1_000_000_000),
            ("store.cache_bytes", store.cache_bytes, MIB..=64 * GIB),
            ("store.pool_bytes_max", store.pool_bytes_max, 16 * MIB..=16 * GIB),
        ];
        for (field, value, bounds) in rows {
            if !bounds.contains(&value) {
                let remedy = format!("give a number from {} to {}", bounds.start(), bounds.end());
                return Err(FieldError::new(field, value, "it is out of bounds", remedy));
            }
        }
        let lists = [
            ("rpc.hosts", rpc.hosts.len()),
            ("rpc.origins", rpc.origins.len()),
            ("rpc.trusted_proxies", rpc.trusted_proxies.len()),
        ];
        for (field, count) in lists {
            if count > LIST_MAX {
                let remedy = format!("give at most {LIST_MAX}");
                return Err(FieldError::new(field, count, "there are too many", remedy));
            }
        }
        Ok(())
    }

    fn check_peers(&self) -> Result<(), FieldError> {
        let mut keys = BTreeSet::new();
        for (index, peer) in self.network.peers.iter().enumerate() {
            let error = |problem, remedy| {
                Err(FieldError::new(
                    format!("network.peers[{index}].key"),
                    &peer.key,
                    problem,
                    remedy,
                ))
            };
            match peer.public_key() {
                Some(key) if key.is_usable() => {
                    if !keys.insert(key) {
                        return error("another peer has it already", "list each peer once");
                    }
                }
                _ => {
                    return error(
                        "it is not a public key",
                        "use the network_key of the genesis file",
                    );
                }
            }
        }
        Ok(())
    }
}

/// A typed configuration from TOML text and, if a prefix is given, environment variables.
pub(crate) fn extract<T: DeserializeOwned>(
    text: &str,
    environment: Option<&str>,
) -> Result<T, FieldError> {
    let mut figment = Figment::from(Toml::string(text));
    if let Some(prefix) = environment {
        figment = figment.merge(Env::prefixed(prefix).split("__"));
    }
    figment.extract().map_err(|error| field_error(&error))
}

/// Figment's first error in our words.
fn field_error(error: &figment::Error) -> FieldError {
    let mut path = error.path.clone();
    let (value, problem, remedy) = match &error.kind {
        Kind::MissingField(name) => {
            path.push(name.to_string());
            ("nothing".to_owned(), "it is missing".to_owned(), format!("add `{name}`"))
        }
        Kind::UnknownField(name, known) => {
            if path.last() != Some(name) {
                path.push(name.clone());
            }
            let remedy = format!("check its spelling; known here: {}", known.join(", "));
            ("…".to_owned(), "no such field is known".to_owned(), remedy)
        }
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            let problem = format!("{expected} is expected");
            (actual.to_string(), problem, format!("give {expected}"))
        }
        other => (
            "…".to_owned(),
            other.to_string().replace('\n', " "),
            "write it as the reference of the configuration says".to_owned(),
        ),
    };
    let field = if path.is_empty() { "file".to_owned() } else { path.join(".") };
    FieldError::new(field, value, problem, remedy)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        name = "validator-0"
        genesis = "../../genesis.toml"
        home = "home"
        validator_key = "validator.key"
        network_key = "network.key"
        [network]
        listen = "127.0.0.1:26000"
        [[network.peers]]
        name = "validator-1"
        key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        address = "127.0.0.1:26002"
        [rpc]
        listen = "127.0.0.1:26001"
    "#;

    #[test]
    fn a_file_with_only_what_is_needed_gets_the_defaults() {
        let config = NodeConfig::parse(FILE, None).unwrap();
        assert_eq!(config.rpc, RpcSection::new("127.0.0.1:26001".parse().unwrap()));
        let after_rpc = "127.0.0.1:26002".parse().unwrap();
        assert_eq!(config.operator_address(), after_rpc, "on loopback, beside the public port");
        assert_eq!(config.store, StoreSection::default());
        assert_eq!(config.log, LogSection::default());
    }

    #[test]
    fn each_bad_field_is_named() {
        let rows = [
            ("name = \"validator-0\"", "nome = \"validator-0\"", "nome"),
            ("home = \"home\"", "", "home"),
            ("home = \"home\"", "home = 5", "home"),
            ("127.0.0.1:26001", "127.0.0.1", "rpc.listen"),
            ("127.0.0.1:26000", "localhost:26000", "network.listen"),
            ("[rpc]", "[rpc]\nconnections = 5", "rpc.connections"),
            ("[rpc]", "[rpc]\nconnections_max = 0", "rpc.connections_max"),
            ("[rpc]", "[rpc]\ncors = true", "rpc.cors"),
            ("[rpc]", "[rpc]\nexplorer = \"on\"", "rpc.explorer"),
            ("[rpc]", "[rpc]\nconnections_per_address_max = 0", "rpc.connections_per_address_max"),
            ("[rpc]", "[rpc]\nconnections_max = -1", "rpc.connections_max"),
            ("[rpc]", "[store]\nblock_file_bytes = 1\n[rpc]", "store.block_file_bytes"),
            ("[rpc]", "[log]\nlevel = \"info\"\n[rpc]", "log.level"),
            ("[rpc]", "[rpc.tls]\ncertificate = \"node.pem\"\n[rpc]", "rpc.tls.key"),
            ("[rpc]", "[operator]\ntls = true\n[rpc]", "operator.tls"),
            ("d75a98", "zz5a98", "network.peers[0].key"),
        ];
        for (from, to, field) in rows {
            let error = NodeConfig::parse(&FILE.replace(from, to), None).unwrap_err();
            assert_eq!(error.field, field, "{to}: {error}");
            assert!(!error.remedy.is_empty());
        }
        assert!(NodeConfig::parse("name = ", None).is_err());
    }
}
