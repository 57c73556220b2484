#![allow(clippy::unwrap_used)]
use chacha20::rand_core::Rng as _;
use curve25519_dalek::Scalar;
use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use proptest::prelude::*;

use super::super::tests::solve;
use super::super::{PublicKey, SecretKey};
use super::*;

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

/// Returns the claim that submitter `number` signs over a digest of `number`s.
fn claim(number: u8, digest: u8) -> Claim {
    let (key, digest) = (key(number), Digest::from_bytes([digest; 32]));
    let signature = key.sign(&digest);
    Claim { key: SubmitterKey::new(key.public_key()).unwrap(), digest, signature }
}

/// Returns the signature with its bit of this number, of 512, turned.
fn with_bit_turned(signature: Signature, bit: usize) -> Signature {
    let mut bytes = signature.bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Signature::from_bytes(bytes)
}

/// Claims that satisfy the equation but for parts of small order in key, in R or in both; with what
/// the strict rules say of each.
fn with_parts_of_small_order() -> Vec<(Claim, bool)> {
    let secret = Scalar::from(0x5EC2E7_u64);
    let mut claims = Vec::new();
    for (key_part, nonce_part, number) in
        (0..8).flat_map(|key| (0..8).map(move |nonce| (key, nonce, 8 * key + nonce)))
    {
        let key = ED25519_BASEPOINT_TABLE * &secret + EIGHT_TORSION[usize::from(key_part)];
        for nonce in [Scalar::ZERO, Scalar::from(77_u64)] {
            let commitment =
                ED25519_BASEPOINT_TABLE * &nonce + EIGHT_TORSION[usize::from(nonce_part)];
            let digest = Digest::from_bytes([number; 32]);
            let signature = solve(&key, &commitment, &digest, &secret, &nonce);
            let public_key = PublicKey::from_bytes(key.compress().0);
            let strict = public_key.verifies(&digest, &signature);
            let key = SubmitterKey::new(public_key).unwrap();
            claims.push((Claim { key, digest, signature }, strict));
        }
    }
    claims
}

/// A signature whose parts of small order do not cancel is valid alone and in every company: what
/// a rule without the cofactor could not say.
#[test]
fn company_changes_no_answer() {
    let claims = with_parts_of_small_order();
    let refused_by_the_strict = claims.iter().filter(|(_, strict)| !strict).count();
    assert!(refused_by_the_strict > 50, "{refused_by_the_strict}");
    for (claim, _) in &claims {
        assert!(claim.holds(), "{claim:?}");
        let company = [self::claim(1, 1), *claim, self::claim(2, 2)];
        assert!(all_hold(&company), "{claim:?}");
    }
    let all: Vec<Claim> = claims.iter().map(|(claim, _)| *claim).collect();
    assert_eq!(which_hold(&all), vec![true; all.len()]);
}

#[test]
fn nothing_verifies_with_a_key_of_small_order() {
    for point in EIGHT_TORSION {
        assert!(SubmitterKey::new(PublicKey::from_bytes(point.compress().0)).is_none());
    }
    assert!(SubmitterKey::new(PublicKey::from_bytes([2; 32])).is_none(), "no point has this form");
}

/// The factors depend on every byte: whoever could choose one after them could choose what passes.
#[test]
fn factors_are_of_everything_in_the_equation() {
    let claims = [claim(1, 1), claim(2, 2)];
    let first = |claims: &[Claim]| factors(claims).next_u64();
    let mut changed = vec![claims; 4];
    changed[0][1].key = claim(3, 3).key;
    changed[1][1].digest = Digest::from_bytes([3; 32]);
    changed[2][1].signature = with_bit_turned(claims[1].signature, 0);
    changed[3][1].signature = with_bit_turned(claims[1].signature, 511);
    for (number, other) in changed.iter().enumerate() {
        assert_ne!(first(&claims), first(other), "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Wrong ones are found wherever they are, however many there are and of how many submitters.
    #[test]
    fn each_has_the_answer_it_has_alone(
        wrong in proptest::collection::vec(0_u8..6, 0..150),
        submitters in 1_u8..5,
    ) {
        let broken = |(number, wrong): (usize, &u8)| {
            let digest = (number % 251) as u8;
            let mut claim = claim(digest % submitters, digest);
            match wrong {
                0 => claim.digest = Digest::from_bytes([255; 32]),
                1 => claim.signature = with_bit_turned(claim.signature, number % 512),
                2 => claim.key = self::claim(77, 0).key,
                _ => {}
            }
            claim
        };
        let claims: Vec<Claim> = wrong.iter().enumerate().map(broken).collect();
        let alone: Vec<bool> = claims.iter().map(Claim::holds).collect();
        let right: Vec<bool> = wrong.iter().map(|wrong| *wrong > 2).collect();
        prop_assert_eq!(&alone, &right);
        prop_assert_eq!(which_hold(&claims), alone);
    }
}
