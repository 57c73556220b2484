//! Merchant registrars: whose merchants they add and change, and how many of a day.

use chain_types::{
    Change, Decision, Digest, Merchant, MerchantId, MerchantItem, Participant, ParticipantId,
    ProposalId, ProposalItem, RechargeItem, RegistrarLimits, Roles,
};

use crate::changes::vote;
use crate::item::Item;
use crate::network::*;
use crate::story::Story;

const DAY_MS: u64 = 86_400_000;
/// The registrar whose merchants gateway 201 pays.
const REGISTRAR: u32 = REGISTRARS[0];
/// Merchants that the genesis file does not have.
const NEW: [u64; 3] = [5_001, 5_002, 5_003];

/// A change that two operators make, three blocks on.
fn govern(story: &mut Story, number: u8, change: &Change) {
    let id = ProposalId::new(story.chain.state.time().plus(1), [number; 10]);
    let height = story.chain.state.height().plus(4);
    let item = ProposalItem::new(id, height, change).unwrap();
    let approval = vote(&item, Decision::Approve);
    let said = [(OPERATORS[0], vec![item.into()]), (OPERATORS[1], vec![approval.into()])];
    assert_eq!(story.block(1, &said), [0, 0]);
    (0..3).for_each(|_| drop(story.block(1, &[])));
}

/// A story in which the registrar may add two merchants a day, and change one.
fn begun() -> Story {
    let mut story = Story::new();
    let gateway = ParticipantId::new(GATEWAYS[0]);
    let limits = RegistrarLimits { gateway, added_max: 2, changed_max: 1 };
    let participant = ParticipantId::new(REGISTRAR);
    govern(&mut story, 1, &Change::Registrar { participant, limits });
    story
}

fn said(merchant: &Merchant) -> Item {
    MerchantItem::new(merchant).unwrap().into()
}

fn register(story: &mut Story, merchant: &Merchant) -> u16 {
    story.block(1, &[(REGISTRAR, vec![said(merchant)])])[0]
}

fn order(story: &mut Story, merchant: u64) -> (u32, Vec<Item>) {
    let item = RechargeItem { merchant: merchant.into(), ..story.order(700) };
    (GATEWAYS[0], vec![Item::from(item)])
}

fn at_account(merchant: &Merchant, account: u8) -> Merchant {
    Merchant { payout_account: Digest::from_bytes([account; 32]), ..merchant.clone() }
}

#[test]
fn nobody_registers_without_limits() {
    let mut story = Story::new();
    assert_eq!(register(&mut story, &merchant(NEW[0], GATEWAYS[0])), 816);
}

#[test]
fn a_merchant_is_there_from_the_next_block_on() {
    let mut story = begun();
    let new = merchant(NEW[0], GATEWAYS[0]);
    let orders = [order(&mut story, NEW[0]), (REGISTRAR, vec![said(&new)])];
    let again = order(&mut story, NEW[0]);
    assert_eq!(story.block(1, &[orders[0].clone(), orders[1].clone(), again]), [210, 0, 210]);
    let order = order(&mut story, NEW[0]);
    assert_eq!(story.block(1, &[order]), [0]);
}

#[test]
fn a_day_has_its_limits_and_the_next_one_too() {
    let mut story = begun();
    let news = NEW.map(|id| merchant(id, GATEWAYS[0]));
    assert_eq!(register(&mut story, &news[0]), 0);
    assert_eq!(register(&mut story, &news[0]), 1, "a repetition counts for nothing");
    assert_eq!(register(&mut story, &news[1]), 0);
    assert_eq!(register(&mut story, &news[2]), 818);
    assert_eq!(register(&mut story, &at_account(&news[0], 1)), 0, "changes have a limit of theirs");
    assert_eq!(register(&mut story, &at_account(&news[0], 2)), 818);
    story.block(DAY_MS, &[]);
    assert_eq!(register(&mut story, &news[2]), 0);
    assert_eq!(register(&mut story, &at_account(&news[0], 2)), 0);
    assert_eq!(register(&mut story, &at_account(&news[0], 3)), 818);
    // New limits do not give the day anew.
    let gateway = ParticipantId::new(GATEWAYS[0]);
    let limits = RegistrarLimits { gateway, added_max: 2, changed_max: 2 };
    let participant = ParticipantId::new(REGISTRAR);
    govern(&mut story, 2, &Change::Registrar { participant, limits });
    assert_eq!(register(&mut story, &at_account(&news[0], 3)), 0);
    assert_eq!(register(&mut story, &at_account(&news[0], 4)), 818);
}

#[test]
fn a_registrar_moves_no_merchant() {
    let mut story = begun();
    assert_eq!(register(&mut story, &merchant(NEW[0], GATEWAYS[1])), 817);
    // Merchant 1001 is paid by gateway 202, merchant 1002 by 201.
    let others = merchant(MERCHANTS[0], GATEWAYS[1]);
    assert_eq!(register(&mut story, &others), 817);
    assert_eq!(register(&mut story, &merchant(MERCHANTS[0], GATEWAYS[0])), 817);
    assert_eq!(register(&mut story, &merchant(MERCHANTS[1], GATEWAYS[1])), 817);
    assert_eq!(register(&mut story, &at_account(&merchant(MERCHANTS[1], GATEWAYS[0]), 1)), 0);
}

#[test]
fn entity_and_suspension_stay_as_they_are() {
    let mut story = begun();
    let known = merchant(MERCHANTS[1], GATEWAYS[0]);
    let elsewhere = Merchant { legal_entity: "OTHERS2".to_owned(), ..known.clone() };
    assert_eq!(register(&mut story, &elsewhere), 807);
    assert_eq!(register(&mut story, &Merchant { suspended: true, ..known }), 807);
    // A new one has the entity that it is registered with.
    let new = Merchant { legal_entity: "OTHERS2".to_owned(), ..merchant(NEW[0], GATEWAYS[0]) };
    assert_eq!(register(&mut story, &new), 0);
}

#[test]
fn nobody_registers_a_merchant_of_its_own_entity() {
    let mut story = begun();
    let own = Participant {
        legal_entity: "OTHERS2".to_owned(),
        ..participant(REGISTRAR, Roles::MERCHANT_REGISTRAR)
    };
    let new = Merchant { legal_entity: "OTHERS2".to_owned(), ..merchant(NEW[0], GATEWAYS[0]) };
    assert_eq!(register(&mut story, &new), 0);
    govern(&mut story, 2, &Change::Participant(own));
    assert_eq!(register(&mut story, &at_account(&new, 1)), 117);
    let other = Merchant { id: MerchantId::new(NEW[1]), ..new };
    assert_eq!(register(&mut story, &other), 117);
}

#[test]
fn a_registrar_stops_with_its_gateway_and_with_itself() {
    for (party, code) in [(GATEWAYS[0], 816), (REGISTRAR, 110)] {
        let mut story = begun();
        assert_eq!(register(&mut story, &merchant(NEW[0], GATEWAYS[0])), 0);
        let participant = ParticipantId::new(party);
        govern(&mut story, 2, &Change::ParticipantSuspended { participant, suspended: true });
        assert_eq!(register(&mut story, &merchant(NEW[1], GATEWAYS[0])), code);
    }
}

/// Governance of the same block finds what a registrar has said before it.
#[test]
fn governance_builds_on_what_registrars_said() {
    let mut story = begun();
    let id = ProposalId::new(story.chain.state.time().plus(1), [7; 10]);
    let height = story.chain.state.height().plus(4);
    let suspend = Change::MerchantSuspended { merchant: MerchantId::new(NEW[0]), suspended: true };
    let item = ProposalItem::new(id, height, &suspend).unwrap();
    let new = (REGISTRAR, vec![said(&merchant(NEW[0], GATEWAYS[0]))]);
    let propose = (OPERATORS[0], vec![item.into()]);
    assert_eq!(story.block(1, &[propose.clone(), new, propose]), [807, 0, 0]);
}
