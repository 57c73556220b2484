//! Serde for values that JSON carries as text: hashes, ids, and numbers that may pass 2^53.
//! A text is read only in the one form in which the value is written.

use std::borrow::Cow;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use chain_types::Digest;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::forms::TextForm;

/// A type that JSON carries as text. `#[serde(with = "Text::<T>")]` gives a field its JSON, and its
/// schema.
#[derive(Debug)]
pub struct Text<T>(PhantomData<T>);

impl<T: Display> Text<T> {
    /// Writes `value` as it is displayed.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

impl<T: FromStr<Err: Display> + Display> Text<T> {
    /// Reads a string and parses it.
    ///
    /// # Errors
    /// When the value is no string, or its text does not parse or is not the one that is written.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(Parse(PhantomData))
    }
}

impl<T: TextForm> JsonSchema for Text<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// The value of a text, if the text is the one that the value is written as.
pub fn one_form<T: FromStr + Display>(text: &str) -> Option<T> {
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}

struct Parse<T>(PhantomData<T>);

impl<T: FromStr<Err: Display> + Display> Visitor<'_> for Parse<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let value: T =
            text.parse().map_err(|error| E::custom(format_args!("{text:?}: {error}")))?;
        // It is compared, so that nothing is written down that another text stands for.
        let written = value.to_string();
        if written == text {
            Ok(value)
        } else {
            Err(E::custom(format_args!("{text:?}: write it as {written:?}")))
        }
    }
}

/// The same for an `Option`: `null` or absent is `None` (with `#[serde(default)]`).
#[derive(Debug)]
pub struct OptionalText<T>(PhantomData<T>);

struct Shown<'a, T>(&'a T);

impl<T: Display> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Text::serialize(self.0, serializer)
    }
}

struct Parsed<T>(T);

impl<'de, T: FromStr<Err: Display> + Display> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Self)
    }
}

impl<T: Display> OptionalText<T> {
    /// Writes `null` or the value as it is displayed.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Shown).serialize(serializer)
    }
}

impl<T: FromStr<Err: Display> + Display> OptionalText<T> {
    /// Reads `null` or a string that parses.
    ///
    /// # Errors
    /// When the value is neither, or its text does not parse.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Ok(Option::<Parsed<T>>::deserialize(deserializer)?.map(|parsed| parsed.0))
    }
}

impl<T: TextForm> JsonSchema for OptionalText<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Text<T>>()
    }
}

/// The same for a bare digest: 64 hexadecimal digits, small ones.
#[derive(Debug)]
pub struct DigestText;

impl DigestText {
    /// Writes 64 hexadecimal digits.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(value: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        Text::serialize(value, serializer)
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// For anything else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = Digest::from_hex(&text).filter(|digest| digest.to_string() == text);
        digest.ok_or_else(|| D::Error::custom("expected 64 hexadecimal digits, small ones"))
    }
}

impl JsonSchema for DigestText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Digest::NAME.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Text<Digest>>()
    }
}
