//! Ids, and an item of each kind with its usual fields.

use chain_state::AccountKey;
use chain_types::{
    Amount, ApprovalItem, ArrivalItem, BounceItem, Change, CollectItem, ConsentItem, Currency,
    DebitingItem, Decision, Digest, FailureItem, Flags, Height, HoldDecisionItem, InstructionId,
    MerchantId, OrderId, ParticipantId, PolicyItem, ProposalId, ProposalItem, QuoteId, QuoteItem,
    RateItem, RecallItem, RechargeItem, ReinstructItem, ReturnItem, SettleWindowItem,
    SettlementDecisionItem, StepInItem, TimeMs, TransferAction, TransferDecisionItem, TransferId,
    TransferItem, VoidItem, WindowId,
};

use super::{BANK_A, CNY, SERVICE, SHOP, START};

/// The random part of a UUIDv7, which here numbers it.
pub fn entropy(number: u64) -> [u8; 10] {
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    entropy
}

/// The id of order `number` of the recharge service's own, made `offset_ms` after [`START`].
pub fn order_id(number: u64, offset_ms: i64) -> OrderId {
    own_id(SERVICE, TimeMs::new(START.get().checked_add_signed(offset_ms).unwrap()), number)
}

/// The id of order `number` of a participant's own.
pub fn own_id(owner: u32, time: TimeMs, number: u64) -> OrderId {
    let [.., first, second, third] = number.to_be_bytes();
    OrderId::owned(ParticipantId::new(owner), time, [0, 0, 0, first, second, third])
}

/// The same id, but another participant's.
pub fn of(owner: u32, id: OrderId) -> OrderId {
    id.owned_by(ParticipantId::new(owner))
}

/// An order that bank A shall collect for the shop, to be submitted by the recharge service.
pub fn order(id: OrderId, amount: u64) -> RechargeItem {
    RechargeItem {
        order_id: id.bytes(),
        user: [7; 16],
        merchant: SHOP.into(),
        collecting_gateway: BANK_A.into(),
        amount: amount.into(),
        currency: CNY.into(),
        payout_currency: CNY.into(),
        ..RechargeItem::default()
    }
}

/// The same, submitted and collected in one step by bank A itself, under an id of its own.
pub fn one_step(id: OrderId, amount: u64) -> RechargeItem {
    RechargeItem { flags: Flags::COLLECTED.into(), ..order(of(BANK_A, id), amount) }
}

pub fn collect(id: OrderId) -> CollectItem {
    CollectItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] }
}

pub fn debiting(id: OrderId) -> DebitingItem {
    DebitingItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] }
}

pub fn consent(id: OrderId, amount: u64) -> ConsentItem {
    ConsentItem { order_id: id.bytes(), amount: amount.into(), reference: [4; 32], spare: [0; 8] }
}

pub fn void(id: OrderId) -> VoidItem {
    VoidItem { order_id: id.bytes(), reason: 1.into(), reference: [1; 32], spare: [0; 14] }
}

pub fn arrival(window: u64, merchant: u64, amount: u64) -> ArrivalItem {
    ArrivalItem::new(instruction_id(window, merchant), Amount::new(amount), [9; 32], 1)
}

pub fn failure(window: u64, merchant: u64, reason: u16) -> FailureItem {
    FailureItem::new(instruction_id(window, merchant), reason, [8; 32], 1)
}

/// Part of a collected order that goes back because the user asked for it.
pub fn give_back(id: OrderId, amount: u64, sequence: u16) -> ReturnItem {
    ReturnItem {
        order_id: id.bytes(),
        amount: amount.into(),
        rested_max: 0.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        reference: [3; 32],
        spare: [0; 4],
    }
}

pub fn reinstruct(window: u64, merchant: u64) -> ReinstructItem {
    ReinstructItem::new(instruction_id(window, merchant), [4; 32], 1)
}

pub fn bounce(window: u64, merchant: u64, reason: u16) -> BounceItem {
    BounceItem::new(instruction_id(window, merchant), reason, [7; 32], 1)
}

pub fn recall(window: u64, merchant: u64) -> RecallItem {
    RecallItem::new(instruction_id(window, merchant), [3; 32], 1)
}

pub fn step_in(window: u64, merchant: u64, reason: u16) -> StepInItem {
    StepInItem::new(instruction_id(window, merchant), reason, [2; 32], 1)
}

pub fn settle_window(window: u64, digest: Digest) -> SettleWindowItem {
    let (digest, reference) = (digest.bytes(), [5; 32]);
    SettleWindowItem { window: window.into(), digest, reference, spare: [0; 24] }
}

/// A checker's word about a settlement as it was proposed.
pub fn decide_settlement(
    proposed: &SettleWindowItem,
    decision: Decision,
) -> SettlementDecisionItem {
    SettlementDecisionItem {
        window: proposed.window,
        decision: decision.number().into(),
        digest: proposed.digest,
        reference: proposed.reference,
        spare: [0; 22],
    }
}

pub fn transfer(id: TransferId, action: TransferAction, to: AccountKey, sum: u64) -> TransferItem {
    TransferItem {
        transfer_id: id.bytes(),
        action: action.number().into(),
        account_kind: u16::from(to.kind.number()).into(),
        owner: to.owner.into(),
        currency: to.currency.get().into(),
        amount: sum.into(),
        reference: [6; 32],
        spare: [0; 26],
    }
}

/// A checker's word about a transfer as it was proposed.
pub fn decide(proposed: &TransferItem, decision: Decision) -> TransferDecisionItem {
    TransferDecisionItem {
        transfer_id: proposed.transfer_id,
        decision: decision.number().into(),
        action: proposed.action,
        amount: proposed.amount,
        reference: [6; 32],
        spare: [0; 4],
    }
}

/// A rate of `digits / 10^scale`, which may be none.
pub fn rate(pair: (u16, u16), (digits, scale): (u64, u16), observed: TimeMs) -> RateItem {
    RateItem::new((Currency::new(pair.0), Currency::new(pair.1)), (digits, scale), observed)
}

/// A quote at a published rate.
pub fn quote(id: QuoteId, at: &RateItem, ceiling: u64, until: TimeMs) -> QuoteItem {
    at.quote(id, Amount::new(ceiling), until)
}

pub fn decide_hold(id: OrderId, decision: Decision) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: id.bytes(),
        decision: decision.number().into(),
        reason: 1.into(),
        reference: [7; 32],
        spare: [0; 12],
    }
}

/// A policy in CNY that limits nothing yet.
pub fn policy(scope: u16, subject: u64) -> PolicyItem {
    PolicyItem {
        scope: scope.into(),
        subject: subject.into(),
        currency: CNY.into(),
        ..PolicyItem::default()
    }
}

pub fn proposal(id: ProposalId, from: Height, change: &Change) -> ProposalItem {
    ProposalItem::new(id, from, change).unwrap()
}

/// An operator's word about a proposal as it was made.
pub fn vote(proposed: &ProposalItem, decision: Decision) -> ApprovalItem {
    ApprovalItem {
        proposal_id: proposed.proposal_id,
        decision: decision.number().into(),
        digest: proposed.digest().bytes(),
        spare: [0; 14],
    }
}

pub fn instruction_id(window: u64, merchant: u64) -> InstructionId {
    let (window, merchant) = (WindowId::new(window), MerchantId::new(merchant));
    InstructionId { window, merchant, currency: Currency::new(CNY) }
}
