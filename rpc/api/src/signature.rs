//! A call's parameters, held against those of its method: names, order, and the JSON form of each.
//! A server holds every call against this, so that nothing that a client says is ignored.

use std::fmt;

use jsonrpsee::types::ErrorObjectOwned;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::base64::Base64Bytes;
use crate::batch::Wait;
use crate::block::BlockSelector;
use crate::error::{parameter_error, quoted};
use crate::settlement::InstructionSelector;

/// The JSON form of a parameter. Each value has one text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A string; what it may say, the method decides.
    Text,
    /// A whole number of 32 bits, without sign, point, exponent or leading zeros.
    U32,
    /// A whole number of 64 bits, likewise.
    U64,
    /// A JSON boolean: `true` or `false`.
    Flag,
    /// A string of RFC 4648 section 4.
    Base64,
    /// The text `"admitted"` or `"final"`.
    Wait,
    /// A block: its height as a number, or its hash as a string.
    Block,
    /// An object with one of `window` and `gateway`.
    Filter,
}

impl Form {
    /// Describes the value that the form accepts, for people.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::U32 => "a whole number of 0 to 4294967295",
            Self::U64 => "a whole number of 0 to 18446744073709551615",
            Self::Flag => "true or false",
            Self::Base64 => "a base64 string",
            Self::Wait => "\"admitted\" or \"final\"",
            Self::Block => "a height as a number, or a hash as a string",
            Self::Filter => "an object with one of window and gateway",
        }
    }

    fn allows(self, json: &str) -> bool {
        match self {
            Self::Text | Self::Base64 => is_text(json),
            Self::U32 => decimal::<u32>(json).is_some(),
            Self::U64 => decimal::<u64>(json).is_some(),
            Self::Flag => matches!(json, "true" | "false"),
            Self::Wait => matches!(json, "\"admitted\"" | "\"final\""),
            Self::Block => is_text(json) || decimal::<u64>(json).is_some(),
            Self::Filter => {
                json.starts_with('{') && serde_json::from_str::<InstructionSelector>(json).is_ok()
            }
        }
    }
}

/// Returns true if JSON is a string that stands for a text. Half a surrogate pair is JSON, and no
/// text.
fn is_text(json: &str) -> bool {
    let may_be_none = json.contains("\\u");
    json.starts_with('"') && (!may_be_none || serde_json::from_str::<String>(json).is_ok())
}

/// The number of a decimal text in the one form that the interface writes: digits alone, without a
/// zero before others.
pub fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_plain = text == "0" || !text.starts_with('0');
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && is_digits).then(|| text.parse().ok()).flatten()
}

/// A Rust type that a method takes as a parameter, and the form of its value in JSON.
pub trait ParameterType {
    /// The form of a value.
    const FORM: Form;
    /// True if the value may be left out or null.
    const IS_OPTIONAL: bool = false;
}

impl<T: ParameterType> ParameterType for Option<T> {
    const FORM: Form = T::FORM;
    const IS_OPTIONAL: bool = true;
}

macro_rules! parameter_types {
    ($($type:ty => $form:ident;)*) => {
        $(impl ParameterType for $type {
            const FORM: Form = Form::$form;
        })*
    };
}

parameter_types! {
    String => Text;
    u32 => U32;
    u64 => U64;
    bool => Flag;
    Base64Bytes => Base64;
    Wait => Wait;
    BlockSelector => Block;
    InstructionSelector => Filter;
}

/// One parameter of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The parameter's name, as callers write it.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// True if it may be left out or null.
    pub is_optional: bool,
}

impl Parameter {
    /// The parameter of a name and a type.
    pub const fn of<T: ParameterType>(name: &'static str) -> Self {
        Self { name, form: T::FORM, is_optional: T::IS_OPTIONAL }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)?;
        if self.is_optional { formatter.write_str("?") } else { Ok(()) }
    }
}

/// A method's name and its parameters, in the order in which they may be listed.
#[derive(Debug, Clone, Copy)]
pub struct MethodSignature {
    /// The method's full name, namespace included.
    pub method: &'static str,
    /// Its parameters, in order.
    pub parameters: &'static [Parameter],
}

impl MethodSignature {
    /// Holds a call's parameters, as JSON text, against the signature.
    ///
    /// # Errors
    /// The first parameter that is not known, comes twice, is missing or has no value of its form:
    /// a JSON-RPC error -32602 whose data names it.
    pub fn check(&self, params: Option<&str>) -> Result<(), ErrorObjectOwned> {
        match Given::read(params)? {
            Given::List(values) => self.check_list(&values),
            Given::Named(values) => self.check_named(&values),
        }
    }

    fn check_list(&self, values: &[&RawValue]) -> Result<(), ErrorObjectOwned> {
        if values.len() > self.parameters.len() {
            let detail = format!("(more values than {} takes: {})", self.method, self.listed());
            return Err(parameter_error("parameter-unknown", &detail));
        }
        for (index, parameter) in self.parameters.iter().enumerate() {
            parameter.check(values.get(index).copied())?;
        }
        Ok(())
    }

    fn check_named(&self, values: &[(String, &RawValue)]) -> Result<(), ErrorObjectOwned> {
        for (index, (name, _)) in values.iter().enumerate() {
            if !self.parameters.iter().any(|parameter| parameter.name == name) {
                let (shown, listed) = (quoted(name, 64), self.listed());
                let detail = format!("({shown}; {} takes {listed})", self.method);
                return Err(parameter_error("parameter-unknown", &detail));
            }
            if values.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(parameter_error("parameter-repeated", &format!("({name})")));
            }
        }
        for parameter in self.parameters {
            let value = values.iter().find(|(name, _)| name == parameter.name);
            parameter.check(value.map(|(_, value)| *value))?;
        }
        Ok(())
    }

    /// Lists the parameters for people.
    fn listed(&self) -> String {
        if self.parameters.is_empty() {
            return "no parameters".to_owned();
        }
        let names: Vec<String> = self.parameters.iter().map(Parameter::to_string).collect();
        names.join(", ")
    }
}

impl Parameter {
    fn check(&self, value: Option<&RawValue>) -> Result<(), ErrorObjectOwned> {
        match value.map(RawValue::get) {
            None | Some("null") if self.is_optional => Ok(()),
            None => Err(parameter_error("parameter-missing", &format!("({})", self.name))),
            Some(json) if self.form.allows(json) => Ok(()),
            Some(_) => {
                let detail = format!("({}: expected {})", self.name, self.form.expected());
                Err(parameter_error("parameter-malformed", &detail))
            }
        }
    }
}

/// Holds the parameters of a call that ends a subscription: a list with that subscription's id.
///
/// # Errors
/// A JSON-RPC error -32602 whose data says what is wrong, as [`MethodSignature::check`] gives.
pub fn check_subscription_id(params: Option<&str>) -> Result<(), ErrorObjectOwned> {
    let values = match Given::read(params)? {
        Given::List(values) => values,
        Given::Named(values) if values.is_empty() => Vec::new(),
        Given::Named(_) => {
            return Err(parameter_error("parameter-unknown", "(it takes a list of one id)"));
        }
    };
    let is_id = |json: &str| is_text(json) || decimal::<u64>(json).is_some();
    match values.as_slice() {
        [] => Err(parameter_error("parameter-missing", "(the subscription's id)")),
        [one] if is_id(one.get()) => Ok(()),
        [_] => Err(parameter_error("parameter-malformed", "(expected the subscription's id)")),
        _ => Err(parameter_error("parameter-unknown", "(more than the subscription's id)")),
    }
}

/// The most parameters that are read of a call; no method takes as many.
const GIVEN_MAX: usize = 8;

/// A call's parameters, as far as they are read: one more than any method takes.
enum Given<'a> {
    List(Vec<&'a RawValue>),
    Named(Vec<(String, &'a RawValue)>),
}

impl<'a> Given<'a> {
    fn read(params: Option<&'a str>) -> Result<Self, ErrorObjectOwned> {
        match params.map(str::trim) {
            None => Ok(Self::List(Vec::new())),
            // It is a list or an object already; a name with half a surrogate pair is not text.
            Some(text) => serde_json::from_str(text).map_err(|_| {
                parameter_error("parameter-unknown", "(half a surrogate pair is not text)")
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Given<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Given<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given<'de>, A::Error> {
                let mut values = Vec::new();
                while values.len() < GIVEN_MAX
                    && let Some(value) = list.next_element()?
                {
                    values.push(value);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Given::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Given<'de>, A::Error> {
                let mut values = Vec::new();
                while values.len() < GIVEN_MAX
                    && let Some(entry) = object.next_entry()?
                {
                    values.push(entry);
                }
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Given::Named(values))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Given<'de>, E> {
                Err(E::custom("null is no list"))
            }
        }

        deserializer.deserialize_any(Read)
    }
}
