//! The orders whose ids' times lie within one span, packed: part of the duplicate window as long
//! as one of them may commit, then a run on its way to the store.

use std::collections::{BTreeMap, HashMap};

use ahash::RandomState;
use chain_types::{Height, OrderId, Outcome};

use crate::chunked::Chunked;
use crate::positions::{Positions, hash_of};
use crate::records::{Location, OrderRecord, OrderStatus};

/// The span of id times that one slice holds.
pub const SLICE_MS: u64 = 10_000;
/// Parts of the window, by hash. A lock is held for one of them at a time, so that whoever looks an
/// order up all but never meets one; and so many orders of a block share a part that the part's
/// tables are in the cache by then.
pub(crate) const PARTS: usize = 32;
/// Bits of a packed position that hold the item's place in its batch.
const ITEM_BITS: u32 = 13;
/// The most batches of a block, so that batch and item pack into 32 bits.
pub const BLOCK_BATCHES_LIMIT: u32 = 1 << (32 - ITEM_BITS);

const _: () = assert!(chain_types::batch::BATCH_ITEMS_MAX <= 1 << ITEM_BITS);

/// Orders that left the duplicate window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retired {
    /// The ids of a run lie within [`SLICE_MS`] of each other; runs ascend and do not overlap.
    pub runs: Vec<OrderRun>,
}

/// Orders that left the duplicate window together, as they lay there: found by id at once, and
/// sorted by whoever wants them so.
#[derive(Debug, Clone)]
pub struct OrderRun {
    hashing: RandomState,
    pub(crate) parts: BTreeMap<usize, Slice>,
}

impl OrderRun {
    pub(crate) const fn new(hashing: RandomState) -> Self {
        Self { hashing, parts: BTreeMap::new() }
    }

    /// A run of these orders, for tests and tools.
    pub fn of(orders: &[(OrderId, OrderRecord)]) -> Self {
        let mut run = Self::new(RandomState::with_seeds(0, 0, 0, 0));
        let first = orders.iter().map(|(_, record)| record.location.height).min();
        for (id, record) in orders {
            let hash = hash_of(&run.hashing, &id.bytes());
            let new = || Slice::new(&run.hashing, first.unwrap_or_default(), 0);
            let part = run.parts.entry(part_of(hash)).or_insert_with(new);
            part.insert(&run.hashing, hash, *id, *record);
        }
        run
    }

    /// How many orders it holds.
    pub fn len(&self) -> usize {
        self.parts.values().map(Slice::len).sum()
    }

    /// Returns true if it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of its orders.
    pub fn any(&self) -> Option<(OrderId, OrderRecord)> {
        let slice = self.parts.values().find(|slice| slice.len() > 0)?;
        let (id, _) = slice.orders.first()?;
        Some((*id, slice.record(0)))
    }

    /// An order of it.
    pub fn get(&self, id: &OrderId) -> Option<OrderRecord> {
        let hash = hash_of(&self.hashing, &id.bytes());
        self.parts.get(&part_of(hash))?.get(hash, id)
    }

    /// Its orders, ascending by id. They came nearly in order of their ids' times: so first each to
    /// its sixteenth of a millisecond, then the few of each among themselves, as one gets there:
    /// some 120 ns an order, for the most part on the way. Not for a thread that others wait for.
    pub fn sorted(&self) -> impl Iterator<Item = (OrderId, OrderRecord)> + use<'_> {
        self.sorted_at_leisure(&mut || ())
    }

    /// [`Self::sorted`], which calls `pause` now and then before it gives the first.
    pub fn sorted_at_leisure<'a>(
        &'a self,
        pause: &mut dyn FnMut(),
    ) -> impl Iterator<Item = (OrderId, OrderRecord)> + use<'a> {
        let start = self.ids().map(|(id, _)| id.time().get()).min().unwrap_or_default();
        let step = |id: &OrderId| sorting_step(id, start);
        let mut seen = 0_usize;
        let mut now_and_then = || {
            seen += 1;
            if seen.is_multiple_of(SORTED_AT_ONCE) {
                pause();
            }
        };
        let mut ends = vec![0_usize; SORTING_STEPS];
        for (id, _) in self.ids() {
            ends[step(id)] += 1;
            now_and_then();
        }
        let mut next = 0;
        for end in &mut ends {
            next += std::mem::replace(end, next);
        }
        // So far where each step begins; it ends where its last order is put.
        let mut places = vec![(0, 0); next];
        for (id, place) in self.ids() {
            let end = &mut ends[step(id)];
            places[*end] = place;
            *end += 1;
            now_and_then();
        }
        let slices: Vec<&Slice> = self.parts.values().collect();
        let (mut ends, mut begin) = (ends.into_iter(), 0);
        let (mut few, mut at) = (Vec::new(), 0);
        std::iter::from_fn(move || {
            while at == few.len() {
                let end = ends.next()?;
                few.clear();
                few.extend(places[begin..end].iter().map(|&(slice, place)| {
                    let (id, _) = &slices[usize::from(slice)].orders[place as usize];
                    // As one number: compared in two steps, not byte by byte.
                    (u128::from_be_bytes(id.bytes()), slice, place)
                }));
                few.sort_unstable();
                (begin, at) = (end, 0);
            }
            let (id, slice, place) = few[at];
            at += 1;
            let record = slices[usize::from(slice)].record(place as usize);
            Some((OrderId::from_bytes(id.to_be_bytes()), record))
        })
    }

    /// Its ids: each part's in order of arrival, and where they stand, as slice and place in it.
    fn ids(&self) -> impl Iterator<Item = (&OrderId, (u16, u32))> {
        (0..).zip(self.parts.values()).flat_map(|(number, slice)| {
            (0..).zip(slice.orders.iter()).map(move |(at, (id, _))| (id, (number, at)))
        })
    }
}

/// Orders that are sorted without a pause, in some 0.2 ms.
const SORTED_AT_ONCE: usize = 16_384;
/// How many steps [`sorting_step`] has.
const SORTING_STEPS: usize = SLICE_MS as usize * 16;

/// Into which step from `start` on, in milliseconds, an id falls: sixteen a millisecond, by what
/// follows the time and the version in a UUIDv7. Ascends with any ids, so that those of another
/// version or of a longer span, which only tests have, share steps and nothing else.
fn sorting_step(id: &OrderId, start: u64) -> usize {
    let fraction =
        u16::from_be_bytes([id.bytes()[6], id.bytes()[7]]).clamp(0x7000, 0x7fff) >> 8 & 0xf;
    let step = (id.time().get() - start).saturating_mul(16) + u64::from(fraction);
    step.min(SORTING_STEPS as u64 - 1) as usize
}

impl PartialEq for OrderRun {
    fn eq(&self, other: &Self) -> bool {
        self.sorted().eq(other.sorted())
    }
}

impl Eq for OrderRun {}

/// The orders of a span of id times.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    /// The height of its first order; no order of it stands lower.
    base_height: Height,
    /// In order of arrival. All validators have the same: a list that is copied as it grows would
    /// hold all of them up at the same height.
    orders: Chunked<(OrderId, Packed)>,
    at: Positions,
    /// The height and location of the last step of each order that took more than one.
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
    /// An empty one, with room for so many orders.
    pub(crate) fn new(hashing: &RandomState, base_height: Height, room: usize) -> Self {
        Self {
            base_height,
            orders: Chunked::new(),
            at: Positions::with_capacity(room),
            later: HashMap::with_hasher(hashing.clone()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    /// `hash` is [`hash_of`] the id, here and in [`Self::contains`].
    pub(crate) fn get(&self, hash: u64, id: &OrderId) -> Option<OrderRecord> {
        self.find(hash, id).map(|at| self.record(at))
    }

    pub(crate) fn contains(&self, hash: u64, id: &OrderId) -> bool {
        self.find(hash, id).is_some()
    }

    fn find(&self, hash: u64, id: &OrderId) -> Option<usize> {
        self.at.find(hash, |at| self.orders[at].0 == *id)
    }

    fn record(&self, at: usize) -> OrderRecord {
        let (id, packed) = &self.orders[at];
        let location = Location {
            height: self.base_height.plus(u64::from(packed.height_offset)),
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

    /// Adds an order that is new to it, or a later step of one it has. `hash` is [`hash_of`] the
    /// id.
    pub(crate) fn insert(
        &mut self,
        hashing: &RandomState,
        hash: u64,
        id: OrderId,
        record: OrderRecord,
    ) {
        let Location { height, batch, item } = record.location;
        let offset = height.get().checked_sub(self.base_height.get()).map(u32::try_from);
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
            hash,
            orders.len(),
            |at| orders[at].0 == id,
            |at| hash_of(hashing, &orders[at].0.bytes()),
        );
        match found {
            Some(at) => self.orders[at].1 = packed,
            None => self.orders.push((id, packed)),
        }
        if record.status_height != height || record.status_location != record.location {
            self.later.insert(id, (record.status_height, record.status_location));
        }
    }
}

/// The part that has the orders of a hash. Tables look at its first and last bits.
pub(crate) const fn part_of(hash: u64) -> usize {
    (hash >> 40) as usize % PARTS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chain_types::{Digest, TimeMs};
    use proptest::prelude::*;

    use super::*;

    const START: TimeMs = TimeMs::new(1_800_000_000_000);

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// A run is sorted by its ids, whatever these are: close in time or not, of any version.
        #[test]
        fn a_run_gives_its_orders_ascending(
            ids in prop::collection::btree_set((0_u64..3, 0_u64..12_000, any::<[u8; 10]>()), 1..99),
            version in prop::option::of(any::<u8>()), seed: u64,
        ) {
            let of_version = |(rare, after, entropy): (u64, u64, [u8; 10])| {
                let id = OrderId::new(START.plus(if rare == 0 { after } else { 1 }), entropy);
                let mut bytes = id.bytes();
                bytes[6] = version.filter(|_| rare == 2).unwrap_or(bytes[6]);
                OrderId::from_bytes(bytes)
            };
            let ids: BTreeSet<OrderId> = ids.into_iter().map(of_version).collect();
            let record = |item| {
                let location = Location { height: Height::new(1), batch: 0, item };
                OrderRecord::new(location, &Digest::ZERO, Outcome::APPLIED, OrderStatus::Reserved)
            };
            let ascending: Vec<_> = (0..).zip(ids).map(|(item, id)| (id, record(item))).collect();
            let mut shuffled = ascending.clone();
            let hashing = RandomState::with_seeds(seed, 1, 2, 3);
            shuffled.sort_by_key(|(id, _)| hash_of(&hashing, &id.bytes()));
            prop_assert!(OrderRun::of(&shuffled).sorted().eq(ascending));
        }
    }
}
