//! Two macros: closed enums whose numbers are frozen, and coded errors. Both keep the number, the
//! text and the documentation of a variant on one line of one table.

/// A text that no variant of a closed enum has as its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name is none of {expected:?}")]
pub struct UnknownName {
    /// The names that the enum has, in order of their numbers.
    pub expected: &'static [&'static str],
}

/// Declares a closed enum with frozen numbers, which are also its form in bytes:
/// `Name: number_type, text { Variant = number, "text"; … }`. Where the text is a `name`, the enum
/// is displayed as its name and parsed from it.
#[macro_export]
macro_rules! numbered {
    (
        $(#[$doc:meta])*
        $name:ident: $number_type:ident, $text_of:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr($number_type)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number,)* }

        impl $name {
            /// Every variant, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the variant that has this frozen number.
            pub const fn from_number(number: $number_type) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Returns the frozen number.
            pub const fn number(self) -> $number_type {
                self as $number_type
            }
        }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), bincode::error::EncodeError> {
                bincode::Encode::encode(&self.number(), encoder)
            }
        }

        impl<Context> bincode::Decode<Context> for $name {
            fn decode<D: bincode::de::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, bincode::error::DecodeError> {
                let number: $number_type = bincode::Decode::decode(decoder)?;
                Self::from_number(number).ok_or(bincode::error::DecodeError::Other(concat!(
                    "no ",
                    stringify!($name),
                    " has this number"
                )))
            }
        }

        bincode::impl_borrow_decode!($name);

        $crate::numbered!(@text $name $text_of { $($variant $text)* });
    };
    (@text $name:ident name { $($variant:ident $text:literal)* }) => {
        impl $name {
            /// Returns the name that JSON, logs and commands use.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownName> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::UnknownName { expected: &[$($text,)*] }),
                }
            }
        }
    };
    (@text $name:ident iso_code { $($variant:ident $text:literal)* }) => {
        impl $name {
            /// Returns the ISO 20022 external status reason code that is nearest in meaning.
            pub const fn iso_code(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

/// Declares errors with stable codes:
/// `Name: code_type; Variant = code, "name", is_transient, "cause", "remedy"; …`.
#[macro_export]
macro_rules! coded_errors {
    (
        $(#[$doc:meta])*
        $name:ident: $code_type:ident;
        $(
            $variant:ident =
                $code:literal, $text:literal, $transient:literal, $cause:literal, $remedy:literal;
        )*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr($code_type)]
        pub enum $name { $(#[doc = $cause] $variant = $code,)* }

        impl $name {
            /// Every error, ascending by code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the error that has this code.
            pub const fn from_code(code: $code_type) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// Returns the stable code.
            pub const fn code(self) -> $code_type {
                self as $code_type
            }

            /// Returns the stable name, in words with hyphens: the form that JSON uses.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Returns true if the same bytes may be accepted later.
            pub const fn is_transient(self) -> bool {
                match self { $(Self::$variant => $transient,)* }
            }

            /// Returns the cause in one sentence.
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$variant => $cause,)* }
            }

            /// Returns the remedy in one sentence: the next step of the caller.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}
