//! A file of the bank, sorted: which of its words are about which of our attempts.

use std::collections::{BTreeMap, BTreeSet};

use rpc_iso20022::{BankEntry, BankWord, EndToEndId, ReadItem};

use crate::books::GatewayBooks;
use crate::words::OwnWord;

/// A file while it is read. Only what is ours is kept, so that memory follows our own payments and
/// not the size of a statement.
#[derive(Debug)]
pub(crate) struct SortedFile<'a> {
    books: &'a GatewayBooks,
    /// Entries of statements whose account follows behind, by the statement's number.
    waiting: BTreeMap<usize, Vec<(EndToEndId, BankEntry)>>,
    pub words: Vec<(EndToEndId, OwnWord)>,
    pub messages: Vec<(Box<str>, Box<str>)>,
    pub findings: u64,
}

impl<'a> SortedFile<'a> {
    pub(crate) fn new(books: &'a GatewayBooks) -> Self {
        let (waiting, words, messages) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { books, waiting, words, messages, findings: 0 }
    }

    /// Takes the next thing of the file.
    pub(crate) fn take(&mut self, item: ReadItem) {
        match item {
            ReadItem::Message { name, id } => self.messages.push((name, id)),
            ReadItem::Finding(finding) => {
                self.findings += 1;
                if self.findings <= 10 {
                    let (place, flaw) = (finding.place, finding.flaw.to_string());
                    tracing::warn!(place, flaw, "record of a bank's file cannot be used");
                }
            }
            ReadItem::Word(BankWord::Status(word)) => {
                let ids = self.books.named(&word.name);
                self.words.extend(ids.into_iter().map(|id| (id, OwnWord::Status(word.clone()))));
            }
            ReadItem::Word(BankWord::Return(word)) => {
                let ids = self.books.named(&word.name);
                self.words.extend(ids.into_iter().map(|id| (id, OwnWord::Return(word.clone()))));
            }
            ReadItem::Word(BankWord::Recall(word)) => {
                let ids = self.books.named(&word.name);
                self.words.extend(ids.into_iter().map(|id| (id, OwnWord::Recall(word.clone()))));
            }
            ReadItem::Word(BankWord::Entry(entry)) => self.entry(entry),
            ReadItem::Word(BankWord::Statement(statement)) => {
                let account = statement.account;
                let entries = self.waiting.remove(&statement.statement).unwrap_or_default();
                let words = entries
                    .into_iter()
                    .map(|(id, entry)| (id, OwnWord::Entry { entry, account: account.clone() }));
                self.words.extend(words);
            }
        }
    }

    /// Keeps of an entry, for each attempt, the details that name it.
    fn entry(&mut self, mut entry: BankEntry) {
        let mut own: BTreeMap<EndToEndId, Vec<_>> = BTreeMap::new();
        for detail in std::mem::take(&mut entry.details) {
            // A detail that names a message alone is a batch: it says nothing of a payment.
            if !detail.name.is_of_transaction() {
                continue;
            }
            for id in self.books.named(&detail.name) {
                own.entry(id).or_default().push(detail.clone());
            }
        }
        let waiting = self.waiting.entry(entry.statement).or_default();
        for (id, details) in own {
            waiting.push((id, BankEntry { details, ..entry.clone() }));
        }
    }

    /// Returns the attempts that the file speaks of.
    pub(crate) fn about(&self) -> BTreeSet<EndToEndId> {
        self.words.iter().map(|(id, _)| *id).collect()
    }
}
