//! From a genesis file's bytes to a [`ChainGenesis`]: every field within its bounds, every
//! reference known, every key fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chain_types::hash::sha256;
use chain_types::registry::{NODES_MAX, is_node_name};
use chain_types::validators::VALIDATORS_MAX;
use chain_types::{
    Amount, ChainGenesis, ChainId, Currency, LiquidityLine, Merchant, MerchantId, Node, Parameters,
    Participant, ParticipantId, PublicKey, Roles, TimeMs,
};

use crate::bounds::{
    CURRENCIES_MAX, GENESIS_BYTES_MAX, GOVERNANCE_APPROVALS_MIN, MERCHANT_ID_MAX, MERCHANTS_MAX,
    MONEY_MAX, NET_DEBIT_CAP_MAX, PARTICIPANTS_MAX, POWER_MAX, RATES_MIN, TIME_MS_MAX, TIME_MS_MIN,
    VALIDATORS_MIN,
};
use crate::fault::{ConfigFault, FieldError};
use crate::lines::read_lines;
use crate::parameters::read_parameters;
use crate::table::Table;

/// Reads and checks a genesis file.
///
/// # Errors
/// When it cannot be read, or [`parse_genesis`] refuses it.
pub fn load_genesis(path: &Path) -> Result<ChainGenesis, ConfigFault> {
    let bytes = std::fs::read(path)
        .map_err(|source| ConfigFault::Read { path: path.to_owned(), source })?;
    parse_genesis(&bytes).map_err(|error| ConfigFault::field(path, error))
}

/// Checks a genesis file's bytes. Their SHA-256 is the chain id, equal to `sha256sum`'s.
///
/// # Errors
/// The first field that is refused, with its value and a remedy.
pub fn parse_genesis(bytes: &[u8]) -> Result<ChainGenesis, FieldError> {
    let mut root = Table::root(read_toml(bytes)?);
    let mut keys = Keys::default();
    let name = root.name("name")?;
    let time = TimeMs::new(root.number("time_ms", TIME_MS_MIN..=TIME_MS_MAX)?);
    let development = root.flag("development")?;
    let currencies = read_currencies(&mut root)?;
    let parameters = read_parameters(root.table("parameters")?)?;
    let participants = read_participants(&mut root, &mut keys)?;
    let merchants = read_merchants(&mut root, &participants)?;
    let liquidity = read_liquidity(&mut root, &participants, &currencies)?;
    let listed: Vec<Currency> = currencies.iter().copied().collect();
    let lines = read_lines(&mut root, &participants, &listed)?;
    let nodes = read_nodes(&mut root, &participants, &mut keys)?;
    check_power(&nodes, development)?;
    if !development {
        refuse_demo_bounds(&liquidity)?;
        check_rates(&parameters)?;
        check_governance(&parameters, &participants)?;
    }
    root.finish()?;
    Ok(ChainGenesis {
        chain_id: ChainId::new(sha256(&[bytes])),
        name,
        time,
        parameters,
        currencies: listed,
        participants: participants.into_values().collect(),
        merchants,
        liquidity,
        lines,
        nodes,
    })
}

pub(crate) fn read_toml(bytes: &[u8]) -> Result<toml::Table, FieldError> {
    if bytes.len() > GENESIS_BYTES_MAX {
        let problem = format!("the file has {} bytes", bytes.len());
        let remedy = format!("keep it within {GENESIS_BYTES_MAX} bytes");
        return Err(FieldError::new("file", "…", problem, remedy));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = format!("byte {}", error.valid_up_to());
        FieldError::new(place, "…", "the file is not UTF-8 text", "save it as UTF-8")
    })?;
    text.parse::<toml::Table>().map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line_number = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
        let line = text.lines().nth(line_number - 1).unwrap_or_default().trim();
        let problem = error.message().replace('\n', " ");
        let remedy = "write it as TOML 1.0 (https://toml.io)";
        FieldError::new(format!("line {line_number}"), format!("`{line}`"), problem, remedy)
    })
}

/// Keys that are in use and by whom: one leaked key must not be several parties' at once.
#[derive(Default)]
struct Keys(BTreeMap<PublicKey, String>);

impl Keys {
    fn claim(&mut self, key: PublicKey, field: String) -> Result<(), FieldError> {
        match self.0.insert(key, field.clone()) {
            None => Ok(()),
            Some(other) => {
                let problem = format!("the key is already used by {other}");
                Err(FieldError::new(field, key, problem, "make a key of its own for each use"))
            }
        }
    }
}

fn read_currencies(root: &mut Table) -> Result<BTreeSet<Currency>, FieldError> {
    let codes = root.texts("currencies", "a list of ISO 4217 codes such as [\"CNY\"]")?;
    if codes.is_empty() || codes.len() > CURRENCIES_MAX {
        let value = format!("{} codes", codes.len());
        let remedy = format!("list 1 to {CURRENCIES_MAX} ISO 4217 codes");
        return Err(FieldError::new("currencies", value, "too few or too many", remedy));
    }
    let mut currencies = BTreeSet::new();
    for (index, code) in codes.iter().enumerate() {
        let error = |problem, remedy| {
            Err(FieldError::new(format!("currencies[{index}]"), code, problem, remedy))
        };
        let Some(currency) = Currency::from_code(code) else {
            return error("ISO 4217 does not list it", "use a code such as CNY, in capitals");
        };
        if currency.exponent().is_none() {
            return error("it has no minor unit to count in", "use a currency that has one");
        }
        if !currencies.insert(currency) {
            return error("it is listed twice", "list each currency once");
        }
    }
    Ok(currencies)
}

fn duplicate(field: String, value: impl ToString) -> FieldError {
    FieldError::new(field, value, "another entry has it already", "give each entry its own")
}

fn read_participants(
    root: &mut Table,
    keys: &mut Keys,
) -> Result<BTreeMap<ParticipantId, Participant>, FieldError> {
    let mut participants = BTreeMap::new();
    for mut table in root.tables("participants", 1..=PARTICIPANTS_MAX)? {
        let id = ParticipantId::new(table.number_u32("id", 1..=u32::MAX)?);
        let participant = Participant {
            id,
            name: table.name("name")?,
            roles: read_roles(&mut table)?,
            public_key: table.public_key("public_key")?,
            suspended: table.flag("suspended")?,
            legal_entity: table.legal_entity("legal_entity")?,
        };
        keys.claim(participant.public_key, table.field("public_key"))?;
        let field = table.field("id");
        table.finish()?;
        if participants.insert(id, participant).is_some() {
            return Err(duplicate(field, id));
        }
    }
    Ok(participants)
}

fn read_roles(table: &mut Table) -> Result<Roles, FieldError> {
    let names: Vec<&str> = Roles::NAMES.iter().map(|(_, name)| *name).collect();
    let expected = format!("a list of roles of {}", names.join(", "));
    let given = table.texts("roles", &expected)?;
    let mut roles = Roles::default();
    for (index, name) in given.iter().enumerate() {
        let field = table.field(&format!("roles[{index}]"));
        let Some((role, _)) = Roles::NAMES.iter().find(|(_, known)| known == name) else {
            let remedy = format!("use {}", names.join(", "));
            return Err(FieldError::new(field, name, "no such role is known", remedy));
        };
        if roles.any_of(*role) {
            return Err(duplicate(field, name));
        }
        roles = roles.and(*role);
    }
    if given.is_empty() {
        let remedy = format!("give at least one of {}", names.join(", "));
        return Err(FieldError::new(table.field("roles"), "[]", "it lists no role", remedy));
    }
    if !roles.are_separate() {
        let problem = "an operator or agent is a gateway, FX provider or registrar as well";
        let remedy = "give the other role to a participant of its own";
        return Err(FieldError::new(table.field("roles"), given.join(", "), problem, remedy));
    }
    Ok(roles)
}

/// The participant that a field names, who must have a role.
fn referred(
    table: &mut Table,
    key: &str,
    role: Roles,
    participants: &BTreeMap<ParticipantId, Participant>,
) -> Result<ParticipantId, FieldError> {
    let id = ParticipantId::new(table.number_u32(key, 1..=u32::MAX)?);
    let role_name = Roles::NAMES.iter().find(|(known, _)| *known == role).map_or("", |row| row.1);
    let problem = match participants.get(&id) {
        Some(participant) if participant.roles.any_of(role) => return Ok(id),
        Some(_) => format!("the participant has not the role {role_name}"),
        None => "no participant has this id".to_owned(),
    };
    let remedy = format!("name a participant with the role {role_name}");
    Err(FieldError::new(table.field(key), id, problem, remedy))
}

fn read_merchants(
    root: &mut Table,
    participants: &BTreeMap<ParticipantId, Participant>,
) -> Result<Vec<Merchant>, FieldError> {
    let mut merchants = BTreeMap::new();
    for mut table in root.tables("merchants", 0..=MERCHANTS_MAX)? {
        let id = MerchantId::new(table.number("id", 1..=MERCHANT_ID_MAX)?);
        let merchant = Merchant {
            id,
            name: table.name("name")?,
            payout_gateway: referred(&mut table, "payout_gateway", Roles::GATEWAY, participants)?,
            payout_account: table.digest_or_zeros("payout_account")?,
            suspended: table.flag("suspended")?,
            legal_entity: table.legal_entity("legal_entity")?,
        };
        let field = table.field("id");
        table.finish()?;
        if merchants.insert(id, merchant).is_some() {
            return Err(duplicate(field, id));
        }
    }
    Ok(merchants.into_values().collect())
}

fn read_liquidity(
    root: &mut Table,
    participants: &BTreeMap<ParticipantId, Participant>,
    currencies: &BTreeSet<Currency>,
) -> Result<Vec<LiquidityLine>, FieldError> {
    let mut lines = BTreeMap::new();
    for mut table in root.tables("liquidity", 0..=PARTICIPANTS_MAX * 4)? {
        let gateway = referred(&mut table, "gateway", Roles::GATEWAY, participants)?;
        let code = table.text("currency", "an ISO 4217 code")?;
        let listed = Currency::from_code(&code).filter(|currency| currencies.contains(currency));
        let field = table.field("currency");
        let Some(currency) = listed else {
            let problem = "the chain does not list this currency";
            let remedy = "use one of `currencies`, or add it there";
            return Err(FieldError::new(field, code, problem, remedy));
        };
        let line = LiquidityLine {
            gateway,
            currency,
            net_debit_cap: Amount::new(table.number("net_debit_cap", 0..=MONEY_MAX)?),
            opening_liquidity: Amount::new(table.number("opening_liquidity", 0..=MONEY_MAX)?),
        };
        table.finish()?;
        if lines.insert((gateway, currency), line).is_some() {
            return Err(duplicate(field, format!("{code} of gateway {gateway}")));
        }
    }
    Ok(lines.into_values().collect())
}

fn read_nodes(
    root: &mut Table,
    participants: &BTreeMap<ParticipantId, Participant>,
    keys: &mut Keys,
) -> Result<Vec<Node>, FieldError> {
    let mut nodes = Vec::new();
    let mut names = BTreeSet::new();
    for mut table in root.tables("nodes", 1..=NODES_MAX)? {
        let name = read_node_name(&mut table)?;
        if !names.insert(name.clone()) {
            return Err(duplicate(table.field("name"), name));
        }
        let operator = referred(&mut table, "operator", Roles::SETTLEMENT_OPERATOR, participants)?;
        let power = table.number("power", 0..=POWER_MAX)?;
        let network_key = table.public_key("network_key")?;
        keys.claim(network_key, table.field("network_key"))?;
        let field = table.field("validator_key");
        let validator_key = match (power, table.has("validator_key")) {
            (0, false) => network_key,
            (0, true) => {
                let problem = "an edge node, whose power is 0, does not vote";
                let remedy = "remove the key, or give the node power";
                return Err(FieldError::new(field, "a key", problem, remedy));
            }
            _ => {
                let validator_key = table.public_key("validator_key")?;
                keys.claim(validator_key, field)?;
                validator_key
            }
        };
        table.finish()?;
        nodes.push(Node { name, operator, network_key, validator_key, power });
    }
    Ok(nodes)
}

/// A node's name is also a folder's and a log field's.
fn read_node_name(table: &mut Table) -> Result<String, FieldError> {
    let name = table.name("name")?;
    if is_node_name(&name) {
        return Ok(name);
    }
    let remedy = "use small letters, digits and hyphens";
    Err(FieldError::new(table.field("name"), name, "a node's name is also a folder's", remedy))
}

fn check_power(nodes: &[Node], development: bool) -> Result<(), FieldError> {
    let powers: Vec<u64> = nodes.iter().map(|node| node.power).filter(|power| *power > 0).collect();
    let error = |problem: &str, remedy: &str| {
        Err(FieldError::new("nodes", format!("{} validators", powers.len()), problem, remedy))
    };
    if powers.is_empty() {
        return error("nobody would decide blocks", "give nodes a power above 0");
    }
    if powers.len() > VALIDATORS_MAX {
        return error("certificates would grow too large", "have at most 128 validators");
    }
    if development {
        return Ok(());
    }
    if powers.len() < VALIDATORS_MIN {
        return error(
            "with fewer than 4, one failure stops the chain",
            "have at least 4, or say `development = true` for a network without real money",
        );
    }
    let total: u128 = powers.iter().map(|power| u128::from(*power)).sum();
    if let Some(index) = nodes.iter().position(|node| u128::from(node.power) * 3 >= total) {
        let field = format!("nodes[{index}].power");
        let power = nodes.get(index).map_or(0, |node| node.power);
        let problem = "with a third of all power, this node alone could stop the chain";
        return Err(FieldError::new(field, power, problem, "spread power more evenly"));
    }
    Ok(())
}

/// Returns true if a genesis file says that its network has no real money.
pub fn is_development(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let root: Option<toml::Table> = text.parse().ok();
    root.and_then(|root| root.get("development")?.as_bool()).unwrap_or(false)
}

/// Bounds that let a demonstration run without deposits have no place where money is real.
fn refuse_demo_bounds(liquidity: &[LiquidityLine]) -> Result<(), FieldError> {
    let over = liquidity.iter().position(|line| line.net_debit_cap.get() > NET_DEBIT_CAP_MAX);
    let Some(line) = over.and_then(|index| liquidity.get(index)) else { return Ok(()) };
    let currency = line.currency.code().unwrap_or("…");
    let field = format!("liquidity of gateway {} in {currency}: net_debit_cap", line.gateway);
    let problem = "it is a demonstration's: this gateway could owe without end";
    let remedy = format!(
        "give at most {NET_DEBIT_CAP_MAX} minor units, what the gateway has security for; or say \
         `development = true` for a network without real money"
    );
    Err(FieldError::new(field, line.net_debit_cap.get(), problem, remedy))
}

/// No provider sets a reference rate alone.
fn check_rates(parameters: &Parameters) -> Result<(), FieldError> {
    let (field, needed) = ("parameters.rates_min", parameters.rates_min);
    if needed >= RATES_MIN {
        return Ok(());
    }
    let problem = "it is a demonstration's: one FX provider could set the reference rate";
    let remedy = format!(
        "give at least {RATES_MIN}, or say `development = true` for a network without real money"
    );
    Err(FieldError::new(field, needed, problem, remedy))
}

/// Governance can act, and nobody acts alone.
fn check_governance(
    parameters: &Parameters,
    participants: &BTreeMap<ParticipantId, Participant>,
) -> Result<(), FieldError> {
    let needed = parameters.governance_approvals;
    let is_operator =
        |one: &&Participant| one.roles.any_of(Roles::SETTLEMENT_OPERATOR) && !one.suspended;
    let operators = participants.values().filter(is_operator);
    let houses = operators.map(Participant::house).collect::<BTreeSet<_>>().len();
    let field = "parameters.governance_approvals";
    if needed < GOVERNANCE_APPROVALS_MIN {
        let problem = "one legal entity alone could change every key and every bound";
        let remedy = format!(
            "give at least {GOVERNANCE_APPROVALS_MIN}, or say `development = true` for a network \
             without real money"
        );
        return Err(FieldError::new(field, needed, problem, remedy));
    }
    if houses < needed as usize {
        let problem = format!(
            "there are settlement operators of {houses} legal entities, so nothing is approved"
        );
        let remedy = "give at most the number of legal entities that have a settlement operator";
        return Err(FieldError::new(field, needed, problem, remedy));
    }
    Ok(())
}
