//! The form of all items: a packed struct of a frozen size.

/// Declares an item: `Name: bytes { fields }`.
macro_rules! item {
    ($(#[$doc:meta])* $name:ident: $bytes:literal { $($fields:tt)* }) => {
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
        pub struct $name { $($fields)* }

        impl Default for $name {
            /// Zeros: no reference, no flag, no bound.
            fn default() -> Self {
                zerocopy::FromZeros::new_zeroed()
            }
        }

        const _: () = assert!(size_of::<$name>() == $bytes);
    };
}
pub(super) use item;
