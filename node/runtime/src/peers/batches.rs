//! One peer's batches on their way to the driver, in a task of its own. Small ones, whose cost is
//! their signature, are verified with those that arrive meanwhile; large ones on worker threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chain_types::batch::BATCH_PREFIX_BYTES;
use chain_types::{PublicKey, SignedBatch};
use node_network::Ignored;
use node_replica::Input;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;

use super::context::Peers;
use super::messages::Arrived;
use super::recent::Recent;
use crate::inbox::Source;
use crate::submissions::{SMALL_BYTES, TOGETHER_MAX, next_company};

/// Large batches of one peer that are verified at once.
const VERIFYING_A_PEER_MAX: usize = 3;
/// For how long a peer's batches are not read after one that was of no use: it wastes no more than
/// a hundredth of a core.
const USELESS_PAUSE: Duration = Duration::from_millis(5);
/// For how long the same batch is not taken again. A peer sends each batch once; what was lost is
/// asked for, and answers are not compared.
const DUPLICATE_AGE_MAX: Duration = Duration::from_secs(10);
/// A peer's batches whose hashes are kept.
const DUPLICATES_MAX: usize = 16_384;

/// Takes one peer's batches.
pub struct BatchListener {
    /// The network key of the peer.
    pub from: PublicKey,
    /// The handles that all tasks share.
    pub peers: Peers,
    /// Places for large batches of all peers that are verified at once.
    pub verifying: Arc<Semaphore>,
}

impl BatchListener {
    /// Runs until the sending end is dropped.
    pub async fn run(self, mut arriving: mpsc::Receiver<Arrived>) {
        let own_places = Arc::new(Semaphore::new(VERIFYING_A_PEER_MAX));
        let mut recent = Recent::new(DUPLICATE_AGE_MAX, DUPLICATES_MAX);
        let mut group = Vec::with_capacity(TOGETHER_MAX);
        let mut company = TOGETHER_MAX;
        while arriving.recv_many(&mut group, company).await > 0 {
            let (mut small, mut useless) = (Vec::new(), 0);
            for Arrived { bytes, room } in group.drain(..) {
                if self.peers.network.is_banned(&self.from) {
                    self.peers.network.ignored(self.from, Ignored::Banned, 1);
                    continue;
                }
                let is_small = bytes.len() <= SMALL_BYTES;
                let decoded = SignedBatch::decode(bytes);
                let Some(batch) = self.peers.sound(self.from, decoded) else {
                    useless += 1;
                    continue;
                };
                let head = batch.bytes().get(..BATCH_PREFIX_BYTES).unwrap_or_default();
                // With its signature: a wrong one must not hide the right one.
                if !recent.insert(head, Instant::now()) {
                    self.peers.network.ignored(self.from, Ignored::Duplicate, 1);
                    useless += 1;
                } else if is_small {
                    small.push((batch, room));
                } else if !self.verify_large(batch, room, &own_places).await {
                    return;
                }
            }
            let (batches, rooms): (Vec<_>, Vec<_>) = small.into_iter().unzip();
            let verified = self.peers.verify_all(batches);
            company = next_company(company, &verified);
            for result in verified {
                match self.peers.sound(self.from, result) {
                    None => useless += 1,
                    Some(batch) => {
                        if self
                            .peers
                            .inputs
                            .send(Source::Batches, Input::Batch(batch))
                            .await
                            .is_err()
                        {
                            return;
                        }
                    }
                }
            }
            drop(rooms);
            if useless > 0 {
                sleep(USELESS_PAUSE * useless).await;
            }
        }
    }

    /// Verifies a batch beside this task once there is a place; false when the node ends.
    async fn verify_large(
        &self,
        batch: SignedBatch,
        room: node_network::Room,
        own_places: &Arc<Semaphore>,
    ) -> bool {
        let (Ok(own_place), Ok(place)) = (
            own_places.clone().acquire_owned().await,
            self.verifying.clone().acquire_owned().await,
        ) else {
            return false;
        };
        let (peers, from) = (self.peers.clone(), self.from);
        tokio::spawn(async move {
            let take = move || peers.take(from, vec![batch]);
            // Fails only when the runtime ends.
            let useless = tokio::task::spawn_blocking(take).await.unwrap_or_default();
            drop((room, place));
            sleep(USELESS_PAUSE * useless).await;
            drop(own_place);
        });
        true
    }
}
