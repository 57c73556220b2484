//! The invariants of RELIABILITY, one a file.

mod agreement;
mod books;
mod newcomers;
mod votes;

pub use agreement::Agreement;
pub use books::Books;
pub use newcomers::Newcomers;
pub use votes::Votes;
