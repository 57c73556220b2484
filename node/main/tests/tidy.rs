//! Taste, kept by a test: sizes, widths, names and left-overs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

/// Columns of a line; rustfmt keeps to it, except inside strings and macros.
const COLUMNS_MAX: usize = 100;
/// Lines of a source file that is no test.
const LINES_MAX: usize = 500;
/// The entries of the root. A new entry is a decision: add it here and in ARCHITECTURE.md.
const ROOT: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".git",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "chain",
    "clients",
    "clippy.toml",
    "consensus",
    "contracts",
    "deny.toml",
    "docs",
    "genesis",
    "node",
    "risk",
    "rpc",
    "rustfmt.toml",
    "scripts",
    // Not in the repository: builds and homes.
    "homes",
    "target",
];
/// Files that a test prints from the code; nobody reads them from top to bottom.
const PRINTED: &[&str] = &["clients/python/sluice/interface.py"];
/// The fewest words of a doc comment. One with fewer repeats the name, and is deleted.
const DOC_WORDS_MIN: usize = 4;
/// Words that a doc comment does not begin with: they hide the noun that a reader looks for.
const HIDDEN_NOUNS: &[&str] = &["What", "Whether", "Where", "Who", "Which", "Whose"];
/// Names that say nothing. If no room fits, a word is missing from docs/glossary.md.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "shared", "util", "utils"];

fn root() -> PathBuf {
    Path::new("../..").canonicalize().unwrap()
}

/// Every file of the project, as its path from the root.
fn files() -> Vec<PathBuf> {
    let (root, mut found, mut folders) = (root(), Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            let skipped = [".git", "target", "homes", "__pycache__", "node_modules"];
            if skipped.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// The files of these extensions, each with its text, but for what others wrote.
fn sources(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let has = |path: &PathBuf| {
        let is_ours = path.iter().all(|part| part != "vendor");
        let extension = path.extension();
        is_ours && extension.is_some_and(|found| extensions.iter().any(|each| found == *each))
    };
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        (path, text)
    };
    files().into_iter().filter(has).map(read).collect()
}

fn is_test(path: &Path) -> bool {
    let in_folder = path.iter().any(|part| part == "tests" || part == "benches");
    in_folder || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// Fails with every complaint at once.
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn lines_fit_the_screen() {
    let mut complaints = Vec::new();
    for (path, text) in sources(&["rs", "py", "js"]) {
        for (number, line) in (1..).zip(text.lines()) {
            // Strings that a person reads, addresses and macro patterns are not broken up.
            let unbroken = line.contains('"') || line.contains("://") || line.contains("$(");
            if line.chars().count() > COLUMNS_MAX && !unbroken {
                complaints.push(format!("{}:{number}: over {COLUMNS_MAX} columns", path.display()));
            }
        }
    }
    none(complaints);
}

/// Returns true if a line of a page can be broken: it has a space outside of code and of the
/// marks at its beginning.
fn can_be_broken(line: &str) -> bool {
    let text = line.trim_start_matches([' ', '-', '*']);
    text.split('`').step_by(2).any(|prose| prose.contains(' '))
}

/// The long lines of a page outside of tables and blocks of code, by number.
fn long_lines(page: &str) -> Vec<usize> {
    let (mut is_code, mut found) = (false, Vec::new());
    for (number, line) in (1..).zip(page.lines()) {
        let text = line.trim_start();
        is_code ^= text.starts_with("```");
        let is_prose = !is_code && !text.starts_with('|');
        if is_prose && line.chars().count() > COLUMNS_MAX && can_be_broken(line) {
            found.push(number);
        }
    }
    found
}

#[test]
fn pages_fit_the_screen() {
    let mut complaints = Vec::new();
    for (path, text) in sources(&["md"]) {
        for number in long_lines(&text) {
            complaints.push(format!("{}:{number}: over {COLUMNS_MAX} columns", path.display()));
        }
    }
    none(complaints);
}

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for (path, text) in sources(&["rs", "py", "js"]).into_iter().filter(|(path, _)| !is_test(path))
    {
        let lines = text.lines().count();
        let is_printed = PRINTED.iter().any(|printed| path == Path::new(printed));
        if lines > LINES_MAX && !is_printed {
            complaints.push(format!("{}: {lines} lines; which room is missing?", path.display()));
        }
    }
    none(complaints);
}

/// The doc comments of a file, each with the number of its first line. Consecutive lines are one.
fn doc_comments(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut is_open) = (Vec::<(usize, String)>::new(), false);
    for (number, line) in (1..).zip(text.lines()) {
        let comment = line.trim_start().strip_prefix("///").filter(|rest| !rest.starts_with('/'));
        match (comment, found.last_mut().filter(|_| is_open)) {
            (Some(more), Some((_, comment))) => {
                comment.push(' ');
                comment.push_str(more);
            }
            (Some(first), None) => found.push((number, first.to_owned())),
            (None, _) => {}
        }
        is_open = comment.is_some();
    }
    found
}

#[test]
fn doc_comments_name_the_thing_and_say_more_than_its_name() {
    let mut complaints = Vec::new();
    for (path, text) in sources(&["rs"]).into_iter().filter(|(path, _)| !is_test(path)) {
        for (number, comment) in doc_comments(&text) {
            let at = format!("{}:{number}", path.display());
            let words: Vec<&str> = comment.split_whitespace().collect();
            if words.len() < DOC_WORDS_MIN {
                complaints.push(format!("{at}: `{}` repeats the name", words.join(" ")));
            }
            let first = comment.trim_start().split(|letter: char| !letter.is_alphabetic()).next();
            if let Some(first) = first.filter(|first| HIDDEN_NOUNS.contains(first)) {
                complaints.push(format!("{at}: begins with {first}; give it a noun or a verb"));
            }
        }
    }
    none(complaints);
}

#[test]
fn nothing_is_left_over() {
    // Written in halves, so that this file does not complain of itself.
    let left_over = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("FIX", "ME"),
        concat!("#[ig", "nore"),
        concat!("db", "g!("),
    ];
    let mut complaints = Vec::new();
    for (path, text) in sources(&["rs"]) {
        for (number, line) in (1..).zip(text.lines()) {
            for word in left_over.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    none(complaints);
}

#[test]
fn names_say_something() {
    let mut complaints = Vec::new();
    // What others wrote keeps the names by which its files find one another.
    let ours = files().into_iter().filter(|path| path.iter().all(|part| part != "vendor"));
    for path in ours {
        for part in path.with_extension("").iter().map(|part| part.to_string_lossy()) {
            let numbered = part.rsplit_once("_v").is_some_and(|(_, tail)| {
                !tail.is_empty() && tail.chars().all(|letter| letter.is_ascii_digit())
            });
            if EMPTY_NAMES.contains(&&*part) || numbered || part.contains(".bak") {
                complaints.push(format!("{}: `{part}` says nothing", path.display()));
            }
        }
    }
    none(complaints);
}

#[test]
fn the_root_is_what_a_newcomer_expects() {
    let entries = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let strange = entries.filter(|name| !ROOT.iter().any(|known| name == *known));
    none(strange.map(|name| format!("{} in the root", name.to_string_lossy())).collect());
}

#[test]
fn every_room_has_the_house_rules_and_says_what_it_is() {
    let mut complaints = Vec::new();
    for (path, text) in sources(&["toml"]) {
        if path.file_name().is_some_and(|name| name == "Cargo.toml") && path.iter().count() > 1 {
            if !text.contains("[lints]\nworkspace = true") {
                complaints
                    .push(format!("{}: `[lints] workspace = true` is missing", path.display()));
            }
            let sources = path.with_file_name("src");
            let (library, program) = (sources.join("lib.rs"), sources.join("main.rs"));
            let entry = if root().join(&library).exists() { library } else { program };
            let text = std::fs::read_to_string(root().join(&entry)).unwrap();
            if !text.starts_with("//! ") {
                complaints.push(format!("{}: does not say what the room is", entry.display()));
            }
        }
    }
    none(complaints);
}

/// Each decision has its status and date, and its row of the index.
#[test]
fn decisions_are_listed_with_status_and_date() {
    let folder = root().join("docs/adr");
    let mut expected = Vec::new();
    for (path, text) in sources(&["md"]) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !path.starts_with("docs/adr") || name == "README.md" {
            continue;
        }
        let mut lines = text.lines();
        let title = lines.next().and_then(|line| line.strip_prefix("# ")?.split_once(": "));
        let (number, title) = title.unwrap_or_else(|| panic!("{name}: `# 0000: Title` is first"));
        let status =
            lines.nth(1).and_then(|line| line.strip_prefix("Status: ")?.split_once(". Date: "));
        let (status, date) =
            status.unwrap_or_else(|| panic!("{name}: `Status: .. Date: ..` is third"));
        let (date, _) = date.split_once('.').unwrap();
        expected.push(format!("| [{number}]({name}) | {title} | {status} | {date} |"));
    }
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let listed: Vec<_> = index.lines().filter(|line| line.starts_with("| [")).collect();
    assert_eq!(listed, expected, "docs/adr/README.md lists every decision in order");
}

#[test]
fn scripts_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut complaints = Vec::new();
    for path in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        let mode = std::fs::metadata(root().join(&path)).unwrap().permissions().mode();
        if text.starts_with("#!/") && mode & 0o111 == 0 {
            complaints.push(format!("{}: has `#!` and is not executable", path.display()));
        }
    }
    none(complaints);
}
