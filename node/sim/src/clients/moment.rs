//! The means that a participant has at hand when it acts.

use std::collections::BTreeMap;

use bytes::Bytes;
use chain_state::State;
use chain_types::batch::BatchItem;
use chain_types::{
    ParticipantId, PartyKeys, PublicKey, SecretKey, SignedBatch, TimeMs, VerifiedBatch,
};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::setup::participant_key;

/// How much sooner a batch expires than its orders.
const BATCH_SOONER_MS: u64 = 1_000;

/// The batch keys of all participants: those they have, had, or mean to have.
#[derive(Debug, Default)]
pub struct Keyring(BTreeMap<ParticipantId, Vec<SecretKey>>);

impl Keyring {
    /// A new key for a participant.
    pub fn make(&mut self, id: ParticipantId) -> PublicKey {
        let keys = self.0.entry(id).or_insert_with(|| vec![participant_key(id, 0)]);
        let rotations = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let key = participant_key(id, rotations);
        let public_key = key.public_key();
        keys.push(key);
        public_key
    }

    fn find(&mut self, id: ParticipantId, public_key: PublicKey) -> Option<SecretKey> {
        let keys = self.0.entry(id).or_insert_with(|| vec![participant_key(id, 0)]);
        keys.iter().find(|key| key.public_key() == public_key).cloned()
    }
}

/// The means of a participant: a node's state, the time, its keys, and chance.
pub struct Moment<'a> {
    /// The state that the node shows.
    pub state: &'a State,
    /// The time by the participant's clock.
    pub now: TimeMs,
    /// The source of chance, which the seed determines.
    pub random: &'a mut ChaCha8Rng,
    /// The keys of all participants.
    pub keys: &'a mut Keyring,
}

impl Moment<'_> {
    /// One of these.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.random_range(0..of.len())]
    }

    /// At most so many of these, in their order, each as likely as the others.
    pub fn some<T>(&mut self, mut of: Vec<T>, most: usize) -> Vec<T> {
        while of.len() > most {
            of.remove(self.random.random_range(0..of.len()));
        }
        of
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.random.random_range(0..times) == 0
    }

    /// A batch of these items, or `None` when there are none. Whoever has two keys still signs
    /// with the older one as often.
    pub fn sign<T>(&mut self, submitter: ParticipantId, items: &[T]) -> Option<VerifiedBatch>
    where
        T: zerocopy::IntoBytes + zerocopy::Immutable + BatchItem,
    {
        if items.is_empty() {
            return None;
        }
        let keys = *self.state.party_keys(submitter)?;
        let previous = keys.previous.map(|(key, _)| key).filter(|_| self.one_in(2));
        let key = self.keys.find(submitter, previous.unwrap_or(keys.current))?;
        let validity_ms = self.state.parameters().order_validity_ms;
        let until = self.now.plus(validity_ms - BATCH_SOONER_MS);
        let chain_id = self.state.chain_id();
        let bytes = SignedBatch::sign(chain_id, submitter, &key, until, items);
        let verified = SignedBatch::decode(Bytes::from(bytes)).and_then(|batch| {
            batch.verify(chain_id, |participant| {
                Some(PartyKeys { participant, current: key.public_key(), previous: None })
            })
        });
        match verified {
            Ok(batch) => Some(batch),
            Err(error) => unreachable!("a batch just signed does not verify: {error}"),
        }
    }
}
