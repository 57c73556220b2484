//! The duplicate window: every order whose id may still commit, exact and in bounded memory.
//!
//! Orders stand in slices by their id's own time. Once block time is past every id of a slice
//! plus the validity, none of them can commit again and no reservation among them is open: the
//! slice leaves, to be sorted and kept by the store. The maps are for lookups only; nothing that
//! consensus sees depends on their order.
//!
//! It is the one part of the state that may be read while it changes, so that an order's status
//! does not wait for a block that is being taken (docs/adr/0021): it stands in parts behind locks.
//! Only the state's owner writes.
#![expect(clippy::disallowed_types, reason = "docs/adr/0021: read while it changes")]

use std::collections::BTreeMap;
use std::sync::Arc;

use ahash::RandomState;
use chain_types::{Height, OrderId, Parameters, Rejection, TimeMs};
use parking_lot::RwLock;

use crate::positions::hash_of;
use crate::records::OrderRecord;
use crate::slice::{OrderRun, PARTS, Retired, SLICE_MS, Slice, part_of};

/// Checks that an order id may commit at a block time.
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

/// The finding about an order ahead of executing it: good for the overlay that looked, and for
/// this id only.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedOrder {
    pub(crate) hash: u64,
    pub(crate) is_in_state: bool,
}

/// The recent orders, as the state has them: a copy of the state has its own.
#[derive(Debug)]
pub(crate) struct OrderWindow(RecentOrders);

/// The recent orders, to be looked up by anyone while the next block's are added.
#[derive(Debug, Clone)]
pub struct RecentOrders(Arc<Window>);

#[derive(Debug)]
struct Window {
    hashing: RandomState,
    parts: [RwLock<Part>; PARTS],
}

/// The orders of a share of all hashes.
#[derive(Debug, Clone, Default)]
struct Part {
    slices: BTreeMap<u64, Slice>,
    /// The height of the block by which orders last left it.
    left: Height,
}

/// The record of an order among the recent ones, if one was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sought {
    /// Its record, as of the last block or of the one that is being taken: see its heights.
    pub record: Option<OrderRecord>,
    /// When there is none: the block with which it may have left.
    pub left: Height,
}

impl RecentOrders {
    /// Looks an order up. What is done meanwhile to orders of the same hashes is waited for, some
    /// microseconds of work; to all others, and to the rest of the state, it is not.
    pub fn look_up(&self, id: &OrderId) -> Sought {
        let Window { hashing, parts } = &*self.0;
        let hash = hash_of(hashing, &id.bytes());
        let part = parts[part_of(hash)].read();
        Sought { record: part.get(hash, id), left: part.left }
    }
}

impl Clone for OrderWindow {
    fn clone(&self) -> Self {
        let Window { hashing, parts } = self.window();
        let parts = std::array::from_fn(|number| RwLock::new(parts[number].read().clone()));
        Self(RecentOrders(Arc::new(Window { hashing: hashing.clone(), parts })))
    }
}

impl OrderWindow {
    pub(crate) fn new(hashing: RandomState) -> Self {
        let parts = std::array::from_fn(|_| RwLock::default());
        Self(RecentOrders(Arc::new(Window { hashing, parts })))
    }

    /// These very orders, for those who read them while they change.
    pub(crate) fn shared(&self) -> RecentOrders {
        self.0.clone()
    }

    fn window(&self) -> &Window {
        &self.0.0
    }

    pub(crate) fn get(&self, id: &OrderId) -> Option<OrderRecord> {
        self.0.look_up(id).record
    }

    /// `hash` is [`hash_of`] the id.
    pub(crate) fn get_hashed(&self, hash: u64, id: &OrderId) -> Option<OrderRecord> {
        self.window().parts[part_of(hash)].read().get(hash, id)
    }

    /// Looks for these orders. Those of one part and slice are looked up side by side:
    /// all that is done for each is a miss in the cache.
    pub(crate) fn expect(&self, ids: impl Iterator<Item = OrderId>) -> Vec<ExpectedOrder> {
        let Window { hashing, parts } = self.window();
        let orders: Vec<(OrderId, u64)> =
            ids.map(|id| (id, hash_of(hashing, &id.bytes()))).collect();
        let expect = |(_, hash): &(OrderId, u64)| ExpectedOrder { hash: *hash, is_in_state: false };
        let mut expected: Vec<ExpectedOrder> = orders.iter().map(expect).collect();
        for (part, places) in by_part(orders.iter().map(|(_, hash)| *hash)).groups() {
            let part = parts[part].read();
            let number = |place: &u32| slice_number(orders[*place as usize].0);
            for run in places.chunk_by(|place, next| number(place) == number(next)) {
                let Some(slice) = part.slices.get(&number(&run[0])) else { continue };
                for place in run {
                    let (id, hash) = &orders[*place as usize];
                    expected[*place as usize].is_in_state = slice.contains(*hash, id);
                }
            }
        }
        expected
    }

    /// How many orders it holds.
    pub(crate) fn len(&self) -> usize {
        let len = |part: &RwLock<Part>| part.read().slices.values().map(Slice::len).sum::<usize>();
        self.window().parts.iter().map(len).sum()
    }

    /// Adds the orders of a block, new ones or later steps of those it has.
    pub(crate) fn insert_all(&self, orders: &[(OrderId, OrderRecord)]) {
        let Window { hashing, .. } = self.window();
        self.visit(orders, |slice, hash, place| {
            let (id, record) = orders[place];
            slice.insert(hashing, hash, id, record);
        });
    }

    /// Adds those of a batch's orders that are new to it. The others' places, in no order.
    pub(crate) fn insert_missing(&self, orders: &[(OrderId, OrderRecord)]) -> Vec<usize> {
        let Window { hashing, .. } = self.window();
        let mut there = Vec::new();
        self.visit(orders, |slice, hash, place| {
            let (id, record) = orders[place];
            if slice.contains(hash, &id) {
                there.push(place);
            } else {
                slice.insert(hashing, hash, id, record);
            }
        });
        there
    }

    /// Calls `visit` with each order's slice, hash and place: those of one part and slice together,
    /// in their order.
    fn visit(
        &self,
        orders: &[(OrderId, OrderRecord)],
        mut visit: impl FnMut(&mut Slice, u64, usize),
    ) {
        let Window { hashing, parts } = self.window();
        let hashes: Vec<u64> = orders.iter().map(|(id, _)| hash_of(hashing, &id.bytes())).collect();
        for (part, places) in by_part(hashes.iter().copied()).groups() {
            let mut part = parts[part].write();
            let number = |place: &u32| slice_number(orders[*place as usize].0);
            for run in places.chunk_by(|place, next| number(place) == number(next)) {
                let (_, first) = &orders[run[0] as usize];
                let slice = part.slice(hashing, number(&run[0]), first.location.height);
                for place in run {
                    visit(slice, hashes[*place as usize], *place as usize);
                }
            }
        }
    }

    /// Adds an order that is new to it, or a later step of one it has.
    pub(crate) fn insert(&self, id: OrderId, record: OrderRecord) {
        let Window { hashing, parts } = self.window();
        let hash = hash_of(hashing, &id.bytes());
        let mut part = parts[part_of(hash)].write();
        let slice = part.slice(hashing, slice_number(id), record.location.height);
        slice.insert(hashing, hash, id, record);
    }

    /// Takes out every slice that no order can enter or change after this block.
    pub(crate) fn retire(&self, parameters: &Parameters, height: Height, time: TimeMs) -> Retired {
        let Window { hashing, parts } = self.window();
        let first_live = first_live_slice(parameters, time);
        let mut runs: BTreeMap<u64, OrderRun> = BTreeMap::new();
        for (number, part) in parts.iter().enumerate() {
            for (slice, orders) in part.write().retire(first_live, height) {
                let run = runs.entry(slice).or_insert_with(|| OrderRun::new(hashing.clone()));
                run.parts.insert(number, orders);
            }
        }
        Retired { runs: runs.into_values().collect() }
    }
}

impl Part {
    fn get(&self, hash: u64, id: &OrderId) -> Option<OrderRecord> {
        self.slices.get(&slice_number(*id))?.get(hash, id)
    }

    /// A slice, there or new: then about as large as the one before it, so that it grows without
    /// stalls.
    fn slice(&mut self, hashing: &RandomState, number: u64, base_height: Height) -> &mut Slice {
        let before = self.slices.range(..number).next_back().map_or(0, |(_, slice)| slice.len());
        let new = || Slice::new(hashing, base_height, before + before / 8);
        self.slices.entry(number).or_insert_with(new)
    }

    fn retire(&mut self, first_live: u64, height: Height) -> BTreeMap<u64, Slice> {
        if self.slices.first_key_value().is_none_or(|(number, _)| *number >= first_live) {
            return BTreeMap::new();
        }
        self.left = height;
        let live = self.slices.split_off(&first_live);
        std::mem::replace(&mut self.slices, live)
    }
}

/// The places of a list's entries, those of one part together, each part's in their order.
struct ByPart {
    places: Vec<u32>,
    ends: [usize; PARTS],
}

fn by_part(hashes: impl Iterator<Item = u64> + Clone) -> ByPart {
    let mut ends = [0; PARTS];
    for hash in hashes.clone() {
        ends[part_of(hash)] += 1;
    }
    let mut next = 0;
    for end in &mut ends {
        next += std::mem::replace(end, next);
    }
    // So far where each part begins; it ends where its last entry is put.
    let mut places = vec![0; next];
    for (place, hash) in (0..).zip(hashes) {
        let end = &mut ends[part_of(hash)];
        places[*end] = place;
        *end += 1;
    }
    ByPart { places, ends }
}

impl ByPart {
    /// The parts that have entries, and their places.
    fn groups(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let mut begin = 0;
        let group = move |(part, end): (usize, &usize)| {
            let group = &self.places[std::mem::replace(&mut begin, *end)..*end];
            (part, group)
        };
        self.ends.iter().enumerate().map(group).filter(|(_, places)| !places.is_empty())
    }
}

/// The slice of an id.
fn slice_number(id: OrderId) -> u64 {
    id.time().get() / SLICE_MS
}

/// The first slice of which some id may still commit, or have an open reservation, after a
/// block of `time`.
fn first_live_slice(parameters: &Parameters, time: TimeMs) -> u64 {
    time.minus(parameters.order_validity_ms).get() / SLICE_MS
}

/// Returns true if the slice of `id` is still in the window after a block of `time`.
pub(crate) fn is_live(parameters: &Parameters, id: OrderId, time: TimeMs) -> bool {
    slice_number(id) >= first_live_slice(parameters, time)
}

/// The earliest block time at which an order of a live slice can have committed.
pub(crate) fn earliest_needed(parameters: &Parameters, time: TimeMs) -> TimeMs {
    let start = TimeMs::new(first_live_slice(parameters, time).saturating_mul(SLICE_MS));
    start.minus(parameters.order_skew_ms)
}
