//! Closed enums whose numbers are frozen: one byte each in every encoding.

macro_rules! numbered {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)* }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number,)* }

        impl $name {
            /// Every value, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value of a frozen number.
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Returns the frozen number of the variant.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The name that JSON uses.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
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
                let number: u8 = bincode::Decode::decode(decoder)?;
                Self::from_number(number).ok_or(bincode::error::DecodeError::Other(concat!(
                    "no ",
                    stringify!($name),
                    " has this number"
                )))
            }
        }

        bincode::impl_borrow_decode!($name);
    };
}

pub(crate) use numbered;
