//! A real network, a real `sluice gateway` and a real `sluice bank` that misbehaves. The gateway is
//! ended by SIGKILL at every named place and at random moments, and the bank now and then. At the
//! end the bank's own journal says what was paid: each instruction once.
//!
//! `SLUICE_SEED=N` repeats the draws of a run; `SLUICE_LONG` has 1,000 instructions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod chain;
mod judge;
mod parties;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use rpc_gateway::CrashPoint;

use chain::Platform;
use parties::{Parties, was_killed};
use support::Network;

/// Merchants that the gateway pays: every second one of the network's.
const MERCHANTS: u64 = 20;
/// How long the test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(300);
/// The bank's faults. Each silence costs half a minute, so that it is rare but certain.
const FAULTS: &str = "all,delay-ms=800,torn=150,waiting=40,silent=25,behind-s=30";

/// Numbers that follow from a seed (SplitMix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

/// The sizes of a run.
struct Size {
    instructions: usize,
    /// Lives that end at each named place.
    named: usize,
    /// Lives that end at a random place or moment.
    random: usize,
    /// Orders of a life.
    orders: usize,
}

fn size() -> Size {
    match std::env::var_os("SLUICE_LONG") {
        Some(_) => Size { instructions: 1_000, named: 3, random: 100, orders: 7 },
        None => Size { instructions: 40, named: 1, random: 8, orders: 2 },
    }
}

/// Prints the seed when a test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("repeat the draws with SLUICE_SEED={}", self.0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instruction_is_paid_once_however_often_the_gateway_is_killed() {
    let given = std::env::var("SLUICE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = Seed(given.unwrap_or(1));
    let size = size();
    let merchants: Vec<u64> = (0..MERCHANTS).map(|place| support::MERCHANT + 2 * place).collect();
    let count = (2 * MERCHANTS).to_string();
    let network = Network::started(&["--window-ms", "2000", "--merchants", &count]).await;
    let mut parties = Parties::new(&network, &merchants, seed.0, FAULTS);
    let mut platform = Platform::new(&network, merchants, seed.0);
    let mut draws = Draws(seed.0);
    parties.start_bank();

    let mut killed = 0;
    for life in 0..size.named * CrashPoint::ALL.len() {
        let point = CrashPoint::ALL[life % CrashPoint::ALL.len()];
        platform.order(size.orders).await;
        killed += live_to(&mut parties, point, life).await;
    }
    for life in 0..size.random {
        platform.order(size.orders).await;
        killed += live_for(&mut parties, &mut draws, life).await;
        platform.agents(&judge::waiting(&parties)).await;
    }
    parties.start_gateway(None);
    platform.order_up_to(size.instructions).await;
    until_quiet(&mut parties, &mut platform).await;
    println!("{killed} lives of the gateway ended by SIGKILL");

    // The day ends: statements of the accounts, and the reconciliation against them.
    assert_eq!(parties.bank.stop(), Some(0), "{}", parties.logs());
    let started = Instant::now();
    while parties.files("in") + parties.files("taken/claimed") > 0 {
        assert!(started.elapsed() < PATIENCE, "statements are not taken: {}", parties.logs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(parties.gateway.stop(), Some(0), "{}", parties.logs());
    let instructions = platform.instructions().await;
    assert!(instructions.len() >= size.instructions, "{} instructions", instructions.len());
    judge::judge(&parties, &instructions);
}

/// A life that ends at a named place.
async fn live_to(parties: &mut Parties, point: CrashPoint, life: usize) -> usize {
    if point == CrashPoint::FileHeld {
        parties.put_garbage(life);
    }
    parties.start_gateway(Some(&format!("{}:1", point.name())));
    let started = Instant::now();
    loop {
        if let Some(status) = parties.gateway.ended() {
            assert!(was_killed(status), "{} at {}: {}", status, point.name(), parties.logs());
            return 1;
        }
        let waited = started.elapsed();
        assert!(waited < PATIENCE, "never at {}: {}", point.name(), parties.logs());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A life that ends at a random place of its way, or at a random moment from outside. Now and then
/// the bank is killed with it.
async fn live_for(parties: &mut Parties, draws: &mut Draws, life: usize) -> usize {
    let place = format!("any:{}", 1 + draws.below(60));
    parties.start_gateway(life.is_multiple_of(2).then_some(place.as_str()));
    let wait = Duration::from_millis(100 + draws.below(3_000));
    let started = Instant::now();
    while started.elapsed() < wait {
        if let Some(status) = parties.gateway.ended() {
            assert!(was_killed(status), "{status}: {}", parties.logs());
            return 1;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    parties.gateway.kill();
    if draws.below(3) == 0 {
        parties.bank.kill();
        parties.start_bank();
    }
    1
}

/// Waits until nothing is under way: every attempt is done or held, and the bank has no more to
/// say. Agents give again what failed, and recall what waits.
async fn until_quiet(parties: &mut Parties, platform: &mut Platform<'_>) {
    let started = Instant::now();
    let mut before = None;
    loop {
        let ended = [parties.gateway.ended(), parties.bank.ended()];
        let is_running = ended.iter().all(Option::is_none);
        assert!(is_running, "a process ended by itself: {ended:?}: {}", parties.logs());
        let has_acted = platform.agents(&judge::waiting(parties)).await;
        let quiet = judge::quiet(parties, &platform.instructions().await);
        if !has_acted && quiet.is_some() && quiet == before {
            return;
        }
        before = if has_acted { None } else { quiet };
        let status = parties.ask(&["gateway", "status"]);
        assert!(started.elapsed() < PATIENCE, "never quiet: {status} {}", parties.logs());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
