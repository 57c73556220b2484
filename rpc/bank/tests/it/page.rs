//! docs/gateway.md names every fault, with the share that `all` sets.

use rpc_bank::BankHabits;

#[test]
fn the_page_names_every_fault_with_its_share() {
    let page = std::fs::read_to_string("../../docs/gateway.md").unwrap();
    for name in BankHabits::NAMES {
        let start = format!("| `{name}` |");
        let row = page.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("docs/gateway.md has no row of {name}"));
        let number = row.split('|').filter_map(|cell| cell.trim().parse::<u64>().ok()).next();
        let number = number.unwrap_or_else(|| panic!("no share in {row}"));
        // Setting what `all` has set already changes nothing.
        let habits = BankHabits::parse(&format!("all,{name}={number}")).unwrap();
        assert_eq!(habits, BankHabits::ALL, "{row}");
    }
}
