//! TLS 1.2 and 1.3 (RFC 5246, RFC 8446) of a listener, by rustls. The certificate, its key and the
//! authorities of clients stand in files. The files are looked at every second; what changed
//! counts for connections from then on, and those that stand keep what they began with.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::metrics::TlsMetrics;

/// The time between two looks at the files.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The fingerprint of files that cannot be read.
const UNREADABLE: u64 = 0;
/// The first byte of a TLS connection: a record of the handshake (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// The answer to a client that speaks without TLS at a port of TLS alone.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n\
    content-length: 53\r\nconnection: close\r\n\r\n\
    TLS is spoken here: begin the URL with https or wss.\n";
const DAY_S: i64 = 86_400;

/// The files of a listener's TLS, in PEM (RFC 7468).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The listener's own certificate first, then those that lead to its authority.
    pub certificate: PathBuf,
    /// The certificate's secret key, as PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
    /// The authorities of clients. A client that shows no certificate of one of them is not served.
    /// Without this file clients need no certificate.
    pub client_authorities: Option<PathBuf>,
}

/// The reason why files of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// A file cannot be read.
    #[error("{path} cannot be read ({source}); let the node's user read it, or name another file")]
    Read {
        /// The file that was to be read.
        path: PathBuf,
        /// The reason that the system gives.
        source: io::Error,
    },
    /// A file is not what its setting asks for.
    #[error("{path} is no PEM file of {expected} ({problem}); name one that is")]
    Content {
        /// The file whose content is wrong.
        path: PathBuf,
        /// The content that it should have.
        expected: &'static str,
        /// The thing that is wrong.
        problem: String,
    },
    /// The files do not belong together, or are not fit for TLS.
    #[error(
        "{certificate} cannot be used with its key ({problem}); name a certificate and its key"
    )]
    Refused {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The thing that is wrong.
        problem: rustls::Error,
    },
}

/// The settings that the files make.
struct Loaded {
    config: Arc<ServerConfig>,
    /// The end of the certificate, in seconds since the Unix epoch.
    ends_s: i64,
}

/// The settings of a listener's new connections, and the state of the files behind them.
struct Settings {
    loaded: Loaded,
    /// The fingerprint of the files that it was made of.
    of: u64,
    /// The files that came after them and cannot be used.
    failing: Option<Failing>,
}

/// Files that cannot be used.
struct Failing {
    fingerprint: u64,
    is_told: bool,
}

/// The TLS of one listener.
pub(crate) struct Tls {
    files: TlsFiles,
    handshake_timeout: Duration,
    settings: Mutex<Settings>,
    metrics: TlsMetrics,
}

impl Tls {
    /// Reads the files and makes the settings of the first connections.
    pub(crate) fn open(
        files: TlsFiles,
        handshake_timeout: Duration,
        metrics: TlsMetrics,
    ) -> Result<Self, TlsFault> {
        let bytes = Bytes::read(&files)?;
        let loaded = bytes.load(&files)?;
        let settings = Settings { loaded, of: bytes.fingerprint(), failing: None };
        let tls = Self { files, handshake_timeout, settings: Mutex::new(settings), metrics };
        tls.tell_days_left();
        Ok(tls)
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the files again and again until `cancel`.
    pub(crate) async fn watch(self: Arc<Self>, cancel: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = looks.tick() => {}
            }
            let this = self.clone();
            // A disk may be slow, and these threads answer clients.
            if tokio::task::spawn_blocking(move || this.look()).await.is_err() {
                return;
            }
        }
    }

    /// Takes the files as they are now, if they have changed and can be used.
    fn look(&self) {
        let (fingerprint, loaded) = match Bytes::read(&self.files) {
            Ok(bytes) => {
                let fingerprint = bytes.fingerprint();
                if self.settings().of == fingerprint {
                    self.settings().failing = None;
                    return self.tell_days_left();
                }
                (fingerprint, bytes.load(&self.files))
            }
            Err(fault) => (UNREADABLE, Err(fault)),
        };
        match loaded {
            Ok(loaded) => {
                *self.settings() = Settings { loaded, of: fingerprint, failing: None };
                self.metrics.reloaded("done");
                let certificate = self.files.certificate.display();
                tracing::info!(%certificate, "new connections get the new certificate");
            }
            Err(fault) => self.keep(fingerprint, &fault),
        }
        self.tell_days_left();
    }

    /// Goes on with the files as they were. Says so once a change, and only if the next look finds
    /// the same: certificate and key are two files, which are replaced one after the other.
    fn keep(&self, fingerprint: u64, fault: &TlsFault) {
        let mut settings = self.settings();
        match &mut settings.failing {
            Some(failing) if failing.fingerprint == fingerprint => {
                if !std::mem::replace(&mut failing.is_told, true) {
                    self.metrics.reloaded("failed");
                    tracing::error!(%fault, "the certificate stays as it was");
                }
            }
            failing => *failing = Some(Failing { fingerprint, is_told: false }),
        }
    }

    fn tell_days_left(&self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.metrics.days_left((self.settings().loaded.ends_s - now_s).div_euclid(DAY_S));
    }

    /// Begins TLS with a client; `None` if that fails or takes too long.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let config = self.settings().loaded.config.clone();
        let handshake = tokio::time::timeout(self.handshake_timeout, begin(config, stream)).await;
        let (end, stream) = match handshake {
            Ok(Ok(Some(stream))) => ("done", Some(stream)),
            Ok(Ok(None)) => ("plain", None),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a handshake failed");
                ("failed", None)
            }
            Err(_) => ("late", None),
        };
        self.metrics.handshake_ended(end);
        stream
    }
}

/// The stream of TLS; `None` if the client speaks without it, which it was told.
async fn begin(
    config: Arc<ServerConfig>,
    mut stream: TcpStream,
) -> io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [HANDSHAKE_RECORD];
    stream.peek(&mut first).await?;
    if first[0] != HANDSHAKE_RECORD {
        stream.write_all(PLAIN).await?;
        stream.shutdown().await?;
        return Ok(None);
    }
    TlsAcceptor::from(config).accept(stream).await.map(Some)
}

/// The bytes of the files.
struct Bytes {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authorities: Option<Vec<u8>>,
}

impl Bytes {
    fn read(files: &TlsFiles) -> Result<Self, TlsFault> {
        let read = |path: &Path| {
            let fault = |source| TlsFault::Read { path: path.to_owned(), source };
            std::fs::read(path).map_err(fault)
        };
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            client_authorities: files.client_authorities.as_deref().map(read).transpose()?,
        })
    }

    /// A number that changes with them.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.certificate, &self.key, &self.client_authorities).hash(&mut hasher);
        hasher.finish()
    }

    fn load(&self, files: &TlsFiles) -> Result<Loaded, TlsFault> {
        let chain = certificates(&files.certificate, &self.certificate)?;
        let ends_s = end_of(&files.certificate, &chain)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| content(&files.key, "a secret key", error))?;
        let refused =
            |problem| TlsFault::Refused { certificate: files.certificate.clone(), problem };
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(refused)?;
        let builder =
            match files.client_authorities.as_deref().zip(self.client_authorities.as_ref()) {
                None => builder.with_no_client_auth(),
                Some((path, bytes)) => {
                    let fault = |error: String| content(path, "certificates of authorities", error);
                    let mut roots = RootCertStore::empty();
                    for authority in certificates(path, bytes)? {
                        roots.add(authority).map_err(|error| fault(error.to_string()))?;
                    }
                    let verifier =
                        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                            .build();
                    builder.with_client_cert_verifier(verifier.map_err(|e| fault(e.to_string()))?)
                }
            };
        let mut config = builder.with_single_cert(chain, key).map_err(refused)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Loaded { config: Arc::new(config), ends_s })
    }
}

fn content(path: &Path, expected: &'static str, problem: impl ToString) -> TlsFault {
    TlsFault::Content { path: path.to_owned(), expected, problem: problem.to_string() }
}

/// The certificates of a file, one at least.
fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let all = CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, pem::Error>>();
    match all {
        Ok(all) if all.is_empty() => Err(content(path, "certificates", "there is none in it")),
        Ok(all) => Ok(all),
        Err(error) => Err(content(path, "certificates", error)),
    }
}

/// The end of the first certificate, in seconds since the Unix epoch.
fn end_of(path: &Path, chain: &[CertificateDer<'_>]) -> Result<i64, TlsFault> {
    let own = chain.first().map(AsRef::as_ref).unwrap_or_default();
    let (_, certificate) = x509_parser::parse_x509_certificate(own)
        .map_err(|error| content(path, "certificates", error))?;
    Ok(certificate.validity().not_after.timestamp())
}
