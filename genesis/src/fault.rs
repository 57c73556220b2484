//! Faults of a file, for its operator: which, what, and how to mend it.

use std::path::{Path, PathBuf};

/// A value that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value}: {problem}; {remedy}")]
pub struct FieldError {
    /// The field with its place: `participants[2].public_key`.
    pub field: String,
    /// The value found; `nothing` when it is missing.
    pub value: String,
    /// The problem with the value.
    pub problem: String,
    /// The remedy in one sentence.
    pub remedy: String,
}

impl FieldError {
    /// Makes the refusal of a value.
    pub fn new(
        field: impl Into<String>,
        value: impl ToString,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let value = value.to_string();
        // A long value would hide the message.
        let value = match value.char_indices().nth(80) {
            Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
            None => value,
        };
        Self { field: field.into(), value, problem: problem.into(), remedy: remedy.into() }
    }
}

/// Why a file or folder cannot be used. All are the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}; check the path and its permissions", path.display())]
    Read {
        /// The file or folder that cannot be read or written.
        path: PathBuf,
        /// The reason that the operating system gives.
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{}: cannot be written: {source}; check the path, its permissions and free space",
        path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The reason that the operating system gives.
        source: std::io::Error,
    },
    /// A value in a file is refused.
    #[error("{}: {error}", path.display())]
    Field {
        /// The file that holds the value.
        path: PathBuf,
        /// The field, its problem and its remedy.
        error: FieldError,
    },
    /// A key file can be read by others.
    #[error("{}: its mode is {mode:04o}, so others may read the key; run `chmod 600 {}`",
        path.display(), path.display())]
    KeyReadable {
        /// The key file that others can read.
        path: PathBuf,
        /// The file's permission bits.
        mode: u32,
    },
    /// A key file does not hold a key.
    #[error("{}: not a key file; it holds 64 hexadecimal digits and a newline, nothing else",
        path.display())]
    KeyMalformed {
        /// The key file that does not hold a key.
        path: PathBuf,
    },
    /// A key is only ever written to a new file.
    #[error("{}: the file exists, and a key is never overwritten; keep it, or name another file",
        path.display())]
    KeyExists {
        /// The file that exists already.
        path: PathBuf,
    },
    /// A network is only made in an empty folder.
    #[error("{}: the folder is not empty; name a new folder, or remove this one first",
        path.display())]
    FolderNotEmpty {
        /// The folder that is not empty.
        path: PathBuf,
    },
    /// The plan of a network is refused.
    #[error("plan: {0}")]
    Plan(FieldError),
    /// The operating system gives no entropy for keys.
    #[error("the operating system gives no entropy: {0}; keys cannot be made here")]
    Entropy(String),
}

impl ConfigFault {
    pub(crate) fn field(path: &Path, error: FieldError) -> Self {
        Self::Field { path: path.to_owned(), error }
    }
}
