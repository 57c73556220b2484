//! `sluice`: runs a node, makes networks, submits orders, asks, proves and measures.

mod commands;

use std::process::ExitCode;

/// One allocator for Rust and RocksDB, with counters and returning of memory in the background.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    commands::main()
}
