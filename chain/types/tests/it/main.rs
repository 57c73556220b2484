//! The words and their bytes, held still: golden vectors, properties, and every way to break them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batch;
mod changes;
mod codec;
mod evidence;
mod golden;
mod ids;
mod lineage;
mod long_lineage;
mod merkle;
mod pages;
mod parameters;
mod receipt;
mod record_proof;
mod records;
mod rejection;
mod support;
mod worlds;
