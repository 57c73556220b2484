//! Makes models of a risk desk from labelled orders, and measures them.
//!
//! Gradient boosting of trees for the logistic loss, second order, on histograms (Friedman 2001;
//! Chen and Guestrin 2016), in integers alone: equal rows give equal bytes of a model on every
//! machine. `scripts/risk` runs it on months of [`risk_month`]; docs/risk.md has its figures.

mod boost;
mod desk;
mod ledger;
mod logistic;
mod measure;
mod month_rows;
mod rows;

pub use boost::{BoostPlan, TrainFault, train};
pub use desk::{ALERTS_PPM, WARM_UP_DAYS, train_desk_model};
pub use ledger::{CohortAge, LedgerCounts, ledger};
pub use logistic::{LOG_ODDS_ONE, Logistic, PROBABILITY_ONE};
pub use measure::{Alerts, alerts, average_precision_ppm, limit_of_least_error, limit_of_share};
pub use month_rows::{ObservedOrder, observe};
pub use rows::{BINS_MAX, TrainingRows};
