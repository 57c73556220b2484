//! The node's outlook: made and signed when somebody asks for it, at most each 100 ms.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chain_types::{ChainId, Node, PublicKey, Rejection, SecretKey, ValidatorId};
use consensus_scheduler::outlook::OutlookContext;
use consensus_scheduler::{Outlook, SignedOutlook};
use node_replica::{SharedScheduler, SharedState};

use super::driver::wall_clock;
use super::vitals::Vitals;

/// How long one outlook is shown to all who ask.
const SHOWN: Duration = Duration::from_millis(100);

/// The signer of a node's outlooks, and the last one.
pub struct Outlooks {
    /// The id of the chain.
    pub chain_id: ChainId,
    /// The key of the node's connections, by which the registry names it.
    pub network_key: PublicKey,
    /// The key that signs. The registry lists its public half as the node's validator key.
    pub key: SecretKey,
    /// The committed state, for the head and the registry.
    pub state: SharedState,
    /// The shares that are shown.
    pub shares: SharedScheduler,
    /// The driver's figures, for the load.
    pub vitals: Arc<Vitals>,
    /// The last outlook, and when it was made.
    pub last: Mutex<Option<(Instant, Arc<MadeOutlook>)>>,
}

/// An outlook with its signature.
pub struct MadeOutlook {
    /// The head, and the lines under it.
    pub outlook: Outlook,
    /// The head as the node signed it.
    pub signed: SignedOutlook,
}

impl Outlooks {
    /// Returns the outlook of now; `None` while the registry does not name the node.
    pub fn get(&self) -> Option<Arc<MadeOutlook>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_at, made)) = &*last
            && made_at.elapsed() < SHOWN
        {
            return Some(made.clone());
        }
        let made = Arc::new(self.make()?);
        *last = Some((Instant::now(), made.clone()));
        Some(made)
    }

    fn make(&self) -> Option<MadeOutlook> {
        let (height, block_time) = self.state.head();
        let made_at = wall_clock();
        let context = OutlookContext {
            chain_id: self.chain_id,
            node: self.place()?,
            height,
            block_time,
            load_ppm: self.vitals.load_ppm.load(Ordering::Relaxed),
            reason: Rejection::PoolFull.code(),
            made_at,
        };
        let outlook =
            self.shares.with(made_at, |scheduler, now_us| Outlook::of(scheduler, &context, now_us));
        let signed = outlook.sign(&self.key);
        Some(MadeOutlook { outlook, signed })
    }

    /// The node's place in the registry, under the keys that it has.
    fn place(&self) -> Option<ValidatorId> {
        let own = self.key.public_key();
        let is_own =
            |node: &Node| node.network_key == self.network_key && node.validator_key == own;
        let rules = self.state.rules();
        let mut places = (0..).zip(rules.registry.nodes.iter());
        places.find(|(_, node)| is_own(node)).map(|(place, _)| ValidatorId::new(place))
    }
}
