//! Section 10, returns and reversals.

use chain_types::{Outcome, ParticipantId, Rejection, ReturnItem, ReturnReason, Roles};

use crate::auditor::{Auditor, Verdict};
use crate::books::{Account, Movement};
use crate::cashback::{Recharges, Returner, TakenBack, UseKey};
use crate::instructions::{Instruction, InstructionKey, PaymentStatus};
use crate::orders::{Collection, Order, check_form, refuse_if, repeated};
use crate::others_words::NOT_DELIVERED;

/// The source of the merchant's part of a return.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The order's window is open: it is owed no longer.
    OpenWindow,
    /// Its instruction failed: it is to be paid no longer.
    Failed(InstructionKey),
    /// Its instruction arrived: the paying gateway sends it back.
    Arrived(InstructionKey, ParticipantId),
}

/// The sums that one return moves, in minor units.
#[derive(Debug, Clone, Copy)]
struct Refund {
    /// To the collecting gateway, in the order's currency.
    amount: u64,
    /// From the source, in the payout currency.
    payout: u64,
    /// True if the payout goes to the collecting gateway as it is, and no provider takes part.
    is_unconverted: bool,
    /// Of cashback, back into the budget.
    taken: TakenBack,
    /// The participant that returns the order.
    submitter: u32,
    /// True if the order's cashback is owed, and not only promised.
    is_arrived: bool,
}

impl Refund {
    /// Returns the cashback that the collecting gateway gives back, or is promised no longer.
    fn cashback(&self) -> u64 {
        self.taken.own - self.taken.set_off
    }
}

impl Auditor {
    /// Judges a `return` by its rules, and applies it.
    pub(crate) fn return_order(&mut self, item: &ReturnItem, submitter: ParticipantId) -> Verdict {
        check_form(item.order_id().is_uuid_v7(), &item.spare)?;
        let reason = ReturnReason::from_number(item.reason.get());
        refuse_if(reason.is_none(), Rejection::ReasonUnknown)?;
        refuse_if(item.amount.get() == 0, Rejection::AmountZero)?;
        let period_ms = self.registry.parameters.return_period_ms;
        let began = item.order_id().time().get();
        let period_ms = self.longest_since(began, period_ms, |past| past.return_ms);
        let last = began.saturating_add(period_ms);
        refuse_if(self.time > last, Rejection::ReturnPeriodOver)?;
        let order = self.orders.get(item.order_id()).ok_or(Rejection::OrderUnknown)?.clone();
        let collection = order.collection.ok_or(Rejection::OrderNotCollected)?;
        let sequence = usize::from(item.sequence.get());
        if let Some(known) = sequence.checked_sub(1).and_then(|at| order.returns.get(at)) {
            return repeated(known == item, Rejection::ReturnConflict);
        }
        refuse_if(sequence != order.returns.len() + 1, Rejection::ReturnGap)?;
        refuse_if(collection.height == self.height, Rejection::OrderFresh)?;
        let source = self.source(&order, collection, submitter)?;
        if matches!(source, Source::OpenWindow) {
            self.check_reversal(&order, collection, submitter, item.amount.get())?;
        }
        let refund = self.refund(&order, collection, item.amount.get())?;
        let (taken, month) = self.taken(&order, source, submitter, item.amount.get());
        let both = self.is_one_hand(&order, source);
        let is_arrived = matches!(source, Source::Arrived(..));
        refuse_if(taken.is_late && both && is_arrived, Rejection::CashbackMonthOver)?;
        refuse_if(taken.rested > item.rested_max.get(), Rejection::RestedAbove)?;
        let refund = Refund { taken, submitter: submitter.get(), is_arrived, ..refund };
        let legs = movements(&order, source_account(&order, source), refund);
        self.check_funds(&legs)?;
        legs.into_iter().for_each(|leg| self.books.post(leg));
        if !is_arrived && taken.set_off > 0 {
            let pool = Account::pool(order.item.merchant.get(), order.item.currency.get());
            self.books.post(Movement::new(pool, taken.set_off, order.liquidity()));
        }
        if let Some((key, used)) = month {
            self.cashback.uses.insert(key, used);
        }
        self.note_return(order, source, refund, item);
        Ok(Outcome::APPLIED)
    }

    /// 320, 322 and 326: where the money comes from, if the submitter may send it.
    fn source(
        &self,
        order: &Order,
        collection: Collection,
        submitter: ParticipantId,
    ) -> Result<Source, Rejection> {
        let (merchant, currency) = (order.item.merchant.get(), order.payable().currency);
        if collection.window == self.windows.open_id() {
            let payer = self.registry.payout_gateway(order.item.merchant());
            let is_party = submitter == payer || submitter.get() == order.gateway();
            return refuse_if(!is_party, Rejection::NotReturnParty).map(|()| Source::OpenWindow);
        }
        let key = (collection.window, merchant, currency);
        // A window of which everything was reversed has no instruction, and nothing to return.
        let instruction = self.instructions.all.get(&key).ok_or(Rejection::ReturnExceeded)?;
        let source = match instruction.status {
            PaymentStatus::Instructed => return Err(Rejection::OrderInstructed),
            PaymentStatus::Returned { .. } => return Err(Rejection::ReturnExceeded),
            PaymentStatus::Arrived { .. } => Source::Arrived(key, instruction.gateway),
            PaymentStatus::Failed { .. } => Source::Failed(key),
        };
        let is_party = submitter == instruction.gateway
            || (matches!(source, Source::Failed(_))
                && self.may_stand_in(instruction, submitter, order));
        refuse_if(!is_party, Rejection::NotReturnParty)?;
        let collecting = ParticipantId::new(order.gateway());
        if submitter != instruction.gateway && submitter != collecting {
            let gateways = [instruction.gateway, collecting];
            self.registry.check_foreign_payment(submitter, gateways, order.item.merchant())?;
        }
        Ok(source)
    }

    /// 320 and 329, and what a return of `amount` takes.
    fn refund(
        &self,
        order: &Order,
        collection: Collection,
        amount: u64,
    ) -> Result<Refund, Rejection> {
        let (whole, before) = (order.amount(), order.returned);
        let after = before.checked_add(amount).filter(|after| *after <= whole);
        let after = after.ok_or(Rejection::ReturnExceeded)?;
        let payout = match order.fill {
            None => amount,
            Some(fill) => self.part_of_payout(fill, whole - before, whole - after)?,
        };
        let rate_ms = self.registry.parameters.return_rate_ms;
        let is_late = self.time > collection.time.saturating_add(rate_ms);
        let is_unconverted = order.fill.is_some() && is_late;
        let (taken, submitter, is_arrived) = (TakenBack::default(), 0, false);
        Ok(Refund { amount, payout, is_unconverted, taken, submitter, is_arrived })
    }

    /// Returns the cashback that a return takes, and the user's month after it.
    fn taken(
        &mut self,
        order: &Order,
        source: Source,
        submitter: ParticipantId,
        amount: u64,
    ) -> (TakenBack, Option<(UseKey, Recharges)>) {
        let is_collector = submitter.get() == order.gateway();
        let is_gateway = is_collector || Some(submitter) == self.payer(order, source);
        let is_of_own_will = is_gateway && self.is_one_hand(order, source);
        let is_forced = matches!(source, Source::Failed(_)) && !is_of_own_will;
        let before = order.amount() - order.returned;
        let returner = Returner { is_forced, is_collector };
        self.cashback_taken(order, (before, before - amount), returner)
    }

    /// The gateway that paid, or was to pay, the merchant.
    fn payer(&self, order: &Order, source: Source) -> Option<ParticipantId> {
        match source {
            Source::OpenWindow => Some(self.registry.payout_gateway(order.item.merchant())),
            Source::Failed(key) => self.instructions.all.get(&key).map(|found| found.gateway),
            Source::Arrived(_, gateway) => Some(gateway),
        }
    }

    /// Returns true if one legal entity collected the order and pays the merchant.
    fn is_one_hand(&self, order: &Order, source: Source) -> bool {
        let collecting = ParticipantId::new(order.gateway());
        self.payer(order, source).is_some_and(|payer| self.registry.are_one(payer, collecting))
    }

    /// Returns true if somebody returns in the place of a gateway that is absent, after two agents
    /// said that the merchant did not deliver: the collecting gateway, or an agent when that is
    /// absent.
    fn may_stand_in(
        &self,
        instruction: &Instruction,
        submitter: ParticipantId,
        order: &Order,
    ) -> bool {
        let collecting = ParticipantId::new(order.gateway());
        let is_agent = self.registry.has_role(submitter, Roles::SETTLEMENT_AGENT);
        let may_agents = is_agent && !self.registry.is_active(collecting, Roles::GATEWAY);
        instruction.failure.is_some_and(|failure| failure.reason == NOT_DELIVERED)
            && (submitter == collecting || may_agents)
    }

    /// 328: whoever gives has it, or gets it by an earlier leg.
    fn check_funds(&self, legs: &[Movement]) -> Result<(), Rejection> {
        for (at, leg) in legs.iter().enumerate() {
            let earlier = legs.iter().take(at).filter(|earlier| earlier.credit == leg.debit);
            let received: u128 = earlier.map(|earlier| earlier.amount).sum();
            let needed = u64::try_from(leg.amount.saturating_sub(received)).unwrap_or(u64::MAX);
            let is_there = self.books.has_available(leg.debit, needed);
            refuse_if(!is_there, Rejection::ReturnFundsMissing)?;
        }
        Ok(())
    }

    /// Does what a return does beyond the posting: window, instruction, statement, the order
    /// itself.
    fn note_return(&mut self, order: Order, source: Source, refund: Refund, item: &ReturnItem) {
        self.count_legs(&order, source, refund);
        if let Some(collection) = order.collection {
            let payout_currency = order.payable().currency;
            let key = (collection.window, order.item.merchant.get(), payout_currency);
            self.drop_grant(key, &order, refund.taken.own, refund.is_arrived);
        }
        let (merchant, currency) = (order.item.merchant.get(), order.item.currency.get());
        match source {
            Source::OpenWindow => {
                let key = (merchant, order.payable().currency);
                self.windows.owe_less(key, order.item.order_id(), refund.payout);
            }
            Source::Failed(key) => self.return_from(key, refund.payout),
            Source::Arrived(key, _) => self.return_after_arrival(key, refund.payout),
        }
        let statement = self.statement_of(merchant, currency);
        statement.returned += u128::from(refund.amount);
        statement.cashback_taken_back += u128::from(refund.cashback());
        statement.cashback_taken_back += u128::from(refund.taken.rested);
        let mut order = order;
        order.returned += refund.amount;
        order.returns.push(*item);
        self.orders.keep(order);
    }

    /// The legs of section 5, in the window that is open now.
    fn count_legs(&mut self, order: &Order, source: Source, refund: Refund) {
        let (currency, payout_currency) = (order.item.currency.get(), order.payable().currency);
        let instructed = match source {
            Source::OpenWindow => None,
            Source::Failed(_) => Some(Account::suspense(payout_currency)),
            Source::Arrived(_, gateway) => Some(Account::liquidity(gateway.get(), payout_currency)),
        };
        if let Some(debtor) = instructed {
            self.windows.debit(debtor, refund.payout);
        }
        if refund.is_unconverted {
            let to = Account::liquidity(order.gateway(), payout_currency);
            self.windows.credit(to, refund.payout);
        } else {
            self.windows.credit(order.liquidity(), refund.amount);
        }
        if let Some(fill) = order.fill.filter(|_| !refund.is_unconverted) {
            let position = |currency| Account::position(fill.provider, currency);
            self.windows.credit(position(payout_currency), refund.payout);
            self.windows.debit(position(currency), refund.amount);
        }
        let pool = Account::pool(order.item.merchant.get(), currency);
        let back = if refund.is_arrived { refund.cashback() } else { 0 };
        let paid_already = if refund.is_arrived { 0 } else { refund.taken.set_off };
        let returning = Account::liquidity(refund.submitter, currency);
        self.windows.debit(order.liquidity(), back);
        self.windows.debit(returning, refund.taken.rested);
        self.windows.credit(pool, back + refund.taken.rested);
        self.windows.debit(pool, paid_already);
        self.windows.credit(order.liquidity(), paid_already);
    }
}

/// The account that a return is debited to.
fn source_account(order: &Order, source: Source) -> Account {
    match source {
        Source::OpenWindow | Source::Failed(_) => order.payable(),
        Source::Arrived(_, gateway) => Account::liquidity(gateway.get(), order.payable().currency),
    }
}

/// Returns the movements of a return; none is of zero, or from an account to itself.
fn movements(order: &Order, payer: Account, refund: Refund) -> Vec<Movement> {
    let currency = order.item.currency.get();
    let mut movements = match order.fill {
        None => vec![Movement::new(payer, refund.amount, order.liquidity())],
        Some(_) if refund.is_unconverted => {
            let to = Account::liquidity(order.gateway(), payer.currency);
            vec![Movement::new(payer, refund.payout, to)]
        }
        Some(fill) => {
            let position = |currency| Account::position(fill.provider, currency);
            let to_provider = position(payer.currency);
            vec![
                Movement::new(payer, refund.payout, to_provider),
                Movement::new(position(currency), refund.amount, order.liquidity()),
            ]
        }
    };
    let pool = Account::pool(order.item.merchant.get(), currency);
    if refund.is_arrived {
        movements.push(Movement::new(order.liquidity(), refund.cashback(), pool));
    }
    let returning = Account::liquidity(refund.submitter, currency);
    movements.push(Movement::new(returning, refund.taken.rested, pool));
    movements.retain(|movement| movement.amount > 0 && movement.debit != movement.credit);
    movements
}
