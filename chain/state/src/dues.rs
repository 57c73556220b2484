//! When records are due to be looked at: found without a walk over their table, whatever that
//! holds.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{ProposalId, QuoteId, TransferId};

use crate::records::{ProposalRecord, ProposalStatus, QuoteRecord, TransferRecord, TransferStatus};

/// The step that a record waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueFor {
    /// For a decision, since it was made.
    Decision,
    /// For the height from which it holds.
    Height,
    /// To be forgotten, counted from the moment after which only time passes.
    Oblivion,
}

/// A record that is looked at when its time has come.
pub trait Dated {
    /// Returns what it waits for, and the moment from which that is counted: block time in ms, or
    /// a height.
    fn due(&self) -> (DueFor, u64);
}

impl Dated for ProposalRecord {
    fn due(&self) -> (DueFor, u64) {
        match self.status {
            ProposalStatus::Proposed => (DueFor::Decision, self.proposed.get()),
            ProposalStatus::Scheduled => (DueFor::Height, self.due.get()),
            ProposalStatus::Effective
            | ProposalStatus::Refused
            | ProposalStatus::Expired
            | ProposalStatus::Failed => (DueFor::Oblivion, self.proposed.get()),
        }
    }
}

impl Dated for TransferRecord {
    fn due(&self) -> (DueFor, u64) {
        if self.status == TransferStatus::Proposed {
            return (DueFor::Decision, self.proposed.get());
        }
        let decided = self.decided.unwrap_or(self.proposed);
        (DueFor::Oblivion, self.id.time().max(decided).get())
    }
}

impl Dated for QuoteRecord {
    fn due(&self) -> (DueFor, u64) {
        (DueFor::Oblivion, self.valid_until.get())
    }
}

/// The moments of a table's records, by what they wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dates<K>([BTreeSet<(u64, K)>; 3]);

/// The deadlines of proposals, transfers and quotes.
#[derive(Debug, Clone, Default)]
pub struct Dues {
    /// When proposals of governance are looked at.
    pub proposals: Dates<ProposalId>,
    /// When transfers from or to outside are looked at.
    pub transfers: Dates<TransferId>,
    /// When quotes of FX providers are forgotten.
    pub quotes: Dates<QuoteId>,
}

impl<K> Default for Dates<K> {
    fn default() -> Self {
        Self([const { BTreeSet::new() }; 3])
    }
}

impl<K: Ord + Copy> Dates<K> {
    pub(crate) fn of<V: Dated>(records: &BTreeMap<K, V>) -> Self {
        let mut dues = Self::default();
        for (key, record) in records {
            let (waiting, moment) = record.due();
            dues.of_mut(waiting).insert((moment, *key));
        }
        dues
    }

    /// Brings them from what the records are to what changes make of them.
    pub(crate) fn follow<V: Dated>(
        &mut self,
        records: &BTreeMap<K, V>,
        changes: &BTreeMap<K, Option<V>>,
    ) {
        for (key, change) in changes {
            if let Some((waiting, moment)) = records.get(key).map(Dated::due) {
                self.of_mut(waiting).remove(&(moment, *key));
            }
            if let Some((waiting, moment)) = change.as_ref().map(Dated::due) {
                self.of_mut(waiting).insert((moment, *key));
            }
        }
    }

    fn of_mut(&mut self, waiting: DueFor) -> &mut BTreeSet<(u64, K)> {
        &mut self.0[waiting as usize]
    }

    /// The keys of those that wait for this, from the earliest moment on as long as that is past,
    /// ascending by key.
    pub fn past(&self, waiting: DueFor, is_past: impl Fn(u64) -> bool) -> BTreeSet<K> {
        let all = self.0[waiting as usize].iter();
        all.take_while(|(moment, _)| is_past(*moment)).map(|(_, key)| *key).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Dated for (DueFor, u64) {
        fn due(&self) -> (DueFor, u64) {
            *self
        }
    }

    fn record() -> impl Strategy<Value = Option<(DueFor, u64)>> {
        let waiting =
            prop::sample::select(vec![DueFor::Decision, DueFor::Height, DueFor::Oblivion]);
        prop::option::weighted(0.8, (waiting, 0_u64..20))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Whatever blocks add, change and remove, what is past is what a walk over all finds.
        #[test]
        fn what_is_past_is_what_a_walk_finds(
            blocks in prop::collection::vec(
                prop::collection::btree_map(0_u8..30, record(), 0..9),
                1..20,
            )
        ) {
            let mut records: BTreeMap<u8, (DueFor, u64)> = BTreeMap::new();
            let mut dues = Dates::default();
            for changes in blocks {
                dues.follow(&records, &changes);
                for (key, change) in changes {
                    match change {
                        Some(record) => records.insert(key, record),
                        None => records.remove(&key),
                    };
                }
                prop_assert_eq!(&dues, &Dates::of(&records));
                for waiting in [DueFor::Decision, DueFor::Height, DueFor::Oblivion] {
                    let walked = records.iter().filter(|(_, of)| of.0 == waiting && of.1 < 10);
                    let walked: BTreeSet<u8> = walked.map(|(key, _)| *key).collect();
                    prop_assert_eq!(dues.past(waiting, |moment| moment < 10), walked);
                }
            }
        }
    }
}
