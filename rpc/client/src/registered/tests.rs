#![allow(clippy::unwrap_used, clippy::expect_used)]
//! What a registry says of a key, and in which words a key is refused.

use std::path::Path;

use chain_types::{
    Change, Digest, Height, Parameters, Participant, ParticipantId, ProposalId, ProposalStatus,
    PublicKey, Roles, SecretKey, TimeMs,
};
use rpc_api::{
    ChangeReport, ParametersReport, ProposalReport, RegisteredParticipant, RegistryReport,
};

use super::{KeyStanding, registers, remedy_text, since_text};

const GATEWAY: ParticipantId = ParticipantId::new(201);

fn key(byte: u8) -> PublicKey {
    SecretKey::from_seed(&[byte; 32]).public_key()
}

fn gateway(public_key: PublicKey) -> Participant {
    Participant::new(GATEWAY, "gateway".to_owned(), Roles::GATEWAY, public_key)
}

/// At height 40: key 2 signs, key 1 did before and is accepted up to block 60.
fn registry() -> RegistryReport {
    let registered = (key(1), Height::new(60));
    RegistryReport {
        height: 40,
        protocol_version: 1,
        participants: vec![RegisteredParticipant::new(
            &gateway(key(2)),
            Some(registered),
            Height::new(41),
        )],
        nodes: Vec::new(),
        currencies: Vec::new(),
        parameters: ParametersReport::new(&Parameters::default()),
    }
}

fn proposal(byte: u8, status: ProposalStatus) -> ProposalReport {
    let change = Change::Key { participant: GATEWAY, public_key: key(byte), overlap_heights: 20 };
    ProposalReport {
        proposal_id: ProposalId::new(TimeMs::new(1_790_000_000_000), [byte; 10]),
        change: ChangeReport::new(&change, Height::new(41)),
        change_base64: String::new(),
        digest: Digest::ZERO,
        status,
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

#[test]
fn a_key_stands_as_the_registry_at_the_head_says() {
    let registry = registry();
    let of = |byte| KeyStanding::of(&registry, GATEWAY, key(byte));
    assert_eq!(of(2), KeyStanding::Current);
    assert_eq!(of(1), KeyStanding::Replaced { by: key(2), until_height: 60 });
    assert_eq!(of(3), KeyStanding::Other(key(2)));
    assert_eq!(KeyStanding::of(&registry, ParticipantId::new(9), key(2)), KeyStanding::Unknown);
    assert!(of(1).is_accepted() && of(2).is_accepted() && !of(3).is_accepted());
    // The point of order two: anybody signs for it.
    let weak = format!("01{}", "00".repeat(31));
    for text in [weak.as_str(), "no key"] {
        let mut lies = registry.clone();
        lies.participants[0].participant.public_key = text.to_owned();
        assert_eq!(KeyStanding::of(&lies, GATEWAY, key(2)), KeyStanding::Malformed, "{text}");
    }
}

#[test]
fn a_refusal_says_since_when_and_what_to_do() {
    let genesis_of = |byte| chain_types::ChainGenesis {
        name: "n".to_owned(),
        participants: vec![gateway(key(byte))],
        ..chain_types::ChainGenesis::default()
    };
    let effective = [proposal(3, ProposalStatus::Proposed), proposal(2, ProposalStatus::Effective)];
    let since = |proposals: &[ProposalReport], of_genesis| {
        since_text(proposals, &genesis_of(of_genesis), GATEWAY, key(2))
    };
    assert_eq!(since(&effective, 1), "since block 31");
    assert_eq!(since(&[], 2), "since block 0, in the genesis file");
    assert_eq!(since(&[], 1), "since a block that this node does not tell");
    assert!(registers(&effective[1], GATEWAY, key(2)));
    assert!(!registers(&effective[1], ParticipantId::new(202), key(2)));

    let remedy = |status| remedy_text(&[proposal(3, status)], GATEWAY, key(3), Path::new("p.toml"));
    assert!(remedy(ProposalStatus::Proposed).contains("waits for approvals"));
    assert!(remedy(ProposalStatus::Scheduled).contains("from block 41 on"));
    for over in [ProposalStatus::Effective, ProposalStatus::Expired, ProposalStatus::Refused] {
        assert!(remedy(over).contains("let `key` in p.toml name the file"));
    }
}
