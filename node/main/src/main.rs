//! `sluice`: runs a node, makes networks, submits orders, asks, proves and measures.

mod commands;

use std::process::ExitCode;

/// One allocator for Rust and RocksDB, with counters and returning of memory in the background.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The allocator's settings: memory of 512 KiB or more that is given back goes to the system at
/// once, and smaller pieces within half a second. Messages and pages come from many threads; each
/// of the allocator's arenas would keep some of it for ten seconds, so that a node took more than
/// its counted bounds say: under all strangers at once 79 MiB in place of 61.
#[expect(unsafe_code, reason = "jemalloc reads its settings from a symbol of this name")]
// SAFETY: jemalloc(3) gives the name and the type, and no other library has it.
#[unsafe(export_name = "malloc_conf")]
static ALLOCATOR_SETTINGS: &[u8; 62] =
    b"oversize_threshold:524288,dirty_decay_ms:500,muzzy_decay_ms:0\0";

fn main() -> ExitCode {
    commands::main()
}
