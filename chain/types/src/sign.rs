//! Ed25519 (RFC 8032) by dalek's strict rules only: batch or cofactored verification may accept on
//! one node what another refuses, which would fork the chain. What is signed is always a 32-byte
//! domain-tagged digest.

use std::fmt;

use bincode::{Decode, Encode};
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};

use crate::hash::Digest;

/// An ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct PublicKey(pub [u8; 32]);

/// An ed25519 signature: R then S.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Signature(pub [u8; 64]);

impl PublicKey {
    /// Whether `signature` is this key's over `digest`, by the strict rules.
    pub fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        ReadyKey::new(*self).is_some_and(|key| key.verifies(digest, signature))
    }

    /// Whether the bytes are a point of full order: what a registry must check before use.
    pub fn is_usable(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }

    /// The key written as 64 hexadecimal digits, or `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        Digest::from_hex(text).map(|digest| Self(digest.0))
    }
}

/// A public key made ready to verify with: a point that is not of small order. Making it takes a
/// fifth of the time that a verification with it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadyKey(VerifyingKey);

impl ReadyKey {
    /// `None` when the bytes are no such point, so that nothing verifies with them.
    pub(crate) fn new(key: PublicKey) -> Option<Self> {
        VerifyingKey::from_bytes(&key.0).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// What [`PublicKey::verifies`] says. Of the strict rules, the ordinary check leaves out that R
    /// is no point of small order. It compares R's bytes with those of the point that it works out,
    /// so there are eight ways to write one that it would accept, and R need not be decompressed.
    #[expect(clippy::disallowed_methods, reason = "what is not strict about it is checked here")]
    pub(crate) fn verifies(&self, digest: &Digest, signature: &Signature) -> bool {
        let is_small = SMALL_ORDER.iter().any(|point| signature.0.starts_with(point));
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        !is_small && self.0.verify(&digest.0, &signature).is_ok()
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

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// This key's signature over `digest`. Deterministic, as RFC 8032 has it.
    pub fn sign(&self, digest: &Digest) -> Signature {
        Signature(self.0.sign(&digest.0).to_bytes())
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
#[allow(clippy::unwrap_used)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use sha2::{Digest as _, Sha512};

    use super::*;

    #[test]
    fn points_of_small_order_are_all_listed() {
        let mut listed = SMALL_ORDER.to_vec();
        let mut expected = EIGHT_TORSION.map(|point| point.compress().0).to_vec();
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected);
    }

    /// Signatures that satisfy the equation although key or R have a part of small order: whatever
    /// dalek's strict check says of each, ours says too, and some are of each kind.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "to tell who refuses what")]
    fn the_check_is_the_strict_one() {
        let secret = Scalar::from(0x5EC2E7_u64);
        let full = ED25519_BASEPOINT_TABLE * &secret;
        let (mut accepted, mut satisfied_and_refused) = (0, 0);
        for (key_part, nonce_part) in (0..8).flat_map(|key| (0..8).map(move |nonce| (key, nonce))) {
            for (nonce, number) in
                [(0_u64, 0_u8), (0, 1), (0, 2), (0, 3), (77, 0), (77, 1), (77, 2)]
            {
                let key = full + EIGHT_TORSION[key_part];
                let nonce = Scalar::from(nonce);
                let commitment = ED25519_BASEPOINT_TABLE * &nonce + EIGHT_TORSION[nonce_part];
                let digest = Digest([number; 32]);
                let signature = solve(&key, &commitment, &digest, &secret, &nonce);
                let key = PublicKey(key.compress().0);
                let dalek = VerifyingKey::from_bytes(&key.0).unwrap();
                let given = ed25519_dalek::Signature::from_bytes(&signature.0);
                let strict = dalek.verify_strict(&digest.0, &given).is_ok();
                assert_eq!(key.verifies(&digest, &signature), strict, "{key} {signature}");
                accepted += u32::from(strict);
                satisfied_and_refused +=
                    u32::from(!strict && dalek.verify(&digest.0, &given).is_ok());
            }
        }
        assert!(accepted > 10, "{accepted}");
        assert!(satisfied_and_refused > 10, "{satisfied_and_refused}");
    }

    /// The signature of a key with a nonce, their parts of small order left to chance.
    fn solve(
        key: &EdwardsPoint,
        commitment: &EdwardsPoint,
        digest: &Digest,
        secret: &Scalar,
        nonce: &Scalar,
    ) -> Signature {
        let commitment = commitment.compress().0;
        let hash = Sha512::new()
            .chain_update(commitment)
            .chain_update(key.compress().0)
            .chain_update(digest.0);
        let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&commitment);
        bytes[32..].copy_from_slice((nonce + challenge * secret).as_bytes());
        Signature(bytes)
    }
}
