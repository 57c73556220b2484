//! Windows that closed or were settled on the day, with the nets of their parties.

use std::collections::BTreeSet;

use chain_state::{AccountKey, WindowRecord, WindowSettlement};
use chain_types::WindowId;
use node_console::output::time_text;

use super::closing::{Closing, missing};
use super::orders::Seen;
use super::sheet::{Cell, Sheets};
use crate::statement::StatementFault;

impl Closing<'_> {
    /// The windows whose close is a block of the day.
    pub(super) fn closed_windows(&self) -> Result<std::ops::Range<u64>, StatementFault> {
        Ok(self.window_at(self.before())?..self.window_at(self.last)?)
    }

    fn window(&self, id: u64) -> Result<WindowRecord, StatementFault> {
        let found = self.store.window(WindowId::new(id))?;
        found.ok_or_else(|| missing("a window", self.last))
    }

    /// The settlement that a block of the day, or of an earlier one, posted.
    fn settlement(&self, id: u64) -> Result<Option<WindowSettlement>, StatementFault> {
        let found = self.store.window_settlement(WindowId::new(id))?;
        Ok(found.filter(|word| word.location.height <= self.last))
    }

    fn is_of_day(&self, word: &WindowSettlement) -> bool {
        word.location.height >= self.first
    }

    /// A line a window; gives the numbers of those that are told.
    pub(super) fn windows(
        &self,
        sheets: &mut Sheets,
        seen: &Seen,
    ) -> anyhow::Result<BTreeSet<u64>> {
        let columns = &[
            "window",
            "opened",
            "closed",
            "first_height",
            "last_height",
            "orders",
            "instructions",
            "digest",
            "settled",
            "settled_height",
            "maker",
            "checker",
            "reference",
        ][..];
        let mut sheet = sheets.sheet("windows", columns)?;
        let mut windows: BTreeSet<u64> = self.closed_windows()?.collect();
        windows.extend(seen.decided_windows.iter().copied());
        let mut told = BTreeSet::new();
        for id in windows {
            let record = self.window(id)?;
            let settlement = self.settlement(id)?;
            let is_closed_today = self.closed_windows()?.contains(&id);
            if !is_closed_today && !settlement.as_ref().is_some_and(|word| self.is_of_day(word)) {
                continue;
            }
            told.insert(id);
            let (closed, last) = (record.closed, record.last_height);
            let word = settlement.as_ref();
            let cells = [
                Cell::Number(id),
                Cell::text(time_text(record.opened.get())),
                closed.map_or(Cell::Empty, |closed| Cell::text(time_text(closed.get()))),
                Cell::Number(record.first_height.get()),
                Cell::some(last.map(|last| last.get())),
                Cell::Number(record.order_count),
                Cell::Number(record.instruction_count),
                Cell::text(record.digest().to_string()),
                word.map_or(Cell::Empty, |word| Cell::text(time_text(word.time.get()))),
                Cell::some(word.map(|word| word.location.height.get())),
                Cell::some(word.map(|word| word.agent.get())),
                Cell::some(word.map(|word| word.checker.get())),
                word.map_or(Cell::Empty, |word| Cell::text(hex::encode(word.reference))),
            ];
            sheet.line(None, &cells)?;
        }
        sheet.end()?;
        Ok(told)
    }

    /// A line a window and party: what it owes and is owed, and what the day's settlement posted.
    pub(super) fn nets(&self, sheets: &mut Sheets, windows: &BTreeSet<u64>) -> anyhow::Result<()> {
        let columns = &[
            "window",
            "kind",
            "owner",
            "name",
            "gross_debits",
            "gross_credits",
            "net",
            "posted",
            "settled_change",
        ][..];
        let mut sheet = sheets.sheet("nets", columns)?;
        for id in windows {
            let settlement = self.settlement(*id)?;
            let is_settled = settlement.as_ref().is_some_and(|word| self.is_of_day(word));
            for position in self.window(*id)?.positions {
                let party = position.party;
                let key =
                    AccountKey { kind: party.kind, owner: party.owner, currency: party.currency };
                let gross = |sum: u128| Cell::Amount(i128::try_from(sum).unwrap_or(i128::MAX));
                let (posted, settled) = match (is_settled, Self::is_posted(&key)) {
                    (false, _) => (0, 0),
                    (true, true) => (-position.net(), 0),
                    (true, false) => (0, position.net()),
                };
                let cells = [
                    Cell::Number(*id),
                    Cell::text(party.kind.name()),
                    Cell::Number(party.owner),
                    Cell::text(self.name_of(party.kind, party.owner)),
                    gross(position.gross_debits),
                    gross(position.gross_credits),
                    Cell::Amount(position.net()),
                    Cell::Amount(posted),
                    Cell::Amount(settled),
                ];
                sheet.line(Some(party.currency), &cells)?;
            }
        }
        sheet.end()
    }
}
