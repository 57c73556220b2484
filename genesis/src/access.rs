//! The callers that a node answers.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::check::is_development;
use crate::fault::{ConfigFault, FieldError};

/// The callers that the port answers: `access = "open"` or `access = { tokens = "PATH" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessSection {
    /// Everybody may call everything. A chain of real money refuses it.
    Open,
    /// Callers with a token of this file may call what it grants; others may ask for the chain id
    /// and the health.
    Tokens(PathBuf),
}

impl AccessSection {
    /// Refuses to answer everybody on a chain of real money, by its genesis file.
    ///
    /// # Errors
    /// When the rule is `open` and the genesis file is not of a development network, or cannot be
    /// read.
    pub fn check(&self, genesis: &Path) -> Result<(), ConfigFault> {
        if *self != Self::Open {
            return Ok(());
        }
        let bytes = std::fs::read(genesis)
            .map_err(|source| ConfigFault::Read { path: genesis.to_owned(), source })?;
        if is_development(&bytes) {
            return Ok(());
        }
        let problem = "it is a demonstration's: everybody could read every party's business";
        let remedy = "name a file of tokens (docs/access.md), or leave it out";
        Err(ConfigFault::Plan(FieldError::new("rpc.access", "open", problem, remedy)))
    }
}
