//! Section 3, orders: what a submission becomes.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    Flags, OrderId, Outcome, ParticipantId, RechargeItem, Rejection, ReturnItem, Roles, TimeMs,
};

use crate::auditor::{Auditor, Verdict};
use crate::books::{Account, Movement};
use crate::cashback::Counted;
use crate::fx::Fill;

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Refused when it was submitted.
    Rejected,
    /// It waits for a risk desk.
    Held,
    /// It was held, and then a risk desk or time refused it.
    Refused,
    /// Its money is pending.
    Reserved,
    /// Its money is pending, and its gateway is debiting the user.
    Debiting,
    /// Its money is posted.
    Collected,
    /// A party released it.
    Voided,
    /// It expired: its reservation ran out before a collection.
    Expired,
}

/// When and in which window an order was collected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection {
    pub(crate) height: u64,
    /// The time of the block, in milliseconds.
    pub(crate) time: u64,
    pub(crate) window: u64,
}

/// A submitted order and all that became of it.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) item: RechargeItem,
    pub(crate) submitter: ParticipantId,
    pub(crate) status: Status,
    /// Why its submission was refused, if it was.
    pub(crate) refusal: Option<Rejection>,
    /// The sum that the merchant is paid, in minor units of the payout currency.
    pub(crate) payout: u64,
    /// The conversion, if it was booked with one.
    pub(crate) fill: Option<Fill>,
    /// The block time at which it was reserved or collected.
    pub(crate) accepted: u64,
    /// The last block time at which it waits: as held by its id, as reserved by its quote too.
    pub(crate) waits_until: u64,
    pub(crate) collection: Option<Collection>,
    /// The cashback granted on it.
    pub(crate) cashback: u64,
    /// Under what it counted in its user's month of a cashback programme.
    pub(crate) counted: Option<Counted>,
    /// Its returns so far, by sequence from 1.
    pub(crate) returns: Vec<ReturnItem>,
    /// The sum of its returns, in its own currency.
    pub(crate) returned: u64,
}

impl Order {
    fn new(item: RechargeItem, submitter: ParticipantId) -> Self {
        Self {
            item,
            submitter,
            status: Status::Rejected,
            refusal: None,
            payout: item.amount.get(),
            fill: None,
            accepted: 0,
            waits_until: 0,
            collection: None,
            cashback: 0,
            counted: None,
            returns: Vec::new(),
            returned: 0,
        }
    }

    /// Returns the verdict on the same submission, made once more.
    fn answer_again(&self) -> Verdict {
        match (self.status, self.refusal) {
            (Status::Refused, _) => Err(Rejection::OrderRefused),
            (Status::Held, _) => Ok(Outcome::HELD),
            (_, Some(refusal)) => Err(refusal),
            (_, None) => Ok(Outcome::REPEATED),
        }
    }

    /// Returns the sum that is collected, in minor units of the order's currency.
    pub(crate) fn amount(&self) -> u64 {
        self.item.amount.get()
    }

    /// Returns the participant id of the collecting gateway.
    pub(crate) fn gateway(&self) -> u32 {
        self.item.collecting_gateway.get()
    }

    /// The collecting gateway's liquidity.
    pub(crate) fn liquidity(&self) -> Account {
        Account::liquidity(self.gateway(), self.item.currency.get())
    }

    /// Returns the account from which the merchant is paid.
    pub(crate) fn payable(&self) -> Account {
        Account::payable(self.item.merchant.get(), self.item.payout_currency.get())
    }

    /// Everything that it moves.
    pub(crate) fn movements(&self) -> Vec<Movement> {
        let (amount, payable) = (self.amount(), self.payable());
        let Some(fill) = self.fill else {
            return vec![Movement::new(self.liquidity(), amount, payable)];
        };
        let position = |currency| Account::position(fill.provider, currency);
        vec![
            Movement::new(self.liquidity(), amount, position(self.item.currency.get())),
            Movement::new(position(payable.currency), fill.payout, payable),
        ]
    }
}

/// Every order whose id was ever new and timely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    all: BTreeMap<OrderId, Order>,
    /// Those reserved or held, in the order of the times at which they end.
    pub(crate) waiting: BTreeSet<(u64, OrderId)>,
    /// Those that were collected: an order enters once.
    pub(crate) settled: BTreeSet<OrderId>,
}

impl Orders {
    /// An order, however old.
    pub(crate) fn get(&self, id: OrderId) -> Option<&Order> {
        self.all.get(&id)
    }

    /// Keeps an order as it is now.
    pub(crate) fn keep(&mut self, order: Order) {
        let id = order.item.order_id();
        if let Some(before) = self.all.get(&id) {
            self.waiting.remove(&(before.waits_until, id));
        }
        if matches!(order.status, Status::Reserved | Status::Debiting | Status::Held) {
            self.waiting.insert((order.waits_until, id));
        }
        self.all.insert(id, order);
    }
}

/// `Ok(repeated)` for the same content, `conflict` for other content.
pub(crate) fn repeated(is_same: bool, conflict: Rejection) -> Verdict {
    if is_same { Ok(Outcome::REPEATED) } else { Err(conflict) }
}

/// 200 and 201: an id is a UUIDv7, and spare bytes are zero.
pub(crate) fn check_form(is_uuid_v7: bool, spare: &[u8]) -> Result<(), Rejection> {
    refuse_if(!is_uuid_v7, Rejection::OrderIdInvalid)?;
    check_spare(spare)
}

/// 201: spare bytes are zero.
pub(crate) fn check_spare(spare: &[u8]) -> Result<(), Rejection> {
    refuse_if(spare.iter().any(|byte| *byte != 0), Rejection::SpareNotZero)
}

/// 201 and 202: an order with a new, timely id is remembered even if it breaks these.
fn check_content(item: &RechargeItem) -> Result<(), Rejection> {
    check_spare(&item.spare)?;
    refuse_if(item.flags.get() & !Flags::KNOWN != 0, Rejection::FlagsUnknown)
}

/// The rejection, when `refused`.
pub(crate) fn refuse_if(refused: bool, rejection: Rejection) -> Result<(), Rejection> {
    if refused { Err(rejection) } else { Ok(()) }
}

impl Auditor {
    /// Judges a `submit` by its rules, and applies it.
    pub(crate) fn recharge(&mut self, item: &RechargeItem, submitter: ParticipantId) -> Verdict {
        let id = item.order_id();
        refuse_if(!id.is_uuid_v7(), Rejection::OrderIdInvalid)?;
        self.check_entitled(item, submitter)?;
        let named = id.bytes().iter().skip(12).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        refuse_if(named != submitter.get(), Rejection::OrderIdForeign)?;
        let form = check_content(item);
        if let Ok(known) = self.remembered(id) {
            if known.item != *item {
                return Err(form.err().unwrap_or(Rejection::OrderConflict));
            }
            return known.answer_again();
        }
        if let Err(untimely) = self.check_timely(id.time()) {
            return Err(form.err().unwrap_or(untimely));
        }
        let mut order = Order::new(*item, submitter);
        let verdict = form.and_then(|()| self.submission(&mut order));
        order.refusal = verdict.err();
        self.orders.keep(order);
        verdict
    }

    /// 203 and 204: an id is used within its validity, and not ahead of time by more than the skew.
    pub(crate) fn check_timely(&self, id_time: TimeMs) -> Result<(), Rejection> {
        refuse_if(!self.is_within_validity(id_time), Rejection::OrderIdExpired)?;
        let skew = self.registry.parameters.order_skew_ms;
        refuse_if(id_time.get() > self.time.saturating_add(skew), Rejection::OrderIdEarly)
    }

    /// Returns true if an id of this time could still be committed, and is therefore remembered.
    pub(crate) fn is_within_validity(&self, id_time: TimeMs) -> bool {
        let validity = self.registry.parameters.order_validity_ms;
        self.time <= id_time.get().saturating_add(validity)
    }

    /// The last block time at which an order's id is timely.
    fn id_end(&self, item: &RechargeItem) -> u64 {
        let validity = self.registry.parameters.order_validity_ms;
        item.order_id().time().get().saturating_add(validity)
    }

    fn submission(&mut self, order: &mut Order) -> Verdict {
        self.check_amounts(&order.item)?;
        self.check_parties(&order.item, order.submitter)?;
        self.check_limits(&order.item)?;
        if self.is_held(&order.item) {
            order.status = Status::Held;
            order.waits_until = self.id_end(&order.item);
            return Ok(Outcome::HELD);
        }
        self.book(order)
    }

    /// A risk desk's release: the rules again from the amount on, as its submitter, without the
    /// hold.
    pub(crate) fn submission_again(&mut self, order: &mut Order) -> Verdict {
        let submitter = self.registry.participant(order.submitter);
        let is_active = submitter.is_some_and(|submitter| !submitter.suspended);
        refuse_if(!is_active, Rejection::SubmitterSuspended)?;
        self.check_amounts(&order.item)?;
        self.check_parties(&order.item, order.submitter)?;
        self.check_limits(&order.item)?;
        self.book(order)
    }

    /// Checks the amounts of an order: rejections 206 to 209.
    fn check_amounts(&self, item: &RechargeItem) -> Result<(), Rejection> {
        let amount = item.amount.get();
        refuse_if(amount == 0, Rejection::AmountZero)?;
        let most = self.registry.parameters.order_amount_max;
        refuse_if(amount > most, Rejection::AmountTooLarge)?;
        let (currency, payout_currency) = (item.currency.get(), item.payout_currency.get());
        let are_listed =
            self.registry.has_currency(currency) && self.registry.has_currency(payout_currency);
        refuse_if(!are_listed, Rejection::CurrencyUnsupported)?;
        let names_quote = item.fx_quote.get() != 0;
        let is_consistent = if currency == payout_currency {
            !names_quote && item.payout_minimum.get() == 0
        } else {
            names_quote
        };
        refuse_if(!is_consistent, Rejection::ConversionUnavailable)
    }

    /// Checks the parties of an order: rejections 210 to 214.
    fn check_parties(
        &self,
        item: &RechargeItem,
        submitter: ParticipantId,
    ) -> Result<(), Rejection> {
        let registry = &self.registry;
        let merchant = registry.merchant(item.merchant()).ok_or(Rejection::MerchantUnknown)?;
        refuse_if(merchant.suspended, Rejection::MerchantSuspended)?;
        let gateway = item.collecting_gateway();
        refuse_if(!registry.has_role(gateway, Roles::GATEWAY), Rejection::GatewayUnknown)?;
        let are_active = registry.is_active(gateway, Roles::GATEWAY)
            && registry.is_active(merchant.payout_gateway, Roles::GATEWAY);
        refuse_if(!are_active, Rejection::GatewaySuspended)?;
        self.check_entitled(item, submitter)
    }

    /// 214: the collecting gateway may, and a recharge service may leave the collection to it.
    fn check_entitled(
        &self,
        item: &RechargeItem,
        submitter: ParticipantId,
    ) -> Result<(), Rejection> {
        let is_service = self.registry.has_role(submitter, Roles::RECHARGE_SERVICE);
        let is_gateway = submitter == item.collecting_gateway();
        let may_submit = is_gateway || (is_service && !item.is_collected());
        refuse_if(!may_submit, Rejection::NotCollectingGateway)
    }

    /// 215 to 236, then the books: reserved, or collected when it is so flagged.
    fn book(&mut self, order: &mut Order) -> Verdict {
        let mut booked = order.clone();
        if let Some(fill) = self.convert(&order.item)? {
            booked.payout = fill.payout;
            booked.fill = Some(fill);
        }
        let is_collected = booked.item.is_collected();
        if !is_collected {
            self.check_lines(&booked)?;
        }
        let has_liquidity = self.books.has_available(booked.liquidity(), booked.amount());
        refuse_if(!has_liquidity, Rejection::LiquidityExceeded)?;
        if is_collected {
            self.check_window_sum(&booked)?;
        }
        *order = booked;
        order.accepted = self.time;
        self.use_quote(order);
        self.count_for_limits(order);
        if is_collected {
            order.movements().into_iter().for_each(|movement| self.books.post(movement));
            return Ok(self.collected(order));
        }
        order.movements().into_iter().for_each(|movement| self.books.reserve(movement));
        order.status = Status::Reserved;
        self.use_lines(order);
        let parameters = &self.registry.parameters;
        let held_ms = match order.fill {
            Some(_) => parameters.quote_hold_ms.min(parameters.reservation_ms),
            None => parameters.reservation_ms,
        };
        let id_end = self.id_end(&order.item);
        order.waits_until = id_end.min(self.time.saturating_add(held_ms));
        Ok(Outcome::APPLIED)
    }

    /// 216: the window's instruction would not fit an amount.
    pub(crate) fn check_window_sum(&self, order: &Order) -> Result<(), Rejection> {
        let sum = self.windows.owed_to(order.item.merchant.get(), order.payable().currency);
        let would_be = sum + u128::from(order.payout);
        refuse_if(would_be > u128::from(u64::MAX), Rejection::AccountOverflow)
    }

    /// Does what a collection does beyond the posting: window, cashback, statement.
    pub(crate) fn collected(&mut self, order: &mut Order) -> Outcome {
        let id = order.item.order_id();
        let is_first = self.orders.settled.insert(id);
        assert!(is_first, "order {id} settles a second time");
        order.status = Status::Collected;
        let (height, time, window) = (self.height, self.time, self.windows.open_id());
        order.collection = Some(Collection { height, time, window });
        let parameters = &self.registry.parameters;
        let allowed_ms = if order.fill.is_some() {
            parameters.deadline_cross_border_ms
        } else {
            parameters.deadline_domestic_ms
        };
        self.windows.collect(order, order.accepted.saturating_add(allowed_ms));
        let (merchant, currency) = (order.item.merchant.get(), order.item.currency.get());
        let amount = u128::from(order.amount());
        let statement = self.statement_of(merchant, currency);
        statement.orders += 1;
        statement.collected += amount;
        self.grant_cashback(order)
    }
}
