//! What is wrong with a bank's file: with all of it, or with one record of it.

use std::sync::Arc;

use crate::amount::AmountFlaw;
use crate::bounds;

/// Why nothing of a file may be used. What was read of it before is not to be acted upon.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileFlaw {
    /// The input could not be read.
    #[error("the file cannot be read")]
    Io(#[source] Arc<std::io::Error>),
    /// The text is no well-formed XML.
    #[error("the file is not well-formed XML: {0}")]
    Malformed(String),
    /// The file ends before its root element does.
    #[error("the file is cut off at byte {0}")]
    Truncated(u64),
    /// The file is empty, or has white space alone.
    #[error("the file is empty")]
    Empty,
    /// The text is not in UTF-8.
    #[error("the file is in {0}: ask the bank for UTF-8")]
    Encoding(String),
    /// The file has a document type. No message of ISO 20022 has one.
    #[error("the file has a DOCTYPE, which is refused: it can define entities")]
    Doctype,
    /// Elements stand too deep in one another.
    #[error("elements stand more than {} deep", bounds::DEPTH_MAX)]
    TooDeep,
    /// Too many namespaces are declared at a time.
    #[error("more than {} namespaces are declared at a time", bounds::NAMESPACES_MAX)]
    TooManyNamespaces,
    /// An element has too many attributes.
    #[error("an element has more than {} attributes", bounds::ATTRIBUTES_MAX)]
    TooManyAttributes,
    /// A prefix has no namespace.
    #[error("the prefix {0:?} has no namespace")]
    UndeclaredPrefix(String),
    /// A tag, a comment or a text is too long.
    #[error("a tag, comment or text has more than {} bytes", bounds::TOKEN_BYTES_MAX)]
    TokenTooLong,
    /// The file is too long.
    #[error("the file has more than {0} bytes")]
    FileTooLong(u64),
    /// The message is of a version that the dialect does not list.
    #[error("the message is {found}: the profile lists {listed}")]
    Version {
        /// The message that was found.
        found: String,
        /// The versions that are listed of it.
        listed: String,
    },
    /// The message is none that a bank sends to a bridge.
    #[error("{0} is not a message that is read")]
    Message(String),
    /// No document of ISO 20022 was found.
    #[error("the file has no ISO 20022 document")]
    NoDocument,
}

impl FileFlaw {
    /// Returns a stable name of the flaw, for findings and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Malformed(_) => "malformed",
            Self::Truncated(_) => "truncated",
            Self::Empty => "empty",
            Self::Encoding(_) => "encoding",
            Self::Doctype => "doctype",
            Self::TooDeep => "too-deep",
            Self::TooManyNamespaces => "too-many-namespaces",
            Self::TooManyAttributes => "too-many-attributes",
            Self::UndeclaredPrefix(_) => "undeclared-prefix",
            Self::TokenTooLong => "token-too-long",
            Self::FileTooLong(_) => "file-too-long",
            Self::Version { .. } => "version",
            Self::Message(_) => "message",
            Self::NoDocument => "no-document",
        }
    }
}

/// Why one record of a file cannot be used. Its siblings can.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum RecordFlaw {
    /// An amount or a currency cannot be read.
    #[error(transparent)]
    Amount(#[from] AmountFlaw),
    /// An element that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element that may stand once stands twice.
    #[error("{0} stands more than once")]
    Repeated(&'static str),
    /// A code is none of those that the element has.
    #[error("{text:?} is no code of {element}")]
    Code {
        /// The name of the element.
        element: &'static str,
        /// The text of it, as far as 64 characters.
        text: String,
    },
    /// A date has another form than `2026-11-30`.
    #[error("{0:?} is not a date")]
    Date(String),
    /// A text names an entity that XML does not define.
    #[error("the entity {0:?} is not defined")]
    Entity(String),
    /// A text has a character that XML does not allow.
    #[error("a text has a character that XML does not allow")]
    Character,
    /// A text is too long.
    #[error("a text has more than {} bytes", bounds::TEXT_BYTES_MAX)]
    TextTooLong,
    /// A record has too many elements.
    #[error("the record has more than {} elements or too much text", bounds::RECORD_ELEMENTS_MAX)]
    RecordTooLarge,
    /// A text stands beside elements, so that nobody knows what of it counts.
    #[error("text stands beside elements in {0}")]
    Mixed(String),
    /// An entry has too many details.
    #[error("the entry has more than {} details", bounds::DETAILS_MAX)]
    TooManyDetails,
    /// The details of an entry do not add up to it.
    #[error("the details add up to {details}, the entry is {entry}")]
    DetailsSum {
        /// The sum of the details, in minor units.
        details: u128,
        /// The amount of the entry, in minor units.
        entry: u64,
    },
    /// The status is none that is known: nothing follows from it.
    #[error("the status {0:?} is not known")]
    Status(String),
    /// The record names no message and no transaction.
    #[error("the record names nothing that was sent")]
    NamesNothing,
    /// The statement says how many entries it has, and it has another number of them.
    #[error("the statement says {stated:?} entries and has {actual}")]
    EntryCount {
        /// The number that is stated.
        stated: String,
        /// The number of entries that were found, unreadable ones among them.
        actual: u64,
    },
}

impl RecordFlaw {
    /// Returns a stable name of the flaw, for findings and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Amount(AmountFlaw::Form(_)) => "amount-form",
            Self::Amount(AmountFlaw::TooFine { .. }) => "amount-too-fine",
            Self::Amount(AmountFlaw::Negative(_)) => "amount-negative",
            Self::Amount(AmountFlaw::Overflow(_)) => "amount-overflow",
            Self::Amount(AmountFlaw::Currency(_)) => "currency",
            Self::Amount(AmountFlaw::TooLong(_)) => "amount-too-long",
            Self::Missing(_) => "missing",
            Self::Repeated(_) => "repeated",
            Self::Code { .. } => "code",
            Self::Date(_) => "date",
            Self::Entity(_) => "entity",
            Self::Character => "character",
            Self::TextTooLong => "text-too-long",
            Self::RecordTooLarge => "record-too-large",
            Self::Mixed(_) => "mixed",
            Self::TooManyDetails => "too-many-details",
            Self::DetailsSum { .. } => "details-sum",
            Self::Status(_) => "status",
            Self::NamesNothing => "names-nothing",
            Self::EntryCount { .. } => "entry-count",
        }
    }
}

/// One record that cannot be used, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFinding {
    /// The record's place, such as `Ntry 12 of Stmt 3`.
    pub place: String,
    /// The reason why it cannot be used.
    pub flaw: RecordFlaw,
}
