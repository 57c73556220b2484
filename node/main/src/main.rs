//! `sluice`: runs a node, makes networks, submits orders, asks, proves and measures.

mod commands;

use std::process::ExitCode;

/// One allocator for Rust and RocksDB, with counters and returning of memory in the background.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the allocator is told at its start: memory of 512 KiB or more that is given back goes to
/// the system at once. Messages and pages of megabytes come from many threads; each of the
/// allocator's arenas would keep some of it for seconds, so that a node took more than its counted
/// bounds say.
#[expect(unsafe_code, reason = "jemalloc reads its settings from a symbol of this name")]
// SAFETY: jemalloc(3) gives the name and the type, and no other library has it.
#[unsafe(export_name = "malloc_conf")]
static ALLOCATOR_SETTINGS: &[u8; 26] = b"oversize_threshold:524288\0";

fn main() -> ExitCode {
    commands::main()
}
