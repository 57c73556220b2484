//! What a bank's reason for a rejection or a return means on the chain.

use chain_types::FailureReason;
use chain_types::FailureReason as Reason;

/// The class of a rejection's reason: what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonClass {
    /// The payment is not made, for this reason.
    Definite(FailureReason),
    /// The bank has it already: ask what became of it.
    Duplicate,
    /// Somebody did not answer in time: what became of it is not said.
    Doubtful,
    /// The code is not known here: a person decides, and the profile may list it.
    Unknown,
}

/// The codes that are known, in the order of the page.
pub const REASONS: [(&str, ReasonClass); 67] = [
    ("AB01", ReasonClass::Doubtful),
    ("AB02", ReasonClass::Doubtful),
    ("AB03", ReasonClass::Doubtful),
    ("AB04", ReasonClass::Doubtful),
    ("AB05", ReasonClass::Doubtful),
    ("AB06", ReasonClass::Doubtful),
    ("AB07", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AB08", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AB09", ReasonClass::Doubtful),
    ("AB10", ReasonClass::Doubtful),
    ("AC01", ReasonClass::Definite(Reason::AccountUnknown)),
    ("AC02", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AC03", ReasonClass::Definite(Reason::AccountInvalid)),
    ("AC04", ReasonClass::Definite(Reason::AccountClosed)),
    ("AC05", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AC06", ReasonClass::Definite(Reason::AccountBlocked)),
    ("AC07", ReasonClass::Definite(Reason::AccountClosed)),
    ("AC12", ReasonClass::Definite(Reason::AccountInvalid)),
    ("AC14", ReasonClass::Definite(Reason::AccountInvalid)),
    ("AG01", ReasonClass::Definite(Reason::TransactionForbidden)),
    ("AG02", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AG03", ReasonClass::Definite(Reason::TransactionForbidden)),
    ("AGNT", ReasonClass::Definite(Reason::AccountInvalid)),
    ("AM01", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM02", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM03", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM04", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AM05", ReasonClass::Duplicate),
    ("AM06", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM07", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM09", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM10", ReasonClass::Definite(Reason::BankUnavailable)),
    ("AM13", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM14", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("AM21", ReasonClass::Definite(Reason::AmountNotAllowed)),
    ("BE01", ReasonClass::Definite(Reason::NameMismatch)),
    ("BE04", ReasonClass::Definite(Reason::AccountInvalid)),
    ("BE06", ReasonClass::Definite(Reason::AccountUnknown)),
    ("CNOR", ReasonClass::Definite(Reason::TransactionForbidden)),
    ("CUST", ReasonClass::Definite(Reason::Recalled)),
    ("DNOR", ReasonClass::Definite(Reason::BankUnavailable)),
    ("DT01", ReasonClass::Definite(Reason::BankUnavailable)),
    ("DU01", ReasonClass::Duplicate),
    ("DU02", ReasonClass::Duplicate),
    ("DU03", ReasonClass::Duplicate),
    ("DU04", ReasonClass::Duplicate),
    ("DU05", ReasonClass::Duplicate),
    ("DUPL", ReasonClass::Duplicate),
    ("ED05", ReasonClass::Definite(Reason::BankUnavailable)),
    ("FF01", ReasonClass::Definite(Reason::BankUnavailable)),
    ("FOCR", ReasonClass::Definite(Reason::Recalled)),
    ("FRAD", ReasonClass::Definite(Reason::Regulatory)),
    ("MD07", ReasonClass::Definite(Reason::AccountBlocked)),
    ("MS02", ReasonClass::Definite(Reason::Unspecified)),
    ("MS03", ReasonClass::Definite(Reason::Unspecified)),
    ("NARR", ReasonClass::Unknown),
    ("RC01", ReasonClass::Definite(Reason::AccountInvalid)),
    ("RC03", ReasonClass::Definite(Reason::BankUnavailable)),
    ("RC04", ReasonClass::Definite(Reason::AccountInvalid)),
    ("RC08", ReasonClass::Definite(Reason::AccountInvalid)),
    ("RR01", ReasonClass::Definite(Reason::Regulatory)),
    ("RR02", ReasonClass::Definite(Reason::Regulatory)),
    ("RR03", ReasonClass::Definite(Reason::Regulatory)),
    ("RR04", ReasonClass::Definite(Reason::Regulatory)),
    ("RR12", ReasonClass::Definite(Reason::Regulatory)),
    ("TECH", ReasonClass::Definite(Reason::BankUnavailable)),
    ("TM01", ReasonClass::Definite(Reason::BankUnavailable)),
];

/// Returns what a code says as the reason of a rejection.
pub fn reason_class(code: &str) -> ReasonClass {
    let found = REASONS.iter().find(|(known, _)| *known == code);
    found.map_or(ReasonClass::Unknown, |(_, class)| *class)
}

/// Returns what the reasons of one rejection say together, and the code that decided. A duplicate
/// wins over everything, since the bank has the payment; then what is definite.
pub(super) fn class_of_rejection(codes: &[Box<str>]) -> (ReasonClass, Box<str>) {
    let of = |wanted: &dyn Fn(ReasonClass) -> bool| {
        let found = codes.iter().map(|code| (reason_class(code), code));
        found.filter(|(class, _)| wanted(*class)).map(|(class, code)| (class, code.clone())).next()
    };
    of(&|class| class == ReasonClass::Duplicate)
        .or_else(|| of(&|class| matches!(class, ReasonClass::Definite(_))))
        .or_else(|| of(&|class| class == ReasonClass::Doubtful))
        .or_else(|| of(&|_| true))
        .unwrap_or((ReasonClass::Doubtful, Box::default()))
}

/// Returns the failure that a return's reason is on the chain: the money is back, whatever the
/// code.
pub(super) fn failure_of_return(code: &str) -> FailureReason {
    match reason_class(code) {
        ReasonClass::Definite(reason) => reason,
        _ => FailureReason::Unspecified,
    }
}
