//! Files of the bank that are bad, come twice or are not finished, and homes that are in use.

use chain_types::{InstructionState, ParticipantId};
use rpc_bank::{BankHabits, PaymentFate};
use rpc_gateway::{BankGateway, CrashPlan, GatewayFault, GatewaySigner};
use rpc_iso20022::EndToEndId;

use crate::chain::{CHAIN, instruction};
use crate::words::{pain002, status};
use crate::world::{World, key, open};

/// A world in which one payment waits for its status.
fn world() -> (World, EndToEndId) {
    let mut world = World::new(1, BankHabits::NONE, 1_001..=1_001);
    let name = EndToEndId { instruction: instruction(12, 1_001, "CNY"), attempt: 1 };
    world.bank.set_fate(&name.to_string(), PaymentFate::Silent);
    world.chain.book().instruct(name.instruction, 12_345);
    world.go(2);
    (world, name)
}

fn put_in(world: &World, name: &str, bytes: &[u8]) {
    std::fs::write(world.folder.path().join("bank/in").join(name), bytes).unwrap();
}

fn credited(id: &str, name: EndToEndId) -> String {
    let uetr = name.of_chain(CHAIN).uetr(0).to_string();
    pain002(id, "M1", "", &status(&name.to_string(), &uetr, "ACCC", "", "FT1"))
}

fn files(world: &World, part: &str) -> Vec<String> {
    let entries = std::fs::read_dir(world.folder.path().join("bank").join(part)).unwrap();
    let files = entries.map(|entry| entry.unwrap()).filter(|each| each.path().is_file());
    let mut names: Vec<String> =
        files.map(|each| each.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_bad_file_is_held_with_a_verdict_and_its_siblings_are_used() {
    let (mut world, name) = world();
    let good = credited("S1", name);
    let rows: [(&str, Vec<u8>, &str); 7] = [
        ("a.xml", b"".to_vec(), "empty"),
        ("b.xml", good.as_bytes()[..good.len() / 2].to_vec(), "truncated"),
        ("c.xml", good.replace("pain.002.001.10", "pain.002.001.03").into_bytes(), "version"),
        ("d.xml", good.replace("pain.002.001.10", "admi.002.001.01").into_bytes(), "message"),
        ("e.xml", b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_vec(), "doctype"),
        ("f.xml", b"\xff\xfe<\0a\0/\0>\0".to_vec(), "encoding"),
        ("g.pdf", b"%PDF-1.7".to_vec(), "malformed"),
    ];
    for (name, bytes, _) in &rows {
        put_in(&world, name, bytes);
    }
    put_in(&world, "z.xml", good.as_bytes());
    world.go(2);
    assert_eq!(state(&world, name), InstructionState::Arrived);
    assert!(files(&world, "in").is_empty() && files(&world, "taken/claimed").is_empty());
    let held = files(&world, "held");
    assert_eq!(held.len(), 2 * rows.len(), "{held:?}");
    for (name, bytes, verdict) in rows {
        let found = held.iter().find(|file| file.ends_with(&format!("-{name}"))).unwrap();
        let folder = world.folder.path().join("bank/held");
        assert_eq!(std::fs::read(folder.join(found)).unwrap(), bytes);
        let text = std::fs::read_to_string(folder.join(format!("{found}.txt"))).unwrap();
        assert!(text.starts_with(&format!("{verdict}: ")), "{name}: {text}");
    }
}

fn state(world: &World, name: EndToEndId) -> InstructionState {
    world.chain.book().instructions[&name.instruction].status
}

#[test]
fn a_file_that_comes_again_is_no_news_and_one_id_with_other_content_is_held() {
    let (mut world, name) = world();
    let pending = credited("S1", name).replace("ACCC", "PDNG");
    let before = files(&world, "taken").len();
    for file in ["1.xml", "2.xml", "3.xml"] {
        put_in(&world, file, pending.as_bytes());
    }
    world.go(1);
    assert_eq!(files(&world, "taken").len(), before + 1);
    world.start(CrashPlan::default());
    put_in(&world, "4.xml", pending.as_bytes());
    put_in(&world, "5.xml", credited("S1", name).as_bytes());
    world.go(2);
    assert_eq!(files(&world, "taken").len(), before + 1);
    assert_eq!(files(&world, "held").len(), 2);
    let verdict = &world.gateway().books().held_files()[0].verdict;
    assert_eq!(&**verdict, "message-id-reused");
    assert_eq!(state(&world, name), InstructionState::Instructed);
}

#[test]
fn a_file_that_is_still_written_is_left_alone() {
    let (mut world, name) = world();
    let good = credited("S1", name);
    for file in [".1.xml", "2.xml.part", "3.tmp", "4.filepart"] {
        put_in(&world, file, good.as_bytes());
    }
    world.go(2);
    assert_eq!(files(&world, "in").len(), 4);
    assert_eq!(state(&world, name), InstructionState::Instructed);
}

#[test]
fn a_home_is_of_one_process_one_gateway_and_one_chain() {
    let (mut world, _) = world();
    let folder = world.folder.path().to_owned();
    let again = open(&folder, &world.chain, CrashPlan::default());
    assert!(matches!(again, Err(GatewayFault::Locked(_))));
    world.stop();
    let signer = GatewaySigner { chain: CHAIN, gateway: ParticipantId::new(202), key: key() };
    let other = BankGateway::open(&folder, signer, world.chain.clone(), CrashPlan::default());
    assert!(matches!(other, Err(GatewayFault::Stranger { .. })));
    open(&folder, &world.chain, CrashPlan::default()).unwrap();
}

/// Decisions rest on what was taken: a gateway does not start without it.
#[test]
fn a_taken_file_that_is_changed_or_missing_is_a_fault() {
    let (mut world, name) = world();
    put_in(&world, "1.xml", credited("S1", name).replace("ACCC", "PDNG").as_bytes());
    world.go(1);
    world.stop();
    let folder = world.folder.path().to_owned();
    let path = folder.join("bank/taken").join(&files(&world, "taken")[0]);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&bytes[..], b" "].concat()).unwrap();
    let changed = open(&folder, &world.chain, CrashPlan::default());
    assert!(matches!(changed, Err(GatewayFault::Evidence(_))));
    std::fs::remove_file(&path).unwrap();
    let missing = open(&folder, &world.chain, CrashPlan::default());
    assert!(matches!(missing, Err(GatewayFault::Evidence(_))));
    std::fs::write(&path, bytes).unwrap();
    open(&folder, &world.chain, CrashPlan::default()).unwrap();
}
