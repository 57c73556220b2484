//! Section 12, the SLA clock: who missed which deadline, and how long payments took.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Currency, InstructionId, MerchantId, OrderId, WindowId};

use crate::auditor::Auditor;
use crate::instructions::{Failure, Instruction, InstructionKey, PaymentStatus};
use crate::orders::{Order, Status};

/// Upper ends of the buckets of time to arrival, in seconds; the last bucket has none.
const BUCKETS_S: [u64; 11] = [5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300];

/// The step whose deadline was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// To say in time that the user was debited.
    Collected,
    /// To give an instruction before it was due.
    Instructed,
    /// To attest in time that the money was credited.
    Arrived,
    /// Not to fail an instruction again and again, and to attest no arrival by mistake.
    Failed,
}

/// The subject of a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An order that was not collected in time.
    Order(OrderId),
    /// An instruction whose money did not arrive in time.
    Instruction(InstructionId),
}

/// A deadline that was missed, as the chain notes it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissedDeadline {
    /// The block that noticed it.
    pub height: u64,
    /// The step whose deadline was missed.
    pub stage: Stage,
    /// The late party; none when no block came in time.
    pub late: Option<u32>,
    /// The order or instruction that is late.
    pub subject: Subject,
    /// The last block time that would have been in time, in milliseconds since the Unix epoch.
    pub due_ms: u64,
    /// Block time at which it was noticed, in milliseconds since the Unix epoch.
    pub noticed_ms: u64,
}

/// The paying gateway, the payout currency, and whether orders were converted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CorridorKey {
    /// The participant id of the paying gateway.
    pub gateway: u32,
    /// The payout currency's ISO 4217 number.
    pub payout_currency: u16,
    /// True if the orders were converted.
    pub is_cross_border: bool,
}

/// The figures of a paying gateway in a corridor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlaFigures {
    /// The number of instructions that arrived.
    pub instructions: u64,
    /// Orders of the corridor in them.
    pub orders: u64,
    /// Of these, orders whose instruction arrived after its due time.
    pub late: u64,
    /// Orders by the time to arrival.
    pub buckets: [u64; BUCKETS_S.len() + 1],
}

/// Orders of a window that were accepted in one block and collected in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Together {
    pub(crate) accepted: u64,
    pub(crate) collected: u64,
    pub(crate) is_cross_border: bool,
}

/// The breaches so far, and the figures of each corridor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sla {
    breaches: BTreeSet<MissedDeadline>,
    figures: BTreeMap<CorridorKey, SlaFigures>,
    /// When attempts are due that nobody was seen late for yet.
    due: BTreeSet<(u64, InstructionKey)>,
}

fn instruction_id((window, merchant, currency): InstructionKey) -> InstructionId {
    let (window, merchant) = (WindowId::new(window), MerchantId::new(merchant));
    InstructionId { window, merchant, currency: Currency::new(currency) }
}

impl Auditor {
    /// Every breach, ascending by block.
    pub fn breaches(&self) -> &BTreeSet<MissedDeadline> {
        &self.sla.breaches
    }

    /// Returns the figures of each paying gateway in each corridor.
    pub fn sla_figures(&self) -> &BTreeMap<CorridorKey, SlaFigures> {
        &self.sla.figures
    }

    fn breach(&mut self, stage: Stage, late: Option<u32>, subject: Subject, due_ms: u64) {
        let (height, noticed_ms) = (self.height, self.time);
        let breach = MissedDeadline { height, stage, late, subject, due_ms, noticed_ms };
        let is_new = self.sla.breaches.insert(breach);
        assert!(is_new, "{breach:?} is noticed twice");
    }

    /// A reservation was collected: in time, or late.
    pub(crate) fn clock_collection(&mut self, order: &Order) {
        let allowed_ms = self.registry.parameters.deadline_collect_ms;
        let due_ms = order.accepted.saturating_add(allowed_ms);
        if self.time > due_ms {
            let subject = Subject::Order(order.item.order_id());
            self.breach(Stage::Collected, Some(order.gateway()), subject, due_ms);
        }
    }

    /// A reservation expired: its gateway missed it if it had its whole time to collect, or had
    /// said that it debits the user.
    pub(crate) fn clock_expiry(&mut self, order: &Order) {
        let parameters = &self.registry.parameters;
        let id = order.item.order_id();
        let due_ms = order.accepted.saturating_add(parameters.deadline_collect_ms);
        if order.waits_until < due_ms && order.status != Status::Debiting {
            return;
        }
        let (late, due_ms) = (Some(order.gateway()), due_ms.min(order.waits_until));
        self.breach(Stage::Collected, late, Subject::Order(id), due_ms);
    }

    /// An attempt is given: it is due.
    pub(crate) fn clock_attempt(&mut self, key: InstructionKey, due_ms: u64) {
        self.sla.due.insert((due_ms, key));
    }

    /// The close of a window found an instruction's due time passed. Whoever collected its earliest
    /// orders is to blame, if that was late; else no block came in time.
    pub(crate) fn clock_close(
        &mut self,
        key: InstructionKey,
        due_ms: u64,
        (earliest, gateway): (Together, u32),
    ) {
        if self.time <= due_ms {
            return;
        }
        let allowed_ms = self.registry.parameters.deadline_collect_ms;
        let is_late = earliest.collected > earliest.accepted.saturating_add(allowed_ms);
        let subject = Subject::Instruction(instruction_id(key));
        self.breach(Stage::Instructed, is_late.then_some(gateway), subject, due_ms);
    }

    /// Attempts whose due time has passed, once each.
    pub(crate) fn notice_overdue(&mut self) {
        while let Some((due_ms, key)) = self.sla.due.first().copied() {
            if due_ms >= self.time {
                return;
            }
            self.sla.due.pop_first();
            let Some(instruction) = self.instructions.all.get(&key) else { continue };
            let (is_out, gateway) =
                (instruction.status == PaymentStatus::Instructed, instruction.gateway);
            if is_out && instruction.due_ms == due_ms {
                let subject = Subject::Instruction(instruction_id(key));
                self.breach(Stage::Arrived, Some(gateway.get()), subject, due_ms);
            }
        }
    }

    /// An attempt failed by its own gateway's word: one too many in a row, or after an arrival that
    /// was a mistake.
    pub(crate) fn clock_failure(
        &mut self,
        key: InstructionKey,
        instruction: &mut Instruction,
        failure: Failure,
    ) {
        const RECALLED: u16 = 7;
        const BY_MISTAKE: u16 = 8;
        if failure.by != instruction.gateway || failure.reason == RECALLED {
            return;
        }
        instruction.failures += 1;
        let most = self.registry.parameters.failures_max;
        if instruction.failures > most || failure.reason == BY_MISTAKE {
            let subject = Subject::Instruction(instruction_id(key));
            let late = Some(instruction.gateway.get());
            self.breach(Stage::Failed, late, subject, instruction.due_ms);
        }
    }

    /// An instruction arrived: one count for the orders within its currency and one for those
    /// across.
    pub(crate) fn clock_arrival(&mut self, key: InstructionKey, instruction: &Instruction) {
        let began = if instruction.attempt == 1 {
            instruction.earliest_accepted
        } else {
            instruction.given_ms
        };
        let took_ms = self.time.saturating_sub(began);
        let is_slower = |end_s: &&u64| took_ms > **end_s * 1_000;
        let bucket = BUCKETS_S.iter().filter(is_slower).count();
        let converted = instruction.converted;
        let counts = [(false, instruction.orders - converted), (true, converted)];
        for (is_cross_border, orders) in counts.into_iter().filter(|(_, orders)| *orders > 0) {
            let (gateway, payout_currency) = (instruction.gateway.get(), key.2);
            let corridor = CorridorKey { gateway, payout_currency, is_cross_border };
            let figures = self.sla.figures.entry(corridor).or_default();
            figures.instructions += 1;
            figures.orders += orders;
            figures.late += if self.time > instruction.due_ms { orders } else { 0 };
            if let Some(count) = figures.buckets.get_mut(bucket) {
                *count += orders;
            }
        }
    }
}
