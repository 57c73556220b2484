//! A participant's configuration: who it is, where its key lies, which nodes it talks to.

use std::path::{Path, PathBuf};

use chain_types::{ChainGenesis, ParticipantId, SecretKey};
use serde::{Deserialize, Serialize};

use crate::check::load_genesis;
use crate::fault::{ConfigFault, FieldError};
use crate::key::load_secret_key;

/// `participant.toml`. Paths in the file are relative to it; here they are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParticipantConfig {
    /// The participant's id in the genesis file.
    pub id: u32,
    /// Its name, for people.
    pub name: String,
    /// Its secret key file.
    pub key: PathBuf,
    /// The network's genesis file.
    pub genesis: PathBuf,
    /// RPC addresses of nodes, in order of preference: `http://host:port` or `https://host:port`.
    pub rpc: Vec<String>,
    /// The file of the token that nodes ask for (docs/access.md): one line, of mode 0600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<PathBuf>,
    /// The file of the authorities whose certificates are believed, in PEM. Without it, those that
    /// the system believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// Merchants of interest: those it pays, or may name in orders. For convenience only.
    #[serde(default)]
    pub merchants: Vec<u64>,
}

impl ParticipantConfig {
    /// Reads the file. Environment variables do not change it.
    ///
    /// # Errors
    /// When the file cannot be read, has an unknown or missing field, or an address that is none.
    pub fn load(path: &Path) -> Result<Self, ConfigFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigFault::Read { path: path.to_owned(), source })?;
        let mut config: Self =
            crate::node::extract(&text, None).map_err(|error| ConfigFault::field(path, error))?;
        let refuse = |field: &str, value: String, problem: &str, remedy: &str| {
            Err(ConfigFault::field(path, FieldError::new(field, value, problem, remedy)))
        };
        if config.id == 0 {
            return refuse(
                "id",
                "0".to_owned(),
                "ids begin at 1",
                "use the id of the genesis file",
            );
        }
        if config.rpc.is_empty() {
            let remedy = "list at least one node's address, https://host:port";
            return refuse("rpc", "[]".to_owned(), "no node is named", remedy);
        }
        for (index, address) in config.rpc.iter().enumerate() {
            if !address.starts_with("http://") && !address.starts_with("https://") {
                let field = format!("rpc[{index}]");
                return refuse(
                    &field,
                    address.clone(),
                    "it is not an address",
                    "write https://host:port, or http://host:port",
                );
            }
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        config.key = folder.join(&config.key);
        config.genesis = folder.join(&config.genesis);
        config.token = config.token.map(|token| folder.join(token));
        config.authorities = config.authorities.map(|file| folder.join(file));
        Ok(config)
    }

    /// Returns the participant's id.
    pub fn participant(&self) -> ParticipantId {
        ParticipantId::new(self.id)
    }

    /// Reads the key and the genesis file. Whether the key is the participant's is for the registry
    /// at the head to say, not for the genesis file: keys are rotated, and governance adds parties.
    ///
    /// # Errors
    /// When either cannot be used.
    pub fn open(&self) -> Result<(ChainGenesis, SecretKey), ConfigFault> {
        Ok((load_genesis(&self.genesis)?, load_secret_key(&self.key)?))
    }
}
