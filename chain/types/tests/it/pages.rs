//! The pages that integrators read say what the code does: vectors and codes are compared.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chain_types::{BatchKind, Parameters, Rejection, Roles};

use crate::golden;

/// Hexadecimal digits on one line of a page.
const DIGITS_PER_LINE: usize = 80;

fn page(name: &str) -> PathBuf {
    Path::new("../../docs").join(name)
}

/// Compares a page with what it ought to say, or writes it when that was asked for.
fn hold(name: &str, expected: &str) {
    if golden::writes_pages() {
        std::fs::write(page(name), expected).unwrap();
    }
    let actual = std::fs::read_to_string(page(name)).unwrap();
    for (number, (is, ought)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, ought, "docs/{name}, line {}", number + 1);
    }
    assert_eq!(actual, expected, "docs/{name}");
}

#[test]
fn the_wire_format_page_shows_the_vectors() {
    let vectors = golden::vectors();
    let text = std::fs::read_to_string(page("wire-format.md")).unwrap();
    let mut expected = String::new();
    let mut inside = false;
    let mut shown = 0;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```vectors";
        }
        match (inside, line.strip_suffix(':')) {
            (true, Some(name)) => {
                let bytes = vectors.get(name).unwrap_or_else(|| panic!("no vector {name}"));
                writeln!(expected, "{line}").unwrap();
                for start in (0..bytes.len()).step_by(DIGITS_PER_LINE) {
                    let end = bytes.len().min(start + DIGITS_PER_LINE);
                    writeln!(expected, "  {}", &bytes[start..end]).unwrap();
                }
                shown += 1;
            }
            (true, None) if line.starts_with("  ") => {}
            _ => writeln!(expected, "{line}").unwrap(),
        }
    }
    assert!(shown > 25, "the page shows only {shown} vectors");
    hold("wire-format.md", &expected);
}

#[test]
fn the_wire_format_page_lists_every_kind_and_parameter() {
    let text = std::fs::read_to_string(page("wire-format.md")).unwrap();
    for kind in BatchKind::ALL {
        let roles = Roles::NAMES.iter().filter(|(role, _)| kind.roles().any_of(*role));
        let row = format!(
            "| {} | {} | {} | {} | {} |\n",
            kind.number(),
            kind.name(),
            kind.item_bytes(),
            kind.items_max(),
            roles.map(|(_, name)| *name).collect::<Vec<_>>().join(", "),
        );
        assert!(text.contains(&row), "the page lacks {row}");
    }
    for ((number, name), (low, high)) in
        Parameters::NAMES.iter().enumerate().zip(Parameters::BOUNDS)
    {
        // What does not fit a narrower form is refused there, which tells its form.
        let mut values = Parameters::default().values();
        values[number] = 1 << 32;
        let form = if Parameters::from_values(&values).is_some() { "u64" } else { "u32" };
        let row = format!("| {number} | `{name}` | `{form}` | {low} to {high} |\n");
        assert!(text.contains(&row), "the page lacks {row}");
    }
}

#[test]
fn the_rejections_page_is_the_table_of_codes() {
    let mut expected = String::from(REJECTIONS_HEAD);
    let mut hundred = 0;
    for rejection in Rejection::ALL {
        if rejection.code() / 100 != hundred {
            hundred = rejection.code() / 100;
            let title = match hundred {
                1 => "Batches: this call booked nothing",
                2 => "Orders",
                3 => "Collections, voids, holds and returns",
                4 => "Instructions and windows",
                5 => "Transfers and lines",
                6 => "Rates and quotes",
                7 => "Risk policies",
                8 => "Governance",
                other => panic!("say what codes {other}00 are about"),
            };
            let columns =
                "| code | name | transient | new id | cause | remedy |\n|---|---|---|---|---|---|";
            writeln!(expected, "\n## {title}\n\n{columns}").unwrap();
        }
        let transient = if rejection.is_transient() { "yes" } else { "no" };
        let new_id = if rejection.new_id_is_safe() { "safe" } else { "ask first" };
        let (code, name) = (rejection.code(), rejection.name());
        let (cause, remedy) = (rejection.cause(), rejection.remedy());
        writeln!(expected, "| {code} | {name} | {transient} | {new_id} | {cause} | {remedy} |")
            .unwrap();
    }
    hold("rejections.md", &expected);
}

const REJECTIONS_HEAD: &str = "\
# Why something was refused

Every outcome is two bytes. Those below 100 refuse nothing:

| code | meaning |
|---|---|
| 0 | *applied*: the item changed the books |
| 1 | *repeated*: the same content was applied before; nothing changed |
| 2 | *held*: the order waits for a risk desk; nothing moved |
| 10, 11, 12, 13 | applied, and cashback of tier 1, 2, 3 or 4 was granted |
| 20 | applied; cashback was refused, for the user's ceiling of the month would be passed |
| 21 | applied; cashback was refused, for the programme's budget does not hold it |

Every other number is a rejection below, and the item changed nothing; a number, once published,
keeps its meaning. Where several rejections hold, [settlement-rules.md](settlement-rules.md) gives
the order of the checks, and the first one is reported.

*Transient* means that the very same bytes may be accepted later. A rejection that is not transient
is final for those bytes, and for an order whose id was recorded with it, final for the id.

*New id* is for who submitted an order and got the code: *safe*, a new order with a new id may take
its place; *ask first*, the order may be in the books under its id, or may still come there, so
`recharge_order` is asked before anything else. Whoever keeps the id can never be charged twice;
[client-recovery.md](client-recovery.md) goes through it step by step. An error of the interface
(1000 and up) and silence are always *ask first*. An answer says so itself, as `new_id_is_safe`.

The chain's knowledge comes first. A batch that is in the chain is answered with its outcomes,
however late, at whichever node, and though its valid-until time has passed or its key was rotated
since. An item that was not applied because the chain knows its order carries that order's
*standing*: its status, the block, and what to do. A refused order that is sent again is refused
with the same code again, so *repeated* never repeats a rejection; whether what was applied was
voided or expired since, the standing says. What nobody but another may say (214, 240) leaves no
trace: the order's own party may still say it, under the same id. *Too old* (203, 311, 812) says
nothing of what was: ask for it by its id.

This page is written from `chain/types/src/rejection.rs`; a test holds the two together.
";
