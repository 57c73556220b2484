//! Keys of subjects: 64 bits, well mixed, by which a table finds a history and a sketch its bit.

/// Returns a word whose bits each depend on all of the number's: SplitMix64's last steps.
pub(crate) const fn mixed(number: u64) -> u64 {
    let word = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// Returns the key of a subject's number; never zero, which marks an empty place.
pub(crate) const fn key_of(number: u64) -> u64 {
    let key = mixed(number);
    if key == 0 { 1 } else { key }
}

/// Returns the key of a user's pseudonym of 16 bytes. Two users with one key, which chance brings
/// about once in 2^32 users, share a history.
pub(crate) const fn key_of_user(user: [u8; 16]) -> u64 {
    let both = u128::from_le_bytes(user);
    key_of(mixed(both as u64) ^ ((both >> 64) as u64))
}
