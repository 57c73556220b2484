//! Imports run one way. The workspace's own dependency edges are compared with
//! `docs/imports.txt`, where a new edge is a decision that someone reads.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

const PAGE: &str = "docs/imports.txt";

type Edges = BTreeMap<String, BTreeSet<String>>;

/// Tests run in their package's folder. Its path is not built in: the build may be another clone's.
fn root() -> PathBuf {
    Path::new("../..").canonicalize().unwrap()
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

/// One section of the page: `name: other other`, a line each.
fn page(section: &str) -> Edges {
    let text = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let heading = format!("[{section}]");
    let lines = text.lines().skip_while(|line| **line != heading).skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, others) = line.split_once(':').expect("`name: other other`");
            (name.to_owned(), others.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

/// For each room, the packages it names in `[dependencies]`: our own, or everyone else's.
fn dependencies(own: bool) -> Edges {
    let edges = metadata().packages.into_iter().map(|package| {
        let normal = package.dependencies.iter().filter(|each| each.kind == DependencyKind::Normal);
        let names = normal.filter(|each| each.path.is_some() == own).map(|each| each.name.clone());
        (package.name.to_string(), names.collect())
    });
    edges.collect()
}

#[test]
fn rooms_import_what_the_page_says() {
    let (page, actual) = (page("rooms"), dependencies(true));
    let remedy = format!(
        "If this is meant, write it into {PAGE} and ARCHITECTURE.md; otherwise the word or the \
         function is in the wrong room."
    );
    for (room, imports) in &actual {
        let listed = page.get(room).unwrap_or_else(|| panic!("{PAGE} lacks `{room}`. {remedy}"));
        let fresh: Vec<_> = imports.difference(listed).collect();
        let stale: Vec<_> = listed.difference(imports).collect();
        assert!(fresh.is_empty(), "{room} imports {fresh:?}, which {PAGE} does not list. {remedy}");
        assert!(
            stale.is_empty(),
            "{PAGE} says that {room} imports {stale:?}; it does not. {remedy}"
        );
    }
    let gone: Vec<_> = page.keys().filter(|room| !actual.contains_key(*room)).collect();
    assert!(gone.is_empty(), "{PAGE} lists {gone:?}, which are no rooms. {remedy}");
}

#[test]
fn outside_crates_keep_to_their_rooms() {
    let actual = dependencies(false);
    for (outside, rooms) in page("outside") {
        let users = actual.iter().filter(|(_, names)| names.contains(&outside));
        let users: BTreeSet<String> = users.map(|(room, _)| room.clone()).collect();
        let strangers: Vec<_> = users.difference(&rooms).collect();
        assert!(
            strangers.is_empty(),
            "{strangers:?} name {outside}; only {rooms:?} may. Ask that room for what is needed, \
             or change {PAGE} on purpose."
        );
        assert!(!users.is_empty(), "no room names {outside}; take it off {PAGE}");
    }
}

/// The rooms in the order of ARCHITECTURE.md's table.
fn order() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2);
    let rows = table.map_while(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split_once('`').unwrap().0.replace('/', "-")).collect()
}

#[test]
fn no_import_runs_up() {
    let order = order();
    let actual = dependencies(true);
    let listed: BTreeSet<_> = order.iter().collect();
    assert_eq!(listed, actual.keys().collect(), "ARCHITECTURE.md has a row a room");
    let place = |room: &String| order.iter().position(|one| one == room);
    for (room, imports) in &actual {
        let up: Vec<_> = imports.iter().filter(|one| place(one) >= place(room)).collect();
        assert!(up.is_empty(), "{room} imports {up:?}, which do not stand above it in the table");
    }
    assert!(actual.values().all(|imports| !imports.contains("node-main")), "nobody imports it");
}

#[test]
fn a_crate_is_named_after_its_folder() {
    for package in metadata().packages {
        let folder = package.manifest_path.parent().unwrap().as_std_path().canonicalize().unwrap();
        let inside = folder.strip_prefix(root()).unwrap().to_str().unwrap().replace('/', "-");
        assert_eq!(package.name.as_str(), inside);
    }
}
