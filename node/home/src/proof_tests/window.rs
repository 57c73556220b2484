#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The report of a closed window, proven from a chain in a home on disk with its genesis file only.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_state::proof::{ProvenWindow, WindowProofError};
use chain_state::{AccountKind, Position, Record, State, WindowParty, WindowRecord};
use chain_store::ChainStore as _;
use chain_types::codec;
use chain_types::record_proof::{RECORD_PROOF_MAGIC, RecordProof};
use chain_types::{Currency, Height, Lineage, ParticipantId, TimeMs, WindowId};
use rpc_client::operations::OperationKind;

use crate::orders::Orders;
use crate::test_chain::{AGENTS, GATEWAYS, TestChain};

const VECTORS: &str = include_str!("../../../../chain/types/tests/vectors/vectors.json");
const VECTORS_GENESIS: &[u8] = include_bytes!("../../../../chain/types/tests/vectors/genesis.toml");

/// Returns a reader of proofs that has a chain's store alone.
fn orders(chain: &TestChain) -> Orders {
    let state = node_replica::SharedState::new(State::genesis(&chain.genesis));
    let (genesis, store) = (Arc::new(chain.genesis.clone()), chain.store.clone());
    Orders { genesis, state, store, lineages: Arc::default() }
}

fn prove(chain: &TestChain, window: WindowId) -> Option<RecordProof> {
    orders(chain).window_proof(window, false).unwrap()
}

/// A chain whose first window has closed: gateway 201 collected 12.34 for a shop that gateway 202
/// pays, and 202 collected 5.00 for one that 201 pays.
fn closed() -> (TestChain, WindowId) {
    let mut chain = TestChain::new(TimeMs::new(1_790_000_000_000));
    let window = chain.state.window();
    let bought = [(GATEWAYS[0], "1001,12.34"), (GATEWAYS[1], "1002,5.00")].map(|(who, row)| {
        let text = format!("merchant,amount,currency\n{row},CNY");
        (who, chain.operations(who, OperationKind::Collected, &text))
    });
    assert_eq!(chain.block(1_000, &bought), [0, 0]);
    assert_eq!(prove(&chain, window), None, "it is open");
    chain.block(20_000, &[]);
    assert_eq!(chain.state.window(), window.next());
    (chain, window)
}

fn settled() -> (TestChain, WindowId) {
    let (mut chain, window) = closed();
    let digest = chain.store.window(window).unwrap().unwrap().digest();
    let (row, reference) = (format!("{window},{digest}"), "b".repeat(32));
    let word = format!("window,digest,reference\n{row},{reference}");
    let word = chain.operations(AGENTS[0], OperationKind::SettleWindow, &word);
    assert_eq!(chain.block(1_000, &[(AGENTS[0], word)]), [0]);
    let word = format!("window,decision,digest,reference\n{window},approve,{digest},{reference}");
    let word = chain.operations(AGENTS[1], OperationKind::SettlementDecision, &word);
    assert_eq!(chain.block(1_000, &[(AGENTS[1], word)]), [0]);
    (chain, window)
}

#[test]
fn a_closed_window_is_proven_with_the_genesis_file_only() {
    let (chain, window) = closed();
    let bytes = codec::encode(&prove(&chain, window).unwrap());
    let read = RecordProof::decode(&bytes).unwrap();
    let proven = ProvenWindow::verify(&read, &chain.genesis).unwrap();
    assert_eq!((proven.window.id, proven.window.order_count), (window, 2));
    assert_eq!((proven.header.height, proven.settlement), (Height::new(2), None));
    assert_eq!(proven.window.closed, Some(proven.header.time));
    let of = |gateway: u32| {
        let party = |position: &&Position| {
            (position.party.kind, position.party.owner)
                == (AccountKind::GatewayLiquidity, u64::from(gateway))
        };
        let found = proven.window.positions.iter().find(party).unwrap();
        (found.gross_debits, found.gross_credits, found.net())
    };
    assert_eq!(of(GATEWAYS[0]), (1_234, 500, -734));
    assert_eq!(of(GATEWAYS[1]), (500, 1_234, 734));
    let mut nets: BTreeMap<Currency, i128> = BTreeMap::new();
    for position in &proven.window.positions {
        *nets.entry(position.party.currency).or_default() += position.net();
    }
    assert_eq!(nets, BTreeMap::from([(Currency::new(156), 0)]));
}

#[test]
fn the_word_that_it_is_settled_is_proven_with_it() {
    let (chain, window) = settled();
    let proof = prove(&chain, window).unwrap();
    let proven = ProvenWindow::verify(&proof, &chain.genesis).unwrap();
    let word = proven.settlement.unwrap();
    assert_eq!((word.window, word.agent), (window, ParticipantId::new(AGENTS[0])));
    assert_eq!(
        (word.checker, word.digest),
        (ParticipantId::new(AGENTS[1]), proven.window.digest())
    );
    assert_eq!(word.reference, [b'b'; 32]);
    assert_eq!((proof.records.len(), word.location.height), (2, Height::new(4)));
    // The window that is open now, and one that never was.
    for other in [window.get() + 1, window.get() + 99] {
        assert_eq!(prove(&chain, WindowId::new(other)), None, "window {other}");
    }
}

#[test]
fn no_byte_of_it_can_be_changed() {
    let (chain, window) = settled();
    let bytes = codec::encode(&prove(&chain, window).unwrap());
    let holds = |bytes: &[u8]| {
        let read = RecordProof::decode(bytes);
        read.is_ok_and(|proof| ProvenWindow::verify(&proof, &chain.genesis).is_ok())
    };
    assert!(holds(&bytes));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!holds(&changed), "byte {at} of {}", bytes.len());
    }
    for length in 0..bytes.len() {
        assert!(!holds(&bytes[..length]), "{length} bytes");
    }
}

#[test]
fn other_records_are_no_report_of_a_window() {
    let (chain, window) = settled();
    let both = prove(&chain, window).unwrap();
    let of = |records: &[usize]| {
        let records = records.iter().map(|at| both.records[*at].clone()).collect();
        ProvenWindow::read(&RecordProof { records, ..both.clone() })
    };
    assert!(of(&[0]).is_ok() && of(&[0, 1]).is_ok());
    for wrong in [&[][..], &[1], &[1, 0], &[0, 0], &[0, 1, 1]] {
        assert_eq!(of(wrong), Err(WindowProofError::Kind), "{wrong:?}");
    }
    let report = |change: fn(&mut WindowRecord)| {
        let mut window = of(&[0]).unwrap().window;
        change(&mut window);
        let mut proof = both.clone();
        proof.records[0].record = codec::encode(&Record::Window(window));
        ProvenWindow::read(&proof)
    };
    assert_eq!(report(|window| window.closed = None), Err(WindowProofError::Kind));
    assert_eq!(
        report(|window| window.id = window.id.next()),
        Err(WindowProofError::Kind),
        "another's word"
    );
    let mut other = both.clone();
    let mut window = of(&[0]).unwrap().window;
    window.positions.iter_mut().for_each(|position| position.gross_debits += 1);
    window.positions.iter_mut().for_each(|position| position.gross_credits += 1);
    other.records[0].record = codec::encode(&Record::Window(window));
    assert_eq!(ProvenWindow::read(&other), Err(WindowProofError::Digest));
    let unbalanced = Err(WindowProofError::Net(Currency::new(156)));
    assert_eq!(report(|window| window.positions[0].gross_debits += 1), unbalanced);
    assert_eq!(report(|window| window.positions[0].gross_debits = u128::MAX), unbalanced);
    let mut cut = both.clone();
    cut.records[0].record.pop();
    assert!(matches!(ProvenWindow::read(&cut), Err(WindowProofError::Record(_))));
}

#[test]
fn the_vectors_proof_says_what_the_page_says() {
    let vectors: BTreeMap<String, String> = serde_json::from_str(VECTORS).unwrap();
    let genesis = genesis::parse_genesis(VECTORS_GENESIS).unwrap();
    let bytes = hex::decode(&vectors["record_proof"]).unwrap();
    let proof = RecordProof::decode(&bytes).unwrap();
    let proven = ProvenWindow::verify(&proof, &genesis).unwrap();
    let position = |owner, currency, gross_debits, gross_credits| {
        let (kind, currency) = (AccountKind::GatewayLiquidity, Currency::new(currency));
        Position { party: WindowParty { kind, owner, currency }, gross_debits, gross_credits }
    };
    let start = genesis.time;
    let expected = WindowRecord {
        id: WindowId::new(2),
        opened: start.plus(3_500),
        first_height: Height::new(8),
        closed: Some(start.plus(6_750)),
        last_height: Some(Height::new(20)),
        order_count: 43,
        instruction_count: 3,
        positions: vec![
            position(201, 156, 40_780, 1_500),
            position(201, 392, 0, 9_000),
            position(202, 156, 0, 39_280),
            position(202, 392, 9_000, 0),
        ],
    };
    assert_eq!(proven.window, expected);
    assert_eq!(hex::encode(codec::encode(&Record::Window(expected))), vectors["record_window"]);
    let word = proven.settlement.unwrap();
    assert_eq!((word.agent, word.reference), (ParticipantId::new(401), [0x18; 32]));
    assert_eq!(word.checker, ParticipantId::new(402));
    assert_eq!(word.location.height, Height::new(60));
    assert_eq!((proof.magic, proof.lineage.0.len()), (RECORD_PROOF_MAGIC, 1));
    let without = RecordProof { lineage: Lineage::default(), ..proof };
    assert!(ProvenWindow::verify(&without, &genesis).is_err());
}
