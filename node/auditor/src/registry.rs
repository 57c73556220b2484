//! The rights of participants, at the height of the block that is looked at; and which changes it
//! allows.

mod nodes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chain_types::registry::RegistryBounds;
use chain_types::{
    ChainGenesis, Change, Currency, Height, Merchant, MerchantId, Node, Parameters, Participant,
    ParticipantId, PartyKeys, Programme, PublicKey, RegistrarLimits, Rejection, Roles, Validator,
    ValidatorId, ValidatorSet,
};

const VALIDATORS_MIN: usize = 4;
const VALIDATORS_MAX: usize = 128;
const POWER_MAX: u64 = 1_000_000_000;
const MERCHANT_ID_MAX: u64 = i64::MAX as u64;
const NAME_CHARACTERS_MAX: usize = 64;
/// Every role there is.
const ROLES_KNOWN: u16 = 255;
/// The tiers of a cashback programme, and the basis points of a tier, at most.
const TIERS_MAX: usize = 4;
const BASIS_POINTS_MAX: u16 = 10_000;
/// Basis points of the whole.
const BASIS_POINTS: u128 = 10_000;
/// The gateways that take part in a cashback programme, at most.
const PROGRAMME_GATEWAYS_MAX: usize = 32;
/// Parameters that keep their values of genesis.
const PARAMETERS_FIXED: [&str; 4] =
    ["order_skew_ms", "order_validity_ms", "quote_hold_ms", "reservation_ms"];

/// A participant and the key it had before.
#[derive(Debug, Clone)]
struct Party {
    participant: Participant,
    /// The key before, and the last height whose block accepts it.
    previous: Option<(PublicKey, u64)>,
}

/// A merchant and the first height that executed under its present entry.
#[derive(Debug, Clone)]
struct Entry {
    merchant: Merchant,
    since: u64,
}

/// A node and whether the chain has done with it.
#[derive(Debug, Clone)]
struct FindingPlace {
    node: Node,
    is_removed: bool,
}

/// A key that was somebody's.
#[derive(Debug, Clone)]
struct Gone {
    key: PublicKey,
    /// The validator whose votes the key signed, and the last height at which it did.
    votes: Option<(u32, u64)>,
}

/// Participants, merchants, currencies, nodes, parameters and programmes of a height.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    participants: BTreeMap<ParticipantId, Party>,
    merchants: BTreeMap<MerchantId, Entry>,
    currencies: BTreeSet<Currency>,
    places: Vec<FindingPlace>,
    /// The one that went first stands first.
    gone: VecDeque<Gone>,
    /// The version and the content of each programme; versions count from 1.
    programmes: BTreeMap<(MerchantId, Currency), (u64, Programme)>,
    /// The limits that governance set for each merchant registrar.
    registrars: BTreeMap<ParticipantId, RegistrarLimits>,
    /// The parameters of the next block.
    pub(crate) parameters: Parameters,
    /// The most rows of each kind.
    pub(crate) bounds: RegistryBounds,
}

impl Registry {
    /// The registry that block one executes under.
    pub(crate) fn new(genesis: &ChainGenesis) -> Self {
        let party = |participant: &Participant| {
            let participant = participant.clone();
            (participant.id, Party { participant, previous: None })
        };
        let entry =
            |merchant: &Merchant| (merchant.id, Entry { merchant: merchant.clone(), since: 0 });
        Self {
            participants: genesis.participants.iter().map(party).collect(),
            merchants: genesis.merchants.iter().map(entry).collect(),
            currencies: genesis.currencies.iter().copied().collect(),
            places: genesis.nodes.iter().cloned().map(FindingPlace::of).collect(),
            gone: VecDeque::new(),
            programmes: BTreeMap::new(),
            registrars: BTreeMap::new(),
            parameters: genesis.parameters.clone(),
            bounds: RegistryBounds::CHAIN,
        }
    }

    /// Returns the entry of a participant.
    pub(crate) fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        self.participants.get(&id).map(|party| &party.participant)
    }

    /// The key of a node's votes in the block of `height`.
    pub(crate) fn vote_key(&self, node: u32, height: u64) -> Option<PublicKey> {
        let mut then: Option<(u64, PublicKey)> = None;
        for Gone { key, votes } in &self.gone {
            let Some((_, last)) = votes.filter(|(of, last)| *of == node && *last >= height) else {
                continue;
            };
            if then.is_none_or(|(sooner, _)| last < sooner) {
                then = Some((last, *key));
            }
        }
        if let Some((_, key)) = then {
            return Some(key);
        }
        let place = self.places.get(usize::try_from(node).ok()?)?;
        if place.is_removed { None } else { Some(place.node.validator_key) }
    }

    /// Returns true if a participant is registered with one of these roles.
    pub(crate) fn has_role(&self, id: ParticipantId, roles: Roles) -> bool {
        self.participant(id).is_some_and(|participant| participant.roles.0 & roles.0 != 0)
    }

    /// Returns true if a participant is registered with one of these roles, and not suspended.
    pub(crate) fn is_active(&self, id: ParticipantId, roles: Roles) -> bool {
        let is_free = self.participant(id).is_some_and(|participant| !participant.suspended);
        is_free && self.has_role(id, roles)
    }

    /// Returns true if a participant's batch may be signed with `key` in the block of `height`.
    pub(crate) fn accepts_key(&self, id: ParticipantId, key: PublicKey, height: u64) -> bool {
        self.participants.get(&id).is_some_and(|party| {
            let is_previous =
                party.previous.is_some_and(|(previous, last)| previous == key && height <= last);
            party.participant.public_key == key || is_previous
        })
    }

    /// The keys of every participant, ascending by id.
    pub(crate) fn parties(&self) -> Vec<PartyKeys> {
        let keys = |party: &Party| PartyKeys {
            participant: party.participant.id,
            current: party.participant.public_key,
            previous: party.previous.map(|(key, last)| (key, Height::new(last))),
        };
        self.participants.values().map(keys).collect()
    }

    /// The nodes that have power.
    pub(crate) fn validators(&self) -> ValidatorSet {
        let validator = |(number, place): (u32, &FindingPlace)| Validator {
            id: ValidatorId::new(number),
            public_key: place.node.validator_key,
            power: place.node.power,
        };
        let numbered = (0_u32..).zip(&self.places).map(validator);
        ValidatorSet::new(numbered.filter(|validator| validator.power > 0).collect())
    }

    /// Returns the entry of a merchant.
    pub(crate) fn merchant(&self, id: MerchantId) -> Option<&Merchant> {
        self.merchants.get(&id).map(|entry| &entry.merchant)
    }

    /// The gateway that pays a merchant. Merchants are never taken off the registry.
    pub(crate) fn payout_gateway(&self, id: MerchantId) -> ParticipantId {
        match self.merchant(id) {
            Some(merchant) => merchant.payout_gateway,
            None => unreachable!("merchant {id} had orders"),
        }
    }

    /// Returns true if a merchant's entry was changed after the block of `height` executed its
    /// items.
    pub(crate) fn was_corrected_after(&self, id: MerchantId, height: u64) -> bool {
        self.merchants.get(&id).is_some_and(|entry| entry.since > height)
    }

    /// Returns true if the chain accepts a currency.
    pub(crate) fn has_currency(&self, currency: u16) -> bool {
        self.currencies.contains(&Currency::new(currency))
    }

    /// A merchant's cashback programme in a currency, and the number of its version.
    pub(crate) fn programme(&self, merchant: u64, currency: u16) -> Option<(u64, &Programme)> {
        let found = self.programmes.get(&(MerchantId::new(merchant), Currency::new(currency)));
        found.map(|(version, programme)| (*version, programme))
    }

    /// The participants who may approve changes.
    pub(crate) fn operators(&self) -> BTreeSet<ParticipantId> {
        let ids = self.participants.keys().copied();
        ids.filter(|id| self.is_active(*id, Roles::SETTLEMENT_OPERATOR)).collect()
    }

    /// The registry after `change`, under which the block of `first_height` is the first.
    ///
    /// # Errors
    /// 805 to 809: the change does not hold.
    pub(crate) fn changed(&self, change: &Change, first_height: u64) -> Result<Self, Rejection> {
        self.changed_by(std::slice::from_ref(change), first_height)
    }

    /// Returns the registry after several changes, each made to the result of those before it.
    pub(crate) fn changed_by(&self, all: &[Change], first_height: u64) -> Result<Self, Rejection> {
        let mut next = self.clone();
        for change in all {
            next.set(change, first_height)?;
        }
        next.check_references()?;
        next.check_validators(self)?;
        next.check_operators(self)?;
        Ok(next)
    }

    fn set(&mut self, change: &Change, first_height: u64) -> Result<(), Rejection> {
        match change {
            Change::Participant(participant) => self.set_participant(participant),
            Change::Key { participant, public_key, overlap_heights } => {
                self.set_key(*participant, *public_key, first_height, *overlap_heights)
            }
            Change::ParticipantSuspended { participant, suspended } => {
                self.party_mut(*participant)?.participant.suspended = *suspended;
                Ok(())
            }
            Change::Merchant(merchant) => self.set_merchant(merchant, first_height),
            Change::MerchantSuspended { merchant, suspended } => {
                let entry = self.merchants.get_mut(merchant).ok_or(Rejection::ChangeInvalid)?;
                entry.merchant.suspended = *suspended;
                Ok(())
            }
            Change::Parameter { index, value } => self.set_parameter(*index, *value),
            Change::Node(node) => self.add_node(node),
            Change::Power { node, power } => self.set_power(*node, *power),
            Change::Currency(currency) => self.add_currency(*currency),
            Change::Programme(programme) => self.set_programme(programme),
            Change::ProtocolVersion(_) | Change::List { .. } => Err(Rejection::ChangeInvalid),
            Change::NodeKeys { node, network_key, validator_key } => {
                self.set_node_keys(*node, [*network_key, *validator_key], first_height)
            }
            Change::NodeRemoved { node } => self.remove_node(*node, first_height),
            Change::Registrar { participant, limits } => {
                valid(self.has_role(*participant, Roles::MERCHANT_REGISTRAR))?;
                valid(self.has_role(limits.gateway, Roles::GATEWAY))?;
                self.registrars.insert(*participant, *limits);
                Ok(())
            }
        }
    }

    /// Returns the limits of a merchant registrar; `None` if governance has set none.
    pub(crate) fn registrar(&self, id: ParticipantId) -> Option<RegistrarLimits> {
        self.registrars.get(&id).copied()
    }

    fn party_mut(&mut self, id: ParticipantId) -> Result<&mut Party, Rejection> {
        self.participants.get_mut(&id).ok_or(Rejection::ChangeInvalid)
    }

    fn set_participant(&mut self, new: &Participant) -> Result<(), Rejection> {
        valid(new.id.get() > 0 && is_name(&new.name) && is_entity(&new.legal_entity))?;
        valid(new.roles.0 != 0 && new.roles.0 & !ROLES_KNOWN == 0)?;
        valid(self.participants.contains_key(&new.id) || self.has_room_for_party())?;
        let has = |role: Roles| new.roles.0 & role.0 != 0;
        let decides = has(Roles::SETTLEMENT_OPERATOR) || has(Roles::SETTLEMENT_AGENT);
        let earns = has(Roles::GATEWAY) || has(Roles::FX_PROVIDER);
        if decides && (earns || has(Roles::MERCHANT_REGISTRAR)) {
            return Err(Rejection::RolesJoined);
        }
        if let Some(party) = self.participants.get_mut(&new.id) {
            valid(party.participant.public_key == new.public_key)?;
            valid(party.participant.suspended == new.suspended)?;
            party.participant.name.clone_from(&new.name);
            party.participant.roles = new.roles;
            party.participant.legal_entity.clone_from(&new.legal_entity);
            return Ok(());
        }
        self.check_fresh(new.public_key)?;
        self.participants.insert(new.id, Party { participant: new.clone(), previous: None });
        Ok(())
    }

    fn has_room_for_party(&self) -> bool {
        self.participants.len() < self.bounds.participants
    }

    /// The key before is accepted by `overlap` blocks from `first_height` on.
    fn set_key(
        &mut self,
        id: ParticipantId,
        key: PublicKey,
        first_height: u64,
        overlap: u64,
    ) -> Result<(), Rejection> {
        valid(self.participants.contains_key(&id))?;
        let end = first_height.checked_add(overlap).ok_or(Rejection::ChangeInvalid)?;
        self.check_fresh(key)?;
        let party = self.party_mut(id)?;
        let before = std::mem::replace(&mut party.participant.public_key, key);
        party.previous = (overlap > 0).then_some((before, end - 1));
        self.let_go(Gone { key: before, votes: None });
        Ok(())
    }

    pub(crate) fn set_merchant(
        &mut self,
        new: &Merchant,
        first_height: u64,
    ) -> Result<(), Rejection> {
        self.check_merchant(new, 0)?;
        self.put_merchant(new, first_height);
        Ok(())
    }

    /// Adds or replaces a merchant that was checked.
    pub(crate) fn put_merchant(&mut self, new: &Merchant, first_height: u64) {
        self.merchants.insert(new.id, Entry { merchant: new.clone(), since: first_height });
    }

    /// 807 of a merchant, when that many more are about to join.
    pub(crate) fn check_merchant(&self, new: &Merchant, joining: usize) -> Result<(), Rejection> {
        valid((1..=MERCHANT_ID_MAX).contains(&new.id.get()) && is_name(&new.name))?;
        valid(is_entity(&new.legal_entity))?;
        valid(self.has_role(new.payout_gateway, Roles::GATEWAY))?;
        match self.merchants.get(&new.id) {
            Some(entry) => valid(entry.merchant.suspended == new.suspended),
            None => valid(self.merchants.len() + joining < self.bounds.merchants),
        }
    }

    fn set_parameter(&mut self, index: u16, value: u64) -> Result<(), Rejection> {
        let name = chain_types::Parameters::NAMES.get(usize::from(index));
        if name.is_some_and(|name| PARAMETERS_FIXED.contains(name)) {
            return Err(Rejection::ParameterFixed);
        }
        let changed = self.parameters.with(index, value);
        self.parameters = changed.map_err(|_| Rejection::ChangeInvalid)?;
        Ok(())
    }

    fn add_currency(&mut self, currency: Currency) -> Result<(), Rejection> {
        valid(currency.exponent().is_some() && self.currencies.len() < self.bounds.currencies)?;
        valid(self.currencies.insert(currency))
    }

    fn set_programme(&mut self, programme: &Programme) -> Result<(), Rejection> {
        let tiers = &programme.tiers;
        let ascend = tiers.windows(2).all(|pair| match pair {
            [lower, upper] => lower.above < upper.above,
            _ => true,
        });
        valid(ascend && !tiers.is_empty() && tiers.len() <= TIERS_MAX)?;
        valid(tiers.iter().all(|tier| tier.basis_points <= BASIS_POINTS_MAX))?;
        // The least order earns a whole unit in every tier that gives anything.
        let least = u128::from(programme.order_least.get());
        let earns = |tier: &chain_types::CashbackTier| {
            tier.basis_points == 0 || least * u128::from(tier.basis_points) >= BASIS_POINTS
        };
        valid(least > 0 && tiers.iter().all(earns))?;
        let gateways = &programme.gateways;
        let distinct: BTreeSet<ParticipantId> = gateways.iter().copied().collect();
        valid(gateways.len() <= PROGRAMME_GATEWAYS_MAX && distinct.iter().eq(gateways))?;
        valid(gateways.iter().all(|gateway| self.has_role(*gateway, Roles::GATEWAY)))?;
        valid((-720..=840).contains(&programme.offset_min))?;
        valid(self.merchants.contains_key(&programme.merchant))?;
        valid(self.currencies.contains(&programme.currency))?;
        let key = (programme.merchant, programme.currency);
        let version = self.programmes.get(&key).map_or(1, |(version, _)| version + 1);
        self.programmes.insert(key, (version, programme.clone()));
        Ok(())
    }

    /// A key that is a point of full order, nobody's, and was nobody's.
    fn check_fresh(&self, key: PublicKey) -> Result<(), Rejection> {
        valid(key.is_usable())?;
        let of_party = |party: &Party| {
            let is_previous = party.previous.is_some_and(|(previous, _)| previous == key);
            party.participant.public_key == key || is_previous
        };
        let of_node = |node: &Node| node.network_key == key || node.validator_key == key;
        let was_somebodys = self.gone.iter().any(|gone| gone.key == key);
        let is_somebodys = self.participants.values().any(of_party) || self.nodes().any(of_node);
        in_use(is_somebodys || was_somebodys)
    }

    /// Payout gateways are gateways, and nodes are run by operators, as in a genesis file.
    fn check_references(&self) -> Result<(), Rejection> {
        let mut merchants = self.merchants.values();
        valid(merchants.all(|entry| self.has_role(entry.merchant.payout_gateway, Roles::GATEWAY)))?;
        let mut nodes = self.nodes();
        valid(nodes.all(|node| self.has_role(node.operator, Roles::SETTLEMENT_OPERATOR)))
    }

    fn powers(&self) -> Vec<u64> {
        self.nodes().map(|node| node.power).filter(|power| *power > 0).collect()
    }

    /// Looked at when the change touches it: a network that began smaller can still change others.
    fn check_validators(&self, before: &Self) -> Result<(), Rejection> {
        let powers = self.powers();
        if powers == before.powers() {
            return Ok(());
        }
        if powers.len() < VALIDATORS_MIN {
            return Err(Rejection::ValidatorsTooFew);
        }
        valid(powers.len() <= VALIDATORS_MAX)?;
        let total: u128 = powers.iter().map(|power| u128::from(*power)).sum();
        let is_third = |power: &u64| u128::from(*power) * 3 >= total;
        if powers.iter().any(is_third) { Err(Rejection::QuorumUnreachable) } else { Ok(()) }
    }

    /// Looked at when the change touches it, like the validators.
    fn check_operators(&self, before: &Self) -> Result<(), Rejection> {
        let (houses, needed) = (self.houses(&self.operators()).len(), self.approvals_needed());
        let had = before.houses(&before.operators()).len();
        let is_lessened = houses < had || needed > before.approvals_needed();
        if !is_lessened || houses >= needed { Ok(()) } else { Err(Rejection::QuorumUnreachable) }
    }

    /// Operators of how many houses approve a change.
    pub(crate) fn approvals_needed(&self) -> usize {
        usize::try_from(self.parameters.governance_approvals).unwrap_or(usize::MAX)
    }
}

impl FindingPlace {
    fn of(node: Node) -> Self {
        Self { node, is_removed: false }
    }
}

fn valid(holds: bool) -> Result<(), Rejection> {
    if holds { Ok(()) } else { Err(Rejection::ChangeInvalid) }
}

fn in_use(is_in_use: bool) -> Result<(), Rejection> {
    if is_in_use { Err(Rejection::KeyInUse) } else { Ok(()) }
}

/// At most 20 capital letters and digits.
fn is_entity(text: &str) -> bool {
    text.chars().count() <= 20 && text.chars().all(|each| matches!(each, 'A'..='Z' | '0'..='9'))
}

/// 1 to 64 characters, no control characters, no spaces around.
fn is_name(name: &str) -> bool {
    (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control)
}
