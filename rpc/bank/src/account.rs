//! The bank's messages about accounts: camt.052, camt.053 and camt.054, out of money that moved.

use crate::act::{AccountClosing, MovedMoney};
use crate::answer::{day_text, document, leaf, time_text};
use crate::decimal::{decimals, text, units};
use crate::xml::escaped;

/// The balance with which every account begins, in units of 10^-5 of its currency: a thousand
/// million, so that no gateway is short of money by accident.
const BEGIN_UNITS: i128 = 1_000_000_000 * 100_000;
/// The code of the reason of every return.
pub(crate) const RETURN_CODE: &str = "AC06";

/// The number and the text of an account's identification.
fn account_id(account: &str) -> String {
    let bytes = account.as_bytes();
    let is_iban = bytes.len() > 14
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    match is_iban {
        true => format!("<Id>{}</Id>", leaf("IBAN", account)),
        false => format!("<Id><Othr>{}</Othr></Id>", leaf("Id", account)),
    }
}

fn money(currency: &str, amount: &str) -> String {
    format!("<Amt Ccy=\"{}\">{amount}</Amt>", escaped(currency))
}

/// Returns the booked entry of a movement on one of its two accounts.
fn entry(moved: &MovedMoney, account: &str) -> String {
    let direction = if moved.to == account { "CRDT" } else { "DBIT" };
    let (family, returned) = match moved.is_back {
        true => (
            "<Cd>RCDT</Cd><SubFmlyCd>RRTN</SubFmlyCd>",
            format!("<RtrInf><Rsn>{}</Rsn></RtrInf>", leaf("Cd", RETURN_CODE)),
        ),
        false => ("<Cd>ICDT</Cd><SubFmlyCd>DMCT</SubFmlyCd>", String::new()),
    };
    let amount = money(&moved.currency, &moved.amount);
    let uetr = if moved.uetr.is_empty() { String::new() } else { leaf("UETR", &moved.uetr) };
    format!(
        "<Ntry>{amount}<CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt>{}\
         </BookgDt>{}<BkTxCd><Domn><Cd>PMNT</Cd><Fmly>{family}</Fmly></Domn></BkTxCd><NtryDtls>\
         <TxDtls><Refs>{}{}{uetr}</Refs>{amount}<CdtDbtInd>{direction}</CdtDbtInd>{returned}\
         </TxDtls></NtryDtls></Ntry>",
        leaf("Dt", &moved.day),
        leaf("AcctSvcrRef", &moved.reference),
        leaf("AcctSvcrRef", &moved.reference),
        leaf("EndToEndId", &moved.id),
    )
}

fn header(id: &str, time_ms: u64) -> String {
    let (id, time) = (leaf("MsgId", id), leaf("CreDtTm", &time_text(time_ms)));
    format!("<GrpHdr>{id}{time}</GrpHdr>")
}

/// Returns a camt.054 that tells an account of one movement.
pub(crate) fn notification(id: &str, time_ms: u64, account: &str, moved: &MovedMoney) -> String {
    let inside = format!(
        "<BkToCstmrDbtCdtNtfctn>{}<Ntfctn>{}{}<Acct>{}</Acct>{}</Ntfctn></BkToCstmrDbtCdtNtfctn>",
        header(id, time_ms),
        leaf("Id", id),
        leaf("CreDtTm", &time_text(time_ms)),
        account_id(account),
        entry(moved, account),
    );
    document("camt.054.001.08", &inside)
}

/// Returns a camt.052 of an account within its day.
pub(crate) fn report(id: &str, time_ms: u64, account: &str, moved: &[MovedMoney]) -> String {
    let entries: String = moved.iter().map(|each| entry(each, account)).collect();
    let inside = format!(
        "<BkToCstmrAcctRpt>{}<Rpt>{}{}<Acct>{}</Acct>{entries}</Rpt></BkToCstmrAcctRpt>",
        header(id, time_ms),
        leaf("Id", id),
        leaf("CreDtTm", &time_text(time_ms)),
        account_id(account),
    );
    document("camt.052.001.08", &inside)
}

/// Returns the next camt.053 of an account, with all that moved since `last`, and where the
/// account stands then. `None` if nothing ever moved on it.
pub(crate) fn statement(
    id: &str,
    time_ms: u64,
    account: &str,
    all: &[MovedMoney],
    last: Option<&AccountClosing>,
) -> Option<(String, AccountClosing)> {
    let is_of = |moved: &&MovedMoney| moved.from == account || moved.to == account;
    let currency = all.iter().find(is_of)?.currency.as_str();
    let begin = last.map_or(0, |last| last.moved);
    let moved: Vec<&MovedMoney> = all.get(begin..)?.iter().filter(is_of).collect();
    let digits = all.iter().filter(is_of).map(|each| decimals(&each.amount)).max()?;
    let opening = match last {
        Some(last) => last.closing.parse().ok()?,
        None => BEGIN_UNITS,
    };
    let change = |each: &&MovedMoney| {
        let units = units(&each.amount).unwrap_or_default();
        if each.to == account { units } else { -units }
    };
    let closing: i128 = opening + moved.iter().map(change).sum::<i128>();
    let number = last.map_or(1, |last| last.number + 1);
    let (time, day) = (time_text(time_ms), day_text(time_ms));
    let balance = |code: &str, units: i128| {
        let direction = if units < 0 { "DBIT" } else { "CRDT" };
        format!(
            "<Bal><Tp><CdOrPrtry>{}</CdOrPrtry></Tp>{}<CdtDbtInd>{direction}</CdtDbtInd><Dt>{}\
             </Dt></Bal>",
            leaf("Cd", code),
            money(currency, &text(units, digits)),
            leaf("Dt", &day),
        )
    };
    let entries: String = moved.iter().map(|each| entry(each, account)).collect();
    let inside = format!(
        "<BkToCstmrStmt>{}<Stmt>{}{}{}<FrToDt>{}{}</FrToDt><Acct>{}{}</Acct>{}{}<TxsSummry>\
         <TtlNtries>{}</TtlNtries></TxsSummry>{entries}</Stmt></BkToCstmrStmt>",
        header(id, time_ms),
        leaf("Id", id),
        leaf("ElctrncSeqNb", &number.to_string()),
        leaf("CreDtTm", &time),
        leaf("FrDtTm", &format!("{day}T00:00:00")),
        leaf("ToDtTm", &time),
        account_id(account),
        leaf("Ccy", currency),
        balance("OPBD", opening),
        balance("CLBD", closing),
        leaf("NbOfNtries", &moved.len().to_string()),
    );
    let (account, closing) = (account.to_owned(), closing.to_string());
    let closing = AccountClosing { account, number, moved: all.len(), closing };
    Some((document("camt.053.001.08", &inside), closing))
}
