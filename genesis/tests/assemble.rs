//! A network assembled from public keys: no secret in it, the same bytes everywhere, and every
//! mistake of a plan named.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use chain_types::{ParticipantId, SecretKey};
use genesis::{
    ConfigFault, NodeConfig, ParticipantConfig, Standing, create_secret_key, load_genesis,
    network_assemble,
};

const PARTIES: [(u32, &str, &str); 6] = [
    (1, "operator one", "settlement-operator"),
    (2, "operator two", "settlement-operator"),
    (3, "operator three", "settlement-operator"),
    (101, "the service", "recharge-service"),
    (201, "../gateway", "gateway"),
    (401, "the agent", "settlement-agent"),
];

fn key(label: u32) -> SecretKey {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&label.to_le_bytes());
    SecretKey::from_seed(&seed)
}

/// A plan of four validators and one edge node.
fn plan() -> String {
    let mut text = String::from(
        "name = \"pilot\"\ntime_ms = 1790000000000\ncurrencies = [\"CNY\", \"USD\"]\n\
         [parameters]\nwindow_ms = 60000\n",
    );
    for (id, name, role) in PARTIES {
        text += &format!(
            "[[participants]]\nid = {id}\nname = \"{name}\"\nroles = [\"{role}\"]\n\
             public_key = \"{}\"\n",
            key(id).public_key()
        );
    }
    text += "[[merchants]]\nid = 1001\nname = \"shop\"\npayout_gateway = 201\n\
             [[liquidity]]\ngateway = 201\ncurrency = \"CNY\"\nnet_debit_cap = 5000000\n\
             opening_liquidity = 0\n";
    for node in 0..5_u32 {
        let (name, power) = if node < 4 { ("validator", 10) } else { ("edge", 0) };
        text += &format!(
            "[[nodes]]\nname = \"{name}-{node}\"\noperator = {}\npower = {power}\n\
             network_key = \"{}\"\naddress = \"10.0.0.{node}:26000\"\nrpc = \"127.0.0.1:2600{node}\"\n",
            node % 3 + 1,
            key(1_000 + node).public_key()
        );
        if power > 0 {
            text += &format!("validator_key = \"{}\"\n", key(2_000 + node).public_key());
        }
    }
    text.replace("\"10.0.0.1:26000\"", "\"10.0.0.1:26000\"\nlisten = \"0.0.0.0:26000\"")
}

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("plan.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn who_assembles_the_same_plan_gets_the_same_chain_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &plan());
    let one = network_assemble(&folder.path().join("one"), &path).unwrap();
    let two = network_assemble(&folder.path().join("two"), &path).unwrap();
    assert_eq!(one.chain_id, two.chain_id);
    assert_eq!(fs::read(&one.genesis).unwrap(), fs::read(&two.genesis).unwrap());
    let genesis = load_genesis(&one.genesis).unwrap();
    assert_eq!((genesis.chain_id, genesis.parameters.window_ms), (one.chain_id, 60_000));

    // Every file below, and none of them a key.
    let mut folders = vec![folder.path().join("one")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(path.extension().is_some_and(|end| end == "toml"), "{}", path.display());
            }
        }
    }
    assert!(matches!(
        network_assemble(&folder.path().join("one"), &path),
        Err(ConfigFault::FolderNotEmpty { .. })
    ));
}

#[test]
fn each_holder_puts_its_own_keys_in_place_and_is_who_the_registry_says() {
    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("net");
    let network = network_assemble(&net, &write(folder.path(), &plan())).unwrap();
    let genesis = load_genesis(&network.genesis).unwrap();
    for (node, part) in (0_u32..).zip(&network.nodes) {
        assert_eq!(part.holder, ParticipantId::new(node % 3 + 1));
        let config = NodeConfig::load(&part.config).unwrap();
        assert!(config.rpc.origins.is_empty());
        let host = if node == 1 { "0.0.0.0".to_owned() } else { format!("10.0.0.{node}") };
        assert_eq!(config.network.listen.to_string(), format!("{host}:26000"));
        let peers: Vec<String> =
            config.network.peers.iter().map(|peer| peer.address.to_string()).collect();
        let others = (0..5).filter(|other| *other != node);
        assert_eq!(peers, others.map(|other| format!("10.0.0.{other}:26000")).collect::<Vec<_>>());
        assert!(config.identity().is_err(), "no key is there yet");
        for (path, label) in part.key_files.iter().zip([1_000, 2_000]) {
            create_secret_key(path, &key(label + node)).unwrap();
        }
        let identity = config.identity().unwrap();
        let standing = config.standing(&identity, &genesis.nodes, None).unwrap();
        assert_eq!(matches!(standing, Standing::Validator { power: 10, .. }), node < 4);
    }
    for (part, (id, name, _)) in network.participants.iter().zip(PARTIES) {
        assert_eq!(part.config, net.join(format!("participants/{id}/participant.toml")));
        let config = ParticipantConfig::load(&part.config).unwrap();
        assert_eq!((config.id, config.name.as_str()), (id, name));
        let nodes = match id {
            2 => vec!["http://127.0.0.1:26001", "http://127.0.0.1:26004"],
            3 => vec!["http://127.0.0.1:26002"],
            1 => vec!["http://127.0.0.1:26000", "http://127.0.0.1:26003"],
            _ => config.rpc.iter().map(String::as_str).collect(),
        };
        assert_eq!(config.rpc, nodes);
        assert_eq!(config.merchants, if id == 201 { vec![1001] } else { Vec::new() });
        create_secret_key(&part.key_files[0], &key(id)).unwrap();
        let (_, own) = config.open().unwrap();
        assert_eq!(own.public_key(), genesis.participant(part.holder).unwrap().public_key);
    }
}

#[test]
fn a_bad_plan_names_its_field_and_writes_nothing() {
    let plan = plan();
    let first_key = key(1).public_key().to_string();
    let second_key = key(2).public_key().to_string();
    let rows = [
        (plan.replace("time_ms = 1790000000000\n", ""), "time_ms"),
        (plan.replace(&second_key, &first_key), "participants[1].public_key"),
        (plan.replace("window_ms = 60000", "window_ms = 0"), "parameters.window_ms"),
        (plan.replace("window_ms = 60000", "windows_ms = 60000"), "parameters.windows_ms"),
        (plan.replace("\"10.0.0.2:26000\"", "\"10.0.0.0:26000\""), "nodes[2].address"),
        (plan.replace("\"10.0.0.2:26000\"", "\"node-2:26000\""), "nodes[2].address"),
        (plan.replace("\"10.0.0.2:26000\"", "\"10.0.0.2:0\""), "nodes[2].address"),
        (plan.replace("rpc = \"127.0.0.1:26003\"", ""), "nodes[3].rpc"),
        (plan.replace("rpc = \"127.0.0.1:26003\"", "rpc = 26003"), "nodes[3].rpc"),
        (plan.replace("power = 0", "power = 10"), "nodes[4].validator_key"),
        (plan.replace("[[nodes]]", "[[node]]"), "nodes"),
        (
            plan.replace("net_debit_cap = 5000000", "net_debit_cap = 1000000000000000"),
            "liquidity of gateway 201 in CNY: net_debit_cap",
        ),
    ];
    for (text, field) in rows {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("net");
        match network_assemble(&out, &write(folder.path(), &text)).unwrap_err() {
            ConfigFault::Field { error, .. } => assert_eq!(error.field, field, "{error}"),
            fault => panic!("{fault}"),
        }
        assert!(!out.exists());
    }
}
