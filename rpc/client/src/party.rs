//! A party at work: its key, the chain it signs for and the nodes it talks to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chain_types::batch::{BATCH_ITEMS_MAX, BatchItem};
use chain_types::{ChainGenesis, ChainId, ParticipantId, SecretKey, SignedBatch};
use genesis::ParticipantConfig;
use rpc_api::Wait;
use zerocopy::{Immutable, IntoBytes};

use super::access::NodeAccess;
use super::client::{CallError, Client, Submitted};
use super::operations::{Operations, now};

/// How long after it is signed a batch may commit, in milliseconds.
pub const BATCH_VALID_MS: u64 = 120_000;

/// How long a batch's final outcome is waited for.
const SAY_TIMEOUT: Duration = Duration::from_secs(30);

/// A participant with its key.
#[derive(Debug, Clone)]
pub struct Party {
    /// The participant that signs.
    pub id: ParticipantId,
    /// The key that signs its batches.
    pub key: SecretKey,
    /// The chain that its signatures are bound to.
    pub chain_id: ChainId,
    /// The nodes it talks to.
    pub client: Arc<Client>,
    /// The node that it talks to first: parties spread over the nodes.
    pub first_node: usize,
}

impl Party {
    /// The party of a configuration file, with the registry of its chain. It talks to `client`,
    /// or to the nodes that the file names.
    ///
    /// # Errors
    /// When the file, its key or its genesis file cannot be used, or do not belong together.
    pub fn open(
        config: &Path,
        client: Option<Arc<Client>>,
    ) -> anyhow::Result<(Self, ChainGenesis)> {
        let config = ParticipantConfig::load(config)?;
        let (genesis, key) = config.open()?;
        let client = match client {
            Some(client) => client,
            None => Arc::new(Client::open(&config.rpc, &NodeAccess::of(&config)?)?),
        };
        let (id, chain_id) = (config.participant(), genesis.chain_id);
        Ok((Self { id, key, chain_id, client, first_node: 0 }, genesis))
    }

    /// Signs `items` as one batch, submits it and waits until it is final.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn say<T: BatchItem + IntoBytes + Immutable>(
        &self,
        items: &[T],
    ) -> Result<Submitted, CallError> {
        let valid_until = now().plus(BATCH_VALID_MS);
        let bytes = SignedBatch::sign(self.chain_id, self.id, &self.key, valid_until, items);
        self.client.submit(self.first_node, bytes.into(), Wait::Final, SAY_TIMEOUT).await
    }

    /// Signs `operations` as one batch and submits it, as [`Client::submit`] does.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn submit(
        &self,
        operations: &Operations,
        wait: Wait,
        timeout: Duration,
    ) -> Result<Submitted, CallError> {
        let valid_until = now().plus(BATCH_VALID_MS);
        let all = 0..operations.count().min(BATCH_ITEMS_MAX as usize);
        let bytes = operations.sign(all, self.chain_id, self.id, &self.key, valid_until);
        self.client.submit(self.first_node, bytes.into(), wait, timeout).await
    }
}
