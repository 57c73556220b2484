#![allow(clippy::unwrap_used, clippy::expect_used)]
//! Which step of a rotation comes next, from any state that a crash may leave.

use chain_types::{
    Change, Digest, Height, Parameters, Participant, ParticipantId, ProposalId, ProposalStatus,
    PublicKey, Roles, SecretKey, TimeMs,
};
use rpc_api::{
    ChangeReport, ParametersReport, ProposalReport, RegisteredParticipant, RegistryReport,
};

use super::{Step, next_step};

const GATEWAY: ParticipantId = ParticipantId::new(201);
const OLD: u8 = 1;
const NEW: u8 = 2;

fn key(byte: u8) -> PublicKey {
    SecretKey::from_seed(&[byte; 32]).public_key()
}

fn registry(current: u8, previous: Option<u8>) -> RegistryReport {
    let participant = Participant::new(GATEWAY, "gateway".to_owned(), Roles::GATEWAY, key(current));
    let previous = previous.map(|byte| (key(byte), Height::new(60)));
    RegistryReport {
        height: 40,
        protocol_version: 1,
        participants: vec![RegisteredParticipant::new(&participant, previous, Height::new(41))],
        nodes: Vec::new(),
        currencies: Vec::new(),
        parameters: ParametersReport::new(&Parameters::default()),
    }
}

fn open(participant: ParticipantId, byte: u8) -> ProposalReport {
    let change = Change::Key { participant, public_key: key(byte), overlap_heights: 20 };
    ProposalReport {
        proposal_id: ProposalId::new(TimeMs::new(1_790_000_000_000), [byte; 10]),
        change: ChangeReport::new(&change, Height::new(41)),
        change_base64: String::new(),
        digest: Digest::ZERO,
        status: ProposalStatus::Proposed,
        failure: None,
        status_height: 30,
        maker: 1,
        proposed_ms: 1,
        approve_until_ms: 2,
        activation_height: 41,
        due_height: 41,
        approvals_needed: 2,
        approvals: vec![1],
        refusals: Vec::new(),
    }
}

fn step(registry: &RegistryReport, old: u8, new: u8, open: &[ProposalReport]) -> Step {
    next_step(registry, GATEWAY, key(old), key(new), open)
}

#[test]
fn each_state_has_one_step_and_no_step_is_taken_twice() {
    let before = registry(OLD, None);
    assert_eq!(step(&before, OLD, NEW, &[]), Step::Propose);
    // Another's proposal, or of another key, is not this one.
    let others = [open(ParticipantId::new(202), NEW), open(GATEWAY, 9)];
    assert_eq!(step(&before, OLD, NEW, &others), Step::Propose);
    let own = open(GATEWAY, NEW);
    assert_eq!(
        step(&before, OLD, NEW, std::slice::from_ref(&own)),
        Step::Wait(Box::new(own.clone()))
    );

    // In effect: put in place, with or without an overlap, and again once it is in place.
    for previous in [Some(OLD), None] {
        let after = registry(NEW, previous);
        assert_eq!(step(&after, OLD, NEW, std::slice::from_ref(&own)), Step::PutInPlace);
        assert_eq!(step(&after, NEW, NEW, &[]), Step::PutInPlace);
    }
}

#[test]
fn a_key_that_is_neither_the_old_nor_the_new_is_not_proposed_over() {
    for previous in [Some(OLD), None] {
        assert_eq!(step(&registry(9, previous), OLD, NEW, &[]), Step::Refuse(key(9)));
    }
    let nobody = RegistryReport { participants: Vec::new(), ..registry(OLD, None) };
    assert_eq!(step(&nobody, OLD, NEW, &[]), Step::Unknown);
}
