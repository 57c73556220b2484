//! What returns and consents ask the past for: items, never batches, and nothing for what costs
//! nothing to refuse.

use chain_types::RechargeItem;
use chain_types::batch::BATCH_ITEMS_MAX;

use crate::kit::*;

const ITEM_BYTES: usize = size_of::<RechargeItem>();

#[test]
fn a_return_reads_one_item_and_what_is_refused_before_reads_none() {
    let mut chain = Chain::new();
    let orders: Vec<RechargeItem> =
        (0..BATCH_ITEMS_MAX).map(|number| one_step(order_id(number.into(), 0), 1)).collect();
    let batch = chain.batch(BANK_A, &orders);
    chain.block(1, &[batch]);
    let (reserved, in_two_steps) = (order_id(20_000, 0), order_id(20_001, 0));
    chain.one(SERVICE, order(reserved, 10));
    chain.one(SERVICE, order(in_two_steps, 10));
    chain.one(BANK_A, collect(in_two_steps));
    let (id, unknown) = (orders[4_711].order_id(), order_id(30_000, 0));
    let rows = [
        (BANK_B, give_back(unknown, 1, 1), 300, 0),
        (BANK_B, give_back(reserved, 1, 1), 321, 0),
        (BANK_B, give_back(id, 1, 2), 324, 0),
        (BANK_A, give_back(id, 1, 1), 330, ITEM_BYTES),
        (BANK_POOR, give_back(id, 1, 1), 326, ITEM_BYTES),
        (BANK_B, give_back(id, 1, 1), 0, ITEM_BYTES),
        (BANK_B, give_back(id, 1, 1), 1, 0),
        (BANK_B, give_back(id, 2, 1), 323, 0),
        (BANK_B, give_back(in_two_steps, 10, 1), 0, ITEM_BYTES),
    ];
    for (by, item, code, bytes) in rows {
        chain.bytes_read.set(0);
        assert_eq!(chain.one(by, item), code, "{}", item.order_id());
        assert_eq!(chain.bytes_read.get(), bytes, "a return that came to {code}");
    }
    chain.bytes_read.set(0);
    assert_eq!(chain.one(SERVICE, consent(reserved, 1)), 321);
    assert_eq!(chain.bytes_read.get(), 0);
    assert_eq!(chain.one(SERVICE, consent(in_two_steps, 1)), 0);
    assert_eq!(chain.bytes_read.get(), ITEM_BYTES);
}
