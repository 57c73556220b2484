//! A day's close: what the ledger held, moved and owed on one day, for an auditor. From a home's
//! blocks and index, a block or a page at a time; [`check`] then works out from the files alone
//! that they add up.

mod accounts;
pub mod check;
mod closing;
mod instructions;
mod orders;
mod sheet;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;
use chain_state::State;
use chain_store::ChainStore;
use chain_types::{Height, TimeMs};
use serde_json::{Map, Value, json};

use self::closing::{Closing, header};
use self::orders::Seen;
use self::sheet::{Cell, Sheets};
use crate::statement::StatementFault;
use crate::statement::period::{Blocks, blocks};

/// Why a day cannot be closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseFault {
    /// The day is not over, as far as this home knows.
    #[error(
        "day {day} is not over in this home: its last block is of {last}, and the day ends at \
         {ends}; close it when a later block is here"
    )]
    NotOver {
        /// The day that was asked for.
        day: Day,
        /// The time of the home's last block.
        last: String,
        /// When the day ends.
        ends: String,
    },
    /// The chain began after the day.
    #[error("the chain began at {begun}, after day {day} had ended")]
    BeforeGenesis {
        /// The day that was asked for.
        day: Day,
        /// When the chain began.
        begun: String,
    },
}

/// A calendar day, written `2026-11-29`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(jiff::civil::Date);

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = jiff::civil::Date::strptime("%Y-%m-%d", text).ok();
        let date = date.filter(|date| date.to_string() == text);
        date.map(Self).ok_or_else(|| format!("{text:?} is not a day such as 2026-11-29"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Day {
    /// The first millisecond of the day and the first after it, `offset_min` minutes east of UTC.
    fn bounds(self, offset_min: u32) -> (TimeMs, TimeMs) {
        let begins = |date: jiff::civil::Date| {
            let utc = date.to_zoned(jiff::tz::TimeZone::UTC).ok();
            let utc_ms = utc.map_or(i64::MAX, |utc| utc.timestamp().as_millisecond());
            let begins = utc_ms.saturating_sub(i64::from(offset_min) * 60_000);
            TimeMs::new(u64::try_from(begins).unwrap_or(0))
        };
        (begins(self.0), self.0.tomorrow().map_or(TimeMs::new(u64::MAX), begins))
    }
}

/// The result of a close.
#[derive(Debug)]
pub struct Closed {
    /// The day's first block.
    pub first: Height,
    /// The height of the day's last block.
    pub last: Height,
    /// The names of the files.
    pub sheets: Vec<&'static str>,
}

/// Writes the close of a day into `folder`.
///
/// # Errors
/// [`CloseFault`]; when the home or the folder cannot be used, or the home lacks something.
pub fn close(
    store: &dyn ChainStore,
    state: &State,
    chain: &Map<String, Value>,
    day: Day,
    folder: &Path,
) -> anyhow::Result<Closed> {
    let offset_min = state.parameters().day_offset_min;
    let (begins, ends) = day.bounds(offset_min);
    let Blocks { first, end, is_complete } = blocks(store, begins, ends)?;
    let time = node_console::output::time_text;
    if !is_complete {
        let (last, ends) = (time(state.time().get()), time(ends.get()));
        return Err(CloseFault::NotOver { day, last, ends }.into());
    }
    let begun = header(store, Height::new(1))?.time;
    if ends <= begun && first == end {
        return Err(CloseFault::BeforeGenesis { day, begun: time(begun.get()) }.into());
    }
    let last = end.previous().unwrap_or_default();
    let closing = Closing { store, state, first, last, ends };
    let seen = Seen::of(&closing)?;
    let head = closing.head(chain, day, begins)?;
    let sheets = closing.write(folder, &head, &seen).with_context(|| {
        let folder = folder.display();
        format!("the close in {folder} is unfinished; remove the folder before you close again")
    })?;
    Ok(Closed { first, last, sheets })
}

impl Closing<'_> {
    /// The names of the sheets that were written.
    fn write(
        &self,
        folder: &Path,
        head: &Map<String, Value>,
        seen: &Seen,
    ) -> anyhow::Result<Vec<&'static str>> {
        let mut sheets = Sheets::create(folder, head)?;
        self.accounts(&mut sheets)?;
        self.entries(&mut sheets)?;
        let windows = self.windows(&mut sheets, seen)?;
        self.nets(&mut sheets, &windows)?;
        self.instructions(&mut sheets, seen)?;
        self.orders(&mut sheets, seen)?;
        self.breaches(&mut sheets)?;
        self.blocks(&mut sheets, seen)?;
        sheets.finish()
    }

    fn head(
        &self,
        chain: &Map<String, Value>,
        day: Day,
        begins: TimeMs,
    ) -> Result<Map<String, Value>, StatementFault> {
        let time = |time: TimeMs| node_console::output::time_text(time.get());
        let mut head = chain.clone();
        let mut put = |name: &str, value: Value| head.insert(name.to_owned(), value);
        put("format", json!(1));
        put("day", json!(day.to_string()));
        put("day_offset_min", json!(self.state.parameters().day_offset_min));
        put("begins", json!(time(begins)));
        put("ends", json!(time(self.ends)));
        put("first_height", json!(self.first.get()));
        put("last_height", json!(self.last.get()));
        if self.last.get() > 0 {
            let last = header(self.store, self.last)?;
            put("last_block", json!(last.hash().to_string()));
            put("last_state_digest", json!(last.state_digest.to_string()));
        }
        Ok(head)
    }

    /// Every breach that a block of the day noticed, and how many there were by stage and party.
    fn breaches(&self, sheets: &mut Sheets) -> anyhow::Result<()> {
        let columns =
            &["height", "sequence", "time", "stage", "late", "name", "subject", "due"][..];
        let mut sheet = sheets.sheet("breaches", columns)?;
        let mut counts: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        let time = node_console::output::time_text;
        let mut after = Some(chain_types::RecordCursor::last_of(self.before()));
        'pages: loop {
            let page = self.store.breaches(after, chain_store::PAGE_ITEMS_MAX)?;
            let Some(end) = page.last() else { break };
            after = Some(end.cursor());
            for breach in &page {
                if breach.height > self.last {
                    break 'pages;
                }
                let late = breach.late.unwrap_or_default().get();
                *counts.entry((breach.stage.name(), late)).or_default() += 1;
                let subject = match breach.subject {
                    chain_state::BreachSubject::Order(id) => format!("order {id}"),
                    chain_state::BreachSubject::Instruction(id) => format!("instruction {id}"),
                };
                let cells = [
                    Cell::Number(breach.height.get()),
                    Cell::Number(u64::from(breach.sequence)),
                    Cell::text(time(breach.noticed.get())),
                    Cell::text(breach.stage.name()),
                    Cell::some(breach.late.map(|late| late.get())),
                    Cell::text(breach.late.map(|late| self.party(late.get())).unwrap_or_default()),
                    Cell::text(subject),
                    Cell::text(time(breach.deadline.get())),
                ];
                sheet.line(None, &cells)?;
            }
        }
        sheet.end()?;
        let mut sheet = sheets.sheet("breaches_by_party", &["stage", "late", "name", "count"])?;
        for ((stage, late), count) in counts {
            let name = if late == 0 { String::new() } else { self.party(late) };
            let late = (late > 0).then_some(late);
            let cells =
                [Cell::text(stage), Cell::some(late), Cell::text(name), Cell::Number(count)];
            sheet.line(None, &cells)?;
        }
        sheet.end()
    }

    /// The first and the last block of the day, and what each validator did for the day's blocks.
    fn blocks(&self, sheets: &mut Sheets, seen: &Seen) -> anyhow::Result<()> {
        let columns =
            &["height", "time", "window", "block", "parent", "state_digest", "records_root"][..];
        let mut sheet = sheets.sheet("blocks", columns)?;
        let heights = BTreeSet::from([self.first, self.last]);
        for height in heights.into_iter().filter(|height| *height <= self.last && height.get() > 0)
        {
            if height < self.first {
                continue;
            }
            let header = header(self.store, height)?;
            let cells = [
                Cell::Number(height.get()),
                Cell::text(node_console::output::time_text(header.time.get())),
                Cell::Number(header.window.get()),
                Cell::text(header.hash().to_string()),
                Cell::text(header.parent.to_string()),
                Cell::text(header.state_digest.to_string()),
                Cell::text(header.records_root.to_string()),
            ];
            sheet.line(None, &cells)?;
        }
        sheet.end()?;
        let mut sheet = sheets.sheet("validators", &["validator", "name", "proposed", "signed"])?;
        for (validator, (proposed, signed)) in &seen.validators {
            let node =
                usize::try_from(validator.get()).ok().and_then(|at| self.state.nodes().get(at));
            let name = node.map(|node| node.name.clone()).unwrap_or_default();
            let cells = [
                Cell::Number(u64::from(validator.get())),
                Cell::text(name),
                Cell::Number(*proposed),
                Cell::Number(*signed),
            ];
            sheet.line(None, &cells)?;
        }
        sheet.end()
    }
}
