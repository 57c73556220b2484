//! README.md's walk-through, run as a stranger runs it: every command of the section, against a
//! real network, with each answer compared with the one that the page prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use support::{PATIENCE, free_ports, run, sluice};

const PAGE: &str = include_str!("../../../README.md");
/// The names on the page: the network's folder, its ports, and the programs' folder.
const PAGE_FOLDER: &str = "/tmp/sluice";
const PAGE_PORT: u16 = 26_000;
const PAGE_PROGRAMS: &str = "$CARGO_TARGET_DIR/release";
/// Printed between the answers of two blocks.
const NEXT: &str = "--- next block";

/// Commands of the page, and what it prints below them.
struct Block {
    commands: String,
    answer: String,
}

/// The blocks of the section "An order of your own", in order.
fn blocks() -> Vec<Block> {
    let section = PAGE.split("\n## ").find(|text| text.starts_with("An order of your own\n"));
    let mut fences = section.expect("the section").split("\n```").skip(1);
    let (mut blocks, mut commands) = (Vec::new(), None);
    while let (Some(fence), Some(_)) = (fences.next(), fences.next()) {
        let (language, text) = fence.split_once('\n').expect("a fenced block");
        match language {
            "sh" => assert!(commands.replace(text.to_owned()).is_none(), "no answer: {text}"),
            "text" => blocks.push(Block {
                commands: commands.take().expect("commands before an answer"),
                answer: text.to_owned(),
            }),
            other => panic!("a block of {other}"),
        }
    }
    assert!(commands.is_none(), "the last block has no answer");
    blocks
}

/// The names of the test's network, in place of the page's.
struct Place {
    folder: PathBuf,
    port: u16,
}

impl Place {
    /// The page's text with the test's folder, ports and programs.
    fn rewritten(&self, text: &str) -> String {
        let programs = Path::new(env!("CARGO_BIN_EXE_sluice")).parent().unwrap();
        let mut text = text
            .replace(PAGE_FOLDER, self.folder.to_str().unwrap())
            .replace(PAGE_PROGRAMS, programs.to_str().unwrap());
        for offset in 0..12 {
            let from = format!("127.0.0.1:{}", PAGE_PORT + offset);
            text = text.replace(&from, &format!("127.0.0.1:{}", self.port + offset));
        }
        text
    }
}

/// The text with every value that differs from run to run replaced by the name of its kind: ids,
/// hashes, times, and the numbers that name or count what the load of the run made.
fn without_values(text: &str) -> String {
    let mut plain = Vec::new();
    for line in text.trim_end().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let mut masked = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |at| words[at].trim_start_matches('('));
            let after = words.get(at + 1).copied().unwrap_or_default();
            masked.push(masked_word(word, before, after.trim_end_matches([',', ';'])));
        }
        plain.push(masked.join(" "));
    }
    plain.join("\n")
}

fn masked_word(word: &str, before: &str, after: &str) -> String {
    let bare = word.trim_matches(['(', ')', ',', ':', ';']);
    let is_hex = bare.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let dashes = bare.matches('-').count();
    let is_number = !bare.is_empty() && bare.chars().all(|letter| letter.is_ascii_digit());
    let is_count = ["block", "batch", "item", "height", "process"].contains(&before)
        || ["bytes", "orders", "instructions"].contains(&after);
    let kind = match bare {
        _ if bare.len() == 36 && is_hex && dashes == 4 => "ID",
        _ if bare.len() == 64 && is_hex => "HASH",
        _ if bare.len() == 24 && bare.ends_with('Z') && bare.contains('T') => "TIME",
        _ if is_number && is_count => "N",
        // The window is the run's; merchant and currency are the order's.
        _ if before == "instruction" && dashes == 2 => {
            return format!("N-{}", word.split_once('-').unwrap().1);
        }
        _ => return word.to_owned(),
    };
    word.replace(bare, kind)
}

/// `sluice localnet`, with the lines that it prints; interrupted when dropped.
struct Localnet {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Localnet {
    fn start(place: &Place) -> Self {
        let mut command = sluice();
        command.arg("localnet").arg("--home").arg(&place.folder);
        command.args(["--base-port", &place.port.to_string()]);
        // The page's network has a window of 30 s and more load; neither changes an answer.
        command.args(["--window-ms", "3000", "--rate", "20"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the binary runs");
        let (sender, lines) = mpsc::sync_channel(1_024);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The lines up to the first that holds `words`, with it.
    fn until(&self, words: &str) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while !lines.last().is_some_and(|line| line.contains(words)) {
            let line = self.lines.recv_timeout(PATIENCE);
            lines.push(line.unwrap_or_else(|error| panic!("{error}: no {words:?} in {lines:#?}")));
        }
        lines
    }

    /// Ctrl-C; gives the exit code.
    fn interrupt(&mut self) -> Option<i32> {
        run(Command::new("kill").args(["-INT", &self.child.id().to_string()]));
        self.child.wait().ok()?.code()
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        let _ = self.interrupt();
    }
}

/// Runs the blocks in one shell, as they are pasted; gives the answer of each.
fn answers(place: &Place, blocks: &[Block]) -> Vec<String> {
    let commands: Vec<String> =
        blocks.iter().map(|block| place.rewritten(&block.commands)).collect();
    let script = format!("exec 2>&1\n{}", commands.join(&format!("\necho '{NEXT}'\n")));
    let output = run(Command::new("bash").args(["-c", &script]).current_dir("../.."));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(&format!("{NEXT}\n")).map(str::to_owned).collect()
}

#[test]
fn a_stranger_gets_what_the_readme_prints() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = Place { folder: folder.path().join("sluice"), port: free_ports() };
    let mut blocks = blocks();
    let start = blocks.remove(0);
    assert_eq!(start.commands, format!("scripts/localnet --home {PAGE_FOLDER}"));

    let mut localnet = Localnet::start(&place);
    let printed = localnet.until("an order of your own").join("\n");
    let expected = without_values(&place.rewritten(&start.answer));
    assert_eq!(without_values(&printed), expected, "what {} prints", start.commands);

    // What the network prints to be pasted is what the page has, but for where the programs are.
    let mut pasted = localnet.until("until sluice order");
    pasted.extend(localnet.until("sluice verify"));
    let pasted = pasted.join("\n");
    let order_blocks = blocks.iter().filter(|block| !block.commands.contains("window"));
    for line in order_blocks.flat_map(|block| block.commands.lines()).skip(1) {
        let line = place.rewritten(line);
        assert!(pasted.contains(line.trim()), "{line} is not in\n{pasted}");
    }
    let told = localnet.until("is collected: sluice order ").pop().unwrap();
    assert!(told.ends_with(&format!(" --rpc http://127.0.0.1:{}", place.port + 1)), "{told}");

    let answers = answers(&place, &blocks);
    assert_eq!(answers.len(), blocks.len(), "{answers:#?}");
    for (block, answer) in blocks.iter().zip(&answers) {
        let expected = without_values(&place.rewritten(&block.answer));
        assert_eq!(without_values(answer), expected, "what the page prints of\n{}", block.commands);
    }
    assert_eq!(localnet.interrupt(), Some(0));
}
