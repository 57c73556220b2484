//! The simulated recharge service: reserves users' orders, tells each collecting gateway, over
//! the bank's own channel, which users to debit, voids a few, and lets a few expire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chain_types::{OrderId, ParticipantId, VoidItem, VoidReason};
use rpc_api::Wait;
use rpc_client::operations::{Operations, now};
use rpc_client::orders::{Entropy, Profile};
use rpc_client::party::Party;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::activity::Activity;

/// How often the orders that users made meanwhile are submitted.
const TICK: Duration = Duration::from_millis(100);
/// Batches that may be under way at once; beyond, users wait.
const BATCHES_MAX: usize = 64;
/// One order in so many is voided: the user gave up.
const VOIDED_ONE_IN: u64 = 100;
/// One order in so many is left alone until it expires.
const ABANDONED_ONE_IN: u64 = 500;
/// How long a batch's outcome is waited for.
pub const OUTCOME_TIMEOUT: Duration = Duration::from_secs(30);

/// Users to debit, told to their gateway.
pub type Debits = mpsc::Sender<Vec<OrderId>>;

/// The service and what it works with.
#[derive(Debug, Clone)]
pub struct Service {
    /// The service as a participant, with its key and its client.
    pub party: Party,
    /// Orders that users make a second.
    pub rate: u64,
    /// The users of each gateway.
    pub profiles: Vec<Profile>,
    /// How to tell each gateway whom to debit.
    pub debits: BTreeMap<ParticipantId, Debits>,
    /// The counters of the run.
    pub activity: Arc<Activity>,
}

/// Orders that come at a steady rate, in whole orders a tick.
#[derive(Debug, Clone, Copy)]
pub struct Steady {
    rate: u64,
    made: u64,
    started: Instant,
}

impl Steady {
    /// `rate` orders a second from now on.
    pub fn new(rate: u64) -> Self {
        Self { rate, made: 0, started: Instant::now() }
    }

    /// The orders that have come since the last call.
    pub fn due(&mut self, now: Instant) -> u64 {
        let elapsed = (now - self.started).as_millis();
        let all = u64::try_from(elapsed * u128::from(self.rate) / 1_000).unwrap_or(u64::MAX);
        let due = all.saturating_sub(self.made);
        self.made += due;
        due
    }
}

impl Service {
    /// Works until `stop`, then sees to the end what is under way.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut entropy = Entropy::fresh()?;
        let slots = Arc::new(Semaphore::new(BATCHES_MAX));
        let mut tasks = JoinSet::new();
        let mut steady = Steady::new(self.rate);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 0.. {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let due = usize::try_from(steady.due(Instant::now()).min(8_192)).unwrap_or(0);
            let Some(profile) = self.profiles.get(turn % self.profiles.len().max(1)) else { break };
            if due == 0 {
                continue;
            }
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let mut orders = profile.orders(&mut entropy, now(), due);
            for order in &mut orders {
                order.order_id = order.order_id().owned_by(self.party.id).bytes();
            }
            let fates = (0..due).map(|_| Fate::draw(&mut entropy)).collect();
            let (service, gateway) = (self.clone(), profile.gateway);
            tasks.spawn(async move {
                service.reserve(gateway, Operations::Recharge(orders), fates).await;
                drop(slot);
            });
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    async fn reserve(&self, gateway: ParticipantId, orders: Operations, fates: Vec<Fate>) {
        let Operations::Recharge(items) = &orders else { return };
        let sent = Instant::now();
        let result = self.party.submit(&orders, Wait::Final, OUTCOME_TIMEOUT).await;
        let latency = sent.elapsed();
        let result = result.map(|submitted| submitted.report);
        let applied = self.activity.settle(items.len(), &result);
        let (mut debits, mut voids) = (Vec::new(), Vec::new());
        let mut abandoned = 0;
        for ((item, fate), applied) in items.iter().zip(fates).zip(applied) {
            match fate {
                _ if !applied => {}
                Fate::Collected => debits.push(item.order_id()),
                Fate::Voided => voids.push(void(item.order_id())),
                Fate::Abandoned => abandoned += 1,
            }
        }
        self.activity.update(|counts| {
            counts.reserved += (debits.len() + voids.len()) as u64 + abandoned;
            if let Some(first) = items.first().filter(|_| abandoned > 0) {
                counts.abandoned.push((first.order_id().time().get(), abandoned));
            }
            if result.is_ok() {
                counts.finality(latency, items.len());
            }
        });
        if let Some(channel) = self.debits.get(&gateway)
            && !debits.is_empty()
        {
            // A gateway that has gone collects no more; the orders expire.
            let _ = channel.send(debits).await;
        }
        if !voids.is_empty() {
            self.void(Operations::Void(voids)).await;
        }
    }

    async fn void(&self, voids: Operations) {
        let result = self.party.submit(&voids, Wait::Final, OUTCOME_TIMEOUT).await;
        let result = result.map(|submitted| submitted.report);
        let applied = self.activity.settle(voids.count(), &result);
        let voided = applied.iter().filter(|applied| **applied).count() as u64;
        self.activity.update(|counts| counts.voided += voided);
    }
}

/// The user's conduct after ordering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Collected,
    Voided,
    Abandoned,
}

impl Fate {
    fn draw(entropy: &mut Entropy) -> Self {
        if entropy.below(VOIDED_ONE_IN) == 0 {
            Self::Voided
        } else if entropy.below(ABANDONED_ONE_IN) == 0 {
            Self::Abandoned
        } else {
            Self::Collected
        }
    }
}

fn void(order_id: OrderId) -> VoidItem {
    VoidItem {
        order_id: order_id.bytes(),
        reason: VoidReason::CustomerCancelled.number().into(),
        reference: [0; 32],
        spare: [0; 14],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_neither_loses_nor_repeats_orders() {
        let mut steady = Steady::new(7);
        let mut due = 0;
        for milliseconds in (0..=10_000).step_by(33) {
            due += steady.due(steady.started + Duration::from_millis(milliseconds));
        }
        due += steady.due(steady.started + Duration::from_secs(10));
        assert_eq!(due, 70);
        assert_eq!(steady.due(steady.started + Duration::from_secs(10)), 0);
    }
}
