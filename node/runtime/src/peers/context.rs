//! The handles that the tasks of all peers share, and the checks of a peer's batch before the
//! driver gets it.

use std::sync::{Arc, Mutex};

use chain_store::Store;
use chain_types::{BatchError, ChainId, PublicKey, Rejection, SignedBatch, VerifiedBatch};
use node_network::{Ignored, Network, Strike, Throttle};
use node_replica::{Input, SharedState, read_state};

use super::directory::Directory;
use crate::hub::Hub;
use crate::inbox::{InputSender, Source};
use crate::vitals::Vitals;

/// The handles that the tasks of all peers share.
#[derive(Clone)]
pub struct Peers {
    /// The id of the chain.
    pub chain_id: ChainId,
    /// The network, which leads to the peers.
    pub network: Network,
    /// The nodes by their network keys.
    pub directory: Arc<Directory>,
    /// The inbox of the driver.
    pub inputs: InputSender,
    /// For keys of submitters.
    pub state: SharedState,
    /// The store, for requests of peers.
    pub store: Arc<Store>,
    /// For answers of the pool.
    pub hub: Arc<Hub>,
    /// True if this node is catching up, so that it knows less than its peers.
    pub vitals: Arc<Vitals>,
    /// Holds back log lines of reads that failed.
    pub read_faults: Arc<Mutex<Throttle>>,
}

impl Peers {
    pub(super) fn verify_all(
        &self,
        batches: Vec<SignedBatch>,
    ) -> Vec<Result<VerifiedBatch, BatchError>> {
        let keys_of = |id| read_state(&self.state).ready_keys(id);
        SignedBatch::verify_all(batches, self.chain_id, keys_of)
    }

    /// Verifies a peer's batches and hands them to the driver; waits while too many wait for it.
    /// Gives the number of those that do not hold.
    pub(super) fn take(&self, from: PublicKey, batches: Vec<SignedBatch>) -> u32 {
        let mut useless = 0;
        for result in self.verify_all(batches) {
            match self.sound(from, result) {
                Some(batch) => {
                    // Fails only once the driver has ended.
                    let _ = self.inputs.send_blocking(Source::Batches, Input::Batch(batch));
                }
                None => useless += 1,
            }
        }
        useless
    }

    /// Returns what a peer sent, if it holds; otherwise the peer is at fault, or was ahead of this
    /// node.
    pub(super) fn sound<T>(&self, from: PublicKey, result: Result<T, BatchError>) -> Option<T> {
        let error = match result {
            Ok(sound) => return Some(sound),
            Err(error) => error,
        };
        let kind = strike_of(error.rejection);
        if kind == Strike::Unverifiable && self.vitals.is_catching_up() {
            self.network.ignored(from, Ignored::Unverifiable, 1);
        } else {
            self.network.strike(from, kind);
        }
        None
    }
}

/// A batch whose submitter, key, kind or version this node does not know may be right elsewhere.
pub(super) const fn strike_of(rejection: Rejection) -> Strike {
    match rejection {
        Rejection::SubmitterUnknown
        | Rejection::SignatureInvalid
        | Rejection::VersionUnsupported
        | Rejection::KindUnknown => Strike::Unverifiable,
        _ => Strike::Batch,
    }
}
