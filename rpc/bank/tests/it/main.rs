//! The bank with its folder and its journal, and its messages before the readers of others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods)] // a folder of schemas is named in the environment

mod folder;
mod messages;
mod page;
