//! The way to guarded nodes: the token that a client shows them, and the authorities whose
//! certificates it believes.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use genesis::ParticipantConfig;
use jsonrpsee_http_client::{HeaderMap, HeaderValue};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Bytes of the longest file that is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// The first letters of every token (docs/access.md).
const TOKEN_PREFIX: &str = "sl1_";

/// A token's or certificates' file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessFault {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The cause, as the system tells it.
        source: std::io::Error,
    },
    /// Others may read the token.
    #[error("{}: others may read this token (mode {mode:03o}): run chmod 600 on it, and have it \
             replaced if somebody did", path.display())]
    Readable {
        /// The path of the file.
        path: PathBuf,
        /// The permissions that it has.
        mode: u32,
    },
    /// The file holds something else.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The path of the file.
        path: PathBuf,
        /// The thing that it should hold.
        problem: &'static str,
    },
}

/// A client's token and authorities. By default it shows no token, and believes the certificates
/// that the system believes.
#[derive(Debug, Clone, Default)]
pub struct NodeAccess {
    token: Option<HeaderValue>,
    tls: Option<ClientConfig>,
}

impl NodeAccess {
    /// Reads a token from a file of one line, and authorities from a file of PEM certificates.
    ///
    /// # Errors
    /// When a file cannot be read, others may read the token, or it holds none.
    pub fn load(token: Option<&Path>, authorities: Option<&Path>) -> Result<Self, AccessFault> {
        Ok(Self {
            token: token.map(load_token).transpose()?,
            tls: authorities.map(load_authorities).transpose()?,
        })
    }

    /// Reads the files that a participant's configuration names.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of(config: &ParticipantConfig) -> Result<Self, AccessFault> {
        Self::load(config.token.as_deref(), config.authorities.as_deref())
    }

    /// Returns true if a token is shown.
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The headers of every request.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            headers.insert("authorization", token.clone());
        }
        headers
    }

    /// The certificates that are believed; `None` for those that the system believes.
    pub(crate) fn tls(&self) -> Option<ClientConfig> {
        self.tls.clone()
    }
}

fn read(path: &Path, is_secret: bool) -> Result<Vec<u8>, AccessFault> {
    let fault = |source| AccessFault::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(fault)?;
    // Of the opened file, so that it cannot be exchanged in between.
    let mode = file.metadata().map_err(fault)?.permissions().mode() & 0o7777;
    if is_secret && mode & 0o077 != 0 {
        return Err(AccessFault::Readable { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}

fn load_token(path: &Path) -> Result<HeaderValue, AccessFault> {
    let bytes = read(path, true)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim_end();
    let is_token = text.starts_with(TOKEN_PREFIX) && text.bytes().all(|one| one.is_ascii_graphic());
    let value = is_token.then(|| HeaderValue::try_from(format!("Bearer {text}")).ok()).flatten();
    let mut value = value.ok_or_else(|| AccessFault::Malformed {
        path: path.to_owned(),
        problem: "it holds no token: write the one line sl1_ID_SECRET that the node's operator \
                  handed over",
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn load_authorities(path: &Path) -> Result<ClientConfig, AccessFault> {
    let bytes = read(path, false)?;
    let malformed = |problem| AccessFault::Malformed { path: path.to_owned(), problem };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
        added.ok_or_else(|| malformed("a certificate in it cannot be read: it must be in PEM"))?;
    }
    if roots.is_empty() {
        return Err(malformed("it has no certificate: write those of the authorities, in PEM"));
    }
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| malformed("this program's TLS has no usable version: report this defect"))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}
