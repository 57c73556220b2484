//! Places are counted, never timed: who may not begin yet is a future that is pending.
#![allow(clippy::unwrap_used)]

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 0, last])
}

#[test]
fn an_idle_queue_remembers_nobody() {
    let queue = FairQueue::new(2, 8);
    for last in 0..200 {
        drop(queue.place(address(last), 51).now_or_never().unwrap().unwrap());
    }
    let queue = queue.lock();
    assert_eq!((queue.callers.len(), queue.running, queue.tag), (0, 0, 0));
}

/// A server with one thread for all of its clients, whose hundred messages each count themselves.
/// Returns how many of a flood began before the message of another caller that came last.
async fn begun_before_an_honest_one(flood: u32) -> u32 {
    let queue = FairQueue::new(1, usize::MAX);
    let (begun, all_sent) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
    let held = queue.place(address(1), 1).await.unwrap();
    for _ in 0..flood {
        let (queue, begun) = (queue.clone(), begun.clone());
        tokio::spawn(async move {
            let count = async { begun.fetch_add(1, Ordering::SeqCst) };
            queue.place(address(1), 1).await.unwrap().begin(count).await
        });
    }
    let honest = tokio::spawn({
        let (queue, begun, all_sent) = (queue.clone(), begun.clone(), all_sent.clone());
        async move {
            all_sent.notify_one();
            let place = queue.place(address(2), 1).await.unwrap();
            place.begin(async { begun.load(Ordering::SeqCst) }).await
        }
    });
    all_sent.notified().await;
    drop(held);
    honest.await.unwrap()
}

#[tokio::test]
async fn a_message_of_another_is_next_whatever_waits_of_one() {
    assert!(begun_before_an_honest_one(1_000).await <= 1);
}

#[tokio::test]
async fn a_call_that_waits_keeps_nobody_from_beginning() {
    let queue = FairQueue::new(1, usize::MAX);
    let (begun, mut calls) = (Arc::new(AtomicU32::new(0)), JoinSet::new());
    for _ in 0..100 {
        let (queue, begun) = (queue.clone(), begun.clone());
        calls.spawn(async move {
            let call = async {
                begun.fetch_add(1, Ordering::SeqCst);
                pending::<()>().await
            };
            queue.place(address(1), 1).await.unwrap().begin(call).await
        });
    }
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(begun.load(Ordering::SeqCst), 100, "none of them has ended");
}

#[tokio::test]
async fn who_leaves_before_its_turn_keeps_no_place() {
    let queue = FairQueue::new(1, usize::MAX);
    let held = queue.place(address(1), 1).await.unwrap();
    for _ in 0..1_000 {
        assert!(queue.place(address(1), 1).now_or_never().is_none());
    }
    assert_eq!(queue.waiting(), 0);
    drop(held);
    queue.place(address(2), 1).now_or_never().unwrap().unwrap();
}
