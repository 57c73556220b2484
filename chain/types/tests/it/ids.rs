//! Ids and units read back what they print, and refuse everything else.

use chain_types::*;
use proptest::prelude::*;

#[test]
fn only_version_7_of_the_rfc_variant_is_an_order_id() {
    let good = OrderId::new(TimeMs::new(1_767_225_601_037), [0xff; 10]);
    assert!(good.is_uuid_v7());
    assert_eq!(good.time(), TimeMs::new(1_767_225_601_037));
    for version in 0..16_u8 {
        let mut bytes = good.bytes();
        bytes[6] = bytes[6] & 0x0f | version << 4;
        let id = OrderId::from_bytes(bytes);
        assert_eq!(id.is_uuid_v7(), version == 7, "version {version}");
    }
    for variant in 0..4_u8 {
        let mut bytes = good.bytes();
        bytes[8] = bytes[8] & 0x3f | variant << 6;
        let id = OrderId::from_bytes(bytes);
        assert_eq!(id.is_uuid_v7(), variant == 2, "variant {variant}");
    }
}

#[test]
fn the_example_of_rfc_9562_has_its_time() {
    let id: OrderId = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F".parse().unwrap();
    assert!(id.is_uuid_v7());
    assert_eq!(id.time(), TimeMs::new(1_645_557_742_000));
    assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

#[test]
fn texts_that_are_no_ids_are_refused() {
    for text in ["", "0", "xyz", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
        assert!(text.parse::<BatchId>().is_err(), "{text}");
        assert!(text.parse::<OrderId>().is_err(), "{text}");
        assert_eq!(PublicKey::from_hex(text), None);
    }
    for text in ["", "1-2", "1-2-3-4", "1-2-x", "-1-2-3", "1-2-65536", "1--3", " 1-2-3"] {
        assert!(text.parse::<InstructionId>().is_err(), "{text}");
    }
}

#[test]
fn a_quote_belongs_to_the_provider_in_its_upper_half() {
    for (provider, number) in [(0, 0), (301, 7), (1, u32::MAX), (u32::MAX, u32::MAX)] {
        let id = QuoteId::of(ParticipantId::new(provider), number);
        assert_eq!(id.provider(), ParticipantId::new(provider));
        assert_eq!(id.get(), u64::from(provider) * (1 << 32) + u64::from(number));
    }
}

#[test]
fn times_stay_at_their_bounds() {
    assert_eq!(TimeMs::new(u64::MAX).plus(1), TimeMs::new(u64::MAX));
    assert_eq!(TimeMs::new(5).minus(6), TimeMs::new(0));
    assert_eq!(Height::new(0).previous(), None);
    assert_eq!(Height::new(0).next().previous(), Some(Height::new(0)));
    assert_eq!(Round::new(3).next(), Round::new(4));
}

#[test]
fn currencies_are_iso_4217s() {
    for (code, number, exponent) in [("CNY", 156, 2), ("JPY", 392, 0), ("KWD", 414, 3)] {
        let currency = Currency::from_code(code).unwrap();
        assert_eq!((currency, currency.exponent()), (Currency::new(number), Some(exponent)));
        assert_eq!(currency.code(), Some(code));
    }
    assert_eq!(Currency::new(0).code(), None);
    assert_eq!(Currency::from_code("XYZ"), None);
}

#[test]
fn a_quorum_is_more_than_two_thirds() {
    let validator = |id: u32, power| Validator {
        id: ValidatorId::new(id),
        public_key: PublicKey::from_bytes([u8::try_from(id).unwrap(); 32]),
        power,
    };
    let set = ValidatorSet::new((0..4).map(|id| validator(id, 1)).collect());
    assert!(!set.is_quorum(2) && set.is_quorum(3));
    let set = ValidatorSet::new((0..3).map(|id| validator(id, 1)).collect());
    assert!(!set.is_quorum(2) && set.is_quorum(3));
    let set = ValidatorSet::new(vec![validator(9, u64::MAX), validator(2, u64::MAX)]);
    assert!(!set.is_quorum(u128::from(u64::MAX)) && set.is_quorum(2 * u128::from(u64::MAX)));
    assert_eq!(set.as_slice()[0].id, ValidatorId::new(2));
    assert_eq!(set.get(ValidatorId::new(9)).unwrap().power, u64::MAX);
    assert_eq!(set.get(ValidatorId::new(3)), None);
}

#[test]
fn strict_verification_refuses_weak_keys_and_other_forms() {
    let weak = PublicKey::from_bytes([0; 32]);
    assert!(!weak.is_usable());
    let key = SecretKey::from_seed(&[7; 32]);
    let digest = Digest::from_bytes([9; 32]);
    let signature = key.sign(&digest);
    assert!(key.public_key().verifies(&digest, &signature));
    assert!(!weak.verifies(&digest, &signature));
    for byte in 0..64 {
        let mut other = signature.bytes();
        other[byte] ^= 1;
        let other = Signature::from_bytes(other);
        assert!(!key.public_key().verifies(&digest, &other), "byte {byte}");
    }
    // S plus the group order is the classical second form of the same signature.
    let order: [u8; 32] = *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";
    let mut other = signature.bytes();
    let mut carry = 0_u16;
    for (byte, add) in other[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    let other = Signature::from_bytes(other);
    assert_ne!(other, signature);
    assert!(!key.public_key().verifies(&digest, &other));
    // Under the neutral point as a key, R = the neutral point and S = 0 fit every message; only a
    // strict check refuses them.
    let neutral: [u8; 32] = std::array::from_fn(|byte| u8::from(byte == 0));
    let anything = Signature::from_bytes(std::array::from_fn(|byte| u8::from(byte == 0)));
    assert!(!PublicKey::from_bytes(neutral).is_usable());
    assert!(!PublicKey::from_bytes(neutral).verifies(&digest, &anything));
    assert!(!format!("{key:?}").contains(&hex::encode(key.to_seed())));
}

proptest! {
    #[test]
    fn ids_read_back(
        bytes in any::<[u8; 32]>(),
        window in any::<u64>(),
        merchant in any::<u64>(),
        currency in any::<u16>(),
    ) {
        let id = BlockHash::new(Digest::from_bytes(bytes));
        prop_assert_eq!(id.to_string().parse::<BlockHash>().unwrap(), id);
        let [order @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = bytes;
        let order = OrderId::from_bytes(order);
        prop_assert_eq!(order.to_string().parse::<OrderId>().unwrap(), order);
        let id = InstructionId {
            window: WindowId::new(window),
            merchant: MerchantId::new(merchant),
            currency: Currency::new(currency),
        };
        prop_assert_eq!(id.to_string().parse::<InstructionId>().unwrap(), id);
    }

    #[test]
    fn order_ids_keep_their_time_and_sort_by_it(
        a in 0_u64..1 << 48,
        b in 0_u64..1 << 48,
        entropy in any::<[u8; 10]>(),
    ) {
        let [first, second] = [a, b].map(|time| OrderId::new(TimeMs::new(time), entropy));
        prop_assert!(first.is_uuid_v7());
        prop_assert_eq!(first.time(), TimeMs::new(a));
        prop_assert_eq!(a.cmp(&b), first.cmp(&second));
    }
}
