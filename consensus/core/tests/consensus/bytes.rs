//! The bytes between validators: frozen, bounded, and nothing but them.

use chain_types::codec::CodecError;
use chain_types::hash::sha256;
use chain_types::validators::VALIDATORS_MAX;
use chain_types::{Height, Round, Signature, ValidatorId, VoteStep};
use consensus_core::{
    MESSAGE_BYTES_MAX, Message, PolkaCertificate, RoundCertificate, RoundCertificateKind, RoundVote,
};
use proptest::prelude::*;

use crate::lone::{block, signed_proposal, signed_vote};

fn polka(count: usize) -> Message {
    Message::PolkaCertificate(PolkaCertificate {
        height: Height::new(3),
        round: Round::new(1),
        block: block(7),
        signatures: (0..count)
            .map(|id| (ValidatorId::new(id as u32), Signature::from_bytes([5; 64])))
            .collect(),
    })
}

fn rounds(count: usize) -> Message {
    let vote = |id: usize| RoundVote {
        step: VoteStep::Precommit,
        block: Some(block(7)),
        validator: ValidatorId::new(id as u32),
        signature: Signature::from_bytes([6; 64]),
    };
    Message::RoundCertificate(RoundCertificate {
        height: Height::new(3),
        round: Round::new(1),
        kind: RoundCertificateKind::Precommit,
        votes: (0..count).map(vote).collect(),
    })
}

fn examples() -> Vec<Message> {
    let mut again = signed_proposal(1, Height::new(3), 2, block(7));
    again.proposal.valid_round = Some(Round::new(1));
    vec![
        Message::Proposal(signed_proposal(1, Height::new(3), 0, block(7))),
        Message::Proposal(again),
        Message::Vote(signed_vote(2, Height::new(3), 1, VoteStep::Prevote, None)),
        Message::Vote(signed_vote(2, Height::new(3), 1, VoteStep::Precommit, Some(block(7)))),
        polka(3),
        rounds(3),
    ]
}

#[test]
fn the_bytes_are_frozen() {
    let found: Vec<_> = examples()
        .iter()
        .map(|message| {
            let bytes = message.to_bytes();
            (bytes.len(), sha256(&[&bytes]).to_string())
        })
        .collect();
    let expected = [
        (118, "019d8773dfc7e88430b83c1f75c877903e282bc79149cd664da54b7142c351e9"),
        (122, "6bedd99a412a0cffa8c05b83fbe9e9ec828ef3f2339dd237fe90d6a7dd55490f"),
        (90, "e677048fc706a9cd33d1bb9bd8bd72c5964177ed23953cf45b212ff363e89433"),
        (122, "7f1ef0e831f41992edc2c34f85adaa76b683b6ec304ae9df7a298b9da7d9f4f2"),
        (261, "1738a1d3c28a5d90e001a27f5785d9788903275ee9000d112e57bc44676acc7e"),
        (344, "9b022b826bf8ecd03014dfa480338a78e6b954d0c2d5457f60ab4e9c4b4583a6"),
    ];
    let expected = expected.map(|(length, digest)| (length, digest.to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn a_vote_reads_as_the_wire_format_says() {
    let signed = signed_vote(2, Height::new(3), 1, VoteStep::Precommit, Some(block(7)));
    let mut expected = vec![1]; // version
    expected.extend(1_u32.to_le_bytes()); // a vote
    expected.extend(3_u64.to_le_bytes()); // height
    expected.extend(1_u32.to_le_bytes()); // round
    expected.extend(1_u32.to_le_bytes()); // precommit
    expected.push(1); // a block
    expected.extend([7; 32]);
    expected.extend(2_u32.to_le_bytes()); // validator
    expected.extend(signed.signature.bytes());
    assert_eq!(Message::Vote(signed).to_bytes(), expected);
}

#[test]
fn bytes_lead_back_to_the_message() {
    for message in examples() {
        assert_eq!(Message::from_bytes(&message.to_bytes()), Ok(message));
    }
}

#[test]
fn the_largest_certificates_fit_and_larger_ones_are_refused() {
    for make in [polka, rounds] {
        let largest = make(VALIDATORS_MAX);
        assert!(largest.to_bytes().len() <= MESSAGE_BYTES_MAX);
        assert_eq!(Message::from_bytes(&largest.to_bytes()), Ok(largest));
        assert!(Message::from_bytes(&make(VALIDATORS_MAX + 1).to_bytes()).is_err());
    }
    let large = vec![1; MESSAGE_BYTES_MAX + 1];
    assert!(matches!(Message::from_bytes(&large), Err(CodecError::TooLarge { .. })));
}

#[test]
fn a_count_beyond_the_bytes_is_refused() {
    let bytes = polka(1).to_bytes();
    let at = bytes.len() - 68 - 8;
    for count in [0_u64, 2, 128, 129, 1 << 20, u64::MAX] {
        let mut changed = bytes.clone();
        changed[at..at + 8].copy_from_slice(&count.to_le_bytes());
        assert!(Message::from_bytes(&changed).is_err(), "count {count}");
    }
}

#[test]
fn truncated_trailing_and_unknown_bytes_are_refused() {
    for message in examples() {
        let bytes = message.to_bytes();
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(Message::from_bytes(&longer).is_err());
        for version in (0..=255).filter(|version| *version != 1) {
            let mut other = bytes.clone();
            other[0] = version;
            assert!(Message::from_bytes(&other).is_err(), "version {version}");
        }
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Message::from_bytes(&bytes);
    }

    #[test]
    fn damaged_messages_never_panic_and_say_one_thing(
        which in 0_usize..6,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = examples()[which].to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(message) = Message::from_bytes(&bytes) {
            prop_assert_eq!(message.to_bytes(), bytes);
        }
    }
}
