//! clients/hostile.json: every language makes the same of the same answers. A node is a socket here
//! that gives one answer, always.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chain_types::record_proof::RECORD_PROOF_MAGIC;
use chain_types::{ChainGenesis, Height, Lineage, OrderId, Receipt, RecordProof, Trust, Walk};
use rpc_api::{Wait, encode_base64};
use rpc_client::client::{CallError, Client};
use rpc_client::lineage_file::walk_over;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const VECTORS: &str = "../../chain/types/tests/vectors";
/// How long a batch is submitted again and again whose fate stays open.
const OPEN: Duration = Duration::from_millis(300);
/// How long at most, when there is an end.
const PATIENCE: Duration = Duration::from_secs(60);

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The table, the vectors and their genesis file.
struct Table {
    table: Value,
    vectors: Value,
    genesis: String,
}

impl Table {
    fn read() -> Self {
        let table = json("../../clients/hostile.json");
        let vectors = json(&format!("{VECTORS}/vectors.json"));
        Self { table, vectors, genesis: read(format!("{VECTORS}/genesis.toml")) }
    }

    /// The bytes that an entry describes.
    fn bytes(&self, entry: &Value) -> Vec<u8> {
        let mut text = match entry.get("splice") {
            Some(parts) => list(parts).iter().map(|part| self.part(part)).collect(),
            None => self.vector(text(&entry["vector"])).to_owned(),
        };
        if let Some(cut) = entry["cut"].as_u64() {
            text.truncate(2 * usize::try_from(cut).unwrap());
        }
        for pair in list(&entry["replace"]) {
            let (from, to) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            assert_eq!(text.matches(from).count(), 1, "{from} stands once");
            text = text.replace(from, to);
        }
        hex::decode(text + entry["append"].as_str().unwrap_or_default()).unwrap()
    }

    /// Hexadecimal text, or a part of a vector: its name, from, to.
    fn part<'a>(&'a self, part: &'a Value) -> &'a str {
        let [name, from, to] = list(part) else { return text(part) };
        let place = |at: &Value| 2 * usize::try_from(at.as_u64().unwrap()).unwrap();
        &self.vector(text(name))[place(from)..place(to)]
    }

    fn vector(&self, name: &str) -> &str {
        text(&self.vectors[name])
    }

    /// The vectors' genesis file with texts replaced.
    fn genesis(&self, changes: &Value) -> ChainGenesis {
        let mut file = self.genesis.clone();
        for pair in list(changes) {
            let (from, to) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            assert!(file.contains(from));
            file = file.replacen(from, to, 1);
        }
        genesis::parse_genesis(file.as_bytes()).unwrap()
    }

    fn order(&self) -> OrderId {
        text(&self.table["order_id"]).parse().unwrap()
    }

    fn batch(&self) -> Bytes {
        hex::decode(self.vector(text(&self.table["batch"]))).unwrap().into()
    }

    /// The body that an answer stands for, to a request of this id.
    fn body(&self, answer: &Value, id: &Value) -> Vec<u8> {
        if let Some(body) = answer["body"].as_str() {
            return body.into();
        }
        if let Some(body) = answer["body_hex"].as_str() {
            return hex::decode(body).unwrap();
        }
        if let [letter, count] = list(&answer["body_repeated"]) {
            let count = usize::try_from(count.as_u64().unwrap()).unwrap();
            return text(letter).repeat(count).into_bytes();
        }
        let id = answer.get("id").unwrap_or(id);
        let mut whole = json!({"jsonrpc": "2.0", "id": id});
        if let Some(error) = answer.get("error") {
            whole["error"] = error.clone();
        } else if let Some(receipt) = answer.get("receipt") {
            whole["result"] = json!({
                "order_id": self.table["order_id"],
                "receipt_base64": encode_base64(&self.bytes(receipt)),
                "proves_arrival": true,
                "proves_collection": true,
                "return_count": 0,
            });
        } else {
            whole["result"] = answer["result"].clone();
        }
        let mut body = whole.to_string().into_bytes();
        let padding = usize::try_from(answer["padded_bytes"].as_u64().unwrap_or(0)).unwrap();
        body.resize(body.len() + padding, b' ');
        body
    }
}

/// The part of a lineage apart for some heights; `None` where the proof has its own.
fn apart(
    genesis: &ChainGenesis,
    own: &Lineage,
    heights: impl Iterator<Item = Height>,
    lineage: Option<&[u8]>,
) -> Result<Option<Trust>, String> {
    let Some(lineage) = lineage.filter(|_| own.0.is_empty()) else { return Ok(None) };
    let mut walk = Walk::new(genesis, heights);
    walk_over(lineage, &mut walk).map_err(|error| error.to_string())?;
    Ok(Some(walk.finish()))
}

/// Why bytes prove nothing.
fn verify(bytes: &[u8], genesis: &ChainGenesis, lineage: Option<&[u8]>) -> Result<(), String> {
    if bytes.starts_with(&RECORD_PROOF_MAGIC) {
        let proof = RecordProof::decode(bytes).map_err(|error| error.to_string())?;
        let trust = apart(genesis, &proof.lineage, proof.heights(), lineage)?;
        let verified = trust.map_or_else(|| proof.verify(genesis), |trust| proof.verify_by(&trust));
        return verified.map_err(|error| error.to_string());
    }
    let receipt = Receipt::decode(bytes).map_err(|error| error.to_string())?;
    let trust = apart(genesis, &receipt.lineage, receipt.heights(), lineage)?;
    let verified = match trust {
        Some(trust) => receipt.verify_by(genesis, &trust),
        None => receipt.verify(genesis),
    };
    verified.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn forged_proofs_are_refused_and_honest_ones_hold() {
    let table = Table::read();
    let entries = list(&table.table["proofs"]);
    assert!(entries.len() > 15);
    for entry in entries {
        let lineage = entry.get("lineage").map(|lineage| table.bytes(lineage));
        let genesis = table.genesis(&entry["genesis"]);
        let verified = verify(&table.bytes(entry), &genesis, lineage.as_deref());
        let found = if verified.is_ok() { "valid" } else { "invalid" };
        assert_eq!(found, entry["verdict"], "{}: {verified:?}", entry["name"]);
    }
}

/// A node that gives one answer, always, and writes down what it was asked.
struct Node {
    url: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Node {
    async fn serving(table: &Arc<Table>, answer: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (table, answer, calls) = (Arc::clone(table), answer.clone(), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (table, answer, calls) = (Arc::clone(&table), answer.clone(), calls.clone());
                tokio::spawn(async move { serve(socket, &table, &answer, &calls).await });
            }
        });
        Self { url, asked }
    }
}

/// Answers one request and closes. A client may close before: then nothing is answered.
async fn serve(mut socket: TcpStream, table: &Table, answer: &Value, calls: &Mutex<Vec<Value>>) {
    let Some(call) = request(&mut socket).await else { return };
    let body = table.body(answer, &call["id"]);
    calls.lock().unwrap().push(call);
    let cut = answer["cut"].as_u64().map(|cut| usize::try_from(cut).unwrap());
    if cut == Some(0) {
        return;
    }
    let status = answer["status"].as_u64().unwrap_or(200);
    let mut head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
    head += &format!("content-length: {}\r\n", body.len());
    if answer["headers"]["content-type"].is_null() {
        head += "content-type: application/json\r\n";
    }
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        head += &format!("{name}: {}\r\n", text(value));
    }
    head += "\r\n";
    let whole = [head.as_bytes(), &body[..cut.unwrap_or(body.len())]].concat();
    let _ = socket.write_all(&whole).await;
    let _ = socket.shutdown().await;
}

/// The JSON of a request.
async fn request(socket: &mut TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.unwrap().trim().parse().unwrap();
        if bytes.len() >= end + 4 + length {
            return serde_json::from_slice(&bytes[end + 4..]).ok();
        }
    }
}

/// The verdict of a client that asks these nodes, in this order. `expected` says for how long.
async fn judged(table: &Table, nodes: &[&Node], entry: &Value, expected: &str) -> &'static str {
    let urls: Vec<_> = nodes.iter().map(|node| node.url.clone()).collect();
    let client = Client::new(&urls).unwrap();
    let order = table.order();
    let outcome: Result<(), CallError> = match text(&entry["call"]) {
        "submit" => {
            let timeout = if expected == "open" { OPEN } else { PATIENCE };
            client.submit(0, table.batch(), Wait::Final, timeout).await.map(|_| ())
        }
        "order" => {
            let height = Height::new(entry["min_height"].as_u64().unwrap_or(0));
            client.order(order, height).await.map(|_| ())
        }
        _ => client.verified_receipt(order, &table.genesis(&Value::Null)).await.map(|_| ()),
    };
    match outcome {
        Ok(()) => "answered",
        Err(error) if error.is_refusal() => "refused",
        Err(_) => "open",
    }
}

async fn judge(table: Arc<Table>, entry: Value) {
    let name = text(&entry["name"]);
    let hostile = Node::serving(&table, &entry["response"]).await;
    let honest = Node::serving(&table, &table.table["honest"][text(&entry["call"])]).await;
    let alone = text(&entry["alone"]);
    assert_eq!(judged(&table, &[&hostile], &entry, alone).await, alone, "{name}: alone");
    let after = text(&entry["after"]);
    let found = judged(&table, &[&hostile, &honest], &entry, after).await;
    assert_eq!(found, after, "{name}: after");
    // Whatever came back, the same bytes and ids went out, and no others.
    let hostile = hostile.asked.lock().unwrap().clone();
    let calls = hostile.into_iter().chain(honest.asked.lock().unwrap().clone());
    let sent: std::collections::BTreeSet<_> = calls.map(|call| what_went_out(&call)).collect();
    assert_eq!(sent.len(), 1, "{name}: {sent:?}");
}

/// The method of a call, and the bytes or the id that went out with it.
fn what_went_out(call: &Value) -> String {
    let params = &call["params"];
    let first = params.get(0).or(params.get("bytes_base64")).or(params.get("order_id"));
    format!("{} {}", call["method"], first.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_answers_get_the_verdicts_of_the_table() {
    let table = Arc::new(Table::read());
    let entries = list(&table.table["answers"]).to_vec();
    assert!(entries.len() > 40);
    let judging = entries.into_iter().map(|entry| judge(Arc::clone(&table), entry));
    futures::future::join_all(judging).await;
}
