//! Bounces: money that came back after its arrival was attested, or never went out.
//!
//! Operation: [`bounce`], by the instruction's paying gateway.
//!
//! Rules, in order: spare bytes are zero (201); the reason has a meaning (306); the instruction
//! is known, also to the past (400, 413); the attempt is the present one (412); the submitter pays
//! it (401); it has arrived (415, 404, 407), but the very same word again is repeated; the bounce
//! period since the arrival is not over (416); something of it was not returned to users (407);
//! the gateway has the money (417); sums fit (216).
//!
//! Records: the instruction, failed with this reason.
//!
//! Always: what comes back is owed to the merchant again, less what was returned to users since.

use chain_state::{
    AccountKey, ArrivedReturns, CashbackSum, EntryCause, History, InstructionRecord,
    InstructionStatus, Location, Movement, Overlay,
};
use chain_types::{
    Amount, BounceItem, FailureReason, InstructionId, Outcome, Participant, Rejection, TimeMs,
};

use crate::instructions::{Failed, check_payer, end, missing};
use crate::periods::{self, Period};
use crate::promises;

/// The paying gateway says that an instruction's money came back.
pub(crate) fn bounce(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &BounceItem,
    location: Location,
    history: &dyn History,
) -> Outcome {
    let (record, reason) = match check(overlay, submitter, item, history) {
        Ok(checked) => checked,
        Err(outcome) => return outcome,
    };
    let (id, amount) = (record.id, record.left());
    overlay.begin(EntryCause::Instruction(id));
    let debit = overlay.open(AccountKey::liquidity(record.gateway, id.currency));
    if overlay.account(debit).available() < u128::from(amount.get()) {
        return Rejection::BounceFundsMissing.into();
    }
    let credit = overlay.open(AccountKey::payable(id.merchant, id.currency));
    let order_count = record.order_count;
    if overlay.transfer(&Movement { debit, credit, amount, order_count }).is_err() {
        return Rejection::AccountOverflow.into();
    }
    promises::bounce(overlay, &record);
    if let InstructionStatus::Arrived { time, .. } = record.status {
        overlay.tables().arrived_returns().remove(&(time, id));
    }
    let failed = Failed { reason, by: submitter.id, reference: item.reference, location };
    end(overlay, record, &failed);
    Outcome::APPLIED
}

/// The arrived instruction, less what was returned of it since.
fn check(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &BounceItem,
    history: &dyn History,
) -> Result<(InstructionRecord, FailureReason), Outcome> {
    if item.spare != [0; 10] {
        return Err(Rejection::SpareNotZero.into());
    }
    let reason = FailureReason::from_number(item.reason.get());
    let reason = reason.filter(|reason| *reason != FailureReason::ServiceNotRendered);
    let reason = reason.ok_or(Rejection::ReasonUnknown)?;
    let id = item.instruction();
    let known = overlay.instruction(&id).cloned().or_else(|| history.instruction(&id));
    let record = known.ok_or_else(|| missing(overlay, id))?;
    if record.attempt != item.attempt.get() {
        return Err(Rejection::AttemptOther.into());
    }
    check_payer(submitter, &record)?;
    let arrived = match record.status {
        InstructionStatus::Arrived { time, .. } => time,
        InstructionStatus::Failed { reason: recorded, by, .. }
            if (recorded, by) == (reason.number(), submitter.id)
                && record.reference == item.reference =>
        {
            return Err(Outcome::REPEATED);
        }
        InstructionStatus::Instructed => return Err(Rejection::InstructionNotArrived.into()),
        InstructionStatus::Failed { .. } => return Err(Rejection::InstructionFailed.into()),
        InstructionStatus::Returned { .. } => return Err(Rejection::InstructionReturned.into()),
    };
    if periods::is_over(overlay, Period::Bounce, arrived) {
        return Err(Rejection::BouncePeriodOver.into());
    }
    let since = overlay.tables().arrived_returns().get(&(arrived, id)).cloned().unwrap_or_default();
    let returned = record.amount_returned.get().saturating_add(since.payout.get());
    let taken = since.cashback.iter();
    let cashback = taken.fold(record.cashback, |sums, taken| {
        promises::less(sums, taken.gateway, taken.currency, taken.amount)
    });
    let record = InstructionRecord { amount_returned: Amount::new(returned), cashback, ..record };
    if record.left().get() == 0 {
        return Err(Rejection::InstructionReturned.into());
    }
    Ok((record, reason))
}

/// Notes that money of an arrived instruction went back to a user, and the cashback on it: neither
/// can bounce any more.
pub(crate) fn note_return(
    overlay: &mut Overlay<'_>,
    arrived: TimeMs,
    id: InstructionId,
    payout: Amount,
    cashback: CashbackSum,
) {
    let mut returns = overlay.tables().arrived_returns();
    let before = returns.get(&(arrived, id)).cloned().unwrap_or_default();
    let payout = before.payout.plus(payout);
    let CashbackSum { gateway, currency, amount } = cashback;
    let cashback = match amount.get() {
        0 => before.cashback,
        _ => promises::more(before.cashback, gateway, currency, amount),
    };
    returns.put((arrived, id), ArrivedReturns { payout, cashback });
}

/// Forgets returns of instructions that can never bounce again, however far governance extends the
/// period.
pub(crate) fn forget(overlay: &mut Overlay<'_>) {
    let (longest_ms, time) = (Period::Bounce.longest_ms(), overlay.time());
    let known = overlay.state().tables().arrived_returns.keys();
    let over: Vec<(TimeMs, InstructionId)> =
        known.copied().take_while(|(arrived, _)| arrived.plus(longest_ms) < time).collect();
    for key in over {
        overlay.tables().arrived_returns().remove(&key);
    }
}
