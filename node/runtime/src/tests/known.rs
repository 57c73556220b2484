//! Who asks again is answered with what the chain knew of the order before.

use chain_types::{DebitingItem, Rejection, VoidItem};
use node_home::known::ARCHIVED_MAX;
use rpc_api::{BatchReport, BatchState, ItemOutcome, OrderStanding, OrderState, Outcomes};

use super::*;

/// The next block's one batch, newly signed by a participant, as a client is told of it: its items
/// that were not applied.
fn told<T>(chain: &mut Chain, after_ms: u64, by: ParticipantId, items: &[T]) -> Vec<ItemOutcome>
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + BatchItem,
{
    // Valid when the block comes, as the batch of somebody who signs late is.
    let until = chain.time().plus(after_ms + 1_000);
    let chain_id = chain.genesis.chain_id;
    let bytes = SignedBatch::sign(chain_id, by, &key(1, by.get()), until, items);
    let keys = |id| read_state(&chain.state).party_keys(id).copied();
    let batch = SignedBatch::decode(Bytes::from(bytes)).unwrap().verify(chain_id, keys).unwrap();
    let (id, bytes) = (batch.id(), batch.bytes().clone());
    let outcomes = chain.block(after_ms, vec![batch]).remove(0);
    let mut report = BatchReport::pending(id, BatchState::Final);
    (report.height, report.batch_index) = (Some(chain.height().get()), Some(0));
    report.outcomes = Some(Outcomes::new(&outcomes, false));
    chain.orders().add_standings(&mut report, &bytes, |_| true).unwrap();
    report.outcomes.unwrap().not_applied
}

fn standing(told: &[ItemOutcome], code: u16) -> &OrderStanding {
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].code, code, "{told:?}");
    told[0].standing.as_ref().expect("a standing")
}

/// Two blocks later than any order stays in memory.
fn much_later(chain: &mut Chain) {
    chain.block(LONG_MS, vec![]);
    chain.block(200, vec![]);
}

const REPEATED: u16 = Outcome::REPEATED.0;

#[test]
fn a_repetition_is_answered_with_the_outcome_of_the_first_time() {
    let mut chain = Chain::new();
    let settled = chain.recharge(1_000, Flags::COLLECTED);
    let reserved = chain.recharge(1_001, 0);
    let mut nobody = chain.recharge(1_002, 0);
    nobody.merchant = 77.into();
    assert!(told(&mut chain, 200, BANK_A, &[settled]).is_empty());
    assert!(told(&mut chain, 200, SERVICE, &[reserved]).is_empty());
    let first = told(&mut chain, 200, SERVICE, &[nobody]);
    assert_eq!(first[0].code, Rejection::MerchantUnknown.code());
    assert_eq!(first[0].standing, None, "nothing was known of it before");

    let again = told(&mut chain, 200, BANK_A, &[settled]);
    let known = standing(&again, REPEATED);
    assert_eq!((known.status, known.same_content), (OrderState::Collected, Some(true)));
    assert_eq!((known.code, known.height), (Some(0), Some(1)));
    assert!(!known.new_id_is_safe);
    let again = told(&mut chain, 200, SERVICE, &[reserved]);
    assert_eq!(standing(&again, REPEATED).status, OrderState::Reserved);
    // A user who is debited is not left without an order.
    let order_id = reserved.order_id;
    let debiting = DebitingItem { order_id, reference: [1; 32], spare: [0; 16] };
    assert!(told(&mut chain, 200, BANK_A, &[debiting]).is_empty());
    let void = VoidItem { order_id, reason: 2.into(), reference: [1; 32], spare: [0; 14] };
    let known = told(&mut chain, 200, SERVICE, &[void]);
    let known = standing(&known, Rejection::OrderDebiting.code());
    assert_eq!((known.status, known.new_id_is_safe), (OrderState::Debiting, false));
    assert!(known.remedy.contains("only that gateway"), "{}", known.remedy);
    // A refusal comes again as itself.
    let again = told(&mut chain, 200, SERVICE, &[nobody]);
    let known = standing(&again, Rejection::MerchantUnknown.code());
    assert_eq!(known.status, OrderState::Rejected);
    assert_eq!(known.code, Some(Rejection::MerchantUnknown.code()));
    assert!(known.new_id_is_safe);

    let mut other = settled;
    other.amount = 1_003.into();
    let again = told(&mut chain, 200, BANK_A, &[other]);
    let known = standing(&again, Rejection::OrderConflict.code());
    assert_eq!((known.status, known.same_content), (OrderState::Collected, Some(false)));
    assert!(!known.new_id_is_safe);
}

#[test]
fn who_is_late_hears_what_became_of_the_order_or_that_it_never_will_be() {
    let mut chain = Chain::new();
    let settled = chain.recharge(1_000, Flags::COLLECTED);
    let never = chain.recharge(1_001, Flags::COLLECTED);
    let expired = chain.recharge(1_002, 0);
    assert!(told(&mut chain, 200, BANK_A, &[settled]).is_empty());
    assert!(told(&mut chain, 200, SERVICE, &[expired]).is_empty());
    let late = Rejection::OrderIdExpired.code();
    // Past its validity, and still in memory.
    let again = told(&mut chain, 6_000, BANK_A, &[settled]);
    assert_eq!(standing(&again, REPEATED).status, OrderState::Collected);

    much_later(&mut chain);
    assert_eq!(read_state(&chain.state).order(&settled.order_id()), None, "it left memory");
    let again = told(&mut chain, 200, BANK_A, &[settled]);
    let known = standing(&again, late);
    assert_eq!((known.status, known.same_content), (OrderState::Collected, Some(true)));
    assert_eq!((known.height, known.new_id_is_safe), (Some(1), false));
    let again = told(&mut chain, 200, SERVICE, &[expired]);
    let known = standing(&again, late);
    assert_eq!((known.status, known.new_id_is_safe), (OrderState::Expired, false));
    let again = told(&mut chain, 200, BANK_A, &[never]);
    let known = standing(&again, late);
    assert_eq!((known.status, known.new_id_is_safe), (OrderState::NotFound, true));
    // A step that comes late names what it is a step of.
    let again = told(&mut chain, 200, BANK_A, &[collect(settled.order_id())]);
    let known = standing(&again, Rejection::OrderTooOld.code());
    assert_eq!((known.status, known.same_content), (OrderState::Collected, None));
}

#[test]
fn one_answer_looks_up_a_bounded_number_of_orders_of_long_ago() {
    let mut chain = Chain::new();
    let one = chain.recharge(1_000, Flags::COLLECTED);
    let numbers = 0..ARCHIVED_MAX as u64 + 5;
    let items: Vec<RechargeItem> = numbers
        .map(|number| {
            let mut item = one;
            item.order_id[9..12].copy_from_slice(&number.to_be_bytes()[5..]);
            item
        })
        .collect();
    much_later(&mut chain);
    let said = told(&mut chain, 200, BANK_A, &items);
    assert!(said.iter().all(|item| item.code == Rejection::OrderIdExpired.code()));
    let with = said.iter().filter(|item| item.standing.is_some()).count();
    assert_eq!((said.len(), with), (ARCHIVED_MAX + 5, ARCHIVED_MAX));
}

#[test]
fn a_batch_in_the_chain_is_known_by_its_bytes() {
    let mut chain = Chain::new();
    let item = chain.recharge(1_000, Flags::COLLECTED);
    let batch = chain.batch(BANK_A, &key(1, BANK_A.get()), &[item]);
    let bytes = batch.bytes().clone();
    chain.block(200, vec![batch]);
    let orders = chain.orders();
    let place = (Height::new(1), 0);
    assert!(orders.holds(place, &bytes).unwrap());
    let mut signed_otherwise = bytes.to_vec();
    signed_otherwise[100] ^= 1;
    assert!(!orders.holds(place, &Bytes::from(signed_otherwise)).unwrap());
    assert!(!orders.holds((Height::new(9), 0), &bytes).unwrap());
}

#[test]
fn an_order_says_who_may_still_give_it_up_and_until_when() {
    let mut genesis = genesis();
    genesis.parameters.reversal_grace_ms = 1_000;
    let mut chain = Chain::of(genesis);
    let reserved = chain.recharge(1_001, 0);
    let (id, order_id) = (reserved.order_id(), reserved.order_id);
    let report = |chain: &Chain| {
        let orders = chain.orders();
        let (record, _) = orders.record(&id).unwrap();
        let receipt = orders.receipt(id, record.unwrap(), false).unwrap();
        let report = orders.report(id, record, orders.searched(id).unwrap()).unwrap();
        (report, receipt.verify(&chain.genesis).unwrap())
    };
    assert_eq!(chain.say(SERVICE, reserved), Outcome::APPLIED);
    let debiting = DebitingItem { order_id, reference: [1; 32], spare: [0; 16] };
    assert_eq!(chain.say(BANK_A, debiting), Outcome::APPLIED);
    let (debiting, proven) = report(&chain);
    assert_eq!(debiting.status, OrderState::Debiting);
    assert_eq!(debiting.stages.debiting_ms, Some(chain.time().get()));
    assert_eq!((proven.collected, proven.collected_under), (None, None));

    assert_eq!(chain.say(BANK_A, collect(id)), Outcome::APPLIED);
    let (collected, proven) = report(&chain);
    let time = chain.time();
    let stages = &collected.stages;
    assert_eq!((stages.debiting_ms, stages.collected_ms), (None, Some(time.get())));
    assert_eq!(stages.reversible_until_ms, Some(time.get() + 1_000));
    let digest = chain.genesis.parameters.digest();
    assert_eq!((proven.collected, proven.collected_under), (Some(time), Some(digest)));

    chain.block(chain.genesis.parameters.window_ms, Vec::new());
    assert_eq!(report(&chain).0.stages.reversible_until_ms, None, "its window is closed");
}
