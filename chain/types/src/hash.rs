//! SHA-256 (FIPS 180-4) under a domain tag, so that bytes of one meaning never pass for another.

use std::fmt;

use bincode::{Decode, Encode};
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

/// The words with which SHA-256 begins.
pub(crate) const FIRST_WORDS: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// Bytes of a block of SHA-256.
const BLOCK_BYTES: usize = 64;
/// Bytes that close a message at least: a one bit, and its length.
const CLOSING_BYTES: usize = 9;

/// The 32 bytes of a SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Thirty-two zero bytes: the parent of block zero, and nothing else.
    pub const ZERO: Self = Self([0; 32]);

    /// Returns the digest of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// The digest written as 64 hexadecimal digits, or `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The kind of thing that a digest is of. The tag is 16 ASCII bytes, zero-padded, and ends in the
/// version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A batch header; the digest is the batch id, and what the submitter signs.
    Batch,
    /// A block header; the digest is the block hash.
    Block,
    /// A validator's vote; the digest is what it signs.
    Vote,
    /// A proposer's proposal; the digest is what it signs.
    Proposal,
    /// The state after a block.
    State,
    /// The running digest of a block's writes other than accounts.
    Writes,
    /// One account's four counters: a leaf of the accounts tree.
    Account,
    /// The validators of a height.
    Validators,
    /// The parameters of a height.
    Parameters,
    /// A governance proposal; the digest is what operators approve.
    Change,
    /// The sums that the parties of a window owe and are owed; a settlement names the digest.
    Report,
    /// The head of a node's outlook; the digest is what the node signs.
    Outlook,
}

impl Domain {
    /// The 16 bytes that open the hashed message.
    pub const fn tag(self) -> [u8; 16] {
        *match self {
            Self::Batch => b"sluice:batch:1\0\0",
            Self::Block => b"sluice:block:1\0\0",
            Self::Vote => b"sluice:vote:1\0\0\0",
            Self::Proposal => b"sluice:propose:1",
            Self::State => b"sluice:state:1\0\0",
            Self::Writes => b"sluice:writes:1\0",
            Self::Account => b"sluice:account:1",
            Self::Validators => b"sluice:validat:1",
            Self::Parameters => b"sluice:params:1\0",
            Self::Change => b"sluice:change:1\0",
            Self::Report => b"sluice:report:1\0",
            Self::Outlook => b"sluice:outlook:1",
        }
    }
}

/// SHA-256 of the domain's tag followed by `parts`, in order, with nothing between them.
/// Every use has fixed-width parts, or one variable part at the end.
pub fn hash(domain: Domain, parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(domain.tag());
    for part in parts {
        hasher.update(part);
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// [`sha256`] of bytes that come piece by piece.
#[derive(Debug, Clone, Default)]
pub struct Sha256Pieces(Sha256);

impl Sha256Pieces {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was taken in.
    pub fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// SHA-256 of plain bytes: for the genesis file (`sha256sum` gives the same) and Merkle trees.
pub fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Digest::from_bytes(hasher.finalize().into())
}

/// SHA-256 of a message that lies in one piece: nothing of it is copied but its end. For the many
/// short messages of a block, of which a hasher's own buffer is a good part of the cost.
pub fn sha256_of(message: &[u8]) -> Digest {
    let mut words = FIRST_WORDS;
    let (blocks, rest) = message.as_chunks::<BLOCK_BYTES>();
    compress256(&mut words, blocks);
    let mut end = [[0; BLOCK_BYTES]; 2];
    let count = if rest.len() + CLOSING_BYTES <= BLOCK_BYTES { 1 } else { 2 };
    end[0][..rest.len()].copy_from_slice(rest);
    end[0][rest.len()] = 0x80;
    let bits = (message.len() as u64) << 3;
    end[count - 1][BLOCK_BYTES - 8..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut words, &end[..count]);
    digest_of_words(words)
}

/// The digest that the words after a message's last block are.
pub(crate) fn digest_of_words(words: [u32; 8]) -> Digest {
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Digest::from_bytes(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_one_piece_has_the_same_digest() {
        let message: Vec<u8> = (0..=u8::MAX).cycle().take(300).collect();
        for length in 0..message.len() {
            assert_eq!(sha256_of(&message[..length]), sha256(&[&message[..length]]), "{length}");
        }
    }
}
