//! The page that leads from each code to the examples that show it, and the rules' page that says
//! each code. `SLUICE_WRITE_PAGES=1` writes the first one anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use chain_types::{Outcome, Rejection};

use super::tables::{Scenario, read_all};
use super::{NOT_IN_TABLES, Text};

/// How many examples of a code are named.
const EXAMPLES_MAX: usize = 3;

const HEAD: &str = "\
# Where each code is shown

Each row leads from a code to the examples in which somebody gets it, three at most. What the code
says is in [the rules](../../docs/settlement-rules.md), what to do in
[rejections.md](../../docs/rejections.md). A test writes this page from the tables.

| code | name | examples |
|---|---|---|
";

/// A link to a scenario's heading, as GitHub names headings.
fn link(scenario: &Scenario) -> String {
    let kept = scenario.title.chars().filter(|one| one.is_alphanumeric() || " -_".contains(*one));
    let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
    format!("[{}]({}#{anchor})", scenario.title, scenario.file)
}

#[test]
fn the_page_of_codes_names_their_examples() {
    let scenarios = read_all();
    let mut shown: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for scenario in &scenarios {
        let codes = scenario.rows.iter().filter_map(|row| Outcome::from_text(&row.outcome));
        for code in codes.filter_map(|outcome| Some(outcome.rejection()?.code())) {
            let links = shown.entry(code).or_default();
            let link = link(scenario);
            if links.len() < EXAMPLES_MAX && !links.contains(&link) {
                links.push(link);
            }
        }
    }
    let mut expected = HEAD.to_owned();
    for rejection in Rejection::ALL {
        let (code, name) = (rejection.code(), rejection.name());
        let exception = NOT_IN_TABLES.iter().find(|(one, _)| one == rejection);
        let examples = match exception {
            Some((_, why)) => format!("none: {why}"),
            None => shown.remove(&code).unwrap_or_default().join("; "),
        };
        writeln!(expected, "| {code} | {name} | {examples} |").unwrap();
    }
    let page = Path::new("examples/codes.md");
    if crate::states::writes_pages() {
        std::fs::write(page, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(page).unwrap(), expected, "SLUICE_WRITE_PAGES=1 writes it");
}

/// Every code that execution can give stands on the rules' page.
#[test]
fn the_rules_say_every_code() {
    let page = std::fs::read_to_string("../docs/settlement-rules.md").unwrap();
    let numbers: Vec<&str> = page.split(|one: char| !one.is_alphanumeric()).collect();
    let missing: Vec<_> = Rejection::ALL
        .iter()
        .filter(|one| one.code() >= 200 && !numbers.contains(&one.code().to_string().as_str()))
        .map(|one| format!("{} {}", one.code(), one.name()))
        .collect();
    assert!(missing.is_empty(), "docs/settlement-rules.md does not say {missing:?}");
}
