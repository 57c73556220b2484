//! The console of a process: its exit code, its output, its log, and how it takes
//! signals.

pub mod exit;
pub mod logs;
pub mod output;
pub mod signals;
