//! Operations, with nothing in them that the callers do not say.

use chain_state::InstructionRecord;
use chain_types::{
    Amount, ApprovalItem, ArrivalItem, BounceItem, Change, CollectItem, ConsentItem, DebitingItem,
    Decision, FailureItem, Flags, Height, HoldDecisionItem, LineItem, OrderId, ParticipantId,
    PolicyItem, ProposalId, ProposalItem, RecallItem, RechargeItem, ReinstructItem, ReturnItem,
    SettleWindowItem, SettlementDecisionItem, StepInItem, TimeMs, TransferDecisionItem,
    TransferItem, VoidItem, WindowId,
};

use crate::item::Item;

/// Makes ids, each once.
#[derive(Debug, Default, Clone)]
pub struct Ids(u64);

impl Ids {
    /// An order's id, its owner's own.
    pub fn order(&mut self, owner: u32, time_ms: u64) -> OrderId {
        self.0 += 1;
        let [_, _, entropy @ ..] = self.0.to_be_bytes();
        OrderId::owned(ParticipantId::new(owner), TimeMs::new(time_ms), entropy)
    }

    pub fn other(&mut self, time_ms: u64) -> [u8; 16] {
        self.order(0, time_ms).bytes()
    }
}

/// The content of an order that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub gateway: u32,
    pub merchant: u64,
    pub user: u8,
    pub amount: u64,
    pub currency: u16,
    /// Quote and payout currency.
    pub conversion: Option<(u64, u16)>,
    pub is_collected: bool,
}

pub fn recharge(id: OrderId, wanted: Wanted) -> Item {
    let (quote, payout_currency) = wanted.conversion.unwrap_or((0, wanted.currency));
    let item = RechargeItem {
        order_id: id.bytes(),
        user: [wanted.user; 16],
        merchant: wanted.merchant.into(),
        collecting_gateway: wanted.gateway.into(),
        amount: wanted.amount.into(),
        currency: wanted.currency.into(),
        payout_currency: payout_currency.into(),
        flags: if wanted.is_collected { Flags::COLLECTED } else { 0 }.into(),
        fx_quote: quote.into(),
        ..RechargeItem::default()
    };
    item.into()
}

pub fn collect(id: OrderId) -> Item {
    CollectItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] }.into()
}

/// The user of an order pays now.
pub fn debiting(id: OrderId) -> Item {
    DebitingItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] }.into()
}

/// So much of an order may have gone back in all.
pub fn consent(id: OrderId, amount: u64) -> Item {
    let amount = amount.into();
    ConsentItem { order_id: id.bytes(), amount, reference: [1; 32], spare: [0; 8] }.into()
}

/// A holder may have so much outstanding on the submitter's account.
pub fn line(account: u16, holder: u32, currency: u16, limit: u64) -> Item {
    let item = LineItem {
        account: account.into(),
        holder: holder.into(),
        currency: currency.into(),
        limit: limit.into(),
        spare: [0; 48],
    };
    item.into()
}

pub fn void(id: OrderId) -> Item {
    VoidItem { order_id: id.bytes(), reason: 2.into(), reference: [1; 32], spare: [0; 14] }.into()
}

pub fn give_back(id: OrderId, amount: u64, rested_max: u64, sequence: u16) -> Item {
    let item = ReturnItem {
        order_id: id.bytes(),
        amount: amount.into(),
        rested_max: rested_max.into(),
        reason: 1.into(),
        sequence: sequence.into(),
        reference: [1; 32],
        spare: [0; 4],
    };
    item.into()
}

pub fn decide_hold(id: OrderId, is_release: bool) -> Item {
    let item = HoldDecisionItem {
        order_id: id.bytes(),
        decision: if is_release { 1 } else { 2 }.into(),
        reason: if is_release { 1 } else { 2 }.into(),
        reference: [1; 32],
        spare: [0; 12],
    };
    item.into()
}

/// The desk looks at orders above an amount.
pub fn policy(currency: u16, hold_above: u64) -> Item {
    let item = PolicyItem {
        currency: currency.into(),
        hold_above: hold_above.into(),
        ..PolicyItem::default()
    };
    item.into()
}

pub fn arrive(record: &InstructionRecord, amount: u64) -> Item {
    let item = ArrivalItem::new(record.id, Amount::new(amount), [2; 32], record.attempt);
    item.into()
}

/// Words about an instruction that say a reason, or none.
macro_rules! about_instruction {
    ($($name:ident: $item:ident, $spare:literal $(, $reason:ident)?;)*) => {
        $(pub fn $name(record: &InstructionRecord $(, $reason: u16)?) -> Item {
            let item = $item {
                window: record.id.window.get().into(),
                merchant: record.id.merchant.get().into(),
                currency: record.id.currency.get().into(),
                $(reason: $reason.into(),)?
                reference: [3; 32],
                attempt: record.attempt.into(),
                spare: [0; $spare],
            };
            item.into()
        })*
    };
}

about_instruction! {
    fail: FailureItem, 10, reason;
    bounce: BounceItem, 10, reason;
    step_in: StepInItem, 10, reason;
    recall: RecallItem, 12;
    reinstruct: ReinstructItem, 12;
}

/// A transfer's account, as the wire names it: kind, owner and currency.
pub type Account = (u16, u64, u16);

pub fn transfer(id: [u8; 16], action: u16, account: Account, amount: u64) -> Item {
    let (kind, owner, currency) = account;
    let item = TransferItem {
        transfer_id: id,
        action: action.into(),
        account_kind: kind.into(),
        owner: owner.into(),
        currency: currency.into(),
        amount: amount.into(),
        reference: [4; 32],
        spare: [0; 26],
    };
    item.into()
}

pub fn decide_transfer(id: [u8; 16], is_approval: bool, action: u16, amount: u64) -> Item {
    let item = TransferDecisionItem {
        transfer_id: id,
        decision: number(is_approval).into(),
        action: action.into(),
        amount: amount.into(),
        reference: [5; 32],
        spare: [0; 4],
    };
    item.into()
}

pub fn settle(window: WindowId, digest: [u8; 32]) -> Item {
    SettleWindowItem { window: window.get().into(), digest, reference: [6; 32], spare: [0; 24] }
        .into()
}

pub fn decide_settlement(window: WindowId, is_approval: bool, digest: [u8; 32]) -> Item {
    let item = SettlementDecisionItem {
        window: window.get().into(),
        decision: number(is_approval).into(),
        digest,
        reference: [6; 32],
        spare: [0; 22],
    };
    item.into()
}

pub fn propose(id: [u8; 16], height: Height, change: &Change) -> ProposalItem {
    ProposalItem::new(ProposalId::from_bytes(id), height, change).unwrap()
}

pub fn vote(id: [u8; 16], digest: [u8; 32], is_approval: bool) -> Item {
    let decision = number(is_approval).into();
    ApprovalItem { proposal_id: id, decision, digest, spare: [0; 14] }.into()
}

fn number(is_approval: bool) -> u16 {
    let decision = if is_approval { Decision::Approve } else { Decision::Refuse };
    decision.number()
}
