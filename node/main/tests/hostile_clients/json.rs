//! JSON by the letter of RFC 8259, read by code that the node does not have: nothing is lost,
//! neither members that come twice nor the digits of a number.

/// A JSON value. A text is `None` when half a surrogate pair stands in it: JSON, but no text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Flag(bool),
    Number(String),
    Text(Option<String>),
    List(Vec<Json>),
    Object(Vec<(Option<String>, Json)>),
}

/// The reading of bytes as JSON.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// A value, and how many levels of lists and objects it has.
    Value(Json, usize),
    /// No JSON. The levels that were open where it ended.
    Broken(usize),
}

/// Levels that are read; what is deeper counts as broken at that depth.
const LEVELS_READ_MAX: usize = 2_000;

struct Reader<'a> {
    rest: &'a [u8],
    levels: usize,
    deepest: usize,
}

/// Reads bytes as one JSON value with nothing but blanks around it.
pub fn read(bytes: &[u8]) -> Read {
    let mut reader = Reader { rest: bytes, levels: 0, deepest: 0 };
    let value = std::str::from_utf8(bytes).ok().and_then(|_| {
        let value = reader.value()?;
        reader.blanks();
        reader.rest.is_empty().then_some(value)
    });
    match value {
        Some(value) => Read::Value(value, reader.deepest),
        None => Read::Broken(reader.deepest),
    }
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == byte).then(|| self.rest = rest)
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.rest = self.rest.strip_prefix(word.as_bytes())?;
        Some(value)
    }

    fn value(&mut self) -> Option<Json> {
        self.blanks();
        match self.rest.first()? {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Flag(true)),
            b'f' => self.word("false", Json::Flag(false)),
            b'"' => self.text().map(Json::Text),
            b'[' => self.list(),
            b'{' => self.object(),
            _ => self.number(),
        }
    }

    fn open(&mut self, byte: u8) -> Option<()> {
        self.take(byte)?;
        self.levels += 1;
        self.deepest = self.deepest.max(self.levels);
        (self.levels <= LEVELS_READ_MAX).then_some(())
    }

    /// Returns true if the list or object goes on after an item.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.blanks();
        if self.take(b',').is_some() {
            return Some(true);
        }
        self.take(end)?;
        self.levels -= 1;
        Some(false)
    }

    fn is_empty(&mut self, end: u8) -> bool {
        self.blanks();
        let is_empty = self.take(end).is_some();
        self.levels -= usize::from(is_empty);
        is_empty
    }

    fn list(&mut self) -> Option<Json> {
        self.open(b'[')?;
        let mut items = Vec::new();
        if self.is_empty(b']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if !self.goes_on(b']')? {
                return Some(Json::List(items));
            }
        }
    }

    fn object(&mut self) -> Option<Json> {
        self.open(b'{')?;
        let mut members = Vec::new();
        if self.is_empty(b'}') {
            return Some(Json::Object(members));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            self.blanks();
            self.take(b':')?;
            members.push((name, self.value()?));
            if !self.goes_on(b'}')? {
                return Some(Json::Object(members));
            }
        }
    }

    fn digits(&mut self, out: &mut String) -> Option<()> {
        let before = out.len();
        while let Some((digit @ b'0'..=b'9', rest)) = self.rest.split_first() {
            out.push(char::from(*digit));
            self.rest = rest;
        }
        (out.len() > before).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let mut text = String::new();
        if self.take(b'-').is_some() {
            text.push('-');
        }
        if self.take(b'0').is_some() {
            text.push('0');
        } else {
            self.digits(&mut text)?;
        }
        if self.take(b'.').is_some() {
            text.push('.');
            self.digits(&mut text)?;
        }
        if self.take(b'e').or_else(|| self.take(b'E')).is_some() {
            text.push('e');
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits(&mut text)?;
        }
        Some(Json::Number(text))
    }

    /// `None` when it is no string; `Some(None)` when it is one that no text stands for.
    #[allow(clippy::option_option)]
    fn text(&mut self) -> Option<Option<String>> {
        self.take(b'"')?;
        let (mut units, mut plain): (Vec<u16>, Vec<u8>) = (Vec::new(), Vec::new());
        let flush = |plain: &mut Vec<u8>, units: &mut Vec<u16>| {
            units.extend(String::from_utf8_lossy(plain).encode_utf16());
            plain.clear();
        };
        loop {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => {
                    flush(&mut plain, &mut units);
                    return Some(String::from_utf16(&units).ok());
                }
                b'\\' => {
                    flush(&mut plain, &mut units);
                    units.push(self.escape()?);
                }
                0..=0x1f => return None,
                _ => plain.push(*byte),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        let simple = match byte {
            b'"' | b'\\' | b'/' => *byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (digits, rest) = self.rest.split_at_checked(4)?;
                self.rest = rest;
                let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
                let text = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
                return u16::from_str_radix(text, 16).ok();
            }
            _ => return None,
        };
        Some(simple.into())
    }
}

#[test]
fn json_is_read_by_the_letter() {
    let broken = [
        "",
        "[",
        "]",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "-",
        "nul",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "\"",
        "1 2",
        "\u{feff}1",
        "[1}",
        "{1:2}",
        "NaN",
        "\u{b}1",
    ];
    for text in broken {
        assert!(matches!(read(text.as_bytes()), Read::Broken(_)), "{text}");
    }
    let number = |text: &str| Json::Number(text.to_owned());
    let rows = [
        (" -0 ", number("-0"), 0),
        ("1.50E+3", number("1.50e3"), 0),
        ("\"\\u00e4\\/\"", Json::Text(Some("ä/".to_owned())), 0),
        ("\"\\ud83d\\ude00\"", Json::Text(Some("\u{1f600}".to_owned())), 0),
        ("\"\\ud83d\"", Json::Text(None), 0),
        ("[[],{}]", Json::List(vec![Json::List(Vec::new()), Json::Object(Vec::new())]), 2),
    ];
    for (text, value, levels) in rows {
        assert_eq!(read(text.as_bytes()), Read::Value(value, levels), "{text}");
    }
    let deep = |levels: usize| [b"[".repeat(levels), b"]".repeat(levels)].concat();
    assert!(matches!(read(&deep(65)), Read::Value(_, 65)));
    assert_eq!(read(&deep(100_000)), Read::Broken(LEVELS_READ_MAX + 1));
}
