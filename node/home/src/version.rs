//! The protocol version by which the next block executes, against those that this program knows.

use chain_types::parameters::PROTOCOL_VERSION;

/// The chain executes by a protocol version that this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the chain goes on by protocol version {needed}; this program knows versions up to {known}: \
     install a newer version of sluice and start again"
)]
pub struct Outdated {
    /// The protocol version by which the next block executes.
    pub needed: u16,
    /// The newest that this program executes.
    pub known: u16,
}

/// Checks that this program executes the next block.
///
/// # Errors
/// [`Outdated`] when it does not.
pub fn check_version(needed: u16) -> Result<(), Outdated> {
    let known = PROTOCOL_VERSION;
    if needed <= known { Ok(()) } else { Err(Outdated { needed, known }) }
}
