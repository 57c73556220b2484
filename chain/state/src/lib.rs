//! The books and records in memory: accounts, orders, reservations, windows and instructions,
//! what a block changes of them, and the digest that every validator must get.
//!
//! Nothing here decides: rules are `contracts`'. Nothing here opens a file or a socket, reads a
//! clock, starts a thread or draws randomness; hash maps are looked up in, never walked.
#![warn(clippy::iter_over_hash_type)]

pub mod account;
mod accounts;
pub mod accounts_tree;
mod checkpoint;
mod chunked;
mod collected;
mod copying;
mod counts;
pub mod dues;
pub mod fault;
mod genesis;
pub mod history;
mod hot_accounts;
pub mod instructions;
mod lines;
mod map_copy;
mod merchant_sums;
pub mod order_window;
pub mod overlay;
mod payees;
mod positions;
pub mod proof;
pub mod recent_batches;
pub mod records;
mod registry;
mod reservations;
mod restoring;
mod sections;
mod slice;
mod state;
pub mod tables;
mod user_book;
pub mod users;
pub mod window;
mod writes;

#[cfg(test)]
mod tests;

pub use account::{Account, AccountKey, AccountKind, CounterOverflow, SCHEME_OWNER};
pub use accounts::TrialBalance;
pub use accounts_tree::{AccountPlace, AccountProof, TreeNode};
pub use collected::{Collected, CollectedOrder, Due, DueKey};
pub use copying::Copying;
pub use counts::KeptSince;
pub use dues::DueFor;
pub use fault::StateFault;
pub use history::{History, NoHistory, PastCollection, PastOrder};
pub use hot_accounts::{ExpectedAccount, Movement, Slot};
pub use merchant_sums::MerchantSums;
pub use order_window::{ExpectedOrder, RecentOrders, Sought, check_timely};
pub use overlay::rules::BeforeList;
pub use overlay::{Breach, InstructionOverflow, Overlay};
pub use payees::Payee;
pub use positions::{HashSeeds, Numbering};
pub use recent_batches::check_batch_timely;
pub use records::{
    AccountEntry, BreachRecord, BreachStage, BreachSubject, CashbackSum, Conversion, Corridor,
    EntryCause, EvidenceRecord, HeldOrder, InstructionRecord, InstructionStatus, LineRecord,
    ListConcern, ListRecord, Location, MerchantRecord, OrderRecord, OrderStatus, PolicyRecord,
    Position, ProgrammeRecord, ProposalRecord, ProposalStatus, ProposedSettlement, QuoteRecord,
    RateRecord, Record, ReferenceRecord, ReferenceStep, RegistrarRecord, RegistryRecord,
    Reservation, ReturnRecord, SLA_BUCKETS_MS, SlaCounters, TransferRecord, TransferStatus,
    WindowParty, WindowRecord, WindowSettlement,
};
pub use registry::{KeyOwner, RegistryContent, WithdrawnKey};
pub use restoring::Restoring;
pub use slice::{BLOCK_BATCHES_LIMIT, OrderRun, Retired, SLICE_MS};
pub use state::{Applying, State};
pub use tables::{
    ArrivedReturns, DayUse, ListKey, PolicyKey, RateKey, Returned, StepInWord, Tables, TablesView,
};
pub use users::{Earned, UserDay, UserDayKey, UserId, UserMonth, UserMonthKey};
pub use window::{OpenWindow, Reversal, WindowOpening};
pub use writes::{Changes, WriteSet};
