//! What a store promises, over the disk and over memory; then one file a disaster.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

mod backup;
mod bit_rot;
mod cached_files;
mod cell;
mod checkpoint;
mod double_open;
mod log;
mod missing_file;
mod record_paths;
mod records;
mod regression;
mod reopen;
mod suite;
mod torn_tail;
mod twins;
mod wrong_chain;

// The program's allocator, which RocksDB uses as well.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
