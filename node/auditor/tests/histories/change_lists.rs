//! Lists of changes: all or none, whom they are about, and how many there are.

use chain_types::{
    Change, Decision, ListedChangeItem, Merchant, MerchantId, Participant, ParticipantId,
    ProposalId, ProposalItem, RechargeItem, Roles,
};

use crate::changes::vote;
use crate::item::Item;
use crate::network::*;
use crate::story::Story;

/// Merchants that the genesis file does not have.
const NEW: [u64; 3] = [5_001, 5_002, 5_003];

fn items(changes: &[Change]) -> Vec<ListedChangeItem> {
    changes.iter().map(|change| ListedChangeItem::new(change).unwrap()).collect()
}

fn give(story: &mut Story, by: u32, changes: &[Change]) -> Vec<u16> {
    let said = items(changes).into_iter().map(Item::from).collect();
    story.block(1, &[(by, said)])
}

/// The proposal of a list, to take effect for a block that many ahead.
fn proposal(story: &Story, number: u8, ahead: u64, changes: &[Change]) -> ProposalItem {
    let items = items(changes);
    let count = u32::try_from(items.len()).unwrap();
    let list = Change::List { digest: ListedChangeItem::list_digest(&items), count };
    let id = ProposalId::new(story.chain.state.time().plus(1), [number; 10]);
    let height = story.chain.state.height().plus(ahead);
    ProposalItem::new(id, height, &list).unwrap()
}

fn propose(story: &mut Story, by: u32, proposal: &ProposalItem) -> Vec<u16> {
    story.block(1, &[(by, vec![Item::from(*proposal)])])
}

fn approve(story: &mut Story, by: u32, proposal: &ProposalItem) -> Vec<u16> {
    story.block(1, &[(by, vec![Item::from(vote(proposal, Decision::Approve))])])
}

/// Changes a party by a proposal of its own.
fn change(story: &mut Story, number: u8, change: &Change, by: [u32; 2]) {
    let id = ProposalId::new(story.chain.state.time().plus(1), [number; 10]);
    let height = story.chain.state.height().plus(3);
    let item = ProposalItem::new(id, height, change).unwrap();
    assert_eq!(propose(story, by[0], &item), [0]);
    assert_eq!(approve(story, by[1], &item), [0]);
}

fn added(id: u64, gateway: u32) -> Change {
    Change::Merchant(merchant(id, gateway))
}

/// The code of an order for a merchant.
fn order(story: &mut Story, merchant: u64) -> u16 {
    let item = RechargeItem { merchant: merchant.into(), ..story.order(700) };
    story.block(1, &[(GATEWAYS[0], vec![Item::from(item)])])[0]
}

fn pass(story: &mut Story, blocks: usize) {
    (0..blocks).for_each(|_| drop(story.block(1, &[])));
}

/// A list leaves nothing behind if one of its changes no longer holds when it takes effect.
#[test]
fn a_list_is_made_whole_or_not_at_all() {
    for is_gone in [false, true] {
        let mut story = Story::new();
        let [first, second, third, _] = OPERATORS;
        let gateway = |roles| Change::Participant(participant(801, roles));
        change(&mut story, 1, &gateway(Roles::GATEWAY), [first, second]);
        pass(&mut story, 3);
        let list = [added(NEW[0], 202), added(NEW[1], 801), added(NEW[2], 202)];
        assert_eq!(give(&mut story, first, &list), [0; 3]);
        let item = proposal(&story, 2, 9, &list);
        assert_eq!(propose(&mut story, first, &item), [0]);
        assert_eq!(approve(&mut story, second, &item), [0]);
        if is_gone {
            change(&mut story, 3, &gateway(Roles::AUDITOR), [second, third]);
        }
        pass(&mut story, 9);
        let expected = if is_gone { 210 } else { 0 };
        for merchant in NEW {
            assert_eq!(order(&mut story, merchant), expected, "{merchant}");
        }
    }
}

/// One change that is none, and nothing of the list is kept.
#[test]
fn a_list_is_kept_whole_or_not_at_all() {
    let mut story = Story::new();
    let first = OPERATORS[0];
    let list = [added(NEW[0], 202), added(NEW[1], 202)];
    let mut said: Vec<Item> = items(&list).into_iter().map(Item::from).collect();
    *said[1].bytes_mut().last_mut().unwrap() = 1;
    assert_eq!(story.block(1, &[(first, said)]), [813, 201]);
    let suspended = Change::ParticipantSuspended {
        participant: ParticipantId::new(GATEWAYS[0]),
        suspended: true,
    };
    assert_eq!(give(&mut story, first, &[suspended, added(NEW[0], 202)]), [803, 813]);
    let item = proposal(&story, 1, 4, &list);
    assert_eq!(propose(&mut story, first, &item), [815]);
}

/// Another change of the same list builds on those before it.
#[test]
fn changes_of_a_list_build_on_one_another() {
    let mut story = Story::new();
    let [first, second, ..] = OPERATORS;
    let suspend = Change::MerchantSuspended { merchant: MerchantId::new(NEW[0]), suspended: true };
    for (number, list) in [[suspend.clone(), added(NEW[0], 202)], [added(NEW[0], 202), suspend]]
        .into_iter()
        .enumerate()
    {
        assert_eq!(give(&mut story, first, &list), [0, 0]);
        let item = proposal(&story, u8::try_from(number).unwrap(), 4, &list);
        let expected = if number == 0 { 807 } else { 0 };
        assert_eq!(propose(&mut story, first, &item), [expected]);
        if number == 1 {
            assert_eq!(approve(&mut story, second, &item), [0]);
        }
    }
    pass(&mut story, 4);
    assert_eq!(order(&mut story, NEW[0]), 211);
}

/// A list serves one proposal, also one that is refused.
#[test]
fn a_list_serves_one_proposal() {
    let mut story = Story::new();
    let first = OPERATORS[0];
    let list = [added(NEW[0], 202)];
    assert_eq!(give(&mut story, first, &list), [0]);
    let items = [proposal(&story, 1, 9, &list), proposal(&story, 2, 9, &list)];
    assert_eq!(propose(&mut story, first, &items[0]), [0]);
    assert_eq!(propose(&mut story, first, &items[1]), [815]);
    let wrong = [added(NEW[1], 101)];
    assert_eq!(give(&mut story, first, &wrong), [0]);
    let items = [proposal(&story, 3, 9, &wrong), proposal(&story, 4, 9, &wrong)];
    assert_eq!(propose(&mut story, first, &items[0]), [807]);
    assert_eq!(propose(&mut story, first, &items[1]), [815]);
}

/// An operator that became of a merchant's legal entity after its approval has approved nothing.
#[test]
fn whom_a_list_is_about_is_asked_when_it_takes_effect() {
    for is_own in [false, true] {
        let mut story = Story::new();
        let [first, second, third, _] = OPERATORS;
        let suspend = [Change::MerchantSuspended {
            merchant: MerchantId::new(MERCHANTS[0]),
            suspended: true,
        }];
        assert_eq!(give(&mut story, first, &suspend), [0]);
        let item = proposal(&story, 1, 9, &suspend);
        assert_eq!(propose(&mut story, first, &item), [0]);
        assert_eq!(approve(&mut story, second, &item), [0]);
        let entity = "SOMEBODY";
        let operator = participant(second, Roles::SETTLEMENT_OPERATOR);
        let operator = Participant { legal_entity: entity.to_owned(), ..operator };
        change(&mut story, 2, &Change::Participant(operator), [first, third]);
        if is_own {
            let known = merchant(MERCHANTS[0], 202);
            let own = Merchant { legal_entity: entity.to_owned(), ..known };
            change(&mut story, 3, &Change::Merchant(own), [first, third]);
        }
        pass(&mut story, 8);
        let expected = if is_own { 0 } else { 211 };
        assert_eq!(order(&mut story, MERCHANTS[0]), expected);
    }
}

/// Nobody proposes, approves or refuses a list with a merchant of its own house, or one that shall
/// be paid there.
#[test]
fn a_list_is_about_everybody_whom_it_names() {
    let [first, _, _, of_house] = OPERATORS;
    let own = Merchant { legal_entity: HOUSE_ENTITY.to_owned(), ..merchant(NEW[1], 202) };
    let others = [
        Change::Merchant(own),
        Change::MerchantSuspended { merchant: MerchantId::new(MERCHANTS[2]), suspended: true },
        added(NEW[1], 203),
    ];
    for other in others {
        let mut story = Story::new();
        let list = [added(NEW[0], 202), other];
        for by in [of_house, first] {
            assert_eq!(give(&mut story, by, &list), [0, 0]);
        }
        let item = proposal(&story, 1, 9, &list);
        assert_eq!(propose(&mut story, of_house, &item), [117]);
        assert_eq!(propose(&mut story, first, &item), [0]);
        assert_eq!(approve(&mut story, of_house, &item), [117]);
    }
}

/// Of two lists that are due at once, the second waits for the next block.
#[test]
fn a_block_makes_one_list() {
    let mut story = Story::new();
    let [first, second, ..] = OPERATORS;
    let lists = [[added(NEW[0], 202)], [added(NEW[1], 202)]];
    let height = story.chain.state.height().get() + 9;
    for (number, list) in (1..).zip(&lists) {
        assert_eq!(give(&mut story, first, list), [0]);
        let item = proposal(&story, number, height - story.chain.state.height().get(), list);
        assert_eq!(propose(&mut story, first, &item), [0]);
        assert_eq!(approve(&mut story, second, &item), [0]);
    }
    while story.chain.state.height().get() < height - 1 {
        story.block(1, &[]);
    }
    assert_eq!(order(&mut story, NEW[1]), 210);
    assert_eq!([order(&mut story, NEW[0]), order(&mut story, NEW[1])], [0, 0]);
}

/// Eight lists of one operator, 32 in all; one that nobody proposes is forgotten.
#[test]
fn lists_are_bounded() {
    let mut story = Story::new();
    let mut say = |by: u32, number: u64| give(&mut story, by, &[added(6_000 + number, 202)]);
    for by in OPERATORS {
        for number in 0..8 {
            assert_eq!(say(by, number), [0]);
        }
        assert_eq!(say(by, 8), [814]);
        assert_eq!(say(by, 7), [1]);
    }
    assert_eq!(say(HOUSE, 0), [814]);
    let validity_ms = story.chain.state.parameters().proposal_validity_ms;
    let given = story.chain.state.tables().lists.values().next().unwrap().given;
    let list = [added(6_000, 202)];
    let item = proposal(&story, 1, 99, &list);
    // The last list of all was given in the block before last.
    let wait_ms = given.get() + validity_ms - story.chain.state.time().get();
    assert_eq!(story.block(wait_ms, &[]), [] as [u16; 0]);
    let item = ProposalItem {
        proposal_id: ProposalId::new(story.chain.state.time(), [9; 10]).bytes(),
        ..item
    };
    assert_eq!(propose(&mut story, OPERATORS[0], &item), [815]);
    assert_eq!(give(&mut story, HOUSE, &list), [0]);
}
