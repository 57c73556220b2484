//! One item of each kind and one change of each variant, as the vectors have them.

use chain_types::*;

use super::*;

pub fn order_id(index: u32) -> OrderId {
    let [a, b, ..] = index.to_be_bytes();
    let [.., c, d] = index.to_be_bytes();
    let time = GENESIS_TIME.plus(1_000 + u64::from(index));
    OrderId::new(time, [0x10, 0x21, a, b, c, d, 0x65, 0x76, 0x87, 0x98])
}

pub fn recharge(index: u32) -> RechargeItem {
    RechargeItem {
        order_id: order_id(index).bytes(),
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
    CollectItem { order_id: order_id(index).bytes(), reference: [0xc2; 32], spare: [0; 16] }
}

pub fn debiting(index: u32) -> DebitingItem {
    DebitingItem { order_id: order_id(index).bytes(), reference: [0x1D; 32], spare: [0; 16] }
}

pub fn consent(index: u32) -> ConsentItem {
    ConsentItem {
        order_id: order_id(index).bytes(),
        amount: 700.into(),
        reference: [0x1E; 32],
        spare: [0; 8],
    }
}

pub fn void(index: u32) -> VoidItem {
    VoidItem {
        order_id: order_id(index).bytes(),
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
        order_id: order_id(index).bytes(),
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
    let digest = crate::records::report_digest().bytes();
    SettleWindowItem { window: 2.into(), digest, reference: [0x18; 32], spare: [0; 24] }
}

pub fn settlement_decision() -> SettlementDecisionItem {
    SettlementDecisionItem {
        window: 2.into(),
        decision: Decision::Approve.number().into(),
        digest: crate::records::report_digest().bytes(),
        reference: [0x18; 32],
        spare: [0; 22],
    }
}

pub fn transfer() -> TransferItem {
    TransferItem {
        transfer_id: TransferId::new(GENESIS_TIME.plus(2_000), [0x20; 10]).bytes(),
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
        observed: GENESIS_TIME.plus(1_500).get().into(),
        spare: [0; 42],
    }
}

pub fn quote() -> QuoteItem {
    QuoteItem {
        quote_id: QuoteId::of(ParticipantId::new(301), 7).get().into(),
        currency: 156.into(),
        payout_currency: 392.into(),
        mantissa: 20_500.into(),
        scale: 3.into(),
        ceiling: 100_000_000.into(),
        valid_until: GENESIS_TIME.plus(300_000).get().into(),
        spare: [0; 26],
    }
}

pub fn hold_decision(index: u32, decision: Decision) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: order_id(index).bytes(),
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
        digest: proposal().digest().bytes(),
        spare: [0; 14],
    }
}

/// A change of a list of one.
pub fn listed_change() -> ListedChangeItem {
    ListedChangeItem::new(&Change::Merchant(merchant(1003, 202, Digest::from_bytes([0x5b; 32]))))
        .unwrap()
}

/// A merchant that a registrar adds.
pub fn registered() -> MerchantItem {
    MerchantItem::new(&merchant(1003, 202, Digest::from_bytes([0x5b; 32]))).unwrap()
}

/// One change of each variant, in order, with its name in the vectors.
pub fn changes() -> Vec<(&'static str, Change)> {
    let programme = Programme {
        merchant: MerchantId::new(1001),
        currency: Currency::new(156),
        tiers: vec![CashbackTier::DEFAULT, CashbackTier { above: 10, basis_points: 1_000 }],
        order_max: Amount::new(5_000),
        user_month_max: Amount::new(20_000),
        offset_min: -300,
        is_active: true,
        order_least: Amount::new(13),
        gateways: vec![ParticipantId::new(201), ParticipantId::new(202)],
    };
    let (participant_202, merchant_1002) = (ParticipantId::new(202), MerchantId::new(1002));
    let second_key = key(SECOND_KEY).public_key();
    let suspended = true;
    vec![
        ("participant", Change::Participant(participant(302, "provider", Roles::FX_PROVIDER))),
        (
            "key",
            Change::Key {
                participant: participant_202,
                public_key: second_key,
                overlap_heights: OVERLAP_END.next().get() - KEY_HEIGHT.get(),
            },
        ),
        (
            "participant_suspended",
            Change::ParticipantSuspended { participant: participant_202, suspended },
        ),
        ("merchant", Change::Merchant(merchant(1003, 202, Digest::from_bytes([0x5b; 32])))),
        (
            "merchant_suspended",
            Change::MerchantSuspended { merchant: merchant_1002, suspended: false },
        ),
        ("parameter", Change::Parameter { index: 2, value: 20_000 }),
        ("node", Change::Node(node(4))),
        ("power", Change::Power { node: 3, power: 0 }),
        ("currency", Change::Currency(Currency::new(840))),
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
        (
            "list",
            Change::List { digest: ListedChangeItem::list_digest(&[listed_change()]), count: 1 },
        ),
        (
            "registrar",
            Change::Registrar {
                participant: ParticipantId::new(601),
                limits: RegistrarLimits {
                    gateway: participant_202,
                    added_max: 5_000,
                    changed_max: 200,
                },
            },
        ),
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
        sample(1, listed_change()),
        sample(202, registered()),
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
