//! Who may do what, looked up fast. Genesis makes the first one; governance each later one.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::{
    ChainGenesis, ChainId, Currency, Digest, Height, Merchant, MerchantId, Node, Parameters,
    Participant, ParticipantId, PartyKeys, PublicKey, ReadyKeys, ValidatorSet, merkle,
};

use crate::positions::HashSeeds;
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

/// The content of a registry: what governance changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RegistryContent {
    /// The parameters of the chain.
    pub parameters: Parameters,
    /// The currencies that are accepted, ascending.
    pub currencies: Vec<Currency>,
    /// The participants, ascending by id.
    pub participants: Vec<Participant>,
    /// The key of a participant before its present one, and the last height that accepts it.
    pub previous_keys: BTreeMap<ParticipantId, (PublicKey, Height)>,
    /// The merchants, ascending by id.
    pub merchants: Vec<Merchant>,
    /// For merchants that governance changed: the first height under the last change.
    pub merchants_changed: BTreeMap<MerchantId, Height>,
    /// Validators and edge nodes; a validator's number is its place. A removed one keeps its place.
    pub nodes: Vec<Node>,
    /// Keys that were withdrawn, the earliest first; see [`RegistryContent::forget_keys`].
    pub withdrawn_keys: Vec<WithdrawnKey>,
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
            currencies,
            participants: genesis.participants.clone(),
            previous_keys: BTreeMap::new(),
            merchants: genesis.merchants.clone(),
            merchants_changed: BTreeMap::new(),
            nodes: genesis.nodes.clone(),
            withdrawn_keys: Vec::new(),
            protocol_version: PROTOCOL_VERSION,
        }
    }

    /// Remembers a key that is withdrawn.
    pub fn withdraw(&mut self, key: PublicKey, owner: KeyOwner, last: Height) {
        self.withdrawn_keys.push(WithdrawnKey { key, owner, last });
    }

    /// Forgets the earliest withdrawn keys, so that no more than `most` are remembered.
    pub fn forget_keys(&mut self, most: usize) {
        let surplus = self.withdrawn_keys.len().saturating_sub(most);
        self.withdrawn_keys.drain(..surplus);
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
        let present = (0..).zip(&self.nodes).find(|(_, node)| node.network_key == key);
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
    pub(crate) parties: Vec<PartyKeys>,
    pub(crate) parties_root: Digest,
    /// The parties' keys, made ready with their first use.
    ready: Vec<OnceLock<ReadyKeys>>,
    participant_at: HashMap<ParticipantId, usize, RandomState>,
    merchant_at: HashMap<MerchantId, usize, RandomState>,
}

impl Registry {
    pub(crate) fn genesis(genesis: &ChainGenesis) -> Self {
        Self::new(genesis.chain_id, RegistryContent::genesis(genesis), true)
    }

    pub(crate) fn changed(chain_id: ChainId, content: RegistryContent) -> Self {
        Self::new(chain_id, content, false)
    }

    fn new(chain_id: ChainId, content: RegistryContent, is_of_genesis: bool) -> Self {
        // Governance chooses these ids, not submitters.
        let hashing = HashSeeds::of_chain(chain_id).hashing();
        let mut participant_at = HashMap::with_hasher(hashing.clone());
        for (at, participant) in content.participants.iter().enumerate() {
            participant_at.insert(participant.id, at);
        }
        let mut merchant_at = HashMap::with_hasher(hashing);
        for (at, merchant) in content.merchants.iter().enumerate() {
            merchant_at.insert(merchant.id, at);
        }
        let validators = ValidatorSet::of_nodes(&content.nodes);
        let keys_of = |participant: &Participant| PartyKeys {
            previous: content.previous_keys.get(&participant.id).copied(),
            ..PartyKeys::of(participant)
        };
        let parties: Vec<PartyKeys> = content.participants.iter().map(keys_of).collect();
        let leaves: Vec<Digest> = parties.iter().map(PartyKeys::leaf).collect();
        Self {
            chain_id,
            is_of_genesis,
            validators_hash: validators.digest(),
            parameters_hash: content.parameters.digest(),
            validators,
            parties,
            parties_root: merkle::root(&leaves),
            ready: vec![OnceLock::new(); leaves.len()],
            participant_at,
            merchant_at,
            content,
        }
    }

    /// Makes the record for readers: it holds from the block of `since` on.
    pub(crate) fn record(&self, since: Height) -> RegistryRecord {
        RegistryRecord {
            since,
            parties: self.parties.clone(),
            validators: self.validators.clone(),
            parameters: self.content.parameters.clone(),
            protocol_version: self.content.protocol_version,
        }
    }

    pub(crate) fn party_count(&self) -> u32 {
        u32::try_from(self.parties.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.content.participants.get(*self.participant_at.get(&id)?)
    }

    pub(crate) fn keys(&self, id: ParticipantId) -> Option<&PartyKeys> {
        self.parties.get(*self.participant_at.get(&id)?)
    }

    pub(crate) fn ready_keys(&self, id: ParticipantId) -> Option<ReadyKeys> {
        let at = *self.participant_at.get(&id)?;
        let (keys, ready) = (self.parties.get(at)?, self.ready.get(at)?);
        Some(*ready.get_or_init(|| ReadyKeys::new(keys)))
    }

    pub(crate) fn merchant(&self, id: MerchantId) -> Option<&Merchant> {
        self.content.merchants.get(*self.merchant_at.get(&id)?)
    }
}
