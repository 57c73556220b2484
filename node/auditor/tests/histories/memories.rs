//! What a chain remembers of the past for as long as it can matter, to the last moment.

use chain_types::ReturnItem;

use crate::item::Item;
use crate::network::*;
use crate::story::Story;

const DAY_MS: u64 = 86_400_000;
/// The longest period in which an order may be returned.
const PERIOD_MS: u64 = 800 * DAY_MS;

/// A return that is sent again on the last day of the longest period is repeated, not paid twice.
#[test]
fn returns_are_remembered_to_the_last_moment() {
    let mut genesis = genesis(chain_types::TimeMs(1_798_761_000_000), 4);
    genesis.parameters.return_period_ms = PERIOD_MS;
    let mut story = Story::of(&genesis);
    let order = story.order(700);
    assert_eq!(story.block(1, &[(GATEWAYS[0], vec![Item::from(order)])]), [0]);
    let give_back = |sequence: u16| ReturnItem {
        order_id: order.order_id,
        amount: 100.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        reference: [4; 32],
        spare: [0; 4],
    };
    let said = |sequence| [(GATEWAYS[0], vec![Item::from(give_back(sequence))])];
    assert_eq!(story.block(1, &said(1)), [0]);
    let made = order.order_id().time();
    let wait_ms = |story: &Story, until| until - story.chain.state.time().0;
    // The block that forgets is the one after that whose time is past.
    for until in [made.0 + PERIOD_MS - DAY_MS / 2, made.0 + PERIOD_MS - 1, made.0 + PERIOD_MS] {
        let after_ms = wait_ms(&story, until);
        assert_eq!(story.block(after_ms, &said(1)), [1], "at {until}");
    }
    assert_eq!(story.block(1, &said(1)), [325]);
}
