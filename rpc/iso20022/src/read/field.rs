//! Fields that several messages have.

use jiff::civil::Date;

use crate::amount::{BankMoney, parse_amount, parse_currency};
use crate::flaw::RecordFlaw;
use crate::words::PaymentName;
use crate::xml::Element;

/// Characters of a text that a flaw quotes.
const QUOTED_MAX: usize = 64;

pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_MAX).collect()
}

/// Returns the text at a path, kept.
pub(super) fn kept(
    element: &Element,
    path: &[&'static str],
) -> Result<Option<Box<str>>, RecordFlaw> {
    Ok(element.text_at(path)?.map(Into::into))
}

/// Returns the text at the first of several paths that has one.
pub(super) fn first(
    element: &Element,
    paths: &[&[&'static str]],
) -> Result<Option<Box<str>>, RecordFlaw> {
    for path in paths {
        if let Some(text) = kept(element, path)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// Returns the amount at a path, in its own currency.
pub(super) fn money(
    element: &Element,
    path: &[&'static str],
) -> Result<Option<BankMoney>, RecordFlaw> {
    let Some(found) = element.at(path)? else { return Ok(None) };
    let code = found.attribute("Ccy").ok_or(RecordFlaw::Missing("Ccy"))?;
    let currency = parse_currency(code.trim())?;
    if !found.children.is_empty() {
        return Err(RecordFlaw::Mixed(found.name.clone()));
    }
    let amount = parse_amount(found.text(), currency)?;
    Ok(Some(BankMoney { amount, currency }))
}

/// Returns the date at a path: of a `Dt`, a `DtTm`, or the text itself.
pub(super) fn date(element: &Element, path: &[&'static str]) -> Result<Option<Date>, RecordFlaw> {
    let Some(found) = element.at(path)? else { return Ok(None) };
    let inside = first(found, &[&["Dt"], &["DtTm"]])?;
    let text = inside.as_deref().unwrap_or(found.text());
    if text.is_empty() {
        return Ok(None);
    }
    // The day of a time is the bank's own: what stands behind it is of no meaning here.
    let day = text.get(..10).unwrap_or(text);
    let rest = text.get(10..).unwrap_or_default();
    let has_form = rest.is_empty() || rest.starts_with(['T', 'Z', '+', '-']);
    match parse_date(day) {
        Some(date) if has_form => Ok(Some(date)),
        _ => Err(RecordFlaw::Date(quoted(text))),
    }
}

/// Returns the date of a text such as `2026-11-30`.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |part: &str| {
        let is_digits = part.bytes().all(|byte| byte.is_ascii_digit());
        is_digits.then(|| part.parse().ok()).flatten()
    };
    let (year, month, day) = (text.get(..4)?, text.get(5..7)?, text.get(8..)?);
    let month = i8::try_from(number(month)?).ok()?;
    let day = i8::try_from(number(day)?).ok()?;
    Date::new(number(year)?, month, day).ok()
}

/// Returns true or false of an indicator; false if it is not there.
pub(super) fn indicator(element: &Element, name: &'static str) -> Result<bool, RecordFlaw> {
    match element.text_at(&[name])? {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(text) => Err(RecordFlaw::Code { element: name, text: quoted(text) }),
    }
}

/// Returns how a status, a return or a cancellation names the original payment.
pub(super) fn original(element: &Element) -> Result<PaymentName, RecordFlaw> {
    Ok(PaymentName {
        message: kept(element, &["OrgnlGrpInf", "OrgnlMsgId"])?,
        payment_information: kept(element, &["OrgnlPmtInfId"])?,
        end_to_end: provided(kept(element, &["OrgnlEndToEndId"])?),
        transaction: provided(first(element, &[&["OrgnlTxId"], &["OrgnlInstrId"]])?),
        uetr: kept(element, &["OrgnlUETR"])?,
    })
}

/// Banks write this where they have no id.
pub(super) fn provided(id: Option<Box<str>>) -> Option<Box<str>> {
    id.filter(|id| !matches!(&**id, "NOTPROVIDED" | "NONREF"))
}

/// Returns the codes of an element's reasons, the bank's own among them.
pub(super) fn reasons(element: &Element, name: &'static str) -> Result<Vec<Box<str>>, RecordFlaw> {
    let mut found = Vec::new();
    for reason in element.all(name) {
        found.extend(first(reason, &[&["Rsn", "Cd"], &["Rsn", "Prtry"], &["Cd"], &["Prtry"]])?);
    }
    Ok(found)
}
