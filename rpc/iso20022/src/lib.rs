//! What a bank is told and what it answers, in ISO 20022: ids and amounts between the chain and a
//! bank, messages written and read, what a bank's words mean for an obligation, and the
//! reconciliation of a day.
//!
//! The crate is pure: bytes go in, typed words come out. It opens no file and no socket, reads no
//! clock and holds no key. `docs/iso20022.md` maps every message field by field, and ADR 0054 says
//! why readers and writers are our own.

mod account;
mod amount;
mod base32;
mod bounds;
mod evidence;
mod flaw;
mod ids;
mod read;
mod reconcile;
mod reference;
mod text;
mod words;
mod write;
mod xml;

pub use account::{AccountFlaw, AccountNumber, BankAgent, BankParty, Iban, PartyAddress};
pub use amount::{AmountFlaw, BankMoney, amount_text, parse_amount, parse_currency, sum_text};
pub use bounds::{DETAILS_MAX, FINDINGS_MAX};
pub use evidence::{
    ArrivalProof, EvidenceRule, EvidenceWord, FACTS, Fact, FactSet, HandedPayment, HeldCause,
    Judgement, Meaning, PaymentSending, REASONS, RULES, ReasonClass, judge, meaning_of,
    reason_class,
};
pub use flaw::{FileFlaw, RecordFinding, RecordFlaw};
pub use ids::{BankIdError, EndToEndId, ID_CHARACTERS_MAX, MessageId, Obligation, Uetr};
pub use read::{BankFile, Dialect, ReadItem, read_each, read_file};
pub use reconcile::{
    BankBreak, BreakKind, CarriedForward, ChainWord, ExpectedPayment, LastStatement, Reconciler,
    Reconciliation, ReconciliationReport, ReportedBreak, ReportedFault, StatementFinding,
    StatementFlaw,
};
pub use reference::BankReference;
pub use text::{CharacterSet, name_text};
pub use words::{
    AccountMessage, AccountStatement, BankEntry, BankWord, EntryDetail, EntryState, MoneyDirection,
    PaymentName, RecallStatus, RecallWord, ReturnWord, StatedBalance, StatusCode, StatusLevel,
    StatusWord,
};
pub use write::{
    ChargeBearer, InterbankSettlement, NAME_CHARACTERS_MAX, OutgoingPayment, PAYMENTS_MAX,
    PaymentOrder, RecallRequest, RecalledPayment, SentPayment, SettlementMethod, StatusRequest,
    WriteError, WrittenMessage, write_camt056, write_pacs008, write_pacs028, write_pain001,
};
