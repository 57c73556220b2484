//! XML of strangers, read event by event within bounds. Nothing here knows ISO 20022.

mod bounded;
mod element;
mod scanner;

pub(crate) use self::element::Element;
pub(crate) use self::scanner::{Scanner, Tag};
