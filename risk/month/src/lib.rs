//! A month of orders in which fraud happens, from a seed: the data of `sluice scenario risk-month`.
//!
//! People with habits order by day and night; campaigns of eight kinds of fraud hide among them,
//! and honest ones that look alike. One order of 400 is fraud. Labels come 3 to 45 days later, and
//! two of 100 are wrong. On day 20 a new kind appears and another changes. Equal seeds and scales
//! give equal months, to the byte. The crate shares no code with the features that it tests.

mod campaigns;
mod draws;
mod month;
mod order;
mod people;

pub use campaigns::{HOLD_LIMIT, SHIFT_DAY};
pub use month::{MONTH_DAYS, MONTH_START_MS, RiskMonth};
pub use order::{FraudKind, MonthEvent, MonthLabel, MonthOrder, MonthScale};
