//! The driver's part in who may connect: peers come and go as the chain's registry says.

use std::sync::Arc;
use std::time::Instant;

use chain_types::PublicKey;

use crate::config::Membership;
use crate::driver::{Book, Driver};
use crate::remote::{Remote, Short};
use crate::swarm::{connection_limits, peer_id_of};

impl Driver {
    /// Takes over the keys that are allowed now.
    pub(crate) fn follow_allowed(&mut self) {
        let Membership { mut allowed, peers } = self.membership.borrow_and_update().clone();
        allowed.remove(&self.own);
        if let Some(peers) = peers {
            self.dialer.follow(peers);
        }
        for remote in self.remotes.all() {
            if !allowed.contains(&remote.key) {
                self.bar(&remote);
            }
        }
        for key in allowed {
            if self.remotes.get(&key).is_none() {
                self.admit(key);
            }
        }
        for remote in self.remotes.all() {
            // A peer whose address has just become known.
            self.dialer.admit_new(&remote.key, Instant::now());
        }
        let bounds = connection_limits(&self.limits, self.remotes.len());
        *self.swarm.behaviour_mut().limits.limits_mut() = bounds;
    }

    fn admit(&mut self, key: PublicKey) {
        let Some(id) = peer_id_of(&key) else {
            tracing::error!(peer = %Short(key), "key cannot be admitted: it is not an ed25519 key");
            return;
        };
        let cancel = self.lanes.cancel.child_token();
        let remote = Arc::new(Remote::new(key, id, &self.limits, cancel));
        self.remotes.insert(&remote);
        self.books.insert(key, Book::new(&self.limits));
        self.swarm.behaviour_mut().allowed.allow_peer(id);
        self.lanes.write(&remote, &self.swarm.behaviour().streams);
        self.dialer.admit(&key, Instant::now());
        tracing::debug!(peer = %Short(key), "peer may connect");
    }

    fn bar(&mut self, remote: &Remote) {
        let key = remote.key;
        self.swarm.behaviour_mut().allowed.disallow_peer(remote.id);
        remote.cancel.cancel();
        self.dialer.bar(&key);
        self.gate.forget(&key);
        self.metrics.forget(key);
        self.books.remove(&key);
        self.remotes.remove(remote);
        // Requests of it that are being answered are of a book that is closed.
        self.serving.retain(|_, asker| *asker != key);
        remote.set_linked(false);
        if remote.set_ready(false) {
            self.metrics.peers_connected.dec();
            self.forget_link(key);
        }
        tracing::warn!(peer = %Short(key), "peer removed: it left the registry");
    }
}
