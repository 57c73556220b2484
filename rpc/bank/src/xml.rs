//! A small reader of XML: elements, attributes and texts, as a gateway writes them. It is not that
//! of `rpc/iso20022`, on purpose.

/// Elements within one another.
const DEPTH_MAX: usize = 32;

/// Why a text is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be read: {0}")]
pub(crate) struct XmlFlaw(pub(crate) &'static str);

/// An element with all that is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct XmlNode {
    /// Name without its namespace.
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// The text outside of its children.
    pub(crate) text: String,
    pub(crate) children: Vec<XmlNode>,
}

impl XmlNode {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is not well-formed, or has what no gateway writes: a DOCTYPE, CDATA.
    pub(crate) fn parse(xml: &str) -> Result<Self, XmlFlaw> {
        let mut open: Vec<Self> = vec![Self::default()];
        let mut rest = xml.trim_start_matches('\u{feff}');
        while let Some(at) = rest.find('<') {
            let text = unescaped(&rest[..at])?;
            let last = open.last_mut().ok_or(XmlFlaw("an element ends twice"))?;
            last.text.push_str(&text);
            rest = &rest[at + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = after(comment, "-->")?.1;
                continue;
            }
            if let Some(instruction) = rest.strip_prefix('?') {
                rest = after(instruction, "?>")?.1;
                continue;
            }
            if rest.starts_with('!') {
                return Err(XmlFlaw("it has a DOCTYPE or CDATA"));
            }
            let (tag, behind) = after(rest, ">")?;
            rest = behind;
            if let Some(name) = tag.strip_prefix('/') {
                close(&mut open, name)?;
                continue;
            }
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            if open.len() > DEPTH_MAX {
                return Err(XmlFlaw("too many elements within one another"));
            }
            open.push(Self::of_tag(tag)?);
            if is_empty {
                close(&mut open, tag.split_whitespace().next().unwrap_or_default())?;
            }
        }
        if open.len() != 1 {
            return Err(XmlFlaw("it is cut off"));
        }
        let root = open.pop().unwrap_or_default();
        let mut children = root.children.into_iter();
        match (children.next(), children.next(), root.text.trim(), rest.trim()) {
            (Some(document), None, "", "") => Ok(document),
            _ => Err(XmlFlaw("it is not one element")),
        }
    }

    fn of_tag(tag: &str) -> Result<Self, XmlFlaw> {
        let (name, mut rest) = match tag.split_once(char::is_whitespace) {
            Some((name, rest)) => (name, rest.trim()),
            None => (tag, ""),
        };
        let mut attributes = Vec::new();
        while !rest.is_empty() {
            let (key, value) = rest.split_once('=').ok_or(XmlFlaw("an attribute has no value"))?;
            let value = value.trim_start();
            let quote = value.chars().next().filter(|each| matches!(each, '"' | '\''));
            let quote = quote.ok_or(XmlFlaw("an attribute has no quotes"))?;
            let closed = value[1..].split_once(quote);
            let (value, behind) = closed.ok_or(XmlFlaw("an attribute does not end"))?;
            attributes.push((key.trim().to_owned(), unescaped(value)?));
            rest = behind.trim_start();
        }
        if name.is_empty() {
            return Err(XmlFlaw("an element has no name"));
        }
        Ok(Self { name: local(name).to_owned(), attributes, ..Self::default() })
    }

    /// Returns the namespace that the element declares for itself.
    pub(crate) fn namespace(&self) -> &str {
        let own = |(key, _): &&(String, String)| key == "xmlns" || key.starts_with("xmlns:");
        self.attributes.iter().find(own).map_or("", |(_, value)| value)
    }

    /// Returns an attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the children of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the first element on a path such as `GrpHdr/MsgId`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |node, name| node.all_first(name))
    }

    fn all_first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Returns the text on a path, if there is one that is not empty.
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|node| node.text.trim()).filter(|text| !text.is_empty())
    }
}

/// Ends the innermost element.
fn close(open: &mut Vec<XmlNode>, name: &str) -> Result<(), XmlFlaw> {
    let ended = open.pop().filter(|ended| ended.name == local(name.trim()));
    let ended = ended.ok_or(XmlFlaw("an element ends that did not begin"))?;
    let parent = open.last_mut().ok_or(XmlFlaw("an element ends twice"))?;
    parent.children.push(ended);
    Ok(())
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn after<'a>(text: &'a str, end: &str) -> Result<(&'a str, &'a str), XmlFlaw> {
    text.split_once(end).ok_or(XmlFlaw("it is cut off"))
}

/// Returns a text with the five names of XML and numbers of characters replaced.
fn unescaped(text: &str) -> Result<String, XmlFlaw> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        let (name, next) = behind.split_once(';').ok_or(XmlFlaw("a name does not end"))?;
        plain.push_str(before);
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => numbered(other).ok_or(XmlFlaw("a name that XML does not define"))?,
        });
        rest = next;
    }
    plain.push_str(rest);
    Ok(plain)
}

fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let number = match digits.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(number)
}

/// Returns a text as it stands within an element.
pub(crate) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            other => written.push(other),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn elements_attributes_and_names_are_read() {
        let xml = "<?xml version=\"1.0\"?>\n<d:Document xmlns:d='urn:x'><!-- a > b --><d:A>\
                   <B Ccy=\"CNY\">1.50</B><B/></d:A><C>a &amp; &#66;&#x43; &lt;</C></d:Document>\n";
        let document = XmlNode::parse(xml).unwrap();
        assert_eq!((document.name.as_str(), document.namespace()), ("Document", "urn:x"));
        assert_eq!(document.text_at("A/B"), Some("1.50"));
        assert_eq!(document.at("A/B").unwrap().attribute("Ccy"), Some("CNY"));
        assert_eq!(document.at("A").unwrap().all("B").count(), 2);
        assert_eq!(document.text_at("C"), Some("a & BC <"));
        assert_eq!(document.text_at("A/X"), None);
    }

    #[test]
    fn what_no_gateway_writes_is_refused() {
        let deep = "<a>".repeat(40);
        for wrong in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>text",
            "<!DOCTYPE a><a/>",
            "<a><![CDATA[b]]></a>",
            "<a>&x;</a>",
            "<a b></a>",
            "<a b=1></a>",
            "<a b=\"1></a>",
            deep.as_str(),
        ] {
            assert!(XmlNode::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_escaped_is_read_back() {
        let text = "a & b < c > \"d\" 'e'";
        let xml = format!("<a>{}</a>", escaped(text));
        assert_eq!(XmlNode::parse(&xml).unwrap().text, text);
    }
}
