//! Secret keys in files: 64 hexadecimal digits of the ed25519 seed and a newline, for the owner
//! alone.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chain_types::{PublicKey, SecretKey};
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
///
/// # Errors
/// When the operating system gives none.
pub fn draw_secret_key() -> Result<SecretKey, ConfigFault> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|error| ConfigFault::Entropy(error.to_string()))?;
    Ok(SecretKey::from_seed(&seed))
}

/// Makes a new secret key in a new file, as [`create_secret_key`] does, and gives its public half.
///
/// # Errors
/// When the file exists or cannot be written, or the system gives no entropy.
pub fn new_secret_key(path: &Path) -> Result<PublicKey, ConfigFault> {
    let key = draw_secret_key()?;
    create_secret_key(path, &key)?;
    Ok(key.public_key())
}

/// Writes a secret key to a new file of mode 0600. Once it returns, the file and its name are on
/// disk; at any moment the file is whole or not there, and no file is ever overwritten.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn create_secret_key(path: &Path, key: &SecretKey) -> Result<(), ConfigFault> {
    let part = write_part(path, key)?;
    // A link, unlike a rename, never replaces what has the name.
    let linked = std::fs::hard_link(&part, path);
    let removed = std::fs::remove_file(&part);
    linked.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => ConfigFault::KeyExists { path: path.to_owned() },
        _ => ConfigFault::Write { path: path.to_owned(), source },
    })?;
    removed.map_err(|source| ConfigFault::Write { path: part, source })?;
    sync_folder_of(path)
}

/// Puts `new` in the place of the key in `path`. The key that was there stays, in the file that is
/// given back: `path` with `.replaced-` and the first digits of its public key. At any moment
/// `path` holds one key or the other, whole. Asked again, it changes nothing.
///
/// # Errors
/// When `path` holds no key, or a file cannot be written.
pub fn replace_secret_key(path: &Path, new: &SecretKey) -> Result<Option<PathBuf>, ConfigFault> {
    let present = load_secret_key(path)?;
    if present.public_key() == new.public_key() {
        return Ok(None);
    }
    let kept = replaced_key_path(path, &present.public_key());
    match create_secret_key(&kept, &present) {
        Err(ConfigFault::KeyExists { .. })
            if load_secret_key(&kept)?.public_key() == present.public_key() => {}
        other => other?,
    }
    let part = write_part(path, new)?;
    std::fs::rename(&part, path)
        .map_err(|source| ConfigFault::Write { path: path.to_owned(), source })?;
    sync_folder_of(path)?;
    Ok(Some(kept))
}

/// Returns the path at which the key that is to replace the one in `path` waits until it is
/// registered.
pub fn next_key_path(path: &Path) -> PathBuf {
    with_suffix(path, ".next")
}

/// Returns the path at which a key that was replaced in `path` is kept.
pub fn replaced_key_path(path: &Path, key: &PublicKey) -> PathBuf {
    let digits: String = key.to_string().chars().take(16).collect();
    with_suffix(path, &format!(".replaced-{digits}"))
}

/// Writes a key beside `path`, durably, under a name of this process's own.
fn write_part(path: &Path, key: &SecretKey) -> Result<PathBuf, ConfigFault> {
    let part = with_suffix(path, &format!(".part-{}", std::process::id()));
    let write = |source| ConfigFault::Write { path: part.clone(), source };
    match std::fs::remove_file(&part) {
        // What a process of this number left when it was killed.
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(write(error)),
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(write)?;
    let seed = Zeroizing::new(key.to_seed());
    let mut text = Zeroizing::new(hex::encode(seed.as_slice()));
    text.push('\n');
    file.write_all(text.as_bytes()).map_err(write)?;
    file.sync_all().map_err(write)?;
    Ok(part)
}

/// `path` with more at the end of its name.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the names of a file's folder durable.
fn sync_folder_of(path: &Path) -> Result<(), ConfigFault> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let sync = File::open(folder).and_then(|folder| folder.sync_all());
    sync.map_err(|source| ConfigFault::Write { path: folder.to_owned(), source })
}
