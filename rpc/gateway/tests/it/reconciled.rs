//! Days against statements: what is matched, what is a break, and what one day hands to the next.

use std::collections::BTreeSet;

use jiff::civil::date;
use rpc_bank::{BankHabits, PaymentFate};
use rpc_gateway::{GatewayFault, GatewayHome, ReconciledDay, reconcile_day};
use rpc_iso20022::EndToEndId;

use crate::chain::instruction;
use crate::words::{camt053, entry};
use crate::world::World;

const OWN: &str = "1001244100000000001";

fn reconciled(world: &World, day: i8, explained: &[&str]) -> Result<ReconciledDay, GatewayFault> {
    let home = GatewayHome::new(world.folder.path());
    let (profile, _) = home.load().unwrap();
    let explained: BTreeSet<Box<str>> = explained.iter().map(|id| (*id).into()).collect();
    let day = if day == 30 { date(2026, 11, 30) } else { date(2026, 12, day) };
    reconcile_day(&home, &profile, day, explained)
}

fn kinds(day: &ReconciledDay) -> Vec<&'static str> {
    day.reconciliation.report.breaks.iter().map(|each| each.kind).collect()
}

/// Two payments of 123.45 CNY; the bank's statement has one of them and a debit of nobody.
#[test]
fn a_break_is_carried_forward_until_it_is_explained() {
    let mut world = World::new(1, BankHabits::NONE, 1_001..=1_002);
    let names = [1_001, 1_002]
        .map(|merchant| EndToEndId { instruction: instruction(12, merchant, "CNY"), attempt: 1 });
    for name in names {
        world.bank.set_fate(&name.to_string(), PaymentFate::Credited);
        world.chain.book().instruct(name.instruction, 12_345);
    }
    world.go(2);
    let debit = |name: &str, reference: &str| entry(name, "123.45", "CNY", "DBIT", reference);
    let first = debit(&names[0].to_string(), "F1");
    let statement = |number, day: &str, opening: &str, closing: &str, entries: &str| {
        camt053(OWN, number, day, (opening, closing), entries)
    };
    let put = |world: &World, file: &str, xml: String| {
        std::fs::write(world.folder.path().join("bank/in").join(file), xml).unwrap();
    };
    let entries = first + &debit("RENT", "F2");
    put(&world, "1.xml", statement(1, "2026-11-30", "1000.00", "753.10", &entries));
    world.go(1);
    let day = reconciled(&world, 30, &[]).unwrap();
    assert_eq!(kinds(&day), ["unmatched-debit", "missing-at-bank"]);
    let report = std::fs::read(&day.report).unwrap();
    let digest = chain_types::hash::sha256(&[&report]);
    assert_eq!(digest, day.reconciliation.digest(), "sha256sum of the file gives the same");
    assert!(day.reconciliation.report.faults.is_empty());
    assert!(matches!(reconciled(&world, 30, &[]), Err(GatewayFault::Exists(_))));

    // The next day has the second payment; the rent is open, a day older.
    let second = debit(&names[1].to_string(), "F3");
    put(&world, "2.xml", statement(2, "2026-12-01", "753.10", "629.65", &second));
    world.go(1);
    let day = reconciled(&world, 1, &[]).unwrap();
    assert_eq!(kinds(&day), ["unmatched-debit"]);
    let rent = &day.reconciliation.report.breaks[0];
    assert_eq!((rent.since.as_str(), rent.age_days), ("2026-11-30", 1));
    let id = rent.id.clone();
    assert!(kinds(&reconciled(&world, 2, &[&id]).unwrap()).is_empty());
    assert!(matches!(reconciled(&world, 1, &[]), Err(GatewayFault::Exists(_))));
}
