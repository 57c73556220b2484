//! Messages from a bank, read tolerantly in form and strictly in money.

mod account;
mod dialect;
mod entry;
mod field;
mod recall;
mod returned;
mod status;

use std::io::BufRead;

pub use self::dialect::Dialect;
use crate::bounds::FINDINGS_MAX;
use crate::flaw::{FileFlaw, RecordFinding, RecordFlaw};
use crate::words::BankWord;
use crate::xml::{Element, Scanner, Tag};

/// One result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadItem {
    /// A message begins: its name, such as `camt.053.001.08`, and its id.
    Message {
        /// The name and version.
        name: Box<str>,
        /// The bank's id of it; empty if there is none.
        id: Box<str>,
    },
    /// The bank said something.
    Word(BankWord),
    /// A record cannot be used.
    Finding(RecordFinding),
}

/// All that a file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankFile {
    /// Names and ids of its messages.
    pub messages: Vec<(Box<str>, Box<str>)>,
    /// The bank's words, in the order of the file.
    pub words: Vec<BankWord>,
    /// Records that cannot be used: the first [`FINDINGS_MAX`].
    pub findings: Vec<RecordFinding>,
    /// The number of findings beyond those.
    pub findings_more: u64,
}

/// Reads a file into memory. A camt.053 of many entries is read with [`read_each`].
///
/// # Errors
/// When nothing of the file may be used.
pub fn read_file(input: impl BufRead, dialect: &Dialect) -> Result<BankFile, FileFlaw> {
    let mut file = BankFile::default();
    read_each(input, dialect, &mut |item| match item {
        ReadItem::Message { name, id } => file.messages.push((name, id)),
        ReadItem::Word(word) => file.words.push(word),
        ReadItem::Finding(finding) if file.findings.len() < FINDINGS_MAX => {
            file.findings.push(finding);
        }
        ReadItem::Finding(_) => file.findings_more += 1,
    })?;
    Ok(file)
}

/// Reads a file and hands on each thing as it comes, in bounded memory. Nothing of it may be acted
/// upon before this returns `Ok`: a file that is cut off says less than the bank meant.
///
/// # Errors
/// When nothing of the file may be used.
pub fn read_each(
    input: impl BufRead,
    dialect: &Dialect,
    sink: &mut dyn FnMut(ReadItem),
) -> Result<(), FileFlaw> {
    let mut reading = FileReader { scanner: Scanner::new(input)?, sink, statements: 0 };
    let mut documents = 0;
    reading.wrapped(dialect, &mut documents)?;
    if documents == 0 { Err(FileFlaw::NoDocument) } else { Ok(()) }
}

/// A file that is being read.
pub(crate) struct FileReader<'a, R: BufRead> {
    scanner: Scanner<R>,
    sink: &'a mut dyn FnMut(ReadItem),
    statements: usize,
}

impl<R: BufRead> FileReader<'_, R> {
    /// Looks for documents in the wrappers of a bank, which are of other namespaces.
    fn wrapped(&mut self, dialect: &Dialect, documents: &mut u32) -> Result<(), FileFlaw> {
        while let Some(tag) = self.scanner.next_element()? {
            if tag.name != "Document" {
                // The depth of elements bounds the recursion.
                self.wrapped(dialect, documents)?;
                continue;
            }
            *documents += 1;
            let message = dialect.message(&tag.namespace)?;
            if message.kind == "camt.053" {
                self.scanner.allow_stream();
            }
            self.document(message.kind, &message.name)?;
        }
        Ok(())
    }

    fn document(&mut self, kind: &str, name: &str) -> Result<(), FileFlaw> {
        while let Some(tag) = self.scanner.next_element()? {
            match (kind, tag.name.as_str()) {
                ("pain.002", "CstmrPmtStsRpt") | ("pacs.002", "FIToFIPmtStsRpt") => {
                    status::read(self, name)?;
                }
                ("camt.052", "BkToCstmrAcctRpt")
                | ("camt.053", "BkToCstmrStmt")
                | ("camt.054", "BkToCstmrDbtCdtNtfctn") => account::read(self, kind, name)?,
                ("pacs.004", "PmtRtr") => returned::read(self, name)?,
                ("camt.029", "RsltnOfInvstgtn") => recall::read(self, name)?,
                _ => self.scanner.skip()?,
            }
        }
        Ok(())
    }

    /// Reads a record. If it has a flaw, says so and returns `None`.
    fn record(&mut self, tag: Tag, place: &str) -> Result<Option<Element>, FileFlaw> {
        let record = self.scanner.record(tag)?;
        Ok(self.kept(place, record))
    }

    /// Returns what could be read, and says what could not.
    fn kept<T>(&mut self, place: &str, read: Result<T, RecordFlaw>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(flaw) => {
                let place = place.to_owned();
                (self.sink)(ReadItem::Finding(RecordFinding { place, flaw }));
                None
            }
        }
    }

    fn word(&mut self, word: BankWord) {
        (self.sink)(ReadItem::Word(word));
    }

    /// Says that a message begins.
    fn message(&mut self, name: &str, header: Option<&Element>, id: &'static str) {
        let id = header.and_then(|header| header.text_at(&[id]).ok().flatten()).unwrap_or_default();
        let (name, id) = (name.into(), id.chars().take(140).collect::<String>().into());
        (self.sink)(ReadItem::Message { name, id });
    }
}
