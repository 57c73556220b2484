//! `sluice`: runs a node, makes networks, submits orders, asks, proves and measures.

mod account_proof;
mod audit;
mod backup;
mod bench;
mod close;
mod commands;
mod history;
mod lineage_file;
mod localnet;
mod logs;
mod node;
mod participant;
mod scenario;
mod statement;
#[cfg(test)]
mod test_chain;
mod window_proof;

use std::process::ExitCode;

/// One allocator for Rust and RocksDB, with counters and returning of memory in the background.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    commands::main()
}
