//! The page: a picture and two tables a machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::explore::{Machine, NOTHING};

const HEAD: &str = "\
# States

What becomes of an order, an instruction, a transfer, a window's settlement and a proposal. This
page is written by a test (`contracts/tests/it/states`) that runs the contracts: in every
situation that it reaches, each party says each operation, and time passes. The same test fails
when the contracts do otherwise than the page says; `SLUICE_WRITE_PAGES=1` writes the page anew.
The rules are on [settlement-rules.md](settlement-rules.md), whose section each row names; the
codes are on [rejections.md](rejections.md).

*Nothing* is what the chain does not know, or no longer. An end is a status without a way to
another one, even if it is forgotten later. *When* says what was so every time that these parties'
word did this, and not in all other situations of the status; where one of several things is
enough, it says none. A parameter's name means the time that it gives, from the moment at which
the status began. *Refused with* lists the codes that the operations got in a status, whoever of
the parties above said them; 110 and 111 are left out, which everybody who is suspended or has not
the role gets.
";

pub fn page(machines: &[Machine]) -> String {
    let mut page = HEAD.to_owned();
    for machine in machines {
        let (name, about) = (machine.name, machine.about);
        writeln!(page, "\n## {name}\n\n{about}\n\n```mermaid\nstateDiagram-v2").unwrap();
        picture(&mut page, machine);
        page.push_str("```\n\n");
        ways(&mut page, machine);
        page.push('\n');
        refusals(&mut page, machine);
    }
    page
}

fn node(status: &str) -> &str {
    if status == NOTHING { "[*]" } else { status }
}

fn picture(page: &mut String, machine: &Machine) {
    let mut arrows: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for (from, operation, _, to, _) in machine.ways.keys() {
        arrows.entry((from, to)).or_default().insert(operation);
    }
    for ((from, to), operations) in &arrows {
        let text = operations.iter().copied().collect::<Vec<_>>().join(", ");
        writeln!(page, "    {} --> {}: {text}", node(from), node(to)).unwrap();
    }
    let forgotten: BTreeSet<&str> =
        arrows.keys().filter(|(_, to)| *to == NOTHING).map(|(from, _)| *from).collect();
    for end in machine.ends().difference(&forgotten) {
        writeln!(page, "    {end} --> [*]").unwrap();
    }
}

/// Parties for whom the same is so share a row.
fn ways(page: &mut String, machine: &Machine) {
    page.push_str("| from | operation | by | to | when | section |\n|---|---|---|---|---|---|\n");
    let mut rows: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for ((from, operation, section, to, by), way) in &machine.ways {
        let when = machine.conditions(from, way).join("; ");
        rows.entry((*from, operation, *to, when, *section)).or_default().push(by);
    }
    for ((from, operation, to, when, section), by) in rows {
        let by = by.join(", ");
        writeln!(page, "| {from} | {operation} | {by} | {to} | {when} | {section} |").unwrap();
    }
}

fn refusals(page: &mut String, machine: &Machine) {
    page.push_str("| status | operation | refused with |\n|---|---|---|\n");
    for ((from, operation), codes) in &machine.refused {
        let codes = codes.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        writeln!(page, "| {from} | {operation} | {codes} |").unwrap();
    }
}
