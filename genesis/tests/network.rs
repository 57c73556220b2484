//! A network's folder: what is made can be read, and what must not be used is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use chain_types::{Parameters, ParticipantId, Roles, TimeMs, ValidatorId};
use genesis::{
    ConfigFault, JoinPlan, NetworkFolder, NetworkPlan, NodeConfig, ParticipantConfig, Standing,
    create_secret_key, load_genesis, load_secret_key, network_join, network_new,
    replace_secret_key,
};

fn plan() -> NetworkPlan {
    NetworkPlan {
        seed: Some(1),
        time: Some(TimeMs::new(1_790_000_000_000)),
        ..NetworkPlan::default()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_network_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let plan = NetworkPlan { edges: 1, ..plan() };
    let network = network_new(folder.path(), &plan).unwrap();
    assert_eq!(NetworkFolder::open(folder.path()).unwrap(), network);
    let genesis = load_genesis(&network.genesis).unwrap();
    assert_eq!(genesis.chain_id, network.chain_id);
    assert_eq!(genesis.validators().as_slice().len(), 4);
    assert_eq!(genesis.nodes.len(), 5);
    assert_eq!(genesis.merchants.len(), 10);
    assert_eq!(genesis.currencies.len(), 18);
    assert_eq!(genesis.liquidity.len(), 2 * 18);
    // Two gateways to the service, three providers to it and to both gateways.
    assert_eq!(genesis.lines.len(), (2 + 3 * 3) * 18);
    assert_eq!(genesis.lines, genesis.clone().with_lines(genesis.lines[0].limit).lines);
    assert_eq!(genesis.parameters, plan.parameters);

    for (index, node) in network.nodes.iter().enumerate() {
        let config = NodeConfig::load(&node.config).unwrap();
        assert_eq!(config.network.peers.len(), 4);
        assert!(config.network.peers.iter().all(|peer| peer.name != node.name));
        assert_eq!(config.network.listen.port(), 26_000 + 3 * index as u16);
        assert_eq!(config.rpc.listen.port(), 26_001 + 3 * index as u16);
        let identity = config.identity().unwrap();
        let standing = config.standing(&identity, &genesis.nodes, None).unwrap();
        let id = ValidatorId::new(index as u32);
        let expected =
            if index < 4 { Standing::Validator { id, power: 10 } } else { Standing::Edge };
        assert_eq!(standing, expected);
    }
    for participant in &network.participants {
        let config = ParticipantConfig::load(&participant.config).unwrap();
        assert_eq!(config.id, participant.id);
        assert_eq!(config.rpc.len(), 5);
        let (_, key) = config.open().unwrap();
        let registered = genesis.participant(config.participant()).unwrap().public_key;
        assert_eq!(key.public_key(), registered);
    }
}

#[test]
fn the_local_network_has_a_party_for_every_contract() {
    let folder = tempfile::tempdir().unwrap();
    let network = network_new(folder.path(), &plan()).unwrap();
    let genesis = load_genesis(&network.genesis).unwrap();
    let rows = [
        (1, "operator-1", Roles::SETTLEMENT_OPERATOR),
        (2, "operator-2", Roles::SETTLEMENT_OPERATOR),
        (3, "operator-3", Roles::SETTLEMENT_OPERATOR),
        (4, "operator-4", Roles::SETTLEMENT_OPERATOR),
        (101, "recharge-101", Roles::RECHARGE_SERVICE),
        (201, "gateway-201", Roles::GATEWAY),
        (202, "gateway-202", Roles::GATEWAY),
        (301, "provider-301", Roles::FX_PROVIDER),
        (302, "provider-302", Roles::FX_PROVIDER),
        (303, "provider-303", Roles::FX_PROVIDER),
        (401, "agent-401", Roles::SETTLEMENT_AGENT),
        (402, "agent-402", Roles::SETTLEMENT_AGENT),
        (501, "desk-501", Roles::RISK_DESK),
        (601, "auditor-601", Roles::AUDITOR),
    ];
    assert_eq!((genesis.participants.len(), network.participants.len()), (rows.len(), rows.len()));
    for ((id, name, roles), folder) in rows.into_iter().zip(&network.participants) {
        assert_eq!((folder.id, folder.name.as_str()), (id, name));
        let registered = genesis.participant(ParticipantId::new(id)).unwrap();
        assert_eq!((registered.name.as_str(), registered.roles), (name, roles));
    }
    assert_eq!(genesis.parameters, Parameters::default());
}

#[test]
fn the_chain_id_is_what_sha256sum_says() {
    let folder = tempfile::tempdir().unwrap();
    let network = network_new(folder.path(), &plan()).unwrap();
    let output = Command::new("sha256sum").arg(&network.genesis).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.split_whitespace().next(), Some(network.chain_id.to_string().as_str()));
}

#[test]
fn keys_are_for_their_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let network = network_new(folder.path(), &plan()).unwrap();
    let home = network.nodes[0].config.parent().unwrap();
    let participant = network.participants[0].config.parent().unwrap();
    for path in
        [home.join("validator.key"), home.join("network.key"), participant.join("participant.key")]
    {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert_eq!(fs::read(&path).unwrap().len(), 65);
    }
    assert_eq!(mode(home), 0o700);

    let key = home.join("validator.key");
    for bad in [0o640, 0o604, 0o644, 0o660] {
        fs::set_permissions(&key, Permissions::from_mode(bad)).unwrap();
        let fault = load_secret_key(&key).unwrap_err();
        assert!(matches!(fault, ConfigFault::KeyReadable { mode, .. } if mode == bad));
        assert!(fault.to_string().contains("chmod 600"), "{fault}");
    }
    fs::set_permissions(&key, Permissions::from_mode(0o400)).unwrap();
    load_secret_key(&key).unwrap();
}

#[test]
fn a_file_that_is_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.key");
    let digits = "ab".repeat(32);
    let rows = [
        (digits.clone(), true),
        (format!("{digits}\n"), true),
        (format!("{digits}\n\n"), false),
        (format!("{digits}ab\n"), false),
        (digits[2..].to_owned(), false),
        (digits.replace("ab", "xy"), false),
        (String::new(), false),
    ];
    for (text, is_key) in rows {
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let loaded = load_secret_key(&path);
        assert_eq!(loaded.is_ok(), is_key, "{text:?}");
        if let Err(fault) = loaded {
            assert!(matches!(fault, ConfigFault::KeyMalformed { .. }));
            assert!(!fault.to_string().contains("abab"), "a key is never shown");
        }
    }
    let missing = load_secret_key(&folder.path().join("none.key")).unwrap_err();
    assert!(matches!(missing, ConfigFault::Read { .. }));
}

#[test]
fn a_key_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.key");
    let key = chain_types::SecretKey::from_seed(&[5; 32]);
    create_secret_key(&path, &key).unwrap();
    assert_eq!(load_secret_key(&path).unwrap().public_key(), key.public_key());
    for other in [&key, &chain_types::SecretKey::from_seed(&[6; 32])] {
        let fault = create_secret_key(&path, other).unwrap_err();
        assert!(matches!(fault, ConfigFault::KeyExists { .. }), "{fault}");
    }
    assert_eq!(load_secret_key(&path).unwrap().public_key(), key.public_key());
    assert_eq!(mode(&path), 0o600);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap()).collect();
    assert_eq!(names.len(), 1, "nothing is left beside it: {names:?}");
}

#[test]
fn a_key_is_replaced_whole_and_the_one_before_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("participant.key");
    let key = |byte| chain_types::SecretKey::from_seed(&[byte; 32]);
    let (old, new) = (key(5), key(6));
    create_secret_key(&path, &old).unwrap();
    // What a process left that was killed between its steps is no obstacle.
    let kept = format!("participant.key.replaced-{}", &old.public_key().to_string()[..16]);
    create_secret_key(&folder.path().join(&kept), &old).unwrap();
    let part = format!("participant.key.part-{}", std::process::id());
    fs::write(folder.path().join(part), "x").unwrap();
    let said = replace_secret_key(&path, &new).unwrap();
    assert_eq!(said, Some(folder.path().join(&kept)));
    assert_eq!(load_secret_key(&path).unwrap().public_key(), new.public_key());
    assert_eq!(load_secret_key(&said.unwrap()).unwrap().public_key(), old.public_key());
    assert_eq!((mode(&path), mode(&folder.path().join(&kept))), (0o600, 0o600));
    assert_eq!(replace_secret_key(&path, &new).unwrap(), None, "asked again");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    // Where another key has the kept one's name, nothing is written over.
    fs::remove_file(folder.path().join(&kept)).unwrap();
    let name = format!("participant.key.replaced-{}", &new.public_key().to_string()[..16]);
    create_secret_key(&folder.path().join(name), &old).unwrap();
    assert!(matches!(replace_secret_key(&path, &old), Err(ConfigFault::KeyExists { .. })));
    assert_eq!(load_secret_key(&path).unwrap().public_key(), new.public_key());
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("precious"), "money").unwrap();
    let fault = network_new(folder.path(), &plan()).unwrap_err();
    assert!(matches!(fault, ConfigFault::FolderNotEmpty { .. }), "{fault}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn keys_are_drawn_anew_unless_seeded() {
    let chain = |seed| {
        let folder = tempfile::tempdir().unwrap();
        network_new(folder.path(), &NetworkPlan { seed, ..plan() }).unwrap().chain_id
    };
    assert_eq!(chain(Some(1)), chain(Some(1)));
    assert_ne!(chain(Some(1)), chain(Some(2)));
    assert_ne!(chain(None), chain(None));
}

#[test]
fn a_bad_plan_names_its_field_and_writes_nothing() {
    let mut no_currency = plan();
    no_currency.currencies.clear();
    let mut bad_window = plan();
    bad_window.parameters.window_ms = 0;
    let rows = [
        (NetworkPlan { validators: 0, ..plan() }, "validators"),
        (NetworkPlan { validators: 51, ..plan() }, "validators"),
        (NetworkPlan { gateways: 0, ..plan() }, "gateways"),
        (NetworkPlan { fx_providers: 100, ..plan() }, "fx_providers"),
        (NetworkPlan { settlement_agents: 100, ..plan() }, "settlement_agents"),
        (NetworkPlan { risk_desks: 100, ..plan() }, "risk_desks"),
        (NetworkPlan { auditors: 100, ..plan() }, "auditors"),
        (NetworkPlan { merchants: 0, ..plan() }, "merchants"),
        (NetworkPlan { base_port: 65_530, ..plan() }, "base_port"),
        (NetworkPlan { net_debit_cap: u64::MAX, ..plan() }, "line "),
        (NetworkPlan { name: String::new(), ..plan() }, "name"),
        (no_currency, "currencies"),
        (bad_window, "parameters.window_ms"),
    ];
    for (plan, field) in rows {
        let folder = tempfile::tempdir().unwrap();
        match network_new(folder.path(), &plan).unwrap_err() {
            ConfigFault::Plan(error) => assert!(error.field.starts_with(field), "{error}"),
            other => panic!("{other}"),
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let last = NetworkPlan { base_port: 65_524, ..plan() };
    network_new(tempfile::tempdir().unwrap().path(), &last).unwrap();
}

#[test]
fn a_network_of_this_kind_says_that_it_is_for_development() {
    for validators in [1, 4] {
        let folder = tempfile::tempdir().unwrap();
        let network = network_new(folder.path(), &NetworkPlan { validators, ..plan() }).unwrap();
        assert!(fs::read_to_string(network.genesis).unwrap().contains("development = true"));
    }
}

#[test]
fn keys_of_another_node_or_network_are_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let network = network_new(one.path(), &plan()).unwrap();
    let other = network_new(two.path(), &NetworkPlan { seed: Some(2), ..plan() }).unwrap();
    let config = NodeConfig::load(&network.nodes[0].config).unwrap();
    let second = NodeConfig::load(&network.nodes[1].config).unwrap();
    let stranger = &other.nodes[0];
    let rows = [
        (NodeConfig { network_key: second.network_key.clone(), ..config.clone() }, "name"),
        (
            NodeConfig { validator_key: second.validator_key.clone(), ..config.clone() },
            "validator_key",
        ),
        (
            NodeConfig { validator_key: Some(config.network_key.clone()), ..config.clone() },
            "validator_key",
        ),
        (NodeConfig { name: "validator-9".into(), ..config.clone() }, "name"),
        (
            NodeConfig {
                network_key: stranger.config.with_file_name("network.key"),
                name: "validator-9".into(),
                ..config.clone()
            },
            "validator_key",
        ),
        (NodeConfig { genesis: other.genesis.clone(), ..config.clone() }, "network_key"),
    ];
    let standing = |config: &NodeConfig| {
        let identity = config.identity()?;
        config.standing(&identity, &identity.genesis.nodes, None)
    };
    for (config, field) in rows {
        match standing(&config).unwrap_err() {
            ConfigFault::Field { error, .. } => assert_eq!(error.field, field, "{error}"),
            fault => panic!("{fault}"),
        }
    }
    // Without its key for votes a validator may follow: see record 0008.
    let keyless = NodeConfig { validator_key: None, ..config };
    assert_eq!(standing(&keyless).unwrap(), Standing::Keyless { power: 10 });
    // Whose key a participant's is, the registry at the head says.
    let mut participant = ParticipantConfig::load(&network.participants[0].config).unwrap();
    participant.genesis = other.genesis;
    assert_eq!(participant.open().unwrap().0.chain_id, other.chain_id);
}

#[test]
fn participant_files_with_unknown_or_bad_fields_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let network = network_new(folder.path(), &plan()).unwrap();
    let path = &network.participants[0].config;
    let good = fs::read_to_string(path).unwrap();
    let rows = [
        (format!("{good}\ncolour = \"red\"\n"), "colour"),
        (good.replace("id = 1\n", ""), "id"),
        (good.replace("id = 1\n", "id = -1\n"), "id"),
        (good.replace("id = 1\n", "id = 0\n"), "id"),
        (good.replace("http://127.0.0.1:26004", "ftp://x"), "rpc[1]"),
    ];
    for (text, field) in rows {
        fs::write(path, &text).unwrap();
        match ParticipantConfig::load(path).unwrap_err() {
            ConfigFault::Field { error, .. } => assert_eq!(error.field, field, "{error}"),
            fault => panic!("{fault}"),
        }
    }
}

fn join_plan(peers: &[(&str, u16)]) -> JoinPlan {
    let at = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    JoinPlan {
        name: "validator-4".to_owned(),
        votes: true,
        listen: at(27_000),
        rpc: at(27_001),
        peers: peers.iter().map(|(word, port)| ((*word).to_owned(), at(*port))).collect(),
    }
}

#[test]
fn the_folder_of_a_node_that_joins_reads_back_and_waits_for_governance() {
    let folder = tempfile::tempdir().unwrap();
    let network = network_new(&folder.path().join("net"), &plan()).unwrap();
    let genesis = load_genesis(&network.genesis).unwrap();
    let added = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let plan = join_plan(&[("validator-0", 26_000), (added, 26_100)]);
    for votes in [true, false] {
        let plan = JoinPlan { votes, ..plan.clone() };
        let own = folder.path().join(format!("joins-{votes}"));
        let joined = network_join(&own, &network.genesis, &plan).unwrap();
        let config = NodeConfig::load(&joined.folder.config).unwrap();
        assert_eq!((&config.name, config.network.listen), (&plan.name, plan.listen));
        let keys: Vec<&str> = config.network.peers.iter().map(|peer| peer.key.as_str()).collect();
        assert_eq!(keys, [genesis.nodes[0].network_key.to_string().as_str(), added]);
        assert_eq!(mode(&own.join("network.key")), 0o600);
        assert_eq!(own.join("validator.key").exists(), votes);

        let identity = config.identity().unwrap();
        assert_eq!(identity.genesis.chain_id, network.chain_id);
        assert_eq!(identity.network_key.public_key(), joined.network_key);
        let standing = |nodes: &[chain_types::Node]| config.standing(&identity, nodes, None);
        assert_eq!(standing(&genesis.nodes).unwrap(), Standing::Unregistered);
        let mut nodes = genesis.nodes.clone();
        nodes.push(chain_types::Node {
            name: plan.name.clone(),
            network_key: joined.network_key,
            validator_key: joined.validator_key,
            power: u64::from(votes),
            ..nodes[0].clone()
        });
        let validator = Standing::Validator { id: ValidatorId::new(4), power: 1 };
        assert_eq!(standing(&nodes).unwrap(), if votes { validator } else { Standing::Edge });
        nodes[4].validator_key =
            if votes { joined.network_key } else { genesis.nodes[0].validator_key };
        assert_eq!(standing(&nodes).is_err(), votes, "registered without the key that is here");
    }
    let again = network_join(&folder.path().join("joins-true"), &network.genesis, &plan);
    assert!(matches!(again, Err(ConfigFault::FolderNotEmpty { .. })));
}

#[test]
fn a_bad_plan_to_join_names_its_field_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let network = network_new(&folder.path().join("net"), &plan()).unwrap();
    let good = join_plan(&[("validator-0", 26_000)]);
    let rows = [
        (JoinPlan { name: "Validator 4".into(), ..good.clone() }, "name"),
        (JoinPlan { name: "validator-3".into(), ..good }, "name"),
        (join_plan(&[]), "peers"),
        (join_plan(&[("validator-9", 26_000)]), "peers"),
        (join_plan(&[("validator-0", 26_000), ("validator-0", 26_002)]), "peers"),
    ];
    for (plan, field) in rows {
        let own = folder.path().join("joins");
        match network_join(&own, &network.genesis, &plan).unwrap_err() {
            ConfigFault::Plan(error) => assert_eq!(error.field, field, "{error}"),
            fault => panic!("{fault}"),
        }
        assert!(!own.exists());
    }
}
