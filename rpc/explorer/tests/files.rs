//! What the explorer's files are, and what a browser is told of them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::Command;

use chain_types::hash::sha256_of;
use rpc_explorer::{FIRST_LOAD_BYTES_MAX, files};
use rpc_server::StaticFile;

const MANIFEST: &str = include_str!("../vendor/manifest.txt");
/// The exit code of `vendor/remake` when there is nothing to compare with.
const NOTHING_TO_COMPARE: i32 = 75;

fn by_path() -> BTreeMap<&'static str, StaticFile> {
    files().into_iter().map(|file| (file.path, file)).collect()
}

fn text(file: &StaticFile) -> String {
    String::from_utf8(file.bytes.to_vec()).expect("a file of text")
}

#[test]
fn each_path_is_served_once_with_its_type_and_the_hash_of_its_bytes() {
    let list = files();
    assert_eq!(by_path().len(), list.len(), "no path twice");
    for file in list {
        let ending = file.path.rsplit('.').next().unwrap_or_default();
        let expected = match ending {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ if file.path.ends_with("LICENSE") => "text/plain; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(file.content_type, expected, "{}", file.path);
        assert_eq!(file.tag, sha256_of(&file.bytes).to_string(), "{}", file.path);
        assert!(file.path.starts_with("/explorer/"), "{}", file.path);
    }
}

#[test]
fn the_packed_form_is_shorter_and_unpacks_to_the_same() {
    for file in files() {
        let Some(packed) = file.gzip else { continue };
        assert!(packed.len() < file.bytes.len(), "{}", file.path);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, file.bytes, "{}", file.path);
    }
}

/// Everything that the page and its scripts load before there is something to see: what verifies
/// receipts is imported when there is one to verify.
#[test]
fn the_first_load_is_small() {
    let files = by_path();
    let page = "/explorer/";
    let mut loaded = BTreeSet::from([page.to_owned()]);
    let mut next = named_by_page(&files);
    next.retain(|path| !path.contains("/noble-"));
    while let Some(path) = next.pop() {
        if loaded.insert(path.clone()) {
            next.extend(
                imported(&files[path.as_str()])
                    .into_iter()
                    .filter_map(|name| name.starts_with('.').then(|| resolved(&path, &name))),
            );
        }
    }
    assert!(loaded.contains("/explorer/js/pages/overview.js"), "{loaded:?}");
    assert!(!loaded.contains("/explorer/js/proofs.js"), "{loaded:?}");
    let size = |path: &String| {
        let file = &files[path.as_str()];
        file.gzip.as_ref().unwrap_or(&file.bytes).len()
    };
    let bytes: usize = loaded.iter().map(size).sum();
    println!("{bytes} bytes in gzip, {} files", loaded.len());
    assert!(bytes <= FIRST_LOAD_BYTES_MAX, "{bytes} bytes in gzip");
}

#[test]
fn the_policy_allows_the_page_its_import_map_and_nothing_else_in_line() {
    let files = by_path();
    let index = &files["/explorer/"];
    let page = text(index);
    let map = page.split("<script type=\"importmap\">").nth(1).unwrap();
    let map = map.split("</script>").next().unwrap();
    let hash = base64_simd::STANDARD.encode_to_string(sha256_of(map.as_bytes()).bytes());
    let policy = &index.content_policy;
    assert!(policy.contains(&format!("script-src 'self' 'sha256-{hash}';")), "{policy}");
    for part in [
        "default-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.split("; ").any(|each| each == part), "{part} in {policy}");
    }
    for loose in ["unsafe", "*", "http:", "https:", "data:", "blob:"] {
        assert!(!policy.contains(loose), "{loose} in {policy}");
    }
    assert!(files.values().all(|file| file.content_policy == *policy));
    // What the policy would refuse is not even there.
    for refused in [" style=\"", " onclick", "javascript:"] {
        assert!(!page.contains(refused), "{refused}");
    }
    assert_eq!(page.matches("<script").count(), 3, "the map, the charts, and the explorer");
}

/// The texts between quotes after a word of a script, such as `from "./text.js"`.
fn quoted_after<'a>(script: &'a str, word: &str) -> Vec<&'a str> {
    let rests = script.split(word).skip(1);
    rests.filter_map(|rest| rest.split('"').next().filter(|name| !name.contains('\n'))).collect()
}

/// `../money.js` as seen from `/explorer/js/pages/fx.js`.
fn resolved(from: &str, name: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The paths that the page names: scripts, styles, and the files of its import map.
fn named_by_page(files: &BTreeMap<&'static str, StaticFile>) -> Vec<String> {
    let page = text(&files["/explorer/"]);
    let words = ["\":\"", "src=\"", "href=\""];
    let names = words.iter().flat_map(|word| quoted_after(&page, word));
    names.filter(|name| !name.starts_with('#')).map(|name| resolved("/explorer/", name)).collect()
}

/// The names that a script imports before it runs.
fn imported(script: &StaticFile) -> Vec<String> {
    let text = text(script);
    let mut found = Vec::new();
    for (word, end) in [(" from \"", '"'), (" from '", '\''), ("}from\"", '"')] {
        let rests = text.split(word).skip(1);
        found.extend(rests.filter_map(|rest| rest.split(end).next().map(str::to_owned)));
    }
    found
}

#[test]
fn every_import_leads_to_a_file_that_is_served() {
    let files = by_path();
    let page = text(&files["/explorer/"]);
    let mut reached: BTreeSet<String> = named_by_page(&files).into_iter().collect();
    for file in files.values().filter(|file| file.path.ends_with(".js")) {
        let later = text(file);
        let later = quoted_after(&later, "=> import(\"").into_iter().map(str::to_owned);
        for name in imported(file).into_iter().chain(later) {
            if name.starts_with('.') {
                reached.insert(resolved(file.path, &name));
            } else {
                assert!(page.contains(&format!("\"{name}\":")), "{}: {name}", file.path);
            }
        }
    }
    for path in &reached {
        assert!(files.contains_key(path.as_str()), "{path} is not served");
    }
    let licences = files.keys().filter(|path| path.ends_with("LICENSE")).count();
    assert_eq!(files.len(), reached.len() + licences + 1, "nothing is served that nobody loads");
}

#[test]
fn scripts_make_no_markup_of_texts() {
    for file in files().iter().filter(|file| file.path.starts_with("/explorer/js/")) {
        let script = text(file);
        for refused in
            ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "unsafeHTML", "eval("]
        {
            assert!(!script.contains(refused), "{}: {refused}", file.path);
        }
    }
}

#[test]
fn vendored_files_are_those_of_the_manifest() {
    let files = by_path();
    let mut listed = 0;
    for line in MANIFEST.lines() {
        let parts: Vec<&str> = line.split(' ').collect();
        let [hash, path, package, licence] = parts[..] else { panic!("{line}") };
        let file = &files[format!("/explorer/vendor/{path}").as_str()];
        assert_eq!(file.tag, hash, "{path}: run rpc/explorer/vendor/remake");
        assert!(package.contains('@') && !licence.is_empty(), "{line}");
        listed += 1;
    }
    let vendored = files.keys().filter(|path| path.starts_with("/explorer/vendor/")).count();
    assert_eq!(vendored, listed);
}

/// What verifies here is what verifies in the client: the same versions of the same packages.
#[test]
fn the_curve_and_the_hashes_are_the_clients_own() {
    let client = include_str!("../../../clients/typescript/package.json");
    for line in MANIFEST.lines().filter(|line| line.contains("@noble/")) {
        let package = line.split(' ').nth(2).unwrap();
        let (name, version) = package.rsplit_once('@').unwrap();
        assert!(client.contains(&format!("\"{name}\": \"{version}\"")), "{package}");
    }
}

/// Needs npm and its registry; without them there is nothing to compare with, and it says so.
#[test]
fn vendored_files_are_made_again_bit_for_bit() {
    let remake = concat!(env!("CARGO_MANIFEST_DIR"), "/vendor/remake");
    let output = Command::new(remake).arg("--check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NOTHING_TO_COMPARE) {
        println!("{said}");
        return;
    }
    assert!(output.status.success(), "{}{said}", String::from_utf8_lossy(&output.stdout));
}
