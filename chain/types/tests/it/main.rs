//! The words and their bytes, held still: golden vectors, properties, and every way to break them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batch;
mod codec;
mod golden;
mod ids;
mod merkle;
mod pages;
mod receipt;
mod rejection;
mod support;
