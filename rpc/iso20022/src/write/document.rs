//! A document that is written element by element. Nothing in it can be left open or unescaped.

use chain_types::{Amount, Currency, TimeMs};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use quick_xml::escape::escape;

use super::order::{PaymentOrder, WriteError, WrittenMessage};
use crate::account::{AccountNumber, BankAgent, BankParty};
use crate::amount::amount_text;
use crate::ids::MessageId;
use crate::text::name_text;

/// The namespace of a message is this and its name.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// The inside of an element, as far as it is written.
pub(super) struct Body {
    xml: String,
}

impl Body {
    /// Writes an element with what `inside` writes.
    pub(super) fn element(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        self.xml.push_str(&format!("<{name}>"));
        inside(self)?;
        self.xml.push_str(&format!("</{name}>"));
        Ok(())
    }

    /// Writes an element with a text.
    pub(super) fn leaf(&mut self, name: &str, text: impl AsRef<str>) {
        self.xml.push_str(&format!("<{name}>{}</{name}>", escape(text.as_ref())));
    }

    /// Writes elements around a text, the outermost first: `path` of `a/b` is an `a` with a `b`.
    pub(super) fn path(&mut self, path: &str, text: impl AsRef<str>) {
        let names: Vec<&str> = path.split('/').collect();
        names.iter().for_each(|name| self.xml.push_str(&format!("<{name}>")));
        self.xml.push_str(&escape(text.as_ref()));
        names.iter().rev().for_each(|name| self.xml.push_str(&format!("</{name}>")));
    }

    /// Writes an amount with its currency.
    pub(super) fn amount(
        &mut self,
        name: &str,
        amount: Amount,
        currency: Currency,
    ) -> Result<(), WriteError> {
        let (text, code) = (amount_text(amount, currency)?, currency.code_or_number());
        self.xml.push_str(&format!("<{name} Ccy=\"{code}\">{text}</{name}>"));
        Ok(())
    }

    /// Writes a bank in an element of this name, by its BIC or as a member of a clearing system.
    pub(super) fn agent(&mut self, name: &str, agent: &BankAgent) {
        match agent {
            BankAgent::Bic(bic) => self.path(&format!("{name}/FinInstnId/BICFI"), bic),
            BankAgent::Member { system, member } => {
                self.xml.push_str(&format!("<{name}><FinInstnId><ClrSysMmbId>"));
                self.path("ClrSysId/Cd", system);
                self.leaf("MmbId", member);
                self.xml.push_str(&format!("</ClrSysMmbId></FinInstnId></{name}>"));
            }
        }
    }

    /// Writes an account in an element of this name.
    pub(super) fn account(&mut self, name: &str, account: &AccountNumber) {
        self.xml.push_str(&format!("<{name}>"));
        self.account_id(account);
        self.xml.push_str(&format!("</{name}>"));
    }

    /// Writes the number of an account.
    pub(super) fn account_id(&mut self, account: &AccountNumber) {
        match account {
            AccountNumber::Iban(_) => self.path("Id/IBAN", account.text()),
            AccountNumber::Other(_) => self.path("Id/Othr/Id", account.text()),
        }
    }

    /// Writes a name and an address, in the characters of `order`'s bank.
    pub(super) fn party(
        &mut self,
        element: &str,
        party: &BankParty,
        otherwise: &str,
        order: &PaymentOrder,
    ) -> Result<(), WriteError> {
        let text =
            |text: &str, otherwise: &str, most| name_text(text, otherwise, order.characters, most);
        self.element(element, |body| {
            body.leaf("Nm", text(&party.name, otherwise, order.name_characters()));
            let Some(address) = &party.address else { return Ok(()) };
            body.element("PstlAdr", |body| {
                let lines = [("StrtNm", &address.street, 70), ("PstCd", &address.postcode, 16)];
                for (element, line, most) in lines {
                    let line = line.as_deref().map(|line| text(line, "", most));
                    // A line of which the bank carries no character is left out.
                    if let Some(line) = line.filter(|line| line != ".") {
                        body.leaf(element, line);
                    }
                }
                body.leaf("TwnNm", text(&address.town, &address.country, 35));
                body.leaf("Ctry", &address.country);
                Ok(())
            })
        })
    }
}

impl PaymentOrder {
    pub(super) fn name_characters(&self) -> usize {
        self.name_characters_max.clamp(1, super::NAME_CHARACTERS_MAX)
    }
}

/// Returns the message of a name. `inside` writes it, with the id that it is given; the id is a
/// hash of what is written with zeros in its place.
pub(super) fn message(
    name: &'static str,
    inside: impl Fn(&mut Body, &str) -> Result<(), WriteError>,
) -> Result<WrittenMessage, WriteError> {
    let write = |id: &str| -> Result<String, WriteError> {
        let mut body = Body { xml: String::with_capacity(1024) };
        body.xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        body.xml.push_str(&format!("<Document xmlns=\"{NAMESPACE}{name}\">"));
        inside(&mut body, id)?;
        body.xml.push_str("</Document>\n");
        Ok(body.xml)
    };
    let content = write(MessageId::PLACEHOLDER)?;
    let id = MessageId::of_content(content.as_bytes());
    let xml = write(id.as_str())?;
    Ok(WrittenMessage { name, id, xml })
}

/// Returns a time as the messages write it: `2026-11-30T08:00:00.000+00:00`.
pub(super) fn time_text(time: TimeMs) -> Result<String, WriteError> {
    let error = || WriteError::Time(format!("{time} ms"));
    let milliseconds = i64::try_from(time.get()).map_err(|_| error())?;
    let time = Timestamp::from_millisecond(milliseconds).map_err(|_| error())?;
    let civil = Offset::UTC.to_datetime(time);
    let second = format!("{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second());
    let date = date_text(civil.date())?;
    Ok(format!("{date}T{second}.{:03}+00:00", civil.millisecond()))
}

/// Returns a date as the messages write it.
pub(super) fn date_text(date: Date) -> Result<String, WriteError> {
    if date.year() < 1970 {
        return Err(WriteError::Time(format!("{date}")));
    }
    Ok(format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()))
}
