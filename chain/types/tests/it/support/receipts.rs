//! Decided blocks, and the receipts and the evidence that are cut from them.

use chain_types::batch::{BATCH_PREFIX_BYTES, Items};
use chain_types::block::{self, OUTCOMES_PER_LEAF};
use chain_types::receipt::RECEIPT_MAGIC;
use chain_types::*;

use super::*;

/// A decided block with everything that receipts are cut from.
pub struct Decided {
    pub header: BlockHeader,
    pub batches: Vec<VerifiedBatch>,
    pub outcomes: Vec<Vec<Outcome>>,
    pub certificate: Certificate,
    pub parties: Vec<PartyKeys>,
}

/// The block at `height` of `window`, which these validators (by index) sign.
pub fn decide(
    height: u64,
    window: u64,
    contents: Vec<(VerifiedBatch, Vec<Outcome>)>,
    signers: &[u8],
) -> Decided {
    let height = Height::new(height);
    let parties = parties_at(height);
    let party_leaves: Vec<Digest> = parties.iter().map(PartyKeys::leaf).collect();
    let (batches, outcomes): (Vec<_>, Vec<_>) = contents.into_iter().unzip();
    let ids: Vec<BatchId> = batches.iter().map(VerifiedBatch::id).collect();
    let roots: Vec<Digest> = outcomes.iter().map(|each| block::outcomes_root(each)).collect();
    let header = BlockHeader {
        protocol_version: parameters::PROTOCOL_VERSION,
        chain_id: chain_id(),
        height,
        round: Round::new(0),
        parent_round: Round::new(1),
        proposer: ValidatorId::new(2),
        time: GENESIS_TIME.plus(1_500 + height.get() * 250),
        window: WindowId::new(window),
        parent: BlockHash::new(sha256(&[b"parent"])),
        batch_count: u32::try_from(ids.len()).unwrap(),
        batches_root: block::batches_root(&ids),
        evidence_count: 0,
        evidence_root: evidence::evidence_root(&[]),
        results_root: block::results_root(&roots),
        state_digest: sha256(&[b"state"]),
        validators_hash: validators_at(height).digest(),
        next_validators_hash: validators_at(height.next()).digest(),
        parameters_hash: genesis().parameters.digest(),
        party_count: u32::try_from(parties.len()).unwrap(),
        parties_root: merkle::root(&party_leaves),
        record_count: 2,
        records_root: sha256(&[b"records"]),
    };
    let certificate = certify(&header, Round::new(1), signers);
    Decided { header, batches, outcomes, certificate, parties }
}

pub fn certify(header: &BlockHeader, round: Round, signers: &[u8]) -> Certificate {
    let block = header.hash();
    let step = VoteStep::Precommit;
    let vote = Vote { height: header.height, round, step, block: Some(block) };
    let digest = vote.digest(chain_id());
    let signatures = signers
        .iter()
        .map(|index| (ValidatorId::new(u32::from(*index)), key(1 + index).sign(&digest)))
        .collect();
    Certificate { height: header.height, round, block, signatures }
}

/// The proof that item `item_index` of batch `batch_index` is in a decided block.
pub fn include(decided: &Decided, batch_index: usize, item_index: u32) -> Inclusion {
    let batch = &decided.batches[batch_index];
    let outcomes = &decided.outcomes[batch_index];
    let at = item_index as usize;
    let leaf_index = at / OUTCOMES_PER_LEAF;
    let batch_leaves: Vec<Digest> =
        decided.batches.iter().map(|each| merkle::leaf(&each.id().digest().bytes())).collect();
    let result_leaves: Vec<Digest> = decided
        .outcomes
        .iter()
        .map(|each| merkle::leaf(&block::outcomes_root(each).bytes()))
        .collect();
    let keys_at = decided
        .parties
        .iter()
        .position(|keys| keys.participant == batch.header().submitter)
        .unwrap();
    let party_leaves: Vec<Digest> = decided.parties.iter().map(PartyKeys::leaf).collect();
    Inclusion {
        batch: *batch.header(),
        batch_signature: batch.signature(),
        item: batch.item_bytes(item_index).unwrap().to_vec(),
        item_index,
        item_proof: merkle::prove(batch.leaves(), at).unwrap(),
        outcomes: outcomes.chunks(OUTCOMES_PER_LEAF).nth(leaf_index).unwrap().to_vec(),
        outcome_proof: merkle::prove(&block::outcome_leaves(outcomes), leaf_index).unwrap(),
        batch_index: u32::try_from(batch_index).unwrap(),
        batch_proof: merkle::prove(&batch_leaves, batch_index).unwrap(),
        result_proof: merkle::prove(&result_leaves, batch_index).unwrap(),
        header: decided.header.clone(),
        certificate: decided.certificate.clone(),
        keys: decided.parties[keys_at],
        keys_index: u32::try_from(keys_at).unwrap(),
        keys_proof: merkle::prove(&party_leaves, keys_at).unwrap(),
    }
}

/// The proof that `item`, alone in its batch and its block at `height`, came to `outcome`.
pub fn alone(height: u64, window: u64, batch: Vec<u8>, outcome: Outcome) -> Inclusion {
    let signers: &[u8] =
        if Height::new(height) <= HANDOVER_HEIGHT { &[0, 1, 3] } else { &[0, 1, 3, 4] };
    include(&decide(height, window, vec![(verified(batch), vec![outcome])], signers), 0, 0)
}

/// The change of validators at [`HANDOVER_HEIGHT`].
pub fn handover() -> Handover {
    let Decided { header, certificate, .. } = decide(HANDOVER_HEIGHT.get(), 4, vec![], &[1, 2, 3]);
    let (before, after) = (validators_at(HANDOVER_HEIGHT), validators_at(HANDOVER_HEIGHT.next()));
    let next = SetChange::between(&before, &after);
    Handover { header, certificate, deciders: SetChange::default(), next }
}

/// Forty orders, of which every seventh is refused.
pub fn forty() -> (VerifiedBatch, Vec<Outcome>) {
    let items: Vec<RechargeItem> = (0..40).map(recharge).collect();
    let outcome = |index: u32| match index % 7 {
        3 => Outcome::from(Rejection::LiquidityExceeded),
        _ => Outcome::APPLIED,
    };
    (verified(signed(101, &items)), (0..40).map(outcome).collect())
}

/// The block of three batches in which the order was accepted.
pub fn order_block() -> Decided {
    let others = (verified(signed(201, &[recharge(50)])), vec![Outcome::APPLIED]);
    let voids = (verified(signed(101, &[void(60), void(61)])), vec![Outcome::APPLIED; 2]);
    decide(5, 1, vec![others, forty(), voids], &[0, 1, 2, 3])
}

/// Order [`ORDER_INDEX`], accepted in one block, collected in a second, arrived in a third.
pub fn receipt() -> Receipt {
    let collected = (verified(signed(201, &[collect(36), collect(37)])), vec![Outcome::APPLIED; 2]);
    let arrived = (verified(signed(202, &[arrival()])), vec![Outcome::APPLIED]);
    Receipt {
        magic: RECEIPT_MAGIC,
        order: include(&order_block(), 1, ORDER_INDEX),
        collection: Some(include(&decide(9, 2, vec![collected], &[0, 1, 3]), 0, 1)),
        release: None,
        arrival: Some(include(&decide(40, 3, vec![arrived], &[0, 1, 2, 3]), 0, 0)),
        returns: vec![],
        lineage: Lineage::default(),
    }
}

/// An order with every step there is: held in block 6, released in 8, collected in 12 with
/// cashback of the first tier, arrived in 40; returned in part in block 60, with the first key of
/// gateway 202, and in block 61 with its second, which is after the change of validators.
pub fn long_receipt() -> Receipt {
    let orders = verified(signed(101, &[recharge(70), recharge(LONG_ORDER_INDEX)]));
    let held = decide(6, 1, vec![(orders, vec![Outcome::APPLIED, Outcome::HELD])], &[0, 2, 3]);
    let release = signed(501, &[hold_decision(LONG_ORDER_INDEX, Decision::Approve)]);
    let collected = signed(201, &[collect(LONG_ORDER_INDEX)]);
    let first = signed(202, &[send_back(LONG_ORDER_INDEX, 1, 300)]);
    let second = signed_with(SECOND_KEY, 202, &[send_back(LONG_ORDER_INDEX, 2, 200)]);
    Receipt {
        magic: RECEIPT_MAGIC,
        order: include(&held, 0, 1),
        collection: Some(alone(12, 2, collected, Outcome::with_cashback(1))),
        release: Some(alone(8, 1, release, Outcome::APPLIED)),
        arrival: Some(alone(40, 3, signed(202, &[arrival()]), Outcome::APPLIED)),
        returns: vec![
            alone(60, 5, first, Outcome::APPLIED),
            alone(61, 5, second, Outcome::APPLIED),
        ],
        lineage: Lineage(vec![handover()]),
    }
}

/// How many items a batch holds, whatever they are.
pub fn item_count(items: Items<'_>) -> usize {
    match items {
        Items::Recharge(items) => items.len(),
        Items::Collect(items) => items.len(),
        Items::Void(items) => items.len(),
        Items::Arrival(items) => items.len(),
        Items::Failure(items) => items.len(),
        Items::Return(items) => items.len(),
        Items::Reinstruct(items) => items.len(),
        Items::SettleWindow(items) => items.len(),
        Items::Transfer(items) => items.len(),
        Items::TransferDecision(items) => items.len(),
        Items::Rate(items) => items.len(),
        Items::Quote(items) => items.len(),
        Items::HoldDecision(items) => items.len(),
        Items::Policy(items) => items.len(),
        Items::Proposal(items) => items.len(),
        Items::Approval(items) => items.len(),
        Items::ChangeList(items) => items.len(),
        Items::Merchant(items) => items.len(),
        Items::Bounce(items) => items.len(),
        Items::Recall(items) => items.len(),
        Items::StepIn(items) => items.len(),
        Items::Debiting(items) => items.len(),
        Items::SettlementDecision(items) => items.len(),
        Items::Line(items) => items.len(),
        Items::Consent(items) => items.len(),
    }
}

/// Bytes before the first item.
pub const PREFIX: usize = BATCH_PREFIX_BYTES;

/// Evidence of the vectors: two precommits of validator 1 at height 5, two proposals of validator
/// 2 at height 7, the second of them again after a quorum of prevotes.
pub fn evidence() -> Vec<Equivocation> {
    let vote = |block| {
        let (height, round, step) = (Height::new(5), Round::new(0), VoteStep::Precommit);
        let vote = Vote { height, round, step, block };
        let signature = key(2).sign(&vote.digest(chain_id()));
        SignedVote { vote, validator: ValidatorId::new(1), signature }
    };
    let proposal = |byte, valid_round| {
        let block = BlockHash::new(sha256(&[&[byte]]));
        let (height, round, proposer) = (Height::new(7), Round::new(2), ValidatorId::new(2));
        let proposal = Proposal { height, round, block, valid_round, proposer };
        SignedProposal { proposal, signature: key(3).sign(&proposal.digest(chain_id())) }
    };
    let votes = (vote(None), vote(Some(BlockHash::new(sha256(&[b"block"])))));
    let proposals = (proposal(1, None), proposal(2, Some(Round::new(1))));
    vec![
        Equivocation::Votes { first: votes.0, second: votes.1 }.in_order(),
        Equivocation::Proposals { first: proposals.0, second: proposals.1 }.in_order(),
    ]
}
