//! Requests of HTTP that are wrong, ambiguous or sly, each with the answers that RFC 9110, RFC 9112
//! and docs/rpc.md allow.

use std::net::SocketAddr;

use crate::client::Wire;
use crate::oracle::MESSAGE_BYTES_MAX;
use crate::random::Random;
use crate::{Input, Via};

/// Bytes of one connection, and what may come back before it closes.
#[derive(Debug, Clone)]
pub struct Shape {
    pub bytes: Vec<u8>,
    /// The lists of statuses of which one must come; an empty list is a close without a word.
    pub allowed: &'static [&'static [u16]],
    /// True if the client ends its side after it; else the server must close by itself.
    pub ends: bool,
}

/// Sends a shape, and reads to the end.
pub async fn run(node: SocketAddr, from: u8, shape: &Shape) -> Result<(), String> {
    let mut wire = Wire::open(from, node).await?;
    let statuses = exchange(&mut wire, shape).await?;
    let is_allowed = shape.allowed.contains(&statuses.as_slice());
    if is_allowed { Ok(()) } else { Err(format!("{statuses:?}, not {:?}", shape.allowed)) }
}

async fn exchange(wire: &mut Wire, shape: &Shape) -> Result<Vec<u16>, String> {
    use tokio::io::AsyncWriteExt as _;
    let to_head = shape.bytes.starts_with(b"HEAD");
    let mut statuses = Vec::new();
    if shape.ends {
        let _ = wire.send(&shape.bytes).await;
        let _ = wire.stream.shutdown().await;
    } else {
        match wire.send_and_read_head(&shape.bytes, to_head).await? {
            Some(response) => statuses.push(response.status),
            None => return Ok(statuses),
        }
    }
    if statuses == [101] {
        return Ok(statuses);
    }
    while let Some(response) = wire.response(to_head).await? {
        statuses.push(response.status);
    }
    Ok(statuses)
}

const JSON: &str = "content-type: application/json";
const OWN: &str = "host: localhost";
const END: &str = "connection: close";

const OK: &[&[u16]] = &[&[200]];
const BAD: &[&[u16]] = &[&[400]];
const BAD_OR_OK: &[&[u16]] = &[&[400], &[200]];
const BAD_OR_SILENT: &[&[u16]] = &[&[400], &[]];
const DENIED: &[&[u16]] = &[&[403]];
const NOT_HERE: &[&[u16]] = &[&[404]];
const NO_METHOD: &[&[u16]] = &[&[405]];
const NO_TYPE: &[&[u16]] = &[&[415]];
const NO_VERSION: &[&[u16]] = &[&[400], &[505], &[]];
const TOO_LONG: &[&[u16]] = &[&[431], &[414], &[400], &[]];
const NO_SOCKET: &[&[u16]] = &[&[400], &[426]];
const NO_CODING: &[&[u16]] = &[&[400], &[501], &[415]];

type Row = (String, &'static [&'static [u16]]);

fn head(line: &str, headers: &[&str]) -> String {
    let lines: Vec<String> = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("{line}\r\n{}\r\n", lines.concat())
}

/// A POST of a call with these headers besides its own.
fn with(headers: &[&str], body: &str) -> String {
    let len = format!("content-length: {}", body.len());
    let all = [&[OWN, JSON, END, len.as_str()], headers].concat();
    format!("{}{body}", head("POST / HTTP/1.1", &all))
}

/// A POST of a body in these chunks.
fn chunked(coding: &[&str], chunks: &str) -> String {
    let all = [&[OWN, JSON, END], coding].concat();
    format!("{}{chunks}", head("POST / HTTP/1.1", &all))
}

/// Requests whose body lengths and codings disagree, or are malformed.
fn framing(body: &str) -> Vec<Row> {
    let len = body.len();
    let length = |value: String| {
        let header = format!("content-length:{value}");
        format!("{}{body}", head("POST / HTTP/1.1", &[OWN, JSON, END, &header]))
    };
    let te = "transfer-encoding: chunked";
    let chunks = format!("{len:x}\r\n{body}\r\n0\r\n\r\n");
    let hidden = "GET /hidden HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let both = format!("content-length: {}", chunks.len());
    let mut rows = vec![
        (with(&[], body), OK),
        (chunked(&[te], &chunks), OK),
        (with(&[&format!("content-length: {len}")], body), BAD_OR_OK),
        (with(&["content-length: 0"], body), BAD),
        (with(&["content-length: 1"], body), BAD),
        (length(format!(" {len}, {len}")), BAD_OR_OK),
        (length(format!(" {len}, 0")), BAD),
        // Transfer-Encoding wins, or the request is refused; what is hidden is never answered.
        (chunked(&[te, &both], &chunks), BAD_OR_OK),
        (chunked(&[&both, te], &chunks), BAD_OR_OK),
        (chunked(&[te, "content-length: 4"], &format!("0\r\n\r\n{hidden}")), BAD_OR_OK),
        (chunked(&["content-length: 4", te], &format!("0\r\n\r\n{hidden}")), BAD_OR_OK),
        (chunked(&[te, "content-length: 0"], &format!("{chunks}{hidden}")), BAD_OR_OK),
        // After an answer that closes, nothing else is.
        (format!("{}{hidden}", with(&[], body)), OK),
        (chunked(&[te, te], &chunks), BAD_OR_OK),
        (chunked(&["transfer-encoding: Chunked"], &chunks), BAD_OR_OK),
        (chunked(&["transfer-encoding: chunked, identity"], &chunks), NO_CODING),
        (chunked(&["transfer-encoding: identity"], &chunks), NO_CODING),
        (chunked(&["transfer-encoding: xchunked"], &chunks), NO_CODING),
        (chunked(&["transfer-encoding: chunked;q=1"], &chunks), NO_CODING),
        (chunked(&["transfer-encoding: \"chunked\""], &chunks), NO_CODING),
        (chunked(&["transfer-encoding: chunked,"], &chunks), &[&[400], &[501], &[200]]),
        (
            chunked(&["transfer-encoding: gzip, chunked"], &chunks),
            &[&[400], &[501], &[415], &[200]],
        ),
        (chunked(&["transfer-encoding : chunked"], &chunks), BAD),
        (chunked(&["transfer-encoding: chunked\u{b}"], &chunks), NO_CODING),
        (head("POST / HTTP/1.0", &[OWN, JSON, te]) + &chunks, BAD),
        (chunked(&["content-encoding: gzip"], ""), NO_TYPE),
        (with(&["content-encoding: gzip"], body), NO_TYPE),
        (with(&["content-encoding: br, gzip"], body), NO_TYPE),
        (with(&["content-encoding: identity"], body), OK),
    ];
    let values = ["+5", "-5", "0x5", "5.0", "1e3", "", " ", "5 5", "five", "\u{665}", "0b1", "5;"];
    rows.extend(values.map(|value| (length(format!(" {value}")), BAD)));
    rows.push((length(" 99999999999999999999".to_owned()), BAD));
    for size in ["g", "-1", "+5", "0x5", "fffffffffffffffff", "", ";", "5,5", "\u{665}"] {
        let text = format!("{size}\r\n{body}\r\n0\r\n\r\n");
        rows.push((chunked(&[te], &text), BAD_OR_SILENT));
    }
    for text in [
        format!("{len:x};name=value\r\n{body}\r\n0\r\n\r\n"),
        format!("{len:X}\r\n{body}\r\n0\r\nx-trailer: 1\r\n\r\n"),
        format!("000{len:x}\r\n{body}\r\n0\r\n\r\n"),
    ] {
        rows.push((chunked(&[te], &text), OK));
    }
    for text in [
        format!("{len:x}\n{body}\n0\n\n"),
        format!("{len:x}\r\n{body}xx0\r\n\r\n"),
        format!("{len:x}\r\n{body}\r\n0\r\nbad trailer\r\n\r\n"),
        format!("{len:x};{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(20_000)),
        format!("{len:x} \r\n{body}\r\n0\r\n\r\n"),
        format!("{len:x};a=\"\r\n\"\r\n{body}\r\n0\r\n\r\n"),
    ] {
        rows.push((chunked(&[te], &text), &[&[400], &[], &[200]]));
    }
    rows
}

/// Lines that are no header, or say too much.
fn headers(body: &str) -> Vec<Row> {
    let many: Vec<String> = (0..200).map(|at| format!("x-{at}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    vec![
        (with(&many[..60], body), OK),
        (with(&many, body), TOO_LONG),
        (with(&[&format!("x-long: {}", long(1 << 20))], body), TOO_LONG),
        (with(&[&format!("{}: 1", long(100_000))], body), TOO_LONG),
        (with(&["x-folded: a\r\n b"], body), BAD_OR_OK),
        (with(&["x-cr: a\rb"], body), BAD_OR_OK),
        (with(&["x-nul: a\0b"], body), BAD_OR_OK),
        (with(&["x-high: \u{e4}\u{7f}"], body), BAD_OR_OK),
        (with(&["x-space : 1"], body), BAD),
        (with(&["no colon"], body), BAD),
        (with(&[": no name"], body), BAD),
        (with(&["x(y): 1"], body), BAD),
        (posted("POST / HTTP/1.1", &[" x-first: 1", OWN], body), BAD_OR_OK),
        (with(&[], body).replace("\r\n", "\n"), BAD_OR_OK),
        (with(&[], body).replace("\r\n", "\r"), &[&[400], &[408], &[]]),
        (format!("\r\n\r\n{}", with(&[], body)), BAD_OR_OK),
        (format!("\0{}", with(&[], body)), BAD),
        (with(&["expect: 100-continue"], body), &[&[200], &[100, 200]]),
        (with(&["expect: 42-whatever"], body), &[&[200], &[417]]),
        (with(&["upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"], body), OK),
        (with(&["x-forwarded-for: 10.0.0.1", "forwarded: for=10.0.0.1"], body), OK),
    ]
}

/// Hosts and origins, of this node and of others.
fn hosts(body: &str) -> Vec<Row> {
    let post = |line: &str, headers: &[&str]| posted(line, headers, body);
    let line = "POST / HTTP/1.1";
    vec![
        (post(line, &[]), BAD),
        (post(line, &["host:"]), &[&[400], &[403]]),
        (post(line, &[OWN, OWN]), BAD),
        (post(line, &[OWN, "host: evil.example"]), BAD),
        (post(line, &["host: a b"]), BAD),
        (post(line, &["host: user@localhost"]), BAD),
        (post(line, &["host: http://localhost/"]), BAD),
        (post(line, &["host: localhost:port"]), BAD),
        (post(line, &["host: localhost:99999"]), BAD),
        (post(line, &["host: localhost, evil.example"]), BAD),
        (post(line, &["host: evil.example"]), DENIED),
        (post(line, &["host: localhost.evil.example"]), DENIED),
        (post(line, &["host: 127.0.0.1.evil.example:80"]), DENIED),
        (post(line, &["host: 127.0.0.1:26001"]), OK),
        (post(line, &["host: [::1]:26001"]), OK),
        (post(line, &["HOST: LOCALHOST"]), OK),
        (post("POST http://localhost/ HTTP/1.1", &[OWN]), OK),
        (post("POST http://evil.example/ HTTP/1.1", &[OWN]), DENIED),
        (post("POST http://localhost/ HTTP/1.1", &["host: evil.example"]), &[&[403], &[200]]),
        (post("POST http://localhost@evil.example/ HTTP/1.1", &[OWN]), &[&[400], &[403]]),
        (with(&["origin: https://evil.example"], body), DENIED),
        (with(&["origin: null"], body), DENIED),
        (with(&["origin:"], body), DENIED),
    ]
}

/// First lines that ask for another path or version, or are no line of HTTP.
fn first_lines(body: &str) -> Vec<Row> {
    let post = |line: &str, headers: &[&str]| posted(line, headers, body);
    let mut rows = vec![
        (post(&format!("POST /{} HTTP/1.1", long(100_000)), &[OWN]), TOO_LONG),
        (post(&format!("POST /{} HTTP/1.1", long(3_000)), &[OWN]), &[&[404], &[414]]),
        (post("POST / HTTP/1.0", &[]), &[&[400], &[403]]),
        (post("POST / HTTP/1.0", &[OWN]), OK),
        (post("POST  / HTTP/1.1", &[OWN]), BAD_OR_OK),
        (post("POST\t/ HTTP/1.1", &[OWN]), BAD_OR_OK),
        (post(" POST / HTTP/1.1", &[OWN]), BAD),
        (post("POST / HTTP/1.1 ", &[OWN]), BAD_OR_OK),
        (post("POST /", &[OWN]), NO_VERSION),
        ("GET /\r\n".to_owned(), NO_VERSION),
        (post("POST / HTTP/1.2", &[OWN]), &[&[200], &[400], &[505], &[]]),
        (post("POST / HTTP/2.0", &[OWN]), NO_VERSION),
        (post("POST / HTTP/0.9", &[OWN]), NO_VERSION),
        (post("POST / HTTP/11", &[OWN]), NO_VERSION),
        (post("POST / http/1.1", &[OWN]), NO_VERSION),
        (post("POST / ICY/1.1", &[OWN]), NO_VERSION),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), NO_VERSION),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}".to_owned() + &long(600), NO_VERSION),
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), NO_VERSION),
    ];
    for target in ["/x", "//", "/../", "/%2e%2e/", "/metrics", "/healthz", "/readyz", "/./", "/%00"]
    {
        rows.push((post(&format!("POST {target} HTTP/1.1"), &[OWN]), NOT_HERE));
    }
    for target in ["x", "*", "localhost:80", "/ /", "\\", "/\u{e4}", "?x", "#", ""] {
        rows.push((post(&format!("POST {target} HTTP/1.1"), &[OWN]), &[&[400], &[404], &[403]]));
    }
    rows
}

/// A request that begins with this line, with these headers and those of the body.
fn posted(line: &str, headers: &[&str], body: &str) -> String {
    let len = format!("content-length: {}", body.len());
    format!("{}{body}", head(line, &[headers, &[JSON, END, &len]].concat()))
}

fn long(count: usize) -> String {
    "x".repeat(count)
}

/// Other methods, other types, and upgrades that are none.
fn kinds(body: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for method in
        ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "post", "PROPFIND", "OPTIONS"]
    {
        rows.push((head(&format!("{method} / HTTP/1.1"), &[OWN, END]), NO_METHOD));
    }
    let connect = head("CONNECT localhost:80 HTTP/1.1", &[OWN, END]);
    rows.push((connect, &[&[400], &[403], &[404], &[405], &[501]]));
    rows.push((head("OPTIONS * HTTP/1.1", &[OWN, END]), &[&[404], &[405], &[204]]));
    let typed = |kind: &str| {
        let len = format!("content-length: {}", body.len());
        format!("{}{body}", head("POST / HTTP/1.1", &[OWN, END, &len, kind]))
    };
    for kind in ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8"] {
        rows.push((typed(&format!("content-type: {kind}")), OK));
    }
    for kind in [
        "text/plain",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "",
        "json",
        "multipart/form-data; boundary=application/json",
        "text/plain, application/json",
        "application/xml",
        "text/plain; application/json",
    ] {
        rows.push((typed(&format!("content-type: {kind}")), NO_TYPE));
    }
    rows.push((typed("x-none: 1"), NO_TYPE));
    let good = [
        OWN,
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    rows.push((head("GET / HTTP/1.1", &good), &[&[101]]));
    let extended = "sec-websocket-extensions: permessage-deflate; client_max_window_bits";
    rows.push((head("GET / HTTP/1.1", &[good.as_slice(), &[extended]].concat()), &[&[101]]));
    let changed = |at: usize, header| {
        let mut headers = good.to_vec();
        headers[at] = header;
        [headers, vec![END]].concat()
    };
    for (at, header) in [
        (3, "sec-websocket-version: 12"),
        (3, "sec-websocket-version: 013"),
        (3, "x-no-version: 13"),
        (4, "sec-websocket-key: c2hvcnQ="),
        (4, "sec-websocket-key: !!!!!!!!!!!!!!!!!!!!!!=="),
        (4, "sec-websocket-key:"),
        (4, "x-no-key: 1"),
    ] {
        rows.push((head("GET / HTTP/1.1", &changed(at, header)), NO_SOCKET));
    }
    rows.push((head("POST / HTTP/1.1", &[good.as_slice(), &[END]].concat()), NO_SOCKET));
    rows.push((
        head("GET / HTTP/1.0", &[good.as_slice(), &[END]].concat()),
        &[&[400], &[426], &[405]],
    ));
    rows.push((head("GET / HTTP/1.1", &changed(2, "upgrade: h2c")), NO_METHOD));
    rows.push((head("GET / HTTP/1.1", &changed(0, "host: evil.example")), DENIED));
    let page = [good.as_slice(), &["origin: https://evil.example", END]].concat();
    rows.push((head("GET / HTTP/1.1", &page), DENIED));
    rows
}

/// Several requests at once, ended by one that closes.
fn pipelines(body: &str) -> Vec<Row> {
    let open = with(&[], body).replace("connection: close\r\n", "");
    let last = with(&[], body);
    vec![
        (format!("{}{last}", open.repeat(4)), &[&[200; 5]]),
        (format!("{open}GET / HTTP/1.1\r\nhost: localhost\r\n\r\n{last}"), &[&[200, 405, 200]]),
        (format!("{open}garbage\r\n\r\n{last}"), &[&[200, 400], &[200]]),
        (format!("{open}\0\0\0\0{last}"), &[&[200, 400], &[200]]),
    ]
}

/// Every shape with the body of some call.
pub fn inputs(bodies: &[String], random: &mut Random, rounds: usize) -> Vec<Input> {
    let mut all = Vec::new();
    let mut add = |bytes: Vec<u8>, allowed, ends| {
        let shape = Shape { bytes, allowed, ends };
        all.push(Input::new("http", Vec::new(), Via::Http(shape)));
    };
    for _ in 0..rounds {
        let body = random.one_of(bodies).as_str();
        let rows = [
            framing(body),
            headers(body),
            hosts(body),
            first_lines(body),
            kinds(body),
            pipelines(body),
        ]
        .concat();
        for (text, allowed) in rows {
            // What reads on for more has to be told that there is none.
            let waits = allowed.contains(&([].as_slice()));
            add(text.into_bytes(), allowed, waits);
        }
        // Cut off anywhere: an answer only if it was whole.
        let whole = with(&[], body).into_bytes();
        for _ in 0..20 {
            let at = random.below(whole.len());
            add(whole[..at].to_vec(), &[&[], &[400], &[408]], true);
        }
        // A length that is a lie.
        let lie = format!("content-length: {}", body.len() + 1 + random.below(1_000));
        let text = format!("{}{body}", head("POST / HTTP/1.1", &[OWN, JSON, END, &lie]));
        add(text.into_bytes(), &[&[], &[400], &[408]], true);
    }
    let huge = "x".repeat(MESSAGE_BYTES_MAX + 1);
    add(with(&[], &huge).into_bytes(), &[&[413]], false);
    let chunks = format!("{:x}\r\n{huge}\r\n0\r\n\r\n", huge.len());
    add(chunked(&["transfer-encoding: chunked"], &chunks).into_bytes(), &[&[413]], false);
    all
}
