//! One value, one form: everything else is refused, and nothing that a peer sends panics.

use chain_types::codec::{CodecError, decode, encode};
use chain_types::*;
use proptest::prelude::*;

use crate::support;

/// Tries every truncation, a trailing byte and every changed byte of `value`'s bytes. A change may
/// decode, but only to the value whose own bytes it is.
fn one_form<T>(value: &T)
where
    T: bincode::Encode + bincode::Decode<()> + PartialEq + std::fmt::Debug,
{
    let bytes = encode(value);
    assert_eq!(&decode::<T>(&bytes, bytes.len()).unwrap(), value);
    for length in 0..bytes.len() {
        assert!(decode::<T>(&bytes[..length], bytes.len()).is_err(), "{length} of {}", bytes.len());
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(decode::<T>(&longer, longer.len()), Err(CodecError::Trailing(1)));
    let error = CodecError::TooLarge { actual: longer.len(), limit: bytes.len() };
    assert_eq!(decode::<T>(&longer, bytes.len()), Err(error));
    for at in 0..bytes.len() {
        for change in [0x01, 0x02, 0x80, 0xff] {
            let mut other = bytes.clone();
            other[at] ^= change;
            if let Ok(value) = decode::<T>(&other, other.len()) {
                assert_eq!(encode(&value), other, "byte {at} has two forms");
            }
        }
    }
}

#[test]
fn every_structure_has_one_form() {
    let genesis = support::genesis();
    let receipt = support::receipt();
    one_form(&receipt.order.batch);
    one_form(&receipt.order.header);
    one_form(&receipt.order.certificate);
    one_form(&genesis.validators());
    one_form(&genesis.parameters);
    one_form(&genesis.participants);
    one_form(&genesis.merchants);
    one_form(&genesis.liquidity);
    one_form(&genesis.nodes);
    one_form(&Receipt { arrival: None, ..receipt.clone() });
    one_form(&support::long_receipt());
    one_form(&Lineage(vec![support::handover()]));
    for handover in crate::worlds::skipping().page() {
        one_form(&handover);
    }
    for keys in support::parties_at(support::KEY_HEIGHT) {
        one_form(&keys);
    }
    for (_, change) in support::changes() {
        one_form(&change);
    }
    for decision in Decision::ALL {
        one_form(decision);
    }
    let block = Some(receipt.order.header.hash());
    one_form(&Vote {
        height: Height::new(1),
        round: Round::new(2),
        step: VoteStep::Prevote,
        block,
    });
    let (batches, evidence) = (vec![BatchId::default(); 3], support::evidence());
    for one in &evidence {
        one_form(one);
    }
    one_form(&Block { header: receipt.order.header, batches, evidence });
}

#[test]
fn tags_of_options_flags_and_choices_are_exact() {
    for tag in 0..=u8::MAX {
        let option = decode::<Option<u8>>(&[tag, 7], 2);
        match tag {
            0 => assert_eq!(option, Err(CodecError::Trailing(1))),
            1 => assert_eq!(option, Ok(Some(7))),
            _ => assert!(matches!(option, Err(CodecError::Malformed(_))), "option tag {tag}"),
        }
        assert_eq!(
            decode::<bool>(&[tag], 1).ok(),
            [Some(false), Some(true)].get(tag as usize).copied().flatten()
        );
        let step = decode::<VoteStep>(&[tag, 0, 0, 0], 4).ok();
        let steps = [VoteStep::Prevote, VoteStep::Precommit];
        assert_eq!(step, steps.get(tag as usize).copied(), "step {tag}");
    }
}

#[test]
fn a_length_that_lies_costs_nothing() {
    for length in [1, 1 << 20, 1 << 40, u64::MAX / 2, u64::MAX] {
        let bytes = length.to_le_bytes();
        assert!(matches!(decode::<Vec<u8>>(&bytes, 8), Err(CodecError::Malformed(_))));
        assert!(matches!(decode::<Vec<Digest>>(&bytes, 8), Err(CodecError::Malformed(_))));
        assert!(matches!(decode::<Vec<(u32, u64)>>(&bytes, 8), Err(CodecError::Malformed(_))));
        assert!(matches!(decode::<String>(&bytes, 8), Err(CodecError::Malformed(_))));
    }
}

#[test]
fn integers_are_fixed_and_little_endian() {
    assert_eq!(encode(&0x0102_0304_u32), [4, 3, 2, 1]);
    assert_eq!(encode(&Height::new(1)), [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(encode(&vec![1_u16, 2]), [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0]);
    assert_eq!(encode(&(7_u8, 8_u16)), [7, 8, 0]);
    assert_eq!(encode(&u128::from(u64::MAX))[8..], [0; 8]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode::<BatchHeader>(&bytes, 1_000);
        let _ = decode::<Block>(&bytes, 1_000);
        let _ = decode::<Certificate>(&bytes, 1_000);
        let _ = decode::<Vote>(&bytes, 1_000);
        let _ = decode::<ValidatorSet>(&bytes, 1_000);
        let _ = decode::<Change>(&bytes, 1_000);
        let _ = decode::<PartyKeys>(&bytes, 1_000);
        let _ = decode::<Lineage>(&bytes, 1_000);
        let _ = decode::<Parameters>(&bytes, 1_000);
        let _ = Receipt::decode(&bytes);
        let _ = SignedBatch::decode(bytes::Bytes::from(bytes));
    }

    #[test]
    fn headers_read_back(
        kind in any::<u16>(), submitter in any::<u32>(), count in any::<u32>(),
        until in any::<u64>(), root in any::<[u8; 32]>(), chain in any::<[u8; 32]>(),
    ) {
        let header = BatchHeader {
            version: batch::BATCH_VERSION,
            kind,
            chain_id: ChainId::new(Digest::from_bytes(chain)),
            submitter: ParticipantId::new(submitter),
            count,
            valid_until: TimeMs::new(until),
            items_root: Digest::from_bytes(root),
        };
        let bytes = encode(&header);
        prop_assert_eq!(bytes.len(), batch::BATCH_HEADER_BYTES);
        prop_assert_eq!(decode::<BatchHeader>(&bytes, bytes.len()).unwrap(), header);
    }
}
