//! One small network, with keys from known seeds, from which every vector is made.

use bytes::Bytes;
use chain_types::batch::{BATCH_PREFIX_BYTES, Items};
use chain_types::block::{self, OUTCOMES_PER_LEAF};
use chain_types::hash::sha256;
use chain_types::receipt::RECEIPT_MAGIC;
use chain_types::*;

/// 2026-01-01T00:00:00Z, the time of block zero.
pub const GENESIS_TIME: TimeMs = TimeMs(1_767_225_600_000);
/// The file whose SHA-256 is the chain id.
pub const GENESIS_FILE: &[u8] = include_bytes!("../vectors/genesis.toml");
/// The order that the receipt is about: its place in the batch of forty.
pub const ORDER_INDEX: u32 = 37;

/// The key whose seed is `tag` thirty-two times.
pub fn key(tag: u8) -> SecretKey {
    SecretKey::from_seed(&[tag; 32])
}

pub fn chain_id() -> ChainId {
    ChainId(sha256(&[GENESIS_FILE]))
}

/// The content of `vectors/genesis.toml`: the key of participant n has seed n, the vote key of
/// node i has seed 1 + i, and its network key seed 11 + i.
pub fn genesis() -> ChainGenesis {
    let participant = |id: u32, tag: u8, name: &str, roles| Participant {
        id: ParticipantId(id),
        name: name.to_owned(),
        roles,
        public_key: key(tag).public_key(),
        suspended: false,
    };
    let merchant = |id, name: &str, gateway| Merchant {
        id: MerchantId(id),
        name: name.to_owned(),
        payout_gateway: ParticipantId(gateway),
        suspended: false,
    };
    let line = |gateway, currency| LiquidityLine {
        gateway: ParticipantId(gateway),
        currency: Currency(currency),
        net_debit_cap: Amount(1_000_000_000),
        opening_liquidity: Amount(0),
    };
    let operator = |id: u8| {
        participant(u32::from(id), 20 + id, &format!("operator-{id}"), Roles::SETTLEMENT_OPERATOR)
    };
    let node = |index: u8| Node {
        name: format!("validator-{}", index + 1),
        operator: ParticipantId(u32::from(index) + 1),
        network_key: key(11 + index).public_key(),
        validator_key: key(1 + index).public_key(),
        power: 1,
    };
    let mut participants: Vec<Participant> = (1..=4).map(operator).collect();
    participants.push(participant(101, 101, "recharge-101", Roles::RECHARGE_SERVICE));
    participants.push(participant(201, 201, "gateway-201", Roles::GATEWAY));
    participants.push(participant(202, 202, "gateway-202", Roles::GATEWAY));
    ChainGenesis {
        chain_id: chain_id(),
        name: "vectors".to_owned(),
        time: GENESIS_TIME,
        parameters: Parameters::default(),
        currencies: vec![Currency(156), Currency(392)],
        participants,
        merchants: vec![merchant(1001, "merchant-1001", 202), merchant(1002, "merchant-1002", 201)],
        liquidity: vec![line(201, 156), line(201, 392), line(202, 156), line(202, 392)],
        nodes: (0..4).map(node).collect(),
    }
}

pub fn order_id(index: u32) -> OrderId {
    let [a, b, ..] = index.to_be_bytes();
    let [.., c, d] = index.to_be_bytes();
    let time = GENESIS_TIME.plus(1_000 + u64::from(index));
    OrderId::new(time, [0x10, 0x21, a, b, c, d, 0x65, 0x76, 0x87, 0x98])
}

pub fn recharge(index: u32) -> RechargeItem {
    RechargeItem {
        order_id: order_id(index).0,
        user: [0xa0; 16],
        merchant: 1001.into(),
        collecting_gateway: 201.into(),
        amount: (1_000 + u64::from(index)).into(),
        currency: 156.into(),
        payout_currency: 156.into(),
        flags: 0.into(),
        fx_quote: 0.into(),
        payout_minimum: 0.into(),
        device: 0x0102_0304_0506_0708.into(),
        network: 0x1112_1314_1516_1718.into(),
        external_reference: [0xb1; 32],
        spare: [0; 6],
    }
}

pub fn collect(index: u32) -> CollectItem {
    CollectItem { order_id: order_id(index).0, reference: [0xc2; 32], spare: [0; 16] }
}

pub fn void(index: u32) -> VoidItem {
    VoidItem {
        order_id: order_id(index).0,
        reason: VoidReason::CustomerCancelled.number().into(),
        reference: [0xd3; 32],
        spare: [0; 14],
    }
}

pub fn arrival() -> ArrivalItem {
    ArrivalItem {
        window: 2.into(),
        merchant: 1001.into(),
        amount: 40_780.into(),
        currency: 156.into(),
        reference: [0xe4; 32],
        spare: [0; 6],
    }
}

pub fn failure() -> FailureItem {
    FailureItem {
        window: 2.into(),
        merchant: 1001.into(),
        currency: 156.into(),
        reason: FailureReason::AccountClosed.number().into(),
        reference: [0xf5; 32],
        spare: [0; 12],
    }
}

pub fn valid_until() -> TimeMs {
    GENESIS_TIME.plus(120_000)
}

/// The bytes of a batch of `items` that participant `submitter` signs.
pub fn signed<T>(submitter: u8, items: &[T]) -> Vec<u8>
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + batch::BatchItem,
{
    let id = ParticipantId(u32::from(submitter));
    SignedBatch::sign(chain_id(), id, &key(submitter), valid_until(), items)
}

pub fn verified(bytes: Vec<u8>) -> VerifiedBatch {
    let genesis = genesis();
    SignedBatch::decode(Bytes::from(bytes))
        .unwrap()
        .verify(chain_id(), |id| genesis.participant(id).map(|found| found.public_key))
        .unwrap()
}

/// A decided block with everything that receipts are cut from.
pub struct Decided {
    pub header: BlockHeader,
    pub batches: Vec<VerifiedBatch>,
    pub outcomes: Vec<Vec<Outcome>>,
    pub certificate: Certificate,
}

/// The block at `height` of `window`, which these validators (by index) sign.
pub fn decide(
    height: u64,
    window: u64,
    contents: Vec<(VerifiedBatch, Vec<Outcome>)>,
    signers: &[u8],
) -> Decided {
    let genesis = genesis();
    let (batches, outcomes): (Vec<_>, Vec<_>) = contents.into_iter().unzip();
    let ids: Vec<BatchId> = batches.iter().map(VerifiedBatch::id).collect();
    let roots: Vec<Digest> = outcomes.iter().map(|each| block::outcomes_root(each)).collect();
    let header = BlockHeader {
        protocol_version: parameters::PROTOCOL_VERSION,
        chain_id: chain_id(),
        height: Height(height),
        round: Round(0),
        proposer: ValidatorId(2),
        time: GENESIS_TIME.plus(1_500 + height * 250),
        window: WindowId(window),
        parent: BlockHash(sha256(&[b"parent"])),
        batch_count: u32::try_from(ids.len()).unwrap(),
        batches_root: block::batches_root(&ids),
        results_root: block::results_root(&roots),
        state_digest: sha256(&[b"state"]),
        validators_hash: genesis.validators().digest(),
        parameters_hash: genesis.parameters.digest(),
    };
    let certificate = certify(&header, Round(1), signers);
    Decided { header, batches, outcomes, certificate }
}

pub fn certify(header: &BlockHeader, round: Round, signers: &[u8]) -> Certificate {
    let block = header.hash();
    let step = VoteStep::Precommit;
    let vote = Vote { height: header.height, round, step, block: Some(block) };
    let digest = vote.digest(chain_id());
    let signatures = signers
        .iter()
        .map(|index| (ValidatorId(u32::from(*index)), key(1 + index).sign(&digest)))
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
        decided.batches.iter().map(|each| merkle::leaf(&each.id().0.0)).collect();
    let result_leaves: Vec<Digest> =
        decided.outcomes.iter().map(|each| merkle::leaf(&block::outcomes_root(each).0)).collect();
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
    }
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
        arrival: Some(include(&decide(40, 3, vec![arrived], &[0, 1, 2, 3]), 0, 0)),
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
    }
}

/// Bytes before the first item.
pub const PREFIX: usize = BATCH_PREFIX_BYTES;
