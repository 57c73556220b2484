//! What a bank's words mean for an obligation, as a pure decision table. Doubt is never failure and
//! never a second payment: who reads a rejection wrongly pays twice.

mod facts;
mod handed;
mod meaning;
mod reasons;
mod rules;

pub use self::facts::{Judgement, judge};
pub use self::handed::{ArrivalProof, EvidenceWord, HandedPayment, PaymentSending};
pub use self::meaning::{HeldCause, Meaning};
pub use self::reasons::{REASONS, ReasonClass, reason_class};
pub use self::rules::{EvidenceRule, FACTS, Fact, FactSet, RULES, meaning_of};
