//! Reads a TOML table key by key, knowing its own place in the file, so that every error names
//! the field. Keys that nobody asked for are refused at the end.

use std::ops::RangeInclusive;

use chain_types::registry::{is_legal_entity, is_name};
use chain_types::{Digest, PublicKey};
use toml::Value;

use crate::fault::FieldError;

/// A table of the file and its place.
pub(crate) struct Table {
    place: String,
    values: toml::Table,
}

impl Table {
    /// Wraps the root table of a file.
    pub(crate) fn root(values: toml::Table) -> Self {
        Self { place: String::new(), values }
    }

    /// The full name of a key.
    pub(crate) fn field(&self, key: &str) -> String {
        if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) }
    }

    fn take(&mut self, key: &str, expected: &str) -> Result<Value, FieldError> {
        self.values.remove(key).ok_or_else(|| {
            let remedy = format!("add `{key}`: {expected}");
            FieldError::new(self.field(key), "nothing", "it is missing", remedy)
        })
    }

    fn mismatch(&self, key: &str, value: &Value, expected: &str) -> FieldError {
        let problem = format!("a {} is not a {expected}", value.type_str());
        FieldError::new(self.field(key), value, problem, format!("give {expected}"))
    }

    /// A whole number within bounds.
    pub(crate) fn number(
        &mut self,
        key: &str,
        bounds: RangeInclusive<u64>,
    ) -> Result<u64, FieldError> {
        let expected = format!("whole number from {} to {}", bounds.start(), bounds.end());
        let value = self.take(key, &format!("a {expected}"))?;
        let number = value.as_integer().ok_or_else(|| self.mismatch(key, &value, &expected))?;
        u64::try_from(number).ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
            let remedy = format!("give a {expected}");
            FieldError::new(self.field(key), number, "it is out of bounds", remedy)
        })
    }

    /// A whole number within bounds, as a `u32`.
    pub(crate) fn number_u32(
        &mut self,
        key: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<u32, FieldError> {
        let number = self.number(key, u64::from(*bounds.start())..=u64::from(*bounds.end()))?;
        // `number` held it to the bounds of a `u32`.
        Ok(u32::try_from(number).unwrap_or(*bounds.end()))
    }

    /// Takes the text at a key.
    pub(crate) fn text(&mut self, key: &str, expected: &str) -> Result<String, FieldError> {
        let value = self.take(key, expected)?;
        match value {
            Value::String(text) => Ok(text),
            other => Err(self.mismatch(key, &other, "text in quotes")),
        }
    }

    /// A name for people.
    pub(crate) fn name(&mut self, key: &str) -> Result<String, FieldError> {
        let name = self.text(key, "a name of 1 to 64 characters")?;
        if is_name(&name) {
            return Ok(name);
        }
        let problem = "it is not a name";
        let remedy = "use 1 to 64 characters, no control characters, no spaces around";
        Err(FieldError::new(self.field(key), format!("{name:?}"), problem, remedy))
    }

    /// A legal entity; none when it is not given.
    pub(crate) fn legal_entity(&mut self, key: &str) -> Result<String, FieldError> {
        if !self.has(key) {
            return Ok(String::new());
        }
        let entity = self.text(key, "1 to 20 capital letters and digits")?;
        if !entity.is_empty() && is_legal_entity(&entity) {
            return Ok(entity);
        }
        let remedy = "give a legal entity identifier (ISO 17442), or leave it out";
        Err(FieldError::new(self.field(key), format!("{entity:?}"), "it names no entity", remedy))
    }

    /// A flag that is `false` when it is not given.
    pub(crate) fn flag(&mut self, key: &str) -> Result<bool, FieldError> {
        match self.values.remove(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => Err(self.mismatch(key, &other, "true or false")),
        }
    }

    /// A public key that signatures can be checked with.
    pub(crate) fn public_key(&mut self, key: &str) -> Result<PublicKey, FieldError> {
        let text = self.text(key, "an ed25519 public key as 64 hexadecimal digits")?;
        let error = |problem: &str| {
            let remedy = "give the public half of a freshly made ed25519 key as 64 hex digits";
            FieldError::new(self.field(key), &text, problem, remedy)
        };
        let public_key = PublicKey::from_hex(&text).ok_or_else(|| error("it is not a key"))?;
        if public_key.is_usable() {
            Ok(public_key)
        } else {
            Err(error("it is a weak key, for which anyone can forge signatures"))
        }
    }

    /// A keyed hash; zeros when it is not given.
    pub(crate) fn digest_or_zeros(&mut self, key: &str) -> Result<Digest, FieldError> {
        if !self.has(key) {
            return Ok(Digest::ZERO);
        }
        let text = self.text(key, "a keyed hash as 64 hexadecimal digits")?;
        Digest::from_hex(&text).ok_or_else(|| {
            let remedy = "give 64 hexadecimal digits, or leave it out";
            FieldError::new(self.field(key), format!("{text:?}"), "it is not a keyed hash", remedy)
        })
    }

    /// Returns true if a key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &str, expected: &str) -> Result<Vec<String>, FieldError> {
        let value = self.take(key, expected)?;
        let Value::Array(values) = value else {
            return Err(self.mismatch(key, &value, "list of texts"));
        };
        let texts = values.into_iter().enumerate().map(|(index, value)| match value {
            Value::String(text) => Ok(text),
            other => Err(self.mismatch(&format!("{key}[{index}]"), &other, "text in quotes")),
        });
        texts.collect()
    }

    /// A list of whole numbers within bounds.
    pub(crate) fn numbers(
        &mut self,
        key: &str,
        bounds: RangeInclusive<u64>,
    ) -> Result<Vec<u64>, FieldError> {
        let expected = format!("whole number from {} to {}", bounds.start(), bounds.end());
        let value = self.take(key, &format!("a list of {expected}s"))?;
        let Value::Array(values) = value else {
            return Err(self.mismatch(key, &value, "list of whole numbers"));
        };
        let numbers = values.into_iter().enumerate().map(|(index, value)| {
            let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
            number.filter(|number| bounds.contains(number)).ok_or_else(|| {
                let field = self.field(&format!("{key}[{index}]"));
                FieldError::new(
                    field,
                    value,
                    "it is not such a number",
                    format!("give a {expected}"),
                )
            })
        });
        numbers.collect()
    }

    /// A table within this one.
    pub(crate) fn table(&mut self, key: &str) -> Result<Self, FieldError> {
        let value = self.take(key, &format!("a section `[{key}]`"))?;
        match value {
            Value::Table(values) => Ok(Self { place: self.field(key), values }),
            other => Err(self.mismatch(key, &other, "section")),
        }
    }

    /// A list of tables, `[[key]]`, of a bounded length; absent counts as empty.
    pub(crate) fn tables(
        &mut self,
        key: &str,
        bounds: RangeInclusive<usize>,
    ) -> Result<Vec<Self>, FieldError> {
        let value = self.values.remove(key).unwrap_or_else(|| Value::Array(Vec::new()));
        let Value::Array(values) = value else {
            return Err(self.mismatch(key, &value, "list of `[[sections]]`"));
        };
        if !bounds.contains(&values.len()) {
            let remedy =
                format!("give {} to {} `[[{key}]]` sections", bounds.start(), bounds.end());
            let value = format!("{} sections", values.len());
            return Err(FieldError::new(self.field(key), value, "too few or too many", remedy));
        }
        let tables = values.into_iter().enumerate().map(|(index, value)| {
            let place = format!("{}[{index}]", self.field(key));
            match value {
                Value::Table(values) => Ok(Self { place, values }),
                other => {
                    let problem = format!("a {} is not a section", other.type_str());
                    Err(FieldError::new(place, other, problem, "write it as a `[[section]]`"))
                }
            }
        });
        tables.collect()
    }

    /// Refuses keys that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), FieldError> {
        match self.values.iter().next() {
            None => Ok(()),
            Some((key, value)) => {
                let remedy = "check its spelling and its section, or remove it";
                Err(FieldError::new(self.field(key), value, "no such field is known", remedy))
            }
        }
    }
}
