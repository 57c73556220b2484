//! Movements of money upon an overlay: what comes to be, and what only a bug can do.

use super::*;

fn movement(overlay: &mut Overlay<'_>, currencies: [Currency; 2], amount: u64) -> Movement {
    let debit = overlay.open(AccountKey::liquidity(ParticipantId::new(1), currencies[0]));
    let credit = overlay.open(AccountKey::payable(MerchantId::new(9), currencies[1]));
    Movement::of_order(debit, credit, Amount::new(amount))
}

#[test]
#[should_panic(expected = "the legs differ in currency")]
fn a_movement_within_two_currencies_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    let movement = movement(&mut overlay, [CNY, JPY], 1);
    overlay.transfer(&movement).unwrap();
}

#[test]
#[should_panic(expected = "without a cause")]
fn a_movement_without_a_cause_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    let movement = movement(&mut overlay, [CNY, CNY], 1);
    overlay.transfer(&movement).unwrap();
}

#[test]
#[should_panic(expected = "is overdrawn")]
fn a_block_that_overdraws_an_account_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    let movement = movement(&mut overlay, [CNY, CNY], 151);
    overlay.transfer(&movement).unwrap();
    overlay.finish();
}

#[test]
#[should_panic(expected = "only 0 is pending")]
fn a_release_of_what_is_not_pending_is_a_bug() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    let movement = movement(&mut overlay, [CNY, CNY], 1);
    overlay.release(&movement);
}

/// An account that was only looked at does not come to be.
#[test]
fn an_account_comes_to_be_with_its_first_movement() {
    let state = State::genesis(&genesis());
    let mut overlay = Overlay::new(&state, START.plus(1), 0);
    overlay.begin(EntryCause::Batch(0));
    overlay.open(AccountKey::payable(MerchantId::new(7), CNY));
    let movement = movement(&mut overlay, [CNY, CNY], 150);
    overlay.reserve(&movement).unwrap();
    assert_eq!(overlay.account(movement.debit).available(), 0);
    overlay.release(&movement);
    let changes = overlay.finish();
    let keys: Vec<_> = changes.accounts.iter().map(|write| write.key.owner).collect();
    assert_eq!(keys, [1, 9]);
    assert_eq!(changes.accounts[1].index, state.accounts.len());
}

#[test]
fn counters_do_not_overflow() {
    let almost = i128::MAX.cast_unsigned() - 5;
    let full = Account { debits_posted: almost, credits_pending: almost, ..Account::default() };
    assert!(full.debited(Amount::new(5)).is_ok());
    assert_eq!(full.debited(Amount::new(6)), Err(CounterOverflow));
    assert_eq!(full.credit_reserved(Amount::new(u64::MAX)), Err(CounterOverflow));
    assert_eq!(full.available(), 0);
}
