//! Receipts and proofs after as many changes of validators and keys as governance likes to make.

use std::time::Instant;

use chain_state::proof::ProvenAccount;
use chain_types::{BatchKind, Handover, PROOF_BYTES_MAX, Walk};
use rpc_client::lineage_file::walk_over;

use super::*;

/// Each of as many blocks changes a validator's power and a participant's key.
const CHANGES: u32 = 1_000;
/// How many proposals stand in one batch.
const PROPOSALS: usize = BatchKind::Proposal.items_max() as usize;

/// Proposes the changes for one block each, from the next but `after` on; they take effect with
/// the blocks.
fn govern_blocks(chain: &mut Chain, changes: &[Vec<Change>]) {
    let first = chain.height().get() + 10;
    let mut number = 0_u32;
    let mut items = Vec::new();
    for (height, changes) in (first..).zip(changes) {
        for change in changes {
            number += 1;
            let mut entropy = [0x77; 10];
            // Version and variant stand in the first of them.
            entropy[6..].copy_from_slice(&number.to_le_bytes());
            let id = ProposalId::from_bytes(OrderId::new(chain.time(), entropy).bytes());
            items.push(ProposalItem::new(id, Height::new(height), change).unwrap());
        }
    }
    let chunks = items.chunks(PROPOSALS);
    let batches: Vec<_> =
        chunks.map(|chunk| chain.batch(OPERATOR, &key(1, OPERATOR.get()), chunk)).collect();
    let outcomes = chain.block(200, batches);
    let refused = outcomes.iter().flatten().find(|outcome| **outcome != Outcome::APPLIED);
    assert_eq!(refused, None, "height {}", chain.height());
    while chain.height().get() < first + changes.len() as u64 {
        chain.block(200, vec![]);
    }
}

/// A chain of a thousand changes of validators and a thousand of keys, with an order before, one in
/// the middle and one after them.
fn changed_often() -> (Chain, [OrderId; 3]) {
    let mut chain = Chain::new();
    let order = |chain: &mut Chain| {
        let order = chain.recharge(1_000, 0);
        assert_eq!(chain.say(SERVICE, order), Outcome::APPLIED);
        order.order_id()
    };
    let change = |number: u32| {
        let power = if (number / VALIDATORS).is_multiple_of(2) { 4 } else { 3 };
        let public_key = key(4, number).public_key();
        vec![
            Change::Power { node: number % VALIDATORS, power },
            Change::Key { participant: BANK_B, public_key, overlap_heights: 0 },
        ]
    };
    let changes: Vec<Vec<Change>> = (0..CHANGES).map(change).collect();
    let (one, other) = changes.split_at(changes.len() / 2);
    let before = order(&mut chain);
    govern_blocks(&mut chain, one);
    let between = order(&mut chain);
    govern_blocks(&mut chain, other);
    let after = order(&mut chain);
    (chain, [before, between, after])
}

/// Every change of the chain, as a lineage apart.
fn apart(chain: &Chain) -> Vec<u8> {
    let orders = chain.orders();
    let head = chain.height();
    let mut bytes = chain_types::lineage::LINEAGE_MAGIC.to_vec();
    let mut from = Height::new(0);
    loop {
        let page = |handovers: &chain_types::Handovers| handovers.page(from, head, 99, usize::MAX);
        let (handovers, goes_on): (Vec<Handover>, bool) =
            orders.lineages.read(&orders.store, &orders.genesis, head, page).unwrap();
        bytes.extend(handovers.iter().flat_map(codec::encode));
        from = handovers.last().unwrap().header.height.next();
        if !goes_on {
            return bytes;
        }
    }
}

#[test]
fn receipts_and_proofs_hold_after_a_thousand_changes_of_validators_and_of_keys() {
    let (chain, placed) = changed_often();
    let (orders, genesis) = (chain.orders(), &*chain.genesis);
    let lineage = apart(&chain);
    let begun = Instant::now();
    let changes = walk_over(lineage.as_slice(), &mut Walk::new(genesis, [])).unwrap();
    let walk_ms = begun.elapsed().as_millis();
    println!("{changes} changes: {} bytes apart, walked in {walk_ms} ms", lineage.len());
    assert_eq!(changes, u64::from(CHANGES));
    for id in placed {
        let receipt = chain.receipt(id);
        let bytes = receipt.encode().unwrap();
        let begun = Instant::now();
        let proven = Receipt::decode(&bytes).unwrap().verify(genesis).unwrap();
        let verify_ms = begun.elapsed().as_millis();
        let (height, steps) = (receipt.order.header.height, receipt.lineage.0.len());
        println!("receipt at {height}: {} bytes, {steps} steps, {verify_ms} ms", bytes.len());
        assert_eq!(proven.order_id, id);
        assert!(bytes.len() < PROOF_BYTES_MAX / 16);
        // Without its lineage it is as small as on the first day.
        let record = orders.record(&id).unwrap().0.unwrap();
        let bare = orders.receipt(id, record, true).unwrap();
        assert!(bare.encode().unwrap().len() < 4_096);
        let mut walk = Walk::new(genesis, bare.heights());
        walk_over(lineage.as_slice(), &mut walk).unwrap();
        assert_eq!(bare.verify_by(genesis, &walk.finish()).unwrap(), proven);
    }
    let account = AccountKey::liquidity(BANK_A, CNY);
    let head = chain.height();
    let proof = orders.account_proof(&account, head).unwrap().unwrap();
    let committed = chain.store.block(head).unwrap().unwrap();
    let (header, certificate) = (committed.block.header, committed.certificate);
    let lineage = orders.lineage([head].into_iter()).unwrap();
    let proven = ProvenAccount { proof, header, certificate, lineage };
    let bytes = proven.encode().unwrap();
    println!("account proof: {} bytes", bytes.len());
    assert_eq!(ProvenAccount::decode(&bytes).unwrap().verify(genesis), Ok(()));
    let last = read_state(&chain.state).window().get() - 1;
    let proof = orders.window_proof(WindowId::new(last), false).unwrap().unwrap();
    println!("window proof: {} bytes", proof.encode().unwrap().len());
    assert!(ProvenWindow::verify(&proof, genesis).is_ok());
    let bare = orders.window_proof(WindowId::new(last), true).unwrap().unwrap();
    assert_eq!(bare.lineage, Lineage::default());
}

/// New keys of the nodes of a chain of four validators, one node each block.
fn rotations(chain: &mut Chain, numbers: std::ops::Range<u32>) -> Vec<Vec<Change>> {
    let rotation = |number: u32| {
        let votes = key(5, number);
        chain.vote_keys.insert(votes.public_key(), votes.clone());
        let (network_key, validator_key) = (key(6, number).public_key(), votes.public_key());
        vec![Change::NodeKeys { node: number % VALIDATORS, network_key, validator_key }]
    };
    numbers.map(rotation).collect()
}

#[test]
fn receipts_and_proofs_hold_after_a_thousand_rotations_of_nodes() {
    let mut chain = Chain::new();
    let changes = rotations(&mut chain, 0..CHANGES);
    govern_blocks(&mut chain, &changes);
    let order = chain.recharge(1_000, 0);
    assert_eq!(chain.say(SERVICE, order), Outcome::APPLIED);
    let last = (0..CHANGES).rev().find(|number| number % VALIDATORS == 1).unwrap();
    let state = read_state(&chain.state);
    assert_eq!(state.nodes()[1].network_key, key(6, last).public_key());
    assert_eq!(state.registry().withdrawn_keys.len(), 2 * CHANGES as usize);
    drop(state);
    let lineage = apart(&chain);
    let changes = walk_over(lineage.as_slice(), &mut Walk::new(&chain.genesis, [])).unwrap();
    assert_eq!(changes, u64::from(CHANGES), "a rotation is one change");
    let begun = Instant::now();
    let receipt = chain.receipt(order.order_id());
    assert!(receipt.verify(&chain.genesis).is_ok());
    let (bytes, steps) = (receipt.encode().unwrap().len(), receipt.lineage.0.len());
    println!(
        "{bytes} bytes, {steps} steps, made and verified in {} ms",
        begun.elapsed().as_millis()
    );
    assert!(bytes < PROOF_BYTES_MAX);
    let record = chain.orders().record(&order.order_id()).unwrap().0.unwrap();
    let bare = chain.orders().receipt(order.order_id(), record, true).unwrap();
    let mut walk = Walk::new(&chain.genesis, bare.heights());
    walk_over(lineage.as_slice(), &mut walk).unwrap();
    assert!(bare.verify_by(&chain.genesis, &walk.finish()).is_ok());
}

#[test]
fn a_rotation_is_one_handover_and_so_are_changes_of_one_height() {
    let mut chain = Chain::new();
    let changes = rotations(&mut chain, 0..1);
    govern_blocks(&mut chain, &changes);
    let order = chain.recharge(1_000, 0);
    assert_eq!(chain.say(SERVICE, order), Outcome::APPLIED);
    let receipt = chain.receipt(order.order_id());
    assert_eq!(receipt.lineage.0.len(), 1);
    assert_eq!(receipt.lineage.0[0].next.0.len(), 1, "the same validator with another key");
    assert!(receipt.verify(&chain.genesis).is_ok());

    let mut chain = Chain::new();
    // One node comes, and another loses its power.
    let (network_key, validator_key) = (key(2, 9).public_key(), key(3, VALIDATORS).public_key());
    let name = "node-again".to_owned();
    let node = Node { name, operator: OPERATOR, network_key, validator_key, power: 3 };
    govern_blocks(&mut chain, &[vec![Change::Node(node), Change::Power { node: 0, power: 0 }]]);
    let order = chain.recharge(1_000, 0);
    assert_eq!(chain.say(SERVICE, order), Outcome::APPLIED);
    let receipt = chain.receipt(order.order_id());
    assert_eq!(receipt.lineage.0.len(), 1);
    assert_eq!(receipt.lineage.0[0].next.0.len(), 2, "one comes and one goes");
    assert!(receipt.verify(&chain.genesis).is_ok());
}

#[test]
fn the_changes_are_the_same_in_whatever_order_they_are_asked_for() {
    let mut chain = Chain::new();
    let power = |number: u64| vec![Change::Power { node: 0, power: 3 + number % 2 }];
    govern_blocks(&mut chain, &(1..30).map(power).collect::<Vec<_>>());
    let (ascending, descending) = (chain.orders(), chain.orders());
    let lineage = |orders: &Orders, height: u64| orders.lineage([Height::new(height)].into_iter());
    let head = chain.height().get();
    let one: Vec<_> = (1..=head).map(|height| lineage(&ascending, height).unwrap()).collect();
    let other: Vec<_> =
        (1..=head).rev().map(|height| lineage(&descending, height).unwrap()).collect();
    assert_eq!(one, other.into_iter().rev().collect::<Vec<_>>());
}
