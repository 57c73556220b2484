#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Which step of a node's rotation comes next, from any state that a crash may leave.

use chain_types::{
    Change, Digest, Height, Node, Parameters, ParticipantId, ProposalId, ProposalStatus, PublicKey,
    SecretKey, TimeMs,
};
use genesis::{create_secret_key, load_secret_key, next_key_path};
use rpc_api::{ChangeReport, NodeReport, ParametersReport, ProposalReport, RegistryReport};

use super::{Pair, Step, is_done, next_step, put_in_place};

const NAME: &str = "validator-3";

fn secret(byte: u8) -> SecretKey {
    SecretKey::from_seed(&[byte; 32])
}

fn key(byte: u8) -> PublicKey {
    secret(byte).public_key()
}

fn pair(network: u8, votes: u8) -> Pair {
    (key(network).to_string(), key(votes).to_string())
}

fn registry(network: u8, votes: u8) -> RegistryReport {
    let mut node = Node {
        name: NAME.to_owned(),
        operator: ParticipantId::new(1),
        network_key: key(network),
        validator_key: key(votes),
        power: 10,
    };
    if network == 0 {
        node.remove();
    }
    RegistryReport {
        height: 40,
        protocol_version: 1,
        participants: Vec::new(),
        nodes: vec![NodeReport::new(3, &node)],
        currencies: Vec::new(),
        parameters: ParametersReport::new(&Parameters::default()),
    }
}

fn open(node: u32, network: u8, votes: u8) -> ProposalReport {
    let (network_key, validator_key) = (key(network), key(votes));
    let change = Change::NodeKeys { node, network_key, validator_key };
    ProposalReport {
        proposal_id: ProposalId::new(TimeMs::new(1_790_000_000_000), [network; 10]),
        change: ChangeReport::new(&change, Height::new(41)),
        change_base64: String::new(),
        digest: Digest::ZERO,
        status: ProposalStatus::Scheduled,
        failure: None,
        status_height: 30,
        maker: 1,
        proposed_ms: 1,
        approve_until_ms: 2,
        activation_height: 41,
        due_height: 41,
        approvals_needed: 2,
        approvals: vec![1, 2],
        refusals: Vec::new(),
    }
}

#[test]
fn each_state_has_one_step() {
    let (present, next) = (pair(1, 2), pair(3, 4));
    let step = |registry: &RegistryReport, open: &[ProposalReport]| {
        next_step(registry, NAME, &present, &next, open)
    };
    let before = registry(1, 2);
    assert_eq!(step(&before, &[]), Step::Propose(3));
    // Of another node, or of other keys: not this one.
    assert_eq!(step(&before, &[open(2, 3, 4), open(3, 3, 5)]), Step::Propose(3));
    let own = open(3, 3, 4);
    assert_eq!(step(&before, std::slice::from_ref(&own)), Step::Wait(Box::new(own.clone())));
    assert_eq!(step(&registry(3, 4), &[]), Step::PutInPlace);
    for (registry, words) in [
        (registry(5, 6), "neither the keys in use nor the next ones"),
        (registry(3, 2), "neither the keys in use nor the next ones"),
        (registry(0, 0), "was removed"),
        (RegistryReport { nodes: Vec::new(), ..before }, "no node of this name"),
    ] {
        let Step::Refuse(says) = step(&registry, &[]) else { panic!("{words}") };
        assert!(says.contains(words), "{says}");
    }
}

/// Ended after any of its steps, the next run ends it, and the registered pair is whole all along.
#[test]
fn a_pair_is_put_in_place_from_wherever_it_was_left() {
    let registry = registry(3, 4);
    for steps in 0..=3 {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["network.key", "validator.key"].map(|name| folder.path().join(name));
        let files = [paths[0].as_path(), paths[1].as_path()];
        let next = [secret(3), secret(4)];
        for (file, (old, next)) in files.iter().zip([(1, &next[0]), (2, &next[1])]) {
            create_secret_key(file, &secret(old)).unwrap();
            create_secret_key(&next_key_path(file), next).unwrap();
        }
        // The first step alone, both, and the first file removed.
        for file in 0..steps.min(2) {
            genesis::replace_secret_key(files[file], &next[file]).unwrap();
        }
        if steps == 3 {
            std::fs::remove_file(next_key_path(files[0])).unwrap();
        }
        let now = files.map(|file| load_secret_key(file).unwrap().public_key().to_string());
        let present: Pair = (now[0].clone(), now[1].clone());
        assert_eq!(is_done(&registry, NAME, &present, &files), steps >= 2, "{steps}");
        if steps < 2 {
            assert_eq!(next_step(&registry, NAME, &present, &pair(3, 4), &[]), Step::PutInPlace);
        }
        put_in_place(&files, &next).unwrap();
        for (file, (key, old)) in files.iter().zip([(&next[0], 1), (&next[1], 2)]) {
            assert_eq!(load_secret_key(file).unwrap().public_key(), key.public_key());
            assert!(!next_key_path(file).exists());
            let kept = genesis::replaced_key_path(file, &secret(old).public_key());
            assert_eq!(load_secret_key(&kept).unwrap().public_key(), secret(old).public_key());
        }
    }
}
