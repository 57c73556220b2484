//! Counts every strike, and bans a peer with too many.

use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::command::Command;
use crate::metrics::Metrics;
use crate::remote::{Remote, Short};
use crate::strikes::{Rules, Strike};

/// Shared by all who find a peer at fault.
#[derive(Debug, Clone)]
pub(crate) struct Referee {
    pub(crate) rules: Rules,
    pub(crate) metrics: Metrics,
    pub(crate) commands: mpsc::Sender<Command>,
}

impl Referee {
    /// Counts a strike; true if the peer is banned now. Logs the ban, and never the strike.
    pub(crate) fn strike(&self, remote: &Remote, kind: Strike) -> bool {
        let mut record = remote.record();
        if let Some(ban) = record.strike(kind, Instant::now(), &self.rules) {
            let command = Command::Ban { key: remote.key, until: ban.until };
            if self.commands.try_send(command).is_ok() {
                remote.is_banned.store(true, Ordering::Release);
                self.metrics.ban(remote.key);
                let (peer, count, seconds) = (Short(remote.key), ban.count, ban.length.as_secs());
                tracing::warn!(%peer, ?kind, count, seconds, "peer banned");
            } else {
                // The queue is full or the network stops: the next strike bans it.
                record.lift();
            }
        }
        self.metrics.strike(remote.key, kind);
        record.banned_until().is_some()
    }

    /// Tells the operator of the strikes that led to no ban yet, a line for each kind.
    pub(crate) fn report(&self, remote: &Remote) {
        let peer = Short(remote.key);
        for (kind, count) in remote.record().take_unreported() {
            tracing::warn!(%peer, ?kind, count, "dropped invalid messages");
        }
    }
}
