//! A simulated bank: it takes a gateway's messages out of the folder that both share, moves money
//! in a journal of its own, and answers late, twice, in another order, wrongly or not at all. Its
//! journal, and neither the chain nor the gateway, says what was really paid.
//!
//! It shares no code with what it judges: it reads and writes ISO 20022 by its own hand, so that a
//! mistake of the gateway's readers or writers is not made twice. ADR 0061 says why.
//!
//! Rooms that decide, without a clock, a disk or a socket:
//!
//! | room | what it knows |
//! |---|---|
//! | `xml`, `order` | what a gateway's message asks for |
//! | `decimal` | amounts as decimal texts, and their sums |
//! | `habits`, `draw`, `fate` | how often the bank misbehaves, and the seeded draws |
//! | `act` | what the journal keeps |
//! | `ledger` | money that moved, and what was said of it |
//! | `answer`, `account` | the bank's messages |
//! | `draft`, `bank` | what the bank does about a message, and what it knows |
//!
//! Rooms that do:
//!
//! | room | what it does |
//! |---|---|
//! | `journal` | keeps each act on disk before anything is said of it |
//! | `office` | takes files, and puts answers into the folder |
//! | `fault` | what stops the bank |

mod account;
mod act;
mod answer;
mod bank;
mod decimal;
mod draft;
mod draw;
mod fate;
mod fault;
mod habits;
mod journal;
mod ledger;
mod office;
mod order;
mod xml;

pub use act::{
    AccountClosing, BankAct, BankAnswer, BankDecision, BankPayment, DecisionCause, DueReturn,
    MovedMoney,
};
pub use bank::SimulatedBank;
pub use fate::PaymentFate;
pub use fault::BankFault;
pub use habits::{BankHabits, HabitFault};
pub use journal::BankJournal;
pub use ledger::BankLedger;
pub use office::{BankOffice, BankTurn, bank_folder};
