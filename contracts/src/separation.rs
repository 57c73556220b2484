//! Separation of duties: nobody proposes, approves or decides about what its own legal entity has.
//!
//! Rule: the submitter and the party, the account's owner or the merchant that the item is about
//! are not of one legal entity (117). A participant is always of one entity with itself.
//!
//! Always: whoever moves money to or from an account, or changes what a party or merchant may do,
//! earns nothing by it.

use chain_state::{AccountKey, AccountKind, InstructionRecord, Overlay, State};
use chain_types::{
    Change, MerchantId, Participant, ParticipantId, PolicyScope, RechargeItem, Rejection,
};

/// Checks that a transfer's maker or checker may give its word about an account.
pub(crate) fn check_account(
    state: &State,
    submitter: &Participant,
    account: &AccountKey,
) -> Result<(), Rejection> {
    let is_own = match account.kind {
        AccountKind::CashbackPool => {
            is_own_merchant(state, submitter, MerchantId::new(account.owner))
        }
        _ => u32::try_from(account.owner)
            .is_ok_and(|owner| is_own_party(state, submitter, ParticipantId::new(owner))),
    };
    refuse_own(is_own)
}

/// Checks that a risk desk may decide about an order, or that an agent may return it in the place
/// of others: it is not of the legal entity of its merchant, its collecting gateway or one more
/// party.
pub(crate) fn check_order(
    state: &State,
    decider: &Participant,
    party: ParticipantId,
    item: &RechargeItem,
) -> Result<(), Rejection> {
    check_parties(state, decider, [party, item.collecting_gateway()], item.merchant())
}

/// Checks that an agent may give its word about an instruction: it is not of the legal entity of
/// its merchant, its gateway or the one that pays the merchant now.
pub(crate) fn check_instruction(
    state: &State,
    agent: &Participant,
    record: &InstructionRecord,
) -> Result<(), Rejection> {
    let merchant = record.id.merchant;
    let next = state.merchant(merchant).map_or(record.gateway, |found| found.payout_gateway);
    check_parties(state, agent, [record.gateway, next], merchant)
}

fn check_parties(
    state: &State,
    decider: &Participant,
    parties: [ParticipantId; 2],
    merchant: MerchantId,
) -> Result<(), Rejection> {
    let is_own = parties.into_iter().any(|party| is_own_party(state, decider, party));
    refuse_own(is_own || is_own_merchant(state, decider, merchant))
}

/// Checks that a risk desk may set a policy of this scope and subject.
pub(crate) fn check_policy(
    state: &State,
    desk: &Participant,
    scope: PolicyScope,
    subject: u64,
) -> Result<(), Rejection> {
    let is_own = match scope {
        PolicyScope::Scheme => false,
        PolicyScope::Gateway => u32::try_from(subject)
            .is_ok_and(|gateway| is_own_party(state, desk, ParticipantId::new(gateway))),
        PolicyScope::Merchant => is_own_merchant(state, desk, MerchantId::new(subject)),
    };
    refuse_own(is_own)
}

/// Checks that an operator may give its word about a change.
pub(crate) fn check_change(
    overlay: &Overlay<'_>,
    operator: &Participant,
    change: &Change,
) -> Result<(), Rejection> {
    refuse_own(concerns(overlay, operator, change))
}

/// Returns true if a change is about a party or merchant of an operator's own legal entity, as it
/// is or as it shall be; or lets a merchant be paid there.
pub(crate) fn concerns(overlay: &Overlay<'_>, operator: &Participant, change: &Change) -> bool {
    let is_party = |id: ParticipantId| {
        let found = overlay.next_registry().participant(id);
        operator.id == id || found.is_some_and(|found| operator.is_one_with(found))
    };
    let is_merchant = |id: MerchantId| {
        let found = overlay.next_merchant(id);
        found.is_some_and(|found| operator.is_of(&found.merchant.legal_entity))
    };
    match change {
        Change::Participant(new) => is_party(new.id) || operator.is_of(&new.legal_entity),
        // Who holds a key rotates it.
        Change::Key { participant, .. } => operator.id != *participant && is_party(*participant),
        Change::ParticipantSuspended { participant, .. } => is_party(*participant),
        Change::Merchant(new) => {
            is_merchant(new.id) || operator.is_of(&new.legal_entity) || is_party(new.payout_gateway)
        }
        Change::MerchantSuspended { merchant, .. } => is_merchant(*merchant),
        Change::Registrar { participant, limits } => {
            is_party(*participant) || is_party(limits.gateway)
        }
        Change::Programme(programme) => is_merchant(programme.merchant),
        Change::Parameter { .. }
        | Change::Node(_)
        | Change::Power { .. }
        | Change::Currency(_)
        | Change::ProtocolVersion(_)
        | Change::NodeKeys { .. }
        | Change::NodeRemoved { .. }
        // Of a list: see [`crate::lists`].
        | Change::List { .. } => false,
    }
}

/// Returns true if a party is of the submitter's own legal entity.
pub(crate) fn is_own_party(state: &State, submitter: &Participant, party: ParticipantId) -> bool {
    let found = state.participant(party);
    submitter.id == party || found.is_some_and(|found| submitter.is_one_with(found))
}

/// Returns true if a merchant is of the submitter's own legal entity.
pub(crate) fn is_own_merchant(
    state: &State,
    submitter: &Participant,
    merchant: MerchantId,
) -> bool {
    state.merchant(merchant).is_some_and(|found| submitter.is_of(&found.legal_entity))
}

fn refuse_own(is_own: bool) -> Result<(), Rejection> {
    if is_own { Err(Rejection::OwnEntity) } else { Ok(()) }
}
