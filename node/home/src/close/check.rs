//! Checks that the files of a close add up, from the files alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

/// A line of a file by column.
type Line = BTreeMap<String, String>;
/// An account: currency, kind, owner.
type Name = (String, String, String);

/// Reads records of RFC 4180 one at a time.
struct Records<R> {
    bytes: std::io::Bytes<R>,
}

impl<R: Read> Records<R> {
    fn next(&mut self) -> anyhow::Result<Option<Vec<String>>> {
        let (mut cells, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), false);
        let mut was_quote = false;
        loop {
            let Some(byte) = self.bytes.next().transpose()? else {
                ensure!(cells.is_empty() && cell.is_empty() && !is_quoted, "a record is cut");
                return Ok(None);
            };
            match byte {
                b'"' if is_quoted && !was_quote => was_quote = true,
                b'"' if is_quoted => {
                    cell.push(byte);
                    was_quote = false;
                }
                b'"' => is_quoted = true,
                _ if is_quoted && !was_quote => cell.push(byte),
                b',' | b'\n' => {
                    (is_quoted, was_quote) = (false, false);
                    cells.push(String::from_utf8(std::mem::take(&mut cell))?);
                    if byte == b'\n' {
                        return Ok(Some(cells));
                    }
                }
                b'\r' => {}
                _ => cell.push(byte),
            }
        }
    }
}

/// Goes through the lines of a sheet, and holds the control sums and the number of lines at its end
/// against them.
fn each(
    folder: &Path,
    name: &str,
    mut see: impl FnMut(&Line) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let path = folder.join(format!("{name}.csv"));
    let file = File::open(&path).with_context(|| path.display().to_string())?;
    let mut records = Records { bytes: BufReader::new(file).bytes() };
    let columns = records.next()?.with_context(|| format!("{name} is empty"))?;
    let mut sums: BTreeMap<(String, String), i128> = BTreeMap::new();
    let (mut lines, mut rows) = (0_u64, None);
    while let Some(cells) = records.next()? {
        ensure!(cells.len() == columns.len(), "{name}: a row has {} cells", cells.len());
        ensure!(rows.is_none(), "{name}: a row stands after the number of lines");
        let line: Line = columns.iter().cloned().zip(cells.iter().cloned()).collect();
        let currency = text(&line, "currency")?.to_owned();
        match text(&line, "row")? {
            "line" => {
                lines += 1;
                for (column, cell) in columns.iter().zip(&cells) {
                    if let Some(amount) = minor(cell) {
                        let sum = sums.entry((currency.clone(), column.clone())).or_default();
                        *sum = sum.saturating_add(amount);
                    }
                }
                see(&line)?;
            }
            "sum" => {
                for (column, cell) in columns.iter().zip(&cells).skip(2) {
                    let Some(amount) = minor(cell) else { continue };
                    let found = sums.get(&(currency.clone(), column.clone()));
                    ensure!(
                        found == Some(&amount),
                        "{name}: the lines of {column} in {currency} do not add up to {cell}"
                    );
                }
            }
            "rows" => rows = cells.get(2).and_then(|cell| cell.parse::<u64>().ok()),
            other => bail!("{name}: no row is a {other:?}"),
        }
    }
    ensure!(rows == Some(lines), "{name}: {lines} lines, and {rows:?} by its end");
    Ok(())
}

/// The digits of a decimal amount, with its sign.
fn minor(cell: &str) -> Option<i128> {
    let digits: String = cell.chars().filter(|letter| *letter != '.').collect();
    digits.parse().ok()
}

fn text<'a>(line: &'a Line, column: &str) -> anyhow::Result<&'a str> {
    line.get(column).map(String::as_str).with_context(|| format!("no column {column}"))
}

fn amount(line: &Line, column: &str) -> anyhow::Result<i128> {
    let cell = text(line, column)?;
    minor(cell).with_context(|| format!("{cell:?} of {column} is not an amount"))
}

fn name_of(line: &Line) -> anyhow::Result<Name> {
    let part = |column| text(line, column).map(str::to_owned);
    Ok((part("currency")?, part("kind")?, part("owner")?))
}

fn words((currency, kind, owner): &Name) -> String {
    format!("{kind}:{owner}:{currency}")
}

/// The sums by which entries and accounts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Turnover {
    entries: i128,
    debits: i128,
    credits: i128,
}

/// Entries' sums by what other files say the same of.
#[derive(Default)]
struct Entries {
    accounts: BTreeMap<Name, Turnover>,
    causes: BTreeMap<(String, String), Turnover>,
    /// The sums that settlements posted, by window and account.
    settlements: BTreeMap<(String, Name), i128>,
    /// Credits and debits of providers by orders.
    providers: BTreeMap<(String, String), (i128, i128)>,
    /// The sums that instructions moved to and from merchants: bounced, arrived.
    instructed: BTreeMap<String, (i128, i128)>,
}

/// Holds the files of a close against one another, and against the folder of the day before if one
/// is named.
///
/// # Errors
/// What does not add up first.
pub fn check(folder: &Path, previous: Option<&Path>) -> anyhow::Result<()> {
    let entries = read_entries(folder)?;
    check_accounts(folder, &entries)?;
    check_causes(folder, &entries)?;
    check_nets(folder, &entries)?;
    check_orders(folder, &entries)?;
    for name in ["windows", "outcomes", "breaches", "breaches_by_party", "blocks", "validators"] {
        each(folder, name, |_| Ok(()))?;
    }
    each(folder, "trial_balance", |line| {
        ensure!(amount(line, "difference")? == 0, "the trial balance is not zero: {line:?}");
        Ok(())
    })?;
    if let Some(previous) = previous {
        check_previous(folder, previous)?;
    }
    Ok(())
}

fn read_entries(folder: &Path) -> anyhow::Result<Entries> {
    let mut read = Entries::default();
    each(folder, "entries", |line| {
        let name = name_of(line)?;
        let (debits, credits) = (amount(line, "debits")?, amount(line, "credits")?);
        let (cause, subject) = (text(line, "cause")?, text(line, "subject")?);
        let add = |turnover: &mut Turnover| {
            turnover.entries += 1;
            turnover.debits += debits;
            turnover.credits += credits;
        };
        add(read.accounts.entry(name.clone()).or_default());
        add(read.causes.entry((name.0.clone(), cause.to_owned())).or_default());
        let currency = name.0.clone();
        match (name.1.as_str(), cause) {
            ("fx-position", "batch" | "order") => {
                let sums = read.providers.entry((currency, name.2.clone())).or_default();
                (sums.0, sums.1) = (sums.0 + credits, sums.1 + debits);
            }
            ("merchant-payable", "instruction") => {
                let sums = read.instructed.entry(currency).or_default();
                (sums.0, sums.1) = (sums.0 + credits, sums.1 + debits);
            }
            _ => {}
        }
        let is_outside = name.1 == "scheme-settlement";
        if cause == "settlement" && !is_outside && credits != debits {
            *read.settlements.entry((subject.to_owned(), name)).or_default() += credits - debits;
        }
        Ok(())
    })?;
    Ok(read)
}

/// Opening and credits less debits are the closing; the entries are the turnover; all accounts of a
/// currency together are zero; what is settled is what the scheme's bank holds.
fn check_accounts(folder: &Path, entries: &Entries) -> anyhow::Result<()> {
    let mut left = entries.accounts.clone();
    let mut sums: BTreeMap<(String, &str), i128> = BTreeMap::new();
    each(folder, "accounts", |line| {
        let name = name_of(line)?;
        let turnover = Turnover {
            entries: amount(line, "entries")?,
            debits: amount(line, "debits")?,
            credits: amount(line, "credits")?,
        };
        let (opening, closing) = (amount(line, "opening")?, amount(line, "closing")?);
        ensure!(
            opening + turnover.credits - turnover.debits == closing,
            "account {}: opening and turnover do not give the closing balance",
            words(&name)
        );
        ensure!(
            left.remove(&name).unwrap_or_default() == turnover,
            "account {}: its entries do not add up to its turnover",
            words(&name)
        );
        let settled = amount(line, "closing_settled")?;
        let is_outside = name.1 == "scheme-settlement";
        let held = if is_outside { closing } else { settled };
        let of = |column| (name.0.clone(), column);
        *sums.entry(of("opening balances")).or_default() += opening;
        *sums.entry(of("closing balances")).or_default() += closing;
        *sums.entry(of("settled balances and the scheme's bank")).or_default() += held;
        Ok(())
    })?;
    for ((currency, what), sum) in sums {
        ensure!(sum == 0, "the {what} in {currency} do not add up to zero");
    }
    if let Some(name) = left.keys().next() {
        bail!("account {} has entries and is not told", words(name));
    }
    Ok(())
}

fn check_causes(folder: &Path, entries: &Entries) -> anyhow::Result<()> {
    let mut left = entries.causes.clone();
    each(folder, "causes", |line| {
        let (currency, cause) = (text(line, "currency")?, text(line, "cause")?);
        let turnover = Turnover {
            entries: amount(line, "entries")?,
            debits: amount(line, "debits")?,
            credits: amount(line, "credits")?,
        };
        ensure!(
            turnover.debits == turnover.credits,
            "cause {cause}: debits are not credits in {currency}"
        );
        let found = left.remove(&(currency.to_owned(), cause.to_owned())).unwrap_or_default();
        ensure!(found == turnover, "cause {cause}: its entries do not add up in {currency}");
        Ok(())
    })?;
    ensure!(left.is_empty(), "a cause of entries is not told");
    Ok(())
}

/// The nets of a window are zero together, and what the day's settlements posted is minus them.
fn check_nets(folder: &Path, entries: &Entries) -> anyhow::Result<()> {
    let mut left = entries.settlements.clone();
    let mut nets: BTreeMap<(String, String), i128> = BTreeMap::new();
    each(folder, "nets", |line| {
        let (window, name) = (text(line, "window")?.to_owned(), name_of(line)?);
        let net = amount(line, "net")?;
        let gross = amount(line, "gross_credits")? - amount(line, "gross_debits")?;
        ensure!(net == gross, "window {window}: the net of {} is not its sums'", words(&name));
        *nets.entry((window.clone(), name.0.clone())).or_default() += net;
        let posted = amount(line, "posted")?;
        let found = left.remove(&(window.clone(), name.clone())).unwrap_or_default();
        ensure!(
            posted == 0 || posted == -net,
            "window {window}: what was posted for {} is not its net",
            words(&name)
        );
        ensure!(
            found == posted,
            "window {window}: the entries of {} are not what was posted",
            words(&name)
        );
        Ok(())
    })?;
    for ((window, currency), net) in nets {
        ensure!(net == 0, "window {window}: the nets in {currency} do not add up to zero");
    }
    ensure!(left.is_empty(), "a settlement posted what is in no net: {:?}", left.keys().next());
    Ok(())
}

/// Conversions and instructions are what the entries of their accounts add up to. Cashback is not:
/// what is granted on an order moves when its instruction arrives.
fn check_orders(folder: &Path, entries: &Entries) -> anyhow::Result<()> {
    let mut found: BTreeMap<(String, String), i128> = BTreeMap::new();
    each(folder, "orders", |line| {
        let key = (text(line, "figure")?.to_owned(), text(line, "currency")?.to_owned());
        *found.entry(key).or_default() += amount(line, "amount")?;
        Ok(())
    })?;
    each(folder, "instructions", |line| {
        let figure = text(line, "figure")?;
        if matches!(figure, "arrived" | "bounced") {
            let key = (figure.to_owned(), text(line, "currency")?.to_owned());
            *found.entry(key).or_default() += amount(line, "amount")?;
        }
        Ok(())
    })?;
    let mut figure = |name: &str, currency: &str| {
        found.remove(&(name.to_owned(), currency.to_owned())).unwrap_or_default()
    };
    let currencies: Vec<String> = entries.causes.keys().map(|(of, _)| of.clone()).collect();
    for currency in currencies.iter().collect::<std::collections::BTreeSet<_>>() {
        let (bounced, arrived) = entries.instructed.get(currency).copied().unwrap_or_default();
        for (name, expected) in [("bounced", bounced), ("arrived", arrived)] {
            ensure!(
                figure(name, currency) == expected,
                "{name} in {currency} is not what the entries add up to"
            );
        }
    }
    let mut providers: BTreeMap<(String, String), (i128, i128)> = BTreeMap::new();
    each(folder, "conversions", |line| {
        let key = (text(line, "currency")?.to_owned(), text(line, "provider")?.to_owned());
        let sums = providers.entry(key).or_default();
        *sums = (sums.0 + amount(line, "got")?, sums.1 + amount(line, "gave")?);
        Ok(())
    })?;
    for ((currency, provider), (credits, debits)) in &entries.providers {
        let key = (currency.clone(), provider.clone());
        let (got, gave) = providers.remove(&key).unwrap_or_default();
        // A provider's reservations that were released moved nothing.
        ensure!(
            (got, gave) == (*credits, *debits),
            "conversions of provider {provider} in {currency} are not its entries"
        );
    }
    let is_left = providers.values().any(|sums| *sums != (0, 0));
    ensure!(!is_left, "a provider converted, and has no entries");
    Ok(())
}

/// The closing of the day before is the opening.
fn check_previous(folder: &Path, previous: &Path) -> anyhow::Result<()> {
    let mut closings: BTreeMap<Name, (i128, i128)> = BTreeMap::new();
    each(previous, "accounts", |line| {
        let of = (amount(line, "closing")?, amount(line, "closing_settled")?);
        closings.insert(name_of(line)?, of);
        Ok(())
    })?;
    each(folder, "accounts", |line| {
        let name = name_of(line)?;
        let opening = (amount(line, "opening")?, amount(line, "opening_settled")?);
        ensure!(
            closings.remove(&name).unwrap_or_default() == opening,
            "account {}: the day before closed with something else",
            words(&name)
        );
        Ok(())
    })?;
    let is_lost = closings.values().any(|of| *of != (0, 0));
    ensure!(!is_lost, "an account of the day before is missing");
    Ok(())
}
