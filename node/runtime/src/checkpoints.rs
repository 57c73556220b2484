//! The thread that writes checkpoints. It copies the state piece by piece while the driver goes on.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use chain_store::{ChainStore as _, Store};
use chain_types::Height;
use consensus_core::Proposers;
use node_replica::{Checkpoint, Snapshot};
use tracing::{debug, error, warn};

/// A checkpoint to be written.
pub struct Work {
    /// The height it is after.
    pub height: Height,
    /// The state of which a checkpoint is made.
    pub snapshot: Snapshot,
    /// The proposers, with those that are passed over.
    pub proposers: Proposers,
}

/// The thread and the way to it, which holds nothing: a checkpoint is taken up at once or left out.
pub struct Checkpoints {
    store: Arc<Store>,
    work: SyncSender<Work>,
    thread: JoinHandle<()>,
}

impl Checkpoints {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(store: Arc<Store>) -> io::Result<Self> {
        let (work, offered) = sync_channel(0);
        let to = store.clone();
        let thread = std::thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || write_all(&to, &offered))?;
        Ok(Self { store, work, thread })
    }

    /// Has a checkpoint written, unless the one before still is: then it is left out.
    /// Says whether it is taken up.
    pub fn write(&self, work: Work) -> bool {
        match self.work.try_send(work) {
            Ok(()) => return true,
            Err(TrySendError::Full(Work { height, .. })) => {
                left_out(height);
            }
            // The store has failed, which the driver learns from its next write, or a bug.
            Err(TrySendError::Disconnected(Work { height, .. })) => {
                error!(%height, "no checkpoint: an earlier one could not be written");
            }
        }
        false
    }

    /// Waits for the one that is being written, which hurries now.
    pub fn finish(self) {
        drop(self.work);
        self.store.hurry();
        if self.thread.join().is_err() {
            error!("writing a checkpoint broke an internal invariant; the one before it holds");
        }
    }
}

/// Tells the operator that a checkpoint was due and is left out.
pub fn left_out(height: Height) {
    warn!(%height, "no checkpoint: the one before is still being written");
}

fn write_all(store: &Store, offered: &Receiver<Work>) {
    while let Ok(Work { height, snapshot, proposers }) = offered.recv() {
        let (started, mut bytes) = (Instant::now(), 0);
        let pieces = Checkpoint::pieces_of(snapshot.into_pieces(), &proposers);
        let mut pieces = pieces.inspect(|piece| bytes += piece.len());
        if let Err(fault) = store.checkpoint_of(height, &mut pieces) {
            error!(%height, %fault, "the checkpoint could not be written; the one before it holds");
            return;
        }
        drop(pieces);
        debug!(%height, bytes, seconds = started.elapsed().as_secs_f64(), "checkpoint");
    }
}
