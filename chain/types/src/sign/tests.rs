#![allow(clippy::unwrap_used)]
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
        for (nonce, number) in [(0_u64, 0_u8), (0, 1), (0, 2), (0, 3), (77, 0), (77, 1), (77, 2)] {
            let key = full + EIGHT_TORSION[key_part];
            let nonce = Scalar::from(nonce);
            let commitment = ED25519_BASEPOINT_TABLE * &nonce + EIGHT_TORSION[nonce_part];
            let digest = Digest::from_bytes([number; 32]);
            let signature = solve(&key, &commitment, &digest, &secret, &nonce);
            let key = PublicKey::from_bytes(key.compress().0);
            let dalek = VerifyingKey::from_bytes(&key.bytes()).unwrap();
            let given = ed25519_dalek::Signature::from_bytes(&signature.bytes());
            let strict = dalek.verify_strict(&digest.bytes(), &given).is_ok();
            assert_eq!(key.verifies(&digest, &signature), strict, "{key} {signature}");
            accepted += u32::from(strict);
            satisfied_and_refused +=
                u32::from(!strict && dalek.verify(&digest.bytes(), &given).is_ok());
        }
    }
    assert!(accepted > 10, "{accepted}");
    assert!(satisfied_and_refused > 10, "{satisfied_and_refused}");
}

/// The signature of a key with a nonce, their parts of small order left to chance.
pub(super) fn solve(
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
        .chain_update(digest.bytes());
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&commitment);
    bytes[32..].copy_from_slice((nonce + challenge * secret).as_bytes());
    Signature::from_bytes(bytes)
}
