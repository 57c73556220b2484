//! Ed25519 (RFC 8032), by a rule each for two kinds of signers. RFC 8032 leaves open with which of
//! two equations a signature is checked; nodes that chose differently would fork the chain.
//!
//! - Validators' votes and proposals: dalek's strict rules, under which whatever passes here passes
//!   in every other library too, so that a receipt convinces whoever checks it.
//! - Submitters' batches, the many: ZIP-215, in the module `submitter`.
//!
//! What is signed is always a 32-byte domain-tagged digest.

pub(crate) mod submitter;

use std::fmt;

use bincode::{Decode, Encode};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};

use crate::hash::Digest;

/// An ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PublicKey([u8; 32]);

/// An ed25519 signature: R then S.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Returns the signature of these bytes, which is not checked.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Returns the 64 bytes.
    pub const fn bytes(self) -> [u8; 64] {
        self.0
    }
}

impl PublicKey {
    /// Returns the key of these bytes, which need not be a point: see [`Self::is_usable`].
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// Returns true if `signature` is this key's over `digest`, by the strict rules: those for
    /// votes. Who submits is checked by [`Signers`](crate::Signers).
    ///
    /// Of the strict rules, dalek's ordinary check leaves out that R is no point of small order. It
    /// compares R's bytes with those of the point that it works out, so there are eight ways to
    /// write one that it would accept, and R need not be decompressed.
    #[expect(clippy::disallowed_methods, reason = "what is not strict about it is checked here")]
    pub fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        let key = VerifyingKey::from_bytes(&self.0).ok().filter(|key| !key.is_weak());
        let is_small = SMALL_ORDER.iter().any(|point| signature.0.starts_with(point));
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        !is_small && key.is_some_and(|key| key.verify(&digest.bytes(), &signature).is_ok())
    }

    /// Returns true if the bytes are a point of full order: a registry must check that before use.
    pub fn is_usable(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }

    /// The key written as 64 hexadecimal digits, or `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        Digest::from_hex(text).map(|digest| Self(digest.bytes()))
    }
}

/// The eight points whose order divides 8, as RFC 8032 encodes them: two of them by their sign bit.
const SMALL_ORDER: [[u8; 32]; 8] = {
    const IDENTITY: [u8; 32] = low_byte(0x01);
    const ORDER_2: [u8; 32] = {
        let mut bytes = [0xFF; 32];
        (bytes[0], bytes[31]) = (0xEC, 0x7F);
        bytes
    };
    const ORDER_8: [u8; 32] = [
        0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98,
        0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53,
        0xFC, 0x05,
    ];
    const ORDER_8_TOO: [u8; 32] = [
        0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67,
        0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC,
        0x03, 0x7A,
    ];
    [
        IDENTITY,
        ORDER_2,
        low_byte(0),
        negative(low_byte(0)),
        ORDER_8,
        negative(ORDER_8),
        ORDER_8_TOO,
        negative(ORDER_8_TOO),
    ]
};

const fn low_byte(byte: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = byte;
    bytes
}

/// The other point with the same y.
const fn negative(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes[31] |= 0x80;
    bytes
}

/// An ed25519 secret key; wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a 32-byte seed (RFC 8032's private key).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32-byte seed, for a key file only.
    pub fn to_seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Returns the public half of the key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// This key's signature over `digest`. Deterministic, as RFC 8032 has it.
    pub fn sign(&self, digest: &Digest) -> Signature {
        Signature::from_bytes(self.0.sign(&digest.bytes()).to_bytes())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey of {}", self.public_key())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests;
