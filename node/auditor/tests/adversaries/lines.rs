//! What honest owners of accounts agreed to: how much of these others may have reserved.

use std::collections::BTreeMap;

use chain_state::State;
use chain_types::{LineItem, TimeMs};

use crate::coalition::Coalition;

/// Number of the account, its owner, the currency, the holder.
type Name = (u16, u32, u16, u32);

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    limit: u64,
    /// The highest limit that held in the last block.
    most: u64,
    held: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Lines(BTreeMap<Name, Line>);

/// Of a gateway's liquidity, and of a provider's position.
pub const LIQUIDITY: u16 = 1;
pub const POSITION: u16 = 5;

impl Lines {
    /// An owner says a limit, and the chain takes it.
    pub fn said(&mut self, owner: u32, item: &LineItem) {
        let name = (item.account.get(), owner, item.currency.get(), item.holder.get());
        let line = self.0.entry(name).or_default();
        line.limit = item.limit.get();
        line.most = line.most.max(line.limit);
    }

    /// After a block: nobody holds more of an honest account than its owner agreed to, or than it
    /// held already; and nothing is held for longer than the rules say.
    pub fn check(&mut self, foes: &Coalition, state: &State) {
        let mut held: BTreeMap<Name, u64> = BTreeMap::new();
        let longest_ms = state.parameters().reservation_ms;
        for (id, known) in state.expired_reservations(TimeMs::new(u64::MAX)) {
            let by = known.submitter.get();
            let ms = known.expires.get() - known.accepted.get();
            assert!(ms <= longest_ms, "lock by the foes: {id} is reserved for {ms} ms");
            let name = (LIQUIDITY, known.gateway.get(), known.currency.get(), by);
            *held.entry(name).or_default() += known.amount.get();
            if let Some(conversion) = known.conversion {
                let provider = conversion.quote.provider().get();
                let name = (POSITION, provider, conversion.payout_currency.get(), by);
                *held.entry(name).or_default() += conversion.payout.get();
            }
        }
        for (name, sum) in &held {
            let (_, owner, _, by) = *name;
            let line = self.0.entry(*name).or_default();
            let is_agreed = *sum <= line.most || *sum <= line.held;
            assert!(
                is_agreed || owner == by || foes.holds(owner),
                "lock by the foes: {by} holds {sum} of {name:?}, which agreed to {line:?}"
            );
        }
        for (name, line) in &mut self.0 {
            line.held = held.get(name).copied().unwrap_or_default();
            line.most = line.limit;
        }
    }
}
