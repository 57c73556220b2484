//! One word, one meaning, also for types: a public type name is declared once in the workspace.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms of the workspace.
const ROOMS: [&str; 7] = ["chain", "consensus", "contracts", "genesis", "node", "risk", "rpc"];
/// Words that begin the declaration of a type.
const DECLARATIONS: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

const CORE: &str = "consensus is frozen, and each is used beside its own module's name";
const SIMULATED: &str = "the simulator's twin of the real one";

/// Names that stand in two or more files, each with its reason. The list only becomes shorter.
const SHARED: &[(&str, &str)] = &[
    ("Collected", SIMULATED),
    ("Effect", CORE),
    ("Ended", "how a batch ended, and why a node did"),
    ("ForwardedHeader", "a setting in a file, and the server's own: it knows no file"),
    ("Input", CORE),
    ("Limits", CORE),
    ("Network", SIMULATED),
    ("Node", SIMULATED),
    ("Observer", SIMULATED),
    ("Peer", "an entry of a configuration, and a peer as it is dialled"),
    ("Room", CORE),
    ("Standing", CORE),
];

/// Every source file of a folder that is no test.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["tests", "benches", "target"].contains(&name) {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The public types that a file declares outside of its tests.
fn declared(text: &str) -> Vec<String> {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let mut names = Vec::new();
    for line in text.lines().map(str::trim_start) {
        let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let is_declared = line.starts_with("pub ")
            && words.next().is_some()
            && words.next().is_some_and(|word| DECLARATIONS.contains(&word));
        if is_declared {
            // A macro's `$name` is no name.
            names.extend(words.next().filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names
}

/// Compares the names that stand in several files with those that are `listed`.
fn complaints(found: &BTreeMap<String, BTreeSet<String>>, listed: &BTreeSet<&str>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, files) in found {
        match (files.len() > 1, listed.contains(name.as_str())) {
            (true, false) => complaints.push(format!("{name}: declared in {files:?}")),
            (false, true) => {
                complaints.push(format!("{name}: declared once; take it off the list"))
            }
            _ => {}
        }
    }
    let gone = listed.iter().filter(|name| !found.contains_key(**name));
    complaints.extend(gone.map(|name| format!("{name}: declared nowhere; take it off the list")));
    complaints
}

#[test]
fn no_public_type_name_is_declared_twice() {
    let root = Path::new("../..").canonicalize().unwrap();
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&root.join(room), &mut files);
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files {
        let place = path.strip_prefix(&root).unwrap().display().to_string();
        for name in declared(&std::fs::read_to_string(&path).unwrap()) {
            found.entry(name).or_default().insert(place.clone());
        }
    }
    let listed: BTreeSet<&str> = SHARED.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed.len(), SHARED.len(), "a name is listed twice");
    let complaints = complaints(&found, &listed);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The methods of a file that take `&mut self` and are named as a question.
fn changing_questions(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for after in text.split("fn ").skip(1) {
        let Some((name, parameters)) = after.split_once('(') else { continue };
        let name = name.split('<').next().unwrap_or(name);
        let is_question = ["is_", "has_", "may_"].iter().any(|start| name.starts_with(start));
        if is_question && parameters.trim_start().starts_with("&mut self") {
            found.push(name);
        }
    }
    found
}

/// In a ledger, a question that writes is a trap.
#[test]
fn a_question_changes_nothing() {
    let root = Path::new("../..").canonicalize().unwrap();
    let mut files = Vec::new();
    for room in ROOMS {
        sources(&root.join(room), &mut files);
    }
    let mut complaints = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in changing_questions(&text) {
            complaints.push(format!("{}: `{name}` takes `&mut self`", path.display()));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    let red = "fn is_owed(&mut self, of: Slot)\nfn has<T>(&mut self)\nfn has_x<T>(\n    &mut self)";
    assert_eq!(changing_questions(red), ["is_owed", "has_x"]);
}
