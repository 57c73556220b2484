//! The registry in JSON, and the changes of it that settlement operators propose.

use chain_types::{Change, Digest, Height, Parameters, ProposalId, ProposalStatus, PublicKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cashback::ProgrammeVersion;
use crate::chain::{NodeReport, ParticipantReport};
use crate::forms::{Base64Form, CurrencyForm, KeyForm};
use crate::money::currency_code;
use crate::parameters::ParametersReport;
use crate::recharge::RejectionReport;
use crate::text::{DigestText, Text};

/// The parties and nodes of the chain, and the rules by which the next block is executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistryReport {
    /// The node's head: this holds for the block after it.
    pub height: u64,
    /// The protocol version by which blocks are executed.
    pub protocol_version: u16,
    /// Participants, ascending by id.
    pub participants: Vec<RegisteredParticipant>,
    /// Nodes; the place in the list is the validator's id.
    pub nodes: Vec<NodeReport>,
    /// The currencies that are accepted: ISO 4217 codes.
    #[schemars(with = "Vec<Text<CurrencyForm>>")]
    pub currencies: Vec<String>,
    /// The parameters of the chain.
    pub parameters: ParametersReport,
}

/// A participant with the keys that its batches may be signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredParticipant {
    /// The participant, with its present key.
    #[serde(flatten)]
    pub participant: ParticipantReport,
    /// Its key before the present one, while that is still accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_key: Option<PreviousKey>,
}

/// A key that was replaced and is still accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviousKey {
    /// The ed25519 key, as 64 hexadecimal digits.
    #[schemars(with = "Text<KeyForm>")]
    pub public_key: String,
    /// The last height whose block accepts it.
    pub until_height: u64,
}

impl RegisteredParticipant {
    /// A participant with the key before its present one, as of the block of `next`.
    pub fn new(
        participant: &chain_types::Participant,
        previous: Option<(PublicKey, Height)>,
        next: Height,
    ) -> Self {
        let accepted = previous.filter(|(_, until)| *until >= next);
        let previous_key = accepted.map(|(key, until)| PreviousKey {
            public_key: key.to_string(),
            until_height: until.get(),
        });
        Self { participant: ParticipantReport::new(participant), previous_key }
    }
}

/// A merchant as it is registered now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegisteredMerchant {
    /// The merchant's id, as text.
    #[serde(with = "Text::<u64>")]
    pub merchant: u64,
    /// The merchant's name in the registry.
    pub name: String,
    /// The gateway that pays it.
    pub payout_gateway: u32,
    /// A keyed hash of its account there, hexadecimal; absent when the gateway knows it by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<Digest>>")]
    pub payout_account: Option<String>,
    /// True if new orders for it are refused.
    pub suspended: bool,
    /// The legal entity that it belongs to; empty when that has no other party here.
    #[serde(default)]
    pub legal_entity: String,
    /// The first height under its last change; absent when it is as the genesis file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_height: Option<u64>,
}

impl RegisteredMerchant {
    /// A merchant, and the first height under its last change.
    pub fn new(merchant: &chain_types::Merchant, changed: Option<Height>) -> Self {
        Self {
            merchant: merchant.id.get(),
            name: merchant.name.clone(),
            payout_gateway: merchant.payout_gateway.get(),
            payout_account: payout_account(merchant),
            suspended: merchant.suspended,
            legal_entity: merchant.legal_entity.clone(),
            changed_height: changed.map(|height| height.get()),
        }
    }
}

fn payout_account(merchant: &chain_types::Merchant) -> Option<String> {
    let account = merchant.payout_account;
    (account != Digest::ZERO).then(|| account.to_string())
}

/// A change that a settlement operator proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProposalReport {
    /// The proposal's id, a UUID.
    #[serde(with = "Text::<ProposalId>")]
    pub proposal_id: ProposalId,
    /// The change of the registry that is proposed.
    pub change: ChangeReport,
    /// The change's canonical bytes (docs/wire-format.md), as base64: the digest covers them.
    #[schemars(with = "Text<Base64Form>")]
    pub change_base64: String,
    /// The digest of the proposal, which an approval names.
    #[serde(with = "DigestText")]
    pub digest: Digest,
    /// How far it has come.
    #[serde(with = "Text::<ProposalStatus>")]
    pub status: ProposalStatus,
    /// The rejection that the change met when it was due; absent if it has not failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<RejectionReport>,
    /// The block that set the status.
    pub status_height: u64,
    /// The participant id of the operator that proposed it.
    pub maker: u32,
    /// When it was proposed.
    pub proposed_ms: u64,
    /// Until when it waits for approvals.
    pub approve_until_ms: u64,
    /// The first block that shall execute under it, as its maker said.
    pub activation_height: u64,
    /// The first block that executes under it: that one, or a later one by which the notice after
    /// the last approval that it needed is over.
    pub due_height: u64,
    /// Operators of how many legal entities have to approve.
    pub approvals_needed: u32,
    /// The operators who approved, its maker first.
    pub approvals: Vec<u32>,
    /// The operators who refused.
    pub refusals: Vec<u32>,
}

/// A merchant registrar, and what it may still do in the chain's present day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistrarReport {
    /// The id of the registrar.
    pub participant: u32,
    /// The gateway whose merchants it adds and changes.
    pub gateway: u32,
    /// The most merchants that it adds in a day.
    pub added_max: u32,
    /// The most changes that it makes in a day of merchants which are there.
    pub changed_max: u32,
    /// How many merchants it has added in the day of the node's head.
    pub added: u32,
    /// How many changes it has made in that day.
    pub changed: u32,
}

/// A change of a list that a proposal names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedChange {
    /// Its place in the list, from zero.
    pub place: u32,
    /// The change as people read it.
    pub change: ChangeReport,
    /// Its canonical bytes (docs/wire-format.md), as base64: the list's digest covers them.
    #[schemars(with = "Text<Base64Form>")]
    pub change_base64: String,
}

/// One change of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ChangeReport {
    /// A new participant with its first key; or new name and roles of one, its key as it is.
    Participant(ParticipantReport),
    /// A new key of a participant.
    Key {
        /// The id of the participant whose key changes.
        participant: u32,
        /// The new one, hexadecimal.
        #[schemars(with = "Text<KeyForm>")]
        public_key: String,
        /// For how many blocks from the activation on the key before is still accepted.
        overlap_heights: u64,
    },
    /// A participant is suspended, or is so no longer.
    ParticipantSuspended {
        /// The id of the participant.
        participant: u32,
        /// True if batches of the participant are refused from the activation on.
        suspended: bool,
    },
    /// A new merchant; or new name, payout gateway and payout account of one.
    Merchant(RegisteredMerchant),
    /// A merchant is suspended, or is so no longer.
    MerchantSuspended {
        /// The id of the merchant, as text.
        #[serde(with = "Text::<u64>")]
        merchant: u64,
        /// True if new orders for the merchant are refused from the activation on.
        suspended: bool,
    },
    /// A parameter's new value.
    Parameter {
        /// Its name; its number, when this software does not know it.
        parameter: String,
        /// The value, as a decimal string.
        #[serde(with = "Text::<u64>")]
        value: u64,
    },
    /// A node that is added at the end of the list of nodes.
    Node {
        /// The name of the new node.
        name: String,
        /// The participant who runs it.
        operator: u32,
        /// Voting power; zero for an edge node.
        power: u64,
        /// The key of its votes, hexadecimal.
        #[schemars(with = "Text<KeyForm>")]
        validator_key: String,
        /// The key of its connections, hexadecimal.
        #[schemars(with = "Text<KeyForm>")]
        network_key: String,
    },
    /// A node's voting power.
    Power {
        /// The node's place in the list.
        node: u32,
        /// The power; zero for none.
        power: u64,
    },
    /// A currency that is accepted from then on.
    Currency {
        /// Its ISO 4217 code.
        #[schemars(with = "Text<CurrencyForm>")]
        currency: String,
    },
    /// A merchant's cashback programme in a currency.
    Programme {
        /// The id of the merchant, as text.
        #[serde(with = "Text::<u64>")]
        merchant: u64,
        /// The currency: an ISO 4217 code.
        #[schemars(with = "Text<CurrencyForm>")]
        currency: String,
        /// The tiers and bounds of the programme's next version.
        #[serde(flatten)]
        version: ProgrammeVersion,
    },
    /// The protocol version by which blocks are executed.
    ProtocolVersion {
        /// The number of the version.
        protocol_version: u16,
    },
    /// Both keys of a node; its name, operator and power stay.
    NodeKeys {
        /// The node's place in the list.
        node: u32,
        /// The new key of its votes, hexadecimal; of an edge node the same as `network_key`.
        #[schemars(with = "Text<KeyForm>")]
        validator_key: String,
        /// The new key of its connections, hexadecimal.
        #[schemars(with = "Text<KeyForm>")]
        network_key: String,
    },
    /// A node that is no peer and no validator from then on, for good.
    NodeRemoved {
        /// The node's place in the list.
        node: u32,
    },
    /// All changes of a list, or none: see `governance_proposal_changes`.
    List {
        /// The digest of the list: the Merkle root of its items.
        #[serde(with = "DigestText")]
        digest: Digest,
        /// How many changes it has.
        count: u32,
    },
    /// The limits within which a merchant registrar works without a vote.
    Registrar {
        /// The id of the registrar.
        participant: u32,
        /// The gateway whose merchants it adds and changes.
        gateway: u32,
        /// The most merchants that it adds in a day.
        added_max: u32,
        /// The most changes that it makes in a day of merchants which are there.
        changed_max: u32,
    },
}

impl ChangeReport {
    /// The report of a change that shall hold from the block of `activation` on.
    pub fn new(change: &Change, activation: Height) -> Self {
        match change {
            Change::Participant(participant) => {
                Self::Participant(ParticipantReport::new(participant))
            }
            Change::Key { participant, public_key, overlap_heights } => Self::Key {
                participant: participant.get(),
                public_key: public_key.to_string(),
                overlap_heights: *overlap_heights,
            },
            Change::ParticipantSuspended { participant, suspended } => {
                Self::ParticipantSuspended { participant: participant.get(), suspended: *suspended }
            }
            Change::Merchant(merchant) => Self::Merchant(RegisteredMerchant::new(merchant, None)),
            Change::MerchantSuspended { merchant, suspended } => {
                Self::MerchantSuspended { merchant: merchant.get(), suspended: *suspended }
            }
            Change::Parameter { index, value } => {
                Self::Parameter { parameter: parameter_name(*index), value: *value }
            }
            Change::Node(node) => Self::Node {
                name: node.name.clone(),
                operator: node.operator.get(),
                power: node.power,
                validator_key: node.validator_key.to_string(),
                network_key: node.network_key.to_string(),
            },
            Change::Power { node, power } => Self::Power { node: *node, power: *power },
            Change::Currency(currency) => Self::Currency { currency: currency_code(*currency) },
            Change::Programme(programme) => Self::Programme {
                merchant: programme.merchant.get(),
                currency: currency_code(programme.currency),
                version: ProgrammeVersion::new(activation.get(), programme),
            },
            Change::ProtocolVersion(version) => {
                Self::ProtocolVersion { protocol_version: *version }
            }
            Change::NodeKeys { node, network_key, validator_key } => Self::NodeKeys {
                node: *node,
                validator_key: validator_key.to_string(),
                network_key: network_key.to_string(),
            },
            Change::NodeRemoved { node } => Self::NodeRemoved { node: *node },
            Change::Registrar { participant, limits } => Self::Registrar {
                participant: participant.get(),
                gateway: limits.gateway.get(),
                added_max: limits.added_max,
                changed_max: limits.changed_max,
            },
            Change::List { digest, count } => Self::List { digest: *digest, count: *count },
        }
    }
}

fn parameter_name(index: u16) -> String {
    let name = Parameters::NAMES.get(usize::from(index));
    name.map_or_else(|| index.to_string(), |name| (*name).to_owned())
}
