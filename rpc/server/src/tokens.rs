//! The file of tokens: their ids, the hashes of their secrets, and what each grants. It never has a
//! secret. A token is `sl1_ID_SECRET`, an id of 16 and a secret of 64 hexadecimal digits.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chain_types::Digest;
use chain_types::hash::sha256;
use jiff::Timestamp;
use rpc_api::TokenScope;
use serde::{Deserialize, Serialize};

/// The first letters of every token, with the version of its form.
pub const TOKEN_PREFIX: &str = "sl1_";
/// The tokens of a file at most.
pub const TOKENS_MAX: usize = 10_000;
/// Bytes of the longest file.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
const ID_DIGITS: usize = 16;
const SECRET_DIGITS: usize = 64;

/// A token as its holder has it. It is not shown by `Debug`.
#[derive(Clone)]
pub struct Token {
    id: String,
    secret: String,
}

impl Token {
    /// The token of 8 random bytes for its id and 32 for its secret.
    pub fn of_bytes(id: [u8; 8], secret: [u8; 32]) -> Self {
        let digits =
            |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { id: digits(&id), secret: digits(&secret) }
    }

    /// Reads a token; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(TOKEN_PREFIX)?.split_once('_')?;
        let is_hex = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let is_whole = id.len() == ID_DIGITS && secret.len() == SECRET_DIGITS;
        (is_whole && is_hex(id) && is_hex(secret))
            .then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The id, which is no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text that its holder sends.
    pub fn text(&self) -> String {
        format!("{TOKEN_PREFIX}{}_{}", self.id, self.secret)
    }

    /// The hash that the file has: SHA-256 of the secret's digits.
    pub fn secret_hash(&self) -> Digest {
        sha256(&[self.secret.as_bytes()])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({})", self.id)
    }
}

/// A token as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// The token's id, 16 hexadecimal digits.
    pub id: String,
    /// SHA-256 of the secret's 64 digits, in hexadecimal digits.
    pub sha256: String,
    /// The scopes that it grants, one at least.
    pub scopes: Vec<TokenScope>,
    /// The participants that it acts for, by id: services, gateways, providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<u64>,
    /// The merchants that it acts for, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merchants: Vec<u64>,
    /// The time from which on it is refused, such as `2027-01-31T00:00:00Z`.
    pub expires: String,
    /// Cost units a second, and at once; by default as many as an address has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_per_second_max: Option<u32>,
    /// True if it is refused from now on.
    #[serde(default)]
    pub revoked: bool,
    /// A note of the operator's about its holder.
    #[serde(default)]
    pub comment: String,
}

impl TokenRecord {
    /// The time from which on the token is refused, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// When `expires` is no time of RFC 3339 with an offset.
    pub fn expires_ms(&self) -> Result<i64, String> {
        let time: Timestamp = self.expires.parse().map_err(|_| {
            format!("expires = \"{}\" is not a time such as 2027-01-31T00:00:00Z", self.expires)
        })?;
        Ok(time.as_millisecond())
    }

    /// The text of `expires` for a time in milliseconds since the Unix epoch; `None` beyond the
    /// years that can be written.
    pub fn expires_text(time_ms: i64) -> Option<String> {
        let seconds = time_ms.div_euclid(1_000);
        Timestamp::from_second(seconds).ok().map(|time| time.to_string())
    }

    /// Says what is wrong with the record by itself.
    fn check(&self) -> Result<(), String> {
        let is_id = self.id.len() == ID_DIGITS
            && self.id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if !is_id {
            return Err(format!("id = \"{}\" is not {ID_DIGITS} hexadecimal digits", self.id));
        }
        if Digest::from_hex(&self.sha256).is_none() {
            return Err(format!("sha256 of token {} is not 64 hexadecimal digits", self.id));
        }
        if self.scopes.is_empty() {
            return Err(format!("token {} has no scope: give one at least", self.id));
        }
        if self.units_per_second_max == Some(0) {
            return Err(format!(
                "token {} may call nothing: give 1 unit a second or more",
                self.id
            ));
        }
        let confined = [TokenScope::Participant, TokenScope::Gateway];
        let is_confined = self.scopes.iter().any(|scope| confined.contains(scope));
        if is_confined && self.participants.is_empty() && self.merchants.is_empty() {
            return Err(format!("token {} names no party: its scope reads own rows", self.id));
        }
        self.expires_ms().map(|_| ())
    }
}

/// The reason why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokensFault {
    /// The file cannot be read.
    #[error("{path} cannot be read ({source}); let the node's user read it")]
    Read {
        /// The file that was to be read.
        path: PathBuf,
        /// The reason that the system gives.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("{path} cannot be written ({source})")]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// The reason that the system gives.
        source: io::Error,
    },
    /// Others than its owner may read or write the file.
    #[error("{path} can be read or written by others: chmod 600 it")]
    Mode {
        /// The file with too wide a mode.
        path: PathBuf,
    },
    /// The file is not a file of tokens.
    #[error("{path} stays as it is ({problem}); `sluice token` writes such files")]
    Content {
        /// The file whose content is wrong.
        path: PathBuf,
        /// The thing that is wrong.
        problem: String,
    },
}

/// The content of a file of tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensFile {
    /// Every token, those that are revoked or expired as well.
    #[serde(default)]
    pub tokens: Vec<TokenRecord>,
}

impl TokensFile {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, others may read it, or it is not a file of tokens.
    pub fn load(path: &Path) -> Result<Self, TokensFault> {
        let read = |source| TokensFault::Read { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(read)?;
        if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
            return Err(TokensFault::Mode { path: path.to_owned() });
        }
        let content = |problem: String| TokensFault::Content { path: path.to_owned(), problem };
        if metadata.len() > FILE_BYTES_MAX {
            return Err(content(format!("it is longer than {FILE_BYTES_MAX} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        Self::parse(&text).map_err(content)
    }

    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// The thing that is wrong, in a few words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if file.tokens.len() > TOKENS_MAX {
            return Err(format!("it has more than {TOKENS_MAX} tokens"));
        }
        let mut ids = BTreeMap::new();
        for token in &file.tokens {
            token.check()?;
            if ids.insert(&token.id, ()).is_some() {
                return Err(format!("token {} is there twice", token.id));
            }
        }
        Ok(file)
    }

    /// Changes the file at `path`, or makes it. Two changes at once wait for each other; at any
    /// moment the file is the old one or the new one, whole. Comments in the file are not kept.
    ///
    /// # Errors
    /// When the file cannot be read or written, or `change` refuses.
    pub fn change(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), TokensFault> {
        let write = |source| TokensFault::Write { path: path.to_owned(), source };
        let content = |problem: String| TokensFault::Content { path: path.to_owned(), problem };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(path.with_extension("lock")).map_err(write)?;
        lock.lock().map_err(write)?;
        let mut file = match Self::load(path) {
            Err(TokensFault::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::default()
            }
            found => found?,
        };
        change(&mut file).map_err(content)?;
        let text = file.text().map_err(content)?;
        // Held to the same rules as what a node reads.
        Self::parse(&text).map_err(content)?;
        let part = path.with_extension("part");
        let mut new = options.truncate(true).open(&part).map_err(write)?;
        new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(write)?;
        std::fs::rename(&part, path).map_err(write)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|one| one.sync_all()).map_err(write)
    }

    /// The file's text.
    ///
    /// # Errors
    /// None in practice: every record can be written as TOML.
    pub fn text(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }
}
