//! The batches of one client, over many seeds: it never sends faster than its share, carries no
//! refusal to another node, gives up exactly what cannot be final in time, and is moved by no lie.

use std::collections::BTreeMap;

use chain_types::TimeMs;
use consensus_scheduler::pacing::HEARD_US;
use consensus_scheduler::scheduler::QUEUE_US;
use consensus_scheduler::{CallEnd, PaceStep, PacedQueue, Pacer, SendPlan, Ticket};

use crate::crowd::Draws;
use crate::support::BEGIN_US;

const SEEDS: u64 = 200;
const SETTLE_MS: u64 = 250;
/// How far ahead of its share a client may be, in microseconds, by the crate's own words: less than
/// the 250 ms that a node tolerates.
const AHEAD_US: u64 = 150_000;
const STEP_US: u64 = 1_000;

fn valid(from_us: u64, milliseconds: u64) -> TimeMs {
    TimeMs::new(from_us / 1_000 + milliseconds)
}

/// A call that was made: when, and of how many items.
#[derive(Debug, Clone, Copy)]
struct Sent {
    at_us: u64,
    items: u64,
}

/// A client before nodes that answer at random.
struct Run {
    queue: PacedQueue,
    draws: Draws,
    nodes: usize,
    now_us: u64,
    items: BTreeMap<Ticket, u64>,
    /// When each call is answered.
    answers: Vec<(u64, Ticket, usize)>,
    sent: Vec<Sent>,
    /// Refusals: when, by which node, and until when.
    refused: Vec<(u64, usize, u64)>,
    given_up: Vec<Ticket>,
    done: Vec<Ticket>,
}

impl Run {
    fn new(seed: u64, nodes: usize, away_max: usize) -> Self {
        let queue = PacedQueue::new(Pacer::new(nodes, SETTLE_MS, seed), away_max);
        Self {
            queue,
            draws: Draws::new(seed),
            nodes,
            now_us: BEGIN_US,
            items: BTreeMap::new(),
            answers: Vec::new(),
            sent: Vec::new(),
            refused: Vec::new(),
            given_up: Vec::new(),
            done: Vec::new(),
        }
    }

    fn hear(&mut self, shares: &[u64]) {
        for (node, share) in shares.iter().enumerate() {
            self.queue.hear(node, 20, *share, self.now_us);
        }
    }

    fn offer(&mut self, items: u64, valid_until: TimeMs) -> Ticket {
        let ticket = self.queue.offer(items, valid_until, self.now_us);
        self.items.insert(ticket, items);
        ticket
    }

    /// Does all that the queue asks for at this moment.
    fn act(&mut self) {
        loop {
            match self.queue.next(self.now_us) {
                PaceStep::Send { ticket, node, declared } => {
                    assert!(node < self.nodes);
                    assert!(declared.ahead_items <= declared.backlog_items, "{declared:?}");
                    let (at_us, items) = (self.now_us, self.items[&ticket]);
                    self.sent.push(Sent { at_us, items });
                    let after_us = 20_000 + self.draws.below(300_000);
                    self.answers.push((at_us + after_us, ticket, node));
                }
                PaceStep::GiveUp { ticket } => self.given_up.push(ticket),
                PaceStep::Wait { until_us } => return assert!(until_us > self.now_us),
                PaceStep::Idle => return assert_eq!(self.queue.held_items(), 0),
            }
        }
    }

    /// Answers what is due: `refusals` of a hundred calls are refused, and `silences` of them get
    /// no answer.
    fn answer(&mut self, refusals: u64, silences: u64) {
        let due = |answer: &(u64, Ticket, usize)| answer.0 <= self.now_us;
        let (due, later): (Vec<_>, Vec<_>) = self.answers.drain(..).partition(due);
        self.answers = later;
        for (_, ticket, node) in due {
            let drawn = self.draws.below(100);
            if drawn < refusals {
                let until_ms = self.now_us / 1_000 + 50 + self.draws.below(400);
                self.queue.record_refusal(ticket, TimeMs::new(until_ms), self.now_us);
                self.refused.push((self.now_us, node, until_ms * 1_000));
            } else if drawn < refusals + silences {
                self.queue.record_unanswered(ticket, node, CallEnd::Open, self.now_us);
            } else {
                self.queue.forget(ticket);
                self.done.push(ticket);
            }
        }
    }
}

/// Asserts that no stretch of calls is faster than the share, 150 ms ahead of it, and one batch.
fn assert_paced(sent: &[Sent], share: u64, largest: u64, case: &str) {
    for (first, from) in sent.iter().enumerate() {
        let mut items = 0;
        for call in &sent[first..] {
            items += call.items;
            let time_us = call.at_us - from.at_us + AHEAD_US;
            let most = share * time_us / 1_000_000 + largest;
            assert!(items <= most, "{case}: {items} of {most} in {time_us} us");
        }
    }
}

#[test]
fn a_client_never_sends_faster_than_its_share() {
    for seed in 1..=SEEDS {
        let nodes = 1 + seed as usize % 5;
        let mut run = Run::new(seed, nodes, 1 + seed as usize % 40);
        let share = 200 + run.draws.below(20_000);
        let largest = 1 + run.draws.below(share / 2);
        for step in 0..3_000 {
            if step % 100 == 0 {
                run.hear(&vec![share; nodes]);
            }
            if run.draws.below(4) == 0 {
                let items = 1 + run.draws.below(largest);
                run.offer(items, valid(run.now_us, 60_000));
            }
            run.answer(5, 5);
            run.act();
            run.now_us += STEP_US;
        }
        assert!(run.sent.len() > 3, "seed {seed}: {} calls", run.sent.len());
        assert_paced(&run.sent, share, largest, &format!("seed {seed}"));
    }
}

#[test]
fn a_refusal_is_carried_to_no_node_before_its_time_and_the_same_batch_comes_again() {
    for seed in 1..=SEEDS {
        let mut run = Run::new(seed, 4, 16);
        run.hear(&[50_000; 4]);
        for _ in 0..40 {
            run.offer(100, valid(BEGIN_US, 600_000));
        }
        for step in 0..60_000 {
            if step % 100 == 0 {
                run.hear(&[50_000; 4]);
            }
            run.answer(if step < 20_000 { 60 } else { 0 }, 0);
            run.act();
            run.now_us += STEP_US;
        }
        for (told_us, node, until_us) in &run.refused {
            let early = run.sent.iter().find(|sent| (*told_us..*until_us).contains(&sent.at_us));
            assert!(early.is_none(), "seed {seed}: node {node} said {until_us}: {early:?}");
        }
        assert_eq!((run.done.len(), run.given_up.len()), (40, 0), "seed {seed}");
    }
}

/// The rule, from the page: a batch is final after what is before it and itself at 98 % of the
/// share, behind the queue that a node allows (0.5 s at least) and the time a block takes.
fn is_final_in_time(share: u64, ahead: u64, items: u64, queue_ms: u64, valid_ms: u64) -> bool {
    let pace = (share * 98 / 100).max(1);
    let sent_us = BEGIN_US + (ahead + items) * 1_000_000 / pace;
    sent_us / 1_000 + SETTLE_MS + queue_ms.max(QUEUE_US / 1_000) <= valid_ms
}

#[test]
fn never_is_said_exactly_when_it_cannot_be_final_in_time() {
    let mut said = [0; 2];
    for seed in 1..=20 * SEEDS {
        let mut draws = Draws::new(seed);
        let (share, items) = (1 + draws.below(5_000), 1 + draws.below(8_192));
        let (ahead, queue_ms) = (draws.below(20_000), draws.below(2_000));
        let valid_until = valid(BEGIN_US, draws.below(10_000));
        let mut pacer = Pacer::new(3, SETTLE_MS, seed);
        for node in 0..3 {
            pacer.hear(node, queue_ms as u32, share, BEGIN_US);
        }
        let is_never = pacer.plan(items, ahead, valid_until, BEGIN_US) == SendPlan::Never;
        let in_time = is_final_in_time(share, ahead, items, queue_ms, valid_until.get());
        assert_eq!(is_never, !in_time, "seed {seed}: {items} behind {ahead} at {share}");
        said[usize::from(is_never)] += 1;
    }
    assert!(said.iter().all(|times| *times > 100), "{said:?}");
}

#[test]
fn what_a_smaller_share_makes_too_late_is_given_up_and_the_rest_is_sent() {
    let mut run = Run::new(1, 4, 64);
    run.hear(&[1_000; 4]);
    let tickets: Vec<Ticket> = (0..30).map(|_| run.offer(100, valid(BEGIN_US, 6_000))).collect();
    run.act();
    assert!(run.given_up.is_empty(), "three seconds of work are in time");
    // A third of the share: a third of what is held back, and no more, is in time.
    for step in 0..8_000 {
        if step % 100 == 0 {
            run.hear(&[300; 4]);
        }
        run.answer(0, 0);
        run.act();
        run.now_us += STEP_US;
    }
    let (done, given_up) = (run.done.len(), run.given_up.len());
    assert_eq!(done + given_up, 30);
    assert!((12..=18).contains(&done), "{done}");
    // What is given up came last.
    assert_eq!(run.given_up[..], tickets[done..]);
}

#[test]
fn nothing_is_given_up_for_an_old_word_or_after_a_call_without_an_answer() {
    // A share of one item a second that nobody repeats: the pace stays, but nothing is refused.
    let mut run = Run::new(3, 2, 8);
    run.hear(&[1; 2]);
    run.now_us += HEARD_US + 1;
    run.offer(1_000, valid(run.now_us, 5_000));
    run.act();
    assert_eq!((run.given_up.len(), run.sent.len()), (0, 1));
    // It may be in a pool: it goes again to the other node, and again, also past its time.
    for round in 0..20 {
        let (_, ticket, node) = run.answers.pop().unwrap();
        run.queue.record_unanswered(ticket, node, CallEnd::Open, run.now_us);
        assert!(run.queue.is_open(ticket));
        run.hear(&[1_000_000; 2]);
        run.now_us += 60_000_000;
        run.act();
        assert_eq!((run.given_up.len(), run.sent.len()), (0, round + 2));
    }
    // One that no node has taken is given up when its time is over.
    let mut run = Run::new(3, 2, 8);
    let ticket = run.offer(10, valid(BEGIN_US, 2_000));
    run.act();
    run.queue.record_unanswered(ticket, 0, CallEnd::NotTaken, run.now_us);
    run.now_us += 3_000_000;
    run.act();
    assert_eq!(run.given_up, [ticket]);
}

#[test]
fn a_node_that_cannot_be_reached_is_passed_by() {
    for seed in 1..=SEEDS {
        let mut run = Run::new(seed, 4, 16);
        run.hear(&[10_000; 4]);
        for _ in 0..50 {
            run.offer(20, valid(BEGIN_US, 60_000));
        }
        let mut tried = 0;
        while run.done.len() < 50 {
            assert!(run.now_us < BEGIN_US + 30_000_000, "seed {seed}");
            run.act();
            for (_, ticket, node) in std::mem::take(&mut run.answers) {
                if node == 2 {
                    tried += 1;
                    run.queue.record_unanswered(ticket, node, CallEnd::Open, run.now_us);
                } else {
                    run.queue.forget(ticket);
                    run.done.push(ticket);
                }
            }
            run.now_us += STEP_US;
        }
        assert!(tried < 50, "seed {seed}: {tried} calls to a node that is away");
        assert!(run.given_up.is_empty());
    }
}

/// Items sent in five seconds when there is always more, and the batches that were given up.
fn sent_in_five_seconds(shares: &[u64], seed: u64) -> (u64, usize) {
    let mut run = Run::new(seed, shares.len(), 64);
    for step in 0..5_000 {
        if step % 100 == 0 {
            run.hear(shares);
        }
        while run.queue.held_items() < 500 {
            run.offer(50, valid(run.now_us, 10_000));
            if !run.given_up.is_empty() {
                break;
            }
            run.act();
        }
        run.answer(0, 0);
        run.act();
        run.now_us += STEP_US;
    }
    (run.sent.iter().map(|sent| sent.items).sum(), run.given_up.len())
}

#[test]
fn a_node_that_states_nothing_or_everything_does_no_harm() {
    let honest = sent_in_five_seconds(&[1_000; 4], 5);
    assert!((4_900..=5_200).contains(&honest.0) && honest.1 == 0, "{honest:?}");
    for lie in [0, 1, u64::MAX] {
        for liar in 0..4 {
            let mut shares = [1_000; 4];
            shares[liar] = lie;
            assert_eq!(sent_in_five_seconds(&shares, 5), honest, "node {liar} states {lie}");
        }
        // Of three, one lies; of two, the client is not held back.
        assert_eq!(sent_in_five_seconds(&[lie, 1_000, 1_000], 5).1, 0);
        assert!(sent_in_five_seconds(&[lie, 1_000], 5).0 >= honest.0 - 200, "{lie}");
    }
}

#[test]
fn nothing_overflows_in_a_queue_of_extremes() {
    let extremes = [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    for now_us in [0, BEGIN_US, u64::MAX] {
        for share in extremes {
            let mut queue = PacedQueue::new(Pacer::new(2, u64::MAX, 1), 0);
            queue.hear(0, u32::MAX, share, now_us);
            let tickets = extremes.map(|items| queue.offer(items, TimeMs::new(items), now_us));
            for ticket in tickets {
                let _ = queue.next(now_us);
                queue.record_refusal(ticket, TimeMs::new(u64::MAX), now_us);
                queue.record_unanswered(ticket, 7, CallEnd::NotTaken, now_us);
                let _ = queue.next(now_us);
                queue.forget(ticket);
            }
            assert_eq!((queue.held_items(), queue.batches()), (0, 0));
        }
    }
}

#[test]
fn who_has_not_heard_of_its_share_sends_no_more_than_one_of_the_largest_batches() {
    for (items, at_once) in [(8_192, 1), (4_096, 2), (100_000, 1), (64, 128)] {
        let mut run = Run::new(1, 4, 1_000);
        for _ in 0..200 {
            run.offer(items, valid(BEGIN_US, 60_000));
        }
        run.act();
        assert_eq!(run.sent.len(), at_once, "{items} items");
        // What comes back makes room, whatever became of it.
        let (_, ticket, _) = run.answers[0];
        run.queue.forget(ticket);
        run.act();
        assert_eq!(run.sent.len(), at_once + 1, "{items} items");
        run.hear(&[u64::MAX; 4]);
        run.act();
        assert_eq!(run.sent.len(), 200, "{items} items");
    }
}
