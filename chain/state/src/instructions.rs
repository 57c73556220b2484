//! Instructions that are outstanding, and settled ones for as long as a repeated attestation of
//! theirs shall be recognised.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Currency, InstructionId, MerchantId, TimeMs, WindowId};

use crate::map_copy::MapCopy;
use crate::records::{InstructionRecord, InstructionStatus};

/// How long an instruction stays in memory after it arrived or was returned. The store keeps it for
/// ever; a later attestation of it is told that it ended, and a later bounce reads the past.
pub const ENDED_KEPT_MS: u64 = 900_000;

const FIRST: InstructionId = InstructionId {
    window: WindowId::new(0),
    merchant: MerchantId::new(0),
    currency: Currency::new(0),
};

/// The copy of all records.
type InstructionsCopy = MapCopy<InstructionId, InstructionRecord>;

#[derive(Debug, Clone, Default)]
pub(crate) struct InstructionBook {
    records: BTreeMap<InstructionId, InstructionRecord>,
    /// Outstanding ones whose deadline has not passed.
    deadlines: BTreeSet<(TimeMs, InstructionId)>,
    /// Arrived ones by the time of their arrival.
    arrived: BTreeSet<(TimeMs, InstructionId)>,
}

impl InstructionBook {
    /// The book as it stands after a block of `time`.
    pub(crate) fn new(records: Vec<InstructionRecord>, time: TimeMs) -> Self {
        let mut book = Self::default();
        for record in records {
            book.put(record, None);
        }
        book.settle(time, None);
        book
    }

    pub(crate) fn get(&self, id: &InstructionId) -> Option<&InstructionRecord> {
        self.records.get(id)
    }

    /// Puts the next section of a copy; says whether it is the last.
    pub(crate) fn copy(&self, copy: &mut InstructionsCopy, bytes: &mut Vec<u8>) -> bool {
        copy.put(&self.records, bytes)
    }

    /// Iterates over the records, ascending by id.
    pub(crate) fn records(&self) -> impl Iterator<Item = &InstructionRecord> {
        self.records.values()
    }

    /// Those outstanding whose deadline lies before `time` and has not been noticed, by deadline.
    pub(crate) fn overdue(&self, time: TimeMs) -> Vec<InstructionId> {
        self.deadlines.range(..(time, FIRST)).map(|(_, id)| *id).collect()
    }

    pub(crate) fn put(&mut self, record: InstructionRecord, copy: Option<&mut InstructionsCopy>) {
        if let Some(copy) = copy {
            copy.note(&record.id, self.records.get(&record.id));
        }
        // A block may let an instruction fail and give it again, with another deadline.
        if let Some(before) = self.records.get(&record.id) {
            self.deadlines.remove(&(before.deadline, before.id));
            // One that arrived may come back.
            if let InstructionStatus::Arrived { time, .. } = before.status {
                self.arrived.remove(&(time, before.id));
            }
        }
        let deadline = (record.deadline, record.id);
        match record.status {
            InstructionStatus::Instructed => {
                self.deadlines.insert(deadline);
            }
            InstructionStatus::Arrived { time, .. } | InstructionStatus::Returned { time, .. } => {
                self.arrived.insert((time, record.id));
            }
            InstructionStatus::Failed { .. } => {}
        }
        self.records.insert(record.id, record);
    }

    /// Forgets what a block of `time` has dealt with: deadlines noticed, arrivals long past.
    pub(crate) fn settle(&mut self, time: TimeMs, mut copy: Option<&mut InstructionsCopy>) {
        // Popped one by one: `split_off` walks one whole side, here the long one.
        while self.deadlines.first().is_some_and(|(deadline, _)| *deadline < time) {
            self.deadlines.pop_first();
        }
        let kept_from = time.minus(ENDED_KEPT_MS);
        while self.arrived.first().is_some_and(|(arrived, _)| *arrived < kept_from) {
            if let Some((_, id)) = self.arrived.pop_first() {
                if let Some(copy) = &mut copy {
                    copy.note(&id, self.records.get(&id));
                }
                self.records.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chain_types::{Amount, Height, ParticipantId};

    use super::*;

    /// A block that lets an instruction fail and gives it again leaves only the last record.
    #[test]
    fn an_instruction_given_again_has_one_deadline() {
        let first = InstructionRecord {
            id: FIRST,
            gateway: ParticipantId::new(1),
            amount: Amount::new(5),
            amount_returned: Amount::new(0),
            order_count: 1,
            cross_border_count: 0,
            attempt: 1,
            attempt_height: Height::new(1),
            failures: 0,
            recalled: None,
            earliest_accepted: TimeMs::new(0),
            instructed: TimeMs::new(10),
            deadline: TimeMs::new(100),
            status: InstructionStatus::Instructed,
            reference: [0; 32],
            cashback: Vec::new(),
        };
        let again = InstructionRecord { attempt: 2, deadline: TimeMs::new(200), ..first.clone() };
        let mut book = InstructionBook::new(vec![first], TimeMs::new(20));
        book.put(again.clone(), None);
        book.settle(TimeMs::new(30), None);
        assert_eq!(book.overdue(TimeMs::new(150)), []);
        assert_eq!(book.overdue(TimeMs::new(201)), [FIRST]);
        assert_eq!(InstructionBook::new(vec![again], TimeMs::new(30)).deadlines, book.deadlines);
    }
}
