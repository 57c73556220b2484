//! TLS at both listeners: versions, certificates of clients, files that change, and strangers who
//! speak something else or nothing.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use rpc_server::{Server, ServerConfig, TlsFiles};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::served::{TestNode, TestServer, methods};

const HEALTH: &str = r#"{"jsonrpc":"2.0","id":7,"method":"node_health","params":[]}"#;

/// An authority that signs certificates of nodes and of clients.
struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }

    /// A certificate of `localhost` and its key, in PEM.
    fn sign(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let signed = parameters.signed_by(&key, &self.certificate, &self.key).unwrap();
        (signed.pem(), key.serialize_pem())
    }

    /// Returns the settings of a client of one version that trusts this authority and shows
    /// `shows`.
    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        shows: Option<&(String, String)>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match shows {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        })
    }
}

/// Writes certificate and key into a folder.
fn write(folder: &Path, (certificate, key): &(String, String)) -> TlsFiles {
    let files = TlsFiles {
        certificate: folder.join("node.pem"),
        key: folder.join("node.key"),
        client_authorities: None,
    };
    std::fs::write(&files.key, key).unwrap();
    std::fs::write(&files.certificate, certificate).unwrap();
    files
}

async fn connect(
    address: SocketAddr,
    client: &Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(client.clone()).connect(name, socket).await
}

/// Sends a request and takes the answer, which has a known length.
async fn exchange(stream: &mut TlsStream<TcpStream>, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let count = stream.read(&mut piece).await?;
        answer.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let is_whole = text.split_once("\r\n\r\n").is_some_and(|(header, body)| {
            let length = header.to_lowercase();
            let length = length.split_once("content-length: ").unwrap().1;
            body.len() >= length.lines().next().unwrap().parse().unwrap()
        });
        if is_whole || count == 0 {
            return Ok(text);
        }
    }
}

fn post() -> String {
    let length = HEALTH.len();
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{HEALTH}"
    )
}

fn config(files: &TlsFiles) -> ServerConfig {
    let (tls, operator_tls) = (Some(files.clone()), Some(files.clone()));
    ServerConfig { tls, operator_tls, ..ServerConfig::default() }
}

async fn server(files: &TlsFiles) -> TestServer {
    TestServer::with(config(files)).await
}

#[tokio::test]
async fn both_listeners_speak_both_versions() {
    let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
    let server = server(&write(folder.path(), &authority.sign())).await;
    for version in [&TLS12, &TLS13] {
        let client = authority.client(version, None);
        let mut stream = connect(server.address, &client).await.unwrap();
        for _ in 0..2 {
            let answer = exchange(&mut stream, &post()).await.unwrap();
            assert!(answer.contains(r#""is_ready":true"#), "{answer}");
        }
        let mut stream = connect(server.operator, &client).await.unwrap();
        let get = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let answer = exchange(&mut stream, get).await.unwrap();
        for figure in ["sluice_rpc_tls_days_left ", "sluice_operator_tls_handshakes_total{end="] {
            assert!(answer.contains(figure), "{figure}: {answer}");
        }
    }
}

#[tokio::test]
async fn who_speaks_without_tls_is_told_so() {
    let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
    let server = server(&write(folder.path(), &authority.sign())).await;
    for address in [server.address, server.operator] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(post().as_bytes()).await.unwrap();
        let mut answer = String::new();
        // What was sent and not read may end the connection hard after the answer.
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.ends_with("begin the URL with https or wss.\n"), "{answer}");
    }
}

#[tokio::test]
async fn handshakes_that_never_end_are_ended_and_nobody_waits_for_them() {
    let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
    let files = write(folder.path(), &authority.sign());
    let server = TestServer::with(ServerConfig { header_timeout_ms: 500, ..config(&files) }).await;
    let mut silent = Vec::new();
    for bytes in [&b""[..], &[22], &[22, 3, 1, 0x40, 0]].into_iter().cycle().take(60) {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        silent.push(stream);
    }
    let client = authority.client(&TLS13, None);
    let mut stream = connect(server.address, &client).await.unwrap();
    let answer = exchange(&mut stream, &post()).await.unwrap();
    assert!(answer.contains(r#""is_ready":true"#), "{answer}");
    for mut stream in silent {
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut [0; 64])).await;
        assert!(matches!(ended.expect("the node closes it"), Ok(0) | Err(_)));
    }
}

#[tokio::test]
async fn an_address_that_only_shakes_hands_spends_its_budget() {
    let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
    let tls = Some(write(folder.path(), &authority.sign()));
    // Two handshakes at once, and one a second.
    let config = ServerConfig { tls, calls_per_second_max: 40, ..ServerConfig::default() };
    let server = TestServer::with(config).await;
    let client = authority.client(&TLS13, None);
    let mut refused = 0;
    for _ in 0..20 {
        refused += u32::from(connect(server.address, &client).await.is_err());
    }
    assert!(refused > 0);
    assert!(server.refused("handshakes").await > 0);
}

#[tokio::test]
async fn a_new_certificate_counts_for_new_connections() {
    let (folder, old, new) = (TempDir::new().unwrap(), Authority::new(), Authority::new());
    let server = server(&write(folder.path(), &old.sign())).await;
    let (trusts_old, trusts_new) = (old.client(&TLS13, None), new.client(&TLS13, None));
    let mut standing = connect(server.address, &trusts_old).await.unwrap();
    // Files that cannot be used change nothing.
    let files = write(folder.path(), &("nothing".to_owned(), "nothing".to_owned()));
    while !metrics(&server, &trusts_old).await.contains(r#"tls_reloads_total{end="failed"} 1"#) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(connect(server.address, &trusts_new).await.is_err());
    std::fs::remove_file(files.certificate).unwrap();
    write(folder.path(), &new.sign());
    while connect(server.address, &trusts_new).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(connect(server.address, &trusts_old).await.is_err());
    let answer = exchange(&mut standing, &post()).await.unwrap();
    assert!(answer.contains(r#""is_ready":true"#), "it goes on: {answer}");
}

async fn metrics(server: &TestServer, client: &Arc<ClientConfig>) -> String {
    let mut stream = connect(server.operator, client).await.unwrap();
    exchange(&mut stream, "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap()
}

#[tokio::test]
async fn only_clients_of_the_named_authorities_are_served() {
    let (folder, nodes) = (TempDir::new().unwrap(), Authority::new());
    let (clients, others) = (Authority::new(), Authority::new());
    let mut files = write(folder.path(), &nodes.sign());
    let path = folder.path().join("clients.pem");
    std::fs::write(&path, clients.certificate.pem()).unwrap();
    files.client_authorities = Some(path);
    let server = server(&files).await;
    for (shows, is_served) in
        [(Some(clients.sign()), true), (Some(others.sign()), false), (None, false)]
    {
        let client = nodes.client(&TLS13, shows.as_ref());
        // With TLS 1.3 the refusal comes after the client's part of the handshake.
        let answer = async {
            let mut stream = connect(server.address, &client).await?;
            exchange(&mut stream, &post()).await
        };
        let answer = answer.await;
        let was_served = answer.as_ref().is_ok_and(|text| text.contains(r#""is_ready":true"#));
        assert_eq!(was_served, is_served, "{answer:?}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named_before_the_node_starts() {
    let (folder, authority) = (TempDir::new().unwrap(), Authority::new());
    let (certificate, key) = authority.sign();
    let (_, other_key) = authority.sign();
    let rows = [
        ((String::new(), key.clone()), "node.pem is no PEM file of certificates"),
        ((certificate.clone(), String::new()), "node.key is no PEM file of a secret key"),
        ((certificate.clone(), other_key), "node.pem cannot be used with its key"),
        ((key.clone(), key.clone()), "node.pem is no PEM file of certificates"),
    ];
    let start = |files: TlsFiles| {
        let config = ServerConfig { tls: Some(files), ..ServerConfig::default() };
        let (node, registry) = (TestNode::new(), Arc::default());
        let serves = |reader: &rpc_server::Reader| methods(&node, reader);
        Server::start(config, serves, node.health(), registry, Default::default())
            .unwrap_err()
            .to_string()
    };
    for (content, expected) in rows {
        let text = start(write(folder.path(), &content));
        assert!(text.starts_with("rpc.tls: ") && text.contains(expected), "{text}");
    }
    let mut files = write(folder.path(), &(certificate, key));
    files.key = folder.path().join("absent");
    let text = start(files);
    assert!(text.contains("absent cannot be read"), "{text}");
}
