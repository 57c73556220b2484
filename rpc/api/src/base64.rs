//! Bulk bytes in JSON: one base64 string (RFC 4648 section 4, padded), decoded straight from the
//! request's text into the one allocation that the batch keeps for its life.

use bytes::Bytes;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The base64 text of `bytes`.
pub fn encode_base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

/// The bytes of a base64 text, or `None` when it is none (wrong alphabet, length or padding, or
/// bits in the last group that no byte takes).
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = base64_simd::STANDARD.decode_to_vec(text).ok()?;
    let last_group = bytes.chunks(3).next_back().unwrap_or_default();
    text.ends_with(&encode_base64(last_group)).then_some(bytes)
}

/// Bytes that JSON carries as a base64 string. A string that is no base64 is kept as such, so that
/// the method can answer with its own coded error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base64Bytes(Option<Bytes>);

impl Base64Bytes {
    /// Wraps bytes that a parameter or an answer carries as base64.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Some(bytes.into()))
    }

    /// The bytes, or `None` when the client's text was no base64.
    pub fn into_bytes(self) -> Option<Bytes> {
        self.0
    }
}

impl Serialize for Base64Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode_base64(self.0.as_deref().unwrap_or_default()))
    }
}

impl<'de> Deserialize<'de> for Base64Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Base64Bytes;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a base64 string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Base64Bytes, E> {
                Ok(Base64Bytes(decode_base64(text).map(Bytes::from)))
            }
        }

        deserializer.deserialize_str(Text)
    }
}
