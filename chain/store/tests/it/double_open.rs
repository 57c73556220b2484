//! Two processes on one home would sign twice.

use chain_store::StoreFault;

use crate::kit::*;

#[test]
fn a_home_opens_once_at_a_time() {
    let home = TestHome::new();
    let (store, _) = home.open();
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::Locked { .. }), "{fault}");
    let text = fault.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    // The refusal took nothing from the one that has it.
    append_usual(&store, 1..=2);
    drop(store);
    assert_usual(&home.open().0, 2);
}
