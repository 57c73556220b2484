//! Hostile clients at the public port of a real node: tens of thousands of inputs made from the
//! methods' own signatures, each of which must get the answer that the rules give it, while the
//! node stays as small, as quiet and as useful to others as before.
//!
//! `SLUICE_SEED=N` repeats a run; `SLUICE_LONG` sends ten times as many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod batches;
mod client;
mod frames;
mod holders;
mod http;
mod json;
mod messages;
mod oracle;
mod random;
mod stranger;
#[path = "../support/mod.rs"]
mod support;
mod values;
mod watch;
mod world;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use messages::Maker;
use oracle::{Place, Reply, judge};
use random::Random;
use stranger::Stranger;
use support::Network;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use watch::{Held, Seen, Watch, at_rest};
use world::World;

/// The node at whose port the strangers are.
const NODE: usize = 0;
/// Strangers at once, each at an address of its own.
const STRANGERS: u8 = 24;
/// The last part of the first stranger's address.
const FIRST: u8 = 20;
/// Large inputs at once, so that there is room for each and its answer is certain.
const LARGE_AT_ONCE: usize = 2;
const LARGE_BYTES: usize = 256 * 1024;
/// How often each stranger sends all large inputs when all send them at once.
const CROWD_ROUNDS: usize = 2;
/// Inputs of an ordinary run, and of a long one.
const INPUTS: usize = 40_000;
const INPUTS_LONG: usize = 400_000;
/// How much larger a node may become than one that honest clients ask as much.
const MEMORY_MIB_MAX: u64 = 64;
/// Descriptors of the strangers' own connections, of those who hold, and some for the store.
const DESCRIPTORS_MAX: u64 = 2 * STRANGERS as u64 + 256 + 64;
/// Bytes of log at once, and a second: some lines of the node's own.
const LOG_BYTES_MAX: u64 = 64 * 1024;
const LOG_BYTES_PER_S_MAX: u64 = 2 * 1024;
/// Lines that the log's bounds may hold back: a line a call would be tens of thousands.
const LINES_HELD_BACK_MAX: f64 = 200.0;

/// One thing that a stranger sends.
#[derive(Debug, Clone)]
pub struct Input {
    pub kind: &'static str,
    pub bytes: Vec<u8>,
    pub via: Via,
    /// Its answer, where it was worked out before.
    pub reply: Option<Reply>,
}

/// How it is sent.
#[derive(Debug, Clone)]
pub enum Via {
    /// As the body of a POST, over a connection that stays.
    Post,
    /// As a message over a WebSocket that stays.
    Socket,
    Binary,
    Fragments(usize),
    /// As a connection's bytes.
    Http(http::Shape),
    Frames(frames::Shape),
}

impl Input {
    pub fn new(kind: &'static str, bytes: Vec<u8>, via: Via) -> Self {
        Self { kind, bytes, via, reply: None }
    }

    /// Returns the reply that the node must give.
    pub fn reply(&self, world: &World) -> Reply {
        let place = if matches!(self.via, Via::Post) { Place::Http } else { Place::Socket };
        self.reply.clone().unwrap_or_else(|| judge(world, &self.bytes, place))
    }

    /// Shows the input to people.
    fn shown(&self) -> String {
        let bytes = match &self.via {
            Via::Http(shape) => &shape.bytes,
            Via::Frames(shape) => return format!("frames {:02x?}", head_of(&shape.bytes, 60)),
            _ => &self.bytes,
        };
        let way = match self.via {
            Via::Post => "in a POST",
            Via::Http(_) => "over HTTP",
            _ => "over a WebSocket",
        };
        format!("{} bytes {way}: {:?}", bytes.len(), String::from_utf8_lossy(head_of(bytes, 400)))
    }
}

fn head_of(bytes: &[u8], len: usize) -> &[u8] {
    &bytes[..bytes.len().min(len)]
}

/// The port of a node for clients.
fn port(network: &Network, node: usize) -> SocketAddr {
    let mut address = network.peer_address(node);
    address.set_port(address.port() + 1);
    address
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The result of a run of inputs.
#[derive(Debug, Default)]
struct Outcome {
    wrong: Vec<String>,
    /// How often one was sent again, because the node said so.
    put_off: usize,
    /// The time spent with inputs of each kind, all strangers together.
    spent: BTreeMap<&'static str, Duration>,
    slowest: (Duration, String),
}

/// Sends all inputs, by many strangers at once.
async fn send_all(world: &Arc<World>, node: SocketAddr, inputs: Vec<Input>) -> Outcome {
    let (inputs, next) = (Arc::new(inputs), Arc::new(AtomicUsize::new(0)));
    let large = Arc::new(Semaphore::new(LARGE_AT_ONCE));
    let mut strangers = JoinSet::new();
    for at in 0..STRANGERS {
        let (world, inputs, next) = (world.clone(), inputs.clone(), next.clone());
        let large = large.clone();
        strangers.spawn(async move {
            let mut stranger = Stranger::new(&world, node, FIRST + at);
            let mut outcome = Outcome::default();
            while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let is_large = input.bytes.len() > LARGE_BYTES || input.kind == "heavy";
                let _permit = match is_large {
                    true => Some(large.acquire().await.expect("it is open")),
                    false => None,
                };
                let started = Instant::now();
                if let Err(what) = stranger.send(input).await {
                    outcome.wrong.push(format!("{}: {what}; sent {}", input.kind, input.shown()));
                }
                let spent = started.elapsed();
                *outcome.spent.entry(input.kind).or_default() += spent;
                if spent > outcome.slowest.0 {
                    outcome.slowest = (spent, format!("{}: {}", input.kind, input.shown()));
                }
            }
            outcome.put_off = stranger.put_off;
            outcome
        });
    }
    let mut all = Outcome::default();
    while let Some(ended) = strangers.join_next().await {
        let outcome = ended.expect("a stranger does not panic");
        all.wrong.extend(outcome.wrong);
        all.put_off += outcome.put_off;
        all.slowest = all.slowest.max(outcome.slowest);
        for (kind, spent) in outcome.spent {
            *all.spent.entry(kind).or_default() += spent;
        }
    }
    all
}

/// Has all strangers send these at once, each all of them; gives how many were answered, and how
/// many the node had no room for.
async fn crowd(
    world: &Arc<World>,
    node: SocketAddr,
    mut inputs: Vec<Input>,
) -> (usize, usize, Vec<String>) {
    // So that the strangers are faster than the node.
    for input in &mut inputs {
        input.reply = Some(input.reply(world));
    }
    let inputs = Arc::new(inputs);
    let mut strangers = JoinSet::new();
    for at in 0..STRANGERS {
        let (world, inputs) = (world.clone(), inputs.clone());
        strangers.spawn(async move {
            let mut stranger = Stranger::new(&world, node, FIRST + at);
            let (mut answered, mut refused, mut wrong) = (0, 0, Vec::new());
            let shift = usize::from(at) * inputs.len() / usize::from(STRANGERS);
            let all = inputs.iter().cycle().skip(shift).take(inputs.len() * CROWD_ROUNDS);
            for input in all {
                match stranger.send_in_crowd(input).await {
                    Ok(true) => answered += 1,
                    Ok(false) => refused += 1,
                    Err(what) => wrong.push(format!("{what}; sent {}", input.shown())),
                }
            }
            (answered, refused, wrong)
        });
    }
    let (mut answered, mut refused, mut wrong) = (0, 0, Vec::new());
    while let Some(ended) = strangers.join_next().await {
        let (some, others, complaints) = ended.expect("a stranger does not panic");
        (answered, refused) = (answered + some, refused + others);
        wrong.extend(complaints);
    }
    (answered, refused, wrong)
}

fn count_kinds(inputs: &[Input]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for input in inputs {
        *counts.entry(input.kind).or_insert(0) += 1;
    }
    counts
}

/// Every input of a run: what the signatures give once, then noise up to the number.
fn hostile(maker: &mut Maker<'_>, count: usize, rounds: usize) -> Vec<Input> {
    let honest: Vec<String> = ["chain_id", "chain_head", "node_health", "chain_parameters"]
        .map(|method| format!(r#"{{"jsonrpc":"2.0","id":5,"method":"{method}"}}"#))
        .to_vec();
    let mut inputs = maker.parameters();
    inputs.extend(maker.envelopes());
    inputs.extend(maker.prefixes());
    inputs.extend(maker.lists());
    inputs.extend(maker.depths());
    inputs.extend(maker.batches());
    inputs.extend(maker.heavy());
    inputs.extend(http::inputs(&honest, &mut maker.random, rounds));
    inputs.extend(frames::inputs(&honest, &mut maker.random, rounds));
    let noise = count.saturating_sub(inputs.len());
    inputs.extend(maker.noise(noise));
    maker.random.shuffle(&mut inputs);
    inputs
}

fn judge_seen(seen: &Seen, normal: &Seen) {
    let allowed = normal.memory_mib_max + MEMORY_MIB_MAX;
    assert!(seen.memory_mib_max <= allowed, "memory: {seen:?}, normally {normal:?}");
    assert!(
        seen.descriptors_max <= normal.descriptors_max + DESCRIPTORS_MAX,
        "{seen:?} {normal:?}"
    );
    let log_max = LOG_BYTES_MAX + LOG_BYTES_PER_S_MAX * (1 + seen.elapsed.as_secs());
    assert!(seen.log_bytes <= log_max, "the log: {seen:?}, at most {log_max} bytes");
    assert!(seen.lines_held_back <= LINES_HELD_BACK_MAX, "lines: {seen:?}");
    assert!(seen.honest_calls > 0 && seen.blocks > 0, "others are served: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_input_gets_its_answer_and_costs_the_node_nothing() {
    let seed = number("SLUICE_SEED").unwrap_or(20_261_129);
    let count = if std::env::var_os("SLUICE_LONG").is_some() { INPUTS_LONG } else { INPUTS };
    println!("SLUICE_SEED={seed} repeats it");
    let mut network = Network::started(&[]).await;
    let world = Arc::new(World::of(&network, NODE).await);
    let node = port(&network, NODE);
    let mut maker = Maker { world: &world, random: Random::new(seed) };

    // What as many right calls cost.
    let honest: Vec<Input> = maker.honest().into_iter().cycle().take(count).collect();
    let watch = Watch::over(&network, NODE).await;
    let outcome = send_all(&world, node, honest).await;
    let normal = watch.end(&network, NODE).await;
    println!("normal: {normal:?}");
    complain(seed, "right", count, &outcome.wrong);
    let at_first = Held::of(network.pid(NODE));
    at_rest(&network, NODE, at_first.descriptors + 8).await;

    let inputs = hostile(&mut maker, count, count / 10_000);
    let (sent, counts) = (inputs.len(), count_kinds(&inputs));
    println!("{sent} inputs: {counts:?}");
    assert!(sent >= count);
    holders::end_of_another(node, FIRST).await.unwrap();
    let watch = Watch::over(&network, NODE).await;
    let held = holders::open(node, FIRST - 1).await.unwrap();
    let outcome = send_all(&world, node, inputs).await;
    drop(held);
    let seen = watch.end(&network, NODE).await;
    println!("hostile: {seen:?}; sent again: {}", outcome.put_off);
    println!("time: {:?}; slowest: {:?}", outcome.spent, outcome.slowest);
    complain(seed, "hostile", sent, &outcome.wrong);
    judge_seen(&seen, &normal);

    let heavy = maker.heavy();
    let watch = Watch::over(&network, NODE).await;
    let (answered, refused, wrong) = crowd(&world, node, heavy).await;
    let seen = watch.end(&network, NODE).await;
    println!("crowd: {seen:?}; answered: {answered}, no room for: {refused}");
    complain(seed, "crowded", answered + refused, &wrong);
    assert!(answered > 0);
    judge_seen(&seen, &normal);

    at_rest(&network, NODE, at_first.descriptors + 8).await;
    let after = Held::of(network.pid(NODE));
    println!("after: {after:?}; the log ends: {}", network.log(NODE));
    assert!(after.memory_mib <= normal.memory_mib_max + MEMORY_MIB_MAX, "{after:?} {normal:?}");
    for node in 0..4 {
        assert!(network.is_running(node), "{}", network.log(node));
        assert!(!network.whole_log(node).contains("panicked"), "{}", network.log(node));
    }
}

/// Fails with what was wrong, the first of each sort.
fn complain(seed: u64, what: &str, count: usize, wrong: &[String]) {
    let mut sorts: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for complaint in wrong {
        sorts.entry(complaint.chars().take(40).collect()).or_insert((0, complaint)).0 += 1;
    }
    let shown: Vec<String> =
        sorts.values().map(|(times, first)| format!("{times} times {first:.1500}")).collect();
    assert!(
        wrong.is_empty(),
        "SLUICE_SEED={seed}: {} of {count} {what} inputs were answered wrongly:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}
