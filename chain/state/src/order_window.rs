//! The duplicate window: every order whose id may still commit, exact and in bounded memory.
//!
//! Orders stand in slices by their id's own time. Once block time is past every id of a slice
//! plus the validity, none of them can commit again and no reservation among them is open: the
//! slice leaves, to be sorted and kept by the store. The maps are for lookups only; nothing that
//! consensus sees depends on their order.

use std::collections::{BTreeMap, HashMap};

use ahash::RandomState;
use chain_types::{Height, OrderId, Outcome, Parameters, Rejection, TimeMs};

use crate::positions::{Positions, hash_of};
use crate::records::{Location, OrderRecord, OrderStatus};

/// The span of id times that one slice holds.
pub const SLICE_MS: u64 = 10_000;
/// Bits of a packed position that hold the item's place in its batch.
const ITEM_BITS: u32 = 13;
/// The most batches of a block, so that batch and item pack into 32 bits.
pub const BLOCK_BATCHES_LIMIT: u32 = 1 << (32 - ITEM_BITS);

const _: () = assert!(chain_types::batch::BATCH_ITEMS_MAX <= 1 << ITEM_BITS);

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

/// Orders that left the duplicate window, unsorted yet: sorting is left to a thread that holds
/// no lock.
#[derive(Debug, Default)]
pub struct Departing {
    slices: Vec<Slice>,
}

impl Departing {
    /// Whether no slice left.
    pub fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    /// The orders in sorted runs: about 100 ns an order.
    pub fn sorted(self) -> Retired {
        Retired { runs: self.slices.into_iter().map(Slice::into_run).collect() }
    }
}

/// Orders that left the duplicate window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retired {
    /// Each ascending by id; the ids of a run lie within [`SLICE_MS`] of each other, and runs
    /// do not overlap.
    pub runs: Vec<Vec<(OrderId, OrderRecord)>>,
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

    /// `hash` is [`hash_of`] the id, here and in [`Self::contains`].
    pub(crate) fn get_hashed(&self, hash: u64, id: &OrderId) -> Option<OrderRecord> {
        self.slices.get(&slice_number(*id))?.get(hash, id)
    }

    pub(crate) fn contains(&self, hash: u64, id: &OrderId) -> bool {
        self.slices.get(&slice_number(*id)).is_some_and(|slice| slice.find(hash, id).is_some())
    }

    /// How many orders it holds.
    pub(crate) fn len(&self) -> usize {
        self.slices.values().map(|slice| slice.orders.len()).sum()
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
    pub(crate) fn retire(&mut self, parameters: &Parameters, time: TimeMs) -> Departing {
        let first_live = first_live_slice(parameters, time);
        let live = self.slices.split_off(&first_live);
        let leaving = std::mem::replace(&mut self.slices, live);
        Departing { slices: leaving.into_values().collect() }
    }

    /// An empty slice, made about as large as the one before it, so that it grows without stalls.
    fn new_slice(&self, number: u64, base_height: Height) -> Slice {
        let before =
            self.slices.range(..number).next_back().map_or(0, |(_, slice)| slice.orders.len());
        let room = before + before / 8;
        Slice {
            base_height,
            orders: Vec::with_capacity(room),
            at: Positions::with_capacity(room),
            later: HashMap::with_hasher(self.hashing.clone()),
        }
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

#[derive(Debug, Clone)]
struct Slice {
    /// The height of its first order; no order of it stands lower.
    base_height: Height,
    /// In order of arrival.
    orders: Vec<(OrderId, Packed)>,
    at: Positions,
    /// Where the last step of an order stands that took more than one, and its height.
    later: HashMap<OrderId, (Height, Location), RandomState>,
}

/// An order in 28 bytes: millions of them are held.
#[derive(Debug, Clone, Copy)]
struct Packed {
    fingerprint: [u8; 16],
    height_offset: u32,
    position: u32,
    outcome: Outcome,
    status: OrderStatus,
}

impl Slice {
    fn get(&self, hash: u64, id: &OrderId) -> Option<OrderRecord> {
        self.find(hash, id).map(|at| self.unpack(id, &self.orders[at].1))
    }

    fn find(&self, hash: u64, id: &OrderId) -> Option<usize> {
        self.at.find(hash, |at| self.orders[at].0 == *id)
    }

    fn unpack(&self, id: &OrderId, packed: &Packed) -> OrderRecord {
        let location = Location {
            height: Height(self.base_height.0 + u64::from(packed.height_offset)),
            batch: packed.position >> ITEM_BITS,
            item: packed.position & ((1 << ITEM_BITS) - 1),
        };
        let (status_height, status_location) = if self.later.is_empty() {
            (location.height, location)
        } else {
            self.later.get(id).copied().unwrap_or((location.height, location))
        };
        OrderRecord {
            location,
            fingerprint: packed.fingerprint,
            outcome: packed.outcome,
            status: packed.status,
            status_height,
            status_location,
        }
    }

    fn insert(&mut self, hashing: &RandomState, id: OrderId, record: OrderRecord) {
        let Location { height, batch, item } = record.location;
        let offset = height.0.checked_sub(self.base_height.0).map(u32::try_from);
        let Some(Ok(height_offset)) = offset else {
            panic!("order {id} of height {height} is outside its slice from {}", self.base_height);
        };
        assert!(batch < BLOCK_BATCHES_LIMIT && item < 1 << ITEM_BITS, "order {id} does not pack");
        let packed = Packed {
            fingerprint: record.fingerprint,
            height_offset,
            position: batch << ITEM_BITS | item,
            outcome: record.outcome,
            status: record.status,
        };
        let orders = &self.orders;
        let found = self.at.find_or_add(
            hash_of(hashing, &id.0),
            orders.len(),
            |at| orders[at].0 == id,
            |at| hash_of(hashing, &orders[at].0.0),
        );
        match found {
            Some(at) => self.orders[at].1 = packed,
            None => self.orders.push((id, packed)),
        }
        if record.status_height != height || record.status_location != record.location {
            self.later.insert(id, (record.status_height, record.status_location));
        }
    }

    fn into_run(mut self) -> Vec<(OrderId, OrderRecord)> {
        let orders = std::mem::take(&mut self.orders);
        let mut run: Vec<_> =
            orders.into_iter().map(|(id, packed)| (id, self.unpack(&id, &packed))).collect();
        run.sort_unstable_by_key(|(id, _)| *id);
        run
    }
}
