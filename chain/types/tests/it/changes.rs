//! What governance proposes: every change fits its item, and an approval names what was read.

use chain_types::operation::CHANGE_BYTES_MAX;
use chain_types::*;
use proptest::prelude::*;
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::support;

fn proposal(change: &Change) -> Option<ProposalItem> {
    ProposalItem::new(support::proposal().proposal_id(), Height::new(60), change)
}

#[test]
fn every_change_travels_in_a_proposal() {
    for (number, (name, change)) in (0_u32..).zip(support::changes()) {
        assert_eq!(codec::encode(&change)[..4], number.to_le_bytes(), "the number of {name}");
        let item = proposal(&change).unwrap();
        assert_eq!(item.change(), Some(change), "{name}");
        assert_eq!(item.activation_height(), Height::new(60));
    }
    assert!(codec::decode::<Change>(&15_u32.to_le_bytes(), 4).is_err(), "there is no sixteenth");
}

#[test]
fn the_largest_changes_fit() {
    // 64 characters of four bytes each: the longest name.
    let name = "\u{1f389}".repeat(64);
    let tier = CashbackTier { above: u16::MAX, basis_points: u16::MAX };
    let mut changes = support::changes();
    for (_, change) in &mut changes {
        match change {
            Change::Participant(participant) => participant.name.clone_from(&name),
            Change::Merchant(merchant) => merchant.name.clone_from(&name),
            Change::Node(node) => node.name.clone_from(&name),
            Change::Programme(programme) => {
                programme.tiers = vec![tier; change::CASHBACK_TIERS_MAX];
                let gateways =
                    (0..change::CASHBACK_GATEWAYS_MAX).map(|_| ParticipantId::new(u32::MAX));
                programme.gateways = gateways.collect();
            }
            _ => {}
        }
    }
    for (name, change) in changes {
        assert_eq!(proposal(&change).and_then(|item| item.change()), Some(change), "{name}");
    }
    let long_merchant = Merchant {
        name: name.clone(),
        legal_entity: "A".repeat(20),
        ..support::genesis().merchants[0].clone()
    };
    let item = MerchantItem::new(&long_merchant).unwrap();
    assert_eq!(usize::from(item.merchant_length.get()), operation::MERCHANT_BYTES_MAX);
    assert_eq!(item.merchant().as_ref(), Some(&long_merchant));
    let listed = ListedChangeItem::new(&Change::Merchant(long_merchant)).unwrap();
    assert_eq!(usize::from(listed.change_length.get()), operation::LISTED_BYTES_MAX);
    let long = Participant { name: name.repeat(2), ..support::genesis().participants[0].clone() };
    assert_eq!(proposal(&Change::Participant(long)), None);
}

#[test]
fn bytes_that_are_no_change_are_none() {
    let good = support::proposal();
    let length = good.change_length.get();
    let zeros_short = ProposalItem { change_length: (length - 1).into(), ..good };
    let zeros_long = ProposalItem { change_length: (length + 1).into(), ..good };
    let nothing = ProposalItem { change_length: 0.into(), ..good };
    let beyond = u16::try_from(CHANGE_BYTES_MAX).unwrap() + 1;
    let too_long = ProposalItem { change_length: beyond.into(), ..good };
    let mut not_padded = good;
    not_padded.change[CHANGE_BYTES_MAX - 1] = 1;
    for (what, item) in [
        ("a byte too few", zeros_short),
        ("a byte too many", zeros_long),
        ("no bytes", nothing),
        ("a length beyond the item", too_long),
        ("something after the change", not_padded),
    ] {
        assert_eq!(item.change(), None, "{what}");
    }
}

#[test]
fn an_approval_names_every_byte_of_the_proposal() {
    let good = support::proposal();
    let bytes = good.as_bytes();
    for at in 0..bytes.len() {
        let mut other = bytes.to_vec();
        other[at] ^= 1 << (at % 8);
        let other = ProposalItem::read_from_bytes(&other).unwrap();
        assert_ne!(other.digest(), good.digest(), "byte {at}");
    }
}

#[test]
fn a_programme_is_well_formed_within_its_bounds() {
    let tier = |above, basis_points| CashbackTier { above, basis_points };
    let Some((_, Change::Programme(good))) =
        support::changes().into_iter().find(|(name, _)| *name == "programme")
    else {
        panic!("no programme among the changes")
    };
    let with = |tiers: Vec<CashbackTier>| Programme {
        order_least: Programme::least_of(&tiers),
        tiers,
        ..good.clone()
    };
    let least = |tiers: Vec<CashbackTier>, order_least: u64| Programme {
        order_least: Amount::new(order_least),
        ..with(tiers)
    };
    let by = |gateways: &[u32]| Programme {
        gateways: gateways.iter().copied().map(ParticipantId::new).collect(),
        ..good.clone()
    };
    let all: Vec<u32> = (1..=33).collect();
    let rows = [
        ("two tiers", good.clone(), true),
        ("no tier", with(vec![]), false),
        ("four tiers", with((0..4).map(|above| tier(above, 1)).collect()), true),
        ("five tiers", with((0..5).map(|above| tier(above, 1)).collect()), false),
        ("tiers alike", with(vec![tier(5, 1), tier(5, 2)]), false),
        ("tiers that descend", with(vec![tier(6, 1), tier(5, 2)]), false),
        ("the whole", with(vec![tier(0, 10_000)]), true),
        ("more than the whole", with(vec![tier(0, 10_001)]), false),
        ("a least that earns a unit", least(vec![tier(0, 800), tier(1, 300)], 34), true),
        ("a least that earns less", least(vec![tier(0, 800), tier(1, 300)], 33), false),
        ("a tier that earns nothing", least(vec![tier(0, 0)], 1), true),
        ("no least", least(vec![tier(0, 0)], 0), false),
        ("no gateway", by(&[]), true),
        ("32 gateways", by(&all[..32]), true),
        ("33 gateways", by(&all), false),
        ("a gateway twice", by(&[5, 5]), false),
        ("gateways that descend", by(&[6, 5]), false),
        ("the westmost zone", Programme { offset_min: -720, ..good.clone() }, true),
        ("west of it", Programme { offset_min: -721, ..good.clone() }, false),
        ("the eastmost zone", Programme { offset_min: 840, ..good.clone() }, true),
        ("east of it", Programme { offset_min: 841, ..good.clone() }, false),
    ];
    for (what, programme, is_well_formed) in rows {
        assert_eq!(programme.is_well_formed(), is_well_formed, "{what}");
    }
}

proptest! {
    #[test]
    fn any_proposal_is_judged_without_panic(
        number in 0_u32..12,
        rest in prop::collection::vec(any::<u8>(), CHANGE_BYTES_MAX - 4),
        length in 0..=u16::MAX,
    ) {
        let mut item = support::proposal();
        item.change[..4].copy_from_slice(&number.to_le_bytes());
        item.change[4..].copy_from_slice(&rest);
        item.change_length = length.into();
        if let Some(change) = item.change() {
            prop_assert_eq!(proposal(&change).map(|same| same.change), Some(item.change));
        }
    }
}
