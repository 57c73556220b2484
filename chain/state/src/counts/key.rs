//! The counts and their keys.

use std::fmt::Debug;

use ahash::RandomState;

/// From when on entries are kept. Those of an earlier month or day can never count again, whatever
/// programmes and parameters become, so that it does not matter when they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptSince {
    /// The first month whose counts are kept.
    pub month: u16,
    /// The first day whose counts are kept.
    pub day: u16,
}

/// A count. Its default is what a key without an entry has.
pub(crate) trait Count: Copy + Default + PartialEq + Debug {
    /// This without what is over: that is as good as none, whether it was forgotten yet or not.
    fn kept(self, since: KeptSince) -> Self;
}

/// The key that something is counted under.
pub(crate) trait CountKey: Copy + PartialEq + Debug {
    /// The count kept under the key.
    type Count: Count;

    /// Its hash in a table of these seeds.
    fn hash(&self, hashing: &RandomState) -> u64;

    /// The bytes of an entry in the digest and in a checkpoint.
    const BYTES: usize;

    /// Appends the entry's bytes to `bytes`.
    fn put(&self, count: &Self::Count, bytes: &mut Vec<u8>);

    /// The entry of [`Self::BYTES`] bytes.
    fn take(bytes: &[u8]) -> Option<(Self, Self::Count)>;
}
