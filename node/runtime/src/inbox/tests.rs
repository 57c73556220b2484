use std::thread;

use chain_types::Height;

use super::*;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The `number`th thing that a peer says.
fn status(number: u64) -> PeerMessage {
    PeerMessage::Status { height: Height::new(number) }
}

fn question(token: u64) -> Input {
    Input::BatchesWanted { ids: Vec::new(), token }
}

/// The name of an input of these tests: `3/1` is the first message of peer 3, `q1` question 1.
fn name(input: &Input) -> String {
    match input {
        Input::Message { from, message: PeerMessage::Status { height } } => {
            format!("{}/{height}", from.get())
        }
        Input::BatchesWanted { token, .. } => format!("q{token}"),
        Input::Connected(node) => format!("{}+", node.get()),
        Input::Disconnected(node) => format!("{}-", node.get()),
        other => panic!("{other:?} is not of these tests"),
    }
}

/// All that waits, in the order in which the driver takes it.
fn taken(receiver: &InputReceiver) -> Vec<String> {
    std::iter::from_fn(|| receiver.recv_timeout(Duration::ZERO).ok())
        .map(|input| name(&input))
        .collect()
}

#[test]
fn sources_take_turns() {
    type Row<'a> = (&'a str, &'a [(Option<u32>, u64)], &'a str);
    // Who says how much: peers by number, and questions.
    let rows: &[Row<'_>] = &[
        ("one peer, in its order", &[(Some(1), 3)], "1/1 1/2 1/3"),
        (
            "a peer that floods and one that does not",
            &[(Some(1), 4), (Some(2), 1)],
            "1/1 2/1 1/2 1/3 1/4",
        ),
        (
            "three peers in turn",
            &[(Some(1), 2), (Some(2), 2), (Some(3), 2)],
            "1/1 2/1 3/1 1/2 2/2 3/2",
        ),
        ("messages before questions", &[(None, 2), (Some(1), 2)], "1/1 1/2 q1 q2"),
        (
            "but not for ever",
            &[(None, 2), (Some(1), 18)],
            "1/1 1/2 1/3 1/4 1/5 1/6 1/7 1/8 1/9 1/10 1/11 1/12 1/13 1/14 1/15 1/16 q1 1/17 1/18 q2",
        ),
    ];
    for (what, said, expected) in rows {
        let (sender, receiver) = inbox();
        for (source, count) in *said {
            for number in 1..=*count {
                match source {
                    Some(peer) => {
                        assert_eq!(sender.message(NodeIndex::new(*peer), status(number), 9), 0)
                    }
                    None => sender.try_send(Source::Questions, question(number)).unwrap(),
                }
            }
        }
        assert_eq!(taken(&receiver).join(" "), *expected, "{what}");
    }
}

#[test]
fn other_sources_share_what_messages_leave() {
    let (sender, receiver) = inbox();
    for token in 1..=3 {
        for (number, source) in (1..).zip(Source::ALL) {
            sender.try_send(source, question(number * 10 + token)).unwrap();
        }
    }
    assert_eq!(taken(&receiver).join(" "), "q11 q21 q31 q12 q22 q32 q13 q23 q33");
}

#[test]
fn a_peer_that_floods_loses_its_own_oldest_messages_and_nobody_elses() {
    let (sender, receiver) = inbox();
    let flood = MESSAGES_MAX as u64 + 10;
    let dropped: u64 =
        (1..=flood).map(|number| sender.message(NodeIndex::new(1), status(number), 9)).sum();
    assert_eq!(dropped, 10);
    assert_eq!(sender.message(NodeIndex::new(2), status(1), 9), 0);
    let taken = taken(&receiver);
    assert_eq!(taken[..3], ["1/11", "2/1", "1/12"]);
    assert_eq!(taken.len(), MESSAGES_MAX + 1);
}

#[test]
fn large_messages_are_bounded_in_bytes_and_a_single_one_always_fits() {
    let (sender, receiver) = inbox();
    let third = MESSAGES_BYTES_MAX / 3;
    let dropped: Vec<u64> =
        (1..=5).map(|number| sender.message(NodeIndex::new(1), status(number), third)).collect();
    assert_eq!(dropped, [0, 0, 0, 1, 1]);
    assert_eq!(sender.message(NodeIndex::new(1), status(6), MESSAGES_BYTES_MAX + 1), 3);
    assert_eq!(taken(&receiver), ["1/6"]);
    assert_eq!(
        sender.message(NodeIndex::new(1), status(7), third),
        0,
        "taken bytes are free again"
    );
    assert_eq!(taken(&receiver), ["1/7"]);
}

#[test]
fn the_newest_word_on_a_link_is_kept_and_comes_first() {
    let (sender, receiver) = inbox();
    sender.message(NodeIndex::new(1), status(1), 9);
    for is_connected in [true, false, true] {
        sender.link(NodeIndex::new(1), is_connected);
    }
    sender.link(NodeIndex::new(0), false);
    assert_eq!(taken(&receiver), ["0-", "1+", "1/1"]);
}

#[test]
fn a_full_source_refuses_or_waits_and_holds_up_no_other() {
    let (sender, receiver) = inbox();
    let full = Source::Questions.inputs_max() as u64;
    for token in 0..full {
        sender.try_send(Source::Questions, question(token)).unwrap();
    }
    assert_eq!(sender.try_send(Source::Questions, question(full)), Err(Refused::Full));
    assert_eq!(sender.try_send(Source::Batches, question(0)), Ok(()), "another source has room");
    let waiting = {
        let sender = sender.clone();
        thread::spawn(move || sender.send_blocking(Source::Questions, question(full)))
    };
    let inputs = (0..full + 2).map(|_| receiver.recv_timeout(PATIENCE).unwrap());
    let names: Vec<String> = inputs.map(|input| name(&input)).collect();
    assert_eq!(names.last(), Some(&format!("q{full}")), "what waited came in its turn");
    assert_eq!(waiting.join().unwrap(), Ok(()));
}

#[test]
fn the_driver_sleeps_until_something_comes_and_ends_with_the_last_sender() {
    let (sender, receiver) = inbox();
    assert_eq!(receiver.recv_timeout(Duration::ZERO).err(), Some(RecvTimeoutError::Timeout));
    let other = sender.clone();
    let speaking = thread::spawn(move || {
        sender.message(NodeIndex::new(1), status(1), 9);
        drop(sender);
        other.link(NodeIndex::new(2), true);
    });
    let mut names: Vec<String> =
        (0..2).map(|_| name(&receiver.recv_timeout(PATIENCE).unwrap())).collect();
    names.sort();
    assert_eq!(names, ["1/1", "2+"]);
    assert_eq!(receiver.recv_timeout(PATIENCE).err(), Some(RecvTimeoutError::Disconnected));
    speaking.join().unwrap();
}

#[test]
fn nobody_waits_for_a_driver_that_has_ended() {
    let (sender, receiver) = inbox();
    while sender.try_send(Source::Batches, question(1)).is_ok() {}
    let waiting = {
        let sender = sender.clone();
        thread::spawn(move || sender.send_blocking(Source::Batches, question(2)))
    };
    drop(receiver);
    assert_eq!(waiting.join().unwrap(), Err(Refused::Closed));
    assert_eq!(sender.try_send(Source::Submissions, question(3)), Err(Refused::Closed));
    assert_eq!(sender.message(NodeIndex::new(1), status(1), 9), 0);
}
