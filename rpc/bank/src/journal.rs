//! The bank's journal: a file of lines that only grows, each line an act in JSON. Nothing is said
//! of an act before its line is on disk.
//!
//! A last line without its end was being written when the process was killed: nothing was said of
//! it, and it is cut off. Any other line that cannot be read is a fault.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

use crate::act::BankAct;
use crate::fault::BankFault;
use crate::ledger::BankLedger;

/// A journal that is open for writing, and locked.
#[derive(Debug)]
pub struct BankJournal {
    path: PathBuf,
    file: File,
}

impl BankJournal {
    /// Opens a journal and gives each act to `sink`. Makes one with `seed` if there is none, or
    /// nothing of it is on disk.
    ///
    /// # Errors
    /// When the file cannot be used, another process writes it, or it is damaged before its end.
    pub fn open(path: &Path, seed: u64, sink: &mut dyn FnMut(BankAct)) -> Result<Self, BankFault> {
        let open =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
        let file = open.map_err(BankFault::io("opened", path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(BankFault::Locked(path.to_owned())),
            Err(errno) => return Err(BankFault::io("locked", path)(errno.into())),
        }
        let mut journal = Self { path: path.to_owned(), file };
        let mut acts = 0_u64;
        let length = replay(path, &mut |act| {
            acts += 1;
            sink(act);
        })?;
        journal.file.set_len(length).map_err(BankFault::io("cut", path))?;
        journal.file.seek(SeekFrom::End(0)).map_err(BankFault::io("read", path))?;
        if acts == 0 {
            let opened = BankAct::Opened { seed };
            journal.append(&opened)?;
            sink(opened);
            path.parent().map_or(Ok(()), sync_folder)?;
        }
        Ok(journal)
    }

    /// Appends an act. It is on disk when this returns.
    ///
    /// # Errors
    /// When the disk fails. The bank ends then, and cuts off what is not whole when it starts.
    pub fn append(&mut self, act: &BankAct) -> Result<(), BankFault> {
        // Texts, numbers and lists of them have no value that JSON cannot carry, and JSON of one
        // line has no line feed.
        let mut line = serde_json::to_vec(act).unwrap_or_default();
        line.push(b'\n');
        self.file.write_all(&line).map_err(BankFault::io("written", &self.path))?;
        self.file.sync_data().map_err(BankFault::io("synced", &self.path))
    }

    /// Reads the books of a journal, without its lock: the bank may be at work.
    ///
    /// # Errors
    /// When the file cannot be used, or is damaged before its end.
    pub fn read(path: &Path) -> Result<BankLedger, BankFault> {
        let mut ledger = BankLedger::default();
        replay(path, &mut |act| ledger.apply(&act))?;
        Ok(ledger)
    }
}

/// Gives each act to `sink`, and returns the bytes of the lines that are whole.
fn replay(path: &Path, sink: &mut dyn FnMut(BankAct)) -> Result<u64, BankFault> {
    let bytes = std::fs::read(path).map_err(BankFault::io("read", path))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    for (number, line) in (1..).zip(lines) {
        let act = serde_json::from_slice(line);
        let damaged = |_| BankFault::Damaged { path: path.to_owned(), line: number };
        sink(act.map_err(damaged)?);
    }
    Ok(whole as u64)
}

/// Brings the names of a folder to disk.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), BankFault> {
    let open = File::open(folder).and_then(|file| file.sync_all());
    open.map_err(BankFault::io("synced", folder))
}
