//! Files that come and go, and what a kill leaves.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use rpc_bank::{BankFault, BankHabits, BankJournal, BankOffice, PaymentFate, bank_folder};
use tempfile::TempDir;

const ORDER: &str = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
    <CstmrCdtTrfInitn><GrpHdr><MsgId>M1</MsgId><NbOfTxs>1</NbOfTxs><CtrlSum>1.50</CtrlSum></GrpHdr>\
    <PmtInf><DbtrAcct><Id><Othr><Id>1001</Id></Othr></Id></DbtrAcct><CdtTrfTxInf><PmtId>\
    <EndToEndId>12-1001-CNY-1</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"CNY\">1.50</InstdAmt></Amt>\
    <CdtrAcct><Id><Othr><Id>6222</Id></Othr></Id></CdtrAcct></CdtTrfTxInf></PmtInf>\
    </CstmrCdtTrfInitn></Document>";

/// A folder that is shared, with a message in it.
fn shared() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for part in ["out", "in"] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
    }
    std::fs::write(folder.path().join("out/M1.xml"), ORDER).unwrap();
    folder
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("bank.journal")
}

fn open(folder: &Path) -> BankOffice {
    BankOffice::open(folder, &journal(folder), Some(1), BankHabits::NONE).unwrap()
}

fn names(folder: &Path, part: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join(part)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_message_is_taken_paid_and_answered() {
    let folder = shared();
    std::fs::write(folder.path().join("out/.M2.part"), "half").unwrap();
    let mut office = open(folder.path());
    let turn = office.turn(1_000).unwrap();
    assert_eq!((turn.received, turn.moved, turn.delivered), (1, 1, 1));
    assert_eq!(names(folder.path(), "out"), [".M2.part"]);
    let answers = names(folder.path(), "in");
    let text = std::fs::read_to_string(folder.path().join("in").join(&answers[0])).unwrap();
    assert!(answers.len() == 1 && text.contains(">ACCC<"), "{answers:?} {text}");
    let moved = &office.bank().ledger().moved;
    assert_eq!((moved[0].id.as_str(), moved[0].amount.as_str()), ("12-1001-CNY-1", "1.50"));
    assert_eq!((moved[0].from.as_str(), moved[0].to.as_str()), ("1001", "6222"));
    assert_eq!(office.turn(2_000).unwrap(), rpc_bank::BankTurn::default());
    assert_eq!(office.close(3_000).unwrap(), 1);
}

#[test]
fn a_file_that_cannot_be_read_is_put_aside() {
    let folder = shared();
    std::fs::write(folder.path().join("out/M1.xml"), "<Document>").unwrap();
    let mut office = open(folder.path());
    office.turn(1_000).unwrap();
    assert_eq!(names(folder.path(), "out"), [".M1.xml.unreadable"]);
    assert_eq!(office.bank().ledger().unreadable, 1);
}

/// The bank is killed after each number of bytes of its journal, and goes on from what is there: an
/// act counts whole or not at all, and the message is paid once.
#[test]
fn a_torn_last_line_is_cut_off() {
    let folder = shared();
    let mut office = open(folder.path());
    office.turn(1_000).unwrap();
    drop(office);
    let whole = std::fs::read(journal(folder.path())).unwrap();
    for length in 0..whole.len() {
        let again = shared();
        std::fs::write(journal(again.path()), &whole[..length]).unwrap();
        let mut office = open(again.path());
        office.turn(1_000).unwrap();
        assert_eq!(office.bank().ledger().moved.len(), 1, "{length} bytes");
        assert!(!names(again.path(), "in").is_empty(), "{length} bytes");
        drop(office);
        let read = BankJournal::read(&journal(again.path())).unwrap();
        assert_eq!((read.moved.len(), read.seed), (1, 1), "{length} bytes");
    }
}

#[test]
fn a_damaged_line_that_others_follow_is_a_fault() {
    let folder = shared();
    let path = journal(folder.path());
    let mut office = open(folder.path());
    office.turn(1_000).unwrap();
    drop(office);
    let mut whole = std::fs::read(&path).unwrap();
    whole[3] = b'!';
    std::fs::write(&path, whole).unwrap();
    let opened = BankOffice::open(folder.path(), &path, Some(1), BankHabits::NONE);
    assert!(matches!(opened, Err(BankFault::Damaged { line: 1, .. })));
}

#[test]
fn a_journal_is_of_one_bank_and_one_seed() {
    let folder = shared();
    let path = journal(folder.path());
    let office = open(folder.path());
    let again = BankOffice::open(folder.path(), &path, None, BankHabits::NONE);
    assert!(matches!(again, Err(BankFault::Locked(_))));
    drop(office);
    let other = BankOffice::open(folder.path(), &path, Some(2), BankHabits::NONE);
    assert!(matches!(other, Err(BankFault::OtherSeed { found: 1, asked: 2 })));
    let same = BankOffice::open(folder.path(), &path, None, BankHabits::NONE).unwrap();
    assert_eq!(same.bank().ledger().seed, 1);
}

/// A kill between the file and its note puts the same bytes in again.
#[test]
fn a_file_that_was_not_noted_comes_again_with_the_same_bytes() {
    let folder = shared();
    let mut office = open(folder.path());
    office.set_fate("12-1001-CNY-1", PaymentFate::Credited);
    office.turn(1_000).unwrap();
    drop(office);
    let name = names(folder.path(), "in")[0].clone();
    let bytes = std::fs::read(folder.path().join("in").join(&name)).unwrap();
    std::fs::remove_file(folder.path().join("in").join(&name)).unwrap();
    let text = std::fs::read_to_string(journal(folder.path())).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("delivered")).collect();
    let mut file = std::fs::File::create(journal(folder.path())).unwrap();
    file.write_all(format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
    open(folder.path()).turn(1_000).unwrap();
    assert_eq!(std::fs::read(folder.path().join("in").join(&name)).unwrap(), bytes);
}

#[test]
fn a_home_and_its_folder_are_both_named() {
    let home = tempfile::tempdir().unwrap();
    let bank = home.path().join("bank");
    assert!(matches!(bank_folder(home.path()), Err(BankFault::NoFolder(_))));
    for part in ["out", "in"] {
        std::fs::create_dir_all(bank.join(part)).unwrap();
    }
    assert_eq!(bank_folder(home.path()).unwrap(), bank);
    assert_eq!(bank_folder(&bank).unwrap(), bank);
}
