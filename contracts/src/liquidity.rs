//! Liquidity: money that comes from or goes outside, and net debit caps, by maker and checker.
//!
//! Operations: [`propose`], by a settlement agent; [`decide`], by another settlement agent or a
//! settlement operator; [`expire`], by block time alone.
//!
//! Rules of a proposal, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the action
//! has a meaning (507); the id is timely (203, 204); the id is new (repeated, or 500 for other
//! content); the amount is not zero, but for a cap (206); the currency is the chain's (208); the
//! account's kind takes the action and its owner is registered for it, or was and the account is
//! not empty (504); the account is not of the submitter's own legal entity (117); a withdrawal is
//! within the balance that is free (505) and settled (511); sums fit (216). Of a decision: 200,
//! 201, the decision has a meaning (310), the transfer is known (501), names the same action and
//! amount (508), is not decided otherwise (502; the same again is repeated) and not by its maker or
//! another of its legal entity (503); the account is not of the checker's own legal entity (117); a
//! cap is not below what is used (506); a withdrawal is still of settled money (511); sums fit
//! (216).
//!
//! Records: the transfer at each step.
//!
//! Always: a withdrawal is pending from its proposal to its decision; nobody decides alone; what
//! goes out was deposited, or brought in by a settlement.

use chain_state::{
    Account, AccountKey, AccountKind, DueFor, EntryCause, Location, Movement, Overlay, Record,
    Slot, TransferRecord, TransferStatus, check_timely,
};
use chain_types::{
    Amount, Decision, Digest, MerchantId, OrderId, Outcome, Participant, ParticipantId, Rejection,
    Roles, TimeMs, TransferAction, TransferDecisionItem, TransferId, TransferItem,
};

use crate::separation;

/// A maker proposes a transfer.
pub(crate) fn propose(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &TransferItem,
    leaf: &Digest,
    location: Location,
) -> Outcome {
    let record = match check(overlay, submitter, item, leaf, location) {
        Ok(record) => record,
        Err(outcome) => return outcome,
    };
    if record.action == TransferAction::Withdraw {
        overlay.begin(EntryCause::Transfer(record.id));
        let movement = movement(overlay, &record);
        if overlay.reserve(&movement).is_err() {
            return Rejection::AccountOverflow.into();
        }
    }
    put(overlay, record);
    Outcome::APPLIED
}

fn check(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &TransferItem,
    leaf: &Digest,
    location: Location,
) -> Result<TransferRecord, Outcome> {
    let id = item.transfer_id();
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid.into());
    }
    if item.spare != [0; 26] {
        return Err(Rejection::SpareNotZero.into());
    }
    let action = TransferAction::from_number(item.action.get()).ok_or(Rejection::ActionUnknown)?;
    // Its id bounds its life as an order's does, so that none is booked twice.
    check_timely(overlay.state().parameters(), OrderId::from_bytes(id.bytes()), overlay.time())?;
    if let Some(known) = overlay.tables().transfers().get(&id) {
        let is_same = known.maker == submitter.id && known.content == *leaf;
        return Err(if is_same { Outcome::REPEATED } else { Rejection::TransferConflict.into() });
    }
    if item.amount.get() == 0 && action != TransferAction::Cap {
        return Err(Rejection::AmountZero.into());
    }
    let account = check_account(overlay, action, item)?;
    separation::check_account(overlay.state(), submitter, &account)?;
    let slot = overlay.open(account);
    if action == TransferAction::Withdraw {
        check_withdrawal(overlay.account(slot), item.amount())?;
    }
    Ok(TransferRecord {
        id,
        action,
        account,
        amount: item.amount(),
        reference: item.reference,
        content: *leaf,
        maker: submitter.id,
        proposed: overlay.time(),
        location,
        status: TransferStatus::Proposed,
        checker: None,
        checker_reference: [0; 32],
        decided: None,
    })
}

fn check_account(
    overlay: &mut Overlay<'_>,
    action: TransferAction,
    item: &TransferItem,
) -> Result<AccountKey, Rejection> {
    let state = overlay.state();
    let currency = item.currency();
    if state.currencies().binary_search(&currency).is_err() {
        return Err(Rejection::CurrencyUnsupported);
    }
    let key = item.account().ok_or(Rejection::AccountUnsuited)?;
    let owner = key.owner;
    let participant =
        u32::try_from(owner).ok().and_then(|id| state.participant(ParticipantId::new(id)));
    let mut suits = |role| match participant {
        Some(found) if found.roles.any_of(role) => true,
        // What a party has or owes can be paid though it lost its role.
        Some(_) if action != TransferAction::Cap => {
            let slot = overlay.open(key);
            overlay.account(slot).balance() != 0
        }
        _ => false,
    };
    let is_suited = match key.kind {
        AccountKind::GatewayLiquidity => suits(Roles::GATEWAY),
        AccountKind::FxPosition => suits(Roles::FX_PROVIDER),
        AccountKind::CashbackPool => {
            action != TransferAction::Cap && state.merchant(MerchantId::new(owner)).is_some()
        }
        _ => false,
    };
    if is_suited { Ok(key) } else { Err(Rejection::AccountUnsuited) }
}

/// A withdrawal is of the balance less what is pending, never of credit that a cap lends; and of
/// settled money, never of what other parties' banks still owe.
fn check_withdrawal(account: &Account, amount: Amount) -> Result<(), Rejection> {
    let used = account.debits_posted.saturating_add(account.debits_pending);
    if account.credits_posted.saturating_sub(used) < u128::from(amount.get()) {
        return Err(Rejection::FundsMissing);
    }
    check_settled(account, amount)
}

fn check_settled(account: &Account, amount: Amount) -> Result<(), Rejection> {
    let is_settled = account.settled >= i128::from(amount.get());
    if is_settled { Ok(()) } else { Err(Rejection::UnsettledFunds) }
}

/// A checker approves or refuses a transfer.
pub(crate) fn decide(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &TransferDecisionItem,
) -> Outcome {
    let (record, decision) = match check_decision(overlay, submitter, item) {
        Ok(checked) => checked,
        Err(outcome) => return outcome,
    };
    overlay.begin(EntryCause::Transfer(record.id));
    let status = match decision {
        Decision::Approve => {
            if let Err(rejection) = book(overlay, &record) {
                return rejection.into();
            }
            TransferStatus::Approved
        }
        Decision::Refuse => {
            release(overlay, &record);
            TransferStatus::Refused
        }
    };
    let decided = Some(overlay.time());
    let (checker, checker_reference) = (Some(submitter.id), item.reference);
    put(overlay, TransferRecord { status, checker, checker_reference, decided, ..record });
    Outcome::APPLIED
}

fn check_decision(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &TransferDecisionItem,
) -> Result<(TransferRecord, Decision), Outcome> {
    let id = item.transfer_id();
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid.into());
    }
    if item.spare != [0; 4] {
        return Err(Rejection::SpareNotZero.into());
    }
    let decision = Decision::from_number(item.decision.get()).ok_or(Rejection::DecisionUnknown)?;
    let record = *overlay.tables().transfers().get(&id).ok_or(Rejection::TransferUnknown)?;
    if item.action.get() != record.action.number() || item.amount.get() != record.amount.get() {
        return Err(Rejection::DecisionMismatch.into());
    }
    let same = match decision {
        Decision::Approve => TransferStatus::Approved,
        Decision::Refuse => TransferStatus::Refused,
    };
    if record.status == same && record.checker == Some(submitter.id) {
        return Err(Outcome::REPEATED);
    }
    if record.status != TransferStatus::Proposed {
        return Err(Rejection::TransferDecided.into());
    }
    if separation::is_own_party(overlay.state(), submitter, record.maker) {
        return Err(Rejection::MakerIsChecker.into());
    }
    separation::check_account(overlay.state(), submitter, &record.account)?;
    Ok((record, decision))
}

/// Posts an approved transfer.
fn book(overlay: &mut Overlay<'_>, record: &TransferRecord) -> Result<(), Rejection> {
    let booked = match record.action {
        TransferAction::Deposit => {
            let movement = movement(overlay, record);
            overlay.transfer(&movement)
        }
        TransferAction::Withdraw => {
            let slot = overlay.open(record.account);
            check_settled(overlay.account(slot), record.amount)?;
            let movement = movement(overlay, record);
            overlay.post_reserved(&movement)
        }
        TransferAction::Cap => {
            let slot = overlay.open(record.account);
            return set_cap(overlay, slot, record.amount);
        }
    };
    booked.map_err(|_| Rejection::AccountOverflow)?;
    settle(overlay, record);
    Ok(())
}

/// Changes the settled part of the balance by a transfer that is posted.
fn settle(overlay: &mut Overlay<'_>, record: &TransferRecord) {
    let amount = i128::from(record.amount.get());
    let slot = overlay.open(record.account);
    let change = if record.action == TransferAction::Deposit { amount } else { -amount };
    // The counters took the same amount.
    let settled = overlay.settle(slot, change);
    assert!(settled.is_ok(), "the settled balance of {:?} is out of its range", record.account);
}

fn set_cap(overlay: &mut Overlay<'_>, slot: Slot, cap: Amount) -> Result<(), Rejection> {
    let changed = Account { net_debit_cap: cap.get(), ..*overlay.account(slot) };
    if !changed.is_within_cap() {
        return Err(Rejection::CapBelowUse);
    }
    overlay.set_cap(slot, cap);
    Ok(())
}

/// Frees what a withdrawal reserved.
fn release(overlay: &mut Overlay<'_>, record: &TransferRecord) {
    if record.action == TransferAction::Withdraw {
        let movement = movement(overlay, record);
        overlay.release(&movement);
    }
}

fn movement(overlay: &mut Overlay<'_>, record: &TransferRecord) -> Movement {
    let account = overlay.open(record.account);
    let outside = overlay.open(AccountKey::scheme_settlement(record.account.currency));
    let (debit, credit) = match record.action {
        TransferAction::Deposit => (outside, account),
        TransferAction::Withdraw | TransferAction::Cap => (account, outside),
    };
    Movement { debit, credit, amount: record.amount, order_count: 0 }
}

/// Ends transfers that nobody decided in time, and forgets ended ones whose id can never come
/// again.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let parameters = overlay.state().parameters();
    let (waits_ms, kept_ms) = (parameters.transfer_validity_ms, parameters.order_validity_ms);
    let time = overlay.time();
    let tables = overlay.state().tables();
    let dues = &tables.dues().transfers;
    for id in dues.past(DueFor::Decision, |proposed| TimeMs::new(proposed).plus(waits_ms) < time) {
        if let Some(record) = tables.transfers.get(&id) {
            overlay.begin(EntryCause::Transfer(id));
            release(overlay, record);
            let (status, decided) = (TransferStatus::Expired, Some(time));
            put(overlay, TransferRecord { status, decided, ..*record });
        }
    }
    // Neither the proposal nor its decision can be sent again then and be taken for new.
    for id in dues.past(DueFor::Oblivion, |ended| TimeMs::new(ended).plus(kept_ms) < time) {
        overlay.tables().transfers().remove(&id);
    }
}

fn put(overlay: &mut Overlay<'_>, record: TransferRecord) {
    let id: TransferId = record.id;
    overlay.tables().transfers().put(id, record);
    overlay.record(Record::Transfer(record));
}
