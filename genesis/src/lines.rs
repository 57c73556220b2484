//! The lines that a network begins with: how much recharge services may have reserved on gateways,
//! and they and gateways on FX providers, until these say otherwise.
//!
//! ```toml
//! [[reservation_lines]]
//! account = "gateway-liquidity"   # or "fx-position"
//! owners = [201, 202]
//! holders = [101]
//! currencies = ["CNY", "USD"]
//! limit = 100000000
//! ```
//!
//! A section stands for one line of each of its owners to each of its holders in each of its
//! currencies.

use std::collections::BTreeMap;

use chain_types::registry::RegistryBounds;
use chain_types::{
    Amount, Currency, LineAccount, LineKey, Participant, ParticipantId, ReservationLine, Roles,
};

use crate::bounds::MONEY_MAX;
use crate::fault::FieldError;
use crate::table::Table;

/// The most lines of a genesis file.
const LINES_MAX: usize = 1 << 20;
/// The most sections of a genesis file.
const SECTIONS_MAX: usize = 10_000;

/// Reads the `[[reservation_lines]]` sections; none, when nothing is given.
pub(crate) fn read_lines(
    root: &mut Table,
    participants: &BTreeMap<ParticipantId, Participant>,
    currencies: &[Currency],
) -> Result<Vec<ReservationLine>, FieldError> {
    let mut lines = BTreeMap::new();
    for mut table in root.tables("reservation_lines", 0..=SECTIONS_MAX)? {
        let account = read_account(&mut table)?;
        let owners = parties(&mut table, "owners", account.owner_role(), participants)?;
        let holders = parties(&mut table, "holders", account.holder_roles(), participants)?;
        let listed = read_currencies(&mut table, currencies)?;
        let limit = Amount::new(table.number("limit", 1..=MONEY_MAX)?);
        let field = table.field("holders");
        table.finish()?;
        if lines.len() + owners.len() * holders.len() * listed.len() > LINES_MAX {
            let remedy = format!("give at most {LINES_MAX} lines in all");
            return Err(FieldError::new(field, "…", "these are too many lines", remedy));
        }
        for owner in owners {
            for currency in listed.iter().copied() {
                for holder in holders.iter().copied() {
                    let key = LineKey { account, owner, currency, holder };
                    let is_new = lines.insert(key, limit).is_none();
                    if owner != holder && is_new {
                        continue;
                    }
                    let problem = if is_new {
                        format!("participant {owner} needs no line on its own account")
                    } else {
                        format!("participant {owner} gives it a line already")
                    };
                    let remedy = "give one line to each other participant, account and currency";
                    return Err(FieldError::new(field, holder, problem, remedy));
                }
            }
        }
    }
    check_counts(&lines)?;
    Ok(lines.into_iter().map(|(key, limit)| ReservationLine { key, limit }).collect())
}

/// No participant gives more lines than it may later.
fn check_counts(lines: &BTreeMap<LineKey, Amount>) -> Result<(), FieldError> {
    let most = RegistryBounds::CHAIN.lines;
    let mut counts: BTreeMap<ParticipantId, usize> = BTreeMap::new();
    for key in lines.keys() {
        *counts.entry(key.owner).or_default() += 1;
    }
    let Some((owner, count)) = counts.into_iter().find(|(_, count)| *count > most) else {
        return Ok(());
    };
    let problem = format!("participant {owner} gives {count} lines");
    let remedy = format!("let each participant give at most {most}");
    Err(FieldError::new("reservation_lines", count, problem, remedy))
}

fn read_account(table: &mut Table) -> Result<LineAccount, FieldError> {
    let names: Vec<&str> = LineAccount::ALL.iter().map(|account| account.name()).collect();
    let expected = names.join(" or ");
    let name = table.text("account", &expected)?;
    name.parse().map_err(|_| {
        let remedy = format!("use {expected}");
        FieldError::new(table.field("account"), name, "lines are on no such account", remedy)
    })
}

/// The participants of a list, each with one of the roles.
fn parties(
    table: &mut Table,
    key: &str,
    roles: Roles,
    participants: &BTreeMap<ParticipantId, Participant>,
) -> Result<Vec<ParticipantId>, FieldError> {
    let ids = table.numbers(key, 1..=u64::from(u32::MAX))?;
    let wanted = Roles::NAMES.iter().filter(|(role, _)| roles.any_of(*role));
    let wanted = wanted.map(|(_, name)| *name).collect::<Vec<_>>().join(" or ");
    let mut found = Vec::with_capacity(ids.len());
    for (index, id) in ids.into_iter().enumerate() {
        let known = u32::try_from(id).ok().and_then(|id| participants.get(&ParticipantId::new(id)));
        match known.filter(|known| known.roles.any_of(roles)) {
            Some(known) => found.push(known.id),
            None => {
                let field = table.field(&format!("{key}[{index}]"));
                let problem = format!("no participant of this id is a {wanted}");
                let remedy = format!("name a participant with the role {wanted}");
                return Err(FieldError::new(field, id, problem, remedy));
            }
        }
    }
    Ok(found)
}

fn read_currencies(table: &mut Table, known: &[Currency]) -> Result<Vec<Currency>, FieldError> {
    let codes = table.texts("currencies", "a list of ISO 4217 codes such as [\"CNY\"]")?;
    let mut found = Vec::with_capacity(codes.len());
    for (index, code) in codes.into_iter().enumerate() {
        let Some(currency) = Currency::from_code(&code).filter(|one| known.contains(one)) else {
            let field = table.field(&format!("currencies[{index}]"));
            let remedy = "use one of the file's `currencies`, or add it there";
            return Err(FieldError::new(field, code, "the chain does not list it", remedy));
        };
        found.push(currency);
    }
    Ok(found)
}
