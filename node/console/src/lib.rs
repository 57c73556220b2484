//! What a process says to whoever runs it: its exit code, its output, its log, and how it takes
//! signals.

pub mod exit;
pub mod logs;
pub mod output;
pub mod signals;
