//! The bank's words about our own attempts.

use rpc_iso20022::{BankEntry, EvidenceWord, RecallWord, ReturnWord, StatusWord};

/// A word of the bank about one of our attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnWord {
    /// A status of a pain.002 or pacs.002.
    Status(StatusWord),
    /// A return of a pacs.004.
    Return(ReturnWord),
    /// An answer to a recall.
    Recall(RecallWord),
    /// An entry with those of its details that are about the attempt.
    Entry {
        /// The entry of a camt message.
        entry: BankEntry,
        /// The number of its account.
        account: Box<str>,
    },
}

impl OwnWord {
    /// Returns the word as evidence.
    pub fn evidence(&self) -> EvidenceWord<'_> {
        match self {
            Self::Status(word) => EvidenceWord::Status(word),
            Self::Return(word) => EvidenceWord::Return(word),
            Self::Recall(word) => EvidenceWord::Recall(word),
            Self::Entry { entry, account } => EvidenceWord::Entry { entry, account },
        }
    }
}
