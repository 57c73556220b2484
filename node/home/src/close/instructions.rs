//! Instructions: what the day's closes gave, what became of the day's, and what is open at the end
//! of the day, by age.

use std::collections::BTreeMap;

use chain_state::{InstructionStatus, ReturnRecord};
use chain_store::{InstructionFilter, PAGE_ITEMS_MAX};
use chain_types::{Amount, Currency, Height, InstructionId, OrderId, WindowId};

use super::closing::Closing;
use super::orders::{Seen, Tally};
use super::sheet::{Cell, Sheets};
use crate::statement::StatementFault;
use crate::statement::walk::{Walk, What};

/// Ages of open instructions since the close of their window: the upper end of each but the last,
/// and its name.
const AGES_MS: [(u64, &str); 4] = [
    (3_600_000, "up to 1 hour"),
    (86_400_000, "up to 1 day"),
    (7 * 86_400_000, "up to 7 days"),
    (u64::MAX, "above 7 days"),
];

/// The events of an instruction after the day.
#[derive(Debug, Clone, Copy, Default)]
struct Later {
    /// True if the first that was said is that its money came back: it had arrived before.
    begins_arrived: bool,
    /// The sum that was returned of it before it arrived.
    returned: u64,
    /// The sum that arrived, when it first did.
    arrived: Option<u64>,
}

impl Later {
    fn hear(&mut self, what: &What, is_first: bool) {
        match what {
            What::Arrived { amount, .. } if self.arrived.is_none() => {
                self.arrived = Some(amount.get());
            }
            What::Bounced { .. } if is_first => self.begins_arrived = true,
            What::Returned { record, .. } if self.arrived.is_none() => {
                self.returned = self.returned.saturating_add(record.payout.get());
            }
            _ => {}
        }
    }

    /// Returns the rest of it at the end of the day, if it was open. `left` is what is left now.
    fn left_then(&self, left: Amount) -> Option<Amount> {
        let left = self.arrived.unwrap_or(left.get());
        (!self.begins_arrived).then(|| Amount::new(left.saturating_add(self.returned)))
    }
}

impl Closing<'_> {
    pub(super) fn instructions(&self, sheets: &mut Sheets, seen: &Seen) -> anyhow::Result<()> {
        let mut sheet = sheets.sheet("instructions", &["figure", "age", "count", "amount"])?;
        for (currency, tally) in self.opened()? {
            let cells =
                [Cell::text("opened"), Cell::Empty, Cell::Number(tally.count), tally.cell()];
            sheet.line(Some(currency), &cells)?;
        }
        for ((figure, currency), tally) in &seen.instructions {
            // Of a word that moves no money only the number is told.
            let has_amount = matches!(*figure, "arrived" | "bounced");
            let amount = if has_amount { tally.cell() } else { Cell::Empty };
            let cells = [Cell::text(*figure), Cell::Empty, Cell::Number(tally.count), amount];
            sheet.line(Some(*currency), &cells)?;
        }
        for ((currency, age), tally) in self.open()? {
            let (_, age) = AGES_MS.get(age).copied().unwrap_or_default();
            let cells =
                [Cell::text("open"), Cell::text(age), Cell::Number(tally.count), tally.cell()];
            sheet.line(Some(currency), &cells)?;
        }
        sheet.end()
    }

    /// Sums up the instructions that the closes of the day gave.
    fn opened(&self) -> Result<BTreeMap<Currency, Tally>, StatementFault> {
        let mut opened: BTreeMap<Currency, Tally> = BTreeMap::new();
        for window in self.closed_windows()? {
            self.each_instruction(InstructionFilter::Window(WindowId::new(window)), |record| {
                opened.entry(record.id.currency).or_default().add(record.amount);
                Ok(())
            })?;
        }
        Ok(opened)
    }

    fn each_instruction(
        &self,
        filter: InstructionFilter,
        mut see: impl FnMut(&chain_state::InstructionRecord) -> Result<(), StatementFault>,
    ) -> Result<(), StatementFault> {
        let mut after = None;
        loop {
            let page = self.store.instructions(filter, after, PAGE_ITEMS_MAX)?;
            page.iter().try_for_each(&mut see)?;
            after = page.last().map(|record| record.id);
            if page.len() < PAGE_ITEMS_MAX {
                return Ok(());
            }
        }
    }

    /// Sums up what is open at the end of the day, by currency and age: the records of today, less
    /// the events after the day.
    fn open(&self) -> Result<BTreeMap<(Currency, usize), Tally>, StatementFault> {
        let end = self.window_at(self.last)?;
        let later = self.later(end)?;
        let mut open: BTreeMap<(Currency, usize), Tally> = BTreeMap::new();
        let mut close_of = (WindowId::new(u64::MAX), 0);
        self.each_instruction(InstructionFilter::All, |record| {
            let id = record.id;
            if id.window.get() >= end {
                return Ok(());
            }
            let left = match later.get(&id) {
                Some(later) => later.left_then(record.left()),
                None => match record.status {
                    InstructionStatus::Instructed | InstructionStatus::Failed { .. } => {
                        Some(record.left())
                    }
                    _ => None,
                },
            };
            let Some(left) = left else { return Ok(()) };
            if close_of.0 != id.window {
                let closed = self.store.window(id.window)?.and_then(|window| window.closed);
                close_of = (id.window, closed.unwrap_or_default().get());
            }
            let age_ms = self.ends.get().saturating_sub(close_of.1);
            let age = AGES_MS.iter().position(|(end_ms, _)| age_ms <= *end_ms).unwrap_or_default();
            open.entry((id.currency, age)).or_default().add(left);
            Ok(())
        })?;
        Ok(open)
    }

    /// Reads the later events of instructions that the day, or an earlier one, had given.
    fn later(&self, end: u64) -> Result<BTreeMap<InstructionId, Later>, StatementFault> {
        let mut found: BTreeMap<InstructionId, Later> = BTreeMap::new();
        let after = self.state.height().next();
        Walk::new(self.store, self.state).each(self.last.next(), after, |event| {
            let id = match &event.what {
                What::Returned { order, record } if is_of_failed(record) => {
                    let window = self.window_of(&record.order)?;
                    let (merchant, currency) = (order.merchant(), order.payout_currency());
                    window.map(|window| InstructionId { window, merchant, currency })
                }
                what => what.instruction(),
            };
            if let Some(id) = id.filter(|id| id.window.get() < end) {
                let is_first = !found.contains_key(&id);
                found.entry(id).or_default().hear(&event.what, is_first);
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The window in which an order was collected.
    fn window_of(&self, order: &OrderId) -> Result<Option<WindowId>, StatementFault> {
        let record = match self.state.order(order) {
            Some(found) => Some(found),
            None => self.store.archived_order(order)?,
        };
        let Some(height) = record.map(|record| record.status_height) else { return Ok(None) };
        let block = if height > Height::new(0) { self.store.block(height)? } else { None };
        Ok(block.map(|block| block.block.header.window))
    }
}

/// Returns true if a return made less of a failed instruction.
fn is_of_failed(record: &ReturnRecord) -> bool {
    record.from_payable && !record.is_reversal
}
