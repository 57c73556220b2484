//! Returns and reversals: money of a collected order that goes back, in whole or in part.
//!
//! Operation: [`give_back`], by the gateway that pays the order's instruction; while the order's
//! window is open, also by its collecting gateway (a reversal, see [`crate::consents`]). When two
//! agents said of an absent gateway's instruction that the merchant did not deliver (see
//! [`crate::stepping_in`]), also by the collecting gateway; when that is absent, by a settlement
//! agent.
//!
//! Rules, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the reason has a meaning
//! (306); the amount is not zero (206); the return period is not over (325); the order is known
//! (300) and was collected (321); its sequence number was not used (repeated, or 323 for other
//! content) and is the next (324); it was collected in an earlier block (327); its instruction is
//! not with its gateway (322); the submitter may (326), and an agent is not of a gateway's or the
//! merchant's legal entity (117); no more than what is left goes back (320); what was told as
//! collected may be reversed (330); a part of a converted order costs no more by rounding than a
//! stated share, nor does what is left of it (329); who both collected and paid returns no order
//! that counted for cashback in a month that is not kept any more (241); what rested on the order
//! is no more than the return names (242); the money is there (328); sums fit (216).
//!
//! Records: each return; what an order's returns add up to, for as long as it can be returned.
//!
//! Always: what a return leaves of a converted order is what an order of that amount would have
//! become, so that nobody gains by returning a part, and a full return takes back exactly all,
//! however it was cut. What is left keeps the cashback of an order of that amount, and what rested
//! on an order that went is paid by who returns it (`stayed`). The provider takes back its own
//! conversion for a stated time; later the payout goes to the collecting gateway as it is, in the
//! payout currency.

use chain_state::records::fingerprint;
use chain_state::{
    AccountKey, CashbackSum, Conversion, EntryCause, History, InstructionRecord, InstructionStatus,
    Location, Movement, Overlay, PastCollection, PastOrder, Record, ReturnRecord, Returned,
    Reversal,
};
use chain_types::{
    Amount, Digest, InstructionId, OrderId, Outcome, Participant, ParticipantId, RechargeItem,
    Rejection, ReturnItem, ReturnReason, Roles, TimeMs,
};

use crate::periods::{self, Period};
use crate::stayed::{self, Part, Taken};
use crate::{absence, bounces, collected, consents, fx, promises, separation};

/// The source of the money of a return.
enum Source {
    /// The window is open: the merchant is paid less.
    Window,
    /// The instruction failed: its money is still payable.
    Failed(InstructionRecord),
    /// The instruction arrived at this time: its gateway takes it from the merchant.
    Arrived(InstructionId, TimeMs),
}

/// A return whose every rule but those of money holds.
struct Return {
    item: RechargeItem,
    conversion: Option<Conversion>,
    /// True if the payout goes back as it is, in the payout currency.
    is_unconverted: bool,
    source: Source,
    /// The gateway that takes the money back from the merchant, or would have paid it.
    paying: ParticipantId,
    amount: Amount,
    /// Of the payout, in the payout currency.
    payout: Amount,
    /// The cashback that the return takes back.
    taken: Taken,
    /// Block time of the order's submission.
    submitted: TimeMs,
    collection: PastCollection,
    /// True if nothing of the order is left with this return.
    is_whole: bool,
}

/// A gateway sends money of a collected order back.
pub(crate) fn give_back(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ReturnItem,
    leaf: &Digest,
    location: Location,
    history: &dyn History,
) -> Outcome {
    let found = match check(overlay, submitter, item, leaf, history) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let id = item.order_id();
    overlay.begin(EntryCause::Order(id));
    if let Err(rejection) = move_money(overlay, submitter.id, &found) {
        return rejection.into();
    }
    net(overlay, submitter.id, &found);
    settle_source(overlay, &found, location);
    stayed::keep(overlay, &found.taken);
    let mut returned = overlay.tables().returned().get(&id).cloned().unwrap_or_default();
    returned.amount = returned.amount.plus(found.amount);
    returned.fingerprints.push(fingerprint(leaf));
    overlay.tables().returned().put(id, returned);
    let time = overlay.time();
    overlay.record(Record::Return(ReturnRecord {
        order: id,
        sequence: item.sequence.get(),
        gateway: submitter.id,
        amount: found.amount,
        payout: found.payout,
        cashback: found.taken.own,
        reason: item.reason.get(),
        is_reversal: matches!(found.source, Source::Window),
        is_unconverted: found.is_unconverted,
        reference: item.reference,
        time,
        location,
        from_payable: !matches!(found.source, Source::Arrived(..)),
        cashback_rested: found.taken.rested,
        cashback_set_off: found.taken.set_off,
    }));
    Outcome::APPLIED
}

fn check(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ReturnItem,
    leaf: &Digest,
    history: &dyn History,
) -> Result<Return, Outcome> {
    check_form(overlay, item)?;
    let id = item.order_id();
    let record = collected::find(overlay, id, history)?;
    let returned = overlay.tables().returned().get(&id).cloned().unwrap_or_default();
    check_sequence(&returned, item.sequence.get(), &fingerprint(leaf))?;
    if record.status_height == overlay.height() {
        return Err(Rejection::OrderFresh.into());
    }
    // Only now a block is read: whoever repeats a return, or gets its number wrong, costs nothing.
    let past = history.collected(&record).ok_or(Rejection::OrderNotCollected)?;
    let PastOrder { item: order, submitted, collection } = past;
    let (source, paying) = source(overlay, &order, &collection, history)?;
    if submitter.id != paying {
        check_stand_in(overlay, submitter, paying, &order, &source)?;
    }
    let before = returned.amount.get();
    let after = before.checked_add(item.amount.get()).filter(|sum| *sum <= order.amount.get());
    let after = after.ok_or(Rejection::ReturnExceeded)?;
    if matches!(source, Source::Window) {
        consents::check_reversal(overlay, submitter, &order, &collection, after)?;
    }
    let quote = fx::quote_of(overlay, &order, history)?;
    let (payout, conversion) = match &quote {
        None => (item.amount(), None),
        Some(quote) => {
            let conversion = fx::conversion(quote, order.amount());
            let payout = fx::payout_of_part(overlay, quote, order.amount(), before, after)?;
            (payout, Some(conversion.ok_or(Rejection::PayoutOutOfRange)?))
        }
    };
    let rate_ends = collection.time.plus(overlay.state().parameters().return_rate_ms);
    let is_one_hand = is_one_hand(overlay, paying, order.collecting_gateway());
    let is_of_gateway = submitter.id == paying || submitter.id == order.collecting_gateway();
    let part = Part {
        before: Amount::new(order.amount.get().saturating_sub(before)),
        after: Amount::new(order.amount.get().saturating_sub(after)),
        is_forced: matches!(source, Source::Failed(_)) && !(is_one_hand && is_of_gateway),
        is_by_collector: submitter.id == order.collecting_gateway(),
    };
    let outcome = || history.collection_outcome(&record);
    let taken = stayed::taken(overlay, &order, &collection, &part, outcome);
    if taken.is_late && is_one_hand && matches!(source, Source::Arrived(..)) {
        return Err(Rejection::CashbackMonthOver.into());
    }
    if taken.rested > item.rested_max() {
        return Err(Rejection::RestedAbove.into());
    }
    Ok(Return {
        item: order,
        conversion,
        is_unconverted: conversion.is_some() && overlay.time() > rate_ends,
        source,
        paying,
        amount: item.amount(),
        payout,
        taken,
        submitted,
        collection,
        is_whole: after == order.amount.get(),
    })
}

fn check_form(overlay: &mut Overlay<'_>, item: &ReturnItem) -> Result<(), Rejection> {
    let id = item.order_id();
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid);
    }
    if item.spare != [0; 4] {
        return Err(Rejection::SpareNotZero);
    }
    if ReturnReason::from_number(item.reason.get()).is_none() {
        return Err(Rejection::ReasonUnknown);
    }
    if item.amount.get() == 0 {
        return Err(Rejection::AmountZero);
    }
    if periods::is_over(overlay, Period::Return, id.time()) {
        return Err(Rejection::ReturnPeriodOver);
    }
    Ok(())
}

fn check_sequence(
    returned: &Returned,
    sequence: u16,
    fingerprint: &[u8; 16],
) -> Result<(), Outcome> {
    let next = returned.fingerprints.len() + 1;
    let at = usize::from(sequence);
    match at.checked_sub(1).and_then(|at| returned.fingerprints.get(at)) {
        Some(known) if known == fingerprint => Err(Outcome::REPEATED),
        Some(_) => Err(Rejection::ReturnConflict.into()),
        None if at == next => Ok(()),
        None => Err(Rejection::ReturnGap.into()),
    }
}

/// Whoever returns in the paying gateway's place may; an agent is of no legal entity of a gateway
/// or merchant of the order.
fn check_stand_in(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    paying: ParticipantId,
    order: &RechargeItem,
    source: &Source,
) -> Result<(), Rejection> {
    if !may_stand_in(overlay, submitter, order, source) {
        return Err(Rejection::NotReturnParty);
    }
    if submitter.id == order.collecting_gateway() {
        return Ok(());
    }
    separation::check_order(overlay.state(), submitter, paying, order)
}

/// Returns true if somebody may return in the paying gateway's place: the collecting gateway while
/// the window is open, or when two agents said that the merchant did not deliver; a settlement
/// agent when the collecting gateway is absent, too.
fn may_stand_in(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    order: &RechargeItem,
    source: &Source,
) -> bool {
    let collecting = order.collecting_gateway();
    match source {
        Source::Window => submitter.id == collecting,
        Source::Failed(record) => {
            let may_agents = absence::is_absent(overlay, collecting)
                && submitter.roles.any_of(Roles::SETTLEMENT_AGENT);
            record.is_given_up() && (submitter.id == collecting || may_agents)
        }
        Source::Arrived(..) => false,
    }
}

/// Returns the source of the money, and the gateway that answers for it.
fn source(
    overlay: &Overlay<'_>,
    order: &RechargeItem,
    collection: &PastCollection,
    history: &dyn History,
) -> Result<(Source, ParticipantId), Rejection> {
    let merchant = order.merchant();
    if collection.window == overlay.window().id {
        let payout = overlay.state().merchant(merchant).map(|found| found.payout_gateway);
        return Ok((Source::Window, payout.ok_or(Rejection::MerchantUnknown)?));
    }
    let currency = order.payout_currency();
    let id = InstructionId { window: collection.window, merchant, currency };
    let record = overlay.instruction(&id).cloned().or_else(|| history.instruction(&id));
    // A window whose every order was reversed instructs nothing.
    let record = record.ok_or(Rejection::ReturnExceeded)?;
    let gateway = record.gateway;
    match record.status {
        InstructionStatus::Instructed => Err(Rejection::OrderInstructed),
        InstructionStatus::Failed { .. } => Ok((Source::Failed(record), gateway)),
        InstructionStatus::Arrived { time, .. } => Ok((Source::Arrived(id, time), gateway)),
        InstructionStatus::Returned { .. } => Err(Rejection::ReturnExceeded),
    }
}

/// Returns true if one legal entity has the gateway that pays and the one that collected.
fn is_one_hand(overlay: &Overlay<'_>, paying: ParticipantId, collecting: ParticipantId) -> bool {
    let state = overlay.state();
    let found = state.participant(paying);
    found.is_some_and(|found| separation::is_own_party(state, found, collecting))
}

impl Return {
    /// Returns the cashback that the collecting gateway was owed and gives back.
    fn taken_back(&self) -> Amount {
        self.taken.own.minus(self.taken.set_off)
    }

    /// Returns true if the order's cashback is owed, and not only promised.
    fn is_owed(&self) -> bool {
        matches!(self.source, Source::Arrived(..))
    }
}

/// Posts all legs, or none.
fn move_money(
    overlay: &mut Overlay<'_>,
    returning: ParticipantId,
    found: &Return,
) -> Result<(), Rejection> {
    let item = &found.item;
    let (merchant, currency) = (item.merchant(), item.currency());
    let liquidity = AccountKey::liquidity(item.collecting_gateway(), currency);
    let payout_currency = item.payout_currency();
    let source = match found.source {
        Source::Arrived(..) => AccountKey::liquidity(found.paying, payout_currency),
        Source::Window | Source::Failed(_) => AccountKey::payable(merchant, payout_currency),
    };
    let mut legs: Vec<(AccountKey, AccountKey, Amount)> = Vec::new();
    match found.conversion {
        None => legs.push((source, liquidity, found.amount)),
        Some(_) if found.is_unconverted => {
            let to = AccountKey::liquidity(item.collecting_gateway(), payout_currency);
            legs.push((source, to, found.payout));
        }
        Some(conversion) => {
            let provider = conversion.quote.provider();
            let given = AccountKey::fx_position(provider, currency);
            legs.push((source, AccountKey::fx_position(provider, payout_currency), found.payout));
            legs.push((given, liquidity, found.amount));
        }
    }
    let pool = AccountKey::cashback_pool(merchant, currency);
    if found.is_owed() {
        legs.push((liquidity, pool, found.taken_back()));
    }
    legs.push((AccountKey::liquidity(returning, currency), pool, found.taken.rested));
    // A gateway that both collected and paid owes the return to itself.
    legs.retain(|(debit, credit, amount)| debit != credit && amount.get() > 0);
    let mut movements = Vec::with_capacity(legs.len());
    for (at, (from, to, amount)) in legs.iter().enumerate() {
        let (debit, credit) = (overlay.open(*from), overlay.open(*to));
        let earlier = legs.iter().take(at).filter(|(_, credited, _)| credited == from);
        let received: u128 = earlier.map(|(.., amount)| u128::from(amount.get())).sum();
        if overlay.account(debit).available().saturating_add(received) < u128::from(amount.get()) {
            return Err(Rejection::ReturnFundsMissing);
        }
        movements.push(Movement::of_order(debit, credit, *amount));
    }
    if found.is_owed() {
        return overlay.transfer_all(&movements).map_err(|_| Rejection::AccountOverflow);
    }
    // What was promised is free in the pool: out of it the gateway gets what it has paid already.
    let Taken { own, set_off, .. } = found.taken;
    if set_off.get() > 0 {
        let (debit, credit) = (overlay.open(pool), overlay.open(liquidity));
        movements.push(Movement::of_order(debit, credit, set_off));
    }
    overlay.transfer_all(&movements).map_err(|_| Rejection::AccountOverflow)?;
    promises::release(overlay, merchant, item.collecting_gateway(), currency, own);
    Ok(())
}

/// The legs of the window's netting.
fn net(overlay: &mut Overlay<'_>, returning: ParticipantId, found: &Return) {
    let item = &found.item;
    let (currency, payout_currency) = (item.currency(), item.payout_currency());
    let liquidity = overlay.open(AccountKey::liquidity(item.collecting_gateway(), currency));
    let (amount, payout) = (u128::from(found.amount.get()), u128::from(found.payout.get()));
    let is_reversal = matches!(found.source, Source::Window);
    // What a failed payment would have been stands in suspense.
    let paying = match found.source {
        Source::Failed(_) => AccountKey::suspense(payout_currency),
        _ => AccountKey::liquidity(found.paying, payout_currency),
    };
    let paying = overlay.open(paying);
    match found.conversion {
        None if is_reversal => overlay.credit_gross(liquidity, amount),
        None => overlay.net(paying, liquidity, amount),
        Some(_) if found.is_unconverted => {
            let to = AccountKey::liquidity(item.collecting_gateway(), payout_currency);
            let to = overlay.open(to);
            if is_reversal {
                overlay.credit_gross(to, payout);
            } else {
                overlay.net(paying, to, payout);
            }
        }
        Some(conversion) => {
            let provider = conversion.quote.provider();
            let taken = overlay.open(AccountKey::fx_position(provider, payout_currency));
            if is_reversal {
                overlay.credit_gross(taken, payout);
            } else {
                overlay.net(paying, taken, payout);
            }
            let given = overlay.open(AccountKey::fx_position(provider, currency));
            overlay.net(given, liquidity, amount);
        }
    }
    let pool = overlay.open(AccountKey::cashback_pool(item.merchant(), currency));
    let back = if found.is_owed() { found.taken_back() } else { Amount::new(0) };
    let returning = overlay.open(AccountKey::liquidity(returning, currency));
    for (debtor, amount) in [(liquidity, back), (returning, found.taken.rested)] {
        if amount.get() > 0 {
            overlay.net(debtor, pool, u128::from(amount.get()));
        }
    }
    if !found.is_owed() && found.taken.set_off.get() > 0 {
        overlay.net(pool, liquidity, u128::from(found.taken.set_off.get()));
    }
}

/// Takes the return out of the window's sum or of the failed instruction.
fn settle_source(overlay: &mut Overlay<'_>, found: &Return, location: Location) {
    let (gateway, currency) = (found.item.collecting_gateway(), found.item.currency());
    let own = found.taken.own;
    match &found.source {
        Source::Window => {
            let (merchant, window) = (found.item.merchant(), found.collection.window);
            let payout = found.item.payout_currency();
            let instruction = InstructionId { window, merchant, currency: payout };
            promises::take(overlay, instruction, gateway, currency, own);
            let account = AccountKey::payable(found.item.merchant(), found.item.payout_currency());
            let payable = overlay.open(account);
            let id = found.item.order_id();
            let released = overlay.tables().hold_releases().get(&id).copied();
            let reversal = Reversal {
                amount: found.payout,
                accepted: released.unwrap_or(found.submitted),
                collected: found.collection.time,
                is_cross_border: found.conversion.is_some(),
                is_whole: found.is_whole,
            };
            overlay.reverse_in_window(payable, &reversal);
        }
        Source::Failed(record) => {
            let returned = record.amount_returned.get().saturating_add(found.payout.get());
            assert!(returned <= record.amount.get(), "more was returned than instructed");
            let cashback = promises::less(record.cashback.clone(), gateway, currency, own);
            let amount_returned = Amount::new(returned);
            let mut changed = InstructionRecord { amount_returned, cashback, ..record.clone() };
            if changed.left().get() == 0 {
                absence::forget(overlay, &changed.id);
                changed.status = InstructionStatus::Returned { time: overlay.time(), location };
            }
            overlay.put_instruction(changed);
        }
        Source::Arrived(id, arrived) => {
            let cashback = CashbackSum { gateway, currency, amount: own };
            bounces::note_return(overlay, *arrived, *id, found.payout, cashback);
        }
    }
}

/// Forgets orders that can never be returned again, however far governance extends the period:
/// what is forgotten could be returned twice.
pub(crate) fn forget(overlay: &mut Overlay<'_>) {
    let period_ms = Period::Return.longest_ms();
    let time = overlay.time();
    let returned = overlay.state().tables().returned.keys();
    let over: Vec<OrderId> =
        returned.copied().take_while(|id| id.time().plus(period_ms) < time).collect();
    for id in over {
        overlay.tables().returned().remove(&id);
    }
}
