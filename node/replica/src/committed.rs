//! The committed state as a node shares it: written by the replica at each commit, read by
//! everyone. What nearly every read needs stands beside it, and recent orders are read while they
//! change, so that reads wait for the books only where they need the books.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_state::{
    Applying, Copying, OrderRecord, ProgrammeRecord, RecentOrders, RegistryContent, Retired,
    Sought, State, WriteSet,
};
use chain_types::{Currency, Height, Merchant, MerchantId, OrderId, Parameters, TimeMs};
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The committed state, which readers share with the replica.
#[derive(Debug, Clone)]
pub struct SharedState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: RwLock<State>,
    /// The recent orders of `state`.
    orders: RecentOrders,
    beside: RwLock<Beside>,
    /// Taken after the state, by whoever takes both.
    copy: Mutex<CopyPlace>,
}

/// The copy of the state that is under way, and how many were begun: what is said of an earlier one
/// does not touch it.
#[derive(Debug, Default)]
struct CopyPlace {
    begun: u64,
    copying: Option<Box<Copying>>,
}

/// The copies that stand beside the state: never ahead of it, and behind it for some microseconds.
/// They follow the state by what each block changes.
#[derive(Debug)]
struct Beside {
    head: (Height, TimeMs),
    rules: Arc<Rules>,
    merchants: BTreeMap<MerchantId, Merchant>,
    programmes: BTreeMap<(MerchantId, Currency), ProgrammeRecord>,
}

/// The rules that only governance changes, but for merchants and programmes.
#[derive(Debug)]
pub struct Rules {
    /// Parties, nodes and parameters of the next block.
    pub registry: RegistryContent,
}

impl Rules {
    fn of(state: &State) -> Self {
        Self { registry: state.registry().clone() }
    }

    /// The parameters under which the next block executes.
    pub fn parameters(&self) -> &Parameters {
        &self.registry.parameters
    }
}

impl SharedState {
    /// This state, to be shared.
    pub fn new(state: State) -> Self {
        let beside = Beside {
            head: (state.height(), state.time()),
            rules: Arc::new(Rules::of(&state)),
            merchants: state.merchants().map(|known| (known.id, known.clone())).collect(),
            programmes: state.tables().programmes.clone(),
        };
        let orders = state.shared_orders();
        let (state, beside) = (RwLock::new(state), RwLock::new(beside));
        Self(Arc::new(Shared { state, orders, beside, copy: Mutex::default() }))
    }

    /// Takes a block's changes: its orders beside whoever reads, the rest piece by piece, so that
    /// a read that comes meanwhile waits for a piece and not for the block.
    pub fn apply(&self, writes: WriteSet) -> Retired {
        let changes_registry = writes.changes_registry();
        let merchants: Vec<_> = writes.merchants().cloned().collect();
        let programmes = writes.programmes().map(|(key, record)| (*key, record.clone()));
        let programmes: Vec<_> = programmes.collect();
        let mut applying = Applying::new(writes);
        read_state(self).add_orders(&mut applying);
        let mut state = self.0.state.write();
        let retired = loop {
            let mut copy = self.0.copy.lock();
            let piece = state.apply_piece(&mut applying, copy.copying.as_deref_mut());
            drop(copy);
            if let Some(retired) = piece {
                break retired;
            }
            RwLockWriteGuard::bump(&mut state);
        };
        let state = RwLockWriteGuard::downgrade(state);
        let rules = changes_registry.then(|| Arc::new(Rules::of(&state)));
        let mut beside = self.0.beside.write();
        beside.head = (state.height(), state.time());
        if let Some(rules) = rules {
            beside.rules = rules;
        }
        beside.merchants.extend(merchants.into_iter().map(|merchant| (merchant.id, merchant)));
        beside.programmes.extend(programmes);
        retired
    }

    /// Begins to copy the state as it is now, unless a copy is under way.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let state = read_state(self);
        let mut copy = self.0.copy.lock();
        if copy.copying.is_some() {
            return None;
        }
        copy.copying = Some(Box::new(state.copying()));
        copy.begun += 1;
        Some(Snapshot { shared: self.clone(), number: copy.begun })
    }

    /// A registered merchant, without a wait for a block that is being taken.
    pub fn merchant(&self, id: MerchantId) -> Option<Merchant> {
        self.0.beside.read().merchants.get(&id).cloned()
    }

    /// A cashback programme with all its versions, without such a wait.
    pub fn programme(&self, merchant: MerchantId, currency: Currency) -> Option<ProgrammeRecord> {
        self.0.beside.read().programmes.get(&(merchant, currency)).cloned()
    }

    /// Height and time of the last block, without such a wait.
    pub fn head(&self) -> (Height, TimeMs) {
        self.0.beside.read().head
    }

    /// An order of the recent ones, without such a wait. Beside it the height of the block that
    /// gave it its status; or, when it is not there, of the one with which it may have left: what
    /// else there is of it, the store has from that block on.
    pub fn recent_order(&self, id: &OrderId) -> (Option<OrderRecord>, Height) {
        let (height, _) = self.head();
        let Sought { record, left } = self.0.orders.look_up(id);
        // Those of a block that is being taken are there ahead of it.
        match record.filter(|record| record.location.height <= height) {
            Some(record) => (Some(record), record.status_height),
            None => (None, left),
        }
    }

    /// Returns the rules that only governance changes, without such a wait.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.beside.read().rules.clone()
    }
}

/// A checkpoint of the committed state that is being copied, piece by piece, while the state goes
/// on. Whoever drops it gives up what is left of it.
#[derive(Debug)]
pub struct Snapshot {
    shared: SharedState,
    /// Its number among the copies that were begun.
    number: u64,
}

impl Snapshot {
    /// The checkpoint's bytes, see [`State::copy_piece`]. Each piece holds the state as long as one
    /// read does.
    pub fn into_pieces(self) -> impl Iterator<Item = Vec<u8>> {
        std::iter::from_fn(move || {
            let state = read_state(&self.shared);
            let mut copy = self.shared.0.copy.lock();
            let is_own = copy.begun == self.number;
            state.copy_piece(copy.copying.as_deref_mut().filter(|_| is_own)?)
        })
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut copy = self.shared.0.copy.lock();
        if copy.begun == self.number {
            copy.copying = None;
        }
    }
}

/// The committed state, for reading; hold it shortly, a commit waits for it.
pub fn read_state(state: &SharedState) -> RwLockReadGuard<'_, State> {
    state.0.state.read()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_state::{Location, OrderStatus, Overlay};
    use chain_types::hash::sha256;
    use chain_types::{BlockHeader, ChainGenesis, ChainId, Digest, Outcome, WindowId};

    use super::*;

    const START: TimeMs = TimeMs::new(1_800_000_000_000);

    fn genesis() -> ChainGenesis {
        ChainGenesis {
            chain_id: ChainId::new(sha256(&[b"shared state"])),
            time: START,
            ..ChainGenesis::default()
        }
    }

    /// A block of one order.
    fn block(state: &State, id: OrderId) -> WriteSet {
        let (height, time) = (state.height().next(), state.time().plus(1));
        let mut overlay = Overlay::new(state, time, 1);
        let location = Location { height, batch: 0, item: 0 };
        let record = OrderRecord::new(location, &id_leaf(id), Outcome::APPLIED, OrderStatus::Held);
        let expected = overlay.expect_orders([id].into_iter());
        for expected in &expected {
            overlay.insert_order(id, expected, record);
        }
        let changes = overlay.finish();
        let header = BlockHeader {
            height,
            time,
            parent: state.block_hash(),
            window: WindowId::new(0),
            state_digest: changes.digest(),
            ..State::genesis_block(&genesis()).header
        };
        changes.seal(&header)
    }

    fn id_leaf(id: OrderId) -> Digest {
        sha256(&[&id.bytes()])
    }

    #[test]
    fn an_order_is_read_while_the_books_are_locked() {
        let shared = SharedState::new(State::genesis(&genesis()));
        let ids = [1, 2].map(|number| OrderId::new(START, [number; 10]));
        let first = block(&read_state(&shared), ids[0]);
        shared.apply(first);
        let second = block(&read_state(&shared), ids[1]);
        // Whoever waited for these would never get on.
        let mut books = shared.0.state.write();
        let mut applying = Applying::new(second);
        books.add_orders(&mut applying);
        let (found, height) = shared.recent_order(&ids[0]);
        assert_eq!((found.is_some(), height), (true, Height::new(1)));
        assert_eq!(shared.recent_order(&ids[1]), (None, Height::new(0)), "not before its block");
        while books.apply_piece(&mut applying, None).is_none() {}
        assert_eq!(shared.recent_order(&ids[1]), (None, Height::new(0)), "the head says one block");
        assert!(books.order(&ids[1]).is_some());
    }

    #[test]
    fn one_copy_at_a_time_is_of_the_state_where_it_began() {
        let shared = SharedState::new(State::genesis(&genesis()));
        let expected = read_state(&shared).checkpoint();
        let first = shared.snapshot().unwrap();
        assert!(shared.snapshot().is_none(), "one is under way");
        let mut pieces = first.into_pieces();
        let begun = pieces.next().unwrap();
        let writes = block(&read_state(&shared), OrderId::new(START, [1; 10]));
        shared.apply(writes);
        let copied: Vec<u8> = begun.into_iter().chain(pieces.by_ref().flatten()).collect();
        assert!(copied == expected, "of block zero");
        assert!(shared.snapshot().is_none(), "its writer still has it");
        drop(pieces);
        let given_up = shared.snapshot().unwrap();
        drop(given_up);
        let last = shared.snapshot().unwrap();
        let expected = read_state(&shared).checkpoint();
        assert!(last.into_pieces().flatten().collect::<Vec<u8>>() == expected);
    }

    #[test]
    fn an_order_is_there_with_its_block() {
        let shared = SharedState::new(State::genesis(&genesis()));
        let id = OrderId::new(START, [1; 10]);
        assert_eq!(shared.recent_order(&id), (None, Height::new(0)));
        let writes = block(&read_state(&shared), id);
        shared.apply(writes);
        let (found, height) = shared.recent_order(&id);
        assert_eq!(found, read_state(&shared).order(&id));
        assert_eq!((found.is_some(), height), (true, Height::new(1)));
    }
}
