//! What a chain remembers of the past for as long as it can matter, to the last moment.

use chain_types::{Change, Decision, Parameters, ProposalId, ProposalItem, ReturnItem};

use crate::changes::vote;
use crate::item::Item;
use crate::network::*;
use crate::story::Story;

const DAY_MS: u64 = 86_400_000;
/// The longest period in which an order may be returned.
const PERIOD_MS: u64 = 800 * DAY_MS;

/// A return that is sent again on the last day of the longest period is repeated, not paid twice.
#[test]
fn returns_are_remembered_to_the_last_moment() {
    let mut genesis = genesis(chain_types::TimeMs::new(1_798_761_000_000), 4);
    genesis.parameters.return_period_ms = PERIOD_MS;
    let mut story = Story::of(&genesis);
    let order = story.order(700);
    assert_eq!(story.block(1, &[(GATEWAYS[0], vec![Item::from(order)])]), [0]);
    let give_back = |sequence: u16| ReturnItem {
        order_id: order.order_id,
        amount: 100.into(),
        rested_max: 0.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        reference: [4; 32],
        spare: [0; 4],
    };
    let said = |sequence| [(GATEWAYS[1], vec![Item::from(give_back(sequence))])];
    assert_eq!(story.block(1, &said(1)), [0]);
    let made = order.order_id().time();
    let wait_ms = |story: &Story, until| until - story.chain.state.time().get();
    // The block that forgets is the one after that whose time is past.
    for until in
        [made.get() + PERIOD_MS - DAY_MS / 2, made.get() + PERIOD_MS - 1, made.get() + PERIOD_MS]
    {
        let after_ms = wait_ms(&story, until);
        assert_eq!(story.block(after_ms, &said(1)), [1], "at {until}");
    }
    assert_eq!(story.block(1, &said(1)), [325]);
}

/// A period that was over may be made longer: what was returned under it is not paid twice.
#[test]
fn returns_are_remembered_for_a_longer_period_that_may_come() {
    let mut story = Story::new();
    let period_ms = story.chain.state.parameters().return_period_ms;
    let order = story.order(700);
    assert_eq!(story.block(1, &[(GATEWAYS[0], vec![Item::from(order)])]), [0]);
    let give_back = ReturnItem {
        order_id: order.order_id,
        amount: 100.into(),
        rested_max: 0.into(),
        reason: 1.into(),
        sequence: 1.into(),
        reference: [4; 32],
        spare: [0; 4],
    };
    // The gateway that pays the merchant.
    let by = GATEWAYS[1];
    assert_eq!(story.block(1, &[(by, vec![give_back.into()])]), [0]);
    // Once for the close of the window, and once more past the period.
    story.block(period_ms, &[]);
    assert_eq!(story.block(1, &[(by, vec![give_back.into()])]), [325]);

    let mut names = Parameters::NAMES.iter();
    let index = names.position(|name| *name == "return_period_ms").unwrap() as u16;
    let longer = Change::Parameter { index, value: 2 * period_ms };
    let id = ProposalId::new(story.chain.state.time().plus(1), [1; 10]);
    let height = story.chain.state.height().get() + 3;
    let proposal = ProposalItem::new(id, chain_types::Height::new(height), &longer).unwrap();
    assert_eq!(story.block(1, &[(OPERATORS[0], vec![proposal.into()])]), [0]);
    let approval = vote(&proposal, Decision::Approve);
    assert_eq!(story.block(1, &[(OPERATORS[1], vec![approval.into()])]), [0]);
    for _ in 0..3 {
        story.block(1, &[]);
    }
    assert_eq!(story.chain.state.parameters().return_period_ms, 2 * period_ms);
    assert_eq!(story.block(1, &[(by, vec![give_back.into()])]), [1]);
}
