#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Closes of a chain on which everything happens, held against the independent auditor.

use std::collections::BTreeMap;
use std::path::Path;

use node_auditor::{Auditor, PaymentStatus};
use rpc_client::operations::OperationKind;
use serde_json::{Map, Value};

use super::check::check;
use super::{CloseFault, Day, close};
use crate::statement::tests::{
    A, C, a_chain_on_which_everything_happened, deposit, govern, says, settle, subjects,
};
use crate::test_chain::{AGENTS, SERVICE, TestChain};

const DAY_MS: u64 = 86_400_000;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A word that is applied.
fn applied(chain: &mut TestChain, who: u32, kind: OperationKind, text: &str) {
    let said = says(chain, who, kind, text);
    assert_eq!(chain.block(100, &[said]), [0], "{kind:?} {text}");
}

/// Adds what the statements' chain leaves out: a bounce, a recall, agents who step in, withdrawals,
/// an expiry, a refused order.
fn what_happens_seldom(chain: &mut TestChain) {
    applied(chain, SERVICE, OperationKind::Recharge, "1001,201,5,CNY");
    let refused = says(chain, A, OperationKind::Collected, "merchant,amount,currency\n9999,10,CNY");
    assert_eq!(chain.block(100, &[refused]), [210]);
    applied(chain, A, OperationKind::Bounce, "0-1002-156,AC04,back");
    let open = chain.state.outstanding_instructions().map(|record| record.id.to_string());
    let open = open.last().unwrap();
    applied(chain, AGENTS[0], OperationKind::Recall, &format!("{open},recall"));
    applied(chain, C, OperationKind::Failure, &format!("{open},FOCR,stopped"));
    applied(chain, AGENTS[0], OperationKind::Reinstruct, &format!("{open},again"));
    govern(
        chain,
        &format!("change = 'participant-suspended'\nparticipant = {C}\nsuspended = true"),
    );
    for agent in AGENTS {
        applied(chain, agent, OperationKind::StepIn, &format!("{open},AC01,absent,2"));
    }
    for decision in ["approve", "refuse"] {
        let text = "withdraw,gateway-liquidity:202:USD,10.00";
        let proposed = says(chain, AGENTS[0], OperationKind::Transfer, text);
        let id = subjects(&proposed.1).remove(0);
        assert_eq!(chain.block(100, &[proposed]), [0]);
        let text = format!("{id},{decision},withdraw,10.00,USD");
        applied(chain, AGENTS[1], OperationKind::TransferDecision, &text);
    }
}

/// Three days: the last of October, the first and the second of November; the third has begun.
struct Days {
    chain: TestChain,
    /// The open sums at the end of the first and of the second of November.
    open: [BTreeMap<String, u128>; 2],
}

fn three_days() -> Days {
    let mut chain = a_chain_on_which_everything_happened();
    deposit(&mut chain, "gateway-liquidity:202:USD", "20.00");
    what_happens_seldom(&mut chain);
    let first = open_of(&chain.auditor);
    chain.block(DAY_MS, &[]);
    for window in 0..chain.state.window().get() {
        settle(&mut chain, window);
    }
    let second = open_of(&chain.auditor);
    chain.block(DAY_MS, &[]);
    Days { chain, open: [first, second] }
}

/// Returns the open sums of instructions, by currency, in minor units.
fn open_of(auditor: &Auditor) -> BTreeMap<String, u128> {
    let mut open: BTreeMap<String, u128> = BTreeMap::new();
    for (id, instruction) in auditor.instructions() {
        let is_open =
            matches!(instruction.status, PaymentStatus::Instructed | PaymentStatus::Failed { .. });
        if is_open {
            let code = rpc_api::money::currency_code(id.currency);
            *open.entry(code).or_default() += u128::from(instruction.left);
        }
    }
    open
}

fn closed(chain: &TestChain, text: &str, folder: &Path) -> Value {
    let (store, state) = (chain.store.as_ref(), &chain.state);
    close(store, state, &Map::new(), day(text), folder).unwrap();
    serde_json::from_str(&std::fs::read_to_string(folder.join("close.json")).unwrap()).unwrap()
}

/// Runs the check in another language over a folder. Returns its exit code and its words.
fn by_the_script(folder: &Path, previous: Option<&Path>) -> (Option<i32>, String) {
    let python = std::env::var("SLUICE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = std::process::Command::new(python);
    command.arg("-B").arg("../../clients/python/sluice_close.py").arg(folder);
    let output = command.args(previous).output().unwrap();
    let words = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(words).unwrap())
}

fn minor(value: &Value) -> i128 {
    value.as_str().unwrap().replace('.', "").parse().unwrap()
}

fn lines<'a>(made: &'a Value, sheet: &str) -> &'a Vec<Value> {
    made[sheet]["lines"].as_array().unwrap()
}

#[test]
fn each_day_adds_up_and_begins_where_the_one_before_ended() {
    let Days { chain, open } = three_days();
    let out = tempfile::tempdir().unwrap();
    let mut before = None;
    let mut causes = std::collections::BTreeSet::new();
    let mut figures = std::collections::BTreeSet::new();
    for text in ["2026-10-31", "2026-11-01", "2026-11-02"] {
        let folder = out.path().join(text);
        let made = closed(&chain, text, &folder);
        check(&folder, before.as_deref()).unwrap_or_else(|error| panic!("{text}: {error:#}"));
        let said = by_the_script(&folder, before.as_deref());
        assert_eq!(said, (Some(0), "adds up\n".to_owned()), "{text}");
        let names = |sheet, column: &str| -> Vec<String> {
            let of = |line: &Value| line[column].as_str().unwrap().to_owned();
            lines(&made, sheet).iter().map(of).collect()
        };
        causes.extend(names("causes", "cause"));
        figures.extend(names("orders", "figure"));
        figures.extend(names("instructions", "figure"));
        before = Some(folder);
        let expected = match text {
            "2026-11-01" => &open[0],
            "2026-11-02" => &open[1],
            _ => continue,
        };
        let mut found: BTreeMap<String, u128> = BTreeMap::new();
        for line in lines(&made, "instructions").iter().filter(|line| line["figure"] == "open") {
            let currency = line["currency"].as_str().unwrap().to_owned();
            *found.entry(currency).or_default() += u128::try_from(minor(&line["amount"])).unwrap();
        }
        assert_eq!(&found, expected, "{text}");
    }
    // Everything happened, so that nothing was held against nothing.
    for cause in
        ["batch", "expiry", "instruction", "order", "settlement", "transfer", "window-close"]
    {
        assert!(causes.contains(cause), "{cause}: {causes:?}");
    }
    for figure in [
        "arrived",
        "bounced",
        "cashback-granted",
        "cashback-taken-back",
        "collected",
        "failed",
        "given-again",
        "held",
        "open",
        "opened",
        "refused",
        "reserved",
        "returned-after-arrival",
        "returned-after-failure",
        "reversed",
        "stepped-in-words",
    ] {
        assert!(figures.contains(figure), "{figure}: {figures:?}");
    }
}

#[test]
fn the_last_day_closes_with_the_auditor_s_books() {
    let Days { chain, .. } = three_days();
    let out = tempfile::tempdir().unwrap();
    let made = closed(&chain, "2026-11-02", out.path());
    let balances = chain.auditor.balances();
    let mut told = 0;
    for line in lines(&made, "accounts") {
        let kind = chain_state::AccountKind::ALL.iter().find(|kind| line["kind"] == kind.name());
        let currency = rpc_api::money::currency_of(line["currency"].as_str().unwrap()).unwrap();
        let owner = line["owner"].as_u64().unwrap();
        let expected = balances[&(kind.unwrap().number(), owner, currency.get())];
        assert_eq!(minor(&line["closing"]), expected.balance(), "{line}");
        assert_eq!(minor(&line["closing_settled"]), expected.settled, "{line}");
        told += usize::from(expected.balance() != 0);
    }
    assert!(told >= 6, "{told}");
    let settled = lines(&made, "windows");
    assert!(settled.len() >= 4);
    assert!(settled.iter().any(|line| line["maker"] == AGENTS[0] && line["checker"] == AGENTS[1]));
    let signed: u64 =
        lines(&made, "validators").iter().map(|of| of["signed"].as_u64().unwrap()).sum();
    let range = &made["head"];
    let blocks =
        range["last_height"].as_u64().unwrap() - range["first_height"].as_u64().unwrap() + 1;
    assert_eq!(signed, 4 * blocks);
}

#[test]
fn a_day_that_is_not_over_or_was_before_the_chain_is_no_day() {
    let Days { chain, .. } = three_days();
    let out = tempfile::tempdir().unwrap();
    let fault = |text: &str| {
        let (store, state) = (chain.store.as_ref(), &chain.state);
        let error = close(store, state, &Map::new(), day(text), &out.path().join(text));
        let error = error.unwrap_err();
        assert!(!out.path().join(text).exists(), "nothing is written");
        (error.downcast::<CloseFault>().unwrap()).to_string()
    };
    let today = fault("2026-11-03");
    assert!(today.starts_with("day 2026-11-03 is not over in this home: its last"), "{today}");
    let before = fault("2026-10-30");
    assert!(before.starts_with("the chain began at 2026-10-31T15:59:30"), "{before}");
    for text in ["", "2026-11", "2026-11-31", "2026-1-01", "2026-11-1", "26-11-01", "2026-11-01 "] {
        assert!(text.parse::<Day>().is_err(), "{text:?}");
    }
    assert_eq!(day("2026-11-01").to_string(), "2026-11-01");
}

/// A home of which a block can no longer be read closes no day with that block: the fault names the
/// place and the remedy, and what stands in the folder is no close.
#[test]
fn a_home_with_a_damaged_block_closes_no_day() {
    let Days { chain, .. } = three_days();
    let first = std::fs::read_dir(chain.folder().join("blocks")).unwrap();
    let path = first.map(|entry| entry.unwrap().path()).min().unwrap();
    let out = tempfile::tempdir().unwrap();
    let days = ["2026-10-31", "2026-11-01", "2026-11-02"];
    let (store, state) = (chain.store.as_ref(), &chain.state);
    let mut refused = 0;
    let whole = std::fs::read(&path).unwrap();
    // The rest of the file is allocated and not written yet.
    let written = whole.iter().rposition(|byte| *byte > 0).unwrap();
    for part in 1..8 {
        let mut bytes = whole.clone();
        let at = written * part / 8;
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        for text in days {
            let folder = out.path().join(format!("{text}-{part}"));
            let made = close(store, state, &Map::new(), day(text), &folder);
            let Err(error) = made else {
                check(&folder, None).unwrap();
                continue;
            };
            let error = format!("{error:#}");
            assert!(error.contains("is corrupt at offset"), "{error}");
            assert!(!folder.join("close.json").exists(), "{error}");
            refused += 1;
        }
    }
    assert!(refused >= 7, "{refused}");
}

/// Each file with an amount, and what is said when one digit of it is another.
#[test]
fn a_digit_that_was_changed_is_found() {
    let Days { chain, .. } = three_days();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("close");
    closed(&chain, "2026-11-01", &folder);
    check(&folder, None).unwrap();
    let mut found = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // The first amount of the last line that has one, and then the number of its lines.
        for begins in ["line,CNY,", "line,USD,", "rows,,"] {
            let Some(at) = text.rfind(begins).map(|at| at + begins.len()) else { continue };
            let row = &text[at..at + text[at..].find('\r').unwrap()];
            let is_amount = |letter: &&str| letter.contains('.') && minor_of(letter).is_some();
            let cell = match begins {
                "rows,," => row.split(',').next(),
                _ => row.split(',').find(is_amount),
            };
            let Some(cell) = cell else { continue };
            let digit = if cell.ends_with('7') { "8" } else { "7" };
            let other = format!("{}{digit}", &cell[..cell.len() - 1]);
            let place = at + row.find(cell).unwrap();
            let forged = format!("{}{other}{}", &text[..place], &text[place + cell.len()..]);
            std::fs::write(&path, &forged).unwrap();
            assert!(check(&folder, None).is_err(), "{}: {row}", path.display());
            assert_eq!(by_the_script(&folder, None).0, Some(1), "{}: {row}", path.display());
            found += 1;
        }
        std::fs::write(&path, &text).unwrap();
    }
    assert!(found > 20, "{found}");
    check(&folder, None).unwrap();
}

fn minor_of(cell: &str) -> Option<i128> {
    cell.replace('.', "").parse().ok()
}

/// Sums that were changed together with their lines are found by another file.
#[test]
fn a_file_that_only_adds_up_in_itself_is_found() {
    let Days { chain, .. } = three_days();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("close");
    closed(&chain, "2026-11-02", &folder);
    for (name, expected) in [
        ("entries", "its entries do not add up to its turnover"),
        ("nets", "a settlement posted what is in no net"),
    ] {
        let path = folder.join(format!("{name}.csv"));
        let text = std::fs::read_to_string(&path).unwrap();
        let head = text.split_inclusive('\n').next().unwrap();
        let columns = head.split(',').count();
        let empty = format!("{head}rows,,0{}\r\n", ",".repeat(columns - 3));
        std::fs::write(&path, empty).unwrap();
        let error = format!("{:#}", check(&folder, None).unwrap_err());
        assert!(error.contains(expected), "{error}");
        std::fs::write(&path, text).unwrap();
    }
    check(&folder, None).unwrap();
    let other = out.path().join("other");
    closed(&chain, "2026-10-31", &other);
    let error = format!("{:#}", check(&folder, Some(&other)).unwrap_err());
    assert!(error.contains("the day before closed with something else"), "{error}");
}
