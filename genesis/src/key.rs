//! Secret keys in files: 64 hexadecimal digits of the ed25519 seed and a newline, for the owner
//! alone.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use chain_types::SecretKey;
use zeroize::Zeroizing;

use crate::fault::ConfigFault;

/// 64 digits and a newline.
const KEY_FILE_BYTES: usize = 65;

/// Reads a secret key.
///
/// # Errors
/// When the file cannot be read, may be read by others, or holds no key.
pub fn load_secret_key(path: &Path) -> Result<SecretKey, ConfigFault> {
    let read = |source| ConfigFault::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    // Of the opened file, so that it cannot be exchanged in between.
    let mode = file.metadata().map_err(read)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(ConfigFault::KeyReadable { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES + 1));
    file.take(KEY_FILE_BYTES as u64 + 1).read_to_end(&mut text).map_err(read)?;
    let digits = text.strip_suffix(b"\n").unwrap_or(&text);
    let mut seed = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(digits, seed.as_mut_slice())
        .map_err(|_| ConfigFault::KeyMalformed { path: path.to_owned() })?;
    Ok(SecretKey::from_seed(&seed))
}

/// A new secret key from the operating system's entropy.
pub(crate) fn draw_secret_key() -> Result<SecretKey, ConfigFault> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|error| ConfigFault::Entropy(error.to_string()))?;
    Ok(SecretKey::from_seed(&seed))
}

/// Writes a secret key to a new file of mode 0600 and makes it durable.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn create_secret_key(path: &Path, key: &SecretKey) -> Result<(), ConfigFault> {
    let write = |source| ConfigFault::Write { path: path.to_owned(), source };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(write)?;
    let seed = Zeroizing::new(key.to_seed());
    let mut text = Zeroizing::new(hex::encode(seed.as_slice()));
    text.push('\n');
    file.write_all(text.as_bytes()).map_err(write)?;
    file.sync_all().map_err(write)
}
