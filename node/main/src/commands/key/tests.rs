#![allow(clippy::unwrap_used, clippy::expect_used)]
//! What a registry names a key for.

use chain_types::{Height, Parameters, Participant, ParticipantId, Roles, SecretKey};
use rpc_api::{NodeReport, ParametersReport, RegisteredParticipant, RegistryReport};

use super::{uses, uses_text};

fn key(byte: u8) -> chain_types::PublicKey {
    SecretKey::from_seed(&[byte; 32]).public_key()
}

fn registry() -> RegistryReport {
    let gateway =
        Participant::new(ParticipantId::new(201), "gateway-201".to_owned(), Roles::GATEWAY, key(2));
    let node = |name: &str, network, validator| {
        let node = chain_types::Node {
            name: name.to_owned(),
            operator: ParticipantId::new(1),
            network_key: key(network),
            validator_key: key(validator),
            power: u64::from(network != validator),
        };
        NodeReport::new(0, &node)
    };
    RegistryReport {
        height: 40,
        protocol_version: 1,
        participants: vec![RegisteredParticipant::new(
            &gateway,
            Some((key(1), Height::new(60))),
            Height::new(41),
        )],
        nodes: vec![node("validator-0", 3, 4), node("edge-0", 5, 5)],
        currencies: Vec::new(),
        parameters: ParametersReport::new(&Parameters::default()),
    }
}

#[test]
fn every_use_of_a_key_is_named() {
    let rows = [
        (1, "replaced public_key of participant 201 (gateway-201), accepted up to block 60 "),
        (2, "at height 40 as the public_key of participant 201 (gateway-201)"),
        (3, "network_key of node validator-0"),
        (4, "validator_key of node validator-0"),
        (5, "network_key of node edge-0"),
        (6, "registered for nothing at height 40"),
    ];
    let registry = registry();
    for (byte, expected) in rows {
        let public_key = key(byte).to_string();
        let found = uses(&registry, &public_key);
        assert_eq!(found.len(), usize::from(byte != 6), "{byte}");
        let text = uses_text(&public_key, registry.height, &found);
        assert!(text.starts_with(&public_key) && text.contains(expected), "{text}");
    }
}
