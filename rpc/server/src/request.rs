//! Reads JSON-RPC 2.0 messages to the letter. What is not one is refused by name; what is one has
//! one meaning: no member counts twice, no id is echoed in another form than it came in.

use std::borrow::Cow;
use std::fmt;

use jsonrpsee::types::error::{ErrorCode, reject_too_big_batch_request};
use jsonrpsee::types::{ErrorObjectOwned, Id};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Bytes of the longest id, as the text that it is: it is echoed.
pub(crate) const ID_BYTES_MAX: usize = 256;
/// Bytes of the longest id's JSON: a byte takes six at most, as `\u0000`.
const ID_JSON_BYTES_MAX: usize = 6 * ID_BYTES_MAX + 2;

/// A call, or a notification when it has no id.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) id: Option<Id<'a>>,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<&'a RawValue>,
}

/// A text that is no call.
#[derive(Debug)]
pub(crate) struct Refused<'a> {
    /// Its id, if it has exactly one that is valid; else null.
    pub(crate) id: Id<'a>,
    pub(crate) error: ErrorObjectOwned,
}

pub(crate) type Entry<'a> = Result<Call<'a>, Refused<'a>>;

/// A message of a client.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    One(Entry<'a>),
    /// At least one entry.
    List(Vec<Entry<'a>>),
}

/// Reads a message with at most `list_max` entries.
///
/// # Errors
/// A refusal of the message as a whole, whose id is null: no JSON, an empty or too long list.
pub(crate) fn read(text: &[u8], list_max: u32) -> Result<Message<'_>, ErrorObjectOwned> {
    let text = std::str::from_utf8(text).map_err(|_| parse_error("it is not UTF-8"))?;
    let trimmed = text.trim_start_matches([' ', '\t', '\r', '\n']);
    if !trimmed.starts_with('[') {
        let whole: &RawValue = serde_json::from_str(trimmed).map_err(no_json)?;
        return Ok(Message::One(read_entry(whole.get())));
    }
    let list: List<'_> = serde_json::from_str(trimmed).map_err(no_json)?;
    if list.count == 0 {
        return Err(invalid("the list is empty; send one request or a list of some"));
    }
    if list.count > list_max as usize {
        return Err(reject_too_big_batch_request(list_max as usize));
    }
    Ok(Message::List(list.entries.into_iter().map(|raw| read_entry(raw.get())).collect()))
}

fn no_json(error: serde_json::Error) -> ErrorObjectOwned {
    parse_error(&format!("at line {}, column {}", error.line(), error.column()))
}

fn parse_error(detail: &str) -> ErrorObjectOwned {
    let code = ErrorCode::ParseError;
    ErrorObjectOwned::owned(code.code(), format!("{}: {detail}", code.message()), None::<()>)
}

/// JSON that is no request.
pub(crate) fn invalid(detail: impl fmt::Display) -> ErrorObjectOwned {
    let code = ErrorCode::InvalidRequest;
    ErrorObjectOwned::owned(code.code(), format!("{}: {detail}", code.message()), None::<()>)
}

fn read_entry(text: &str) -> Entry<'_> {
    let refuse = |id, error| Err(Refused { id, error });
    if !text.starts_with('{') {
        return refuse(Id::Null, invalid("a request is an object"));
    }
    let members: Members<'_> = match serde_json::from_str(text) {
        Ok(members) => members,
        // It was read as JSON before: a name that is no valid text, for one.
        Err(error) => return refuse(Id::Null, invalid(error)),
    };
    let id = match members.id.map(read_id).transpose() {
        Ok(id) if !members.has_two_ids => id,
        Ok(_) => return refuse(Id::Null, invalid("`id` is given twice")),
        Err(error) => return refuse(Id::Null, error),
    };
    let known_id = id.clone().unwrap_or(Id::Null);
    match read_rest(&members) {
        Ok((method, params)) => Ok(Call { id, method, params }),
        Err(error) => refuse(known_id, error),
    }
}

type Rest<'a> = (Cow<'a, str>, Option<&'a RawValue>);

fn read_rest<'a>(members: &Members<'a>) -> Result<Rest<'a>, ErrorObjectOwned> {
    if let Some(name) = members.duplicate {
        return Err(invalid(format_args!("`{name}` is given twice")));
    }
    let version = members.jsonrpc.and_then(as_text);
    if version.as_deref() != Some("2.0") {
        return Err(invalid("`jsonrpc` must be \"2.0\""));
    }
    let Some(method) = members.method else { return Err(invalid("`method` is missing")) };
    let method = as_text(method).ok_or_else(|| invalid("`method` must be a string"))?;
    // Null is neither; who has no parameters leaves the member out.
    if members.params.is_some_and(|params| !params.get().starts_with(['[', '{'])) {
        return Err(invalid("`params` must be an array or an object"));
    }
    Ok((method, members.params))
}

fn as_text(raw: &RawValue) -> Option<Cow<'_, str>> {
    struct Text<'a>(Cow<'a, str>);
    impl<'de> Deserialize<'de> for Text<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(TextVisitor).map(Text)
        }
    }
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// Borrows a text that has no escapes.
struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Ids that are echoed exactly as they came.
fn read_id(raw: &RawValue) -> Result<Id<'_>, ErrorObjectOwned> {
    let text = raw.get();
    let too_long = || invalid(format_args!("`id` is longer than {ID_BYTES_MAX} bytes"));
    if text.len() > ID_JSON_BYTES_MAX {
        return Err(too_long());
    }
    if text == "null" {
        return Ok(Id::Null);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(number) = text.parse()
    {
        return Ok(Id::Number(number));
    }
    if let Some(text) = as_text(raw) {
        return if text.len() <= ID_BYTES_MAX { Ok(Id::Str(text)) } else { Err(too_long()) };
    }
    let kinds = "a string, a whole number from 0 to 18446744073709551615, or null";
    Err(invalid(format_args!("`id` must be {kinds}; it is {}", shown(text))))
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A list's entries, counted to its end and kept up to a number that no list may have.
struct List<'a> {
    entries: Vec<&'a RawValue>,
    count: usize,
}

/// No configuration allows longer lists.
const LIST_ENTRIES_KEPT_MAX: usize = 4_096;

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = List<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<'de>, A::Error> {
                let mut entries = Vec::new();
                while entries.len() < LIST_ENTRIES_KEPT_MAX {
                    let Some(entry) = list.next_element()? else {
                        let count = entries.len();
                        return Ok(List { entries, count });
                    };
                    entries.push(entry);
                }
                let mut count = entries.len();
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(List { entries, count })
            }
        }
        deserializer.deserialize_seq(ListVisitor)
    }
}

/// The members of a request, as they are. Others than these mean nothing and are passed over.
#[derive(Default)]
struct Members<'a> {
    jsonrpc: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    /// The first member that is given twice.
    duplicate: Option<&'static str>,
    /// True if the id is, before or after another.
    has_two_ids: bool,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some(Name(name)) = map.next_key()? {
                    let (member, name) = match name.as_ref() {
                        "jsonrpc" => (&mut members.jsonrpc, "jsonrpc"),
                        "id" => (&mut members.id, "id"),
                        "method" => (&mut members.method, "method"),
                        "params" => (&mut members.params, "params"),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if member.is_some() {
                        members.duplicate.get_or_insert(name);
                        members.has_two_ids |= name == "id";
                    }
                    *member = Some(map.next_value()?);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// A member's name; `"\u0069d"` is `id` too.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Reads a text: its id as it would be echoed, and its code, 0 for a call.
    fn read_one(text: &str) -> (String, i32) {
        let (id, code) = match read(text.as_bytes(), 3) {
            Ok(Message::One(Ok(call))) => (call.id, 0),
            Ok(Message::One(Err(refused))) => (Some(refused.id), refused.error.code()),
            Ok(Message::List(list)) => return ("list".to_owned(), list.len() as i32),
            Err(error) => (Some(Id::Null), error.code()),
        };
        (id.map_or("none".to_owned(), |id| serde_json::to_string(&id).unwrap()), code)
    }

    #[test]
    fn ids_are_echoed_exactly_or_refused() {
        let rows = [
            ("0", "0", 0),
            ("18446744073709551615", "18446744073709551615", 0),
            ("\"a\\nb\"", "\"a\\nb\"", 0),
            ("\"\"", "\"\"", 0),
            ("null", "null", 0),
            ("18446744073709551616", "null", -32600),
            ("-1", "null", -32600),
            ("-0", "null", -32600),
            ("1.0", "null", -32600),
            ("1e3", "null", -32600),
            ("true", "null", -32600),
            ("[1]", "null", -32600),
            ("{}", "null", -32600),
            ("01", "null", -32700),
        ];
        for (id, echoed, code) in rows {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
            assert_eq!(read_one(&text), (echoed.to_owned(), code), "{text}");
        }
        // What counts is the text, however it is spelled.
        for letter in ["x", "\\u0078"] {
            for (count, code) in [(ID_BYTES_MAX, 0), (ID_BYTES_MAX + 1, -32600)] {
                let long = letter.repeat(count);
                let text = format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"m"}}"#);
                assert_eq!(read_one(&text).1, code, "{count} times {letter}");
            }
        }
        let long = "m".repeat(1_000);
        let text = format!(r#"{{"jsonrpc":"2.0","method":"{long}"}}"#);
        assert_eq!(read_one(&text), ("none".to_owned(), 0), "a notification is never answered");
    }

    #[test]
    fn a_request_has_one_meaning() {
        let rows = [
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"\u0069d":1,"method":"m"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"jsonrpc":"2.0","id":1,"method":"m"}"#, "null", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","method":"n"}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"m"}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[],"params":[]}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":5}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":"[]"}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1}"#, "1", -32600),
            (r#"{"jsonrpc":2.0,"id":1,"method":"m"}"#, "1", -32600),
            (r#"{"id":1,"method":"m"}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[],"x":1,"x":2}"#, "1", 0),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#, "1", -32600),
            (r#"{"jsonrpc":"2.0","id":1,"method":"\u006d"}"#, "1", 0),
            (r#"{"jsonrpc":"2.0","method":"m"}"#, "none", 0),
            (r#" {"jsonrpc":"2.0","id":1,"method":"m"} "#, "1", 0),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m"}x"#, "null", -32700),
            (r#"{"id":1,"id":1"#, "null", -32700),
            ("{}", "null", -32600),
            ("null", "null", -32600),
            ("\"{}\"", "null", -32600),
            ("", "null", -32700),
            ("[]", "null", -32600),
            (" [ ] ", "null", -32600),
            ("[1,2,3]", "list", 3),
            ("[1,2,3,4]", "null", -32010),
            ("[1,", "null", -32700),
            ("[[]]", "list", 1),
        ];
        for (text, id, code) in rows {
            assert_eq!(read_one(text), (id.to_owned(), code), "{text}");
        }
        assert_eq!(read(b"\"\xff\"", 3).unwrap_err().code(), -32700);
    }
}
