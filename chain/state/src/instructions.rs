//! Instructions that are outstanding, and settled ones for as long as a repeated attestation of
//! theirs shall be recognised.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Currency, InstructionId, MerchantId, TimeMs, WindowId};

use crate::records::{InstructionRecord, InstructionStatus};

/// How long an arrived instruction stays in memory after its arrival. The store keeps it for
/// ever; a later attestation of it is answered as unknown.
pub const ARRIVED_KEPT_MS: u64 = 900_000;

const FIRST: InstructionId =
    InstructionId { window: WindowId(0), merchant: MerchantId(0), currency: Currency(0) };

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
            book.put(record);
        }
        book.settle(time);
        book
    }

    pub(crate) fn get(&self, id: &InstructionId) -> Option<&InstructionRecord> {
        self.records.get(id)
    }

    /// Ascending by id.
    pub(crate) fn records(&self) -> impl Iterator<Item = &InstructionRecord> {
        self.records.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Those outstanding whose deadline lies before `time` and has not been noticed, by deadline.
    pub(crate) fn overdue(&self, time: TimeMs) -> Vec<InstructionId> {
        self.deadlines.range(..(time, FIRST)).map(|(_, id)| *id).collect()
    }

    pub(crate) fn put(&mut self, record: InstructionRecord) {
        let deadline = (record.deadline, record.id);
        match record.status {
            InstructionStatus::Instructed => {
                self.deadlines.insert(deadline);
            }
            InstructionStatus::Arrived { time, .. } => {
                self.deadlines.remove(&deadline);
                self.arrived.insert((time, record.id));
            }
            InstructionStatus::Failed { .. } => {
                self.deadlines.remove(&deadline);
            }
        }
        self.records.insert(record.id, record);
    }

    /// Forgets what a block of `time` has dealt with: deadlines noticed, arrivals long past.
    pub(crate) fn settle(&mut self, time: TimeMs) {
        self.deadlines = self.deadlines.split_off(&(time, FIRST));
        let kept = self.arrived.split_off(&(time.minus(ARRIVED_KEPT_MS), FIRST));
        for (_, id) in std::mem::replace(&mut self.arrived, kept) {
            self.records.remove(&id);
        }
    }
}
