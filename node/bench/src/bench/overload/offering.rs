//! What one paced client offers in an overload: each order at its time, whatever became of those
//! before it.

use std::time::Duration;

use chain_types::ChainId;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use rpc_client::operations::now;
use rpc_client::paced::fate::{BatchFate, BatchTrail};
use rpc_client::paced::{BatchContent, PacedBatch, PacedClient};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::shapes::{CrowdMember, Manner};
use crate::bench::draw::Draws;
use crate::bench::load::Loader;

/// How often it is looked which batches are due.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// When a surge begins and ends, and for how long calm clients send before and after it.
#[derive(Debug, Clone, Copy)]
pub struct SurgeTimes {
    /// The beginning of the surge.
    pub begin: Instant,
    /// The same by the wall clock, in microseconds.
    pub begin_us: u64,
    /// How long it lasts.
    pub surge: Duration,
    /// How long before it calm clients begin.
    pub lead: Duration,
    /// How long after it calm clients go on.
    pub tail: Duration,
}

impl SurgeTimes {
    /// A surge that begins after `lead` from now on.
    pub fn after(lead: Duration, surge: Duration, tail: Duration) -> Self {
        let begin_us = now().get().saturating_mul(1_000).saturating_add(microseconds(lead));
        Self { begin: Instant::now() + lead, begin_us, surge, lead, tail }
    }

    /// Returns the end of the surge by the wall clock, in microseconds.
    pub fn end_us(&self) -> u64 {
        self.begin_us.saturating_add(microseconds(self.surge))
    }
}

/// The fate that a client told, without its proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldFate {
    /// A block holds the batch.
    Final,
    /// It was refused for certain, with a signed reason.
    Refused,
    /// Nobody could say in time.
    Unresolved,
}

/// The end of one batch of an overload.
#[derive(Debug, Clone, Copy)]
pub struct OverloadAnswer {
    /// The place of the member that offered it.
    pub place: usize,
    /// The number of its orders.
    pub orders: u64,
    /// When it was offered, by the wall clock in microseconds.
    pub made_us: u64,
    /// The fate that its user was told.
    pub fate: ToldFate,
    /// The way of the batch.
    pub trail: BatchTrail,
}

/// The batches that one member offers.
#[derive(Debug)]
pub struct Offering {
    /// The place of the member.
    pub place: usize,
    /// How much it offers, and how.
    pub member: CrowdMember,
    /// The chain that its batches are signed for.
    pub chain_id: ChainId,
    /// The gateway whose users' orders they are.
    pub loader: Loader,
    /// How long each batch is valid, in milliseconds.
    pub valid_ms: u64,
    /// The times at which it offers.
    pub times: SurgeTimes,
}

impl Offering {
    /// Offers batches until the time is over, and waits for all their fates.
    pub async fn run(
        self,
        client: PacedClient,
        mut draws: Draws,
        answers: mpsc::Sender<OverloadAnswer>,
    ) {
        let (begin, period) = self.span();
        let mut ticks = tokio::time::interval_at(begin, LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let orders = u64::from(self.member.batch_items);
        let (mut offered, mut is_over) = (0, false);
        let mut waiting = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = ticks.tick(), if !is_over => {
                    let at = begin.elapsed();
                    let (rate, shape) = (self.member.orders_per_s, self.member.shape);
                    let due = shape.offered(rate, microseconds(period), microseconds(at));
                    while offered + orders <= due {
                        offered += orders;
                        let answer = self.offer(&client, &mut draws).await;
                        waiting.push(answer);
                    }
                    is_over = at >= period;
                }
                Some(answer) = waiting.next(), if !waiting.is_empty() => {
                    if answers.send(answer).await.is_err() {
                        return;
                    }
                }
                else => return,
            }
        }
    }

    /// When the member begins, and for how long it offers.
    fn span(&self) -> (Instant, Duration) {
        let SurgeTimes { begin, surge, lead, tail, .. } = self.times;
        match self.member.manner {
            Manner::Surging => (begin, surge),
            Manner::Calm => (begin.checked_sub(lead).unwrap_or(begin), lead + surge + tail),
        }
    }

    /// Hands one batch over. It is signed when it is sent: what is refused before costs nothing.
    async fn offer(
        &self,
        client: &PacedClient,
        draws: &mut Draws,
    ) -> BoxFuture<'static, OverloadAnswer> {
        let made = now();
        let valid_until = made.plus(self.valid_ms);
        let (loader, chain_id, items) =
            (self.loader.clone(), self.chain_id, self.member.batch_items);
        let mut own = draws.split();
        let sign = move || loader.sign(chain_id, &mut own, (made, valid_until), items as usize).0;
        let content = BatchContent::Later(Box::new(sign));
        let told = client.offer(PacedBatch { items, valid_until, content }).await;
        let (place, orders, made_us) = (self.place, u64::from(items), made.get() * 1_000);
        let answer = async move {
            let (fate, trail) = match told.await {
                Ok(told) => (ToldFate::of(&told.fate), told.trail),
                Err(_) => (ToldFate::Unresolved, BatchTrail::default()),
            };
            OverloadAnswer { place, orders, made_us, fate, trail }
        };
        answer.boxed()
    }
}

impl ToldFate {
    /// Returns the fate without its proofs.
    const fn of(fate: &BatchFate) -> Self {
        match fate {
            BatchFate::Final(_) => Self::Final,
            BatchFate::Refused(_) => Self::Refused,
            BatchFate::Unresolved { .. } => Self::Unresolved,
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
