//! Elements with their namespaces, one event at a time, within bounds.

use std::io::{BufRead, Chain, Cursor, Read as _};
use std::sync::Arc;

use quick_xml::errors::SyntaxError;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::{Error, Reader};

use super::bounded::{BoundedInput, Passed};
use super::element::{Element, Room, is_allowed};
use crate::bounds::{
    ATTRIBUTES_MAX, DEPTH_MAX, FILE_BYTES_MAX, NAMESPACES_MAX, STREAM_BYTES_MAX, TOKEN_BYTES_MAX,
};
use crate::flaw::{FileFlaw, RecordFlaw};

/// Bytes that say in which encoding a file is.
const MARK_BYTES: u64 = 4;
/// The namespace of attributes such as `xml:lang`, which every document has.
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The beginning of an element.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tag {
    /// The name without its prefix.
    pub(crate) name: String,
    /// The namespace; empty if it has none.
    pub(crate) namespace: Arc<str>,
    /// Attributes without a prefix.
    attributes: Vec<(String, String)>,
    /// An attribute cannot be read: the record is not used.
    flaw: Option<RecordFlaw>,
}

/// One step through a file.
enum Token {
    Start(Tag),
    End,
    Text(String),
    Flaw(RecordFlaw),
    Eof,
}

struct Binding {
    depth: usize,
    prefix: String,
    namespace: Arc<str>,
}

/// Reads a file from its start to its end.
pub(crate) struct Scanner<R: BufRead> {
    reader: Reader<BoundedInput<Chain<Cursor<Vec<u8>>, R>>>,
    buffer: Vec<u8>,
    depth: usize,
    bindings: Vec<Binding>,
    has_root: bool,
    has_begun: bool,
}

impl<R: BufRead> Scanner<R> {
    /// Begins a file.
    ///
    /// # Errors
    /// When its first bytes cannot be read, or are those of another encoding than UTF-8.
    pub(crate) fn new(mut input: R) -> Result<Self, FileFlaw> {
        let mut start = Vec::new();
        let io = |error| FileFlaw::Io(Arc::new(error));
        input.by_ref().take(MARK_BYTES).read_to_end(&mut start).map_err(io)?;
        if start.is_empty() {
            return Err(FileFlaw::Empty);
        }
        match *start.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => drop(start.drain(..3)),
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, _, ..] | [b'<', 0, ..] => {
                return Err(FileFlaw::Encoding("UTF-16 or UTF-32".to_owned()));
            }
            _ => {}
        }
        let input = BoundedInput::new(Cursor::new(start).chain(input), FILE_BYTES_MAX);
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.enable_all_checks(true);
        let xml = Binding { depth: 0, prefix: "xml".to_owned(), namespace: XML_NAMESPACE.into() };
        let (buffer, bindings) = (Vec::new(), vec![xml]);
        Ok(Self { reader, buffer, depth: 0, bindings, has_root: false, has_begun: false })
    }

    /// Allows the file to be as long as a stream may.
    pub(crate) fn allow_stream(&mut self) {
        self.reader.get_mut().allow(STREAM_BYTES_MAX);
    }

    fn token(&mut self) -> Result<Token, FileFlaw> {
        loop {
            self.reader.get_mut().renew(TOKEN_BYTES_MAX);
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(error) => return Err(self.flaw(error)),
            };
            let token = self.token_of(event)?;
            self.buffer = buffer;
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    fn token_of(&mut self, event: Event<'_>) -> Result<Option<Token>, FileFlaw> {
        let token = match event {
            Event::Start(start) | Event::Empty(start) => Token::Start(self.start(&start)?),
            Event::End(_) => {
                self.bindings.retain(|binding| binding.depth < self.depth);
                self.depth = self.depth.saturating_sub(1);
                Token::End
            }
            Event::Text(text) => Token::Text(text.xml10_content().into_owned()),
            Event::CData(text) => Token::Text(text.xml10_content().into_owned()),
            Event::GeneralRef(reference) => referenced(&reference),
            Event::Decl(declaration) if !self.has_begun => {
                check_declaration(&declaration)?;
                self.has_begun = true;
                return Ok(None);
            }
            Event::Decl(_) => {
                return Err(FileFlaw::Malformed("an XML declaration stands inside".to_owned()));
            }
            Event::DocType(_) => return Err(FileFlaw::Doctype),
            Event::Comment(_) | Event::PI(_) => {
                self.has_begun = true;
                return Ok(None);
            }
            Event::Eof if self.depth > 0 => {
                return Err(FileFlaw::Truncated(self.reader.get_ref().position()));
            }
            Event::Eof if !self.has_root => return Err(FileFlaw::Empty),
            Event::Eof => Token::Eof,
        };
        self.has_begun = true;
        if self.depth == 0 {
            self.check_outside(&token)?;
        }
        Ok(Some(token))
    }

    /// Outside of the root there is white space alone.
    fn check_outside(&self, token: &Token) -> Result<(), FileFlaw> {
        let is_space = match token {
            Token::Text(text) => text.trim_matches([' ', '\t', '\r', '\n']).is_empty(),
            Token::Flaw(_) => false,
            Token::Start(_) | Token::End | Token::Eof => true,
        };
        if is_space {
            Ok(())
        } else {
            Err(FileFlaw::Malformed("text stands outside of the root element".to_owned()))
        }
    }

    fn flaw(&self, error: Error) -> FileFlaw {
        let input = self.reader.get_ref();
        match (error, input.passed) {
            (Error::Io(_), Some(Passed::Token)) => FileFlaw::TokenTooLong,
            (Error::Io(_), Some(Passed::File)) => FileFlaw::FileTooLong(input.file_bytes_max()),
            (Error::Io(error), None) => FileFlaw::Io(error),
            (Error::Encoding(_), _) => FileFlaw::Encoding("bytes that are not UTF-8".to_owned()),
            (Error::Syntax(SyntaxError::InvalidBangMarkup), _) => FileFlaw::Malformed(
                "markup begins with <! and is neither comment nor CDATA".to_owned(),
            ),
            (Error::Syntax(_), _) => FileFlaw::Truncated(input.position()),
            (error, _) => FileFlaw::Malformed(error.to_string().chars().take(200).collect()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Tag, FileFlaw> {
        if self.depth == 0 && self.has_root {
            return Err(FileFlaw::Malformed("the file has two root elements".to_owned()));
        }
        self.has_root = true;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(FileFlaw::TooDeep);
        }
        let mut tag = Tag::default();
        for (count, attribute) in start.attributes().enumerate() {
            if count == ATTRIBUTES_MAX {
                return Err(FileFlaw::TooManyAttributes);
            }
            let attribute = attribute.map_err(|error| FileFlaw::Malformed(error.to_string()))?;
            let name: &str = attribute.key.as_ref();
            let value = match quick_xml::escape::unescape(&attribute.value) {
                Ok(value) if value.chars().all(is_allowed) => value.into_owned(),
                Ok(_) => flawed(&mut tag, RecordFlaw::Character),
                Err(_) => flawed(&mut tag, RecordFlaw::Entity(shortened(&attribute.value))),
            };
            match name.split_once(':') {
                None if name == "xmlns" => self.bind("", value)?,
                Some(("xmlns", prefix)) => self.bind(prefix, value)?,
                Some(_) => {}
                None => tag.attributes.push((name.to_owned(), value)),
            }
        }
        let name = start.name();
        let name: &str = name.as_ref();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let binding = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        tag.namespace = match binding {
            Some(binding) => binding.namespace.clone(),
            None if prefix.is_empty() => Arc::default(),
            None => return Err(FileFlaw::UndeclaredPrefix(shortened(prefix))),
        };
        local.clone_into(&mut tag.name);
        Ok(tag)
    }

    fn bind(&mut self, prefix: &str, namespace: String) -> Result<(), FileFlaw> {
        if self.bindings.len() > NAMESPACES_MAX {
            return Err(FileFlaw::TooManyNamespaces);
        }
        let namespace: Arc<str> = namespace.trim().into();
        self.bindings.push(Binding { depth: self.depth, prefix: prefix.to_owned(), namespace });
        Ok(())
    }

    /// Returns the next element that begins, or `None` at the end of the element around it or of
    /// the file. The caller reads the element to its end before it asks again.
    ///
    /// # Errors
    /// [`FileFlaw`].
    pub(crate) fn next_element(&mut self) -> Result<Option<Tag>, FileFlaw> {
        loop {
            match self.token()? {
                Token::Start(tag) => return Ok(Some(tag)),
                Token::End | Token::Eof => return Ok(None),
                Token::Text(_) | Token::Flaw(_) => {}
            }
        }
    }

    /// Reads to the end of the element that has begun.
    ///
    /// # Errors
    /// [`FileFlaw`].
    pub(crate) fn skip(&mut self) -> Result<(), FileFlaw> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.token()?;
        }
        Ok(())
    }

    /// Reads the element that has begun into memory. The inner error is the record's own; the file
    /// goes on behind it.
    ///
    /// # Errors
    /// [`FileFlaw`].
    pub(crate) fn record(&mut self, tag: Tag) -> Result<Result<Element, RecordFlaw>, FileFlaw> {
        let mut room = Room::default();
        let namespace = tag.namespace.clone();
        let mut open = vec![begun(tag, &mut room)];
        loop {
            match self.token()? {
                Token::Start(tag) if tag.namespace != namespace => self.skip()?,
                Token::Start(tag) => {
                    let element = begun(tag, &mut room);
                    if room.flaw == Some(RecordFlaw::RecordTooLarge) {
                        self.skip()?;
                    } else {
                        open.push(element);
                    }
                }
                Token::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.add_text(&text, &mut room);
                    }
                }
                Token::Flaw(flaw) => room.set_flaw(flaw),
                Token::End | Token::Eof => {
                    let Some(mut element) = open.pop() else { break };
                    element.end(&mut room);
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(room.flaw.map_or(Ok(element), Err)),
                    }
                }
            }
        }
        Ok(Err(RecordFlaw::RecordTooLarge))
    }
}

fn begun(tag: Tag, room: &mut Room) -> Element {
    let lengths = tag.attributes.iter().map(|(name, value)| name.len() + value.len());
    room.take_element(tag.name.len() + lengths.sum::<usize>());
    if let Some(flaw) = tag.flaw {
        room.set_flaw(flaw);
    }
    Element { name: tag.name, attributes: tag.attributes, ..Element::default() }
}

fn flawed(tag: &mut Tag, flaw: RecordFlaw) -> String {
    tag.flaw.get_or_insert(flaw);
    String::new()
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The character of a reference. XML defines five names; any other needs a DOCTYPE.
fn referenced(reference: &quick_xml::events::BytesRef<'_>) -> Token {
    let name: &str = reference;
    let character = match (name, reference.resolve_char_ref()) {
        (_, Ok(Some(character))) => Some(character).filter(|each| is_allowed(*each)),
        ("amp", _) => Some('&'),
        ("lt", _) => Some('<'),
        ("gt", _) => Some('>'),
        ("quot", _) => Some('"'),
        ("apos", _) => Some('\''),
        _ => None,
    };
    match character {
        Some(character) => Token::Text(character.to_string()),
        None => Token::Flaw(RecordFlaw::Entity(shortened(name))),
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), FileFlaw> {
    let malformed = |text: &str| FileFlaw::Malformed(text.to_owned());
    let version = declaration.version().map_err(|error| malformed(&error.to_string()))?;
    if version != "1.0" {
        return Err(FileFlaw::Malformed(format!("XML {}: only 1.0 is read", shortened(&version))));
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Err(error)) => Err(malformed(&error.to_string())),
        Some(Ok(name))
            if ["UTF-8", "US-ASCII", "ASCII"]
                .iter()
                .any(|each| name.eq_ignore_ascii_case(each)) =>
        {
            Ok(())
        }
        Some(Ok(name)) => Err(FileFlaw::Encoding(shortened(&name))),
    }
}
