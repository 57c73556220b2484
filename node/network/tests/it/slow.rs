//! A peer that does not keep up harms only itself.

use bytes::Bytes;
use node_network::{Event, Lane, LaneLimits, Limits};

use crate::node::{cluster, limits, numbered, place, wait_for};

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_reads_nothing_does_not_hold_up_the_others() {
    let default = limits();
    let bulk = LaneLimits { queue_bytes_max: 4 * MIB, inbox_bytes_max: 4 * MIB, ..default.bulk };
    let mut nodes = cluster(3, Limits { bulk, ..default }).await;
    let (mut slow, mut quick) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    let sender = nodes.pop().unwrap();
    let full = || sender.figure("network_dropped_total", &["Bulk", "QueueFull"]);
    let mut sent = 0;
    while full() < 8 {
        sender.network.broadcast(Lane::Bulk, numbered(sent, MIB));
        let (_, _, bytes) = quick.next_message().await;
        assert_eq!(place(&bytes), sent, "the quick peer misses nothing");
        sent += 1;
    }
    // Votes pass by the batches that wait, even to the slow one.
    sender.network.broadcast(Lane::Consensus, "vote".into());
    assert_eq!(quick.next_message().await.2, "vote");
    wait_for(|| slow.figure("network_messages_total", &["Consensus", "In"]) == 1).await;
    match slow.next().await {
        Event::Message { lane: Lane::Consensus, bytes, .. } => assert_eq!(bytes, "vote"),
        _ => panic!("a batch came before the vote"),
    }
    // What was not dropped arrives in order, now that it is read.
    let mut last = None;
    for _ in 0..sent - full() as usize {
        let (_, _, bytes) = slow.next_message().await;
        let number = place(&bytes);
        assert!(last.is_none_or(|last| last < number));
        last = Some(number);
    }
    sender.network.send(slow.key, Lane::Bulk, Bytes::from_static(b"all is well"));
    assert_eq!(slow.next_message().await.2, "all is well");
}
