//! The contracts' own records: keyed tables in memory, each with what a block changes of it. A
//! table that is named in `tables!` is in the digest, in the checkpoint and in the overlay.

use std::collections::BTreeMap;
use std::ops::RangeBounds;

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::{
    Amount, ChainGenesis, Change, Currency, Digest, Height, InstructionId, LineKey, MerchantId,
    OrderId, ParticipantId, PolicyScope, ProposalId, QuoteId, ReservationLine, TimeMs, TransferId,
    ValidatorId, WindowId,
};

use crate::dues::{Dates, Dues};
use crate::fault::StateFault;
use crate::map_copy::MapCopy;
use crate::payees::{Payee, Payees};
use crate::records::{
    BreachStage, CashbackSum, Corridor, HeldOrder, LineRecord, ListConcern, ListRecord,
    MerchantRecord, PolicyRecord, ProgrammeRecord, ProposalRecord, ProposedSettlement, QuoteRecord,
    RateRecord, ReferenceRecord, RegistrarRecord, SlaCounters, TransferRecord, WindowSettlement,
};
use crate::sections::Reader;

/// The key of a rate: the currency collected, the currency paid out, the provider.
pub type RateKey = (Currency, Currency, ParticipantId);
/// The key of a list of changes: the participant that gave it, and its digest.
pub type ListKey = (ParticipantId, Digest);
/// The key of a policy: its scope, its subject's id, the collected currency.
pub type PolicyKey = (PolicyScope, u64, Currency);

/// The sum of an order's returns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Returned {
    /// The sum, in minor units of the order's currency.
    pub amount: Amount,
    /// The fingerprint of each return's item, in order of their sequence numbers from 1.
    pub fingerprints: Vec<[u8; 16]>,
}

/// An agent's word that an instruction's gateway is absent, until a second one says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct StepInWord {
    /// The attempt that it would end.
    pub attempt: u16,
    /// Why: the number of a [`chain_types::FailureReason`].
    pub reason: u16,
    /// The reference of the agent, 32 bytes.
    pub reference: [u8; 32],
    /// The time of the block that holds it.
    pub time: TimeMs,
}

/// The sums returned of an instruction after it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct ArrivedReturns {
    /// The sum returned of its amount, in minor units of its currency.
    pub payout: Amount,
    /// The sums returned of the cashback on its orders, ascending by gateway and currency.
    pub cashback: Vec<CashbackSum>,
}

/// The sum booked for a gateway or merchant on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct DayUse {
    /// The day, counted from the Unix epoch in the chain's own day offset.
    pub day: u32,
    /// The sum, in minor units.
    pub amount: u128,
}

/// A table with the changes that a block makes so far.
#[derive(Debug)]
pub struct View<'a, K, V> {
    found: &'a BTreeMap<K, V>,
    changed: &'a mut BTreeMap<K, Option<V>>,
}

impl<K: Ord + Clone, V: Clone> View<'_, K, V> {
    /// The value of a key so far.
    pub fn get(&self, key: &K) -> Option<&V> {
        match self.changed.get(key) {
            Some(change) => change.as_ref(),
            None => self.found.get(key),
        }
    }

    /// Adds or replaces a value.
    pub fn put(&mut self, key: K, value: V) {
        self.changed.insert(key, Some(value));
    }

    /// Removes a value, if there is one.
    pub fn remove(&mut self, key: &K) {
        if self.found.contains_key(key) {
            self.changed.insert(key.clone(), None);
        } else {
            self.changed.remove(key);
        }
    }

    /// The values of a range of keys so far, ascending. Nothing is copied.
    pub fn range(&self, range: impl RangeBounds<K> + Clone) -> impl Iterator<Item = (&K, &V)> {
        let mut found = self.found.range(range.clone()).peekable();
        let mut changed = self.changed.range(range).peekable();
        std::iter::from_fn(move || {
            loop {
                let is_found_first = match (found.peek(), changed.peek()) {
                    (Some((old, _)), Some((new, _))) => {
                        if old == new {
                            found.next();
                            continue;
                        }
                        old < new
                    }
                    (old, _) => old.is_some(),
                };
                if is_found_first {
                    return found.next();
                }
                // One that was removed is passed over.
                if let (key, Some(value)) = changed.next()? {
                    return Some((key, value));
                }
            }
        })
    }

    /// The last value of a range of keys so far.
    pub fn last(&self, range: impl RangeBounds<K> + Clone) -> Option<(&K, &V)> {
        let is_same = |(key, _): &(&K, &V)| !self.changed.contains_key(*key);
        let found = self.found.range(range.clone()).rev().find(is_same);
        let changed = self.changed.range(range).rev();
        let changed = changed.filter_map(|(key, value)| Some((key, value.as_ref()?))).next();
        found.into_iter().chain(changed).max_by_key(|(key, _)| *key)
    }

    /// The values that the block has put so far, ascending by key.
    pub fn put_so_far(&self) -> impl Iterator<Item = (&K, &V)> {
        self.changed.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty;)*) => {
        /// The contracts' records as a block left them.
        #[derive(Debug, Clone)]
        pub struct Tables {
            $($(#[$doc])* pub $name: BTreeMap<$key, $value>,)*
            /// Finds the records that are due; it follows from the records.
            dues: Dues,
            /// The facts about merchants that orders need; it follows from the records.
            payees: Payees,
        }

        /// The changes that a block makes to them.
        #[derive(Debug, Clone, Default, Encode)]
        pub(crate) struct TableChanges { $(pub(crate) $name: BTreeMap<$key, Option<$value>>,)* }

        /// The tables in the middle of a block.
        #[derive(Debug)]
        pub struct TablesView<'a> { found: &'a Tables, changed: &'a mut TableChanges }

        impl<'a> TablesView<'a> {
            pub(crate) fn new(found: &'a Tables, changed: &'a mut TableChanges) -> Self {
                Self { found, changed }
            }

            $($(#[$doc])*
            pub fn $name(self) -> View<'a, $key, $value> {
                View { found: &self.found.$name, changed: &mut self.changed.$name }
            })*
        }

        /// The copies of all tables, and how many of them are done.
        #[derive(Debug, Default)]
        pub(crate) struct TableCopies { $($name: MapCopy<$key, $value>,)* done: usize }

        impl TableCopies {
            /// Puts the next section of the first table that is not done; says whether none is
            /// left.
            pub(crate) fn put(&mut self, tables: &Tables, bytes: &mut Vec<u8>) -> bool {
                let (mut at, done) = (0, self.done);
                $(
                    if at == done {
                        self.done += usize::from(self.$name.put(&tables.$name, bytes));
                    }
                    at += 1;
                )*
                self.done == at
            }
        }

        impl TableChanges {
            pub(crate) fn apply(self, tables: &mut Tables, copies: Option<&mut TableCopies>) {
                tables.note_dues(&self);
                let merchants = self.merchants.values().flatten();
                tables.payees.follow(merchants, self.programmes.keys());
                if let Some(copies) = copies {
                    $(for key in self.$name.keys() {
                        copies.$name.note(key, tables.$name.get(key));
                    })*
                }
                $(for (key, change) in self.$name {
                    match change {
                        Some(value) => tables.$name.insert(key, value),
                        None => tables.$name.remove(&key),
                    };
                })*
            }
        }

        impl Tables {
            pub(crate) fn new(hashing: &RandomState) -> Self {
                let (dues, payees) = (Dues::default(), Payees::new(hashing.clone()));
                Self { $($name: BTreeMap::new(),)* dues, payees }
            }

            pub(crate) fn read(
                reader: &mut Reader<'_>,
                hashing: &RandomState,
            ) -> Result<Self, StateFault> {
                let mut tables = Self {
                    $($name: reader.list()?.into_iter().collect(),)*
                    ..Self::new(hashing)
                };
                tables.find_dues();
                tables.payees.follow_all(&tables.merchants, &tables.programmes);
                Ok(tables)
            }
        }
    };
}

impl Tables {
    /// The tables of block zero: the merchants and lines that the genesis file gives.
    pub(crate) fn genesis(genesis: &ChainGenesis, hashing: &RandomState) -> Self {
        let mut tables = Self::new(hashing);
        for merchant in &genesis.merchants {
            *tables.merchants_paid.entry(merchant.payout_gateway).or_default() += 1;
            let record = MerchantRecord { merchant: merchant.clone(), changed: None };
            tables.merchants.insert(merchant.id, record);
        }
        for ReservationLine { key, limit } in genesis.lines.iter().copied() {
            let record =
                LineRecord { key, limit, outstanding: Amount::new(0), since: genesis.time };
            tables.lines.insert(key, record);
            tables.lines_of_holders.insert((key.holder, key), ());
            *tables.line_counts.entry(key.owner).or_default() += 1;
        }
        tables.payees.follow_all(&tables.merchants, &tables.programmes);
        tables
    }

    /// Brings the dues from what the records are to what a block makes of them.
    fn note_dues(&mut self, changes: &TableChanges) {
        let Self { dues, proposals, transfers, quotes, .. } = self;
        dues.proposals.follow(proposals, &changes.proposals);
        dues.transfers.follow(transfers, &changes.transfers);
        dues.quotes.follow(quotes, &changes.quotes);
    }

    fn find_dues(&mut self) {
        let Self { dues, proposals, transfers, quotes, .. } = self;
        dues.proposals = Dates::of(proposals);
        dues.transfers = Dates::of(transfers);
        dues.quotes = Dates::of(quotes);
    }

    /// The deadlines of proposals, transfers and quotes.
    pub const fn dues(&self) -> &Dues {
        &self.dues
    }

    /// Returns the facts about a merchant that an order needs; `None` if there is no such merchant.
    pub fn payee(&self, merchant: MerchantId) -> Option<Payee> {
        self.payees.get(merchant)
    }

    /// Returns the same facts for many merchants. They are looked up together, so that misses in
    /// the cache are waited for at the same time.
    pub fn payees(&self, merchants: &[MerchantId]) -> Vec<Option<Payee>> {
        self.payees.expect(merchants)
    }

    /// Returns true if a window is settled.
    pub fn is_settled(&self, window: WindowId) -> bool {
        let run = self.settled_runs.range(..=window).next_back();
        run.is_some_and(|(_, last)| *last >= window)
    }
}

tables! {
    /// The merchants, suspended ones among them.
    merchants: MerchantId => MerchantRecord;
    /// The number of merchants that each gateway pays.
    merchants_paid: ParticipantId => u32;
    /// Transfers proposed, and decided ones as long as their id is timely.
    transfers: TransferId => TransferRecord;
    /// Settlements that wait for their checkers, and refused ones until their time is over.
    proposed_settlements: WindowId => ProposedSettlement;
    /// Every settled window, as runs without a gap: the first of each and its last.
    settled_runs: WindowId => WindowId;
    /// The last settlements, as long as a repetition shall be recognised.
    settled: WindowId => WindowSettlement;
    /// The keys of `settled` by the window that was open then, so that the oldest are found.
    settled_in: (WindowId, WindowId) => ();
    /// Each provider's last rate of each pair.
    rates: RateKey => RateRecord;
    /// The level of each pair's reference rate.
    references: (Currency, Currency) => ReferenceRecord;
    /// Quotes that an order may use, or a reservation may still give back to.
    quotes: QuoteId => QuoteRecord;
    /// Each provider's highest quote, so that no id comes twice.
    last_quotes: ParticipantId => QuoteId;
    /// Orders that wait for a risk desk.
    held: OrderId => HeldOrder;
    /// Orders that were returned, wholly or in part, for as long as any return period can be.
    returned: OrderId => Returned;
    /// Risk policies in force.
    policies: PolicyKey => PolicyRecord;
    /// The parts of their day limits that gateways and merchants have used.
    day_uses: PolicyKey => DayUse;
    /// Cashback programmes, by merchant and currency.
    programmes: (MerchantId, Currency) => ProgrammeRecord;
    /// Governance proposals open, and closed ones as long as their id is timely.
    proposals: ProposalId => ProposalRecord;
    /// Merchant registrars with their limits.
    registrars: ParticipantId => RegistrarRecord;
    /// Lists of changes that wait for a proposal, or for its end.
    lists: ListKey => ListRecord;
    /// The changes of these lists, by their places.
    listed_changes: (ListKey, u32) => Change;
    /// The parties and entities that lists are about, as far as proposals name the lists.
    list_concerns: (ListKey, ListConcern) => ();
    /// The counters of paying gateways, by corridor.
    sla: (ParticipantId, Corridor) => SlaCounters;
    /// Deadlines missed, by stage and late party; participant zero when nobody was to blame.
    breach_counts: (BreachStage, ParticipantId) => u64;
    /// Heights at which validators were caught, as long as a block may hold evidence of them.
    evidence: (Height, ValidatorId) => ();
    /// Agents' words that instructions' gateways are absent, while the attempt stands.
    step_ins: (InstructionId, ParticipantId) => StepInWord;
    /// The returns of instructions after their arrival, by the time of that, for as long as
    /// their money may come back.
    arrived_returns: (TimeMs, InstructionId) => ArrivedReturns;
    /// The block times at which held orders were released, while their window may be open.
    hold_releases: OrderId => TimeMs;
    /// Earlier lengths of periods that governance changed, by parameter and the block time until
    /// which they were in force. A period that began under one also ends under it.
    past_periods: (u16, TimeMs) => u64;
    /// The lines on accounts, each with its limit and the sum reserved under it.
    lines: LineKey => LineRecord;
    /// The keys of `lines` by holder.
    lines_of_holders: (ParticipantId, LineKey) => ();
    /// The number of lines that each participant has given.
    line_counts: ParticipantId => u32;
    /// The amount of an order of the open window that its collecting gateway may reverse in all, by
    /// the consent of a party.
    consents: (ParticipantId, OrderId) => Amount;
    /// The number of orders of the open window to which a party has consented.
    consent_counts: ParticipantId => u32;
    /// Cashback promised on orders of the open window, by the instruction that they will be part
    /// of, who collected them and their currency.
    promised: (InstructionId, ParticipantId, Currency) => Amount;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// A range in the middle of a block is that of the table with the block's changes in it.
        #[test]
        fn a_range_is_that_of_the_changed_table(
            found in prop::collection::btree_map(0_u8..40, 0_u8..9, 0..30),
            changes in prop::collection::vec((0_u8..40, prop::option::of(0_u8..9)), 0..30),
            first in 0_u8..40,
            length in 0_u8..40,
        ) {
            let (mut expected, mut changed) = (found.clone(), BTreeMap::new());
            let mut view = View { found: &found, changed: &mut changed };
            for (key, change) in changes {
                match change {
                    Some(value) => {
                        view.put(key, value);
                        expected.insert(key, value);
                    }
                    None => {
                        view.remove(&key);
                        expected.remove(&key);
                    }
                }
            }
            let range = first..first.saturating_add(length);
            let walked: Vec<_> = view.range(range.clone()).collect();
            prop_assert_eq!(walked, expected.range(range.clone()).collect::<Vec<_>>());
            prop_assert_eq!(view.last(range.clone()), expected.range(range).next_back());
        }
    }
}
