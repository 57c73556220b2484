//! A node whose public port speaks TLS, and the command line that asks it: over real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::process::Output;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use support::{Network, run, sluice};

/// Asks for the chain's head by `https`, with an authority to trust, if any.
fn ask(network: &Network, authority: Option<&str>) -> Output {
    let url = network.url(0).replace("http://127.0.0.1", "https://localhost");
    let mut command = sluice();
    command.args(["--json", "query", "head", "--rpc", &url]);
    command.env_remove("SSL_CERT_DIR").env_remove("SSL_CERT_FILE");
    if let Some(authority) = authority {
        command.env("SSL_CERT_FILE", network.path().join(authority));
    }
    run(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_asks_by_https_whom_it_trusts() {
    let mut network = Network::new(&[]);
    for name in ["authority", "another"] {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&key).unwrap();
        std::fs::write(network.path().join(format!("{name}.pem")), authority.pem()).unwrap();
        if name == "authority" {
            let own = KeyPair::generate().unwrap();
            let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let signed = parameters.signed_by(&own, &authority, &key).unwrap();
            let folder = network.config(0).parent().unwrap().to_owned();
            std::fs::write(folder.join("node.pem"), signed.pem()).unwrap();
            std::fs::write(folder.join("node.key"), own.serialize_pem()).unwrap();
        }
    }
    let mut config = std::fs::read_to_string(network.config(0)).unwrap();
    config.push_str("\n[rpc.tls]\ncertificate = \"node.pem\"\nkey = \"node.key\"\n");
    std::fs::write(network.config(0), config).unwrap();
    network.start_all(&[0, 1, 2]).await;

    let answer = ask(&network, Some("authority.pem"));
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let head: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert!(head["height"].is_u64(), "{head}");

    let answer = ask(&network, Some("another.pem"));
    let text = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(!answer.status.success() && text.contains("certificate"), "{text}");
}
