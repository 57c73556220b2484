//! A bank's own process between the chain and the bank: it pays what it is instructed to pay, and
//! says on the chain what the bank says. `docs/gateway.md` connects a bank; ADR 0055 says why
//! nothing is paid twice.
//!
//! Deciding is apart from doing. Rooms that decide have no clock, disk or socket:
//!
//! | room | what it knows |
//! |---|---|
//! | `profile`, `calendar` | how gateway and bank work together, and the bank's days |
//! | `accounts` | where merchants are paid |
//! | `record` | the facts that the journal keeps |
//! | `books` | what is known, made of the records alone |
//! | `words`, `sorted` | which words of a file are about which attempt |
//! | `standing` | what is to be done about one attempt |
//! | `plan` | the next messages and statements |
//!
//! Rooms that do:
//!
//! | room | what it does |
//! |---|---|
//! | `journal` | keeps records on disk before anything rests on them |
//! | `replay` | reads them at a start |
//! | `home`, `folder` | the gateway's files, and those that it shares with the bank |
//! | `chain`, `observe` | asks the chain and submits to it |
//! | `gateway` | does a turn |
//! | `statements` | reconciles a day |
//! | `crash`, `fault` | where a test stops it, and what stops it otherwise |

mod accounts;
mod books;
mod calendar;
mod chain;
mod crash;
mod fault;
mod folder;
mod gateway;
mod home;
mod journal;
mod observe;
mod plan;
mod profile;
mod record;
mod replay;
mod sorted;
mod standing;
mod statements;
mod words;

pub use accounts::{AccountBook, AccountBookFault};
pub use books::{AttemptBook, AttemptSending, AttemptState, GatewayBooks, SentMessage};
pub use calendar::BankCalendar;
pub use chain::{BatchAnswer, ChainPort, ChainSilence, RpcChain};
pub use crash::{CrashPlan, CrashPoint, KillPlace, KillPlaceFault};
pub use fault::GatewayFault;
pub use folder::BankFolder;
pub use gateway::{BankGateway, GatewaySigner, GatewayTurn};
pub use home::GatewayHome;
pub use journal::Journal;
pub use plan::{GatewayPlan, PlanFault};
pub use profile::{BankProfile, PaymentMessage, ProfileFault};
pub use record::{
    ChainDeed, DeedKind, HeldFile, IntendedMessage, JournalRecord, MessagePurpose, NamedPayment,
    SeenInstruction, SignedDeeds, TakenFile,
};
pub use replay::read_books;
pub use rpc_iso20022::Reconciliation;
pub use standing::{AttemptStanding, GatewayRules, HeldReason, standing};
pub use statements::{ReconciledDay, parse_day, reconcile_day};
pub use words::OwnWord;
