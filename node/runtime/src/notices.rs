//! The driver's lines for its operator: why no block comes, that nobody lets the node in, who is
//! passed over. docs/operating.md explains each in the same words.

use std::time::Instant;

use chain_types::{Certificate, ValidatorId};
use node_replica::{NodeIndex, Role};
use tracing::{info, warn};

use super::driver::Driver;
use super::readiness::{listed, waits_for_text};
use super::watch::Notice;

impl Driver {
    /// Shows others where the replica stands, and tells the operator what is due.
    pub(super) fn look(&mut self) {
        self.vitals.publish(self.replica.progress());
        let has_others = self.registration.has_peers() || self.directory.has_others();
        let is_alone = has_others && self.network.connected().is_empty();
        self.registration.look(is_alone, Instant::now());
        let notices = self.watch.tick(Instant::now(), is_alone);
        self.tell_all(notices);
    }

    /// Counts a block whose certificate lacks the signature of this validator.
    pub(super) fn count_own_vote(&self, certificate: &Certificate) {
        if let Role::Votes(own) = self.role
            && !certificate.signatures.iter().any(|(signer, _)| *signer == own)
        {
            self.metrics.own_votes_missed.inc();
        }
    }

    pub(super) fn tell_all(&self, notices: Vec<Notice>) {
        for notice in notices {
            self.tell(notice);
        }
    }

    fn tell(&self, notice: Notice) {
        match notice {
            Notice::NoBlock(age) => {
                let progress = self.replica.progress();
                let connected = self.network.connected();
                let connected = connected.iter().filter_map(|key| self.directory.index(key));
                let missing = progress.waits_for.missing();
                warn!(
                    height = %progress.height,
                    round = progress.round.map(|round| round.get()),
                    waits_for = waits_for_text(&progress.waits_for, |id| self.validator(id)),
                    missing = listed(missing.iter().map(|id| self.validator(*id))),
                    connected = listed(connected.map(|node| self.directory.name(node))),
                    mute = progress.mute.map(|reason| reason.to_string()),
                    "no block for {} s",
                    age.as_secs()
                );
            }
            Notice::BlocksAgain(age) => {
                let height = self.replica.committed();
                info!(%height, "blocks come again, after {} s without one", age.as_secs());
            }
            Notice::NobodyLetsIn(age) => warn!(
                network_key = %self.registration.network_key(),
                is_registered = self.registration.is_registered(),
                peers = self.registration.peers(),
                "no peer lets this node in for {} s: check that the others know its network key \
                 (the operators register it by governance), and that the keys and addresses of \
                 its peers are right",
                age.as_secs()
            ),
            Notice::LetIn => info!("a peer lets this node in"),
            Notice::PassedOver(passed) => info!(
                validator = self.validator(passed.validator),
                until_height = %passed.until,
                reason = %passed.reason,
                "a validator is passed over"
            ),
            Notice::Forgiven(validator, reason) => info!(
                validator = self.validator(validator),
                %reason,
                "a validator is passed over no longer"
            ),
        }
    }

    /// The name of a validator.
    fn validator(&self, id: ValidatorId) -> String {
        self.directory.name(NodeIndex::new(id.get()))
    }
}
