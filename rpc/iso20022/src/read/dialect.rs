//! Which messages, in which versions and under which namespaces, a bank sends.

use std::borrow::Cow;

use crate::flaw::FileFlaw;

/// The namespace of a message is this and its name.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";
/// The messages that are read, in the versions that every profile lists.
const STANDARD: [&str; 10] = [
    "pain.002.001.10",
    "pacs.002.001.10",
    "pacs.002.001.12",
    "camt.052.001.08",
    "camt.053.001.08",
    "camt.054.001.08",
    "pacs.004.001.09",
    "pacs.004.001.10",
    "pacs.004.001.11",
    "camt.029.001.09",
];
/// Characters of `pain.002`: the rest of a name is its version.
const KIND_CHARACTERS: usize = 8;

/// The versions and namespaces of a bank's messages, from its profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialect {
    /// Versions besides the standard ones, such as `camt.053.001.02`.
    pub also: Vec<String>,
    /// Namespaces that stand for messages: a namespace of the bank's own, and a message's name.
    pub aliases: Vec<(String, String)>,
}

/// A message, as its namespace says.
pub(super) struct MessageName<'a> {
    /// Without the version: `camt.053`.
    pub(super) kind: &'a str,
    /// With the version: `camt.053.001.08`.
    pub(super) name: Cow<'a, str>,
}

impl Dialect {
    pub(super) fn message<'a>(&'a self, namespace: &'a str) -> Result<MessageName<'a>, FileFlaw> {
        let alias = self.aliases.iter().find(|(alias, _)| alias == namespace);
        let name = match alias {
            Some((_, name)) => name.as_str(),
            None => namespace.strip_prefix(NAMESPACE).unwrap_or(namespace),
        };
        let shown = || name.chars().take(80).collect::<String>();
        let kind = name.get(..KIND_CHARACTERS).unwrap_or_default();
        let also = self.also.iter().map(String::as_str);
        let listed: Vec<&str> =
            STANDARD.into_iter().chain(also).filter(|each| each.starts_with(kind)).collect();
        if kind.is_empty() || !STANDARD.iter().any(|each| each.starts_with(kind)) {
            return Err(FileFlaw::Message(format!("{:?}", shown())));
        }
        if !listed.contains(&name) {
            return Err(FileFlaw::Version { found: shown(), listed: listed.join(", ") });
        }
        Ok(MessageName { kind, name: Cow::Borrowed(name) })
    }
}
