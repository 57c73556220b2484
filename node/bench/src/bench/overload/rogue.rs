//! Clients that keep to nothing: each sends its batches to one node after another each 20 ms,
//! whatever it is told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::{ChainId, TimeMs};
use rpc_api::BatchState;
use rpc_client::operations::now;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::calls::LinkedCalls;
use super::offering::SurgeTimes;
use crate::bench::draw::Draws;
use crate::bench::load::Loader;

/// Batches that one rogue sends again and again at a time, and orders of each.
const BATCHES: usize = 32;
const BATCH_ITEMS: usize = 64;
/// When it sends again what it was refused.
const RETRY: Duration = Duration::from_millis(20);
/// How long one call waits at a node, in milliseconds.
const CALL_WAIT_MS: u64 = 1_000;

/// The calls and the orders of rogues.
#[derive(Debug, Clone, Copy, Default)]
pub struct RogueCount {
    /// The number of calls.
    pub calls: u64,
    /// Orders that were final within the surge.
    pub final_orders: u64,
}

/// The tasks of all rogues of one surge.
#[derive(Debug)]
pub struct Rogues {
    tasks: JoinSet<RogueCount>,
}

/// One batch after another of a rogue.
struct Rogue {
    calls: Arc<LinkedCalls>,
    loader: Loader,
    chain_id: ChainId,
    end: Instant,
    valid_ms: u64,
    node: usize,
    draws: Draws,
    count: RogueCount,
}

impl Rogues {
    /// Starts a rogue for each loader, for the time of the surge.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub fn start<'a>(
        loaders: impl Iterator<Item = &'a Loader>,
        chain_id: ChainId,
        urls: &[String],
        times: SurgeTimes,
        (valid_ms, seed): (u64, u64),
    ) -> anyhow::Result<Self> {
        let mut tasks = JoinSet::new();
        for (number, loader) in loaders.enumerate() {
            let calls = Arc::new(LinkedCalls::new(urls));
            let mut draws = Draws::new(seed, 1_000 + number as u64)?;
            for node in 0..BATCHES {
                let rogue = Rogue {
                    calls: Arc::clone(&calls),
                    loader: loader.clone(),
                    chain_id,
                    end: times.begin + times.surge,
                    valid_ms,
                    node,
                    draws: draws.split(),
                    count: RogueCount::default(),
                };
                tasks.spawn(rogue.run(times.begin));
            }
        }
        Ok(Self { tasks })
    }

    /// Waits until all have ended. Returns what they did together.
    pub async fn end(mut self) -> RogueCount {
        let mut all = RogueCount::default();
        while let Some(one) = self.tasks.join_next().await {
            let one = one.unwrap_or_default();
            all.calls += one.calls;
            all.final_orders += one.final_orders;
        }
        all
    }
}

impl Rogue {
    async fn run(mut self, begin: Instant) -> RogueCount {
        tokio::time::sleep_until(begin).await;
        while Instant::now() < self.end {
            let made = now();
            let times = (made, made.plus(self.valid_ms));
            let (bytes, _) = self.loader.sign(self.chain_id, &mut self.draws, times, BATCH_ITEMS);
            self.insist(bytes, times.1).await;
        }
        self.count
    }

    /// Sends a batch until it is final or its time is over.
    async fn insist(&mut self, bytes: Bytes, valid_until: TimeMs) {
        while Instant::now() < self.end && now() <= valid_until {
            self.count.calls += 1;
            self.node += 1;
            let answer = self.calls.send(self.node, bytes.clone(), CALL_WAIT_MS).await;
            if answer.is_ok_and(|report| report.state == BatchState::Final) {
                let is_in_time = Instant::now() < self.end;
                self.count.final_orders += if is_in_time { BATCH_ITEMS as u64 } else { 0 };
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
