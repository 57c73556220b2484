//! The account book: where each merchant is paid. It is checked whole when it is loaded, and never
//! at payment time.

use std::collections::BTreeMap;

use chain_types::{Currency, MerchantId};
use rpc_iso20022::{
    AccountFlaw, AccountNumber, BankAgent, BankParty, Iban, PartyAddress, parse_currency,
};
use serde::Deserialize;

/// Why an account book cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountBookFault {
    /// The file is no TOML of this form.
    #[error("the account book cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// An account of a merchant cannot be used.
    #[error("merchant {merchant}: {problem}")]
    Merchant {
        /// The id of the merchant whose account cannot be used.
        merchant: u64,
        /// The problem, with the text that was found.
        problem: String,
    },
}

/// A party's account as a file writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountTable {
    pub iban: Option<String>,
    pub account: Option<String>,
    pub bic: Option<String>,
    pub system: Option<String>,
    pub member: Option<String>,
}

impl AccountTable {
    pub(crate) fn number(&self) -> Result<AccountNumber, String> {
        match (&self.iban, &self.account) {
            (Some(iban), None) => Ok(AccountNumber::Iban(Iban::new(iban).map_err(text)?)),
            (None, Some(other)) => AccountNumber::other(other).map_err(text),
            _ => Err("name either `iban` or `account`".to_owned()),
        }
    }

    pub(crate) fn agent(&self) -> Result<BankAgent, String> {
        match (&self.bic, &self.system, &self.member) {
            (Some(bic), None, None) => BankAgent::bic(bic).map_err(text),
            (None, Some(system), Some(member)) => BankAgent::member(system, member).map_err(text),
            _ => Err("name either `bic`, or `system` and `member`".to_owned()),
        }
    }
}

/// A party's address as a file writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressTable {
    pub town: String,
    pub country: String,
    pub street: Option<String>,
    pub postcode: Option<String>,
}

impl AddressTable {
    pub(crate) fn address(&self) -> Result<PartyAddress, String> {
        let address = PartyAddress::new(&self.town, &self.country).map_err(text)?;
        match (&self.street, &self.postcode) {
            (None, None) => Ok(address),
            (Some(street), Some(code)) => address.with_street(street, code).map_err(text),
            _ => Err("name both `street` and `postcode`, or none of them".to_owned()),
        }
    }
}

fn text(flaw: AccountFlaw) -> String {
    flaw.to_string()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookFile {
    #[serde(default)]
    merchant: Vec<MerchantTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MerchantTable {
    id: u64,
    currency: String,
    name: String,
    at: AccountTable,
    address: Option<AddressTable>,
}

/// The account of each merchant in each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountBook {
    parties: BTreeMap<(MerchantId, Currency), BankParty>,
}

impl AccountBook {
    /// Reads `accounts.toml`.
    ///
    /// # Errors
    /// When one account of it cannot be used, or stands twice: nothing of the file is then used.
    pub fn parse(text: &str) -> Result<Self, AccountBookFault> {
        let file: BookFile = toml::from_str(text)?;
        let mut book = Self::default();
        for table in file.merchant {
            let merchant = table.id;
            let fault = |problem| AccountBookFault::Merchant { merchant, problem };
            let (currency, party) = table.party().map_err(fault)?;
            if book.insert(MerchantId::new(merchant), currency, party).is_some() {
                let problem = format!("has two accounts of {}", currency.code_or_number());
                return Err(fault(problem));
            }
        }
        Ok(book)
    }

    /// Adds or replaces an account, and returns the one that it replaces.
    pub fn insert(
        &mut self,
        merchant: MerchantId,
        currency: Currency,
        party: BankParty,
    ) -> Option<BankParty> {
        self.parties.insert((merchant, currency), party)
    }

    /// Returns the account of a merchant in a currency.
    pub fn party(&self, merchant: MerchantId, currency: Currency) -> Option<&BankParty> {
        self.parties.get(&(merchant, currency))
    }

    /// Returns the number of accounts.
    pub fn count(&self) -> usize {
        self.parties.len()
    }
}

impl MerchantTable {
    fn party(&self) -> Result<(Currency, BankParty), String> {
        let currency = parse_currency(&self.currency).map_err(|flaw| flaw.to_string())?;
        let address = self.address.as_ref().map(AddressTable::address).transpose()?;
        let (account, agent) = (self.at.number()?, self.at.agent()?);
        Ok((currency, BankParty { name: self.name.clone(), address, account, agent }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOODLES: &str = r#"
[[merchant]]
id = 1001
currency = "CNY"
name = "Noodle House"
at = { account = "6222020200112233445", system = "CNAPS", member = "102100099996" }
address = { town = "Shanghai", country = "CN" }
"#;

    #[test]
    fn an_account_is_found_by_merchant_and_currency() {
        let book = AccountBook::parse(NOODLES).unwrap();
        let currency = Currency::from_code("CNY").unwrap();
        let party = book.party(MerchantId::new(1_001), currency).unwrap();
        assert_eq!(
            (party.name.as_str(), party.account.text()),
            ("Noodle House", "6222020200112233445")
        );
        assert_eq!(book.party(MerchantId::new(1_002), currency), None);
        assert_eq!(book.party(MerchantId::new(1_001), Currency::from_code("USD").unwrap()), None);
    }

    #[test]
    fn a_book_with_one_wrong_account_is_refused() {
        let change = |from: &str, to: &str| {
            let error = AccountBook::parse(&NOODLES.replace(from, to)).unwrap_err();
            error.to_string()
        };
        let rows = [
            ("\"CNY\"", "\"cny\"", "merchant 1001"),
            ("account =", "iban =", "is not an IBAN"),
            ("account =", "iban = \"X\", account =", "name either `iban` or `account`"),
            ("\"CNAPS\"", "\"\"", "member of a clearing system"),
            (", member = \"102100099996\"", "", "name either `bic`"),
            ("\"CN\"", "\"China\"", "is not a country"),
            ("\"Shanghai\"", "\" \"", "empty or too long"),
            ("name =", "nam =", "cannot be read"),
        ];
        for (from, to, expected) in rows {
            let error = change(from, to);
            assert!(error.contains(expected), "{from} -> {to}: {error}");
        }
        let twice = AccountBook::parse(&NOODLES.repeat(2)).unwrap_err().to_string();
        assert!(twice.contains("two accounts of CNY"), "{twice}");
    }
}
