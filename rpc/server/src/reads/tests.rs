//! Turns are counted, never timed: a read that may not begin yet is a future that is pending.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Mutex;

use futures::future::{BoxFuture, Fuse};
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use super::*;

fn address(last: u8) -> IpAddr {
    IpAddr::from([127, 0, 0, last])
}

fn reads(dear_reads_max: u32, reads_waiting_max: u32) -> Reads {
    let config =
        ServerConfig { reads_max: 2, dear_reads_max, reads_waiting_max, ..ServerConfig::default() };
    Reads::new(&config, &RpcMetrics::register(&Mutex::new(Registry::default())))
}

type Asked = Fuse<BoxFuture<'static, Result<Turn, PutOff>>>;

/// A read that has been asked for; `Some` when it may begin, or is put off.
fn ask(reads: &Reads, caller: u8, cost: Cost) -> (Asked, Option<Result<Turn, PutOff>>) {
    let reads = reads.clone();
    let mut asked = async move { reads.turn(address(caller), cost).await }.boxed().fuse();
    let now = (&mut asked).now_or_never();
    (asked, now)
}

fn begins(asked: &mut Asked) -> Option<Turn> {
    asked.now_or_never().map(Result::unwrap)
}

/// The first of these reads that may begin.
fn first_to_begin(asked: &mut [Asked]) -> Option<Turn> {
    asked.iter_mut().find_map(|asked| asked.now_or_never()?.ok())
}

const PAGE: Cost = Cost::page(1_000);

#[test]
fn costs_grow_with_what_is_asked_for() {
    assert_eq!(Cost::page(1), Cost { class: ReadClass::Cheap, units: 1 });
    assert_eq!(Cost::page(20).class, ReadClass::Cheap);
    assert_eq!(Cost::page(100), Cost { class: ReadClass::Dear, units: 6 });
    assert_eq!(Cost::page(u32::MAX), Cost { class: ReadClass::Dear, units: 51 });
    assert_eq!(Cost::PROOF.class, ReadClass::Dear);
}

#[test]
fn a_cheap_read_never_waits_behind_a_dear_one() {
    let reads = reads(1, 64);
    let _running = ask(&reads, 1, Cost::PROOF).1.unwrap().unwrap();
    let waiting: Vec<_> = (0..60).map(|_| ask(&reads, 1, Cost::PROOF)).collect();
    assert!(waiting.iter().all(|(_, now)| now.is_none()), "one dear read at a time");
    assert!(ask(&reads, 1, Cost::CHEAP).1.unwrap().is_ok());
    assert!(ask(&reads, 2, Cost::page(10)).1.unwrap().is_ok());
    assert!(ask(&reads, 2, Cost::QUESTION).1.unwrap().is_ok());
}

#[test]
fn a_dear_read_has_its_turn_until_its_answer_is_made() {
    let reads = reads(1, 64);
    let (answered, made) = oneshot::channel::<()>();
    let mut call = Box::pin(on_behalf_of(address(1), async {
        // A call that reads twice does not wait for itself.
        for _ in 0..2 {
            let turn = reads.turn(address(1), PAGE).await.unwrap();
            keep_until_answered(turn.after_read());
        }
        made.await
    }));
    assert!((&mut call).now_or_never().is_none());
    let (mut other, now) = ask(&reads, 2, PAGE);
    assert!(now.is_none(), "both reads are done, and the answer is not made");
    answered.send(()).unwrap();
    assert!((&mut call).now_or_never().is_some());
    assert!(begins(&mut other).is_some());
}

#[test]
fn callers_take_turns_however_many_reads_one_has_waiting() {
    let reads = reads(1, 64);
    let first = ask(&reads, 1, PAGE).1.unwrap().unwrap();
    let mut flood: Vec<_> = (0..50).map(|_| ask(&reads, 1, PAGE).0).collect();
    let mut honest = ask(&reads, 2, PAGE).0;
    drop(first);
    let turn = begins(&mut honest).expect("who waits for one read is next");
    assert!(flood.iter_mut().all(|asked| begins(asked).is_none()));
    let mut again = ask(&reads, 2, PAGE).0;
    drop(turn);
    // The flood's second read came before the honest caller's second, and then it is its turn.
    let turn = begins(&mut flood[0]).expect("the flood has turns too");
    drop(turn);
    assert!(begins(&mut again).is_some());
}

#[test]
fn turns_are_by_what_reads_cost() {
    let reads = reads(1, 64);
    let small = Cost { class: ReadClass::Dear, units: 10 };
    let large = Cost { class: ReadClass::Dear, units: 50 };
    let running = ask(&reads, 3, small).1.unwrap().unwrap();
    let mut cheaper: Vec<_> = (0..10).map(|_| ask(&reads, 1, small).0).collect();
    let mut dearer: Vec<_> = (0..10).map(|_| ask(&reads, 2, large).0).collect();
    let (mut turn, mut served) = (running, [0, 0]);
    for _ in 0..12 {
        drop(turn);
        turn = match (first_to_begin(&mut cheaper), first_to_begin(&mut dearer)) {
            (Some(turn), None) => {
                served[0] += 1;
                turn
            }
            (None, Some(turn)) => {
                served[1] += 1;
                turn
            }
            other => panic!("one read begins at a time: {other:?}"),
        };
    }
    assert_eq!(served, [10, 2], "five small reads for each large one");
}

#[test]
fn a_full_queue_puts_off_whoever_has_the_most() {
    let reads = reads(1, 8);
    let running = ask(&reads, 1, PAGE).1.unwrap().unwrap();
    let mut flood: Vec<_> = (0..8).map(|_| ask(&reads, 1, PAGE).0).collect();
    let refused = ask(&reads, 1, PAGE).1.unwrap().unwrap_err();
    assert_eq!(refused, PutOff { class: ReadClass::Dear, retry_after_ms: 500 });
    let mut honest = ask(&reads, 2, PAGE).0;
    let put_off = (&mut flood[7]).now_or_never().unwrap();
    assert!(put_off.is_err(), "the last of the flood makes room");
    assert_eq!(reads.waiting(ReadClass::Dear), 8);
    drop(running);
    assert!(begins(&mut honest).is_some(), "and its caller is served next");
}

#[test]
fn many_hostile_callers_share_a_full_queue_with_an_honest_one() {
    let reads = reads(1, 16);
    let running = ask(&reads, 100, PAGE).1.unwrap().unwrap();
    let hostile = (0..16).flat_map(|_| 1..8);
    let mut flood: Vec<_> = hostile.map(|last| ask(&reads, last, PAGE).0).collect();
    let (mut honest, now) = ask(&reads, 200, PAGE);
    assert!(now.is_none(), "it is not refused");
    drop(running);
    let mut turns = 0;
    while begins(&mut honest).is_none() {
        let next = first_to_begin(&mut flood);
        turns += 1;
        assert!(turns <= 8, "one turn of each other caller at most");
        drop(next);
    }
}

#[test]
fn who_leaves_takes_no_turn_and_keeps_no_place() {
    let reads = reads(1, 8);
    let running = ask(&reads, 1, PAGE).1.unwrap().unwrap();
    for _ in 0..1_000 {
        drop(ask(&reads, 1, PAGE).0);
    }
    assert_eq!(reads.waiting(ReadClass::Dear), 0);
    let next = ask(&reads, 1, PAGE).0;
    let mut after = ask(&reads, 1, PAGE).0;
    drop(running);
    // It may begin, and leaves before it knows.
    drop(next);
    assert!(begins(&mut after).is_some(), "its turn goes to the next");
}
