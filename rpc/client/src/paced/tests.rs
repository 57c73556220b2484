#![allow(clippy::unwrap_used, clippy::expect_used)]
//! A paced client before nodes that are played by hand: what is believed, what is sent again and
//! when, and which refusals stand.

use std::sync::Mutex;

use chain_types::merkle::{self, Tree};
use chain_types::{
    BatchError, BatchId, Digest, Height, ParticipantId, Rejection, SecretKey, ValidatorId, codec,
};
use consensus_scheduler::outlook::{OutlookHead, OutlookLine};
use consensus_scheduler::{OutlookError, OutlookProof, SignedOutlook};
use jsonrpsee::core::client::Error as ClientError;
use rpc_api::{ApiError, BatchState, NodeReport, OutlookLineReport, api_error, encode_base64};

use super::desk::{DeskAct, PaceDesk, PaceSettings};
use super::fate::{BatchFate, BatchTold};
use super::heard::{HeardOutlooks, OutlookKeys};
use super::*;
use crate::outlook::OutlookFault;

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));
const SUBMITTER: ParticipantId = ParticipantId::new(201);
const BEGIN_US: u64 = 1_800_000_000_000_000;
const NODES: usize = 4;

fn key(node: usize) -> SecretKey {
    SecretKey::from_seed(&[10 + u8::try_from(node).unwrap(); 32])
}

fn keys() -> OutlookKeys {
    let node = |node: usize| NodeReport {
        node: u32::try_from(node).unwrap(),
        name: format!("node-{node}"),
        operator: 1,
        power: 1,
        validator_key: key(node).public_key().to_string(),
        network_key: key(node).public_key().to_string(),
        removed: false,
    };
    OutlookKeys::of_nodes(&(0..NODES).map(node).collect::<Vec<_>>())
}

/// The words of a node about itself, before they are signed.
#[derive(Clone, Copy)]
struct Said {
    chain: ChainId,
    place: usize,
    signer: usize,
    submitter: ParticipantId,
    share: u64,
    made_us: u64,
    block_us: u64,
}

impl Said {
    fn by(node: usize, share: u64, now_us: u64) -> Self {
        let (chain, submitter) = (CHAIN, SUBMITTER);
        let (made_us, block_us) = (now_us, now_us - 100_000);
        Self { chain, place: node, signer: node, submitter, share, made_us, block_us }
    }

    fn report(self) -> OutlookReport {
        let made_at = TimeMs::new(self.made_us / 1_000);
        let line = OutlookLine {
            submitter: self.submitter,
            weight: 100,
            share_items_per_s: self.share,
            reason: 0,
            retry_at: made_at,
        };
        let tree = Tree::new(vec![merkle::leaf(&codec::encode(&line))]);
        let head = OutlookHead {
            chain_id: self.chain,
            node: ValidatorId::new(u32::try_from(self.place).unwrap()),
            height: Height::new(9),
            block_time: TimeMs::new(self.block_us / 1_000),
            made_at,
            valid_until: made_at.plus(1_000),
            capacity_items_per_s: 100_000,
            queue_ms: 20,
            load_ppm: 500_000,
            share_of_others: 10,
            lines: 1,
            lines_root: tree.root(),
        };
        let signed = SignedOutlook { head, signature: key(self.signer).sign(&head.digest()) };
        let proof = OutlookProof { line, index: 0, path: tree.prove(0).unwrap() };
        OutlookReport {
            chain_id: self.chain.to_string(),
            node: head.node.get(),
            height: 9,
            block_time_ms: head.block_time.get(),
            made_at_ms: made_at.get(),
            valid_until_ms: head.valid_until.get(),
            capacity_items_per_s: head.capacity_items_per_s,
            queue_ms: head.queue_ms,
            load_ppm: head.load_ppm,
            share_of_others_items_per_s: head.share_of_others,
            line_count: 1,
            signed_base64: encode_base64(&codec::encode(&signed)),
            line: Some(OutlookLineReport {
                submitter: line.submitter.get(),
                weight: 100,
                share_items_per_s: line.share_items_per_s,
                reason: 0,
                retry_at_ms: made_at.get(),
                proof_base64: encode_base64(&codec::encode(&proof)),
            }),
        }
    }
}

fn report(state: BatchState) -> BatchReport {
    BatchReport::pending(BatchId::new(Digest::from_bytes([1; 32])), state)
}

fn refused(rejection: Rejection, retry_after_ms: Option<u64>) -> CallError {
    let error = BatchError::new(rejection, "(detail)");
    CallError::new("http://a", ClientError::Call(rpc_api::rejection_error(&error, retry_after_ms)))
}

fn away() -> CallError {
    CallError::Unreachable { url: "http://a".to_owned(), problem: "closed".to_owned() }
}

/// A desk with a clock that is set by hand.
struct Played {
    desk: PaceDesk,
    now_us: u64,
    told: Vec<(Ticket, BatchTold)>,
    /// The share that nodes state when they are asked; `None` when they do not answer.
    share: Option<u64>,
    /// How far the chain's time is behind.
    behind_us: u64,
}

impl Played {
    fn new() -> Self {
        let settings = PaceSettings { patience_ms: 8_000, ..PaceSettings::default() };
        let desk = PaceDesk::new(CHAIN, SUBMITTER, keys(), NODES, settings);
        let (told, share) = (Vec::new(), Some(1_000));
        Self { desk, now_us: BEGIN_US, told, share, behind_us: 100_000 }
    }

    fn offer(&mut self, items: u64, valid_ms: u64) -> Ticket {
        let valid_until = TimeMs::new(self.now_us / 1_000 + valid_ms);
        self.desk.offer(items, valid_until, self.now_us)
    }

    /// Does what is to be done now but for calls, which are returned. Nodes answer at once when
    /// they are asked for an outlook.
    fn act(&mut self) -> Vec<(Ticket, usize)> {
        let mut sent = Vec::new();
        loop {
            match self.desk.next(self.now_us) {
                DeskAct::Send { ticket, node, .. } => sent.push((ticket, node)),
                DeskAct::Ask { node } => {
                    let said = self.share.map(|share| Said {
                        block_us: self.now_us - self.behind_us,
                        ..Said::by(node, share, self.now_us)
                    });
                    let answer = said.map(Said::report).ok_or_else(away);
                    self.desk.record_outlook(node, answer, self.now_us);
                }
                DeskAct::Tell { ticket, told } => self.told.push((ticket, told)),
                DeskAct::Wait { until_us } => {
                    assert!(until_us > self.now_us);
                    return sent;
                }
            }
        }
    }

    /// Lets time pass in steps of 10 ms until something is sent.
    fn until_sent(&mut self, longest_ms: u64) -> Vec<(Ticket, usize)> {
        let end_us = self.now_us + longest_ms * 1_000;
        loop {
            let sent = self.act();
            if !sent.is_empty() || self.now_us >= end_us {
                return sent;
            }
            self.now_us += 10_000;
        }
    }

    fn answer(&mut self, (ticket, node): (Ticket, usize), answer: Result<BatchReport, CallError>) {
        self.desk.record_answer(ticket, node, answer, self.now_us);
    }
}

#[test]
fn a_forged_old_or_foreign_outlook_counts_for_nothing() {
    let heard = || HeardOutlooks::new(CHAIN, SUBMITTER, keys(), NODES);
    let good = Said::by(1, 500, BEGIN_US);
    let mut believed = heard();
    let outlook = believed.hear(1, good.report(), BEGIN_US).unwrap();
    assert_eq!((outlook.share_items_per_s(), outlook.head.queue_ms), (500, 20));
    let place = |node: u32| OutlookError::Node(ValidatorId::new(node));
    let foreign = ChainId::new(Digest::from_bytes([8; 32]));
    let old_us = BEGIN_US - 7_000_000;
    let old = OutlookError::Old(TimeMs::new(old_us / 1_000 + 1_000));
    let ahead_us = BEGIN_US + 6_000_000;
    let table = [
        ("forged", Said { signer: 2, ..good }, OutlookError::Signature),
        ("of another chain", Said { chain: foreign, ..good }, OutlookError::Chain(foreign)),
        ("of a node that is not registered", Said { place: 9, ..good }, place(9)),
        ("old", Said { made_us: old_us, ..good }, old),
        (
            "still to come",
            Said { made_us: ahead_us, ..good },
            OutlookError::Future(TimeMs::new(ahead_us / 1_000)),
        ),
    ];
    for (case, said, fault) in table {
        let mut fresh = heard();
        let error = fresh.hear(1, said.report(), BEGIN_US).unwrap_err();
        assert_eq!(error, OutlookFault::Refuted(fault), "{case}");
        assert!(fresh.newest().is_none(), "{case}");
    }
    // Of another node than this one was before, and one that another node has signed already.
    let others = Said::by(2, 500, BEGIN_US);
    let error = believed.hear(1, others.report(), BEGIN_US).unwrap_err();
    assert_eq!(error, OutlookFault::Refuted(place(2)));
    let error = believed.hear(3, good.report(), BEGIN_US).unwrap_err();
    assert_eq!(error, OutlookFault::Refuted(place(1)));
    // Made before the one that was heard last.
    let earlier = Said { made_us: BEGIN_US - 500_000, ..good };
    assert!(believed.hear(1, earlier.report(), BEGIN_US).is_err());
    // Another submitter's line, and numbers that nobody signed.
    let line = Said { submitter: ParticipantId::new(202), ..good };
    let error = heard().hear(1, line.report(), BEGIN_US).unwrap_err();
    assert_eq!(error, OutlookFault::OtherSubmitter(ParticipantId::new(202)));
    let unsigned = OutlookReport { queue_ms: 9_000, ..good.report() };
    assert_eq!(heard().hear(1, unsigned, BEGIN_US).unwrap().head.queue_ms, 20);
}

#[test]
fn an_outlook_that_is_not_believed_moves_no_pace() {
    let mut played = Played::new();
    played.offer(1, 60_000);
    for (node, said) in [
        (0, Said { signer: 3, ..Said::by(0, 1, BEGIN_US) }),
        (1, Said { made_us: BEGIN_US - 9_000_000, ..Said::by(1, 1, BEGIN_US) }),
    ] {
        played.desk.record_outlook(node, Ok(said.report()), BEGIN_US);
    }
    assert_eq!(played.desk.refuted(), 2);
    assert!(played.desk.heard().newest().is_none());
    // Believed, it would hold back the second batch for a minute.
    assert_eq!(played.act().len(), 1);
    played.share = None;
    played.offer(1, 60_000);
    assert_eq!(played.act().len(), 1);
}

#[test]
fn the_same_batch_is_sent_again_when_the_refusal_says_and_not_before() {
    let mut played = Played::new();
    let ticket = played.offer(10, 60_000);
    let sent = played.act();
    assert_eq!(sent.len(), 1);
    played.answer(sent[0], Err(refused(Rejection::PoolFull, Some(700))));
    // Another batch does not go to another node meanwhile.
    played.offer(10, 60_000);
    let told_us = played.now_us;
    let again = played.until_sent(5_000);
    assert_eq!((again[0].0, played.now_us), (ticket, told_us + 700_000));
    for call in again {
        played.answer(call, Ok(report(BatchState::Final)));
    }
    played.act();
    let (_, told) = &played.told[0];
    assert!(matches!(told.fate, BatchFate::Final(_)));
    let trail = told.trail;
    assert_eq!((trail.calls, trail.refusals, trail.stated, trail.kept), (2, 1, 1, 1));
}

#[test]
fn a_time_that_was_wrong_is_counted_as_wrong() {
    let mut played = Played::new();
    played.offer(10, 60_000);
    for after_ms in [500, 90, 400] {
        let sent = played.until_sent(5_000);
        played.answer(sent[0], Err(refused(Rejection::PoolFull, Some(after_ms))));
    }
    let sent = played.until_sent(5_000);
    played.answer(sent[0], Ok(report(BatchState::Final)));
    played.act();
    // 590 ms instead of 500 is right within a fifth, 490 instead of 90 is not, and 400 was right.
    let trail = played.told[0].1.trail;
    assert_eq!((trail.refusals, trail.stated, trail.kept), (3, 3, 2));
}

#[test]
fn what_cannot_be_final_in_time_is_refused_at_once_with_the_signed_share() {
    let mut played = Played::new();
    played.offer(1, 60_000);
    for _ in 0..NODES {
        let sent = played.act();
        for call in sent {
            played.answer(call, Ok(report(BatchState::Final)));
        }
        played.now_us += 200_000;
        played.offer(1, 60_000);
    }
    played.act();
    played.told.clear();
    // Nine seconds of work, and five until its time is over.
    let ticket = played.offer(9_000, 5_000);
    played.act();
    let (told, BatchTold { fate, trail }) = &played.told[0];
    let BatchFate::Refused(refusal) = fate else { panic!("{fate:?}") };
    assert_eq!((*told, refusal.code), (ticket, 115));
    assert_eq!((trail.calls, trail.told_us), (0, trail.offered_us));
    assert_eq!(refusal.until, TimeMs::new(played.now_us / 1_000 + 5_000));
    assert!(refusal.reason.contains("share of 1000 items"), "{}", refusal.reason);
    // Whoever is shown the refusal can check it.
    let mut checker = HeardOutlooks::new(CHAIN, SUBMITTER, keys(), NODES);
    let shown = checker.hear(0, refusal.outlook.report.clone(), played.now_us).unwrap();
    assert_eq!(shown.share_items_per_s(), 1_000);
}

#[test]
fn a_node_that_says_never_and_signs_nothing_is_not_believed() {
    let mut played = Played::new();
    played.share = None;
    played.offer(10, 3_000);
    let sent = played.act();
    played.answer(sent[0], Err(refused(Rejection::PoolFull, None)));
    assert!(played.until_sent(10_900).is_empty() && played.told.is_empty());
    played.now_us = BEGIN_US + 11_000_000;
    played.act();
    let BatchFate::Unresolved { last } = &played.told[0].1.fate else { panic!() };
    assert!(last.contains("(detail)"), "{last}");
    // With a signed word it stands, and is told as soon as that is heard.
    let mut played = Played::new();
    played.offer(10, 3_000);
    let sent = played.act();
    played.answer(sent[0], Err(refused(Rejection::PoolFull, None)));
    played.until_sent(1_000);
    let BatchFate::Refused(refusal) = &played.told[0].1.fate else { panic!() };
    assert_eq!(refusal.outlook.head.node.get() as usize, sent[0].1);
}

#[test]
fn a_node_that_is_away_is_passed_by_and_one_that_waits_is_asked_on() {
    let mut played = Played::new();
    let ticket = played.offer(10, 60_000);
    let first = played.act()[0];
    played.answer(first, Err(away()));
    let second = played.until_sent(1_000)[0];
    assert_eq!(second.0, ticket);
    assert_ne!(second.1, first.1, "another node is asked");
    let waits = CallError::new("http://a", ClientError::Call(api_error(ApiError::WaitTimeout, "")));
    played.answer(second, Err(waits));
    assert_eq!(played.act(), [second], "the same node at once, whatever the share");
    played.answer(second, Ok(report(BatchState::Final)));
    played.act();
    assert!(matches!(played.told[0].1.fate, BatchFate::Final(_)));
}

#[test]
fn what_a_node_may_have_is_refused_only_when_the_chain_is_past_its_time() {
    let mut played = Played::new();
    played.behind_us = 3_000_000;
    let ticket = played.offer(10, 1_000);
    let first = played.act()[0];
    played.answer(first, Err(away()));
    played.now_us += 1_500_000;
    // The node's own clock is past it, but a block of before may still be on its way there.
    for _ in 0..3 {
        let sent = played.until_sent(1_000);
        assert_eq!(sent[0].0, ticket);
        played.answer(sent[0], Err(refused(Rejection::BatchExpired, None)));
        played.act();
        assert!(played.told.is_empty());
    }
    played.behind_us = 0;
    while played.told.is_empty() {
        for call in played.until_sent(1_000) {
            played.answer(call, Err(refused(Rejection::BatchExpired, None)));
        }
        assert!(played.now_us < BEGIN_US + 10_000_000);
        played.now_us += 10_000;
    }
    let BatchFate::Refused(refusal) = &played.told[0].1.fate else { panic!() };
    assert_eq!(refusal.code, i32::from(Rejection::BatchExpired.code()));
    assert!(refusal.outlook.head.block_time > refusal.until);
}

#[test]
fn what_breaks_a_rule_is_refused_and_not_sent_again() {
    let mut played = Played::new();
    played.offer(10, 60_000);
    let sent = played.act();
    played.answer(sent[0], Err(refused(Rejection::SignatureInvalid, None)));
    assert!(played.until_sent(2_000).is_empty());
    let BatchFate::Refused(refusal) = &played.told[0].1.fate else { panic!() };
    assert_eq!(refusal.code, i32::from(Rejection::SignatureInvalid.code()));
    // A node that is not ready has not taken it: another is asked.
    played.offer(10, 60_000);
    let first = played.until_sent(2_000)[0];
    played.answer(first, Err(refused(Rejection::NotReady, Some(300))));
    assert_eq!(played.until_sent(2_000)[0].0, first.0);
}

/// Nodes that refuse each batch once, and keep the bytes that came.
#[derive(Default)]
struct Stubborn {
    came: Mutex<Vec<Bytes>>,
}

impl NodeCalls for Stubborn {
    fn node_count(&self) -> usize {
        NODES
    }

    fn submit(
        self: Arc<Self>,
        _node: usize,
        bytes: Bytes,
        _declared: DeclaredLoad,
        _wait_ms: u64,
    ) -> BoxFuture<'static, Result<BatchReport, CallError>> {
        let mut came = self.came.lock().unwrap();
        let is_known = came.contains(&bytes);
        came.push(bytes);
        let refusal = || Err(refused(Rejection::PoolFull, Some(20)));
        let answer = if is_known { Ok(report(BatchState::Final)) } else { refusal() };
        futures::future::ready(answer).boxed()
    }

    fn outlook(
        self: Arc<Self>,
        node: usize,
        _submitter: ParticipantId,
    ) -> BoxFuture<'static, Result<OutlookReport, CallError>> {
        let now_us = now().get() * 1_000;
        futures::future::ready(Ok(Said::by(node, 1_000_000, now_us).report())).boxed()
    }
}

#[tokio::test]
async fn a_batch_is_signed_once_and_its_bytes_come_again() {
    let calls = Arc::new(Stubborn::default());
    let dialled: Arc<dyn NodeCalls> = calls.clone();
    let whose = (CHAIN, SUBMITTER);
    let client = PacedClient::start(dialled, whose, keys(), PaceSettings::default());
    let batch = |number: u8| {
        let bytes = Bytes::from(vec![number; 10]);
        let content = match number {
            0 => BatchContent::Signed(bytes),
            _ => BatchContent::Later(Box::new(move || bytes)),
        };
        PacedBatch { items: 10, valid_until: now().plus(60_000), content }
    };
    let offers = (0..5).map(|number| client.submit(batch(number)));
    let told = futures::future::join_all(offers).await;
    assert!(told.iter().all(|told| matches!(told.fate, BatchFate::Final(_))), "{told:?}");
    let came = calls.came.lock().unwrap();
    assert_eq!(came.len(), 10, "each once refused and once final");
    assert!(told.iter().all(|told| (told.trail.calls, told.trail.refusals) == (2, 1)));
}
