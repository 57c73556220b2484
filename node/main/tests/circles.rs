//! The files of a crate use one another one way. A circle is mostly a word in the wrong file; those
//! that are meant are named in ARCHITECTURE.md, each with its reason.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The crates whose files form one circle, as ARCHITECTURE.md explains.
const NAMED: &[&str] = &["node/auditor", "node/replica"];

/// The path of a module below its crate, such as `["peers", "batches"]`.
type Module = Vec<String>;

fn root() -> PathBuf {
    Path::new("../..").canonicalize().unwrap()
}

/// The words and signs of a source text, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
            let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            found.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            found.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                found.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// The length of the string or character that a text begins with, if it begins with one.
fn literal(text: &str) -> Option<usize> {
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let body = raw[hashes..].strip_prefix('"')?;
        return Some(2 + hashes + body.find(&end)? + end.len());
    }
    let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == quote => return Some(at + 1),
            // A lifetime: no second quote follows its first letter.
            _ if quote == '\'' && !text[at + letter.len_utf8()..].starts_with('\'') => return None,
            _ => {}
        }
    }
    None
}

/// The tokens without the items that only tests have.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let (mut kept, mut at) = (Vec::new(), 0);
    let marks = ["#", "[", "cfg", "(", "test", ")", "]"];
    while at < tokens.len() {
        if tokens[at..].iter().take(marks.len()).eq(marks.iter()) {
            let is_use = tokens[at..].iter().skip(marks.len()).find(|each| *each != "pub");
            let ends: &[&str] =
                if is_use.is_some_and(|word| word == "use") { &[";"] } else { &[";", "{"] };
            at += tokens[at..].iter().take_while(|each| !ends.contains(&each.as_str())).count();
            let mut depth = 0;
            while at < tokens.len() {
                depth += i32::from(tokens[at] == "{") - i32::from(tokens[at] == "}");
                at += 1;
                if depth == 0 {
                    break;
                }
            }
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// Reads a use tree, `a::{b, c::d}`, into its paths; gives the token that ended it.
fn use_tree<'a>(
    tokens: &mut impl Iterator<Item = &'a String>,
    prefix: &[String],
    found: &mut Vec<Module>,
) -> &'a str {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.next() {
        match token.as_str() {
            "::" | "*" => {}
            "as" => drop(tokens.next()),
            "{" => {
                while use_tree(tokens, &path, found) == "," {}
                path.clear();
            }
            "," | "}" | ";" => {
                if path.len() > prefix.len() {
                    found.push(path);
                }
                return token;
            }
            _ => path.push(token.clone()),
        }
    }
    ";"
}

/// The paths that a file names, and those that it gives its users as its own, by name.
#[derive(Default)]
struct Named {
    paths: Vec<Module>,
    exports: BTreeMap<String, Module>,
}

impl Named {
    fn by(text: &str) -> Self {
        let tokens = without_tests(&tokens(text));
        let mut named = Self::default();
        for (at, token) in tokens.iter().enumerate() {
            if token == "use" {
                let before = named.paths.len();
                use_tree(&mut tokens[at + 1..].iter(), &[], &mut named.paths);
                if at > 0 && matches!(tokens[at - 1].as_str(), "pub" | ")") {
                    let own = named.paths[before..].iter().filter(|path| path[0] != "super");
                    let own = own.filter_map(|path| {
                        let (name, path) = path.split_last()?;
                        Some((
                            name.clone(),
                            path.strip_prefix(&["self".to_owned()]).unwrap_or(path),
                        ))
                    });
                    named.exports.extend(own.map(|(name, path)| (name, path.to_vec())));
                }
            } else if matches!(token.as_str(), "crate" | "super")
                && tokens.get(at + 1).is_some_and(|sign| sign == "::")
            {
                let path = tokens[at..].chunks(2);
                let path = path.take_while(|pair| pair.get(1).is_some_and(|sign| sign == "::"));
                let mut path: Module = path.map(|pair| pair[0].clone()).collect();
                let last = tokens.get(at + 2 * path.len());
                // A tree, `super::{a, b}`, is read from its `use` on.
                if let Some(last) = last.filter(|last| *last != "{") {
                    path.push(last.clone());
                    named.paths.push(path);
                }
            }
        }
        named
    }
}

/// The files that each file of a crate uses. The crate's root only names its modules.
fn edges(files: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let named: BTreeMap<&Module, Named> =
        files.iter().map(|(module, text)| (module, Named::by(text))).collect();
    let below_root = files.keys().filter(|module| !module.is_empty());
    let uses = below_root.map(|module| {
        let full = named[module].paths.iter().filter_map(|path| absolute(module, path, files));
        let used = full.map(|path| file_of(path, &named));
        (module, used.filter(|used| *used != module && !used.is_empty()).collect())
    });
    uses.collect()
}

/// A path from the crate's root on; none for what is of another crate.
fn absolute(module: &Module, path: &Module, files: &BTreeMap<Module, String>) -> Option<Module> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let child = || [module.as_slice(), &path[..1]].concat();
    let (base, rest) = match path[0].as_str() {
        "crate" => (&[][..], &path[1..]),
        "self" => (module.as_slice(), &path[1..]),
        "super" => (module.get(..module.len().checked_sub(ups)?)?, &path[ups..]),
        _ if files.contains_key(&child()) => (module.as_slice(), path.as_slice()),
        _ => return None,
    };
    Some([base, rest].concat())
}

/// The file that declares what a path names: re-exports are followed to where they lead.
fn file_of<'a>(mut path: Module, named: &BTreeMap<&'a Module, Named>) -> &'a Module {
    loop {
        let of = |length: &usize| named.get_key_value(&path[..*length].to_vec());
        let length = (0..=path.len()).rev().find(|length| of(length).is_some()).unwrap_or(0);
        let (module, found) = of(&length).expect("a crate has a root");
        match path.get(length).and_then(|name| found.exports.get(name)) {
            Some(export) if export.first().is_some_and(|first| first == "crate") => {
                path = [&export[1..], &path[length..]].concat();
            }
            Some(export) if !export.is_empty() => {
                let next = [module.as_slice(), export].concat();
                if !named.contains_key(&next) {
                    return module;
                }
                path = [&next, &path[length..]].concat();
            }
            _ => return module,
        }
    }
}

/// The circles of a crate's files: each file of one leads to every other of it.
fn circles(files: &BTreeMap<Module, String>) -> BTreeSet<Vec<String>> {
    let edges = edges(files);
    let reached = |from: &Module| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            let fresh = edges[&next].iter().filter(|each| reached.insert((**each).clone()));
            open.extend(fresh.map(|each| (*each).clone()));
        }
        reached
    };
    let all: BTreeMap<_, _> = edges.keys().map(|module| (*module, reached(module))).collect();
    let in_one = all.iter().filter(|(module, reached)| reached.contains(**module));
    let circle = |(module, reached): (&&Module, &BTreeSet<Module>)| {
        let back = reached.iter().filter(|other| all[other].contains(*module));
        back.map(|module| module.join("::")).collect()
    };
    in_one.map(circle).collect()
}

/// The files of a crate that are no tests, each with its text.
fn sources(src: &Path) -> BTreeMap<Module, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![Module::new()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(src.join(folder.join("/"))).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
            let name = name.to_str().unwrap();
            if name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs") {
                continue;
            }
            let mut module = folder.clone();
            match name.strip_suffix(".rs") {
                None if path.is_dir() => {
                    module.push(name.to_owned());
                    folders.push(module);
                    continue;
                }
                None => continue,
                Some("mod" | "lib" | "main") => {}
                Some(name) => module.push(name.to_owned()),
            }
            found.insert(module, std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

#[test]
fn files_import_in_circles_only_where_the_page_says() {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rooms = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let mut seen = BTreeSet::new();
    for (room, _) in rooms.filter(|(room, _)| root().join(room).join("src").is_dir()) {
        let found = circles(&sources(&root().join(room).join("src")));
        let files = found.iter().map(|circle| circle.join(", ")).collect::<Vec<_>>().join("; ");
        let is_named = found.len() == 1 && NAMED.contains(&room);
        assert!(
            found.is_empty() || is_named,
            "files of {room} import in circles: {files}. A type or a function is in the wrong file."
        );
        seen.extend(found.iter().map(|_| room));
    }
    assert_eq!(seen, NAMED.iter().copied().collect(), "a circle that is gone is not named");
}

/// A crate of two files, a root and a leaf.
fn crate_of(first: &str, second: &str) -> BTreeMap<Module, String> {
    let module = |path: &str| path.split("::").map(str::to_owned).collect();
    let root = (Module::new(), "mod a; mod b; pub use a::A;".to_owned());
    let leaf = (module("a::c"), "struct C;".to_owned());
    [root, (module("a"), first.to_owned()), (module("a::b"), second.to_owned()), leaf].into()
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let rows = [
        ("mod b; use b::B; struct A;", "use super::A; struct B;", true),
        ("mod b; use self::{b::{B as Other}};", "fn f() -> crate::A { 'a'; loop {} }", true),
        ("mod b; pub(super) use self::b::B;", "use crate::a::f;", true),
        ("mod b; use b::B;", "/* super::A */ struct B(&'static str); // crate::a::A", false),
        ("mod b; use b::B;", "const B: &str = r#\"super::A\"#; const C: char = '\"';", false),
        ("mod b; use b::B;", "#[cfg(test)] #[allow(x)] mod tests { use super::super::A; }", false),
        ("mod b; fn f() {}", "use super::f; use std::a; use other::{a, b};", false),
        ("mod b; mod c; use b::B; pub use self::c::C;", "use super::{C, C as D};", false),
    ];
    for (first, second, is_circle) in rows {
        let found = circles(&crate_of(first, second));
        assert_eq!(!found.is_empty(), is_circle, "{first} and {second}: {found:?}");
    }
}
