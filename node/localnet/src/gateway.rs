//! A simulated gateway: a bank that debits users when the recharge service tells it to, submits
//! and collects its own users' orders in one step, follows its instructions over a subscription,
//! pays merchants after a bank's time, and attests each arrival.

use std::sync::Arc;
use std::time::Duration;

use chain_types::{ArrivalItem, CollectItem, InstructionState, MerchantId, OrderId};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use rpc_api::{InstructionReport, SettlementRpcClient as _, Wait};
use rpc_client::operations::{Operations, now, reference_bytes};
use rpc_client::orders::{Entropy, Profile};
use rpc_client::party::Party;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::activity::Activity;
use super::service::{OUTCOME_TIMEOUT, Steady};

/// How long a user's bank takes to debit the user, in milliseconds: from and how much more.
const DEBIT_MS: (u64, u64) = (200, 1_300);
/// How long a merchant's bank takes to credit the merchant, in milliseconds: from and how much
/// more.
pub const CREDIT_MS: (u64, u64) = (1_000, 9_000);
/// How often the gateway's own users' orders are submitted.
const TICK: Duration = Duration::from_millis(250);
/// Batches that may be under way at once, of collections and of own orders each.
const BATCHES_MAX: usize = 32;
/// How long arrivals are gathered into one batch.
const GATHER: Duration = Duration::from_millis(200);
/// The most arrivals of one batch.
const ARRIVALS_MAX: usize = 1_024;
/// How long to wait before a subscription that ended is made again.
const RESUBSCRIBE: Duration = Duration::from_millis(500);

/// A gateway and what it works with.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The gateway as a participant, with its key and its client.
    pub party: Party,
    /// Orders a second that it submits and collects in one step.
    pub one_step_rate: u64,
    /// The pattern of those orders.
    pub profile: Profile,
    /// WebSocket URLs of the nodes.
    pub websocket_urls: Vec<String>,
    /// How long it takes to credit a merchant, in milliseconds: from and how much more.
    pub credit_ms: (u64, u64),
    /// A merchant whose instructions it leaves to others.
    pub unpaid: MerchantId,
    /// The counters of the run.
    pub activity: Arc<Activity>,
}

/// A merchant's credit that a bank has made.
#[derive(Debug)]
struct Credit {
    item: ArrivalItem,
    order_count: u64,
}

impl Gateway {
    /// Collects what `debits` brings until its senders are gone, and submits own orders until
    /// `stop_orders`; both see to the end what is under way.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub async fn run(
        self,
        debits: mpsc::Receiver<Vec<OrderId>>,
        stop_orders: CancellationToken,
    ) -> anyhow::Result<()> {
        let collecting = self.clone().collect_all(debits);
        let submitting = self.submit_own(stop_orders);
        tokio::try_join!(collecting, submitting).map(|_| ())
    }

    async fn collect_all(self, mut debits: mpsc::Receiver<Vec<OrderId>>) -> anyhow::Result<()> {
        let mut entropy = Entropy::fresh()?;
        let mut tasks = JoinSet::new();
        let slots = Arc::new(Semaphore::new(BATCHES_MAX));
        while let Some(orders) = debits.recv().await {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let delay = Duration::from_millis(DEBIT_MS.0 + entropy.below(DEBIT_MS.1));
            let gateway = self.clone();
            tasks.spawn(async move {
                tokio::time::sleep(delay).await;
                gateway.collect(&orders).await;
                drop(slot);
            });
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    async fn collect(&self, orders: &[OrderId]) {
        let item = |order: &OrderId| CollectItem {
            order_id: order.bytes(),
            reference: reference_bytes("debit").unwrap_or_default(),
            spare: [0; 16],
        };
        let items = Operations::Collect(orders.iter().map(item).collect());
        let result = self.party.submit(&items, Wait::Final, OUTCOME_TIMEOUT).await;
        let applied = self.activity.settle(orders.len(), &result.map(|submitted| submitted.report));
        let collected: Vec<OrderId> =
            orders.iter().zip(applied).filter(|(_, applied)| *applied).map(|(id, _)| *id).collect();
        self.activity.update(|counts| {
            counts.collected += collected.len() as u64;
            counts.remember(collected.iter().copied());
        });
    }

    async fn submit_own(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut entropy = Entropy::fresh()?;
        let mut tasks = JoinSet::new();
        let slots = Arc::new(Semaphore::new(BATCHES_MAX));
        let mut steady = Steady::new(self.one_step_rate);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let due = usize::try_from(steady.due(Instant::now()).min(8_192)).unwrap_or(0);
            if due == 0 {
                continue;
            }
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
            let orders = self.profile.orders(&mut entropy, now(), due);
            let gateway = self.clone();
            tasks.spawn(async move {
                gateway.submit_one_step(Operations::Recharge(orders)).await;
                drop(slot);
            });
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    async fn submit_one_step(&self, orders: Operations) {
        let Operations::Recharge(items) = &orders else { return };
        let sent = Instant::now();
        let result = self.party.submit(&orders, Wait::Final, OUTCOME_TIMEOUT).await;
        let latency = sent.elapsed();
        let result = result.map(|submitted| submitted.report);
        let applied = self.activity.settle(items.len(), &result);
        let collected: Vec<OrderId> = items
            .iter()
            .zip(applied)
            .filter(|(_, applied)| *applied)
            .map(|(item, _)| item.order_id())
            .collect();
        self.activity.update(|counts| {
            counts.one_step += collected.len() as u64;
            counts.remember(collected.iter().copied());
            if result.is_ok() {
                counts.finality(latency, items.len());
            }
        });
    }

    /// Follows the gateway's instructions until `stop`: pays each and attests its arrival. A
    /// subscription that ends is resumed at the next node, after the last event received.
    ///
    /// # Errors
    /// When the operating system gives no entropy.
    pub async fn pay(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut entropy = Entropy::fresh()?;
        let (credits, credited) = mpsc::channel(ARRIVALS_MAX);
        let attesting = tokio::spawn(self.clone().attest(credited));
        let mut cursor: Option<String> = None;
        let mut at = self.party.first_node;
        while !stop.is_cancelled() {
            let url = &self.websocket_urls[at % self.websocket_urls.len()];
            tokio::select! {
                () = stop.cancelled() => break,
                ended = self.follow(url, &mut cursor, &mut entropy, &credits) => {
                    let gateway = self.party.id.get();
                    tracing::debug!(gateway, url, problem = ?ended, "resubscribing");
                }
            }
            at += 1;
            tokio::time::sleep(RESUBSCRIBE).await;
        }
        drop(credits);
        // What is credited is attested; credits still on their way are dropped with the bank.
        let _ = attesting.await;
        Ok(())
    }

    /// One subscription until it ends, with why.
    async fn follow(
        &self,
        url: &str,
        cursor: &mut Option<String>,
        entropy: &mut Entropy,
        credits: &mpsc::Sender<Credit>,
    ) -> String {
        let client: WsClient = match WsClientBuilder::default().build(url).await {
            Ok(client) => client,
            Err(error) => return error.to_string(),
        };
        let subscription = client.subscribe_instructions(self.party.id.get(), cursor.clone()).await;
        let mut subscription = match subscription {
            Ok(subscription) => subscription,
            Err(error) => return error.to_string(),
        };
        while let Some(event) = subscription.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => return error.to_string(),
            };
            *cursor = Some(event.cursor);
            // Those of an earlier run may be paid already.
            let is_own = event.instruction.instruction_id.merchant != self.unpaid;
            if is_own && event.instruction.status == InstructionState::Instructed {
                self.activity.update(|counts| counts.instructions += 1);
                let delay = self.credit_time(entropy);
                credit(&event.instruction, delay, credits.clone());
            }
        }
        "the subscription ended".to_owned()
    }

    fn credit_time(&self, entropy: &mut Entropy) -> Duration {
        Duration::from_millis(self.credit_ms.0 + entropy.below(self.credit_ms.1))
    }

    async fn attest(self, mut credited: mpsc::Receiver<Credit>) {
        let mut credits = Vec::new();
        while let Some(first) = credited.recv().await {
            credits.push(first);
            tokio::time::sleep(GATHER).await;
            while credits.len() < ARRIVALS_MAX
                && let Ok(credit) = credited.try_recv()
            {
                credits.push(credit);
            }
            let items = Operations::Arrival(credits.iter().map(|credit| credit.item).collect());
            let result = self.party.submit(&items, Wait::Final, OUTCOME_TIMEOUT).await;
            let result = result.map(|submitted| submitted.report);
            let applied = self.activity.settle(items.count(), &result);
            self.activity.update(|counts| {
                for (credit, _) in credits.drain(..).zip(applied).filter(|(_, applied)| *applied) {
                    counts.arrivals += 1;
                    counts.arrived_orders += credit.order_count;
                }
            });
        }
    }
}

/// Credits the merchant after the bank's `delay`.
fn credit(instruction: &InstructionReport, delay: Duration, credits: mpsc::Sender<Credit>) {
    let Ok(amount) = u64::try_from(instruction.amount.minor) else {
        tracing::warn!(instruction = %instruction.instruction_id, "amount beyond 64 bits");
        return;
    };
    let id = instruction.instruction_id;
    let item = ArrivalItem {
        window: id.window.get().into(),
        merchant: id.merchant.get().into(),
        amount: amount.into(),
        currency: id.currency.get().into(),
        // The same for the same instruction, so that telling it twice is harmless.
        reference: reference_bytes(&format!("credit {id}")).unwrap_or_default(),
        attempt: instruction.attempt.into(),
        spare: [0; 4],
    };
    let order_count = instruction.order_count;
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        // A gateway that has stopped attests no more.
        let _ = credits.send(Credit { item, order_count }).await;
    });
}
