//! Which keys a node starts with, and by which it knows the others.

use std::path::Path;

use chain_state::{KeyOwner, RegistryContent};
use genesis::{NodeConfig, NodeIdentity, create_secret_key, next_key_path, replace_secret_key};

use super::*;
use crate::own_keys::{Chosen, Withdrawn, choose, leaving, nodes_known, peers};

/// The place of the node that is looked at.
const OWN: u32 = 1;
/// The first number of its next keys.
const NEXT: u32 = 50;
const LATER: u32 = 60;

fn config(folder: &Path, peer: &PublicKey) -> NodeConfig {
    let path = folder.join("node.toml");
    let text = format!(
        "name = \"node-{OWN}\"\ngenesis = \"genesis.toml\"\nhome = \"home\"\n\
         network_key = \"network.key\"\nvalidator_key = \"validator.key\"\n\
         [network]\nlisten = \"127.0.0.1:1\"\npeers = [{{ name = \"node-2\", \
         key = \"{peer}\", address = \"127.0.0.1:2\" }}]\n[rpc]\nlisten = \"127.0.0.1:3\"\n"
    );
    std::fs::write(&path, text).unwrap();
    NodeConfig::load(&path).unwrap()
}

fn pair(number: u32) -> [SecretKey; 2] {
    [key(2, number), key(3, number)]
}

fn identity(config: &NodeConfig) -> NodeIdentity {
    let load = |path: &Path| genesis::load_secret_key(path).unwrap();
    NodeIdentity {
        genesis: genesis(),
        network_key: load(&config.network_key),
        validator_key: config.validator_key.as_deref().map(load),
    }
}

/// The registry after the keys of a node were replaced by those of a number, or it was removed.
fn changed(before: &RegistryContent, place: u32, number: Option<u32>) -> RegistryContent {
    let mut after = before.clone();
    let node = &mut std::sync::Arc::make_mut(&mut after.nodes)[place as usize];
    let old = (node.network_key, node.validator_key);
    match number.map(pair) {
        Some([network, votes]) => {
            (node.network_key, node.validator_key) = (network.public_key(), votes.public_key());
        }
        None => node.remove(),
    }
    after.withdraw(old.0, KeyOwner::Network(place), Height::new(9));
    after.withdraw(old.1, KeyOwner::Votes(place), Height::new(9));
    after
}

fn files(config: &NodeConfig) -> [&Path; 2] {
    [&config.network_key, config.validator_key.as_deref().unwrap()]
}

#[test]
fn a_start_takes_the_pair_that_the_registry_names() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &key(2, 2).public_key());
    for (file, key) in files(&config).iter().zip(pair(OWN)) {
        create_secret_key(file, &key).unwrap();
    }
    let before = RegistryContent::genesis(&genesis());
    let rotated = changed(&before, OWN, Some(NEXT));
    let other = changed(&rotated, OWN, Some(LATER));
    let removed = changed(&before, OWN, None);
    let network = |number: u32| key(2, number).public_key();
    let chosen = |registry: &RegistryContent, tries_next: bool| {
        choose(&config, identity(&config), registry, tries_next)
    };
    let network_of = |one: Result<Result<Chosen, Withdrawn>, _>| match one {
        Ok(Ok(chosen)) => Some(chosen.identity.public_key()),
        Ok(Err(_)) | Err::<_, genesis::ConfigFault>(_) => None,
    };
    let is_removed =
        |registry| matches!(chosen(registry, false), Ok(Err(Withdrawn::Removed { .. })));
    let is_replaced =
        |registry| matches!(chosen(registry, false), Ok(Err(Withdrawn::Replaced { .. })));
    // Without next ones.
    assert_eq!(network_of(chosen(&before, true)), Some(network(OWN)));
    assert!(is_replaced(&rotated) && is_replaced(&other) && is_removed(&removed));
    // One of two is none.
    let [of_network, of_votes] = pair(NEXT);
    create_secret_key(&next_key_path(files(&config)[0]), &of_network).unwrap();
    assert!(is_replaced(&rotated));
    create_secret_key(&next_key_path(files(&config)[1]), &of_votes).unwrap();
    assert_eq!(network_of(chosen(&before, false)), Some(network(OWN)));
    assert_eq!(network_of(chosen(&before, true)), Some(network(NEXT)), "nobody let it in");
    assert_eq!(network_of(chosen(&rotated, false)), Some(network(NEXT)));
    assert_eq!(network_of(chosen(&rotated, true)), Some(network(NEXT)));
    assert!(is_replaced(&other) && is_removed(&removed));
    // In the middle of being put in place, and after it.
    replace_secret_key(files(&config)[0], &of_network).unwrap();
    assert_eq!(network_of(chosen(&rotated, false)), Some(network(NEXT)));
    replace_secret_key(files(&config)[1], &of_votes).unwrap();
    for file in files(&config) {
        std::fs::remove_file(next_key_path(file)).unwrap();
    }
    assert_eq!(network_of(chosen(&rotated, false)), Some(network(NEXT)));
    // A home of before the rotation: the key before is here, so this is that node.
    assert_eq!(network_of(chosen(&before, false)), Some(network(NEXT)));
    let elsewhere = tempfile::tempdir().unwrap();
    let config = self::config(elsewhere.path(), &key(2, 2).public_key());
    for (file, key) in files(&config).iter().zip(pair(NEXT)) {
        create_secret_key(file, &key).unwrap();
    }
    let refused = choose(&config, identity(&config), &before, false).unwrap_err().to_string();
    assert!(refused.contains("another network_key for this node"), "{refused}");
}

#[test]
fn addresses_follow_keys_and_a_home_that_is_behind_knows_later_ones() {
    let folder = tempfile::tempdir().unwrap();
    let network = |number: u32| key(2, number).public_key();
    let before = RegistryContent::genesis(&genesis());
    let rotated = changed(&before, 2, Some(NEXT));
    let again = changed(&rotated, 2, Some(LATER));
    let removed = changed(&again, 2, None);
    let rows = [
        ("as configured", 2, &before, Some(2)),
        ("rotated since", 2, &rotated, Some(NEXT)),
        ("rotated twice since", 2, &again, Some(LATER)),
        ("configured after the rotation, at a home of before it", NEXT, &before, Some(NEXT)),
        ("of between the rotations", NEXT, &again, Some(LATER)),
        ("removed since", 2, &removed, None),
    ];
    for (what, configured, registry, expected) in rows {
        let config = config(folder.path(), &network(configured));
        let nodes = nodes_known(&config, registry);
        let dialled: Vec<_> =
            peers(&config, registry, &nodes).into_iter().map(|peer| peer.key).collect();
        assert_eq!(dialled, expected.map(network).into_iter().collect::<Vec<_>>(), "{what}");
        let known = (nodes[2].network_key, nodes[2].is_removed());
        let expected = expected.map_or((Node::NO_KEY, true), |number| (network(number), false));
        assert_eq!(known, expected, "{what}");
    }
    // The key before may fetch the block with which it was withdrawn, and a little more.
    for (height, is_leaving) in [(10, true), (29, true), (30, false)] {
        let keys = leaving(&rotated, Height::new(height));
        assert_eq!(keys, if is_leaving { vec![network(2)] } else { vec![] }, "{height}");
    }
}
