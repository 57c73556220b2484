//! The committed state as a node shares it: written by the replica at each commit, read by
//! everyone. What nearly every read needs stands beside it, so that reads wait for the books only
//! where they need the books.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_state::{Applying, ProgrammeRecord, RegistryContent, Retired, State, WriteSet};
use chain_types::{Currency, Height, Merchant, MerchantId, Parameters, TimeMs};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The committed state.
#[derive(Debug, Clone)]
pub struct SharedState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: RwLock<State>,
    beside: RwLock<Beside>,
}

/// What stands beside the state: never ahead of it, and behind it for some microseconds.
#[derive(Debug)]
struct Beside {
    head: (Height, TimeMs),
    rules: Arc<Rules>,
}

/// What only governance changes.
#[derive(Debug)]
pub struct Rules {
    /// Parties, merchants and parameters of the next block.
    pub registry: RegistryContent,
    /// Cashback programmes with all their versions.
    pub programmes: BTreeMap<(MerchantId, Currency), ProgrammeRecord>,
}

impl Rules {
    fn of(state: &State) -> Self {
        let programmes = state.tables().programmes.clone();
        Self { registry: state.registry().clone(), programmes }
    }

    /// The parameters under which the next block executes.
    pub fn parameters(&self) -> &Parameters {
        &self.registry.parameters
    }

    /// A registered merchant.
    pub fn merchant(&self, id: MerchantId) -> Option<&Merchant> {
        let merchants = &self.registry.merchants;
        let at = merchants.binary_search_by_key(&id, |merchant| merchant.id).ok()?;
        merchants.get(at)
    }
}

impl SharedState {
    /// This state, to be shared.
    pub fn new(state: State) -> Self {
        let head = (state.height(), state.time());
        let beside = Beside { head, rules: Arc::new(Rules::of(&state)) };
        Self(Arc::new(Shared { state: RwLock::new(state), beside: RwLock::new(beside) }))
    }

    /// Takes a block's changes piece by piece: a read that comes meanwhile waits for a piece, not
    /// for the block.
    pub fn apply(&self, writes: WriteSet) -> Retired {
        let changes_rules = writes.changes_rules();
        let mut applying = Applying::new(writes);
        let mut state = self.0.state.write();
        let retired = loop {
            if let Some(retired) = state.apply_piece(&mut applying) {
                break retired;
            }
            RwLockWriteGuard::bump(&mut state);
        };
        let state = RwLockWriteGuard::downgrade(state);
        let rules = changes_rules.then(|| Arc::new(Rules::of(&state)));
        let mut beside = self.0.beside.write();
        beside.head = (state.height(), state.time());
        if let Some(rules) = rules {
            beside.rules = rules;
        }
        retired
    }

    /// Height and time of the last block, without a wait for a block that is being taken.
    pub fn head(&self) -> (Height, TimeMs) {
        self.0.beside.read().head
    }

    /// What only governance changes, without such a wait.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.beside.read().rules.clone()
    }
}

/// The committed state, for reading; hold it shortly, a commit waits for it.
pub fn read_state(state: &SharedState) -> RwLockReadGuard<'_, State> {
    state.0.state.read()
}
