//! The rights of participants, as the checked genesis file says. The `genesis` crate makes a
//! [`ChainGenesis`]; the state starts from it.

use bincode::{Decode, Encode};

use crate::account::{AccountKey, LineAccount};
use crate::codec;
use crate::hash::Digest;
use crate::ids::{ChainId, MerchantId, ParticipantId, ValidatorId};
use crate::merkle;
use crate::parameters::Parameters;
use crate::sign::submitter::SubmitterKey;
use crate::sign::{PublicKey, Signature};
use crate::units::{Amount, Currency, Height, TimeMs};
use crate::validators::{Validator, ValidatorSet};

/// The most nodes of a registry that are not removed, so that everybody can be connected to
/// everybody.
pub const NODES_MAX: usize = 256;
/// The most places in a registry's list of nodes: a removed node keeps its place, which is an id.
pub const NODE_PLACES_MAX: usize = 4_096;
/// The most withdrawn keys that a registry remembers: two for each of 4,096 rotations of nodes.
pub const WITHDRAWN_KEYS_MAX: usize = 8_192;
/// The most lines that one participant has given at a time.
pub const LINES_MAX: usize = 4_096;

/// The most entries of a registry. The genesis file, governance and the auditor share them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryBounds {
    /// Participants, suspended ones among them.
    pub participants: usize,
    /// Merchants, suspended ones among them.
    pub merchants: usize,
    /// Currencies of the chain.
    pub currencies: usize,
    /// Nodes that are not removed.
    pub nodes: usize,
    /// Places in the list of nodes.
    pub node_places: usize,
    /// Withdrawn keys that are remembered.
    pub withdrawn_keys: usize,
    /// Lines that one participant has given, ended ones under which something is reserved among
    /// them.
    pub lines: usize,
}

impl RegistryBounds {
    /// The bounds of every chain.
    pub const CHAIN: Self = Self {
        participants: 10_000,
        merchants: 1_000_000,
        currencies: 180,
        nodes: NODES_MAX,
        node_places: NODE_PLACES_MAX,
        withdrawn_keys: WITHDRAWN_KEYS_MAX,
        lines: LINES_MAX,
    };
}

/// The longest legal entity, in characters: a legal entity identifier (ISO 17442) has as many.
pub const LEGAL_ENTITY_CHARACTERS_MAX: usize = 20;

/// Returns true if a text names a legal entity: capital letters and digits, as an ISO 17442
/// identifier. Nothing stands for an entity that has no other party in the registry.
pub fn is_legal_entity(text: &str) -> bool {
    text.len() <= LEGAL_ENTITY_CHARACTERS_MAX
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The longest name of a party, merchant or node, in characters.
pub const NAME_CHARACTERS_MAX: usize = 64;

/// Returns true if a name serves people: 1 to [`NAME_CHARACTERS_MAX`] characters, no control
/// characters, no spaces around. The genesis file and governance hold names to it alike.
pub fn is_name(name: &str) -> bool {
    (1..=NAME_CHARACTERS_MAX).contains(&name.chars().count())
        && !name.chars().any(char::is_control)
        && name.trim() == name
}

/// Returns true if a name serves a node, whose name is also a folder's and a log field's: as
/// [`is_name`], of small letters, digits and hyphens only.
pub fn is_node_name(name: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    is_name(name) && name.bytes().all(is_plain)
}

/// The roles of a participant: a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Roles(pub u16);

impl Roles {
    /// Runs nodes, votes on governance.
    pub const SETTLEMENT_OPERATOR: Self = Self(1);
    /// Submits recharge orders for users.
    pub const RECHARGE_SERVICE: Self = Self(2);
    /// Collects from users, pays merchants.
    pub const GATEWAY: Self = Self(4);
    /// Publishes rates, fills conversions.
    pub const FX_PROVIDER: Self = Self(8);
    /// Releases or refuses held orders.
    pub const RISK_DESK: Self = Self(16);
    /// Proposes deposits and withdrawals, marks windows settled.
    pub const SETTLEMENT_AGENT: Self = Self(32);
    /// Reads the chain and verifies it; submits nothing.
    pub const AUDITOR: Self = Self(64);
    /// Adds and changes merchants of one gateway, within limits.
    pub const MERCHANT_REGISTRAR: Self = Self(128);

    /// Each role with the name that configuration files use.
    pub const NAMES: &'static [(Self, &'static str)] = &[
        (Self::SETTLEMENT_OPERATOR, "settlement-operator"),
        (Self::RECHARGE_SERVICE, "recharge-service"),
        (Self::GATEWAY, "gateway"),
        (Self::FX_PROVIDER, "fx-provider"),
        (Self::RISK_DESK, "risk-desk"),
        (Self::SETTLEMENT_AGENT, "settlement-agent"),
        (Self::AUDITOR, "auditor"),
        (Self::MERCHANT_REGISTRAR, "merchant-registrar"),
    ];

    /// Returns true if any of `others` is among these.
    pub const fn any_of(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Returns true if nobody with these decides about what the same roles earn or say: operators
    /// and settlement agents are neither gateways nor FX providers nor merchant registrars.
    pub const fn are_separate(self) -> bool {
        let decides = self.any_of(Self::SETTLEMENT_OPERATOR.and(Self::SETTLEMENT_AGENT));
        let others = Self::GATEWAY.and(Self::FX_PROVIDER).and(Self::MERCHANT_REGISTRAR);
        !decides || !self.any_of(others)
    }

    /// Returns these roles together with `others`.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// A registered legal party.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Participant {
    /// The id that batches and accounts name it by.
    pub id: ParticipantId,
    /// Its name for people: 1 to 64 characters.
    pub name: String,
    /// The roles, which say what it may submit.
    pub roles: Roles,
    /// The key that signs its batches.
    pub public_key: PublicKey,
    /// True if it is barred from every operation.
    pub suspended: bool,
    /// The legal entity that it belongs to: see [`is_legal_entity`].
    pub legal_entity: String,
}

impl Participant {
    /// A participant that is not suspended and names no legal entity.
    pub fn new(id: ParticipantId, name: String, roles: Roles, public_key: PublicKey) -> Self {
        Self { id, name, roles, public_key, suspended: false, legal_entity: String::new() }
    }

    /// Returns true if it and `other` are of one legal entity.
    pub fn is_one_with(&self, other: &Self) -> bool {
        self.id == other.id || self.is_of(&other.legal_entity)
    }

    /// Returns true if it belongs to a legal entity. Nobody belongs to the one without a name.
    pub fn is_of(&self, legal_entity: &str) -> bool {
        !legal_entity.is_empty() && self.legal_entity == legal_entity
    }

    /// The house that it belongs to: its legal entity, or itself when it names none.
    pub fn house(&self) -> House<'_> {
        match self.legal_entity.as_str() {
            "" => House::Alone(self.id),
            entity => House::Entity(entity),
        }
    }
}

/// The party that counts as one where words are counted: see [`Participant::house`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum House<'a> {
    /// All of a legal entity.
    Entity(&'a str),
    /// A participant that names none.
    Alone(ParticipantId),
}

/// The keys that a participant's batches may be signed with: a leaf of the header's parties root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PartyKeys {
    /// The participant that owns the keys.
    pub participant: ParticipantId,
    /// The key that it signs with now.
    pub current: PublicKey,
    /// Its key before that one, and the last height whose block still accepts it.
    pub previous: Option<(PublicKey, Height)>,
}

impl PartyKeys {
    /// The keys of a participant that has only one.
    pub const fn of(participant: &Participant) -> Self {
        Self { participant: participant.id, current: participant.public_key, previous: None }
    }

    /// Returns true if a batch signed with `key` may apply in the block of `height`.
    pub fn accept(&self, key: PublicKey, height: Height) -> bool {
        let is_previous =
            self.previous.is_some_and(|(previous, until)| previous == key && height <= until);
        self.current == key || is_previous
    }

    /// Returns its leaf of the parties tree.
    pub fn leaf(&self) -> Digest {
        merkle::leaf(&codec::encode(self))
    }
}

/// The keys whose signatures count for a party's batches.
pub trait Signers {
    /// The key with which `signature` is over `digest`.
    fn signer(&self, digest: &Digest, signature: &Signature) -> Option<PublicKey>;
}

impl Signers for PartyKeys {
    fn signer(&self, digest: &Digest, signature: &Signature) -> Option<PublicKey> {
        ReadyKeys::new(self).signer(digest, signature)
    }
}

/// A party's keys made ready once, for who verifies many signatures of one party.
#[derive(Debug, Clone, Copy)]
pub struct ReadyKeys {
    current: Option<SubmitterKey>,
    previous: Option<SubmitterKey>,
}

impl ReadyKeys {
    /// The keys; the present one is tried first.
    pub fn new(keys: &PartyKeys) -> Self {
        let previous = keys.previous.and_then(|(key, _)| SubmitterKey::new(key));
        Self { current: SubmitterKey::new(keys.current), previous }
    }

    /// The key, if it can only be one.
    pub(crate) fn only(&self) -> Option<SubmitterKey> {
        self.current.filter(|_| self.previous.is_none())
    }
}

impl Signers for ReadyKeys {
    fn signer(&self, digest: &Digest, signature: &Signature) -> Option<PublicKey> {
        let mut keys = [&self.current, &self.previous].into_iter().flatten();
        keys.find(|key| key.verifies(digest, signature)).map(SubmitterKey::public_key)
    }
}

/// A merchant and where it is paid.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Merchant {
    /// The id that batches and accounts name it by.
    pub id: MerchantId,
    /// Its name for people: 1 to 64 characters.
    pub name: String,
    /// The gateway that holds its payout account.
    pub payout_gateway: ParticipantId,
    /// A keyed hash of the account at that gateway; the gateway finds the account by it. Zeros if
    /// the gateway knows the merchant by its id.
    pub payout_account: Digest,
    /// True if new orders for it are refused.
    pub suspended: bool,
    /// The legal entity that it belongs to: see [`is_legal_entity`].
    pub legal_entity: String,
}

impl Merchant {
    /// A merchant that is not suspended and names neither an account nor a legal entity.
    pub fn new(id: MerchantId, name: String, payout_gateway: ParticipantId) -> Self {
        let (payout_account, suspended, legal_entity) = (Digest::ZERO, false, String::new());
        Self { id, name, payout_gateway, payout_account, suspended, legal_entity }
    }
}

/// The limits within which a merchant registrar works without a vote, each for one day of the
/// chain's day offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RegistrarLimits {
    /// The gateway that pays all merchants that it adds or changes.
    pub gateway: ParticipantId,
    /// The most merchants that it adds.
    pub added_max: u32,
    /// The most changes that it makes of merchants which are there.
    pub changed_max: u32,
}

/// A gateway's standing in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LiquidityLine {
    /// The gateway that owns the account.
    pub gateway: ParticipantId,
    /// The currency of the account.
    pub currency: Currency,
    /// The amount by which the gateway's liquidity may be below zero.
    pub net_debit_cap: Amount,
    /// The amount that the gateway has deposited before block zero.
    pub opening_liquidity: Amount,
}

impl ValidatorSet {
    /// Returns the set of the nodes that have power.
    pub fn of_nodes(nodes: &[Node]) -> Self {
        let voters = (0_u32..).zip(nodes).filter(|(_, node)| node.power > 0);
        let validator = |(index, node): (u32, &Node)| Validator {
            id: ValidatorId::new(index),
            public_key: node.validator_key,
            power: node.power,
        };
        Self::new(voters.map(validator).collect())
    }
}

/// Names a line: one an account and holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct LineKey {
    /// The account of the owner that the line is on.
    pub account: LineAccount,
    /// The participant that owns the account and gives the line.
    pub owner: ParticipantId,
    /// The currency of the account.
    pub currency: Currency,
    /// The participant that may reserve on the account.
    pub holder: ParticipantId,
}

impl LineKey {
    /// Returns the account that the line is on.
    pub const fn account(&self) -> AccountKey {
        AccountKey {
            kind: self.account.kind(),
            owner: self.owner.get() as u64,
            currency: self.currency,
        }
    }
}

/// The bound of one participant's open reservations on another's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReservationLine {
    /// The name of the line.
    pub key: LineKey,
    /// The most that its holder's open reservations may sum up to.
    pub limit: Amount,
}

impl LineAccount {
    /// Returns the role of the owner of such an account.
    pub const fn owner_role(self) -> Roles {
        match self {
            Self::GatewayLiquidity => Roles::GATEWAY,
            Self::FxPosition => Roles::FX_PROVIDER,
        }
    }

    /// Returns the roles that allow a reservation on another's account of this kind. A holder needs
    /// at least one of them.
    pub const fn holder_roles(self) -> Roles {
        match self {
            Self::GatewayLiquidity => Roles::RECHARGE_SERVICE,
            Self::FxPosition => Roles::RECHARGE_SERVICE.and(Roles::GATEWAY),
        }
    }
}

/// A node of the network. Its index in the list is its [`crate::ValidatorId`] if it validates.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Node {
    /// Its name: see [`is_node_name`].
    pub name: String,
    /// The participant who runs it.
    pub operator: ParticipantId,
    /// The key of its encrypted connections; only these peers are let in.
    pub network_key: PublicKey,
    /// The key of its votes; for an edge node, which does not vote, the same as `network_key`.
    pub validator_key: PublicKey,
    /// Voting power; zero for an edge node.
    pub power: u64,
}

impl Node {
    /// Stands where a removed node's keys were: it is no point of full order, so nobody can be
    /// registered with it or sign with it.
    pub const NO_KEY: PublicKey = PublicKey::from_bytes([0; 32]);

    /// Takes keys and power away. The name stays, so that the place is never another node's.
    pub fn remove(&mut self) {
        self.network_key = Self::NO_KEY;
        self.validator_key = Self::NO_KEY;
        self.power = 0;
    }

    /// Returns true if governance has removed the node: a node without keys is no peer and no
    /// validator.
    pub fn is_removed(&self) -> bool {
        self.network_key == Self::NO_KEY
    }

    /// Returns true if it has a key for votes: an edge node has one key for everything.
    pub fn has_vote_key(&self) -> bool {
        self.network_key != self.validator_key
    }
}

/// The network keys that may connect: those of all nodes that are not removed.
pub fn network_keys(nodes: &[Node]) -> impl Iterator<Item = PublicKey> {
    nodes.iter().filter(|node| !node.is_removed()).map(|node| node.network_key)
}

/// The validator whose keys these are, whether it has power now or not. An edge node has no key for
/// votes and is none.
pub fn validator_of_keys(
    nodes: &[Node],
    network_key: PublicKey,
    validator_key: PublicKey,
) -> Option<ValidatorId> {
    let is_it = |node: &Node| {
        node.network_key == network_key
            && node.validator_key == validator_key
            && network_key != validator_key
    };
    let (index, _) = (0_u32..).zip(nodes).find(|(_, node)| is_it(node))?;
    Some(ValidatorId::new(index))
}

/// The checked content of a genesis file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainGenesis {
    /// SHA-256 of the file's bytes.
    pub chain_id: ChainId,
    /// The chain's name for people.
    pub name: String,
    /// The time of block zero.
    pub time: TimeMs,
    /// The parameters from block zero on.
    pub parameters: Parameters,
    /// The currencies that the chain accepts, ascending.
    pub currencies: Vec<Currency>,
    /// The participants, ascending by id.
    pub participants: Vec<Participant>,
    /// The merchants, ascending by id.
    pub merchants: Vec<Merchant>,
    /// Sorted by gateway, then currency.
    pub liquidity: Vec<LiquidityLine>,
    /// The lines, ascending by key.
    pub lines: Vec<ReservationLine>,
    /// Validators and edge nodes.
    pub nodes: Vec<Node>,
}

impl ChainGenesis {
    /// The validators from block one on.
    pub fn validators(&self) -> ValidatorSet {
        ValidatorSet::of_nodes(&self.nodes)
    }

    /// Returns the same registry with a line of `limit` for every participant that may reserve on
    /// another's account, in every currency. It is for networks that do not test lines.
    #[must_use]
    pub fn with_lines(mut self, limit: Amount) -> Self {
        self.lines.clear();
        for account in LineAccount::ALL.iter().copied() {
            let has = |roles: Roles| move |one: &&Participant| one.roles.any_of(roles);
            for owner in self.participants.iter().filter(has(account.owner_role())) {
                let holders = self.participants.iter().filter(has(account.holder_roles()));
                let holders: Vec<_> =
                    holders.map(|one| one.id).filter(|id| *id != owner.id).collect();
                for currency in self.currencies.iter().copied() {
                    self.lines.extend(holders.iter().map(|holder| {
                        let key = LineKey { account, owner: owner.id, currency, holder: *holder };
                        ReservationLine { key, limit }
                    }));
                }
            }
        }
        self
    }

    /// The participant of an id.
    pub fn participant(&self, id: ParticipantId) -> Option<&Participant> {
        let at = self.participants.binary_search_by_key(&id, |participant| participant.id).ok()?;
        self.participants.get(at)
    }
}
