//! How much each submitter may send, decided by a batch's header alone.
//!
//! At any load the chain keeps its throughput when submitters are told their shares and keep to
//! them (ADR 0053). This crate decides those shares, who is admitted, when to read no more, and in
//! which order batches are taken; it makes the table that a node signs each 100 ms, paces clients,
//! and forecasts an hour. Integers only. No clock, socket or file: time arrives as an argument, in
//! microseconds since the Unix epoch, and equal calls give equal answers.

pub mod attempt;
pub mod block_time;
pub mod capacity;
pub mod class;
pub mod forecast;
pub mod meter;
pub mod outlook;
pub mod paced;
pub mod pacing;
pub mod queues;
pub mod reading;
mod recent;
pub mod scheduler;
pub mod shares;
pub mod steady;
mod submitters;
pub mod weights;

pub use attempt::{Admission, BatchAttempt, CountedBatch, Origin, RetryAt, Settings, ShareReason};
pub use class::ServiceClass;
pub use forecast::{DeclaredEvent, Forecast, ForecastPoint};
pub use outlook::{Outlook, OutlookError, OutlookHead, OutlookLine, OutlookProof, SignedOutlook};
pub use paced::{CallEnd, DeclaredLoad, PaceStep, PacedQueue, Ticket};
pub use pacing::{Pacer, SendPlan, StatedShare};
pub use reading::ReadBudget;
pub use scheduler::Scheduler;
pub use steady::SteadyTime;
