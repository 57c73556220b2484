//! docs/operating.md quotes what a node says: every line that it tells an operator to look for is
//! in the program.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/operating.md");

/// The first cells of the tables whose first column has this title.
fn cells(title: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in PAGE.lines() {
        if line.starts_with(&format!("| {title} |")) {
            inside = true;
        } else if !line.starts_with('|') {
            inside = false;
        } else if inside && !line.starts_with("|---") {
            found.push(line.split('|').nth(1).unwrap().trim());
        }
    }
    found
}

/// Every source file's text, without what it has in tests.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "tests", "benches"].contains(&name.as_str()) {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_line_that_an_operator_is_told_to_look_for_is_in_the_program() {
    let root = PathBuf::from("../..");
    let mut text = String::new();
    for room in ["chain", "consensus", "genesis", "node", "rpc"] {
        sources(&root.join(room), &mut text);
    }
    // A string that goes on in the next line is one string.
    let mut joined = String::new();
    for line in text.lines() {
        match line.trim_end().strip_suffix('\\') {
            Some(begun) => joined.push_str(begun),
            None => {
                joined.push_str(line);
                joined.push('\n');
            }
        }
    }
    let squeezed: String = joined.split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut quoted, mut missing) = (0, Vec::new());
    for cell in cells("you see").into_iter().chain(cells("the new node logs")) {
        for words in cell.split('`').skip(1).step_by(2).filter(|words| words.contains(' ')) {
            quoted += 1;
            // What stands for a value ends the quotation; what it is a value of begins it.
            let words = words.split(" ...").next().unwrap();
            let words = words.strip_prefix("fault=").unwrap_or(words);
            let parts: Vec<&str> = words.split(": ").collect();
            if !parts.iter().all(|part| squeezed.contains(part)) {
                missing.push(words.to_owned());
            }
        }
    }
    assert!(quoted > 15, "{quoted}");
    assert!(missing.is_empty(), "no such words in the program: {missing:#?}");
}
