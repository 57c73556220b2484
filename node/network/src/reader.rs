//! Receiving: a task for each lane takes the streams that peers open, and one for each stream
//! reads it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncWriteExt as _, StreamExt as _};
use libp2p::Stream;
use libp2p_stream::IncomingStreams;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

use crate::event::Inbox;
use crate::frame::{FrameError, HEADER_BYTES, read_body, read_length, skip_body};
use crate::lane::Lane;
use crate::metrics::{Loss, Metrics, Traffic};
use crate::referee::Referee;
use crate::remote::{Remote, Remotes};
use crate::strikes::Strike;

/// The one byte that tells the opener that its stream has a reader.
pub(crate) const READY: [u8; 1] = [1];

/// For how long a stream is not read after a message above the budget.
const OVER_BUDGET_PAUSE: Duration = Duration::from_millis(100);

/// The state that the readers of one lane need.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) lane: Lane,
    pub(crate) frame_bytes_max: usize,
    pub(crate) inbox: Inbox,
    pub(crate) referee: Referee,
    pub(crate) metrics: Metrics,
    pub(crate) traffic: Traffic,
}

impl Reader {
    /// Takes the streams that peers open, each in a task of its own, until the network stops.
    pub(crate) async fn accept(
        self,
        mut incoming: IncomingStreams,
        remotes: Arc<Remotes>,
        tracker: TaskTracker,
    ) {
        while let Some((id, stream)) = incoming.next().await {
            // Only allowed keys get a connection; one that is missing was barred just now.
            let Some(remote) = remotes.by_id(&id) else { continue };
            let (reader, lane) = (self.clone(), Arc::clone(&remote));
            let task = tracker.spawn(async move {
                remote.cancel.run_until_cancelled(reader.run(stream, &remote)).await;
            });
            lane.lane(self.lane).replace_reader(task.abort_handle());
        }
    }

    async fn run(&self, mut stream: Stream, remote: &Remote) {
        match self.read(&mut stream, remote).await {
            Ok(()) => {}
            Err(FrameError::Io(error)) => {
                tracing::debug!(peer = %remote.id, lane = self.lane.name(), %error, "stream broke");
            }
            Err(error @ FrameError::Size { .. }) => {
                tracing::debug!(peer = %remote.id, lane = self.lane.name(), %error, "bad frame");
                self.referee.strike(remote, Strike::Frame);
            }
        }
    }

    async fn read(&self, stream: &mut Stream, remote: &Remote) -> Result<(), FrameError> {
        stream.write_all(&READY).await?;
        stream.flush().await?;
        while let Some(length) = read_length(stream, self.frame_bytes_max).await? {
            if remote.is_banned() {
                // Its connections are being closed.
                return Ok(());
            }
            let moved = || remote.moved();
            if !remote.lane(self.lane).afford(length + HEADER_BYTES) {
                skip_body(stream, length, moved).await?;
                self.metrics.dropped(self.lane, Loss::OverBudget, 1);
                sleep(OVER_BUDGET_PAUSE).await;
                continue;
            }
            let bytes = read_body(stream, length, moved).await?;
            self.traffic.count(1, (length + HEADER_BYTES) as u64);
            if !self.inbox.deliver(remote, self.lane, bytes).await {
                return Err(io::Error::other("nobody takes events any more").into());
            }
        }
        Ok(())
    }
}
