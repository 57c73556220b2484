//! Single situations, each from the chain's word to the bank's and back.

use chain_types::{FailureReason, InstructionId, InstructionState};
use rpc_bank::{BankHabits, PaymentFate};
use rpc_gateway::{CrashPlan, HeldReason};
use rpc_iso20022::EndToEndId;

use crate::chain::instruction;
use crate::words::{group, pain002, status};
use crate::world::World;

fn world() -> World {
    World::new(1, BankHabits::NONE, 1_001..=1_003)
}

fn id() -> InstructionId {
    instruction(12, 1_001, "CNY")
}

fn attempt(number: u16) -> EndToEndId {
    EndToEndId { instruction: id(), attempt: number }
}

fn put_in(world: &World, name: &str, xml: &str) {
    std::fs::write(world.folder.path().join("bank/in").join(name), xml).unwrap();
}

fn state(world: &World) -> (InstructionState, Option<u16>) {
    let book = world.chain.book();
    let report = &book.instructions[&id()];
    (report.status, report.failure.as_ref().map(|failure| failure.reason))
}

fn paid(world: &World) -> usize {
    world.moved().iter().filter(|moved| !moved.is_back).count()
}

/// A row a way in which a payment ends, with the chain's state then.
#[test]
fn each_end_of_a_payment_is_heard_on_the_chain() {
    let rows = [
        (PaymentFate::Credited, InstructionState::Arrived, None),
        (PaymentFate::CreditedByEntry, InstructionState::Arrived, None),
        (PaymentFate::Rejected, InstructionState::Failed, Some(FailureReason::AccountClosed)),
        (PaymentFate::Unfunded, InstructionState::Failed, Some(FailureReason::BankUnavailable)),
        (PaymentFate::Returned, InstructionState::Failed, Some(FailureReason::AccountBlocked)),
        (PaymentFate::Bounced, InstructionState::Failed, Some(FailureReason::AccountBlocked)),
        (PaymentFate::WrongAmount, InstructionState::Instructed, None),
        (PaymentFate::Silent, InstructionState::Instructed, None),
        (PaymentFate::Waiting, InstructionState::Instructed, None),
        (PaymentFate::Contradicted, InstructionState::Instructed, None),
    ];
    for (fate, expected, reason) in rows {
        let mut world = world();
        world.bank.set_fate(&attempt(1).to_string(), fate);
        world.chain.book().instruct(id(), 12_345);
        world.go(30);
        let reason = reason.map(FailureReason::number);
        assert_eq!(state(&world), (expected, reason), "{fate:?}");
        assert_eq!(paid(&world), usize::from(fate.has_moved_money()));
    }
}

#[test]
fn a_silent_bank_is_asked_with_doubling_and_then_a_person_is_called() {
    let mut world = world();
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Silent);
    world.chain.book().instruct(id(), 12_345);
    let mut asked = Vec::new();
    for turn in 0..320 {
        let before = world.bank.bank().ledger().questions;
        world.go(1);
        if world.bank.bank().ledger().questions > before {
            asked.push(turn);
        }
    }
    // After 10, 20, 40 and 80 minutes; after 160 more a person is called.
    assert_eq!(asked, [10, 30, 70, 150]);
    assert_eq!(world.gateway().held().get(&attempt(1)), Some(&HeldReason::Silent));
    assert_eq!(paid(&world), 1);
}

/// The first attempt is late, agents step in and give it again, and then its credit comes: the
/// second attempt is never sent.
#[test]
fn an_attempt_is_not_sent_while_an_earlier_one_may_be_paid() {
    let mut world = world();
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Silent);
    world.chain.book().instruct(id(), 12_345);
    world.go(2);
    world.chain.book().step_in(id());
    world.go(1);
    world.chain.book().give_again(id());
    world.go(3);
    assert_eq!(world.gateway().held().get(&attempt(2)), Some(&HeldReason::EarlierAttempt));
    put_in(&world, "late.xml", &{
        let uetr = attempt(1).of_chain(crate::chain::CHAIN).uetr(0).to_string();
        pain002("L1", "M", "", &status(&attempt(1).to_string(), &uetr, "ACCC", "", "FT1"))
    });
    world.go(3);
    let held = world.gateway().held();
    assert_eq!(held.get(&attempt(1)), Some(&HeldReason::PaidAfterAnother));
    assert_eq!(held.get(&attempt(2)), Some(&HeldReason::EarlierAttempt));
    assert_eq!(paid(&world), 1);
}

#[test]
fn an_attempt_is_sent_once_the_earlier_one_is_dead() {
    let mut world = world();
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Rejected);
    world.bank.set_fate(&attempt(2).to_string(), PaymentFate::Credited);
    world.chain.book().instruct(id(), 12_345);
    world.go(3);
    world.chain.book().give_again(id());
    world.go(3);
    assert_eq!(state(&world), (InstructionState::Arrived, None));
    assert_eq!(paid(&world), 1);
}

/// The money is there although agents ended the attempt: the chain hears of it.
#[test]
fn an_arrival_crosses_agents_who_stepped_in() {
    let mut world = world();
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Credited);
    world.chain.book().instruct(id(), 12_345);
    world.turn_first();
    world.chain.book().step_in(id());
    world.pass();
    world.go(2);
    assert_eq!(state(&world), (InstructionState::Arrived, None));
}

#[test]
fn what_is_recalled_before_it_is_sent_is_never_sent() {
    let mut world = world();
    world.chain.book().instruct(id(), 12_345);
    world.chain.book().recall(id());
    world.go(3);
    assert_eq!(state(&world), (InstructionState::Failed, Some(FailureReason::Recalled.number())));
    assert!(world.moved().is_empty() && world.fate(attempt(1)).is_none());
}

#[test]
fn what_waits_at_the_bank_is_recalled_there() {
    let mut world = world();
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Waiting);
    world.chain.book().instruct(id(), 12_345);
    world.go(3);
    world.chain.book().recall(id());
    world.go(3);
    assert_eq!(state(&world), (InstructionState::Failed, Some(FailureReason::Recalled.number())));
    assert_eq!(paid(&world), 0);
}

#[test]
fn a_merchant_that_is_not_in_the_book_is_held_until_it_is() {
    let mut world = world();
    let stranger = instruction(12, 1_009, "CNY");
    let name = EndToEndId { instruction: stranger, attempt: 1 };
    world.chain.book().instruct(stranger, 12_345);
    world.chain.book().instruct(id(), 12_345);
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Credited);
    world.bank.set_fate(&name.to_string(), PaymentFate::Credited);
    world.go(2);
    assert_eq!(world.gateway().held().get(&name), Some(&HeldReason::NoAccount));
    assert_eq!(paid(&world), 1, "the others are paid");
    let path = world.folder.path().join("accounts.toml");
    let book = std::fs::read_to_string(&path).unwrap();
    let first = book.split("[[merchant]]").nth(1).unwrap().replace("id = 1001", "id = 1009");
    std::fs::write(&path, format!("{book}[[merchant]]{first}")).unwrap();
    world.start(CrashPlan::default());
    world.go(2);
    assert_eq!(paid(&world), 2);
}

#[test]
fn nothing_is_paid_while_the_chain_is_silent() {
    let mut world = world();
    world.chain.book().instruct(id(), 12_345);
    world.chain.book().silent_in = 1;
    world.go(3);
    assert_eq!(paid(&world), 0);
    world.chain.book().silent_in = 0;
    world.go(1);
    assert_eq!(paid(&world), 1);
}

/// The bank answers a message that came twice by a rejection of the whole: they have it.
#[test]
fn a_rejection_for_a_duplicate_is_asked_about_and_never_a_failure() {
    let mut world = World::new(1, BankHabits { lost: 1_000, ..BankHabits::NONE }, 1_001..=1_001);
    world.bank.set_fate(&attempt(1).to_string(), PaymentFate::Silent);
    world.chain.book().instruct(id(), 12_345);
    world.go(1);
    let books = world.gateway().books();
    let message = books.attempt(attempt(1)).unwrap().sending.as_ref().unwrap().message.clone();
    for (name, code) in [("1.xml", "DUPL"), ("2.xml", "AM05"), ("3.xml", "")] {
        put_in(&world, name, &pain002(name, &message, &group("RJCT", code), ""));
        world.go(2);
        assert_eq!(state(&world), (InstructionState::Instructed, None), "{code}");
    }
    assert_eq!(world.bank.bank().ledger().questions, 3);
    assert_eq!(paid(&world), 1);
}

/// A journal that was lost and made again does not pay what the bank already speaks of.
#[test]
fn a_payment_that_the_journal_never_sent_is_held_when_the_bank_speaks_of_it() {
    let mut world = world();
    let name = attempt(1).to_string();
    world.chain.book().instruct(id(), 12_345);
    // The account book is empty, so that nothing is sent at first.
    let path = world.folder.path().join("accounts.toml");
    let book = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    world.go(1);
    put_in(&world, "old.xml", &pain002("O1", "M0", "", &status(&name, "", "ACSC", "", "")));
    world.go(1);
    std::fs::write(&path, book).unwrap();
    world.start(CrashPlan::default());
    world.go(2);
    assert_eq!(world.gateway().held().get(&attempt(1)), Some(&HeldReason::NeverSent));
    assert_eq!(paid(&world), 0);
}
