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

/// The content of a registry: what governance changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RegistryContent {
    /// The parameters.
    pub parameters: Parameters,
    /// Ascending.
    pub currencies: Vec<Currency>,
    /// Ascending by id.
    pub participants: Vec<Participant>,
    /// The key of a participant before its present one, and the last height that accepts it.
    pub previous_keys: BTreeMap<ParticipantId, (PublicKey, Height)>,
    /// Ascending by id.
    pub merchants: Vec<Merchant>,
    /// For merchants that governance changed: the first height under the last change.
    pub merchants_changed: BTreeMap<MerchantId, Height>,
    /// Validators and edge nodes; a validator's number is its place.
    pub nodes: Vec<Node>,
    /// The protocol version that blocks are executed by.
    pub protocol_version: u16,
}

impl RegistryContent {
    /// What a genesis file says.
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
            protocol_version: PROTOCOL_VERSION,
        }
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

    /// What readers are told of it: it holds from the block of `since` on.
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
