//! Configurations that cannot work are refused at start, in words.

use chain_types::PublicKey;
use node_network::{Limits, NetworkConfig, NetworkFault, Peer, peer_id};

use crate::node::{Node, config, key, limits};

async fn refusal(config: NetworkConfig) -> (NetworkFault, String) {
    let Err(fault) = Node::try_start(config).await else { panic!("it started") };
    let text = fault.to_string();
    (fault, text)
}

#[tokio::test]
async fn bad_addresses_name_the_setting_and_its_content() {
    for listen in ["", "localhost:26600", "127.0.0.1", "/dns4/x/tcp/1", "/ip4/127.0.0.1/udp/1"] {
        let (_, text) = refusal(NetworkConfig { listen: listen.to_owned(), ..config(1) }).await;
        assert!(text.contains("listen") && text.contains(&format!("`{listen}`")), "{text}");
    }
    let peers = vec![
        Peer { key: key(2), address: "127.0.0.1:26601".to_owned() },
        Peer { key: key(3), address: "nowhere".to_owned() },
    ];
    let (_, text) = refusal(NetworkConfig { peers, ..config(1) }).await;
    assert!(text.contains("peers[1].address") && text.contains("`nowhere`"), "{text}");
}

#[tokio::test]
async fn a_port_in_use_is_told() {
    let one = Node::start(config(1)).await;
    let listen = one.network.listen_address().to_string();
    let (fault, text) = refusal(NetworkConfig { listen: listen.clone(), ..config(2) }).await;
    assert!(matches!(fault, NetworkFault::Listen { .. }));
    assert!(text.contains(&listen), "{text}");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let mut candidates = (0..=255).map(|byte| PublicKey::from_bytes([byte; 32]));
    let no_key = candidates.find(|key| peer_id(key) == key.to_string()).unwrap();
    let (fault, _) = refusal(NetworkConfig { allowed: [no_key].into(), ..config(1) }).await;
    assert!(matches!(fault, NetworkFault::Key { key, .. } if key == no_key));
}

#[tokio::test]
async fn limits_that_contradict_each_other_are_refused() {
    let good = limits();
    let mut small_inbox = good;
    small_inbox.bulk.inbox_bytes_max = small_inbox.bulk.frame_bytes_max - 1;
    let mut small_budget = good;
    small_budget.consensus.budget_bytes_per_second = 10;
    let table: [(Limits, &str); 4] = [
        (small_inbox, "bulk.inbox_bytes_max"),
        (small_budget, "consensus.budget_bytes_per_second"),
        (Limits { redial_max: good.redial_min / 2, ..good }, "redial_max"),
        (Limits { strikes_max: 0, ..good }, "strikes_max"),
    ];
    for (limits, named) in table {
        let (_, text) = refusal(NetworkConfig { limits, ..config(1) }).await;
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn a_peer_id_is_the_one_that_other_tools_show() {
    assert!(peer_id(&key(1)).starts_with("12D3KooW"));
    assert_ne!(peer_id(&key(1)), peer_id(&key(2)));
}
