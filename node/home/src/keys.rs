//! The keys that held at each height: stored batches are verified with them.

use chain_store::{ChainStore as _, PAGE_ITEMS_MAX, Store, StoreFault};
use chain_types::{ChainGenesis, Height, ParticipantId, PartyKeys};

/// The keys of all participants, by the height from whose block on they hold.
pub struct KeyHistory {
    /// Ascending by height; the genesis file's come first. Each ascending by participant.
    since: Vec<(Height, Vec<PartyKeys>)>,
}

impl KeyHistory {
    /// Reads the keys of the genesis file and of each registry that governance made, as far as the
    /// store has indexed them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn read(store: &Store, genesis: &ChainGenesis) -> Result<Self, StoreFault> {
        let mut since = vec![(Height::new(0), genesis_parties(genesis))];
        loop {
            let after = since.last().map(|(height, _)| *height);
            let page = store.registries(after, PAGE_ITEMS_MAX)?;
            let is_last = page.len() < PAGE_ITEMS_MAX;
            since.extend(page.into_iter().map(|registry| (registry.since, registry.parties)));
            if is_last {
                return Ok(Self { since });
            }
        }
    }

    /// A participant's keys at the block of a height.
    pub fn keys(&self, height: Height, id: ParticipantId) -> Option<PartyKeys> {
        let at = self.since.partition_point(|(since, _)| *since <= height).checked_sub(1)?;
        let (_, parties) = self.since.get(at)?;
        let at = parties.binary_search_by_key(&id, |keys| keys.participant).ok()?;
        parties.get(at).copied()
    }
}

/// The keys of all participants of the genesis file, ascending by id.
pub fn genesis_parties(genesis: &ChainGenesis) -> Vec<PartyKeys> {
    genesis.participants.iter().map(PartyKeys::of).collect()
}
