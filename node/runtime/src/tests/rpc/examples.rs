//! The example of every method, run against a live node: its parameters and its answer are judged
//! by the method's own schemas, and are what rpc/api/examples.json keeps for `rpc.discover` and
//! docs/rpc.md. `SLUICE_WRITE_PAGES=1` records them anew.

use chain_types::{ListedChangeItem, QuoteId, RegistrarLimits};
use node_replica::Input;
use rpc_api::document::{RecordedCall, document_value};
use rpc_api::{Method, methods};
use serde_json::{Map, json};

use super::*;
use crate::tests::evidence::votes_of;

const RECORDS: &str = "../../rpc/api/examples.json";
/// Calls that are refused, with their whole answers, for docs/rpc.md.
const REFUSALS: &str = "../../rpc/api/refusals.json";
const REFUSED: [(&str, &str); 3] = [
    ("governance_merchant", r#"{"merchant": "9"}"#),
    ("settlement_window", r#"{"window": "1"}"#),
    ("chain_heads", "{}"),
];
const REGISTRAR: ParticipantId = ParticipantId::new(601);
/// The longest base64 text that is recorded whole; of a longer one its first letters are kept.
const BASE64_LETTERS_MAX: usize = 64;
/// Fields that differ from run to run, each with the value that is recorded in its place.
const VOLATILE: [(&str, u64); 6] = [
    ("uptime_ms", 60_000),
    ("last_block_age_ms", 120),
    ("said_age_ms", 40),
    ("made_at_ms", 1_800_000_190_600),
    ("valid_until_ms", 1_800_000_192_600),
    ("capacity_items_per_s", 100_000),
];

/// A chain that has something of everything that a method tells.
fn example_chain() -> Chain {
    let mut genesis = served_genesis();
    genesis.parameters.rates_min = 2;
    let roles = Roles::MERCHANT_REGISTRAR;
    let public_key = key(1, REGISTRAR.get()).public_key();
    genesis.participants.push(Participant::new(REGISTRAR, "registrar".into(), roles, public_key));
    let mut chain = Chain::of(genesis);
    chain.evidence = vec![votes_of(&chain, 1)];
    let _ = busy(&mut chain);
    let limits = RegistrarLimits { gateway: BANK_B, added_max: 10, changed_max: 5 };
    chain.govern(&Change::Registrar { participant: REGISTRAR, limits });
    let deadline_ms = chain.genesis.parameters.deadline_domestic_ms;
    chain.block(deadline_ms, vec![]);
    chain.block(200, vec![]);
    let until = chain.time().plus(2_000);
    let quotes = PROVIDERS.map(|provider| {
        let rate = RateItem::new((CNY, USD), (140, 3), chain.time());
        assert_eq!(chain.say(provider, rate), Outcome::APPLIED);
        (provider, rate.quote(QuoteId::of(provider, 7), Amount::new(9_000), until))
    });
    for (provider, quote) in quotes {
        assert_eq!(chain.say(provider, quote), Outcome::APPLIED);
    }
    // Those before waited for longer than an order may.
    let order = chain.recharge(HOLD_ABOVE + 5, 0);
    assert_eq!(chain.say(SERVICE, order), Outcome::HELD);
    open_list(&mut chain);
    chain
}

/// Lists the ids that a row's example can name, for its author.
fn known(chain: &mut Chain) -> String {
    let order = chain.recharge(1_000, Flags::COLLECTED);
    let batch = chain.batch(BANK_A, &key(4, BANK_A.get()), &[order]);
    let first = chain.store.block(Height::new(2)).unwrap().unwrap().block.batches[0];
    format!(
        "the chain of this test is at height {} and time {}; its first order's batch is {first}; \
         a batch that it takes is {}",
        chain.height(),
        chain.time(),
        rpc_api::encode_base64(batch.bytes()),
    )
}

/// A list of two changes, and a proposal of it that waits for its height.
fn open_list(chain: &mut Chain) {
    let suspend = |merchant| Change::MerchantSuspended { merchant, suspended: true };
    let items = [SHOP, SHOP_B].map(|merchant| ListedChangeItem::new(&suspend(merchant)).unwrap());
    let batch = chain.batch(OPERATOR, &key(1, OPERATOR.get()), &items);
    assert_eq!(chain.block(200, vec![batch]), [[Outcome::APPLIED; 2]]);
    let digest = ListedChangeItem::list_digest(&items);
    let id = ProposalId::from_bytes(OrderId::new(chain.time(), [0x11; 10]).bytes());
    let activation = Height::new(chain.height().get() + 50);
    let item = ProposalItem::new(id, activation, &Change::List { digest, count: 2 }).unwrap();
    assert_eq!(chain.say(OPERATOR, item), Outcome::APPLIED);
}

/// Judges a value by a schema of the document.
fn judge(document: &Value, schema: &Value, value: &Value, what: &str) -> Result<(), String> {
    let whole = json!({ "allOf": [schema], "components": document["components"] });
    let validator = jsonschema::draft7::new(&whole).unwrap();
    let faults: Vec<String> = (validator.iter_errors(value))
        .map(|fault| format!("{}: {fault}", fault.instance_path))
        .collect();
    match faults.is_empty() {
        true => Ok(()),
        false => Err(format!("{what} is not as its schema says: {}", faults.join("; "))),
    }
}

/// The row of a method in the document.
fn described<'a>(document: &'a Value, name: &str) -> &'a Value {
    let rows = document["methods"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap()
}

/// A row's parameters, each valid by its own schema.
fn params_of(document: &Value, method: &Method) -> Result<Map<String, Value>, String> {
    let params: Map<String, Value> =
        serde_json::from_str(method.example).map_err(|error| format!("its example: {error}"))?;
    let listed = described(document, method.name)["params"].as_array().unwrap();
    for (name, value) in &params {
        let known = listed.iter().find(|one| one["name"] == name.as_str());
        let known = known.ok_or_else(|| format!("it has no parameter {name}"))?;
        judge(document, &known["schema"], value, name)?;
    }
    Ok(params)
}

/// An answer as it is recorded: long base64 texts are cut, and what differs each time is fixed.
fn recorded(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(recorded).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let fixed = VOLATILE.iter().find(|(volatile, _)| volatile == name);
                let value = match (fixed, value) {
                    (Some((_, fixed)), _) => json!(fixed),
                    // It is signed anew each time.
                    (_, Value::String(_)) if name == "signed_base64" => json!("AAAA"),
                    (_, Value::String(text)) if name.ends_with("_base64") => {
                        json!(&text[..text.len().min(BASE64_LETTERS_MAX)])
                    }
                    (_, value) => recorded(value),
                };
                (name.clone(), value)
            };
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

/// The document would stand in its own example: its lists are left empty.
fn without_lists(mut document: Value) -> Value {
    document["methods"] = json!([]);
    document["components"] = json!({});
    document
}

/// Admits a batch that was submitted meanwhile: the test is the driver.
fn admit(server: &Served) {
    if let Ok(Input::Submit { batch, token }) = server.inputs.recv_timeout(Duration::ZERO) {
        server.node.waiting.add(batch.id());
        server.node.hub.submitted(token, Ok(()));
    }
}

/// Calls a method, and gives its whole answer.
async fn answer(server: &Served, method: &str, params: &Map<String, Value>) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = request.to_string();
    let mut posting = std::pin::pin!(server.post(&request));
    loop {
        tokio::select! {
            answer = &mut posting => return answer,
            () = tokio::time::sleep(Duration::from_millis(5)) => admit(server),
        }
    }
}

/// Calls one method as its row says.
async fn call(
    server: &Served,
    method: &Method,
    params: &Map<String, Value>,
) -> Result<Value, String> {
    let mut answer = answer(server, method.name, params).await;
    match answer.get("result") {
        Some(_) => Ok(answer["result"].take()),
        None => Err(format!("its example is refused; write one that the chain answers: {answer}")),
    }
}

/// A WebSocket of frames by hand, so that a notification is seen as it is sent.
struct Socket(TcpStream);

impl Socket {
    async fn open(server: &Served) -> Self {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
            upgrade: websocket\r\nsec-websocket-version: 13\r\n\
            sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            seen.push(stream.read_u8().await.unwrap());
        }
        assert!(seen.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&seen));
        Self(stream)
    }

    /// Sends a short text, masked with zeros.
    async fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend(length);
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.write_all(&frame).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let [_, short] = [self.0.read_u8().await.unwrap(), self.0.read_u8().await.unwrap()];
        let length = match short {
            126 => u64::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut text = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut text).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// Subscribes as a row says, and takes the first event; ends the subscription as the row says.
async fn subscribe(
    server: &Served,
    method: &Method,
    params: &Map<String, Value>,
) -> (Value, Value) {
    let events = method.subscription.unwrap();
    let mut socket = Socket::open(server).await;
    let begin = json!({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": params});
    socket.send(&begin).await;
    let begun = socket.receive().await;
    let id = begun["result"].clone();
    let notification = socket.receive().await;
    assert_eq!(notification["method"], events.notification, "{begun}, {notification}");
    assert_eq!(notification["params"]["subscription"], id);
    let end = json!({"jsonrpc": "2.0", "id": 2, "method": events.unsubscribe, "params": [id]});
    socket.send(&end).await;
    // More events may come before the answer.
    let ended = loop {
        let message = socket.receive().await;
        if message["id"] == 2 {
            break message;
        }
    };
    assert_eq!(ended["result"], true, "{ended}");
    (id, notification)
}

/// Runs a row's example, and judges what it gives; the call as it is recorded.
async fn run(
    server: &Served,
    document: &Value,
    method: &'static Method,
) -> Result<RecordedCall, String> {
    let params = params_of(document, method)?;
    let described = described(document, method.name);
    let schema = &described["result"]["schema"];
    if method.subscription.is_some() {
        let (id, mut notification) = subscribe(server, method, &params).await;
        judge(document, schema, &id, "its answer")?;
        let events = &described["x-subscription"]["params"];
        judge(document, events, &notification["params"], "its event")?;
        notification["params"]["subscription"] = json!(7);
        let notification = Some(recorded(&notification));
        return Ok(RecordedCall { params, result: json!(7), notification });
    }
    let answer = call(server, method, &params).await?;
    judge(document, schema, &answer, "its answer")?;
    let result = match method.name {
        "rpc.discover" => without_lists(answer),
        _ => recorded(&answer),
    };
    judge(document, schema, &result, "its recorded answer")?;
    Ok(RecordedCall { params, result, notification: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs_live_and_is_judged_by_its_own_schema() {
    let mut chain = example_chain();
    let known = known(&mut chain);
    let server = Served::start(chain).await;
    let (document, mut calls) = (document_value().unwrap(), BTreeMap::new());
    let mut complaints = Vec::new();
    for method in methods() {
        match run(&server, &document, method).await {
            Ok(call) => _ = calls.insert(method.name, serde_json::to_value(call).unwrap()),
            Err(complaint) => complaints.push(format!("{}: {complaint}", method.name)),
        }
    }
    assert!(complaints.is_empty(), "{}\n{known}", complaints.join("\n"));
    keep(RECORDS, &calls);
}

/// Compares calls by their methods with those that a file keeps; writes the file if asked for.
fn keep(file: &str, calls: &BTreeMap<&'static str, Value>) {
    if std::env::var_os("SLUICE_WRITE_PAGES").is_some() {
        std::fs::write(file, serde_json::to_string_pretty(calls).unwrap() + "\n").unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap();
    let kept: BTreeMap<String, Value> = serde_json::from_str(&kept).unwrap();
    for (name, call) in calls {
        let kept = kept.get(*name).unwrap_or(&Value::Null);
        assert_eq!(kept, call, "{file}: {name} is answered otherwise; SLUICE_WRITE_PAGES=1");
    }
    assert_eq!(kept.len(), calls.len(), "{file} has a method that is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_refusal_runs_live_and_its_data_is_as_the_document_says() {
    let server = Served::start(example_chain()).await;
    let (document, mut calls) = (document_value().unwrap(), BTreeMap::new());
    let of_data = json!({ "$ref": "#/components/schemas/ErrorData" });
    for (method, params) in REFUSED {
        let params = serde_json::from_str(params).unwrap();
        let answer = answer(&server, method, &params).await;
        if let Some(data) = answer["error"].get("data") {
            judge(&document, &of_data, data, method).unwrap();
        }
        let code = answer["error"]["code"].as_i64().unwrap();
        let known = document["components"]["errors"].as_object().unwrap().values();
        assert_eq!(known.filter(|error| error["code"] == code).count(), 1, "{answer}");
        calls.insert(method, json!({ "params": params, "answer": answer }));
    }
    keep(REFUSALS, &calls);
}
