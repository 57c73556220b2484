//! The rights of participants, looked up fast. Genesis makes the first one; governance each later
//! one.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bincode::{Decode, Encode};
use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::{
    ChainGenesis, ChainId, Currency, Digest, Height, Node, Parameters, Participant, ParticipantId,
    PartyKeys, PublicKey, ReadyKeys, ValidatorSet, merkle,
};

use crate::records::RegistryRecord;

/// The owner of a withdrawn key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum KeyOwner {
    /// It signed a participant's batches.
    Participant(ParticipantId),
    /// It was of the connections of the node at this place; of an edge node, its only one.
    Network(u32),
    /// It was of the votes of the node at this place.
    Votes(u32),
}

/// A key that was registered and is so no longer. Nobody is registered with it again as long as it
/// is remembered, and what it signed while it held is judged with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WithdrawnKey {
    /// The key that was registered.
    pub key: PublicKey,
    /// The owner of the key, and its purpose.
    pub owner: KeyOwner,
    /// The last height whose block executed while it held.
    pub last: Height,
}

/// The content of a registry: what governance changes, but for merchants and programmes, which are
/// [`crate::Tables`]. A copy shares every list until one of the two changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryContent {
    /// The parameters of the chain.
    pub parameters: Parameters,
    /// The currencies that are accepted, ascending.
    pub currencies: Arc<Vec<Currency>>,
    /// The participants, ascending by id.
    pub participants: Arc<Vec<Participant>>,
    /// The key of a participant before its present one, and the last height that accepts it.
    pub previous_keys: Arc<BTreeMap<ParticipantId, (PublicKey, Height)>>,
    /// Validators and edge nodes; a validator's number is its place. A removed one keeps its place.
    pub nodes: Arc<Vec<Node>>,
    /// Keys that were withdrawn, the earliest first; see [`RegistryContent::forget_keys`].
    pub withdrawn_keys: Arc<Vec<WithdrawnKey>>,
    /// The protocol version that blocks are executed by.
    pub protocol_version: u16,
}

impl RegistryContent {
    /// Makes the registry of a genesis file.
    pub fn genesis(genesis: &ChainGenesis) -> Self {
        let mut currencies = genesis.currencies.clone();
        currencies.sort_unstable();
        Self {
            parameters: genesis.parameters.clone(),
            currencies: Arc::new(currencies),
            participants: Arc::new(genesis.participants.clone()),
            previous_keys: Arc::default(),
            nodes: Arc::new(genesis.nodes.clone()),
            withdrawn_keys: Arc::default(),
            protocol_version: PROTOCOL_VERSION,
        }
    }

    /// Returns the participant of an id.
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        let at = self.participants.binary_search_by_key(&id, |known| known.id).ok()?;
        self.participants.get(at)
    }

    /// Remembers a key that is withdrawn.
    pub fn withdraw(&mut self, key: PublicKey, owner: KeyOwner, last: Height) {
        Arc::make_mut(&mut self.withdrawn_keys).push(WithdrawnKey { key, owner, last });
    }

    /// Forgets the earliest withdrawn keys, so that no more than `most` are remembered.
    pub fn forget_keys(&mut self, most: usize) {
        let surplus = self.withdrawn_keys.len().saturating_sub(most);
        if surplus > 0 {
            Arc::make_mut(&mut self.withdrawn_keys).drain(..surplus);
        }
    }

    /// The key of the votes of the node at a place, in the block of `height` or, later than the
    /// present one, from the next block on. `None` when there is no such node, or it was removed
    /// before.
    pub fn vote_key(&self, node: u32, height: Height) -> Option<PublicKey> {
        let owner = KeyOwner::Votes(node);
        let held = |one: &&WithdrawnKey| one.owner == owner && height <= one.last;
        // Of two that were withdrawn at once, the first held.
        let withdrawn = self.withdrawn_keys.iter().filter(held).min_by_key(|one| one.last);
        let present = || {
            let node = self.nodes.get(usize::try_from(node).ok()?)?;
            (!node.is_removed()).then_some(node.validator_key)
        };
        withdrawn.map(|one| one.key).or_else(present)
    }

    /// The place of the node that has this network key, or had it.
    pub fn place_of_network_key(&self, key: PublicKey) -> Option<u32> {
        let present = (0..).zip(self.nodes.iter()).find(|(_, node)| node.network_key == key);
        let withdrawn = self.withdrawn_keys.iter().rev().find_map(|one| match one.owner {
            KeyOwner::Network(node) if one.key == key => Some(node),
            _ => None,
        });
        present.filter(|(_, node)| !node.is_removed()).map(|(place, _)| place).or(withdrawn)
    }
}

/// A registry, with what is derived from it once.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) chain_id: ChainId,
    pub(crate) is_of_genesis: bool,
    pub(crate) content: RegistryContent,
    pub(crate) validators: ValidatorSet,
    pub(crate) validators_hash: Digest,
    pub(crate) parameters_hash: Digest,
    pub(crate) parties: Arc<Parties>,
}

impl Registry {
    pub(crate) fn genesis(genesis: &ChainGenesis) -> Self {
        Self::new(genesis.chain_id, RegistryContent::genesis(genesis), true)
    }

    /// The registry of a checkpoint.
    pub(crate) fn restored(chain_id: ChainId, content: RegistryContent) -> Self {
        Self::new(chain_id, content, false)
    }

    fn new(chain_id: ChainId, content: RegistryContent, is_of_genesis: bool) -> Self {
        let validators = ValidatorSet::of_nodes(&content.nodes);
        Self {
            chain_id,
            is_of_genesis,
            validators_hash: validators.digest(),
            parameters_hash: content.parameters.digest(),
            validators,
            parties: Arc::new(Parties::after(&Parties::default(), &content)),
            content,
        }
    }

    /// The registry after a change: what follows from a list that did not change is taken over.
    pub(crate) fn changed(&self, content: RegistryContent) -> Self {
        let before = &self.content;
        let (validators, validators_hash) = if Arc::ptr_eq(&before.nodes, &content.nodes) {
            (self.validators.clone(), self.validators_hash)
        } else {
            let validators = ValidatorSet::of_nodes(&content.nodes);
            let hash = validators.digest();
            (validators, hash)
        };
        let parameters_hash = if before.parameters == content.parameters {
            self.parameters_hash
        } else {
            content.parameters.digest()
        };
        let has_same_parties = Arc::ptr_eq(&before.participants, &content.participants)
            && Arc::ptr_eq(&before.previous_keys, &content.previous_keys);
        let parties = if has_same_parties {
            self.parties.clone()
        } else {
            Arc::new(Parties::after(&self.parties, &content))
        };
        let chain_id = self.chain_id;
        let is_of_genesis = false;
        Self {
            chain_id,
            is_of_genesis,
            content,
            validators,
            validators_hash,
            parameters_hash,
            parties,
        }
    }

    /// Returns true if the record of `before` serves readers of this one as well.
    pub(crate) fn has_record_of(&self, before: &Self) -> bool {
        Arc::ptr_eq(&self.parties, &before.parties)
            && self.validators_hash == before.validators_hash
            && self.parameters_hash == before.parameters_hash
            && self.content.protocol_version == before.content.protocol_version
    }

    /// Makes the record for readers: it holds from the block of `since` on.
    pub(crate) fn record(&self, since: Height) -> RegistryRecord {
        RegistryRecord {
            since,
            parties: self.parties.keys.clone(),
            validators: self.validators.clone(),
            parameters: self.content.parameters.clone(),
            protocol_version: self.content.protocol_version,
        }
    }
}

/// The keys of all participants, ascending by id, and the Merkle tree over them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parties {
    pub(crate) keys: Vec<PartyKeys>,
    tree: Option<merkle::Tree>,
    /// The keys made ready with their first use.
    ready: Vec<OnceLock<ReadyKeys>>,
}

impl Parties {
    /// The parties of a registry. What an earlier one knew of a party in the same place, with the
    /// same keys, is taken over; the root follows along the paths of the others.
    fn after(before: &Self, content: &RegistryContent) -> Self {
        let keys_of = |participant: &Participant| PartyKeys {
            previous: content.previous_keys.get(&participant.id).copied(),
            ..PartyKeys::of(participant)
        };
        let keys: Vec<PartyKeys> = content.participants.iter().map(keys_of).collect();
        // Nobody is ever removed from a registry: a tree shrinks in no other way.
        let mut tree = before.tree.clone();
        if keys.len() < before.keys.len() || tree.is_none() {
            tree = Some(merkle::Tree::new(keys.iter().map(PartyKeys::leaf).collect()));
        }
        let mut ready = before.ready.clone();
        ready.resize_with(keys.len(), OnceLock::new);
        for (at, party) in keys.iter().enumerate() {
            if before.keys.get(at) != Some(party) {
                ready[at] = OnceLock::new();
                if let Some(tree) = &mut tree {
                    tree.put(at, party.leaf());
                }
            }
        }
        Self { keys, tree, ready }
    }

    pub(crate) fn root(&self) -> Digest {
        self.tree.as_ref().map_or_else(|| merkle::root(&[]), merkle::Tree::root)
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap_or(u32::MAX)
    }

    fn find(&self, id: ParticipantId) -> Option<usize> {
        self.keys.binary_search_by_key(&id, |party| party.participant).ok()
    }

    pub(crate) fn of(&self, id: ParticipantId) -> Option<&PartyKeys> {
        self.keys.get(self.find(id)?)
    }

    pub(crate) fn ready(&self, id: ParticipantId) -> Option<ReadyKeys> {
        let at = self.find(id)?;
        let (keys, ready) = (self.keys.get(at)?, self.ready.get(at)?);
        Some(*ready.get_or_init(|| ReadyKeys::new(keys)))
    }
}

#[cfg(test)]
mod tests {
    use chain_types::{Roles, SecretKey};

    use super::*;

    fn participant(id: u32, seed: u8) -> Participant {
        Participant::new(
            ParticipantId::new(id),
            "somebody".to_owned(),
            Roles::AUDITOR,
            SecretKey::from_seed(&[seed; 32]).public_key(),
        )
    }

    /// Whoever joins between others, takes another key or keeps its own: root and keys are those
    /// of a registry made at once.
    #[test]
    fn parties_follow_as_if_they_were_made_at_once() {
        let mut all = vec![participant(5, 5)];
        let mut parties = Parties::default();
        let steps = [(5, 5), (9, 9), (1, 1), (7, 7), (7, 77), (6, 6), (8, 8), (1, 11), (2, 2)];
        for (id, seed) in steps {
            match all.binary_search_by_key(&ParticipantId::new(id), |known| known.id) {
                Ok(at) => all[at] = participant(id, seed),
                Err(at) => all.insert(at, participant(id, seed)),
            }
            let content = RegistryContent {
                parameters: Parameters::default(),
                currencies: Arc::default(),
                participants: Arc::new(all.clone()),
                previous_keys: Arc::default(),
                nodes: Arc::default(),
                withdrawn_keys: Arc::default(),
                protocol_version: 1,
            };
            parties = Parties::after(&parties, &content);
            let anew = Parties::after(&Parties::default(), &content);
            let leaves: Vec<Digest> = parties.keys.iter().map(PartyKeys::leaf).collect();
            assert_eq!((&parties.keys, parties.root()), (&anew.keys, anew.root()));
            assert_eq!(parties.root(), merkle::root(&leaves));
            for known in &all {
                let keys = parties.of(known.id).map(|keys| keys.current);
                assert_eq!(keys, Some(known.public_key), "{}", known.id);
            }
        }
    }
}
