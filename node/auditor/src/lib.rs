//! The independent auditor: the settlement rules a second time, written from
//! `docs/settlement-rules.md` alone.
//!
//! It reads what everybody can read (the genesis file, the blocks with their certificates, their
//! batches and outcomes), works out every outcome and every balance with arithmetic and books of
//! its own, and stops with an [`AuditFinding`] at the first thing that the chain says otherwise. It
//! shares no code with `contracts` or `chain/state`, so that a mistake there is not made here as
//! well; of `chain/types` it uses the words and their bytes, and computes from raw fields.
//!
//! Simple is preferred to fast: nothing is ever forgotten, but where the rules say that the chain
//! answers as if it had forgotten. Each module is one section of the page.

mod arithmetic;
mod auditor;
mod batches;
mod books;
mod calendar;
mod cashback;
mod consents;
mod entities;
mod evidence;
mod finding;
mod fx;
mod governance;
mod headers;
mod instructions;
mod invariants;
mod lines;
mod liquidity;
mod lists;
mod orders;
mod others_words;
mod registrars;
mod registry;
mod reservations;
mod returns;
mod risk;
mod settlement;
mod sla;
mod statements;
mod windows;

pub use auditor::Auditor;
pub use books::Counters;
pub use calendar::Month;
pub use cashback::Recharges;
pub use finding::{AuditFinding, FindingPlace};
pub use instructions::{Instruction, PaymentStatus};
pub use lines::StandingLine;
pub use risk::DaySum;
pub use settlement::Settled;
pub use sla::{CorridorKey, MissedDeadline, SlaFigures, Stage, Subject};
pub use statements::{Statement, StatementKey};
pub use windows::{ClosedWindow, GrossSums};
