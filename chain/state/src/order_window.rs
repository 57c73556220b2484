//! The duplicate window: every order whose id may still commit, exact and in bounded memory.
//!
//! Orders stand in slices by their id's own time. Once block time is past every id of a slice
//! plus the validity, none of them can commit again and no reservation among them is open: the
//! slice leaves, to be sorted and kept by the store. The maps are for lookups only; nothing that
//! consensus sees depends on their order.

use std::collections::BTreeMap;

use ahash::RandomState;
use chain_types::{Height, OrderId, Parameters, Rejection, TimeMs};

use crate::positions::hash_of;
use crate::records::OrderRecord;
use crate::slice::{OrderRun, Retired, SLICE_MS, Slice};

/// Whether an order id may commit at a block time.
///
/// # Errors
/// [`Rejection::OrderIdExpired`] past id time plus validity, [`Rejection::OrderIdEarly`] when the
/// id's time lies more than the skew ahead.
pub fn check_timely(parameters: &Parameters, id: OrderId, time: TimeMs) -> Result<(), Rejection> {
    if time > id.time().plus(parameters.order_validity_ms) {
        return Err(Rejection::OrderIdExpired);
    }
    if id.time() > time.plus(parameters.order_skew_ms) {
        return Err(Rejection::OrderIdEarly);
    }
    Ok(())
}

/// What was found of an order ahead of executing it: good for the overlay that looked, and for
/// this id only.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedOrder {
    pub(crate) hash: u64,
    pub(crate) is_in_state: bool,
}

/// The recent orders.
#[derive(Debug, Clone)]
pub(crate) struct OrderWindow {
    hashing: RandomState,
    slices: BTreeMap<u64, Slice>,
}

impl OrderWindow {
    pub(crate) fn new(hashing: RandomState) -> Self {
        Self { hashing, slices: BTreeMap::new() }
    }

    pub(crate) fn get(&self, id: &OrderId) -> Option<OrderRecord> {
        self.get_hashed(hash_of(&self.hashing, &id.0), id)
    }

    /// `hash` is [`hash_of`] the id.
    pub(crate) fn get_hashed(&self, hash: u64, id: &OrderId) -> Option<OrderRecord> {
        self.slices.get(&slice_number(*id))?.get(hash, id)
    }

    /// Whether it has these orders, each with [`hash_of`] it. Those of one slice, which mostly
    /// follow each other, are looked up side by side: all that is done for each is a miss in the
    /// cache.
    pub(crate) fn expect(&self, orders: &[(OrderId, u64)]) -> Vec<ExpectedOrder> {
        let mut expected = Vec::with_capacity(orders.len());
        for run in orders.chunk_by(|(id, _), (next, _)| slice_number(*id) == slice_number(*next)) {
            let slice = run.first().and_then(|(id, _)| self.slices.get(&slice_number(*id)));
            expected.extend(run.iter().map(|(id, hash)| {
                let is_in_state = slice.is_some_and(|slice| slice.contains(*hash, id));
                ExpectedOrder { hash: *hash, is_in_state }
            }));
        }
        expected
    }

    /// How many orders it holds.
    pub(crate) fn len(&self) -> usize {
        self.slices.values().map(Slice::len).sum()
    }

    /// Adds the orders of a block, new ones or later steps of those it has.
    pub(crate) fn insert_all(&mut self, orders: &[(OrderId, OrderRecord)]) {
        for run in orders.chunk_by(|(id, _), (next, _)| slice_number(*id) == slice_number(*next)) {
            let slice = run.first().and_then(|(id, _)| self.slices.get_mut(&slice_number(*id)));
            match slice {
                Some(slice) => {
                    for (id, record) in run {
                        slice.insert(&self.hashing, *id, *record);
                    }
                }
                None => run.iter().for_each(|(id, record)| self.insert(*id, *record)),
            }
        }
    }

    /// Adds an order that is new to it, or a later step of one it has.
    pub(crate) fn insert(&mut self, id: OrderId, record: OrderRecord) {
        let number = slice_number(id);
        if let Some(slice) = self.slices.get_mut(&number) {
            slice.insert(&self.hashing, id, record);
            return;
        }
        let mut slice = self.new_slice(number, record.location.height);
        slice.insert(&self.hashing, id, record);
        self.slices.insert(number, slice);
    }

    /// Takes out every slice that no order can enter or change after a block of `time`.
    pub(crate) fn retire(&mut self, parameters: &Parameters, time: TimeMs) -> Retired {
        let first_live = first_live_slice(parameters, time);
        let live = self.slices.split_off(&first_live);
        let leaving = std::mem::replace(&mut self.slices, live);
        let run = |slice| OrderRun::new(self.hashing.clone(), slice);
        Retired { runs: leaving.into_values().map(run).collect() }
    }

    /// An empty slice, made about as large as the one before it, so that it grows without stalls.
    fn new_slice(&self, number: u64, base_height: Height) -> Slice {
        let before = self.slices.range(..number).next_back().map_or(0, |(_, slice)| slice.len());
        Slice::new(&self.hashing, base_height, before + before / 8)
    }
}

/// The slice of an id.
fn slice_number(id: OrderId) -> u64 {
    id.time().0 / SLICE_MS
}

/// The first slice of which some id may still commit, or have an open reservation, after a
/// block of `time`.
fn first_live_slice(parameters: &Parameters, time: TimeMs) -> u64 {
    time.minus(parameters.order_validity_ms).0 / SLICE_MS
}

/// Whether the slice of `id` is still in the window after a block of `time`.
pub(crate) fn is_live(parameters: &Parameters, id: OrderId, time: TimeMs) -> bool {
    slice_number(id) >= first_live_slice(parameters, time)
}

/// The earliest block time at which an order of a live slice can have committed.
pub(crate) fn earliest_needed(parameters: &Parameters, time: TimeMs) -> TimeMs {
    let start = TimeMs(first_live_slice(parameters, time).saturating_mul(SLICE_MS));
    start.minus(parameters.order_skew_ms)
}
