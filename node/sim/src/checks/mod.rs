//! The invariants of RELIABILITY, one a file.

mod agreement;
mod books;
mod votes;

pub use agreement::Agreement;
pub use books::Books;
pub use votes::Votes;
