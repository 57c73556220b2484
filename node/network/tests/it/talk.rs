//! Honest nodes talking.

use bytes::Bytes;
use node_network::{Event, Lane, Limits, NetworkConfig, Peer, RequestError};

use crate::node::{Node, cluster, config, key, limits, numbered, place, wait_for};

/// Sizes from one byte to the largest batch, over every internal boundary.
fn size(place: usize) -> usize {
    [8, 200, 16_379, 16_380, 16_381, 65_536, 300_000, (1 << 20) + 148][place % 8]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_exchange_both_lanes_in_order() {
    let mut nodes = cluster(2, limits()).await;
    for (from, to) in [(0, 1), (1, 0)] {
        let (sender, receiver) = (nodes[from].network.clone(), nodes[to].key);
        for number in 0..100 {
            sender.send(receiver, Lane::Bulk, numbered(number, size(number)));
            for small in 0..10 {
                sender.send(receiver, Lane::Consensus, numbered(number * 10 + small, 150));
            }
        }
    }
    for (to, from) in [(0, 1), (1, 0)] {
        let from = nodes[from].key;
        let (mut consensus, mut bulk) = (0, 0);
        while consensus < 1000 || bulk < 100 {
            let (sender, lane, bytes) = nodes[to].next_message().await;
            assert_eq!(sender, from);
            let expected = match lane {
                Lane::Consensus => &mut consensus,
                Lane::Bulk => &mut bulk,
            };
            assert_eq!(place(&bytes), *expected, "{lane:?}");
            *expected += 1;
        }
        let messages = |lane| nodes[to].figure("network_messages_total", &[lane, "\"In\""]);
        assert_eq!((messages("Consensus"), messages("Bulk")), (1000, 100));
    }
    let bytes_out = nodes[0].figure("network_bytes_total", &["Bulk", "\"Out\""]);
    assert_eq!(bytes_out, (0..100).map(|number| size(number) as u64 + 4).sum::<u64>());
    assert_eq!(nodes[0].figure("network_dropped_total", &[]), 0);
    assert!(nodes[0].figure("libp2p_bandwidth_bytes_total", &["Outbound"]) > bytes_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn four_nodes_hear_all_of_each_other() {
    const MESSAGES: usize = 60;
    let mut nodes = cluster(4, limits()).await;
    for node in &nodes {
        for number in 0..MESSAGES {
            node.network.broadcast(Lane::Bulk, numbered(number, size(number % 7)));
            node.network.broadcast(Lane::Consensus, numbered(number, 150));
        }
    }
    for node in &mut nodes {
        let mut heard = std::collections::BTreeMap::new();
        for _ in 0..3 * 2 * MESSAGES {
            let (from, lane, bytes) = node.next_message().await;
            let expected: &mut usize = heard.entry((from, lane)).or_default();
            assert_eq!(place(&bytes), *expected);
            *expected += 1;
        }
        assert_eq!(heard.len(), 6);
        assert!(heard.values().all(|heard| *heard == MESSAGES));
        assert_eq!(node.figure("network_peers_connected", &[]), 3);
    }
    let expected: Vec<_> = nodes[1..].iter().map(|node| node.key).collect();
    let mut connected = nodes[0].network.connected();
    assert!(connected.is_sorted());
    connected.sort_by_key(|key| expected.iter().position(|other| other == key));
    assert_eq!(connected, expected);
}

/// Answers requests with the same bytes, but for a few that name something else to do.
async fn serve(mut node: Node) {
    let mut kept = Vec::new();
    while let Some(event) = node.events.recv().await {
        if let Event::Request { bytes, reply, .. } = event {
            match &bytes[..] {
                b"drop" => drop(reply),
                b"huge" => reply.send(Bytes::from(vec![9; 16 << 20])),
                b"above" => reply.send(Bytes::from(vec![9; (16 << 20) + 1])),
                b"keep" => kept.push(reply),
                _ => reply.send(bytes),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_or_fail_with_their_reason() {
    let mut nodes = cluster(2, limits()).await;
    let peers = nodes.iter().map(Node::peer).collect();
    let (other, server) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    // The impatient asks only what is never answered; the asker has time for the rest.
    let limits = Limits { requests_out_max: 4, ..limits() };
    let impatient = Limits { request_timeout: std::time::Duration::from_millis(500), ..limits };
    let impatient = NetworkConfig { peers, limits: impatient, ..config(4) };
    let asker = NetworkConfig { peers: impatient.peers.clone(), limits, ..config(3) };
    let (asker, impatient) = (Node::start(asker).await, Node::start(impatient).await);
    asker.wait_peers(2).await;
    impatient.wait_peers(2).await;
    let to = server.key;
    let serving = [tokio::spawn(serve(server)), tokio::spawn(serve(other))];
    let ask = |text: &'static [u8]| asker.network.request(to, Bytes::from_static(text));

    assert_eq!(ask(b"hello").await.unwrap(), "hello");
    assert_eq!(asker.network.request(key(2), "to another".into()).await.unwrap(), "to another");
    let large = numbered(3, 64 << 10);
    assert_eq!(asker.network.request(to, large.clone()).await.unwrap(), large);
    assert_eq!(ask(b"huge").await.unwrap(), vec![9; 16 << 20]);
    assert_eq!(ask(b"above").await, Err(RequestError::Refused));
    assert_eq!(ask(b"drop").await, Err(RequestError::Refused));
    let keep = || impatient.network.request(to, "keep".into());
    assert_eq!(keep().await, Err(RequestError::Timeout));

    let above = Bytes::from(vec![0; (64 << 10) + 1]);
    let size = RequestError::RequestSize { actual: above.len(), limit: 64 << 10 };
    assert_eq!(asker.network.request(to, above).await, Err(size));
    assert!(matches!(ask(b"").await, Err(RequestError::RequestSize { actual: 0, .. })));
    let unknown = asker.network.request(key(99), "x".into()).await;
    assert_eq!(unknown, Err(RequestError::UnknownPeer));
    let absent = asker.network.request(key(9), "x".into()).await;
    assert_eq!(absent, Err(RequestError::NotConnected));

    let five = futures::future::join_all((0..5).map(|_| keep())).await;
    let busy = five.iter().filter(|answer| **answer == Err(RequestError::Busy)).count();
    assert_eq!(busy, 1, "four places, five requests: {five:?}");
    assert_eq!(keep().await, Err(RequestError::Timeout), "the places are free again");
    assert_eq!(asker.figure("network_requests_total", &["Out", "Answered"]), 4);
    assert_eq!(asker.figure("network_requests_total", &["Out", "Refused"]), 2);
    serving.iter().for_each(|task| task.abort());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_refuses_more_requests_than_it_can_hold() {
    let mut nodes = cluster(2, Limits { requests_in_max: 2, ..limits() }).await;
    let (mut server, asker) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    let to = server.key;
    let ask = |text: &'static str| {
        let network = asker.network.clone();
        tokio::spawn(async move { network.request(to, text.into()).await })
    };
    let asked = [ask("x"), ask("x"), ask("x")];
    let mut held = Vec::new();
    for _ in 0..2 {
        if let Event::Request { reply, .. } = server.next().await {
            held.push(reply);
        }
    }
    wait_for(|| server.figure("network_requests_total", &["In", "Refused"]) == 1).await;
    held.drain(..).for_each(|reply| reply.send("y".into()));
    let answers = futures::future::join_all(asked).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 2);
    assert!(answers.contains(&Err(RequestError::Refused)));
    let answer = ask("z");
    match server.next().await {
        Event::Request { reply, .. } => reply.send("z".into()),
        other => panic!("{other:?}"),
    }
    assert_eq!(answer.await.unwrap().unwrap(), "z");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_dial_each_other_at_once_become_connected_once() {
    // Ports are needed before either runs: take two, and give them back.
    let ports: Vec<_> = (0..2)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .map(|listener| listener.local_addr().unwrap().to_string())
        .collect();
    let start = |number: u8| {
        let peers = (1..=2)
            .map(|other| Peer { key: key(other), address: ports[usize::from(other) - 1].clone() })
            .collect();
        let listen = ports[usize::from(number) - 1].clone();
        Node::start(NetworkConfig { listen, peers, ..config(number) })
    };
    let (mut one, mut two) = tokio::join!(start(1), start(2));
    one.expect_connected(key(2)).await;
    two.expect_connected(key(1)).await;
    one.network.broadcast(Lane::Bulk, "hello".into());
    // The very next event: nobody is told twice.
    match two.next().await {
        Event::Message { bytes, .. } => assert_eq!(bytes, "hello"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_wait_for_an_absent_peer_and_batches_do_not() {
    let mut one = Node::start(config(1)).await;
    one.network.send(key(2), Lane::Consensus, "vote".into());
    one.network.send(key(2), Lane::Bulk, "batch".into());
    one.network.send(key(2), Lane::Consensus, "another vote".into());
    let mut two = Node::start(NetworkConfig { peers: vec![one.peer()], ..config(2) }).await;
    one.expect_connected(two.key).await;
    one.network.send(two.key, Lane::Bulk, "late batch".into());
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(two.next_message().await.2);
    }
    heard.sort();
    assert_eq!(heard, ["another vote", "late batch", "vote"]);
    assert_eq!(one.figure("network_dropped_total", &["Bulk", "NotConnected"]), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_is_found_by_name() {
    let one = Node::start(config(1)).await;
    let address = format!("localhost:{}", one.network.listen_address().port());
    let peers = vec![Peer { key: one.key, address }];
    let mut two = Node::start(NetworkConfig { peers, ..config(2) }).await;
    two.expect_connected(one.key).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_travel_is_counted_and_harms_nothing() {
    let mut nodes = cluster(2, limits()).await;
    let (mut receiver, sender) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    sender.network.send(receiver.key, Lane::Consensus, Bytes::new());
    sender.network.send(receiver.key, Lane::Consensus, Bytes::from(vec![0; (1 << 20) + 1]));
    sender.network.send(receiver.key, Lane::Bulk, Bytes::from(vec![0; (2 << 20) + 1]));
    sender.network.send(key(77), Lane::Bulk, "to nobody".into());
    sender.network.send(receiver.key, Lane::Consensus, "fine".into());
    assert_eq!(receiver.next_message().await.2, "fine");
    assert_eq!(sender.figure("network_dropped_total", &["BadSize"]), 3);
    assert_eq!(sender.figure("network_dropped_total", &["UnknownPeer"]), 1);
}
