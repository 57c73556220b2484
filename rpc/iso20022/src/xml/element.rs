//! One record in memory: an element with its children, within bounds.

use crate::bounds::{RECORD_BYTES_MAX, RECORD_ELEMENTS_MAX, TEXT_BYTES_MAX};
use crate::flaw::RecordFlaw;

/// An element of the message's own namespace. Elements of other namespaces are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The name without its prefix.
    pub(crate) name: String,
    /// Attributes without a prefix.
    pub(crate) attributes: Vec<(String, String)>,
    /// The text, pieces joined; white space at both ends is of no meaning.
    pub(super) text: String,
    /// Children in their order.
    pub(crate) children: Vec<Element>,
}

/// The elements and bytes that a record may still hold while it is built.
#[derive(Debug)]
pub(super) struct Room {
    elements: usize,
    bytes: usize,
    /// The first flaw: a record with a flaw is not used.
    pub(super) flaw: Option<RecordFlaw>,
}

impl Default for Room {
    fn default() -> Self {
        Self { elements: RECORD_ELEMENTS_MAX, bytes: RECORD_BYTES_MAX, flaw: None }
    }
}

impl Room {
    pub(super) fn set_flaw(&mut self, flaw: RecordFlaw) {
        self.flaw.get_or_insert(flaw);
    }

    /// Takes room for an element, and returns true if there was some.
    pub(super) fn take_element(&mut self, bytes: usize) -> bool {
        let has_room = self.elements > 0 && self.bytes >= bytes;
        if has_room {
            self.elements -= 1;
            self.bytes -= bytes;
        } else {
            self.set_flaw(RecordFlaw::RecordTooLarge);
        }
        has_room
    }
}

impl Element {
    /// Adds a piece of text, if there is room for it.
    pub(super) fn add_text(&mut self, piece: &str, room: &mut Room) {
        if self.text.len() + piece.len() > TEXT_BYTES_MAX {
            return room.set_flaw(RecordFlaw::TextTooLong);
        }
        if room.bytes < piece.len() {
            return room.set_flaw(RecordFlaw::RecordTooLarge);
        }
        if !piece.chars().all(is_allowed) {
            return room.set_flaw(RecordFlaw::Character);
        }
        room.bytes -= piece.len();
        self.text.push_str(piece);
    }

    /// Ends the element: white space between children goes.
    pub(super) fn end(&mut self, room: &mut Room) {
        if self.children.is_empty() {
            return;
        }
        if !self.text.trim_matches(is_space).is_empty() {
            room.set_flaw(RecordFlaw::Mixed(self.name.clone()));
        }
        self.text = String::new();
    }

    /// Returns the text without white space at its ends.
    pub(crate) fn text(&self) -> &str {
        self.text.trim_matches(is_space)
    }

    /// Returns the value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(each, _)| each == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns all children of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the only child of a name, if there is one.
    ///
    /// # Errors
    /// When there are several.
    pub(crate) fn only(&self, name: &'static str) -> Result<Option<&Element>, RecordFlaw> {
        let mut found = self.all(name);
        let first = found.next();
        if found.next().is_some() { Err(RecordFlaw::Repeated(name)) } else { Ok(first) }
    }

    /// Returns the element at a path of names, each the only one of its name.
    ///
    /// # Errors
    /// When one stands several times.
    pub(crate) fn at(&self, path: &[&'static str]) -> Result<Option<&Element>, RecordFlaw> {
        let mut element = self;
        for name in path {
            match element.only(name)? {
                Some(child) => element = child,
                None => return Ok(None),
            }
        }
        Ok(Some(element))
    }

    /// Returns the text at a path, or `None` if it is empty or not there.
    ///
    /// # Errors
    /// When an element of the path stands several times.
    pub(crate) fn text_at(&self, path: &[&'static str]) -> Result<Option<&str>, RecordFlaw> {
        Ok(self.at(path)?.map(Element::text).filter(|text| !text.is_empty()))
    }
}

fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

/// Returns true if XML 1.0 allows a character.
pub(super) fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
