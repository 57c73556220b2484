//! Reads the tables of `docs/wire-format.md`, and takes a record apart by them.

use std::collections::BTreeMap;

use chain_types::Change;

use super::{Record, codec};

const PAGE: &str = include_str!("../../../../../docs/wire-format.md");

/// A form of the page.
#[derive(Debug, Clone)]
enum Form {
    /// A number of so many bytes, little-endian.
    Number(usize),
    /// So many bytes as they are.
    Bytes(usize),
    Flag,
    Option(Box<Self>),
    List(Box<Self>),
    All(Vec<Self>),
    Choice(Vec<Self>),
    /// A change of governance, which section 6 describes.
    Change,
}

/// The text between the first two backticks of a cell.
fn form_of(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("no form in {cell:?}"))
}

/// Splits at the commas outside of brackets.
fn parts_of(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' | '>' => depth -= 1,
            letter if letter == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn parse(text: &str, words: &BTreeMap<String, String>) -> Form {
    let inner = |prefix: &str, suffix: &str| {
        text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix))
    };
    let all = |text: &str, separator| {
        parts_of(text, separator).into_iter().map(|part| parse(part, words)).collect()
    };
    if let Some(variants) = text.strip_prefix("choice of ") {
        return Form::Choice(all(variants, '/'));
    }
    if let Some(form) = inner("Option<", ">") {
        return Form::Option(Box::new(parse(form, words)));
    }
    if let Some(form) = inner("Vec<", ">") {
        return Form::List(Box::new(parse(form, words)));
    }
    if let Some(count) = inner("[u8; ", "]") {
        return Form::Bytes(count.parse().unwrap());
    }
    if let Some(forms) = inner("(", ")") {
        return Form::All(all(forms, ','));
    }
    match text {
        "u8" => Form::Number(1),
        "u16" => Form::Number(2),
        "u32" => Form::Number(4),
        "u64" => Form::Number(8),
        "u128" | "i128" => Form::Number(16),
        "flag" => Form::Flag,
        "change" => Form::Change,
        word => parse(words.get(word).unwrap_or_else(|| panic!("no word {word:?}")), words),
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let whole: &'a [u8] = bytes;
    let (taken, rest) = whole.split_at_checked(count).expect("bytes enough");
    *bytes = rest;
    taken
}

fn number(bytes: &mut &[u8], count: usize) -> u128 {
    let mut whole = [0; 16];
    whole[..count].copy_from_slice(take(bytes, count));
    u128::from_le_bytes(whole)
}

/// Takes a value of a form off the bytes: its numbers, of bytes the last one, and the tags and
/// lengths before them.
fn walk(form: &Form, bytes: &mut &[u8], values: &mut Vec<u128>) {
    match form {
        Form::Number(count) => values.push(number(bytes, *count)),
        Form::Bytes(count) => values.push(u128::from(*take(bytes, *count).last().unwrap())),
        Form::Flag => values.push(number(bytes, 1)),
        Form::All(forms) => forms.iter().for_each(|form| walk(form, bytes, values)),
        Form::Option(form) => {
            let is_there = number(bytes, 1);
            values.push(is_there);
            if is_there == 1 {
                walk(form, bytes, values);
            }
        }
        Form::List(form) => {
            let count = number(bytes, 8);
            values.push(count);
            (0..count).for_each(|_| walk(form, bytes, values));
        }
        Form::Choice(forms) => {
            let which = number(bytes, 4);
            values.push(which);
            walk(&forms[usize::try_from(which).unwrap()], bytes, values);
        }
        Form::Change => {
            let count = (1..=bytes.len())
                .find(|count| codec::decode::<Change>(&bytes[..*count], *count).is_ok());
            take(bytes, count.expect("a change"));
        }
    }
}

/// The cells of a page's table that begins after `start`.
fn table(start: &str) -> Vec<Vec<&'static str>> {
    let text = PAGE.split(start).nth(1).unwrap_or_else(|| panic!("no {start:?}"));
    let rows = text.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.split('|').skip(1).map(str::trim).collect()).collect()
}

fn words() -> BTreeMap<String, String> {
    let short = table("these words are short for several");
    let mut words: BTreeMap<String, String> =
        short.iter().map(|row| (form_of(row[0]).to_owned(), form_of(row[1]).to_owned())).collect();
    let parameters = table("**Parameters**: the values in this order");
    let forms: Vec<&str> = parameters.iter().map(|row| form_of(row[2])).collect();
    words.insert("parameters".to_owned(), format!("({})", forms.join(", ")));
    words
}

/// Reads a record by the page: each field's name with its values.
fn read(record: &Record, kind: u32, name: &str) -> Vec<(&'static str, Vec<u128>)> {
    let bytes = codec::encode(record);
    let mut left = bytes.as_slice();
    assert_eq!(number(&mut left, 4), u128::from(kind), "{name}");
    let words = words();
    let fields = table(&format!("**Record {kind}, {name}**"));
    let read = fields.iter().map(|row| {
        let mut values = Vec::new();
        walk(&parse(form_of(row[1]), &words), &mut left, &mut values);
        (row[0], values)
    });
    let read = read.collect();
    assert!(left.is_empty(), "{name}: {} bytes are left", left.len());
    read
}

/// A record is, field by field, what it was made of.
pub fn is(record: Record, kind: u32, name: &str, expected: &[(&str, &[u128])]) {
    let read = read(&record, kind, name);
    let read: Vec<(&str, &[u128])> =
        read.iter().map(|(field, values)| (*field, values.as_slice())).collect();
    assert_eq!(read, expected, "{name}");
}
