//! The signed table: what is believed, and what is not.

use chain_types::{
    ChainId, Digest, Height, PublicKey, SecretKey, Signature, TimeMs, ValidatorId, codec,
};
use consensus_scheduler::outlook::{
    OUTLOOK_HEAD_BYTES_MAX, OUTLOOK_PROOF_BYTES_MAX, OUTLOOK_VALID_MS, OutlookContext,
};
use consensus_scheduler::{Outlook, OutlookError, OutlookProof, SignedOutlook};

use crate::support::{Chain, party};

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));
const NODE: ValidatorId = ValidatorId::new(2);

fn key() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}

/// The table of a node that nine submitters overload.
fn outlook() -> (Outlook, TimeMs) {
    let mut chain = Chain::new();
    let loads: Vec<(u32, u32, u32)> = (1..=9).map(|who| (who, 5_000, 100)).collect();
    chain.run(30, &loads, |_| 1_000);
    for who in 1..=3 {
        while chain.offer(crate::support::attempt(who, 100))
            == consensus_scheduler::Admission::Admit
        {}
    }
    let context = OutlookContext {
        chain_id: CHAIN,
        node: NODE,
        height: Height::new(12),
        block_time: TimeMs::new(chain.now_us / 1_000),
        load_ppm: 640_000,
        reason: 115,
        made_at: TimeMs::new(chain.now_us / 1_000),
    };
    (Outlook::of(&chain.scheduler, &context, chain.now_us), TimeMs::new(chain.now_us / 1_000))
}

fn verify(signed: &SignedOutlook, now: TimeMs) -> Result<(), OutlookError> {
    signed.verify(CHAIN, (NODE, &key().public_key()), now, 100).map(|_| ())
}

#[test]
fn a_refused_submitter_can_show_who_refused_it_why_and_until_when() {
    let (outlook, now) = outlook();
    let signed = outlook.sign(&key());
    let bytes = codec::encode(&signed);
    let signed: SignedOutlook = codec::decode(&bytes, OUTLOOK_HEAD_BYTES_MAX).unwrap();
    let head = signed.verify(CHAIN, (NODE, &key().public_key()), now, 100).unwrap();
    assert_eq!((head.lines, head.node, head.load_ppm), (9, NODE, 640_000));
    let bytes = codec::encode(&outlook.prove(party(1)).unwrap());
    let proof: OutlookProof = codec::decode(&bytes, OUTLOOK_PROOF_BYTES_MAX).unwrap();
    let line = proof.verify(head).unwrap();
    assert_eq!((line.submitter, line.reason, line.weight), (party(1), 115, 100));
    assert!(line.retry_at > now && line.share_items_per_s > 0);
    // A batch that is valid until before that moment is never admitted.
    let open = outlook.prove(party(9)).unwrap();
    assert_eq!(open.verify(head).unwrap().reason, 0);
    assert!(outlook.prove(party(10)).is_none());
}

#[test]
fn a_forged_old_or_foreign_outlook_is_refused() {
    let (outlook, now) = outlook();
    let signed = outlook.sign(&key());
    assert_eq!(verify(&signed, now), Ok(()));
    // Forged: another's signature, or another word under this one's.
    let stranger = SecretKey::from_seed(&[4; 32]);
    assert_eq!(verify(&outlook.sign(&stranger), now), Err(OutlookError::Signature));
    let none = SignedOutlook { signature: Signature::from_bytes([0; 64]), ..signed };
    assert_eq!(verify(&none, now), Err(OutlookError::Signature));
    let mut better = signed;
    better.head.capacity_items_per_s += 1;
    assert_eq!(verify(&better, now), Err(OutlookError::Signature));
    // Of another chain, or another node.
    let foreign = ChainId::new(Digest::from_bytes([8; 32]));
    let key_of = |secret: &SecretKey| -> PublicKey { secret.public_key() };
    let result = signed.verify(foreign, (NODE, &key_of(&key())), now, 100);
    assert_eq!(result.unwrap_err(), OutlookError::Chain(CHAIN));
    let result = signed.verify(CHAIN, (ValidatorId::new(3), &key_of(&key())), now, 100);
    assert_eq!(result.unwrap_err(), OutlookError::Node(NODE));
    // Old, and of a clock that is ahead.
    let until = signed.head.valid_until;
    assert_eq!(verify(&signed, until.plus(100)), Ok(()));
    assert_eq!(verify(&signed, until.plus(101)), Err(OutlookError::Old(until)));
    let made_at = signed.head.made_at;
    assert_eq!(verify(&signed, made_at.minus(101)), Err(OutlookError::Future(made_at)));
}

#[test]
fn a_node_cannot_sign_for_longer_than_a_second() {
    let (mut outlook, now) = outlook();
    outlook.head.valid_until = now.plus(OUTLOOK_VALID_MS + 1);
    let until = outlook.head.valid_until;
    assert_eq!(verify(&outlook.sign(&key()), now), Err(OutlookError::Old(until)));
}

#[test]
fn every_flipped_bit_of_head_or_line_is_noticed() {
    let (outlook, now) = outlook();
    let bytes = codec::encode(&outlook.sign(&key()));
    assert_eq!(bytes.len(), 192, "docs/wire-format.md says so");
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let signed: SignedOutlook = codec::decode(&flipped, OUTLOOK_HEAD_BYTES_MAX).unwrap();
        assert!(verify(&signed, now).is_err(), "bit {bit}");
    }
    let bytes = codec::encode(&outlook.prove(party(4)).unwrap());
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let proof = codec::decode::<OutlookProof>(&flipped, OUTLOOK_PROOF_BYTES_MAX);
        assert!(
            proof.is_ok_and(|proof| proof.verify(&outlook.head).is_ok()).eq(&false),
            "bit {bit}"
        );
    }
    for length in 0..bytes.len() {
        assert!(codec::decode::<OutlookProof>(&bytes[..length], OUTLOOK_PROOF_BYTES_MAX).is_err());
    }
}

#[test]
fn a_line_is_not_taken_for_anothers() {
    let (outlook, _) = outlook();
    let mut proof = outlook.prove(party(1)).unwrap();
    proof.index = 1;
    assert_eq!(proof.verify(&outlook.head), Err(OutlookError::Line(party(1))));
    let mut proof = outlook.prove(party(2)).unwrap();
    proof.path = vec![Digest::ZERO; 40];
    assert_eq!(proof.verify(&outlook.head), Err(OutlookError::Line(party(2))));
}
