//! The profile of a bank: which messages it takes and sends, the gateway's accounts with it, its
//! days, and how long its silence is borne.

use std::collections::BTreeMap;

use chain_types::Currency;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use rpc_iso20022::{
    ArrivalProof, BankAgent, BankParty, CharacterSet, ChargeBearer, Dialect, InterbankSettlement,
    NAME_CHARACTERS_MAX, PAYMENTS_MAX, SettlementMethod, parse_currency,
};
use serde::{Deserialize, Serialize};

use crate::accounts::{AccountTable, AddressTable};
use crate::calendar::BankCalendar;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileFault {
    /// The file is no TOML of this form.
    #[error("the profile cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// A field has a value that cannot be used.
    #[error("{field}: {problem}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// The problem, with the value that was found.
        problem: String,
    },
}

/// The message that a gateway pays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentMessage {
    /// The gateway pays as a customer of the bank.
    #[serde(rename = "pain.001.001.09")]
    Pain001,
    /// The gateway pays as a bank among banks.
    #[serde(rename = "pacs.008.001.08")]
    Pacs008,
}

impl PaymentMessage {
    /// Returns the message's name and version.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pain001 => "pain.001.001.09",
            Self::Pacs008 => "pacs.008.001.08",
        }
    }
}

/// The agreement of a gateway and its bank on how they work together.
#[derive(Debug, Clone)]
pub struct BankProfile {
    /// The message that the gateway pays with.
    pub payment: PaymentMessage,
    /// The bank's word that counts as an arrival.
    pub arrival: ArrivalProof,
    /// The characters that the bank carries.
    pub characters: CharacterSet,
    /// Characters of a name, 1 to 140.
    pub name_characters_max: usize,
    /// The side that pays the banks' charges.
    pub charges: ChargeBearer,
    /// The service level's code, if the bank asks for one.
    pub service_level: Option<String>,
    /// Payments of one message, 1 to 10,000.
    pub payments_max: usize,
    /// The gateway as the debtor, by the currency of its account.
    pub debtors: BTreeMap<Currency, BankParty>,
    /// The agents of pacs messages, and how they settle.
    pub settlement: InterbankSettlement,
    /// Versions and namespaces of the bank's messages besides the standard ones.
    pub dialect: Dialect,
    /// The days and hours at which the bank pays.
    pub calendar: BankCalendar,
    /// The time that the bank may be silent about a payment before it is asked, in milliseconds.
    /// Each question doubles it.
    pub ask_after_ms: u64,
    /// Questions about one payment; then a person is called.
    pub asks_max: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    payment: PaymentMessage,
    #[serde(default)]
    arrival: ArrivalWord,
    #[serde(default)]
    characters: CharacterWord,
    #[serde(default = "name_characters")]
    name_characters_max: usize,
    #[serde(default)]
    charges: ChargeWord,
    service_level: Option<String>,
    #[serde(default = "payments")]
    payments_max: usize,
    #[serde(default = "ask_after")]
    ask_after_s: u64,
    #[serde(default = "asks")]
    asks_max: u32,
    debtor: DebtorTable,
    #[serde(default)]
    account: Vec<OwnAccount>,
    settlement: Option<SettlementTable>,
    days: DaysTable,
    #[serde(default)]
    dialect: DialectTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ArrivalWord {
    #[default]
    Credited,
    Settled,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CharacterWord {
    #[default]
    Swift,
    Unicode,
}

#[derive(Debug, Default, Deserialize)]
enum ChargeWord {
    #[default]
    #[serde(rename = "DEBT")]
    Debtor,
    #[serde(rename = "SHAR")]
    Shared,
    #[serde(rename = "SLEV")]
    ServiceLevel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebtorTable {
    name: String,
    address: Option<AddressTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnAccount {
    currency: String,
    at: AccountTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettlementTable {
    method: String,
    system: Option<String>,
    instructed: AccountTable,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DaysTable {
    zone: String,
    cut_off: String,
    #[serde(default = "working_week")]
    weekdays: Vec<String>,
    #[serde(default)]
    holidays: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DialectTable {
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
}

const fn name_characters() -> usize {
    NAME_CHARACTERS_MAX
}

const fn payments() -> usize {
    1_000
}

const fn ask_after() -> u64 {
    900
}

const fn asks() -> u32 {
    6
}

fn working_week() -> Vec<String> {
    ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec()
}

fn field(field: &'static str) -> impl Fn(String) -> ProfileFault {
    move |problem| ProfileFault::Field { field, problem }
}

impl BankProfile {
    /// Reads `profile.toml`.
    ///
    /// # Errors
    /// When the file has another form, or a value of it cannot be used.
    pub fn parse(text: &str) -> Result<Self, ProfileFault> {
        let file: ProfileFile = toml::from_str(text)?;
        let within = |value: usize, most: usize, name| match (1..=most).contains(&value) {
            true => Ok(value),
            false => Err(field(name)(format!("{value} is not 1 to {most}"))),
        };
        let debtors = file.debtors()?;
        let first = debtors.values().next().map(|party| party.agent.clone());
        let first = first.ok_or_else(|| field("account")("no account is listed".to_owned()))?;
        if !(1..=86_400).contains(&file.ask_after_s) || file.asks_max > 16 {
            let problem = "ask after 1 to 86400 seconds, at most 16 times".to_owned();
            return Err(field("ask_after_s, asks_max")(problem));
        }
        let service_level = file.service_level.as_deref().map(code).transpose();
        Ok(Self {
            payment: file.payment,
            arrival: match file.arrival {
                ArrivalWord::Credited => ArrivalProof::Credited,
                ArrivalWord::Settled => ArrivalProof::Settled,
            },
            characters: match file.characters {
                CharacterWord::Swift => CharacterSet::Swift,
                CharacterWord::Unicode => CharacterSet::Unicode,
            },
            name_characters_max: within(
                file.name_characters_max,
                NAME_CHARACTERS_MAX,
                "name_characters_max",
            )?,
            charges: match file.charges {
                ChargeWord::Debtor => ChargeBearer::Debtor,
                ChargeWord::Shared => ChargeBearer::Shared,
                ChargeWord::ServiceLevel => ChargeBearer::ServiceLevel,
            },
            service_level: service_level.map_err(field("service_level"))?,
            payments_max: within(file.payments_max, PAYMENTS_MAX, "payments_max")?,
            debtors,
            settlement: settlement(file.settlement.as_ref(), first)?,
            dialect: Dialect {
                also: file.dialect.also,
                aliases: file.dialect.aliases.into_iter().collect(),
            },
            calendar: file.days.calendar()?,
            ask_after_ms: file.ask_after_s * 1_000,
            asks_max: file.asks_max,
        })
    }
}

impl ProfileFile {
    fn debtors(&self) -> Result<BTreeMap<Currency, BankParty>, ProfileFault> {
        let address = self.debtor.address.as_ref().map(AddressTable::address).transpose();
        let address = address.map_err(field("debtor.address"))?;
        let mut debtors = BTreeMap::new();
        for own in &self.account {
            let currency = parse_currency(&own.currency);
            let currency = currency.map_err(|flaw| field("account.currency")(flaw.to_string()))?;
            let account = own.at.number().map_err(field("account.at"))?;
            let agent = own.at.agent().map_err(field("account.at"))?;
            let name = self.debtor.name.clone();
            let party = BankParty { name, address: address.clone(), account, agent };
            if debtors.insert(currency, party).is_some() {
                let problem = format!("two accounts of {}", own.currency);
                return Err(field("account.currency")(problem));
            }
        }
        Ok(debtors)
    }
}

/// The agents are the gateway's bank on both sides unless the profile names another.
fn settlement(
    table: Option<&SettlementTable>,
    own: BankAgent,
) -> Result<InterbankSettlement, ProfileFault> {
    let Some(table) = table else {
        let method = SettlementMethod::InstructedAgent;
        return Ok(InterbankSettlement { method, instructing: own.clone(), instructed: own });
    };
    let method = match (table.method.as_str(), &table.system) {
        ("INDA", None) => SettlementMethod::InstructedAgent,
        ("INGA", None) => SettlementMethod::InstructingAgent,
        ("CLRG", Some(system)) => {
            SettlementMethod::Clearing(code(system).map_err(field("settlement.system"))?)
        }
        _ => {
            let problem = "write INDA, INGA, or CLRG with a system".to_owned();
            return Err(field("settlement.method")(problem));
        }
    };
    let instructed = table.instructed.agent().map_err(field("settlement.instructed"))?;
    Ok(InterbankSettlement { method, instructing: own, instructed })
}

fn code(text: &str) -> Result<String, String> {
    let is_code = (1..=4).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let flaw = || format!("{text:?} is not a code of 1 to 4 capital letters or digits");
    is_code.then(|| text.to_owned()).ok_or_else(flaw)
}

impl DaysTable {
    fn calendar(&self) -> Result<BankCalendar, ProfileFault> {
        let zone = TimeZone::get(&self.zone);
        let zone = zone.map_err(|error| field("days.zone")(error.to_string()))?;
        let weekdays = self.weekdays.iter().map(|name| {
            let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let place = all.iter().position(|known| known == name);
            let place = place.and_then(|place| i8::try_from(place).ok());
            let day = place.and_then(|place| Weekday::from_monday_zero_offset(place).ok());
            day.ok_or_else(|| field("days.weekdays")(format!("{name:?} is not mon to sun")))
        });
        let cut_off = self.cut_off.parse();
        let holidays = self.holidays.iter().map(|day| {
            let flaw = |error: jiff::Error| field("days.holidays")(error.to_string());
            day.parse().map_err(flaw)
        });
        Ok(BankCalendar {
            zone,
            cut_off: cut_off
                .map_err(|error: jiff::Error| field("days.cut_off")(error.to_string()))?,
            weekdays: weekdays.collect::<Result<_, _>>()?,
            holidays: holidays.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EXAMPLE: &str = include_str!("example/profile.toml");

    #[test]
    fn the_example_can_be_read() {
        let profile = BankProfile::parse(EXAMPLE).unwrap();
        assert_eq!(profile.payment.name(), "pain.001.001.09");
        assert_eq!(profile.debtors.len(), 1);
        assert_eq!(profile.calendar.cut_off, jiff::civil::time(16, 30, 0, 0));
        assert_eq!(profile.ask_after_ms, 900_000);
    }

    #[test]
    fn a_wrong_value_is_named() {
        let rows = [
            ("payment = \"pain.001.001.09", "payment = \"pain.001.001.03", "cannot be read"),
            ("Asia/Shanghai", "Asia/Nowhere", "days.zone"),
            ("\"sun\"", "\"sunday\"", "days.weekdays"),
            ("\"16:30\"", "\"25:00\"", "days.cut_off"),
            ("2027-01-01", "2027-02-30", "days.holidays"),
            ("payments_max = 1000", "payments_max = 0", "payments_max: 0 is not 1 to 10000"),
            ("ask_after_s = 900", "ask_after_s = 0", "ask_after_s"),
            ("currency = \"CNY\"", "currency = \"XAU\"", "account.currency"),
            ("account = \"1", "iban = \"1", "account.at"),
            ("# service_level = \"URGP\"", "service_level = \"urgp\"", "service_level"),
        ];
        for (from, to, expected) in rows {
            assert!(EXAMPLE.contains(from), "{from}");
            let error = BankProfile::parse(&EXAMPLE.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(expected), "{from}: {error}");
        }
    }

    #[test]
    fn a_bank_settles_with_another_one() {
        let settlement = "[settlement]\nmethod = \"CLRG\"\nsystem = \"TGT\"\n\
                          instructed = { bic = \"DEUTDEFF\" }\n";
        let profile = BankProfile::parse(&format!("{EXAMPLE}\n{settlement}")).unwrap();
        assert_eq!(profile.settlement.instructed, BankAgent::bic("DEUTDEFF").unwrap());
        assert_eq!(profile.settlement.method, SettlementMethod::Clearing("TGT".to_owned()));
        let wrong = format!("{EXAMPLE}\n{}", settlement.replace("CLRG", "INDA"));
        assert!(BankProfile::parse(&wrong).unwrap_err().to_string().contains("settlement.method"));
    }
}
