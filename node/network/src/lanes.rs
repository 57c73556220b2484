//! The reading and the writing of both lanes: who may speak changes while they run.

use std::sync::Arc;

use chain_types::ChainId;
use libp2p::StreamProtocol;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::command::Command;
use crate::config::Limits;
use crate::event::Inbox;
use crate::fault::NetworkFault;
use crate::lane::Lane;
use crate::metrics::{Direction, Metrics};
use crate::reader::Reader;
use crate::referee::Referee;
use crate::remote::{Remote, Remotes};
use crate::swarm;
use crate::writer::Writer;

/// The state that the tasks of the lanes share.
pub(crate) struct Lanes {
    /// In the order of [`Lane::ALL`].
    pub(crate) protocols: [StreamProtocol; 2],
    pub(crate) inbox: Inbox,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) metrics: Metrics,
    pub(crate) referee: Referee,
    pub(crate) tracker: TaskTracker,
    pub(crate) cancel: CancellationToken,
}

impl Lanes {
    pub(crate) fn new(
        chain_id: &ChainId,
        inbox: &Inbox,
        referee: &Referee,
        cancel: CancellationToken,
    ) -> Result<Self, NetworkFault> {
        Ok(Self {
            protocols: Self::protocols(chain_id)?,
            inbox: inbox.clone(),
            commands: referee.commands.clone(),
            metrics: referee.metrics.clone(),
            referee: referee.clone(),
            tracker: TaskTracker::new(),
            cancel,
        })
    }

    fn protocols(chain_id: &ChainId) -> Result<[StreamProtocol; 2], NetworkFault> {
        let [consensus, bulk] = Lane::ALL.map(|lane| swarm::lane_protocol(chain_id, lane));
        Ok([consensus?, bulk?])
    }

    fn protocol(&self, lane: Lane) -> StreamProtocol {
        let [consensus, bulk] = &self.protocols;
        match lane {
            Lane::Consensus => consensus.clone(),
            Lane::Bulk => bulk.clone(),
        }
    }

    /// Starts to take the streams of a lane that allowed peers open.
    pub(crate) fn read(
        &self,
        lane: Lane,
        limits: &Limits,
        remotes: &Arc<Remotes>,
        streams: &libp2p_stream::Behaviour,
    ) -> Result<(), NetworkFault> {
        let incoming = streams
            .new_control()
            .accept(self.protocol(lane))
            .map_err(|error| NetworkFault::Transport(error.to_string()))?;
        let reader = Reader {
            lane,
            frame_bytes_max: limits.lane(lane).frame_bytes_max,
            inbox: self.inbox.clone(),
            referee: self.referee.clone(),
            metrics: self.metrics.clone(),
            traffic: self.metrics.traffic(lane, Direction::In),
        };
        let accept = reader.accept(incoming, Arc::clone(remotes), self.tracker.clone());
        let cancel = self.cancel.clone();
        self.tracker.spawn(async move {
            cancel.run_until_cancelled(accept).await;
        });
        Ok(())
    }

    /// Starts to send both lanes to a peer, until it is allowed no more.
    pub(crate) fn write(&self, remote: &Arc<Remote>, streams: &libp2p_stream::Behaviour) {
        for lane in Lane::ALL {
            let writer = Writer {
                remote: Arc::clone(remote),
                lane,
                protocol: self.protocol(lane),
                control: streams.new_control(),
                commands: self.commands.clone(),
                referee: self.referee.clone(),
                metrics: self.metrics.clone(),
                traffic: self.metrics.traffic(lane, Direction::Out),
            };
            let cancel = remote.cancel.clone();
            self.tracker.spawn(async move {
                cancel.run_until_cancelled(writer.run()).await;
            });
        }
    }
}
