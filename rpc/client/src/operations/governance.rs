//! Changes of the registry: proposed by one settlement operator, approved by others. A change is
//! named in the field `change`; its other fields depend on it.

use chain_types::registry::is_legal_entity;
use chain_types::{
    ApprovalItem, CashbackTier, Change, Digest, Height, ListedChangeItem, Merchant, MerchantId,
    MerchantItem, Node, OrderId, Parameters, Participant, ParticipantId, Programme, ProposalId,
    ProposalItem, RegistrarLimits, Roles,
};

use super::{RowContext, Subject, fields};
use crate::order_file::{FileError, Row};

pub(super) const APPROVAL: &[&str] = &["proposal_id", "decision", "digest"];
/// Every field of any change; [`CHANGES`] says which belong together.
pub(super) const PROPOSAL: &[&str] = &[
    "change",
    "activation_height",
    "proposal_id",
    "participant",
    "name",
    "roles",
    "public_key",
    "overlap_heights",
    "suspended",
    "merchant",
    "payout_gateway",
    "payout_account",
    "parameter",
    "value",
    "operator",
    "validator_key",
    "network_key",
    "power",
    "node",
    "currency",
    "tiers",
    "order_max",
    "user_month_max",
    "offset_min",
    "active",
    "order_least",
    "gateways",
    "protocol_version",
    "legal_entity",
    "list_digest",
    "count",
    "added_max",
    "changed_max",
];
pub(super) const MERCHANT: &[&str] =
    &["merchant", "name", "payout_gateway", "payout_account", "legal_entity"];
/// Every field of any change that a list may hold.
pub(super) const CHANGE_LIST: &[&str] = &[
    "change",
    "merchant",
    "name",
    "payout_gateway",
    "payout_account",
    "suspended",
    "currency",
    "tiers",
    "order_max",
    "user_month_max",
    "offset_min",
    "active",
    "order_least",
    "gateways",
    "legal_entity",
];

type Read = fn(&Row) -> Result<Change, FileError>;

/// The changes: name, fields, and what reads them.
const CHANGES: &[(&str, &[&str], Read)] = &[
    ("participant", &["participant", "name", "roles", "public_key", "legal_entity"], participant),
    ("key", &["participant", "public_key", "overlap_heights"], key),
    ("participant-suspended", &["participant", "suspended"], participant_suspended),
    (
        "merchant",
        &["merchant", "name", "payout_gateway", "payout_account", "legal_entity"],
        merchant,
    ),
    ("merchant-suspended", &["merchant", "suspended"], merchant_suspended),
    ("parameter", &["parameter", "value"], parameter),
    ("node", &["name", "operator", "validator_key", "network_key", "power"], node),
    ("power", &["node", "power"], power),
    ("currency", &["currency"], currency),
    (
        "programme",
        &[
            "merchant",
            "currency",
            "tiers",
            "order_max",
            "user_month_max",
            "offset_min",
            "active",
            "order_least",
            "gateways",
        ],
        programme,
    ),
    ("protocol-version", &["protocol_version"], protocol_version),
    ("node-keys", &["node", "validator_key", "network_key"], node_keys),
    ("node-removed", &["node"], node_removed),
    ("list", &["list_digest", "count"], list),
    ("registrar", &["participant", "payout_gateway", "added_max", "changed_max"], registrar),
];

/// Reads the limits of a merchant registrar from a row.
fn registrar(row: &Row) -> Result<Change, FileError> {
    let limits = RegistrarLimits {
        gateway: participant_id(row, "payout_gateway")?,
        added_max: fields::number(row, "added_max", u32::MAX)?,
        changed_max: fields::number(row, "changed_max", u32::MAX)?,
    };
    Ok(Change::Registrar { participant: participant_id(row, "participant")?, limits })
}

/// All changes of a list that the maker gave.
fn list(row: &Row) -> Result<Change, FileError> {
    let digest = fields::digest(row, "list_digest")?;
    Ok(Change::List { digest, count: fields::number(row, "count", u32::MAX)? })
}

/// The change that a row writes, which has these fields beside its own.
fn change(row: &Row, beside: &[&str]) -> Result<Change, FileError> {
    let name = row.required("change")?;
    let found = CHANGES.iter().find(|(known, ..)| *known == name);
    let (_, own, read) = found.ok_or_else(|| {
        let known: Vec<&str> = CHANGES.iter().map(|(known, ..)| *known).collect();
        row.error("change", format!("{name:?} is not a change; known are {}", known.join(", ")))
    })?;
    row.only(&[&["change"], beside, *own].concat())?;
    read(row)
}

/// A merchant that a registrar adds or changes.
pub(super) fn registered(row: &Row) -> Result<MerchantItem, FileError> {
    let item = MerchantItem::new(&merchant_of(row)?);
    item.ok_or_else(|| row.error("name", "takes more bytes than a merchant has"))
}

/// A change of a list.
pub(super) fn listed(row: &Row) -> Result<ListedChangeItem, FileError> {
    let change = change(row, &[])?;
    let item = ListedChangeItem::new(&change).filter(|_| change.may_be_listed());
    item.ok_or_else(|| row.error("change", "is about neither a merchant nor a programme"))
}

/// A proposal of the change that a row writes.
pub(super) fn proposal(
    row: &Row,
    making: &mut RowContext<impl FnMut() -> OrderId>,
) -> Result<ProposalItem, FileError> {
    let change = change(row, &["activation_height", "proposal_id"])?;
    let activation = Height::new(fields::number(row, "activation_height", u64::MAX)?);
    let id = ProposalId::from_bytes(making.id(row, "proposal_id")?);
    ProposalItem::new(id, activation, &change)
        .ok_or_else(|| row.error("change", "takes more bytes than a proposal holds"))
}

pub(super) fn approval(row: &Row) -> Result<ApprovalItem, FileError> {
    Ok(ApprovalItem {
        proposal_id: fields::id(row, "proposal_id")?,
        decision: fields::decision(row)?.into(),
        digest: fields::digest(row, "digest")?.bytes(),
        spare: [0; 14],
    })
}

fn participant_id(row: &Row, field: &str) -> Result<ParticipantId, FileError> {
    fields::number(row, field, u32::MAX).map(ParticipantId::new)
}

fn merchant_id(row: &Row) -> Result<MerchantId, FileError> {
    fields::number(row, "merchant", u64::MAX).map(MerchantId::new)
}

fn name(row: &Row) -> Result<String, FileError> {
    row.required("name").map(str::to_owned)
}

/// The legal entity, or none.
fn legal_entity(row: &Row) -> Result<String, FileError> {
    match row.optional("legal_entity") {
        None => Ok(String::new()),
        Some(_) => row.parse("legal_entity", |text| {
            let problem = "a legal entity has 1 to 20 capital letters and digits";
            if is_legal_entity(text) { Ok(text.to_owned()) } else { Err(problem.to_owned()) }
        }),
    }
}

/// Roles by name, with spaces between.
fn roles(text: &str) -> Result<Roles, String> {
    text.split_whitespace().try_fold(Roles::default(), |roles, word| {
        let known = Roles::NAMES.iter().find(|(_, name)| *name == word);
        let (role, _) = known.ok_or_else(|| {
            let names: Vec<&str> = Roles::NAMES.iter().map(|(_, name)| *name).collect();
            format!("{word:?} is not a role; known are {}", names.join(", "))
        })?;
        Ok(roles.and(*role))
    })
}

fn participant(row: &Row) -> Result<Change, FileError> {
    Ok(Change::Participant(Participant {
        id: participant_id(row, "participant")?,
        name: name(row)?,
        roles: row.parse("roles", roles)?,
        public_key: fields::public_key(row, "public_key")?,
        suspended: false,
        legal_entity: legal_entity(row)?,
    }))
}

fn key(row: &Row) -> Result<Change, FileError> {
    Ok(Change::Key {
        participant: participant_id(row, "participant")?,
        public_key: fields::public_key(row, "public_key")?,
        overlap_heights: fields::number(row, "overlap_heights", u64::MAX)?,
    })
}

fn participant_suspended(row: &Row) -> Result<Change, FileError> {
    Ok(Change::ParticipantSuspended {
        participant: participant_id(row, "participant")?,
        suspended: fields::flag(row, "suspended")?,
    })
}

fn merchant(row: &Row) -> Result<Change, FileError> {
    merchant_of(row).map(Change::Merchant)
}

fn merchant_of(row: &Row) -> Result<Merchant, FileError> {
    let payout_account = match row.optional("payout_account") {
        None => Digest::ZERO,
        Some(_) => fields::digest(row, "payout_account")?,
    };
    Ok(Merchant {
        id: merchant_id(row)?,
        name: name(row)?,
        payout_gateway: participant_id(row, "payout_gateway")?,
        payout_account,
        suspended: false,
        legal_entity: legal_entity(row)?,
    })
}

fn merchant_suspended(row: &Row) -> Result<Change, FileError> {
    let suspended = fields::flag(row, "suspended")?;
    Ok(Change::MerchantSuspended { merchant: merchant_id(row)?, suspended })
}

fn parameter(row: &Row) -> Result<Change, FileError> {
    let index = row.parse("parameter", |text| {
        let at = Parameters::NAMES.iter().position(|name| *name == text);
        let at = at.and_then(|at| u16::try_from(at).ok());
        at.ok_or_else(|| {
            format!("{text:?} is not a parameter; known are {}", Parameters::NAMES.join(", "))
        })
    })?;
    Ok(Change::Parameter { index, value: fields::number(row, "value", u64::MAX)? })
}

fn node(row: &Row) -> Result<Change, FileError> {
    Ok(Change::Node(Node {
        name: name(row)?,
        operator: participant_id(row, "operator")?,
        network_key: fields::public_key(row, "network_key")?,
        validator_key: fields::public_key(row, "validator_key")?,
        power: fields::number(row, "power", u64::MAX)?,
    }))
}

fn power(row: &Row) -> Result<Change, FileError> {
    Ok(Change::Power {
        node: fields::number(row, "node", u32::MAX)?,
        power: fields::number(row, "power", u64::MAX)?,
    })
}

fn node_keys(row: &Row) -> Result<Change, FileError> {
    Ok(Change::NodeKeys {
        node: fields::number(row, "node", u32::MAX)?,
        network_key: fields::public_key(row, "network_key")?,
        validator_key: fields::public_key(row, "validator_key")?,
    })
}

fn node_removed(row: &Row) -> Result<Change, FileError> {
    Ok(Change::NodeRemoved { node: fields::number(row, "node", u32::MAX)? })
}

fn currency(row: &Row) -> Result<Change, FileError> {
    fields::currency(row, "currency").map(Change::Currency)
}

fn protocol_version(row: &Row) -> Result<Change, FileError> {
    fields::number(row, "protocol_version", u16::MAX).map(Change::ProtocolVersion)
}

/// Without tiers, above five recharges a month eight percent; without a least order, the smallest
/// that they allow; without gateways, nobody takes part.
fn programme(row: &Row) -> Result<Change, FileError> {
    let currency = fields::currency(row, "currency")?;
    let tiers = match row.optional("tiers") {
        None => vec![CashbackTier::DEFAULT],
        Some(_) => row.parse("tiers", tiers)?,
    };
    let offset_min = match row.optional("offset_min") {
        None => 0,
        Some(_) => row.parse("offset_min", |text| {
            text.parse().map_err(|_| format!("{text:?} is not minutes east of UTC"))
        })?,
    };
    let is_active = match row.optional("active") {
        None => true,
        Some(_) => fields::flag(row, "active")?,
    };
    let order_least = match row.optional("order_least") {
        None => Programme::least_of(&tiers),
        Some(_) => fields::optional_amount(row, "order_least", currency)?,
    };
    let gateways = match row.optional("gateways") {
        None => Vec::new(),
        Some(_) => row.parse("gateways", gateways)?,
    };
    Ok(Change::Programme(Programme {
        merchant: merchant_id(row)?,
        currency,
        tiers,
        order_least,
        gateways,
        order_max: fields::optional_amount(row, "order_max", currency)?,
        user_month_max: fields::optional_amount(row, "user_month_max", currency)?,
        offset_min,
        is_active,
    }))
}

/// Gateways' participant ids, with spaces between: `201 202`.
fn gateways(text: &str) -> Result<Vec<ParticipantId>, String> {
    let wrong = |word: &str| format!("{word:?} is not a participant id");
    let id = |word: &str| word.parse().map(ParticipantId::new).map_err(|_| wrong(word));
    let mut gateways = text.split_whitespace().map(id).collect::<Result<Vec<_>, _>>()?;
    gateways.sort_unstable();
    Ok(gateways)
}

/// Tiers as `above:basis_points`, with spaces between: `5:800 10:1000`.
fn tiers(text: &str) -> Result<Vec<CashbackTier>, String> {
    let tier = |word: &str| {
        let (above, basis_points) = word.split_once(':')?;
        let (above, basis_points) = (above.parse().ok()?, basis_points.parse().ok()?);
        Some(CashbackTier { above, basis_points })
    };
    let tier = |word| {
        tier(word).ok_or_else(|| format!("{word:?} is not above:basis_points, such as 5:800"))
    };
    text.split_whitespace().map(tier).collect()
}

impl Subject for MerchantItem {
    fn subject(&self) -> String {
        self.merchant().map_or_else(|| "no merchant".to_owned(), |known| known.id.to_string())
    }
}

impl Subject for ListedChangeItem {
    fn subject(&self) -> String {
        match self.change() {
            Some(Change::Merchant(merchant)) => format!("merchant {}", merchant.id),
            Some(Change::MerchantSuspended { merchant, .. }) => format!("merchant {merchant}"),
            Some(Change::Programme(programme)) => {
                format!("programme of merchant {}", programme.merchant)
            }
            _ => "no change".to_owned(),
        }
    }
}
