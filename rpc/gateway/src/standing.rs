//! The next step of an attempt, from what is known of it. It decides and does nothing.

use std::fmt;

use chain_types::{FailureReason, TimeMs};
use rpc_iso20022::{
    BankReference, EndToEndId, EvidenceWord, Fact, HeldCause, Judgement, Meaning, amount_text,
    judge,
};

use crate::accounts::AccountBook;
use crate::books::{AttemptBook, AttemptState, GatewayBooks};
use crate::profile::BankProfile;
use crate::record::{ChainDeed, DeedKind};

/// How long something waits that the chain refused for now, in milliseconds.
pub(crate) const RETRY_MS: u64 = 60_000;
/// Refusals that pass: the instruction is not known yet, the money of a bounce is missing.
const PASSING: [u16; 2] = [400, 417];

/// Why a person is called about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldReason {
    /// The bank's words: see docs/iso20022.md.
    Evidence(HeldCause),
    /// The account book has no account of the merchant in this currency.
    NoAccount,
    /// The profile has no account of the gateway in this currency.
    NoOwnAccount,
    /// The amount has more digits than a message carries.
    AmountTooLong,
    /// An earlier attempt was sent, and the bank has not said that it is not paid.
    EarlierAttempt,
    /// The bank speaks of a payment that this journal never sent.
    NeverSent,
    /// The bank was asked as often as the profile says, and is silent.
    Silent,
    /// The bank said more of it than is kept.
    TooManyWords,
    /// The bank paid after this gateway had said that it failed.
    PaidAfterFailure,
    /// The bank paid an attempt after the instruction had been given again.
    PaidAfterAnother,
    /// The bank refused what the chain says has arrived.
    FailedAfterArrival,
    /// The chain refused to hear it, with this code.
    Refused(u16),
}

impl fmt::Display for HeldReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Evidence(cause) => return write!(formatter, "evidence: {cause}"),
            Self::Refused(code) => return write!(formatter, "refused by the chain: {code}"),
            Self::NoAccount => "no account of the merchant",
            Self::NoOwnAccount => "no own account of the currency",
            Self::AmountTooLong => "amount too long",
            Self::EarlierAttempt => "an earlier attempt is open",
            Self::NeverSent => "the bank speaks of it, and it was never sent",
            Self::Silent => "the bank is silent",
            Self::TooManyWords => "too many words of the bank",
            Self::PaidAfterFailure => "paid after its failure",
            Self::PaidAfterAnother => "paid after it was given again",
            Self::FailedAfterArrival => "refused after its arrival",
        };
        formatter.write_str(text)
    }
}

/// The next step of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptStanding {
    /// Put a payment out.
    Pay,
    /// Wait: for the bank, for the chain, or for a time.
    Wait,
    /// Ask the bank what became of it.
    Ask,
    /// Ask the bank for it back.
    Recall,
    /// Say it to the chain.
    Say(ChainDeed),
    /// Nothing more, as far as is known.
    Done,
    /// Call a person, for this reason.
    Held(HeldReason),
}

/// The rules that decide besides the books.
#[derive(Debug, Clone, Copy)]
pub struct GatewayRules<'a> {
    /// How gateway and bank work together.
    pub profile: &'a BankProfile,
    /// The accounts of the merchants.
    pub accounts: &'a AccountBook,
    /// The present time of this machine.
    pub now: TimeMs,
}

/// Returns what is to be done about an attempt of the books, and nothing about one that is unknown.
pub fn standing(books: &GatewayBooks, id: EndToEndId, rules: &GatewayRules<'_>) -> AttemptStanding {
    match books.attempt(id) {
        None => AttemptStanding::Done,
        Some(attempt) if attempt.batch.is_some() => AttemptStanding::Wait,
        Some(attempt) => match judgement(books, id, attempt, rules.profile) {
            None => unsent(books, id, attempt, rules),
            Some(judgement) => sent(id, attempt, judgement, rules),
        },
    }
}

/// Judges what the bank said of an attempt that was sent.
fn judgement(
    books: &GatewayBooks,
    id: EndToEndId,
    attempt: &AttemptBook,
    profile: &BankProfile,
) -> Option<Judgement> {
    let payment = books.handed(id)?;
    let words: Vec<EvidenceWord<'_>> = attempt.words.iter().map(|word| word.evidence()).collect();
    Some(judge(&payment, &words, profile.arrival))
}

/// Returns true if an attempt may still be paid by the bank: it was sent, and the bank has not said
/// that it is not paid or that the money is back.
fn may_be_paid(
    books: &GatewayBooks,
    id: EndToEndId,
    attempt: &AttemptBook,
    of: &BankProfile,
) -> bool {
    let dead = [Meaning::Failed, Meaning::Recalled, Meaning::Bounced];
    let meaning = judgement(books, id, attempt, of).map(|judgement| judgement.meaning);
    meaning.is_some_and(|meaning| !dead.contains(&meaning))
}

fn unsent(
    books: &GatewayBooks,
    id: EndToEndId,
    attempt: &AttemptBook,
    rules: &GatewayRules<'_>,
) -> AttemptStanding {
    let (merchant, currency) = (id.instruction.merchant, id.instruction.currency);
    if attempt.state != AttemptState::Outstanding || attempt.amount.get() == 0 {
        return AttemptStanding::Done;
    }
    if !attempt.words.is_empty() {
        return AttemptStanding::Held(HeldReason::NeverSent);
    }
    if attempt.is_recalled {
        let reason = Some(FailureReason::Recalled);
        return say(id, attempt, DeedKind::Failure, &Judged { reason, ..Judged::default() }, rules);
    }
    let profile = rules.profile;
    let open = |(earlier, attempt)| may_be_paid(books, earlier, attempt, profile);
    if books.earlier(id).any(open) {
        return AttemptStanding::Held(HeldReason::EarlierAttempt);
    }
    if rules.accounts.party(merchant, currency).is_none() {
        return AttemptStanding::Held(HeldReason::NoAccount);
    }
    if !rules.profile.debtors.contains_key(&currency) {
        return AttemptStanding::Held(HeldReason::NoOwnAccount);
    }
    if amount_text(attempt.amount, currency).is_err() {
        return AttemptStanding::Held(HeldReason::AmountTooLong);
    }
    AttemptStanding::Pay
}

/// The parts of a judgement that are said to the chain.
#[derive(Debug, Default)]
struct Judged {
    reason: Option<FailureReason>,
    code: Option<Box<str>>,
    reference: Option<Box<str>>,
}

fn sent(
    id: EndToEndId,
    attempt: &AttemptBook,
    judgement: Judgement,
    rules: &GatewayRules<'_>,
) -> AttemptStanding {
    if attempt.has_too_many_words() {
        return AttemptStanding::Held(HeldReason::TooManyWords);
    }
    let has_returned = judgement.facts.contains(Fact::Returned);
    let Judgement { meaning, reason, code, reference, .. } = judgement;
    let judged = Judged { reason, code, reference };
    let say = |kind| say(id, attempt, kind, &judged, rules);
    let held = |reason| AttemptStanding::Held(reason);
    match (meaning, attempt.state) {
        (Meaning::Held(cause), _) => held(HeldReason::Evidence(cause)),
        (Meaning::Arrived, AttemptState::Outstanding) => say(DeedKind::Arrival),
        // Agents ended it, and the money is there: the chain takes an arrival that crosses them.
        (Meaning::Arrived, AttemptState::Failed { by_others: true }) => say(DeedKind::Arrival),
        (Meaning::Arrived, AttemptState::Failed { .. }) => held(HeldReason::PaidAfterFailure),
        (Meaning::Arrived, AttemptState::Past) => held(HeldReason::PaidAfterAnother),
        (Meaning::Bounced, AttemptState::Arrived) => say(DeedKind::Bounce),
        (Meaning::Failed, AttemptState::Arrived) if has_returned => say(DeedKind::Bounce),
        (Meaning::Recalled, AttemptState::Arrived) if has_returned => say(DeedKind::Bounce),
        (Meaning::Failed | Meaning::Recalled, AttemptState::Arrived) => {
            held(HeldReason::FailedAfterArrival)
        }
        (Meaning::Failed | Meaning::Recalled | Meaning::Bounced, AttemptState::Outstanding) => {
            say(DeedKind::Failure)
        }
        (Meaning::Wait | Meaning::Ask | Meaning::Settled, state)
            if state != AttemptState::Arrived =>
        {
            undecided(attempt, meaning, rules)
        }
        _ => AttemptStanding::Done,
    }
}

/// Returns the step while the bank has not decided: wait, ask, or call a person. Nothing here is
/// ever a failure.
fn undecided(attempt: &AttemptBook, meaning: Meaning, rules: &GatewayRules<'_>) -> AttemptStanding {
    let handed = attempt.sending.as_ref().and_then(|sending| sending.handed_ms);
    let Some(handed_ms) = handed else { return AttemptStanding::Wait };
    let is_outstanding = attempt.state == AttemptState::Outstanding;
    if attempt.is_recalled && !attempt.is_recall_sent && is_outstanding {
        return AttemptStanding::Recall;
    }
    let may_ask = attempt.asks < rules.profile.asks_max;
    if meaning == Meaning::Ask && attempt.heard_ms > attempt.asked_ms && may_ask {
        return AttemptStanding::Ask;
    }
    let patience_ms = rules.profile.ask_after_ms << attempt.asks.min(16);
    let last_ms = handed_ms.max(attempt.asked_ms);
    match (rules.now.get() >= last_ms.saturating_add(patience_ms), may_ask) {
        (false, _) => AttemptStanding::Wait,
        (true, true) => AttemptStanding::Ask,
        (true, false) => AttemptStanding::Held(HeldReason::Silent),
    }
}

fn say(
    id: EndToEndId,
    attempt: &AttemptBook,
    kind: DeedKind,
    judged: &Judged,
    rules: &GatewayRules<'_>,
) -> AttemptStanding {
    match attempt.refused {
        Some((refused, code, time_ms)) if refused == kind => {
            if !PASSING.contains(&code) {
                return AttemptStanding::Held(HeldReason::Refused(code));
            }
            if rules.now.get() < time_ms.saturating_add(RETRY_MS) {
                return AttemptStanding::Wait;
            }
        }
        _ => {}
    }
    let name = id.to_string();
    let text = judged.reference.as_deref().unwrap_or(&name);
    // A reference with control characters is none: the payment's own name stands for it.
    let reference = BankReference::of_text(text).or_else(|| BankReference::of_text(&name));
    let reason = match (kind, judged.reason) {
        (DeedKind::Arrival, _) => 0,
        // The chain hears FOCR only of what an agent recalled.
        (DeedKind::Failure, Some(FailureReason::Recalled)) if !attempt.is_recalled => {
            FailureReason::Unspecified.number()
        }
        (_, reason) => reason.unwrap_or(FailureReason::Unspecified).number(),
    };
    AttemptStanding::Say(ChainDeed {
        id,
        kind,
        amount: if kind == DeedKind::Arrival { attempt.amount.get() } else { 0 },
        reason,
        reference: hex::encode(reference.map_or([0; 32], |reference| reference.bytes())),
        code: judged.code.clone().unwrap_or_default(),
    })
}
