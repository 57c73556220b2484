//! The invariants of RELIABILITY, one a file.

mod agreement;
mod audit;
mod books;
mod coverage;
mod figures;
mod newcomers;
mod votes;

pub use agreement::Agreement;
pub use audit::Audit;
pub use books::Books;
pub use coverage::{Coverage, Observer, has_returns};
pub use figures::{Figures, Named};
pub use newcomers::Newcomers;
pub use votes::Votes;
