//! A state from a checkpoint and the blocks of the duplicate window: what those blocks' batches
//! and outcomes say is remembered, nothing is executed again.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::batch::Items;
use chain_types::block::{batches_root, outcomes_root, results_root};
use chain_types::{
    BatchId, BlockHash, BlockHeader, Decision, Digest, HashedBatch, Height, HoldDecisionItem,
    OrderId, Outcome, RechargeItem, Rejection, TimeMs,
};

use crate::fault::StateFault;
use crate::order_window::{check_timely, is_live};
use crate::recent_batches::check_batch_timely;
use crate::records::{Location, OrderRecord, OrderStatus};
use crate::state::State;

/// The first code of rejections that concern one item; those below concern its whole batch.
const ITEM_REJECTIONS: u16 = 200;

/// The step that an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// The gateway that collects it.
    Collection,
    /// A risk desk, then its collecting gateway.
    Held,
    /// A risk desk; it says itself that it is collected.
    HeldCollected,
}

/// An order that waits.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    wait: Wait,
    /// The last block time at which it does.
    end: TimeMs,
    /// True if it holds a quote once it is reserved.
    is_converted: bool,
}

/// A state whose recent orders and batches are still to be remembered. Feed it, ascending, every
/// block from the first with time >= [`Self::blocks_from`] up to the checkpoint's height.
#[derive(Debug)]
pub struct Restoring {
    state: State,
    /// Orders that the blocks so far leave reserved or held.
    waits: BTreeMap<OrderId, Waiting>,
    /// When each of them ends.
    ends: BTreeSet<(TimeMs, OrderId)>,
    last: Option<(Height, BlockHash)>,
    fault: Option<StateFault>,
}

impl Restoring {
    pub(crate) fn new(state: State) -> Self {
        Self { state, waits: BTreeMap::new(), ends: BTreeSet::new(), last: None, fault: None }
    }

    /// The checkpoint's height: the last block to feed.
    pub fn height(&self) -> Height {
        self.state.height()
    }

    /// The checkpoint's block: the last block to feed.
    pub fn block_hash(&self) -> BlockHash {
        self.state.block_hash()
    }

    /// The digest of the state, as that block's header must say it.
    pub fn digest(&self) -> Digest {
        self.state.digest()
    }

    /// The time from which blocks are needed.
    pub fn blocks_from(&self) -> TimeMs {
        self.state.order_window()
    }

    /// Takes a block's orders and batches. What is wrong with it, [`Self::finish`] says.
    ///
    /// The blocks need no signatures: each one's hash covers its batches and outcomes, is named by
    /// the block after it, and the last one's by the checkpoint.
    pub fn remember<B: AsRef<HashedBatch>>(
        &mut self,
        header: &BlockHeader,
        batches: &[B],
        outcomes: &[Vec<Outcome>],
    ) {
        let ids = batches.iter().map(|batch| batch.as_ref().id()).collect::<Vec<_>>();
        if self.fault.is_none() {
            self.fault = self.check(header, &ids, outcomes).err();
        }
        self.last = Some((header.height, header.hash()));
        self.expire(header);
        for ((index, batch), outcomes) in (0_u32..).zip(batches).zip(outcomes) {
            let at = Location { height: header.height, batch: index, item: 0 };
            self.remember_batch(header.time, batch.as_ref(), outcomes, at);
        }
    }

    fn check(
        &self,
        header: &BlockHeader,
        ids: &[BatchId],
        outcomes: &[Vec<Outcome>],
    ) -> Result<(), StateFault> {
        let differs = |what| StateFault::BlockDiffers { height: header.height, what };
        if let Some((last, hash)) = self.last {
            if header.height != last.next() {
                let (actual, expected) = (header.height, last.next());
                return Err(StateFault::BlockOrder { actual, expected });
            }
            if header.parent != hash {
                return Err(differs("parent"));
            }
        }
        if batches_root(ids) != header.batches_root {
            return Err(differs("batches"));
        }
        let roots: Vec<Digest> = outcomes.iter().map(|codes| outcomes_root(codes)).collect();
        if results_root(&roots) != header.results_root {
            return Err(differs("outcomes"));
        }
        Ok(())
    }

    fn remember_batch(
        &mut self,
        time: TimeMs,
        batch: &HashedBatch,
        outcomes: &[Outcome],
        at: Location,
    ) {
        let valid_until = batch.header().valid_until;
        let parameters = self.state.parameters();
        if check_batch_timely(parameters, valid_until, time).is_ok()
            && valid_until >= self.state.time
        {
            self.state.batches.insert(batch.id(), valid_until, (at.height, at.batch));
        }
        let places = (0_u32..).map(|item| Location { item, ..at });
        let outcomes = places.zip(outcomes.iter().copied());
        match batch.items() {
            Items::Recharge(items) => {
                let submitted = items.iter().zip(batch.leaves()).zip(outcomes);
                let recorded = submitted.filter_map(|((item, leaf), (location, outcome))| {
                    self.recorded(time, item, leaf, outcome, location)
                });
                let (orders, waits): (Vec<_>, Vec<_>) = recorded.unzip();
                self.remember_orders(&orders, waits);
            }
            Items::Collect(items) => {
                for (item, (location, outcome)) in items.iter().zip(outcomes) {
                    self.step(item.order_id(), OrderStatus::Collected, outcome, location);
                }
            }
            Items::Debiting(items) => {
                for (item, (location, outcome)) in items.iter().zip(outcomes) {
                    // The order waits on for its collection.
                    if outcome.is_applied() {
                        self.set(item.order_id(), OrderStatus::Debiting, location);
                    }
                }
            }
            Items::Void(items) => {
                for (item, (location, outcome)) in items.iter().zip(outcomes) {
                    self.step(item.order_id(), OrderStatus::Voided, outcome, location);
                }
            }
            Items::HoldDecision(items) => {
                for (item, (location, outcome)) in items.iter().zip(outcomes) {
                    self.decide(time, item, outcome, location);
                }
            }
            // What the others change is in the checkpoint.
            _ => {}
        }
    }

    /// Takes those that are new, and what they wait for.
    fn remember_orders(
        &mut self,
        orders: &[(OrderId, OrderRecord)],
        mut waits: Vec<Option<Waiting>>,
    ) {
        for place in self.state.orders.insert_missing(orders) {
            waits[place] = None;
        }
        for ((id, _), wait) in orders.iter().zip(waits) {
            if let Some(waiting) = wait {
                self.wait(*id, waiting);
            }
        }
    }

    fn wait(&mut self, id: OrderId, waiting: Waiting) {
        self.waits.insert(id, waiting);
        self.ends.insert((waiting.end, id));
    }

    fn wait_no_longer(&mut self, id: &OrderId) -> Option<Waiting> {
        let waiting = self.waits.remove(id)?;
        self.ends.remove(&(waiting.end, *id));
        Some(waiting)
    }

    /// The last block time at which an order may wait for a risk desk: the end of its id's
    /// validity.
    fn hold_end(&self, id: OrderId) -> TimeMs {
        id.time().plus(self.state.parameters().order_validity_ms)
    }

    /// The last block time at which a reservation may be collected: that, and the end of the time
    /// for which it may hold money, or a quote. None of these parameters ever changes.
    fn reservation_end(&self, id: OrderId, accepted: TimeMs, is_converted: bool) -> TimeMs {
        let parameters = self.state.parameters();
        let quote_ms = if is_converted { parameters.quote_hold_ms } else { u64::MAX };
        self.hold_end(id).min(accepted.plus(parameters.reservation_ms.min(quote_ms)))
    }

    /// The record of an order if it is new, and the step that it then waits for: every timely id
    /// that its submitter may use, of a batch that was let in, is recorded, whatever its outcome.
    fn recorded(
        &self,
        time: TimeMs,
        item: &RechargeItem,
        leaf: &Digest,
        outcome: Outcome,
        location: Location,
    ) -> Option<((OrderId, OrderRecord), Option<Waiting>)> {
        let id = item.order_id();
        let parameters = self.state.parameters();
        let is_of_batch = outcome.rejection().is_some_and(|why| why.code() < ITEM_REJECTIONS);
        let is_anothers = [Rejection::NotCollectingGateway, Rejection::OrderIdForeign]
            .into_iter()
            .any(|foreign| outcome == foreign.into());
        if is_of_batch
            || is_anothers
            || !id.is_uuid_v7()
            || check_timely(parameters, id, time).is_err()
            || !is_live(parameters, id, self.state.time)
        {
            return None;
        }
        let status = match (outcome.is_applied(), item.is_collected()) {
            _ if outcome == Outcome::HELD => OrderStatus::Held,
            (true, true) => OrderStatus::Collected,
            (true, false) => OrderStatus::Reserved,
            (false, _) => OrderStatus::Rejected,
        };
        let wait = match status {
            OrderStatus::Reserved => Some(Wait::Collection),
            OrderStatus::Held if item.is_collected() => Some(Wait::HeldCollected),
            OrderStatus::Held => Some(Wait::Held),
            _ => None,
        };
        let is_converted = item.quote().is_some();
        let waiting = wait.map(|wait| {
            let end = match wait {
                Wait::Collection => self.reservation_end(id, time, is_converted),
                Wait::Held | Wait::HeldCollected => self.hold_end(id),
            };
            Waiting { wait, end, is_converted }
        });
        Some(((id, OrderRecord::new(location, leaf, outcome, status)), waiting))
    }

    fn step(&mut self, id: OrderId, status: OrderStatus, outcome: Outcome, location: Location) {
        if !outcome.is_applied() {
            return;
        }
        self.wait_no_longer(&id);
        self.set(id, status, location);
    }

    fn set(&mut self, id: OrderId, status: OrderStatus, location: Location) {
        if let Some(record) = self.state.orders.get(&id) {
            self.state.orders.insert(id, record.stepped(status, location.height, Some(location)));
        }
    }

    /// A risk desk's decision that was applied ends the hold.
    fn decide(
        &mut self,
        time: TimeMs,
        item: &HoldDecisionItem,
        outcome: Outcome,
        location: Location,
    ) {
        let id = item.order_id();
        if !outcome.is_applied() {
            return;
        }
        let Some(Waiting { wait, is_converted, .. }) = self.wait_no_longer(&id) else { return };
        let is_release = item.decision.get() == Decision::Approve.number();
        let status = match wait {
            _ if !is_release => OrderStatus::Refused,
            Wait::HeldCollected => OrderStatus::Collected,
            Wait::Held | Wait::Collection => OrderStatus::Reserved,
        };
        if status == OrderStatus::Reserved {
            let end = self.reservation_end(id, time, is_converted);
            self.wait(id, Waiting { wait: Wait::Collection, end, is_converted });
        }
        self.set(id, status, location);
    }

    /// Reservations and holds end at the start of the first block past their time.
    fn expire(&mut self, header: &BlockHeader) {
        while let Some((end, id)) = self.ends.first().copied() {
            if header.time <= end {
                return;
            }
            let Some(Waiting { wait, .. }) = self.wait_no_longer(&id) else { return };
            let status = match wait {
                Wait::Collection => OrderStatus::Expired,
                Wait::Held | Wait::HeldCollected => OrderStatus::Refused,
            };
            if let Some(record) = self.state.orders.get(&id) {
                self.state.orders.insert(id, record.stepped(status, header.height, None));
            }
        }
    }

    /// The state as far as it is, for tests.
    #[cfg(test)]
    pub(crate) fn into_incomplete(self) -> State {
        self.state
    }

    /// The state, complete.
    ///
    /// # Errors
    /// When the blocks fed do not ascend by one, are not as their hashes say, do not end at the
    /// checkpoint's block, or leave other orders reserved than the checkpoint says.
    pub fn finish(self) -> Result<State, StateFault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let (height, hash) = (self.state.height, self.state.block_hash);
        if self.last != Some((height, hash)) && height != Height::new(0) {
            return Err(StateFault::BlocksEnd { actual: self.last, height, hash });
        }
        let is_reserved = |waiting: &Waiting| waiting.wait == Wait::Collection;
        let reserved = self.waits.iter().filter(|(_, wait)| is_reserved(wait)).map(|(id, _)| id);
        let held = self.waits.iter().filter(|(_, wait)| !is_reserved(wait)).map(|(id, _)| id);
        let (reservations, holds) = (&self.state.reservations, &self.state.tables.held);
        if !reserved.eq(reservations.all().keys()) || !held.eq(holds.keys()) {
            return Err(StateFault::ReservationsDiffer {
                actual: self.waits.len(),
                expected: reservations.len() + holds.len(),
            });
        }
        Ok(self.state)
    }
}
