//! Reads the Markdown of `contracts/examples`: scenarios, what is given, and rows.

use std::path::{Path, PathBuf};

/// One operation: a line of a table.
pub struct Row {
    /// Its place: file and line.
    pub at: String,
    /// Block time; empty for the same block as the row before.
    pub time: String,
    pub who: String,
    pub says: String,
    pub outcome: String,
    pub afterwards: String,
}

/// A section with a table: a chain of its own.
pub struct Scenario {
    /// The name of its file.
    pub file: String,
    /// The heading of the section.
    pub title: String,
    /// Items of the list before the table, each with the place of its first line.
    pub given: Vec<(String, String)>,
    pub rows: Vec<Row>,
}

/// Files of the folder that hold no examples.
const PAGES: [&str; 2] = ["README.md", "codes.md"];
const HEADER: [&str; 6] = ["#", "time", "who", "says", "outcome", "balances afterwards"];

/// The scenarios of every file, in order of file names.
pub fn read_all() -> Vec<Scenario> {
    let folder = Path::new("examples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_table = |path: &PathBuf| !PAGES.iter().any(|page| path.ends_with(page));
    let mut files: Vec<_> = files.filter(is_table).collect();
    files.sort();
    let mut scenarios = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        scenarios.extend(read(name, &std::fs::read_to_string(&path).unwrap()));
    }
    scenarios
}

/// The scenarios of a file.
pub fn read(file: &str, text: &str) -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let at = format!("{file}:{number}");
        if let Some(title) = line.strip_prefix("## ") {
            let (file, title) = (file.to_owned(), title.to_owned());
            scenarios.push(Scenario { file, title, given: Vec::new(), rows: Vec::new() });
        }
        let Some(scenario) = scenarios.last_mut() else { continue };
        if let Some(given) = line.strip_prefix("- ") {
            scenario.given.push((at, given.to_owned()));
        } else if let Some(more) = line.strip_prefix("  ")
            && let Some((_, given)) = scenario.given.last_mut()
        {
            // A given line is wrapped at 100 columns as any prose.
            given.push(' ');
            given.push_str(more.trim());
        } else if let Some(cells) = cells(line)
            && cells != HEADER
            && !line.starts_with("|--")
        {
            scenario.rows.push(row(at, &cells, scenario.rows.len() + 1));
        }
    }
    scenarios
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

fn row(at: String, cells: &[&str], number: usize) -> Row {
    let [numbered, time, who, says, outcome, afterwards] = cells else {
        panic!("{at}: a row has six cells, this one has {}", cells.len());
    };
    assert_eq!(*numbered, number.to_string(), "{at}: rows are numbered from 1");
    let (time, who, says) = ((*time).to_owned(), (*who).to_owned(), (*says).to_owned());
    let (outcome, afterwards) = ((*outcome).to_owned(), (*afterwards).to_owned());
    Row { at, time, who, says, outcome, afterwards }
}
