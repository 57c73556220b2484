//! The form of all items: a packed struct of a frozen size.

/// Declares an item: `Name: bytes { fields }`. A field that is an id or a unit has a method of its
/// name that gives it as such: `number: U64 => Id`, `bytes: [u8; 16] = Id`.
macro_rules! item {
    ($(#[$doc:meta])* $name:ident: $bytes:literal {
        $($(#[$about:meta])* pub $field:ident: $type:ty $(=> $unit:ident)? $(= $id:ident)?,)*
    }) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
            zerocopy::Unaligned,
        )]
        #[repr(C)]
        pub struct $name { $($(#[$about])* pub $field: $type,)* }

        impl $name {
            $(item! { @method $(#[$about])* $field $(=> $unit)? $(= $id)? })*
        }

        impl Default for $name {
            /// Zeros: no reference, no flag, no bound.
            fn default() -> Self {
                zerocopy::FromZeros::new_zeroed()
            }
        }

        const _: () = assert!(size_of::<$name>() == $bytes);
    };
    (@method $(#[$about:meta])* $field:ident) => {};
    (@method $(#[$about:meta])* $field:ident => $unit:ident) => {
        $(#[$about])*
        pub fn $field(&self) -> $unit {
            $unit::new(self.$field.get())
        }
    };
    (@method $(#[$about:meta])* $field:ident = $id:ident) => {
        $(#[$about])*
        pub fn $field(&self) -> $id {
            $id::from_bytes(self.$field)
        }
    };
}
pub(super) use item;
