//! Accounts: opening, turnover, closing; the trial balance; every entry, and what caused it.

use std::collections::BTreeMap;

use chain_state::{Account, AccountEntry, AccountKey, EntryCause};
use chain_store::PAGE_ITEMS_MAX;
use chain_types::{Currency, Height, RecordCursor};
use node_console::output::time_text;

use super::closing::{Closing, account_cells, of_currency};
use super::sheet::{Cell, Sheets};
use crate::statement::StatementFault;

/// The sums of an account's entries of a day.
#[derive(Debug, Clone, Copy, Default)]
struct Turnover {
    entries: u64,
    debits: i128,
    credits: i128,
}

impl Closing<'_> {
    /// Calls `see` with each entry of an account on the day, the oldest first.
    fn each_entry(
        &self,
        key: &AccountKey,
        mut see: impl FnMut(&AccountEntry) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        // Entries of the genesis file are of height zero, and of no block of a day.
        let mut after = RecordCursor::last_of(self.before());
        loop {
            let page = self.store.account_entries(key, Some(after), PAGE_ITEMS_MAX)?;
            let Some(end) = page.last() else { return Ok(()) };
            after = end.cursor();
            for entry in &page {
                if entry.height > self.last {
                    return Ok(());
                }
                see(entry)?;
            }
        }
    }

    fn account_at(&self, key: &AccountKey, height: Height) -> Result<Account, StatementFault> {
        let entry = self.store.account_entry_at(key, height)?;
        Ok(entry.map(|entry| entry.after).unwrap_or_default())
    }

    /// A line an account that held or moved anything up to the end of the day.
    pub(super) fn accounts(&self, sheets: &mut Sheets) -> anyhow::Result<()> {
        let columns = &[
            "kind",
            "owner",
            "name",
            "opening",
            "debits",
            "credits",
            "closing",
            "opening_settled",
            "closing_settled",
            "closing_position",
            "debits_pending",
            "credits_pending",
            "entries",
        ][..];
        let mut totals: BTreeMap<Currency, Turnover> = BTreeMap::new();
        let mut sheet = sheets.sheet("accounts", columns)?;
        for (key, _) in self.state.accounts(None) {
            let (opening, closing) =
                (self.account_at(key, self.before())?, self.account_at(key, self.last)?);
            let mut turnover = Turnover::default();
            self.each_entry(key, |entry| {
                turnover.entries += 1;
                turnover.debits += entry.debits_posted;
                turnover.credits += entry.credits_posted;
                Ok(())
            })?;
            let is_used = closing != Account::default() || turnover.entries > 0;
            if !is_used {
                continue;
            }
            let total = totals.entry(key.currency).or_default();
            total.debits += turnover.debits;
            total.credits += turnover.credits;
            let [kind, owner] = account_cells(key);
            let pending = |sum: u128| Cell::Amount(i128::try_from(sum).unwrap_or(i128::MAX));
            let cells = [
                kind,
                owner,
                Cell::text(self.name_of(key.kind, key.owner)),
                Cell::Amount(opening.balance()),
                Cell::Amount(turnover.debits),
                Cell::Amount(turnover.credits),
                Cell::Amount(closing.balance()),
                Cell::Amount(opening.settled),
                Cell::Amount(closing.settled),
                Cell::Amount(closing.position()),
                pending(closing.debits_pending),
                pending(closing.credits_pending),
                Cell::Number(turnover.entries),
            ];
            sheet.line(of_currency(key), &cells)?;
        }
        sheet.end()?;
        let mut sheet = sheets.sheet("trial_balance", &["debits", "credits", "difference"])?;
        for (currency, Turnover { debits, credits, .. }) in totals {
            let cells = [debits, credits, debits - credits].map(Cell::Amount);
            sheet.line(Some(currency), &cells)?;
        }
        sheet.end()
    }

    /// A line an entry: what one cause in one block did to one account. Then a line a kind of
    /// cause.
    pub(super) fn entries(&self, sheets: &mut Sheets) -> anyhow::Result<()> {
        let columns = &[
            "kind", "owner", "height", "sequence", "time", "cause", "subject", "orders", "debits",
            "credits", "balance", "settled",
        ][..];
        let mut causes: BTreeMap<(&str, Currency), Turnover> = BTreeMap::new();
        let mut sheet = sheets.sheet("entries", columns)?;
        for (key, _) in self.state.accounts(None) {
            self.each_entry(key, |entry| {
                let (cause, subject) = words_of(entry.cause);
                let turnover = causes.entry((cause, key.currency)).or_default();
                turnover.entries += 1;
                turnover.debits += entry.debits_posted;
                turnover.credits += entry.credits_posted;
                let [kind, owner] = account_cells(key);
                let cells = [
                    kind,
                    owner,
                    Cell::Number(entry.height.get()),
                    Cell::Number(u64::from(entry.sequence)),
                    Cell::text(time_text(entry.time.get())),
                    Cell::text(cause),
                    Cell::text(subject),
                    Cell::Number(entry.order_count),
                    Cell::Amount(entry.debits_posted),
                    Cell::Amount(entry.credits_posted),
                    Cell::Amount(entry.after.balance()),
                    Cell::Amount(entry.after.settled),
                ];
                sheet.line(of_currency(key), &cells)
            })?;
        }
        sheet.end()?;
        let mut sheet = sheets.sheet("causes", &["cause", "entries", "debits", "credits"])?;
        for ((cause, currency), turnover) in causes {
            let cells = [
                Cell::text(cause),
                Cell::Number(turnover.entries),
                Cell::Amount(turnover.debits),
                Cell::Amount(turnover.credits),
            ];
            sheet.line(Some(currency), &cells)?;
        }
        sheet.end()
    }
}

/// The kind of a cause, and what it is about.
fn words_of(cause: EntryCause) -> (&'static str, String) {
    (cause.kind().name(), cause.subject().unwrap_or_default())
}
