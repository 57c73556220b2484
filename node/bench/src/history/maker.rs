//! Signs batches and verifies them, on a thread of its own, a few blocks ahead of their execution:
//! what gateways and a node's worker threads do.

use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::Context as _;
use chain_types::{ChainId, ParticipantId, PartyKeys, SignedBatch, TimeMs, VerifiedBatch};

use super::cost::{WorkCost, costing};
use crate::bench::draw::Draws;
use crate::bench::load::Loader;

/// Blocks that lie ready.
const BLOCKS_AHEAD: usize = 2;

/// The terms by which batches are made and signed.
#[derive(Debug, Clone)]
pub struct SigningTerms {
    /// The id of the chain.
    pub chain_id: ChainId,
    /// The gateways, each in turn.
    pub loaders: Vec<Loader>,
    /// The keys of every participant.
    pub keys: Vec<PartyKeys>,
    /// The time of the block before the first.
    pub from: TimeMs,
    /// Orders a second of the chain's time.
    pub rate: u64,
    /// How long after its block's time a batch may commit, in milliseconds.
    pub valid_ms: u64,
    /// Orders in a batch.
    pub batch_items: usize,
    /// Batches in a block.
    pub block_batches: usize,
}

/// The batches of one block.
#[derive(Debug)]
pub struct Load {
    /// The block's time; the ids of its orders are of the same.
    pub time: TimeMs,
    /// The batches, signed and verified.
    pub batches: Vec<VerifiedBatch>,
    /// The cost of making and signing, which is no part of a node's work.
    pub signing: WorkCost,
    /// The cost of decoding and verifying.
    pub verifying: WorkCost,
}

/// Starts it. It ends when the other side does.
///
/// # Errors
/// When there is no gateway or entropy, or the thread cannot be started.
pub fn start(making: SigningTerms) -> anyhow::Result<Receiver<anyhow::Result<Load>>> {
    anyhow::ensure!(!making.loaders.is_empty(), "no gateway to sign orders");
    let (sender, receiver) = sync_channel(BLOCKS_AHEAD);
    let mut draws = Draws::fresh()?;
    let work = move || {
        for number in 1_u64.. {
            let load = making.load(number, &mut draws);
            let is_last = load.is_err();
            if sender.send(load).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::Builder::new().name("history-maker".to_owned()).spawn(work)?;
    Ok(receiver)
}

impl SigningTerms {
    /// The time of the block of a number, from 1: at least a millisecond after the one before.
    pub fn time(&self, number: u64) -> TimeMs {
        let orders = self.batch_items as u64 * self.block_batches as u64;
        let later_ms = u128::from(number) * u128::from(orders) * 1_000 / u128::from(self.rate);
        self.from.plus(u64::try_from(later_ms).unwrap_or(u64::MAX).max(number))
    }

    fn load(&self, number: u64, draws: &mut Draws) -> anyhow::Result<Load> {
        let (mut signing, mut verifying) = (WorkCost::default(), WorkCost::default());
        let (time, mut batches) = (self.time(number), Vec::with_capacity(self.block_batches));
        let times = (time, time.plus(self.valid_ms));
        let first = usize::try_from(number)?.wrapping_mul(self.block_batches);
        for turn in 0..self.block_batches {
            let loader = self.loaders.get((first + turn) % self.loaders.len()).context("none")?;
            let (bytes, _) = costing(&mut signing, || {
                loader.sign(self.chain_id, draws, times, self.batch_items)
            });
            let verify = || -> anyhow::Result<VerifiedBatch> {
                Ok(SignedBatch::decode(bytes)?.verify(self.chain_id, |id| self.keys(id))?)
            };
            batches.push(costing(&mut verifying, verify)?);
        }
        Ok(Load { time, batches, signing, verifying })
    }

    fn keys(&self, id: ParticipantId) -> Option<PartyKeys> {
        self.keys.iter().find(|keys| keys.participant == id).copied()
    }
}
