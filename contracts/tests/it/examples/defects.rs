//! What a client may do wrong with an item's bytes, behind any sentence.

use std::mem::offset_of;

use chain_types::{
    ApprovalItem, ArrivalItem, BatchKind, BounceItem, CollectItem, ConsentItem, DebitingItem,
    FailureItem, HoldDecisionItem, MerchantItem, ProposalItem, RecallItem, RechargeItem,
    ReinstructItem, ReturnItem, SettleWindowItem, SettlementDecisionItem, StepInItem,
    TransferDecisionItem, TransferItem, VoidItem,
};

use super::words::{Read, Words};

/// A change of an item's bytes.
pub type Defect = Box<dyn Fn(&mut Vec<u8>)>;

/// Operations that the sentences above cannot describe.
pub fn defect(kind: BatchKind, words: &mut Words<'_>) -> Read<Defect> {
    words.expect("with")?;
    if words.eat("reference") {
        let reference = u8::try_from(words.number()?).map_err(|_| "references are 0 to 255")?;
        let at = reference_at(kind).ok_or("this operation has no reference")?;
        return Ok(Box::new(move |bytes| bytes[at..at + 32].fill(reference)));
    }
    if words.eat("flags") {
        let flags = words.small()?.to_le_bytes();
        let at = offset_of!(RechargeItem, flags);
        return Ok(Box::new(move |bytes| bytes[at..at + 2].copy_from_slice(&flags)));
    }
    if words.eat("decision") || words.eat("action") {
        // Both stand right behind the id.
        let number = words.small()?.to_le_bytes();
        let at = if kind == BatchKind::SettlementDecision { 8 } else { 16 };
        return Ok(Box::new(move |bytes| bytes[at..at + 2].copy_from_slice(&number)));
    }
    match () {
        () if words.eat("spare bytes set") => Ok(Box::new(|bytes| *bytes.last_mut().unwrap() = 1)),
        () if words.eat("a UUIDv4 as id") => Ok(Box::new(|bytes| bytes[6] = 0x40)),
        () if words.eat("another digest") => {
            let at = match kind {
                BatchKind::SettleWindow => offset_of!(SettleWindowItem, digest),
                BatchKind::SettlementDecision => offset_of!(SettlementDecisionItem, digest),
                _ => offset_of!(ApprovalItem, digest),
            };
            Ok(Box::new(move |bytes| bytes[at] ^= 1))
        }
        () if words.eat("its bytes cut short") => {
            let at = match kind {
                BatchKind::Merchant => offset_of!(MerchantItem, merchant_length),
                _ => offset_of!(ProposalItem, change_length),
            };
            Ok(Box::new(move |bytes| bytes[at] -= 1))
        }
        () => Err(words.wrong("a defect")),
    }
}

fn reference_at(kind: BatchKind) -> Option<usize> {
    match kind {
        BatchKind::Recharge => Some(offset_of!(RechargeItem, external_reference)),
        BatchKind::Collect => Some(offset_of!(CollectItem, reference)),
        BatchKind::Debiting => Some(offset_of!(DebitingItem, reference)),
        BatchKind::Consent => Some(offset_of!(ConsentItem, reference)),
        BatchKind::Void => Some(offset_of!(VoidItem, reference)),
        BatchKind::Arrival => Some(offset_of!(ArrivalItem, reference)),
        BatchKind::Failure => Some(offset_of!(FailureItem, reference)),
        BatchKind::Return => Some(offset_of!(ReturnItem, reference)),
        BatchKind::Reinstruct => Some(offset_of!(ReinstructItem, reference)),
        BatchKind::Bounce => Some(offset_of!(BounceItem, reference)),
        BatchKind::Recall => Some(offset_of!(RecallItem, reference)),
        BatchKind::StepIn => Some(offset_of!(StepInItem, reference)),
        BatchKind::SettleWindow => Some(offset_of!(SettleWindowItem, reference)),
        BatchKind::SettlementDecision => Some(offset_of!(SettlementDecisionItem, reference)),
        BatchKind::Transfer => Some(offset_of!(TransferItem, reference)),
        BatchKind::TransferDecision => Some(offset_of!(TransferDecisionItem, reference)),
        BatchKind::HoldDecision => Some(offset_of!(HoldDecisionItem, reference)),
        _ => None,
    }
}
