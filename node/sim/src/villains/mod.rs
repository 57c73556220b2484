//! Validators that break the rules, one a file.

mod boaster;

pub use boaster::Boaster;
