#![allow(clippy::unwrap_used)]
use super::*;

fn handed(message: &str) -> JournalRecord {
    JournalRecord::Handed { message: message.into(), time_ms: 1 }
}

fn begun() -> JournalRecord {
    JournalRecord::Begun { chain: "00".to_owned(), gateway: 201 }
}

fn records(path: &Path) -> Result<Vec<JournalRecord>, GatewayFault> {
    let mut found = Vec::new();
    Journal::open(path, &mut |record| found.push(record))?;
    Ok(found)
}

/// A journal of a first record and two frames, and where each frame begins.
fn journal(folder: &Path) -> (PathBuf, Vec<usize>) {
    let path = folder.join("journal");
    Journal::create(&path, &begun()).unwrap();
    let mut begins = vec![std::fs::metadata(&path).unwrap().len()];
    for message in ["M1", "M2"] {
        let mut journal = Journal::open(&path, &mut |_| {}).unwrap();
        journal.append(&[handed(message), handed(message)], &CrashPlan::default()).unwrap();
        begins.push(std::fs::metadata(&path).unwrap().len());
    }
    (path, begins.into_iter().map(|begin| usize::try_from(begin).unwrap()).collect())
}

#[test]
fn what_was_appended_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = journal(folder.path());
    let expected = [begun(), handed("M1"), handed("M1"), handed("M2"), handed("M2")];
    assert_eq!(records(&path).unwrap(), expected);
    let mut found = Vec::new();
    Journal::read(&path, &mut |record| found.push(record)).unwrap();
    assert_eq!(found, expected);
    assert!(matches!(Journal::create(&path, &begun()), Err(GatewayFault::Exists(_))));
}

#[test]
fn a_frame_that_was_not_finished_is_cut_off_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (path, begins) = journal(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for length in begins[1]..begins[2] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert_eq!(records(&path).unwrap().len(), 3, "{length} bytes");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), begins[1] as u64);
        let mut journal = Journal::open(&path, &mut |_| {}).unwrap();
        journal.append(&[handed("M3")], &CrashPlan::default()).unwrap();
        assert_eq!(records(&path).unwrap().last(), Some(&handed("M3")));
    }
}

#[test]
fn a_damaged_frame_before_the_last_one_is_a_fault_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (path, begins) = journal(folder.path());
    let whole = std::fs::read(&path).unwrap();
    for at in begins[0]..begins[1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let fault = records(&path).unwrap_err();
        assert!(matches!(fault, GatewayFault::Damaged { offset } if offset == begins[0] as u64));
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing is cut off");
    }
    std::fs::write(&path, b"something else").unwrap();
    assert!(matches!(records(&path), Err(GatewayFault::Damaged { offset: 0 })));
}

#[test]
fn zeros_at_the_end_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (path, begins) = journal(folder.path());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 4_096, 0);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(records(&path).unwrap().len(), 5);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), begins[2] as u64);
    bytes.push(1);
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(records(&path), Err(GatewayFault::Damaged { .. })));
}

#[test]
fn a_write_that_stopped_half_way_is_never_followed_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = journal(folder.path());
    let mut journal = Journal::open(&path, &mut |_| {}).unwrap();
    let crash = CrashPlan::at(Some(CrashPoint::JournalTorn), 1);
    assert!(journal.append(&[handed("M3")], &crash).is_err());
    assert!(journal.append(&[handed("M4")], &CrashPlan::default()).is_err());
    assert_eq!(records(&path).unwrap().len(), 5);
}
