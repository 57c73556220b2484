//! A mixed load: orders in one step, orders that are reserved and then collected or voided, orders
//! paid out in another currency, and returns, in given shares.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chain_types::batch::BatchItem;
use chain_types::{
    BatchKind, ChainGenesis, ChainId, CollectItem, Flags, Merchant, MerchantId, OrderId, QuoteId,
    RechargeItem, ReturnItem, ReturnReason, SignedBatch, VoidItem, VoidReason,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rpc_api::BatchReport;
use rpc_client::operations::now;
use rpc_client::orders::Entropy;
use rpc_client::party::{BATCH_VALID_MS, Party};
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use zerocopy::{Immutable, IntoBytes};

use super::draw::Draws;
use super::load::{Loader, Submit};
use super::market::{PAID, PAID_OUT};
use super::pace::{Job, JobSource, Turn};
use super::sizes::BatchSizes;
use super::tally::{Answer, LoadKind, SentBatch};

/// Collected orders of a gateway that may be returned, at most; the oldest are forgotten.
const RETURNABLE_MAX: usize = 65_536;
/// Orders of a batch that are remembered for that.
const RETURNABLE_OF_BATCH: usize = 1_024;

/// Shares of what users ask for, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shares {
    /// Orders in one step.
    pub one_step: u32,
    /// Orders that are reserved first.
    pub two_step: u32,
    /// Orders paid out in another currency.
    pub cross_border: u32,
    /// The percentage of returns.
    pub returns: u32,
}

impl Shares {
    const KINDS: [LoadKind; 4] =
        [LoadKind::OneStep, LoadKind::Reserve, LoadKind::CrossBorder, LoadKind::Return];

    fn each(self) -> [u32; 4] {
        [self.one_step, self.two_step, self.cross_border, self.returns]
    }
}

impl FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = "give one-step/two-step/cross-border/returns in percent, such as 80/12/5/3";
        let parts: Result<Vec<u32>, _> = text.split('/').map(str::parse).collect();
        let parts = parts.map_err(|_| wrong.to_owned())?;
        let Ok([one_step, two_step, cross_border, returns]) = <[u32; 4]>::try_from(parts) else {
            return Err(wrong.to_owned());
        };
        let shares = Self { one_step, two_step, cross_border, returns };
        let sum: u64 = shares.each().iter().map(|share| u64::from(*share)).sum();
        if sum != 100 {
            return Err(format!("the shares add up to {sum}, not to 100"));
        }
        if one_step == 0 && returns > 0 {
            return Err("returns are of orders in one step: there must be some".to_owned());
        }
        Ok(shares)
    }
}

/// Orders of less stay in their currency, in minor units: rounding their payout to cents could cost
/// more than the chain allows.
const CONVERTED_MIN: u64 = 1_000;

/// Gives the amounts of the next so many orders, in minor units.
pub type AmountsOf = Box<dyn FnMut(&mut Entropy, usize) -> Vec<u64> + Send>;

/// The state that the parties of the load share.
pub struct Parties {
    /// The chain that they sign for.
    pub chain_id: ChainId,
    /// The gateways, each with its users' orders.
    pub loaders: Vec<Loader>,
    /// The recharge service, which reserves and voids.
    pub service: Party,
    /// The newest quote; `None` when nothing is converted.
    pub quotes: Option<watch::Receiver<Option<QuoteId>>>,
    /// One reserved order in so many is voided; zero for none.
    pub voided_one_in: usize,
    /// The function that submits a batch.
    pub submit: Submit,
    /// The channel for answers.
    pub results: mpsc::Sender<SentBatch>,
    /// For each gateway the orders that it may return, the newest last.
    pub returnable: Vec<Mutex<Vec<(OrderId, u64)>>>,
    /// The index of the gateway that pays each merchant.
    pub payers: BTreeMap<MerchantId, usize>,
}

/// Returns the index of the gateway that pays each merchant.
pub fn payers(genesis: &ChainGenesis, loaders: &[Loader]) -> BTreeMap<MerchantId, usize> {
    let payer = |merchant: &Merchant| {
        let at = loaders.iter().position(|loader| loader.id == merchant.payout_gateway)?;
        Some((merchant.id, at))
    };
    genesis.merchants.iter().filter_map(payer).collect()
}

/// The mixed load, as a source of jobs.
pub struct Mix {
    parties: Arc<Parties>,
    plan: Plan,
    sizes: BatchSizes,
    left: Option<u64>,
    amounts: Option<AmountsOf>,
    draws: Draws,
    turn: usize,
}

impl Mix {
    /// Batches of `sizes` in `shares`; `orders` in all, or without an end.
    ///
    /// # Errors
    /// When a share needs a party that is missing.
    pub fn new(
        parties: Parties,
        shares: Shares,
        sizes: BatchSizes,
        orders: Option<u64>,
        amounts: Option<AmountsOf>,
        draws: Draws,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(!parties.loaders.is_empty(), "no gateway to load the network with");
        let has_quotes = parties.quotes.is_some();
        anyhow::ensure!(shares.cross_border == 0 || has_quotes, "no provider quotes");
        Ok(Self {
            parties: Arc::new(parties),
            plan: Plan::new(shares),
            sizes,
            left: orders,
            amounts,
            draws,
            turn: 0,
        })
    }

    fn job(&mut self) -> Option<Job> {
        let items = self.sizes.draw(&mut self.draws.choices);
        let most =
            self.left.map_or(items, |left| items.min(usize::try_from(left).unwrap_or(usize::MAX)));
        if most == 0 {
            return None;
        }
        let gateway = self.turn % self.parties.loaders.len();
        self.turn += 1;
        let mut kind = self.plan.next(most as u64);
        let mut returns = Vec::new();
        if kind == LoadKind::Return {
            let most = most.min(BatchKind::Return.items_max() as usize);
            returns = self.parties.take_returnable(gateway, most);
            if returns.is_empty() {
                kind = LoadKind::OneStep;
            }
        }
        let count = if kind == LoadKind::Return { returns.len() } else { most };
        self.plan.done(kind, count as u64);
        self.left = self.left.map(|left| left - count as u64);
        let amounts = self.amounts.as_mut().map(|amounts| amounts(&mut self.draws.choices, count));
        let wish = Wish { kind, gateway, count, amounts, draws: self.draws.split() };
        let parties = Arc::clone(&self.parties);
        let work = move |turn: Turn| {
            async move {
                if kind == LoadKind::Return {
                    parties.give_back(gateway, returns, turn).await;
                } else {
                    parties.order(wish, turn).await;
                }
            }
            .boxed()
        };
        Some(Job { orders: u32::try_from(count).unwrap_or(u32::MAX), work: Box::new(work) })
    }
}

impl JobSource for Mix {
    fn next(&mut self) -> BoxFuture<'_, Option<Job>> {
        let job = self.job();
        async { job }.boxed()
    }
}

/// The plan of kinds: at any time each has had its share.
struct Plan {
    shares: [u32; 4],
    done: [u64; 4],
}

impl Plan {
    fn new(shares: Shares) -> Self {
        Self { shares: shares.each(), done: [0; 4] }
    }

    /// The kind that has most to catch up, should `count` more be asked for.
    fn next(&self, count: u64) -> LoadKind {
        let all = self.done.iter().sum::<u64>() + count;
        let behind = |at: &usize| {
            i128::from(self.shares[*at]) * i128::from(all) - 100 * i128::from(self.done[*at])
        };
        // Of equals the first: `max_by_key` would take the last.
        let next = (0..4).rev().filter(|at| self.shares[*at] > 0).max_by_key(behind);
        next.map_or(LoadKind::OneStep, |at| Shares::KINDS[at])
    }

    fn done(&mut self, kind: LoadKind, count: u64) {
        if let Some(at) = Shares::KINDS.iter().position(|known| *known == kind) {
            self.done[at] += count;
        }
    }
}

/// Orders to be made.
struct Wish {
    kind: LoadKind,
    gateway: usize,
    count: usize,
    amounts: Option<Vec<u64>>,
    draws: Draws,
}

impl Parties {
    /// Makes orders, submits them, and sees to what follows.
    async fn order(self: Arc<Self>, wish: Wish, turn: Turn) {
        let (kind, gateway) = (wish.kind, wish.gateway);
        let parties = Arc::clone(&self);
        let made = tokio::task::spawn_blocking(move || parties.make(wish)).await;
        // It fails only when the process ends.
        let Ok((bytes, orders)) = made else { return };
        let sample = orders.first().map(RechargeItem::order_id);
        let answer = self.send(kind, orders.len(), bytes, turn, sample).await;
        let Some(applied) = answer.map(|report| applied(&orders, &report)) else { return };
        match kind {
            LoadKind::OneStep => self.remember(gateway, &applied),
            LoadKind::Reserve => self.decide(gateway, &applied, turn.number).await,
            _ => {}
        }
    }

    fn make(&self, wish: Wish) -> (Bytes, Vec<RechargeItem>) {
        let Wish { kind, gateway, count, amounts, mut draws } = wish;
        let loader = &self.loaders[gateway];
        let mut orders = loader.orders(&mut draws, now(), count);
        for (order, amount) in orders.iter_mut().zip(amounts.iter().flatten()) {
            order.amount = (*amount).into();
        }
        let quote = self.quotes.as_ref().and_then(|quotes| *quotes.borrow());
        let (id, key) = match kind {
            LoadKind::Reserve => (self.service.id, &self.service.key),
            _ => (loader.id, &loader.key),
        };
        for order in &mut orders {
            order.order_id = order.order_id().owned_by(id).bytes();
            let is_reserved = kind == LoadKind::Reserve;
            order.flags = if is_reserved { 0 } else { Flags::COLLECTED }.into();
            let is_converted = kind == LoadKind::CrossBorder && order.amount.get() >= CONVERTED_MIN;
            if let Some(quote) = quote.filter(|_| is_converted) {
                order.currency = PAID.get().into();
                order.payout_currency = PAID_OUT.get().into();
                order.fx_quote = quote.get().into();
                order.payout_minimum = 1.into();
            }
        }
        let until = now().plus(BATCH_VALID_MS);
        (SignedBatch::sign(self.chain_id, id, key, until, &orders).into(), orders)
    }

    /// Some reserved orders are voided, the others collected.
    async fn decide(&self, gateway: usize, orders: &[RechargeItem], number: usize) {
        let is_voided = |place: usize| {
            self.voided_one_in > 0 && place % self.voided_one_in == self.voided_one_in - 1
        };
        let (mut collects, mut voids) = (Vec::new(), Vec::new());
        for (place, order) in orders.iter().enumerate() {
            if is_voided(place) {
                voids.push(VoidItem {
                    order_id: order.order_id,
                    reason: VoidReason::CustomerCancelled.number().into(),
                    reference: [0; 32],
                    spare: [0; 14],
                });
            } else {
                let order_id = order.order_id;
                collects.push(CollectItem { order_id, reference: [0; 32], spare: [0; 16] });
            }
        }
        let turn = Turn { number, intended: Instant::now() };
        let loader = &self.loaders[gateway];
        let collecting = self.say(LoadKind::Collect, (loader.id, &loader.key), &collects, turn);
        let voiding = self.say(LoadKind::Void, (self.service.id, &self.service.key), &voids, turn);
        tokio::join!(collecting, voiding);
    }

    async fn give_back(self: Arc<Self>, gateway: usize, orders: Vec<(OrderId, u64)>, turn: Turn) {
        let item = |(order, amount): &(OrderId, u64)| ReturnItem {
            order_id: order.bytes(),
            amount: (*amount).into(),
            rested_max: u64::MAX.into(),
            reason: ReturnReason::CustomerRequest.number().into(),
            sequence: 1.into(),
            reference: [0; 32],
            spare: [0; 4],
        };
        let items: Vec<ReturnItem> = orders.iter().map(item).collect();
        let loader = &self.loaders[gateway];
        self.say(LoadKind::Return, (loader.id, &loader.key), &items, turn).await;
    }

    async fn say<T: BatchItem + IntoBytes + Immutable>(
        &self,
        kind: LoadKind,
        (id, key): (chain_types::ParticipantId, &chain_types::SecretKey),
        items: &[T],
        turn: Turn,
    ) {
        if !items.is_empty() {
            let until = now().plus(BATCH_VALID_MS);
            let bytes = SignedBatch::sign(self.chain_id, id, key, until, items);
            self.send(kind, items.len(), bytes.into(), turn, None).await;
        }
    }

    /// Submits a batch and tells what became of it; gives the node's report.
    async fn send(
        &self,
        kind: LoadKind,
        items: usize,
        bytes: Bytes,
        turn: Turn,
        sample: Option<OrderId>,
    ) -> Option<BatchReport> {
        let result: Answer = (self.submit)(turn.number, bytes).await;
        let report = result.as_ref().ok().map(|(report, _)| report.clone());
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        let (latency, answered) = (turn.intended.elapsed(), Instant::now());
        // A reader that has gone has stopped measuring.
        let _ =
            self.results.send(SentBatch { kind, items, latency, answered, result, sample }).await;
        report
    }

    /// Remembers collected orders for the gateway that pays them, which reverses them.
    fn remember(&self, gateway: usize, orders: &[RechargeItem]) {
        for order in orders.iter().take(RETURNABLE_OF_BATCH) {
            let payer = self.payers.get(&order.merchant()).filter(|payer| **payer != gateway);
            let Some(kept) = payer.and_then(|payer| self.returnable.get(*payer)) else { continue };
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push((order.order_id(), order.amount().get()));
            let beyond = kept.len().saturating_sub(RETURNABLE_MAX);
            kept.drain(..beyond);
        }
    }

    /// The newest: their window is the likeliest to be open still.
    fn take_returnable(&self, gateway: usize, most: usize) -> Vec<(OrderId, u64)> {
        let mut kept = self.returnable[gateway].lock().unwrap_or_else(PoisonError::into_inner);
        let from = kept.len().saturating_sub(most);
        kept.split_off(from)
    }
}

/// The orders that a final report says were applied.
fn applied(orders: &[RechargeItem], report: &BatchReport) -> Vec<RechargeItem> {
    let mut is_applied = vec![report.outcomes.is_some(); orders.len()];
    for refused in report.outcomes.iter().flat_map(|outcomes| &outcomes.not_applied) {
        if let Some(is_applied) = is_applied.get_mut(refused.item_index as usize) {
            *is_applied = false;
        }
    }
    orders.iter().zip(is_applied).filter(|(_, applied)| *applied).map(|(order, _)| *order).collect()
}

#[cfg(test)]
mod tests;
