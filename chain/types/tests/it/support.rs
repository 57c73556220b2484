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
/// The order that the long receipt is about.
pub const LONG_ORDER_INDEX: u32 = 71;

/// The last block that the genesis file's validators decide: it hands over to five.
pub const HANDOVER_HEIGHT: Height = Height(50);
/// The first block under the second key of gateway 202.
pub const KEY_HEIGHT: Height = Height(55);
/// The last block that accepts its first key beside it.
pub const OVERLAP_END: Height = Height(65);
/// The seed of its second key, thirty-two times.
pub const SECOND_KEY: u8 = 203;
/// The seeds of the keys that validator 4 has after a rotation.
pub const NEXT_NETWORK_KEY: u8 = 16;
pub const NEXT_VOTE_KEY: u8 = 6;

/// The key whose seed is `tag` thirty-two times.
pub fn key(tag: u8) -> SecretKey {
    SecretKey::from_seed(&[tag; 32])
}

/// The seed of a participant's key: `vectors/genesis.toml` says the rule.
pub fn tag(participant: u32) -> u8 {
    let tag = match participant {
        1..=4 => 20 + participant,
        301.. => participant / 100 * 10 + participant % 10,
        _ => participant,
    };
    u8::try_from(tag).unwrap()
}

pub fn chain_id() -> ChainId {
    ChainId(sha256(&[GENESIS_FILE]))
}

/// A participant of the vectors.
pub fn participant(id: u32, word: &str, roles: Roles) -> Participant {
    Participant {
        id: ParticipantId(id),
        name: format!("{word}-{id}"),
        roles,
        public_key: key(tag(id)).public_key(),
        suspended: false,
        legal_entity: String::new(),
    }
}

/// A merchant of the vectors.
pub fn merchant(id: u64, gateway: u32, payout_account: Digest) -> Merchant {
    Merchant {
        id: MerchantId(id),
        name: format!("merchant-{id}"),
        payout_gateway: ParticipantId(gateway),
        payout_account,
        suspended: false,
        legal_entity: String::new(),
    }
}

/// A node of the vectors: its vote key has seed 1 + `index`, its network key seed 11 + `index`.
pub fn node(index: u8) -> Node {
    Node {
        name: format!("validator-{}", index + 1),
        operator: ParticipantId(u32::from(index) % 4 + 1),
        network_key: key(11 + index).public_key(),
        validator_key: key(1 + index).public_key(),
        power: 1,
    }
}

/// The content of `vectors/genesis.toml`.
pub fn genesis() -> ChainGenesis {
    let line = |gateway, currency| LiquidityLine {
        gateway: ParticipantId(gateway),
        currency: Currency(currency),
        net_debit_cap: Amount(1_000_000_000),
        opening_liquidity: Amount(0),
    };
    let mut participants: Vec<Participant> =
        (1..=4).map(|id| participant(id, "operator", Roles::SETTLEMENT_OPERATOR)).collect();
    participants.extend([
        participant(101, "recharge", Roles::RECHARGE_SERVICE),
        participant(201, "gateway", Roles::GATEWAY),
        participant(202, "gateway", Roles::GATEWAY),
        participant(301, "provider", Roles::FX_PROVIDER),
        participant(401, "agent", Roles::SETTLEMENT_AGENT),
        participant(402, "agent", Roles::SETTLEMENT_AGENT),
        participant(501, "desk", Roles::RISK_DESK),
    ]);
    ChainGenesis {
        chain_id: chain_id(),
        name: "vectors".to_owned(),
        time: GENESIS_TIME,
        parameters: Parameters::default(),
        currencies: vec![Currency(156), Currency(392)],
        participants,
        merchants: vec![merchant(1001, 202, Digest::ZERO), merchant(1002, 201, Digest([0x5a; 32]))],
        liquidity: vec![line(201, 156), line(201, 392), line(202, 156), line(202, 392)],
        lines: Vec::new(),
        nodes: (0..4).map(node).collect(),
    }
}

/// The validators who decide the block of `height`.
pub fn validators_at(height: Height) -> ValidatorSet {
    let count = if height <= HANDOVER_HEIGHT { 4 } else { 5 };
    ValidatorSet::of_nodes(&(0..count).map(node).collect::<Vec<_>>())
}

/// The keys of all participants at the block of `height`.
pub fn parties_at(height: Height) -> Vec<PartyKeys> {
    let keys = |participant: &Participant| {
        let keys = PartyKeys::of(participant);
        if height < KEY_HEIGHT || participant.id != ParticipantId(202) {
            return keys;
        }
        let previous = Some((keys.current, OVERLAP_END));
        PartyKeys { current: key(SECOND_KEY).public_key(), previous, ..keys }
    };
    genesis().participants.iter().map(keys).collect()
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

pub fn debiting(index: u32) -> DebitingItem {
    DebitingItem { order_id: order_id(index).0, reference: [0x1D; 32], spare: [0; 16] }
}

pub fn consent(index: u32) -> ConsentItem {
    ConsentItem {
        order_id: order_id(index).0,
        amount: 700.into(),
        reference: [0x1E; 32],
        spare: [0; 8],
    }
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
        attempt: 1.into(),
        spare: [0; 4],
    }
}

pub fn failure() -> FailureItem {
    FailureItem {
        window: 2.into(),
        merchant: 1001.into(),
        currency: 156.into(),
        reason: FailureReason::AccountClosed.number().into(),
        reference: [0xf5; 32],
        attempt: 1.into(),
        spare: [0; 10],
    }
}

pub fn send_back(index: u32, sequence: u16, amount: u64) -> ReturnItem {
    ReturnItem {
        order_id: order_id(index).0,
        amount: amount.into(),
        rested_max: 300.into(),
        reason: ReturnReason::CustomerRequest.number().into(),
        sequence: sequence.into(),
        reference: [0x16; 32],
        spare: [0; 4],
    }
}

pub fn reinstruct() -> ReinstructItem {
    ReinstructItem {
        window: 2.into(),
        merchant: 1001.into(),
        currency: 156.into(),
        reference: [0x17; 32],
        attempt: 1.into(),
        spare: [0; 12],
    }
}

pub fn bounce() -> BounceItem {
    BounceItem {
        window: 2.into(),
        merchant: 1001.into(),
        currency: 156.into(),
        reason: FailureReason::Regulatory.number().into(),
        reference: [0x1A; 32],
        attempt: 2.into(),
        spare: [0; 10],
    }
}

pub fn recall() -> RecallItem {
    RecallItem {
        window: 2.into(),
        merchant: 1001.into(),
        currency: 156.into(),
        reference: [0x1B; 32],
        attempt: 3.into(),
        spare: [0; 12],
    }
}

pub fn step_in() -> StepInItem {
    StepInItem {
        window: 2.into(),
        merchant: 1001.into(),
        currency: 156.into(),
        reason: FailureReason::BankUnavailable.number().into(),
        reference: [0x1C; 32],
        attempt: 4.into(),
        spare: [0; 10],
    }
}

pub fn settle_window() -> SettleWindowItem {
    let digest = crate::records::report_digest().0;
    SettleWindowItem { window: 2.into(), digest, reference: [0x18; 32], spare: [0; 24] }
}

pub fn settlement_decision() -> SettlementDecisionItem {
    SettlementDecisionItem {
        window: 2.into(),
        decision: Decision::Approve.number().into(),
        digest: crate::records::report_digest().0,
        reference: [0x18; 32],
        spare: [0; 22],
    }
}

pub fn transfer() -> TransferItem {
    TransferItem {
        transfer_id: TransferId::new(GENESIS_TIME.plus(2_000), [0x20; 10]).0,
        action: TransferAction::Deposit.number().into(),
        account_kind: 1.into(),
        owner: 201.into(),
        currency: 156.into(),
        amount: 5_000_000.into(),
        reference: [0x19; 32],
        spare: [0; 26],
    }
}

pub fn transfer_decision() -> TransferDecisionItem {
    TransferDecisionItem {
        transfer_id: transfer().transfer_id,
        decision: Decision::Approve.number().into(),
        action: TransferAction::Deposit.number().into(),
        amount: 5_000_000.into(),
        reference: [0x1a; 32],
        spare: [0; 4],
    }
}

/// 20.512 yen for one yuan.
pub fn rate() -> RateItem {
    RateItem {
        currency: 156.into(),
        payout_currency: 392.into(),
        mantissa: 20_512.into(),
        scale: 3.into(),
        observed: GENESIS_TIME.plus(1_500).0.into(),
        spare: [0; 42],
    }
}

pub fn quote() -> QuoteItem {
    QuoteItem {
        quote_id: QuoteId::new(ParticipantId(301), 7).0.into(),
        currency: 156.into(),
        payout_currency: 392.into(),
        mantissa: 20_500.into(),
        scale: 3.into(),
        ceiling: 100_000_000.into(),
        valid_until: GENESIS_TIME.plus(300_000).0.into(),
        spare: [0; 26],
    }
}

pub fn hold_decision(index: u32, decision: Decision) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: order_id(index).0,
        decision: decision.number().into(),
        reason: HoldReason::Cleared.number().into(),
        reference: [0x1b; 32],
        spare: [0; 12],
    }
}

pub fn policy() -> PolicyItem {
    PolicyItem {
        scope: PolicyScope::Gateway.number().into(),
        subject: 201.into(),
        currency: 156.into(),
        order_max: 5_000_000.into(),
        user_day_max: 0.into(),
        day_max: 900_000_000.into(),
        hold_above: 1_000_000.into(),
        spare: [0; 20],
    }
}

pub fn line() -> LineItem {
    LineItem {
        account: LineAccount::GatewayLiquidity.number().into(),
        holder: 101.into(),
        currency: 156.into(),
        limit: 2_000_000.into(),
        spare: [0; 48],
    }
}

/// The proposal of the node that votes from the handover on.
pub fn proposal() -> ProposalItem {
    let id = ProposalId::new(GENESIS_TIME.plus(3_000), [0x30; 10]);
    ProposalItem::new(id, HANDOVER_HEIGHT.next(), &Change::Node(node(4))).unwrap()
}

pub fn approval() -> ApprovalItem {
    ApprovalItem {
        proposal_id: proposal().proposal_id,
        decision: Decision::Approve.number().into(),
        digest: proposal().digest().0,
        spare: [0; 14],
    }
}

/// One change of each variant, in order, with its name in the vectors.
pub fn changes() -> Vec<(&'static str, Change)> {
    let programme = Programme {
        merchant: MerchantId(1001),
        currency: Currency(156),
        tiers: vec![CashbackTier::DEFAULT, CashbackTier { above: 10, basis_points: 1_000 }],
        order_max: Amount(5_000),
        user_month_max: Amount(20_000),
        offset_min: -300,
        is_active: true,
        order_least: Amount(13),
        gateways: vec![ParticipantId(201), ParticipantId(202)],
    };
    let (participant_202, merchant_1002) = (ParticipantId(202), MerchantId(1002));
    let second_key = key(SECOND_KEY).public_key();
    let suspended = true;
    vec![
        ("participant", Change::Participant(participant(302, "provider", Roles::FX_PROVIDER))),
        (
            "key",
            Change::Key {
                participant: participant_202,
                public_key: second_key,
                overlap_heights: OVERLAP_END.next().0 - KEY_HEIGHT.0,
            },
        ),
        (
            "participant_suspended",
            Change::ParticipantSuspended { participant: participant_202, suspended },
        ),
        ("merchant", Change::Merchant(merchant(1003, 202, Digest([0x5b; 32])))),
        (
            "merchant_suspended",
            Change::MerchantSuspended { merchant: merchant_1002, suspended: false },
        ),
        ("parameter", Change::Parameter { index: 2, value: 20_000 }),
        ("node", Change::Node(node(4))),
        ("power", Change::Power { node: 3, power: 0 }),
        ("currency", Change::Currency(Currency(840))),
        ("programme", Change::Programme(programme)),
        ("protocol_version", Change::ProtocolVersion(1)),
        (
            "node_keys",
            Change::NodeKeys {
                node: 4,
                network_key: key(NEXT_NETWORK_KEY).public_key(),
                validator_key: key(NEXT_VOTE_KEY).public_key(),
            },
        ),
        ("node_removed", Change::NodeRemoved { node: 4 }),
    ]
}

/// An item of a kind, and the batch of it alone.
pub struct Sample {
    pub kind: BatchKind,
    pub item: Vec<u8>,
    pub batch: Vec<u8>,
}

/// One item of each kind, as one who may submits it.
pub fn samples() -> Vec<Sample> {
    vec![
        sample(101, recharge(37)),
        sample(201, collect(37)),
        sample(101, void(37)),
        sample(202, arrival()),
        sample(202, failure()),
        sample(202, send_back(37, 1, 500)),
        sample(401, reinstruct()),
        sample(401, settle_window()),
        sample(401, transfer()),
        sample(402, transfer_decision()),
        sample(301, rate()),
        sample(301, quote()),
        sample(501, hold_decision(37, Decision::Approve)),
        sample(501, policy()),
        sample(1, proposal()),
        sample(2, approval()),
        sample(202, bounce()),
        sample(401, recall()),
        sample(401, step_in()),
        sample(201, debiting(37)),
        sample(402, settlement_decision()),
        sample(201, line()),
        sample(101, consent(37)),
    ]
}

fn sample<T>(submitter: u32, item: T) -> Sample
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + batch::BatchItem,
{
    let (kind, bytes) = (T::KIND, item.as_bytes().to_vec());
    Sample { kind, item: bytes, batch: signed(submitter, &[item]) }
}

pub fn valid_until() -> TimeMs {
    GENESIS_TIME.plus(120_000)
}

/// The bytes of a batch of `items` that participant `submitter` signs.
pub fn signed<T>(submitter: u32, items: &[T]) -> Vec<u8>
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + batch::BatchItem,
{
    signed_with(tag(submitter), submitter, items)
}

/// The bytes of a batch of `items` that participant `submitter` signs with the key of seed `tag`.
pub fn signed_with<T>(tag: u8, submitter: u32, items: &[T]) -> Vec<u8>
where
    T: zerocopy::IntoBytes + zerocopy::Immutable + batch::BatchItem,
{
    SignedBatch::sign(chain_id(), ParticipantId(submitter), &key(tag), valid_until(), items)
}

/// The keys that a participant has or had.
pub fn keys_of(id: ParticipantId) -> Option<PartyKeys> {
    parties_at(KEY_HEIGHT).into_iter().find(|keys| keys.participant == id)
}

pub fn verified(bytes: Vec<u8>) -> VerifiedBatch {
    SignedBatch::decode(Bytes::from(bytes)).unwrap().verify(chain_id(), keys_of).unwrap()
}

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
    let height = Height(height);
    let parties = parties_at(height);
    let party_leaves: Vec<Digest> = parties.iter().map(PartyKeys::leaf).collect();
    let (batches, outcomes): (Vec<_>, Vec<_>) = contents.into_iter().unzip();
    let ids: Vec<BatchId> = batches.iter().map(VerifiedBatch::id).collect();
    let roots: Vec<Digest> = outcomes.iter().map(|each| block::outcomes_root(each)).collect();
    let header = BlockHeader {
        protocol_version: parameters::PROTOCOL_VERSION,
        chain_id: chain_id(),
        height,
        round: Round(0),
        parent_round: Round(1),
        proposer: ValidatorId(2),
        time: GENESIS_TIME.plus(1_500 + height.0 * 250),
        window: WindowId(window),
        parent: BlockHash(sha256(&[b"parent"])),
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
    let certificate = certify(&header, Round(1), signers);
    Decided { header, batches, outcomes, certificate, parties }
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
    let signers: &[u8] = if Height(height) <= HANDOVER_HEIGHT { &[0, 1, 3] } else { &[0, 1, 3, 4] };
    include(&decide(height, window, vec![(verified(batch), vec![outcome])], signers), 0, 0)
}

/// The change of validators at [`HANDOVER_HEIGHT`].
pub fn handover() -> Handover {
    let Decided { header, certificate, .. } = decide(HANDOVER_HEIGHT.0, 4, vec![], &[1, 2, 3]);
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
        let (height, round, step) = (Height(5), Round(0), VoteStep::Precommit);
        let vote = Vote { height, round, step, block };
        let signature = key(2).sign(&vote.digest(chain_id()));
        SignedVote { vote, validator: ValidatorId(1), signature }
    };
    let proposal = |byte, valid_round| {
        let block = BlockHash(sha256(&[&[byte]]));
        let (height, round, proposer) = (Height(7), Round(2), ValidatorId(2));
        let proposal = Proposal { height, round, block, valid_round, proposer };
        SignedProposal { proposal, signature: key(3).sign(&proposal.digest(chain_id())) }
    };
    let votes = (vote(None), vote(Some(BlockHash(sha256(&[b"block"])))));
    let proposals = (proposal(1, None), proposal(2, Some(Round(1))));
    vec![
        Equivocation::Votes { first: votes.0, second: votes.1 }.in_order(),
        Equivocation::Proposals { first: proposals.0, second: proposals.1 }.in_order(),
    ]
}
