//! The files of a report: a CSV file a sheet, and one JSON document with the same lines. Both are
//! written as they come, so that no sheet is ever in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_types::Currency;
use rpc_api::Money;
use rpc_api::money::currency_code;
use serde_json::{Map, Value};

use crate::statement::cell;

/// The name of the document with all sheets.
pub(super) const DOCUMENT: &str = "close.json";
/// Its name until it is whole: a folder without a document is no close.
pub(super) const UNFINISHED: &str = "close.json.unfinished";

/// A cell of a line.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// A cell without a value.
    Empty,
    /// Words that a person wrote, or that name something.
    Text(String),
    /// A count, a height, an id.
    Number(u64),
    /// An amount in minor units of the line's currency; its column is summed up.
    Amount(i128),
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn some<T: Into<u64>>(number: Option<T>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.into()))
    }
}

/// The sums of the columns of each currency.
type Sums = BTreeMap<Currency, Vec<Option<i128>>>;

/// The folder of a report that is being written.
pub(super) struct Sheets {
    folder: PathBuf,
    document: BufWriter<File>,
    names: Vec<&'static str>,
}

impl Sheets {
    /// Begins a report in a folder that is new or empty.
    pub(super) fn create(folder: &Path, head: &Map<String, Value>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let file = folder.join(UNFINISHED);
        let mut document = BufWriter::new(File::create(&file).with_context(|| words(&file))?);
        let head = serde_json::to_string_pretty(head)?;
        write!(document, "{{\n\"head\": {head}")?;
        Ok(Self { folder: folder.to_owned(), document, names: Vec::new() })
    }

    /// Begins a sheet. Every line begins with what the row is and its currency.
    pub(super) fn sheet(
        &mut self,
        name: &'static str,
        columns: &'static [&'static str],
    ) -> anyhow::Result<Sheet<'_>> {
        let path = self.folder.join(format!("{name}.csv"));
        let mut csv = BufWriter::new(File::create(&path).with_context(|| words(&path))?);
        write!(csv, "row,currency,{}\r\n", columns.join(","))?;
        write!(self.document, ",\n\"{name}\": {{\"lines\": [")?;
        self.names.push(name);
        let document = &mut self.document;
        Ok(Sheet { csv, document, columns, lines: 0, sums: Sums::new() })
    }

    /// Ends the document; gives the names of the sheets.
    pub(super) fn finish(mut self) -> anyhow::Result<Vec<&'static str>> {
        writeln!(self.document, "\n}}")?;
        self.document.flush()?;
        let (unfinished, file) = (self.folder.join(UNFINISHED), self.folder.join(DOCUMENT));
        std::fs::rename(unfinished, &file).with_context(|| words(&file))?;
        Ok(self.names)
    }
}

fn words(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// A sheet that is being written.
pub(super) struct Sheet<'a> {
    csv: BufWriter<File>,
    document: &'a mut BufWriter<File>,
    columns: &'static [&'static str],
    lines: u64,
    sums: Sums,
}

impl Sheet<'_> {
    /// Writes a line. Amounts are of `currency`.
    pub(super) fn line(
        &mut self,
        currency: Option<Currency>,
        cells: &[Cell],
    ) -> anyhow::Result<()> {
        debug_assert_eq!(cells.len(), self.columns.len());
        let separator = if self.lines == 0 { "\n" } else { ",\n" };
        self.lines += 1;
        if let Some(currency) = currency {
            let columns = self.columns.len();
            let sums = self.sums.entry(currency).or_insert_with(|| vec![None; columns]);
            for (sum, cell) in sums.iter_mut().zip(cells) {
                if let Cell::Amount(minor) = cell {
                    *sum = Some(sum.unwrap_or_default().saturating_add(*minor));
                }
            }
        }
        self.row("line", currency, cells)?;
        let object = self.object(currency, cells);
        write!(self.document, "{separator}{}", Value::Object(object))?;
        Ok(())
    }

    fn row(&mut self, row: &str, currency: Option<Currency>, cells: &[Cell]) -> anyhow::Result<()> {
        write!(self.csv, "{row},{}", currency.map(currency_code).unwrap_or_default())?;
        for cell in cells {
            write!(self.csv, ",{}", csv_cell(cell, currency))?;
        }
        self.csv.write_all(b"\r\n")?;
        Ok(())
    }

    fn object(&self, currency: Option<Currency>, cells: &[Cell]) -> Map<String, Value> {
        let mut object = Map::new();
        if let Some(currency) = currency {
            object.insert("currency".to_owned(), currency_code(currency).into());
        }
        for (column, cell) in self.columns.iter().zip(cells) {
            let value = match cell {
                Cell::Empty => continue,
                Cell::Text(text) => Value::from(text.as_str()),
                Cell::Number(number) => Value::from(*number),
                Cell::Amount(minor) => Value::from(amount(*minor, currency)),
            };
            object.insert((*column).to_owned(), value);
        }
        object
    }

    /// Ends the sheet with its control sums: one row a currency, and the number of lines.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        let mut sums = Vec::new();
        for (currency, of) in std::mem::take(&mut self.sums) {
            let cells: Vec<Cell> =
                of.into_iter().map(|sum| sum.map_or(Cell::Empty, Cell::Amount)).collect();
            self.row("sum", Some(currency), &cells)?;
            sums.push(Value::Object(self.object(Some(currency), &cells)));
        }
        write!(self.csv, "rows,,{}", self.lines)?;
        self.csv.write_all(",".repeat(self.columns.len().saturating_sub(1)).as_bytes())?;
        self.csv.write_all(b"\r\n")?;
        self.csv.flush()?;
        write!(self.document, "],\n\"sums\": {}, \"rows\": {}}}", Value::from(sums), self.lines)?;
        Ok(())
    }
}

/// An amount in major units, with as many decimals as its currency has.
fn amount(minor: i128, currency: Option<Currency>) -> String {
    cell(&Money::sum(minor, currency.unwrap_or_default()))
}

fn csv_cell(cell: &Cell, currency: Option<Currency>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Number(number) => number.to_string(),
        Cell::Amount(minor) => amount(*minor, currency),
        Cell::Text(text) => quoted(text),
    }
}

/// Text as RFC 4180 has it. What a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_and_never_a_formula() {
        for (text, expected) in [
            ("Bank of Somewhere", "Bank of Somewhere"),
            ("A, B", "\"A, B\""),
            ("the \"bank\"", "\"the \"\"bank\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+49", "\"'+49\""),
            ("-", "\"'-\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let of = |minor, number| amount(minor, Some(Currency::new(number)));
        assert_eq!(of(1_234, 156), "12.34");
        assert_eq!(of(-5, 156), "-0.05");
        assert_eq!(of(1_234, 392), "1234");
        assert_eq!(of(1_234, 414), "1.234");
    }
}
