//! A node that asks for tokens, and the command line that shows them: over real processes, from the
//! token's making to its revocation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{GATEWAYS, Network, eventually, run, sluice};

/// The command line of these arguments, as a shell would run it.
fn command(arguments: &[&str]) -> Command {
    let mut command = sluice();
    command.args(arguments).env_remove("SLUICE_TOKEN_FILE");
    command
}

fn text(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{error}")
}

/// Makes a token of a node's file; gives the holder's file.
fn token(tokens: &Path, name: &str, grants: &[&str]) -> PathBuf {
    let out = tokens.with_file_name(format!("{name}.token"));
    let mut command = command(&["token", "new"]);
    command.arg("--file").arg(tokens).arg("--out").arg(&out).args(grants);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", text(&output));
    let secret = std::fs::read_to_string(&out).unwrap();
    assert!(!text(&output).contains(secret.trim_end()), "nothing secret is printed");
    out
}

/// Asks a node at `url`, showing a token if there is one.
fn ask(url: &str, question: &[&str], token: Option<&Path>) -> Output {
    let mut command = command(question);
    command.args(["--rpc", url]);
    if let Some(token) = token {
        command.arg("--token-file").arg(token);
    }
    run(&mut command)
}

/// A gateway's own order, submitted to node 0; gives the order's id.
fn submit(network: &Network, gateway: u32, token: Option<&Path>) -> Result<String, Output> {
    let folder = network.path().join(format!("participants/gateway-{gateway}"));
    let config = folder.join("participant.toml");
    let plain = std::fs::read_to_string(&config).unwrap();
    // Above everything else: the file begins with plain values.
    let shown = token.map_or_else(String::new, |token| format!("token = {token:?}\n"));
    std::fs::write(&config, format!("{shown}{plain}")).unwrap();
    let mut command = command(&["submit", "--kind", "collected"]);
    for value in ["merchant=1001", "amount=12.34", "currency=CNY"] {
        command.args(["--set", value]);
    }
    command.arg("--participant").arg(&config).args(["--rpc", &network.url(0)]);
    let output = run(command.args(["--timeout", "20"]));
    std::fs::write(&config, plain).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(&output)[..36].to_owned()),
        _ => Err(output),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_answers_whom_its_tokens_name_and_what_they_may_read() {
    let mut network = Network::new(&[]);
    let folder = network.config(0).parent().unwrap().to_owned();
    let tokens = folder.join("tokens.toml");
    let own = token(&tokens, "own", &["--scope", "gateway", "--participant", "201"]);
    let other = token(&tokens, "other", &["--scope", "gateway", "--participant", "202"]);
    let auditor = token(&tokens, "auditor", &["--scope", "auditor"]);
    let config = std::fs::read_to_string(network.config(0)).unwrap();
    let guarded = config.replace("access = \"open\"", "access = { tokens = \"tokens.toml\" }");
    assert_ne!(config, guarded);
    std::fs::write(network.config(0), guarded).unwrap();
    network.start_all(&[0, 1, 2]).await;
    let (url, [gateway, _]) = (network.url(0), GATEWAYS);

    // Nobody submits without a token, or as somebody else.
    for (shown, code) in [(None, "1030"), (Some(other.as_path()), "1036")] {
        let refused = submit(&network, gateway, shown).unwrap_err();
        assert!(text(&refused).contains(code), "{code}: {}", text(&refused));
    }
    let order = submit(&network, gateway, Some(&own)).unwrap_or_else(|no| panic!("{}", text(&no)));

    // The order's own gateway and the auditor read it; others are told whose token would do.
    for (shown, expected) in [
        (Some(own.as_path()), "is collected"),
        (Some(auditor.as_path()), "is collected"),
        (None, "1030"),
    ] {
        let answer = ask(&url, &["order", &order], shown);
        assert!(text(&answer).contains(expected), "{shown:?}: {}", text(&answer));
    }
    let foreign = format!("gateway-liquidity:{}:CNY", GATEWAYS[1]);
    let answer = ask(&url, &["query", "account", &foreign], Some(&own));
    assert!(text(&answer).contains("1036") && answer.status.code() == Some(3), "{}", text(&answer));
    let answer = ask(&url, &["query", "status"], Some(&auditor));
    assert!(text(&answer).contains("1034"), "{}", text(&answer));
    // The operator's own listener asks for nothing.
    let answer = ask(&network.operator_url(0), &["query", "status"], None);
    assert!(answer.status.success(), "{}", text(&answer));

    // A revoked token fails within a second; the node says so to the command.
    let id = std::fs::read_to_string(&auditor).unwrap();
    let mut revoke = command(&["token", "revoke", &id[4..20]]);
    assert!(run(revoke.arg("--file").arg(&tokens)).status.success());
    eventually("the token is refused", || async {
        text(&ask(&url, &["order", &order], Some(&auditor))).contains("1033")
    })
    .await;
    let listed = run(command(&["token", "list"]).arg("--file").arg(&tokens));
    assert_eq!(listed.status.code(), Some(1), "one does not hold: {}", text(&listed));
}

/// A chain of real money has no open port; and a token goes over no network in plain text.
#[test]
fn what_would_show_business_or_tokens_is_refused_before_anything_runs() {
    let network = Network::new(&[]);
    let genesis = std::fs::read_to_string(network.genesis()).unwrap();
    let real = genesis.replace("development = true\n", "");
    assert_ne!(genesis, real);
    std::fs::write(network.genesis(), real).unwrap();
    let output = run(command(&["start", "--config"]).arg(network.config(0)));
    assert!(text(&output).contains("rpc.access"), "{}", text(&output));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));

    let tokens = network.path().join("tokens.toml");
    let held = token(&tokens, "held", &["--scope", "auditor"]);
    let answer = ask("http://192.0.2.1:26001", &["query", "head"], Some(&held));
    assert_eq!(answer.status.code(), Some(2), "{}", text(&answer));
    assert!(text(&answer).contains("https://"), "{}", text(&answer));
}
