//! The bank at work: it takes messages out of the folder, keeps the journal, and puts answers in.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::act::{BankAct, BankDecision};
use crate::bank::SimulatedBank;
use crate::fate::PaymentFate;
use crate::fault::BankFault;
use crate::habits::BankHabits;
use crate::journal::{BankJournal, sync_folder};

/// Files that are taken, and files that are put in, at most in one turn.
const FILES_MAX: usize = 256;

/// The counts of what a turn did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BankTurn {
    /// Messages that were taken.
    pub received: usize,
    /// Times that money moved.
    pub moved: usize,
    /// Files that were put into the folder.
    pub delivered: usize,
}

/// A bank with its folder and its journal.
#[derive(Debug)]
pub struct BankOffice {
    folder: PathBuf,
    journal: BankJournal,
    bank: SimulatedBank,
}

/// Returns the folder that a gateway shares: `path` itself, or `bank` in it if `path` is a
/// gateway's home.
///
/// # Errors
/// When neither has `out` and `in`.
pub fn bank_folder(path: &Path) -> Result<PathBuf, BankFault> {
    let is_shared = |folder: &PathBuf| folder.join("out").is_dir() && folder.join("in").is_dir();
    let found = [path.join("bank"), path.to_owned()].into_iter().find(is_shared);
    found.ok_or_else(|| BankFault::NoFolder(path.to_owned()))
}

impl BankOffice {
    /// Opens a folder, and goes on from the journal; makes a journal with `seed`, or 1, if there
    /// is none.
    ///
    /// # Errors
    /// When the journal cannot be used, or is of another seed than `seed`.
    pub fn open(
        folder: &Path,
        journal: &Path,
        seed: Option<u64>,
        habits: BankHabits,
    ) -> Result<Self, BankFault> {
        let mut bank = SimulatedBank::new(seed.unwrap_or(1), habits);
        let journal = BankJournal::open(journal, seed.unwrap_or(1), &mut |act| bank.apply(&act))?;
        let found = bank.ledger().seed;
        match seed {
            Some(asked) if asked != found => Err(BankFault::OtherSeed { found, asked }),
            _ => Ok(Self { folder: folder.to_owned(), journal, bank }),
        }
    }

    /// Does what there is to do, once.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn turn(&mut self, now_ms: u64) -> Result<BankTurn, BankFault> {
        let before = self.bank.ledger().moved.len();
        let received = self.take(now_ms)?;
        while let Some(decision) = self.bank.next_return(now_ms) {
            self.decide(decision)?;
        }
        let delivered = self.deliver(now_ms)?;
        let moved = self.bank.ledger().moved.len() - before;
        Ok(BankTurn { received, moved, delivered })
    }

    /// Ends the bank's day: puts a camt.053 of each of the gateway's accounts into the folder.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn close(&mut self, now_ms: u64) -> Result<usize, BankFault> {
        self.decide(self.bank.close(now_ms))?;
        self.deliver(now_ms)
    }

    /// Fixes the fate of a payment that has not come yet.
    pub fn set_fate(&mut self, id: &str, fate: PaymentFate) {
        self.bank.set_fate(id, fate);
    }

    /// Returns the deciding half.
    pub fn bank(&self) -> &SimulatedBank {
        &self.bank
    }

    /// Brings a decision to disk, and then into the books.
    fn decide(&mut self, decision: BankDecision) -> Result<(), BankFault> {
        self.record(BankAct::Decided(Box::new(decision)))
    }

    fn record(&mut self, act: BankAct) -> Result<(), BankFault> {
        self.journal.append(&act)?;
        self.bank.apply(&act);
        Ok(())
    }

    /// Takes messages of the gateway. A file is removed once its decision is on disk: if the bank
    /// is killed in between, it takes the file again, and calls it a duplicate.
    fn take(&mut self, now_ms: u64) -> Result<usize, BankFault> {
        let folder = self.folder.join("out");
        let mut messages = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(BankFault::io("read", &folder))? {
            let path = entry.map_err(BankFault::io("read", &folder))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|end| end == "xml") && !name.starts_with('.') {
                let bytes = std::fs::read(&path).map_err(BankFault::io("read", &path))?;
                messages.push((name, String::from_utf8_lossy(&bytes).into_owned(), path));
            }
            if messages.len() >= FILES_MAX {
                break;
            }
        }
        // What a message asks about was put out before it.
        let is_question = |xml: &str| xml.contains(":pacs.028.") || xml.contains(":camt.056.");
        messages.sort_by_key(|(name, xml, _)| (is_question(xml), name.clone()));
        for (name, xml, path) in &messages {
            let before = self.bank.ledger().unreadable;
            self.decide(self.bank.receive(name, xml, now_ms))?;
            if self.bank.ledger().unreadable > before {
                let aside = folder.join(format!(".{name}.unreadable"));
                std::fs::rename(path, &aside).map_err(BankFault::io("renamed", path))?;
            } else {
                std::fs::remove_file(path).map_err(BankFault::io("removed", path))?;
            }
        }
        if !messages.is_empty() {
            sync_folder(&folder)?;
        }
        Ok(messages.len())
    }

    /// Puts files that are due into the folder: beside their place, on disk, and then under their
    /// name. If the bank is killed before it notes so, the same bytes come again.
    fn deliver(&mut self, now_ms: u64) -> Result<usize, BankFault> {
        let folder = self.folder.join("in");
        let mut numbers = Vec::new();
        for answer in self.bank.due_answers(now_ms).into_iter().take(FILES_MAX) {
            let name = answer.name();
            let aside = folder.join(format!(".{name}.part"));
            let mut file = File::create(&aside).map_err(BankFault::io("made", &aside))?;
            file.write_all(answer.xml.as_bytes()).map_err(BankFault::io("written", &aside))?;
            file.sync_all().map_err(BankFault::io("synced", &aside))?;
            let path = folder.join(name);
            std::fs::rename(&aside, &path).map_err(BankFault::io("renamed", &aside))?;
            numbers.push(answer.number);
        }
        let count = numbers.len();
        if count > 0 {
            sync_folder(&folder)?;
            self.record(BankAct::Delivered { numbers })?;
        }
        Ok(count)
    }
}
