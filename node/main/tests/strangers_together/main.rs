//! Everything that strangers did to a node, all at once: from one address, and from 64. An honest
//! client at another address is never refused, the operator's paths always answer, the chain goes
//! on, and memory stays within its bounds. How long the honest client waits is printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attackers;
#[path = "../support/mod.rs"]
mod support;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use attackers::{Attackers, Target};
use rpc_api::Base64Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use support::{GATEWAYS, Network, collected, eventually};
use wire::{Http, request};

/// The honest client's address.
const HONEST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// Orders that it submits, before and during, and how often it looks each up.
const ORDERS: usize = 200;
const LOOK_UPS: usize = 10;
/// The memory that a node may take beyond a run without strangers, in MiB.
const MEMORY_MIB: u64 = 64;
/// The same for 64 addresses, which may hold all connections, subscriptions and bytes of answers at
/// once. It took 62 MiB when this was written.
const MEMORY_OF_ALL_MIB: u64 = 80;

/// How long each call took.
#[derive(Default)]
struct Waits {
    submit: Vec<Duration>,
    read: Vec<Duration>,
}

impl Waits {
    fn tell(&mut self, when: &str) {
        let mut told = |name: &str, all: fn(&mut Self) -> &mut Vec<Duration>| {
            let all = all(self);
            all.sort();
            let at = |per_cent: usize| all[(all.len() - 1) * per_cent / 100].as_secs_f64() * 1e3;
            println!("{when}: {name}: p50 {:.1}, p99 {:.1}, max {:.1} ms", at(50), at(99), at(100));
        };
        told("an order until final", |waits| &mut waits.submit);
        told("a read", |waits| &mut waits.read);
    }
}

/// One connection of a recharge service, which submits orders one by one and looks each up.
struct Honest<'a> {
    network: &'a Network,
    rpc: SocketAddr,
    http: Http,
}

impl<'a> Honest<'a> {
    /// Makes all calls of an honest client and returns the time that it waited for them. It runs on
    /// a thread that asks for short turns on the processor. A client has a machine of its own; here
    /// its thread would wait for those of the strangers.
    fn at_work(network: &'a Network, rpc: SocketAddr) -> Waits {
        let alone = || {
            // Where the system refuses, the figures are those of a crowded machine.
            let _ = rpc_server::ask_for_short_turns();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let http = Http::connect(HONEST, rpc).await.expect("a connection");
                Self { network, rpc, http }.work().await
            })
        };
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| scope.spawn(alone).join().expect("it was never refused"))
        })
    }

    /// The result of a call that must not be refused.
    async fn call(&mut self, method: &str, params: &str) -> Value {
        let (status, body) = self.http.post(&request(method, params)).await.expect(method);
        let answer: Value = serde_json::from_str(&body).expect(&body);
        assert!(status == 200 && answer.get("error").is_none(), "{method}: {status} {body}");
        answer["result"].clone()
    }

    async fn work(&mut self) -> Waits {
        let mut waits = Waits::default();
        for order in 0..ORDERS {
            if order % 50 == 0 {
                // A new connection is no less welcome than an old one.
                self.http = Http::connect(HONEST, self.rpc).await.expect("a connection");
            }
            let items = collected(1);
            let id = items[0].order_id();
            let batch = base64(&self.network.batch(GATEWAYS[1], &items));
            let started = Instant::now();
            let report = self.call("batch_submit", &format!(r#"[{batch},"final",30000]"#)).await;
            waits.submit.push(started.elapsed());
            assert_eq!(report["state"], "final", "{report}");
            for _ in 0..LOOK_UPS {
                let started = Instant::now();
                let order = self.call("recharge_order", &format!(r#"["{id}"]"#)).await;
                waits.read.push(started.elapsed());
                assert_eq!(order["order_id"], id.to_string(), "{order}");
            }
        }
        waits
    }
}

/// In JSON, with its quotes.
fn base64(bytes: &[u8]) -> String {
    serde_json::to_string(&Base64Bytes::new(bytes.to_vec())).unwrap()
}

/// A line of `/proc/PID/status`, in kibibytes.
fn memory_kib(network: &Network, node: usize, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", network.pid(node))).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).expect(name);
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors(network: &Network, node: usize) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", network.pid(node))).unwrap().count()
}

/// How often the operator's paths answered, and whether that is enough.
#[derive(Default)]
struct Watched {
    stop: AtomicBool,
    answered: AtomicU64,
}

/// Asks the operator's paths until told to stop; how often they answered.
async fn watch(operator: SocketAddr, watched: Arc<Watched>) {
    while !watched.stop.load(Ordering::Relaxed) {
        for path in ["/healthz", "/metrics"] {
            let mut http = Http::connect(Ipv4Addr::LOCALHOST, operator).await.expect(path);
            let (status, _) = http.get(path).await.expect(path);
            assert_eq!(status, 200, "{path}");
            watched.answered.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn all_at_once(sources: Vec<Ipv4Addr>, memory_mib: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let network = Network::started(&[]).await;
    let address = |node: usize, beyond: u16| {
        let mut address = network.peer_address(node);
        address.set_port(address.port() + beyond);
        address
    };
    let (rpc, operator) = (address(0, 1), address(0, 2));
    let count = sources.len();

    Honest::at_work(&network, rpc).tell("before");
    let normal: Vec<u64> = (0..4).map(|node| memory_kib(&network, node, "VmHWM")).collect();
    let descriptors_before = descriptors(&network, 0);
    let log_before = network.whole_log(0).len();
    let height = network.height(1).await;

    let batches = (0..8).map(|_| base64(&network.batch(GATEWAYS[0], &collected(1))));
    let target = Target {
        rpc,
        peers: (0..4).map(|node| network.peer_address(node)).collect(),
        batches: batches.map(|json| json.trim_matches('"').to_owned()).collect(),
    };
    let attackers = Attackers::start(&target, sources);
    eventually("the strangers hold what they may", || async {
        network.figure(0, "sluice_rpc_connections") >= 200.0
    })
    .await;

    let watched = Arc::new(Watched::default());
    let watch = tokio::spawn(watch(operator, watched.clone()));
    let mut waits = Honest::at_work(&network, rpc);
    watched.stop.store(true, Ordering::Relaxed);
    watch.await.expect("the operator's paths answer");
    waits.tell(&format!("under strangers from {count} addresses"));
    eventually("forty blocks are committed", || async { network.height(1).await > height + 40 })
        .await;
    drop(attackers);

    let log = network.whole_log(0).len() - log_before;
    let answered = watched.answered.load(Ordering::Relaxed);
    println!("operator's paths answered {answered} times, {log} bytes of log");
    for (node, normal) in normal.into_iter().enumerate() {
        let peak = memory_kib(&network, node, "VmHWM");
        println!("node {node}: {normal} KiB normally, {peak} at most");
        assert!(peak <= normal + memory_mib * 1_024, "node {node} took {peak} KiB");
    }
    // What the node itself has to say meanwhile is a few lines.
    assert!(log < 131_072, "{log} bytes: {}", network.log(0));
    eventually("the descriptors are free again", || async {
        descriptors(&network, 0) <= descriptors_before + 16
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_attacks_from_one_address_harm_no_other_client() {
    all_at_once(vec![Ipv4Addr::new(127, 0, 1, 1)], MEMORY_MIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_attacks_from_64_addresses_harm_no_other_client() {
    let sources = (1..=64).map(|last| Ipv4Addr::new(127, 0, 1, last));
    all_at_once(sources.collect(), MEMORY_OF_ALL_MIB).await;
}
