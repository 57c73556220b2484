//! One stranger: it sends inputs over its own connections, one after another, and holds each
//! answer against what the oracle allows.

use std::net::SocketAddr;
use std::time::Duration;

use rpc_api::ApiError;
use serde_json::{Value, json};

use crate::client::{BINARY, CLOSE, CONTINUE, TEXT, Wire, frame, post};
use crate::oracle::{Allowed, Reply, check};
use crate::world::World;
use crate::{Input, Via, frames, http};

/// How often an input is sent again that a node puts off: each time it says that it may pass.
const TRIES_MAX: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// A stranger at a node's port.
pub struct Stranger<'a> {
    pub world: &'a World,
    pub node: SocketAddr,
    /// The last part of its address.
    pub from: u8,
    http: Option<Wire>,
    socket: Option<Wire>,
    /// Inputs that were put off and sent again.
    pub put_off: usize,
}

/// Why an input fails; `PutOff` is the node's word that the same may pass later.
enum Trouble {
    PutOff,
    Wrong(String),
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self::Wrong(what)
    }
}

impl<'a> Stranger<'a> {
    pub fn new(world: &'a World, node: SocketAddr, from: u8) -> Self {
        Self { world, node, from, http: None, socket: None, put_off: 0 }
    }

    /// Sends an input while more come than the node has room for: it may refuse it for now, or
    /// cut the connection that holds most, and answers rightly otherwise. Gives whether it did.
    pub async fn send_in_crowd(&mut self, input: &Input) -> Result<bool, String> {
        match self.try_to(input).await {
            Ok(()) => Ok(true),
            Err(Trouble::PutOff) => Ok(false),
            Err(Trouble::Wrong(what)) => {
                (self.http, self.socket) = (None, None);
                if is_cut(&what) { Ok(false) } else { Err(what) }
            }
        }
    }

    /// Sends an input; says what is wrong with its answer.
    pub async fn send(&mut self, input: &Input) -> Result<(), String> {
        for _ in 0..TRIES_MAX {
            match self.try_to(input).await {
                Ok(()) => return Ok(()),
                Err(Trouble::PutOff) => {
                    self.put_off += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Trouble::Wrong(what)) => {
                    (self.http, self.socket) = (None, None);
                    return Err(what);
                }
            }
        }
        Err("it is put off for ever".to_owned())
    }

    async fn try_to(&mut self, input: &Input) -> Result<(), Trouble> {
        match &input.via {
            Via::Post => self.post(input).await,
            Via::Socket | Via::Binary | Via::Fragments(_) => self.over_socket(input).await,
            Via::Http(shape) => Ok(http::run(self.node, self.from, shape).await?),
            Via::Frames(shape) => Ok(frames::run(self.node, self.from, shape).await?),
        }
    }

    async fn post(&mut self, input: &Input) -> Result<(), Trouble> {
        let (body, reply) = (&input.bytes, input.reply(self.world));
        let mut wire = match self.http.take() {
            Some(wire) => wire,
            None => Wire::open(self.from, self.node).await?,
        };
        let response =
            wire.send_and_read_head(&post(body), false).await?.ok_or("no answer".to_owned())?;
        if reply == Reply::TooLarge {
            let answer = response.json()?;
            return Ok(is_too_large(response.status == 413, &answer)?);
        }
        let expected = if reply == Reply::Nothing { 204 } else { 200 };
        // Over budget, no room, or a body that came slowly: all may pass.
        if matches!(response.status, 408 | 429 | 503) {
            return Err(Trouble::PutOff);
        }
        if response.status != expected {
            return Err(format!("HTTP {}", response.status).into());
        }
        if reply != Reply::Nothing {
            judge_answer(&response.json()?, &reply)?;
        } else if !response.body.is_empty() {
            return Err("an answer to a notification".to_owned().into());
        }
        if response.closes() || wire.has_surplus() {
            return Err("it closes, or says more than it was asked".to_owned().into());
        }
        self.http = Some(wire);
        Ok(())
    }

    async fn over_socket(&mut self, input: &Input) -> Result<(), Trouble> {
        let (bytes, reply) = (&input.bytes, input.reply(self.world));
        let mut wire = match self.socket.take() {
            Some(wire) => wire,
            None => Wire::open(self.from, self.node).await?.upgrade().await?,
        };
        if wire.has_surplus() && !may_have_events(&mut wire).await? {
            return Err("it says more than it was asked".to_owned().into());
        }
        let is_text = !matches!(input.via, Via::Binary);
        let code = if is_text { TEXT } else { BINARY };
        let sent = match input.via {
            Via::Fragments(count) => in_fragments(bytes, count),
            _ => frame(code, true, bytes),
        };
        // It may close before it has read all.
        let sending = wire.send(&sent).await;
        if reply == Reply::TooLarge {
            let answer = wire.message().await?;
            is_too_large(true, &answer)?;
            return Ok(closes_with(&mut wire, &[1009]).await?);
        }
        if is_text && std::str::from_utf8(bytes).is_err() {
            return Ok(closes_with(&mut wire, &[1007]).await?);
        }
        sending?;
        if reply == Reply::Nothing {
            wire.send(&frame(TEXT, true, after().to_string().as_bytes())).await?;
            let answer = wire.message().await?;
            if answer["id"] != "after" {
                return Err(format!("an answer to a notification: {answer}").into());
            }
        } else {
            let answer = wire.message().await?;
            judge_answer(&answer, &reply)?;
            self.unsubscribe(&mut wire, bytes, &answer).await?;
        }
        self.socket = Some(wire);
        Ok(())
    }

    /// Ends a subscription that an input began.
    async fn unsubscribe(
        &self,
        wire: &mut Wire,
        request: &[u8],
        answer: &Value,
    ) -> Result<(), String> {
        if !request.windows(9).any(|window| window == b"subscribe") {
            return Ok(());
        }
        let Ok(request) = serde_json::from_slice::<Value>(request) else { return Ok(()) };
        let method = request["method"].as_str().unwrap_or_default();
        if !method.contains("_subscribe_") || answer.get("result").is_none() {
            return Ok(());
        }
        let end = json!({"jsonrpc": "2.0", "id": "end", "params": [answer["result"]],
            "method": method.replace("_subscribe_", "_unsubscribe_")});
        wire.send(&frame(TEXT, true, end.to_string().as_bytes())).await?;
        let ended = wire.message().await?;
        let is_ended = ended["id"] == "end" && ended["result"] == true;
        if is_ended { Ok(()) } else { Err(format!("not unsubscribed: {ended}")) }
    }
}

/// Returns true if a connection ended without an answer.
fn is_cut(what: &str) -> bool {
    let said = ["no answer", "no connection", "it closed", "half a ", "no message: None"];
    // Close frames with 1008 and 1013.
    let closed = ["no message: Some((8, [3, 240", "no message: Some((8, [3, 245"];
    let by_code = ["it closes with Some(1008)", "it closes with Some(1013)", "it closes without"];
    [said.as_slice(), &closed, &by_code].concat().iter().any(|start| what.starts_with(start))
}

/// A call whose answer shows that what was before it got none.
fn after() -> Value {
    json!({"jsonrpc": "2.0", "id": "after", "method": "chain_id"})
}

/// Returns true if what was read and not used is an event of a subscription that has just ended:
/// then it is passed over.
async fn may_have_events(wire: &mut Wire) -> Result<bool, String> {
    wire.send(&frame(TEXT, true, after().to_string().as_bytes())).await?;
    Ok(wire.message().await?["id"] == "after" && !wire.has_surplus())
}

fn in_fragments(bytes: &[u8], count: usize) -> Vec<u8> {
    let size = bytes.len().div_ceil(count.max(1)).max(1);
    let pieces: Vec<&[u8]> =
        if bytes.is_empty() { vec![&[]] } else { bytes.chunks(size).collect() };
    let last = pieces.len() - 1;
    let mut sent = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let code = if index == 0 { TEXT } else { CONTINUE };
        sent.extend(frame(code, index == last, piece));
    }
    sent
}

fn is_too_large(is_status: bool, answer: &Value) -> Result<(), String> {
    let is_code = answer["error"]["code"] == ApiError::BodyTooLarge.code();
    let is_right = is_status && is_code && answer["id"].is_null();
    if is_right { Ok(()) } else { Err(format!("it should be too large: {answer}")) }
}

/// Reads to the close frame, whose code must be one of these, and to the end.
pub async fn closes_with(wire: &mut Wire, codes: &[u16]) -> Result<(), String> {
    loop {
        match wire.frame().await? {
            Some((CLOSE, payload)) => {
                let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                if !code.is_some_and(|code| codes.contains(&code)) {
                    return Err(format!("it closes with {code:?}, not {codes:?}"));
                }
                let is_closed = wire.is_closed().await?;
                return if is_closed { Ok(()) } else { Err("more after a close".to_owned()) };
            }
            // Answers to what came before.
            Some(_) => {}
            None => return Err(format!("it closes without a word, not with {codes:?}")),
        }
    }
}

/// Codes that say: the same, a little later.
fn is_put_off(answer: &Value, allowed: &Allowed) -> bool {
    let passing = [
        ApiError::BudgetExceeded.code(),
        ApiError::NodeBusy.code(),
        ApiError::NodeBehind.code(),
        ApiError::CallTimeout.code(),
        i32::from(chain_types::Rejection::NotReady.code()),
    ];
    let code = answer["error"]["code"].as_i64().and_then(|code| i32::try_from(code).ok());
    code.is_some_and(|code| passing.contains(&code) && !allowed.codes.contains(&code))
}

fn judge_answer(answer: &Value, reply: &Reply) -> Result<(), Trouble> {
    let wrong = |what, allowed: &Allowed| Trouble::Wrong(format!("{what}: {answer}; {allowed:?}"));
    match reply {
        Reply::One(allowed) if is_put_off(answer, allowed) => Err(Trouble::PutOff),
        Reply::One(allowed) => check(answer, allowed).map_err(|what| wrong(what, allowed)),
        Reply::List(all) => {
            let answers = answer.as_array().filter(|answers| answers.len() == all.len());
            let Some(answers) = answers else {
                let text: String = answer.to_string().chars().take(300).collect();
                return Err(format!("not {} answers: {text}", all.len()).into());
            };
            if answers.iter().zip(all).any(|(answer, allowed)| is_put_off(answer, allowed)) {
                return Err(Trouble::PutOff);
            }
            for (answer, allowed) in answers.iter().zip(all) {
                check(answer, allowed)
                    .map_err(|what| Trouble::Wrong(format!("{what}: {answer}; {allowed:?}")))?;
            }
            Ok(())
        }
        Reply::Nothing | Reply::TooLarge => Err("the caller looked".to_owned().into()),
    }
}
