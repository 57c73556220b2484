//! What is said of instructions: mostly about the present attempt, now and then about another.

use chain_state::{InstructionRecord, InstructionStatus};
use chain_types::{
    Amount, ArrivalItem, BounceItem, FailureItem, RecallItem, ReinstructItem, StepInItem,
};

use crate::item::Item;
use crate::network::*;
use crate::speaker::{Now, Speaker};

type Said = Option<(u32, Item)>;

impl Speaker {
    /// The attempt that is meant: mostly the record's own.
    fn attempt(&mut self, record: &InstructionRecord) -> u16 {
        match self.below(30) {
            0 => 1,
            1 => record.attempt + 1,
            2 => record.attempt - 1,
            _ => record.attempt,
        }
    }

    pub fn arrive(&mut self, now: Now<'_>) -> Said {
        let awaited =
            |record: &InstructionRecord| record.is_outstanding() || record.is_stepped_in();
        let record = self.instruction(now, awaited)?;
        let more = u64::from(self.one_in(15));
        let item = ArrivalItem::new(
            record.id,
            record.left().plus(Amount::new(more)),
            self.reference(),
            self.attempt(&record),
        );
        Some((record.gateway.get(), item.into()))
    }

    pub fn fail(&mut self, now: Now<'_>) -> Said {
        let record = self.instruction(now, InstructionRecord::is_outstanding)?;
        let recalled = if record.recalled.is_some() { 7 } else { 4 };
        let reason =
            self.choose(&[1, 1, 2, 2, 3, recalled, recalled, 4, 4, 4, 5, 7, 8, 12, 0, 13, 14]);
        let item = FailureItem::new(record.id, reason, self.reference(), self.attempt(&record));
        Some((record.gateway.get(), item.into()))
    }

    pub fn reinstruct(&mut self, now: Now<'_>) -> Said {
        let has_failed = |record: &InstructionRecord| {
            matches!(record.status, InstructionStatus::Failed { .. })
                || (record.is_outstanding() && record.attempt > 1)
        };
        let record = self.instruction(now, has_failed)?;
        let item = ReinstructItem::new(record.id, self.reference(), self.attempt(&record));
        Some((self.choose(&AGENTS), item.into()))
    }

    /// Of the last ones that arrived, and now and then of any.
    pub fn bounce(&mut self, now: Now<'_>) -> Said {
        let has_arrived =
            |record: &InstructionRecord| matches!(record.status, InstructionStatus::Arrived { .. });
        let mut record = self.instruction(now, has_arrived)?;
        if self.one_in(6) {
            let all: Vec<&InstructionRecord> = now.chain.instructions.values().collect();
            let at = usize::try_from(self.below(all.len() as u64)).ok()?;
            record = (*all.get(at)?).clone();
        }
        let item = BounceItem::new(
            record.id,
            self.choose(&[1, 2, 3, 6, 7, 8, 8, 0, 13]),
            self.reference(),
            self.attempt(&record),
        );
        Some((record.gateway.get(), item.into()))
    }

    pub fn recall(&mut self, now: Now<'_>) -> Said {
        let record = self.instruction(now, InstructionRecord::is_outstanding)?;
        let item = RecallItem::new(record.id, self.reference(), self.attempt(&record));
        Some((self.choose(&AGENTS), item.into()))
    }

    /// Two agents, mostly of one mind, about an instruction that waits for long.
    pub fn step_in(&mut self, now: Now<'_>) -> Said {
        let is_late = self.one_in(4);
        let is_given_up = self.one_in(3);
        let waits = |record: &InstructionRecord| match record.status {
            InstructionStatus::Failed { .. } => is_given_up,
            _ => record.is_outstanding() && (is_late || record.deadline.get() < now.time),
        };
        let record = self.instruction(now, waits)?;
        let reason = match record.status {
            InstructionStatus::Failed { .. } => self.choose(&[13, 13, 13, 13, 13, 13, 4]),
            _ => self.choose(&[1, 4, 4, 4, 4, 6, 6, 7, 13]),
        };
        let mut item = StepInItem::new(record.id, reason, self.reference(), self.attempt(&record));
        // Two of them are of one house.
        let agents = [AGENTS[0], AGENTS[1], AGENTS[2], HOUSE];
        let first = self.choose(&agents);
        if !self.one_in(4) {
            let second = self.choose(&agents);
            self.queue.push_back((second, item.into()));
        }
        if self.one_in(8) {
            item.reason = 4.into();
        }
        Some((first, item.into()))
    }
}
