//! Bytes that nobody may change by accident: digests of a short history, frozen.

use crate::kit::*;

#[test]
fn the_digests_of_a_short_history() {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    chain.one(BANK_A, one_step(order_id(2, 0), 200));
    let batches = [
        chain.batch(BANK_A, &[collect(order_id(1, 0))]),
        chain.batch(SERVICE, &[order(order_id(3, 0), 0), order(order_id(4, 0), 4)]),
    ];
    chain.block(5, &batches);
    chain.one(SERVICE, void(order_id(4, 0)));
    chain.block(30_000, &[]);
    chain.one(BANK_B, arrival(0, SHOP, 300));
    chain.one(SERVICE, order(order_id(5, 0), 6));
    chain.block(200_000, &[]);
    let digests: Vec<String> = (chain.blocks.iter())
        .map(|block| format!("{} {}", block.header.height, block.header.state_digest))
        .collect();
    insta::assert_snapshot!(digests.join("\n"));
}
