//! Every method against every kind of token: the verdict follows from the table of methods.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rpc_api::{ApiError, Method, Rows, TokenScope, methods};
use rpc_server::{AccessRule, ServerConfig, Token, TokenRecord, TokensFile};
use serde_json::{Value, json};

use crate::raw::{Answer, exchange, wait_for};
use crate::served::TestServer;

const UPGRADE: &str = "connection: upgrade, close\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

fn token(number: u8) -> Token {
    Token::of_bytes([number; 8], [number ^ 0x5a; 32])
}

fn record(token: &Token, scopes: &[TokenScope]) -> TokenRecord {
    TokenRecord {
        id: token.id().to_owned(),
        sha256: token.secret_hash().to_string(),
        scopes: scopes.to_vec(),
        participants: vec![999],
        merchants: Vec::new(),
        expires: "2999-01-01T00:00:00Z".to_owned(),
        units_per_second_max: None,
        revoked: false,
        comment: String::new(),
    }
}

/// Replaces the file at once, with the mode that it must have.
fn write(path: &Path, tokens: Vec<TokenRecord>) {
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&part).unwrap();
    file.write_all(TokensFile { tokens }.text().unwrap().as_bytes()).unwrap();
    std::fs::rename(part, path).unwrap();
}

/// A caller of the matrix: its name, its token, that token's scope, and the refusal of its state.
type Row = (String, Option<Token>, Option<TokenScope>, Option<ApiError>);

/// The tokens of the matrix, and its callers.
fn matrix() -> (Vec<TokenRecord>, Vec<Row>) {
    let (mut records, mut rows) = (Vec::new(), vec![("anonymous".to_owned(), None, None, None)]);
    for (number, scope) in (1..).zip(TokenScope::ALL) {
        let good = token(number);
        records.push(record(&good, &[*scope]));
        let states = [("expired", ApiError::TokenExpired), ("revoked", ApiError::TokenRevoked)];
        for (place, (state, refusal)) in (1..).zip(states) {
            let bad = token(number + 10 * place);
            let mut of_bad = record(&bad, &[*scope]);
            of_bad.revoked = state == "revoked";
            if state == "expired" {
                of_bad.expires = "2020-01-01T00:00:00Z".to_owned();
            }
            records.push(of_bad);
            rows.push((
                format!("{state} {}", scope.name()),
                Some(bad),
                Some(*scope),
                Some(refusal),
            ));
        }
        // The secret of another token.
        let foreign = Token::of_bytes([number; 8], [0x77; 32]);
        let refused = Some(ApiError::TokenRefused);
        rows.push((format!("foreign {}", scope.name()), Some(foreign), Some(*scope), refused));
        rows.push((format!("good {}", scope.name()), Some(good), Some(*scope), None));
    }
    rows.push(("unknown".to_owned(), Some(token(99)), None, Some(ApiError::TokenRefused)));
    (records, rows)
}

/// The errors that a caller may get of its access to a method; none if it is let through.
fn verdict(method: &Method, rows: &Row) -> Vec<Option<ApiError>> {
    let (_, token, scope, refusal) = rows;
    if let Some(refusal) = refusal {
        return vec![Some(*refusal)];
    }
    match (token, scope) {
        (None, _) if method.scope.is_open() => vec![None],
        (None, _) => vec![Some(ApiError::TokenMissing)],
        (_, Some(scope)) => match method.scope.rows(*scope) {
            Rows::All => vec![None],
            // The token's party has no row here: it is refused, or gets none of them.
            Rows::Own => vec![None, Some(ApiError::RowForeign)],
            Rows::None => vec![Some(ApiError::ScopeLacking)],
        },
        (_, None) => vec![Some(ApiError::TokenRefused)],
    }
}

fn access_error(code: Option<i64>) -> Option<ApiError> {
    let own = [
        ApiError::TokenMissing,
        ApiError::TokenRefused,
        ApiError::TokenExpired,
        ApiError::TokenRevoked,
        ApiError::ScopeLacking,
        ApiError::TokenInUrl,
        ApiError::RowForeign,
    ];
    own.into_iter().find(|error| Some(i64::from(error.code())) == code)
}

async fn call(server: &TestServer, method: &str, token: Option<&Token>) -> Answer {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method}).to_string();
    let shown = token.map(|token| format!("authorization: Bearer {}\r\n", token.text()));
    let text = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\n{}content-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        shown.unwrap_or_default(),
        body.len()
    );
    exchange(server.address, text.as_bytes()).await.expect("an answer")
}

async fn guarded(tokens: Vec<TokenRecord>) -> (TestServer, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    write(&path, tokens);
    let access = AccessRule::Tokens(path);
    let server = TestServer::guarded(ServerConfig { access, ..ServerConfig::default() }).await;
    (server, folder)
}

#[tokio::test]
async fn every_method_answers_whom_the_table_names() {
    let (records, rows) = matrix();
    let (server, _folder) = guarded(records).await;
    for method in methods() {
        for row in &rows {
            let answer = call(&server, method.name, row.1.as_ref()).await;
            let found = access_error(answer.json()["error"]["code"].as_i64());
            let expected = verdict(method, row);
            assert!(expected.contains(&found), "{} {}: {found:?}, {answer:?}", method.name, row.0);
            let status = match found {
                None => answer.status,
                Some(error) if ApiError::OF_TOKENS.contains(&error) => 401,
                Some(_) => 403,
            };
            assert_eq!(answer.status, status, "{} {}", method.name, row.0);
            assert_eq!(answer.json()["id"], json!(7), "{}", method.name);
        }
    }
    assert!(server.figure("sluice_rpc_access_refused_total{reason=\"scope-lacking\"}").await > 0);
    assert!(server.figure("sluice_rpc_access_refused_total{reason=\"token-expired\"}").await > 0);
}

/// A few lines of the table by hand, so that the table itself is held to something.
#[tokio::test]
async fn the_table_says_what_the_page_promises() {
    let rows = [
        ("chain_head", TokenScope::Public, Rows::All),
        ("ledger_accounts", TokenScope::Public, Rows::None),
        ("ledger_accounts", TokenScope::Participant, Rows::Own),
        ("ledger_accounts", TokenScope::Auditor, Rows::All),
        ("batch_submit", TokenScope::Participant, Rows::Own),
        ("batch_submit", TokenScope::Auditor, Rows::None),
        ("risk_policies", TokenScope::Gateway, Rows::None),
        ("governance_proposals", TokenScope::Participant, Rows::None),
        ("node_status", TokenScope::Auditor, Rows::None),
        ("node_status", TokenScope::Operator, Rows::All),
        ("recharge_order", TokenScope::Operator, Rows::None),
    ];
    for (name, scope, expected) in rows {
        let method = methods().find(|method| method.name == name).unwrap();
        assert_eq!(method.scope.rows(scope), expected, "{name} {}", scope.name());
    }
}

#[tokio::test]
async fn without_a_file_only_the_public_scope_is_answered() {
    let server = TestServer::guarded(ServerConfig::default()).await;
    for method in methods() {
        let answer = call(&server, method.name, None).await;
        let found = access_error(answer.json()["error"]["code"].as_i64());
        let expected = (!method.scope.is_public()).then_some(ApiError::TokenMissing);
        assert_eq!(found, expected, "{}", method.name);
    }
}

#[tokio::test]
async fn an_unknown_token_and_a_wrong_secret_are_one_answer() {
    let known = token(1);
    let (server, _folder) = guarded(vec![record(&known, &[TokenScope::Auditor])]).await;
    let wrong = Token::of_bytes([1; 8], [9; 32]);
    let one = call(&server, "chain_head", Some(&wrong)).await;
    let two = call(&server, "chain_head", Some(&token(2))).await;
    assert_eq!((one.status, one.json()), (two.status, two.json()));
    assert!(one.head.contains("www-authenticate: bearer"), "{one:?}");
}

#[tokio::test]
async fn a_revoked_token_ends_at_once_and_a_broken_file_changes_nothing() {
    let (known, added) = (token(1), token(2));
    let (server, folder) = guarded(vec![record(&known, &[TokenScope::Auditor])]).await;
    let path = folder.path().join("tokens.toml");
    assert_eq!(call(&server, "chain_head", Some(&known)).await.status, 200);
    let mut revoked = record(&known, &[TokenScope::Auditor]);
    revoked.revoked = true;
    write(&path, vec![revoked, record(&added, &[TokenScope::Public])]);
    wait_for("the change", async || call(&server, "chain_head", Some(&known)).await.status == 401)
        .await;
    assert_eq!(call(&server, "chain_head", Some(&known)).await.name(), "token-revoked");
    assert_eq!(call(&server, "chain_head", Some(&added)).await.status, 200);
    std::fs::write(&path, "tokens = 7").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(call(&server, "chain_head", Some(&added)).await.status, 200);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(TokensFile::load(&path).unwrap_err().to_string().contains("chmod 600"));
}

#[tokio::test]
async fn a_token_in_a_url_is_refused() {
    let known = token(1);
    let (server, _folder) = guarded(vec![record(&known, &[TokenScope::Auditor])]).await;
    for path in ["/?token=", "/", "/explorer/?t="] {
        let text = format!(
            "GET {path}{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            known.text()
        );
        let answer = exchange(server.address, text.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.name().as_str()), (400, "token-in-url"), "{path}");
    }
}

#[tokio::test]
async fn a_web_socket_shows_its_token_as_a_sub_protocol() {
    let known = token(1);
    let (server, _folder) = guarded(vec![record(&known, &[TokenScope::Auditor])]).await;
    let upgrade = async |token: &Token| {
        let text = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\n{UPGRADE}\
             sec-websocket-protocol: sluice.v1, {}\r\n\r\n",
            token.text()
        );
        let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        head_of(stream, &text).await
    };
    let head = upgrade(&known).await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-protocol: sluice.v1\r\n"), "{head}");
    assert!(!head.contains("sl1_"), "{head}");
    let head = upgrade(&token(2)).await;
    assert!(head.starts_with("http/1.1 401"), "{head}");
}

/// What a connection may see ends with its token, also where it only listens.
#[tokio::test]
async fn a_web_socket_ends_when_its_token_is_revoked() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (known, other) = (token(1), token(2));
    let records = || [&known, &other].map(|one| record(one, &[TokenScope::Auditor]));
    let (server, folder) = guarded(records().to_vec()).await;
    let mut streams = Vec::new();
    for one in [&known, &other] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let text = format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\n{UPGRADE}\
             sec-websocket-protocol: sluice.v1, {}\r\n\r\n",
            one.text()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        while !received.windows(4).any(|four| four == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut received).await.unwrap() > 0);
        }
        assert!(received.starts_with(b"HTTP/1.1 101"), "{received:?}");
        streams.push(stream);
    }
    let mut after = records();
    after[0].revoked = true;
    write(&folder.path().join("tokens.toml"), after.to_vec());
    // It ends, whether by a frame of closing or without one.
    let mut rest = Vec::new();
    let _ = streams[0].read_to_end(&mut rest).await;
    // The other stands: nothing comes, and nothing ends it.
    let silence = streams[1].read_buf(&mut rest);
    let silence = tokio::time::timeout(std::time::Duration::from_secs(2), silence).await;
    assert!(silence.is_err(), "{silence:?}");
}

/// The head of the answer, read to its end.
async fn head_of(mut stream: tokio::net::TcpStream, text: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.windows(4).any(|four| four == b"\r\n\r\n") {
        assert!(stream.read_buf(&mut received).await.unwrap() > 0);
    }
    String::from_utf8_lossy(&received).to_ascii_lowercase()
}

#[tokio::test]
async fn a_token_has_a_budget_of_its_own() {
    let (poor, rich) = (token(1), token(2));
    let mut of_poor = record(&poor, &[TokenScope::Auditor]);
    of_poor.units_per_second_max = Some(1);
    let (server, _folder) = guarded(vec![of_poor, record(&rich, &[TokenScope::Auditor])]).await;
    wait_for("a refusal", async || call(&server, "chain_id", Some(&poor)).await.status == 429)
        .await;
    assert_eq!(call(&server, "chain_id", Some(&rich)).await.status, 200);
    let anonymous: Value = call(&server, "chain_id", None).await.json();
    assert!(anonymous["result"].is_string(), "{anonymous}");
}

/// Who reaches the operator's listener is the operator; a page in the operator's browser is not.
#[tokio::test]
async fn the_operators_listener_answers_every_method_and_no_page_of_the_web() {
    let (server, _folder) = guarded(Vec::new()).await;
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "node_status"}).to_string();
    let ask = async |address, head: &str| {
        let text = format!(
            "POST / HTTP/1.1\r\n{head}content-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        exchange(address, text.as_bytes()).await.expect("an answer")
    };
    assert_eq!(ask(server.address, "host: localhost\r\n").await.status, 401);
    let answer = ask(server.operator, "host: localhost\r\n").await;
    assert_eq!(answer.status, 200);
    assert_eq!(access_error(answer.json()["error"]["code"].as_i64()), None, "{answer:?}");
    assert_eq!(answer.json()["id"], json!(7));
    for head in ["host: evil.example\r\n", "host: localhost\r\norigin: http://evil.example\r\n"] {
        assert_eq!(ask(server.operator, head).await.status, 403, "{head}");
    }
    // What it asks is not charged to whoever else is at its address.
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_ne!(crate::raw::get(server.operator, path).await.status, 404, "{path}");
    }
}
