//! Whose approvals a change has when it takes effect, and since when a correction counts.

use chain_types::{
    Change, Currency, Decision, Digest, FailureItem, InstructionId, Merchant, MerchantId,
    Parameters, ParticipantId, ProposalId, ProposalItem, ReinstructItem, Rejection, TimeMs,
};

use crate::changes::vote;
use crate::item::Item;
use crate::network::*;
use crate::story::{Story, WINDOW_MS};

/// An operator proposes a change, and another one approves it.
fn schedule(story: &mut Story, number: u8, ahead: u64, change: &Change, by: [u32; 2]) {
    let id = ProposalId::new(story.chain.state.time().plus(1), [number; 10]);
    let height = story.chain.state.height().plus(ahead);
    let proposal = ProposalItem::new(id, height, change).unwrap();
    assert_eq!(story.block(1, &[(by[0], vec![proposal.into()])]), [0]);
    let approval = vote(&proposal, Decision::Approve);
    assert_eq!(story.block(1, &[(by[1], vec![approval.into()])]), [0]);
}

/// The approval of an operator that is suspended before the change takes effect counts no longer.
#[test]
fn approvals_of_those_who_are_gone_do_not_count() {
    let [first, second, third] = [OPERATORS[0], OPERATORS[1], OPERATORS[2]];
    for is_gone in [false, true] {
        let mut story = Story::new();
        let before = story.chain.state.parameters().return_period_ms;
        let mut names = Parameters::NAMES.iter();
        let index = names.position(|name| *name == "return_period_ms").unwrap() as u16;
        let longer = Change::Parameter { index, value: 2 * before };
        schedule(&mut story, 1, 12, &longer, [first, second]);
        if is_gone {
            let participant = ParticipantId::new(second);
            let gone = Change::ParticipantSuspended { participant, suspended: true };
            schedule(&mut story, 2, 6, &gone, [first, third]);
        }
        for _ in 0..12 {
            story.block(1, &[]);
        }
        let expected = if is_gone { before } else { 2 * before };
        assert_eq!(story.chain.state.parameters().return_period_ms, expected);
    }
}

/// A correction of the merchant's entry counts from the block on that gave the attempt.
#[test]
fn a_correction_before_the_failure_counts() {
    let mut story = Story::new();
    let order = story.order(700);
    assert_eq!(story.block(1, &[(GATEWAYS[0], vec![Item::from(order)])]), [0]);
    let known = story.chain.state.merchant(MerchantId::new(MERCHANTS[0])).cloned().unwrap();
    let corrected =
        Change::Merchant(Merchant { payout_account: Digest::from_bytes([9; 32]), ..known });
    // It takes effect for the height after the block that closes the window.
    schedule(&mut story, 3, 5, &corrected, [OPERATORS[0], OPERATORS[1]]);
    story.block(1, &[]);
    story.block(WINDOW_MS, &[]);
    let id = InstructionId {
        window: chain_types::WindowId::new(0),
        merchant: MerchantId::new(MERCHANTS[0]),
        currency: Currency::new(CNY),
    };
    let record = story.chain.state.instruction(&id).cloned().unwrap();
    let changed = story.chain.state.merchant_changed(id.merchant);
    assert_eq!(changed, Some(record.attempt_height.next()));
    let failure = FailureItem::new(id, 1, [1; 32], 1);
    assert_eq!(story.block(1, &[(record.gateway.get(), vec![Item::from(failure)])]), [0]);
    let again = ReinstructItem::new(id, [2; 32], 1);
    assert_eq!(story.block(1, &[(AGENTS[0], vec![Item::from(again)])]), [0]);
}

/// Operators of one house are one where those are counted who are left to approve.
#[test]
fn operators_left_of_one_house_are_one() {
    let mut genesis = genesis(TimeMs::new(1_798_761_000_000), 4);
    genesis.parameters.governance_approvals = 2;
    // Every other operator is of that house already.
    for participant in &mut genesis.participants {
        if [OPERATORS[1], OPERATORS[2]].contains(&participant.id.get()) {
            participant.legal_entity = HOUSE_ENTITY.to_owned();
        }
    }
    let mut story = Story::of(&genesis);
    let participant = ParticipantId::new(OPERATORS[0]);
    let gone = Change::ParticipantSuspended { participant, suspended: true };
    let id = ProposalId::new(story.chain.state.time().plus(1), [4; 10]);
    let proposal = ProposalItem::new(id, story.chain.state.height().plus(12), &gone).unwrap();
    let said = [(OPERATORS[1], vec![proposal.into()])];
    assert_eq!(story.block(1, &said), [Rejection::QuorumUnreachable.code()]);
}
