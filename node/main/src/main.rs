//! `sluice`: runs a node, makes networks, submits orders, asks, proves and measures.

mod allocator;
mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
