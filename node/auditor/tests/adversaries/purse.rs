//! The purse of everybody: what the world outside the chain holds, and what each has agreed to.
//!
//! Per currency, for each holder:
//!
//! `wealth = cash outside + what the chain owes it − what it owes the chain`
//!
//! - of a gateway: its liquidity and the cashback that it is owed;
//! - of a provider: its positions; of a merchant: what is payable to it, and its budgets;
//! - of the scheme's bank: its cash, with the balance of scheme-settlement, which is minus what the
//!   books say that it holds.
//!
//! Goods count as cash at the price of the order's payout: a merchant delivers when it is told that
//! an order is collected, and takes goods back when it agrees to a return.
//!
//! `gain = wealth − what it agreed to`; agreed are the two sides of a conversion at the quote that
//! the provider gave and the user took, of what has not gone back; the loss or gain of the rate
//! of a return later than `return_rate_ms`, which the rules give to whoever pays the user; and what
//! a gateway that returns pays for cashback that rested on the order, as far as its return names
//! it, less what is set off against it later: that is given to nobody (`Holder::Rested`), for a
//! merchant promised less by it.
//!
//! Money moves outside when somebody really moves it: an honest gateway collects what a user paid,
//! and attests what it paid; the banks move what an honest agent has seen; the scheme's bank pays
//! what the chain says that was approved. A word of the foes alone moves no money.
//!
//! Always, per currency: all gains add up to zero; no honest party's gain is below zero, but a
//! merchant's by the cashback that its programmes promise (see `promises`); so the gain of a
//! coalition is never above what honest merchants promised.

use std::collections::BTreeMap;

use chain_state::{
    AccountKey, AccountKind, History, InstructionRecord, Record, ReturnRecord, State, WindowRecord,
};
use chain_types::{
    InstructionId, OrderId, Outcome, QuoteId, RechargeItem, ReturnItem, TransferAction, TransferId,
    WindowId,
};

use crate::coalition::{Coalition, HONEST_USERS_FROM};
use crate::item::Item;
use crate::market::exact;
use crate::network::*;
use crate::promises::{Promises, Sale};

/// The owner of a purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    Gateway(u32),
    Provider(u32),
    Merchant(u64),
    User(u8),
    /// The bank that holds the scheme's deposits.
    Bank,
    /// Nobody: gateways that return agree to pay what rested on an order.
    Rested,
}

/// The returns of a block, by order and number.
pub type Returns = BTreeMap<(OrderId, u16), ReturnRecord>;

/// The returns among the records of a block.
pub fn returns_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Returns {
    let of_return = |record: &Record| match record {
        Record::Return(found) => Some(((found.order, found.sequence), *found)),
        _ => None,
    };
    records.into_iter().filter_map(of_return).collect()
}

/// Cash outside, or what was agreed, by holder and currency.
type Sums = BTreeMap<(Holder, u16), i128>;

/// An order that was collected, as far as purses are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Sold {
    pub item: RechargeItem,
    pub payout: u64,
    /// The rate at which it was converted, as mantissa and scale.
    rate: Option<(u64, u16)>,
    pub window: WindowId,
    pub time_ms: u64,
    pub returns: u16,
    pub returned: u64,
}

impl Sold {
    pub fn instruction(&self) -> InstructionId {
        InstructionId {
            window: self.window,
            merchant: self.item.merchant(),
            currency: self.item.payout_currency(),
        }
    }

    /// Mantissa and scale of the quote that it is converted by.
    pub fn rate(&self) -> Option<(u64, u16)> {
        self.rate
    }

    /// The gateway that collected it.
    pub fn gateway(&self) -> u32 {
        self.item.collecting_gateway.get()
    }

    /// Returns the rest of the payout when `left` of the order is left.
    fn payout_of(&self, left: u64) -> u64 {
        match self.rate {
            None => left,
            Some(rate) => exact(left, self.item.currency.get(), self.payout_currency(), rate),
        }
    }

    fn payout_currency(&self) -> u16 {
        self.item.payout_currency.get()
    }
}

/// A transfer as it was proposed.
#[derive(Debug, Clone, Copy)]
struct Proposed {
    maker: u32,
    kind: u16,
    owner: u64,
    currency: u16,
}

/// An instruction's money that was attested as arrived.
#[derive(Debug, Clone, Copy)]
struct Paid {
    amount: u64,
    /// True if the gateway really paid.
    is_true: bool,
}

/// The block of an operation, as far as purses need it.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub time_ms: u64,
    pub window: WindowId,
    pub returns: &'a Returns,
}

#[derive(Clone)]
pub struct Purse {
    cash: Sums,
    agreed: Sums,
    pub sold: BTreeMap<OrderId, Sold>,
    /// The orders in the order in which they were collected.
    pub sold_last: Vec<OrderId>,
    submitted: BTreeMap<OrderId, RechargeItem>,
    /// The most that may have gone back of an order by its merchant's side's consent.
    consents: BTreeMap<OrderId, u64>,
    quotes: BTreeMap<QuoteId, (u64, u16)>,
    transfers: BTreeMap<TransferId, Proposed>,
    settlers: BTreeMap<u64, u32>,
    paid: BTreeMap<InstructionId, Paid>,
    return_rate_ms: u64,
    /// The sum that gateways paid for cashback that rested on orders, less what was set off.
    pub rested: u64,
    pub set_off: u64,
    pub promises: Promises,
}

impl Purse {
    /// With what was paid in before block zero.
    pub fn new(state: &State, promises: Promises) -> Self {
        let mut cash = Sums::new();
        for (key, account) in state.accounts(None) {
            let holder = holder_of(key).unwrap_or(Holder::Bank);
            *cash.entry((holder, key.currency.get())).or_default() -= account.balance();
        }
        Self {
            cash,
            agreed: Sums::new(),
            sold: BTreeMap::new(),
            sold_last: Vec::new(),
            submitted: BTreeMap::new(),
            consents: BTreeMap::new(),
            quotes: BTreeMap::new(),
            transfers: BTreeMap::new(),
            settlers: BTreeMap::new(),
            paid: BTreeMap::new(),
            rested: 0,
            set_off: 0,
            return_rate_ms: state.parameters().return_rate_ms,
            promises,
        }
    }

    /// Returns the orders that were collected in the last block, which is of this time.
    pub fn sold_in(&self, time_ms: u64) -> impl Iterator<Item = &Sold> {
        let last = self.sold_last.iter().rev().map(|id| &self.sold[id]);
        last.take_while(move |sold| sold.time_ms == time_ms)
    }

    fn pay(&mut self, from: Holder, to: Holder, currency: u16, amount: u64) {
        *self.cash.entry((from, currency)).or_default() -= i128::from(amount);
        *self.cash.entry((to, currency)).or_default() += i128::from(amount);
    }

    fn agree(&mut self, from: Holder, to: Holder, currency: u16, amount: u64) {
        *self.agreed.entry((from, currency)).or_default() -= i128::from(amount);
        *self.agreed.entry((to, currency)).or_default() += i128::from(amount);
    }

    /// Books what an applied operation moved outside of the chain.
    pub fn book(
        &mut self,
        foes: &Coalition,
        moment: Moment<'_>,
        (by, item): &(u32, Item),
        outcome: Outcome,
        past: &dyn History,
    ) {
        // Refused, repeated or held.
        if outcome.0 >= 100 || outcome.0 == 1 {
            return;
        }
        if let Item::Recharge(item) = item {
            self.submitted.insert(item.order_id(), *item);
        }
        if outcome.0 == 2 {
            return;
        }
        match item {
            Item::Recharge(item) if item.is_collected() => self.sell(item.order_id(), moment),
            Item::Collect(item) => self.sell(item.order_id(), moment),
            Item::HoldDecision(item) if item.decision.get() == 1 => {
                let id = OrderId::from_bytes(item.order_id);
                if self.submitted.get(&id).is_some_and(RechargeItem::is_collected) {
                    self.sell(id, moment);
                }
            }
            Item::Quote(item) => {
                let rate = (item.mantissa.get(), item.scale.get());
                self.quotes.insert(item.quote_id(), rate);
            }
            Item::Arrival(item) => {
                let (id, amount) = (item.instruction(), item.amount.get());
                // A bank of the foes says so and pays nothing.
                let is_true = !foes.holds(*by);
                self.promises.arrived(id);
                self.paid.insert(id, Paid { amount, is_true });
                if is_true {
                    let merchant = Holder::Merchant(id.merchant.get());
                    self.pay(Holder::Gateway(*by), merchant, id.currency.get(), amount);
                }
            }
            Item::Bounce(item) => {
                let id = item.instruction();
                let paid = self.paid.remove(&id);
                self.promises.failed(id);
                if let Some(Paid { amount, is_true: true }) = paid {
                    let merchant = Holder::Merchant(id.merchant.get());
                    self.pay(merchant, Holder::Gateway(*by), id.currency.get(), amount);
                }
            }
            Item::Return(item) => {
                self.give_back(foes, *by, item, moment, past);
            }
            Item::Consent(item) if !foes.holds(*by) => {
                let most = self.consents.entry(OrderId::from_bytes(item.order_id)).or_default();
                *most = item.amount.get().max(*most);
            }
            Item::Transfer(item) => {
                let (kind, owner) = (item.account_kind.get(), item.owner.get());
                let currency = item.currency.get();
                let proposed = Proposed { maker: *by, kind, owner, currency };
                self.transfers.insert(TransferId::from_bytes(item.transfer_id), proposed);
            }
            Item::TransferDecision(item) if item.decision.get() == APPROVE => {
                let id = TransferId::from_bytes(item.transfer_id);
                self.move_outside(foes, *by, id, item.action.get(), item.amount.get());
            }
            Item::SettleWindow(item) => {
                self.settlers.insert(item.window.get(), *by);
            }
            Item::SettlementDecision(item) if item.decision.get() == APPROVE => {
                let maker = self.settlers.get(&item.window.get()).copied();
                if foes.holds(*by) && maker.is_none_or(|maker| foes.holds(maker)) {
                    // The banks have moved nothing.
                    return;
                }
                self.settle(&past.window(WindowId::new(item.window.get())).unwrap());
            }
            _ => {}
        }
    }

    /// A user pays its gateway, a merchant delivers, a provider has exchanged.
    fn sell(&mut self, id: OrderId, Moment { time_ms, window, .. }: Moment<'_>) {
        let item = self.submitted[&id];
        let rate = item.quote().map(|quote| self.quotes[&quote]);
        let mut sold = Sold { item, payout: 0, rate, window, time_ms, returns: 0, returned: 0 };
        let amount = item.amount.get();
        sold.payout = sold.payout_of(amount);
        let (currency, payout_currency) = (item.currency.get(), item.payout_currency.get());
        let (user, merchant) = (user(&item), Holder::Merchant(item.merchant.get()));
        self.pay(user, Holder::Gateway(item.collecting_gateway.get()), currency, amount);
        self.pay(merchant, user, payout_currency, sold.payout);
        if let Some(quote) = item.quote() {
            let provider = Holder::Provider(quote.provider().get());
            self.agree(user, provider, currency, amount);
            self.agree(provider, user, payout_currency, sold.payout);
        }
        self.promises.sold(&Sale {
            id,
            user: item.user[0],
            merchant: item.merchant.get(),
            gateway: item.collecting_gateway.get(),
            currency,
            amount,
            time_ms,
            instruction: sold.instruction(),
        });
        self.sold.insert(id, sold);
        self.sold_last.push(id);
    }

    /// The collecting gateway pays the user; the merchant takes goods back if it, its bank or the
    /// honest service that sold them agrees.
    fn give_back(
        &mut self,
        foes: &Coalition,
        by: u32,
        returned: &ReturnItem,
        Moment { time_ms, returns, .. }: Moment<'_>,
        past: &dyn History,
    ) {
        let (id, amount) = (returned.order_id(), returned.amount.get());
        let sold = self.sold[&id];
        let item = sold.item;
        let left = item.amount.get().saturating_sub(sold.returned);
        let payout = sold.payout_of(left) - sold.payout_of(left.saturating_sub(amount));
        let (currency, payout_currency) = (item.currency.get(), sold.payout_currency());
        let (user, merchant) = (user(&item), Holder::Merchant(item.merchant.get()));
        let collecting = Holder::Gateway(sold.gateway());
        self.pay(collecting, user, currency, amount);
        let record = &returns[&(id, returned.sequence.get())];
        let most = self.consents.get(&id).copied().unwrap_or_default();
        let is_consented = record.is_reversal && sold.returned + amount <= most;
        let is_agreed = is_consented || !foes.holds(by) || foes.holds_merchant(item.merchant.get());
        if is_agreed {
            self.pay(user, merchant, payout_currency, payout);
        }
        if let Some(paid) = self.paid.get_mut(&sold.instruction()) {
            // Its bank has paid the merchant, and takes from it what it gives back.
            paid.amount = paid.amount.saturating_sub(payout);
            if !foes.holds(by) && paid.is_true {
                self.pay(merchant, Holder::Gateway(by), payout_currency, payout);
            }
        }
        if let Some(quote) = item.quote() {
            let provider = Holder::Provider(quote.provider().get());
            let is_late = time_ms > sold.time_ms + self.return_rate_ms;
            let other = if is_late { collecting } else { provider };
            self.agree(other, user, currency, amount);
            self.agree(user, other, payout_currency, payout);
        }
        let known = self.sold.get_mut(&id).unwrap();
        known.returned = known.returned.saturating_add(amount);
        known.returns += 1;
        let (rested, set_off) = (record.cashback_rested.get(), record.cashback_set_off.get());
        let agreed = rested.min(returned.rested_max.get());
        self.agree(Holder::Gateway(by), Holder::Rested, currency, agreed);
        self.agree(Holder::Rested, collecting, currency, set_off);
        self.rested += rested;
        self.set_off += set_off;
        let instruction = past.instruction(&sold.instruction());
        let is_forced = is_forced(record, sold.gateway(), instruction.as_ref());
        self.promises.returned(id, amount, is_forced);
    }

    /// A deposit came in if one who is honest saw it; a withdrawal is paid as the chain says.
    fn move_outside(&mut self, foes: &Coalition, by: u32, id: TransferId, action: u16, sum: u64) {
        let Proposed { maker, kind, owner, currency } = self.transfers[&id];
        let holder = match kind {
            1 => Holder::Gateway(u32::try_from(owner).unwrap()),
            5 => Holder::Provider(u32::try_from(owner).unwrap()),
            _ => Holder::Merchant(owner),
        };
        let is_seen = !foes.holds(by) || !foes.holds(maker);
        match TransferAction::from_number(action) {
            Some(TransferAction::Deposit) if is_seen => {
                self.pay(holder, Holder::Bank, currency, sum);
            }
            Some(TransferAction::Withdraw) => self.pay(Holder::Bank, holder, currency, sum),
            _ => {}
        }
    }

    /// The banks move the nets of a window: gateways and providers by the scheme's bank.
    fn settle(&mut self, report: &WindowRecord) {
        for position in &report.positions {
            let (owner, currency) = (position.party.owner, position.party.currency.get());
            let holder = match position.party.kind {
                AccountKind::GatewayLiquidity => Holder::Gateway(u32::try_from(owner).unwrap()),
                AccountKind::FxPosition => Holder::Provider(u32::try_from(owner).unwrap()),
                _ => continue,
            };
            *self.cash.entry((holder, currency)).or_default() += position.net();
            *self.cash.entry((Holder::Bank, currency)).or_default() -= position.net();
        }
    }

    /// Returns what each holder has beyond what it agreed to; below zero, what it lacks.
    pub fn gains(&self, state: &State) -> Sums {
        let mut gains = self.cash.clone();
        for (key, agreed) in &self.agreed {
            *gains.entry(*key).or_default() -= agreed;
        }
        for (key, account) in state.accounts(None) {
            let holder = holder_of(key).unwrap_or(Holder::Bank);
            *gains.entry((holder, key.currency.get())).or_default() += account.balance();
        }
        gains
    }

    /// No gain: the identity at the head of this file.
    pub fn check(&self, foes: &Coalition, state: &State) {
        let mut gains = self.gains(state);
        for currency in CURRENCIES {
            let of_all = gains.iter().filter(|((_, of), _)| *of == currency);
            assert_eq!(of_all.map(|(_, gain)| gain).sum::<i128>(), 0, "gains in {currency}");
        }
        for ((merchant, currency), promised) in self.promises.sums() {
            *gains.entry((Holder::Merchant(merchant), currency)).or_default() += promised;
        }
        let height = state.height();
        for ((holder, currency), gain) in &gains {
            if *gain < 0 && !is_foe(foes, *holder) {
                panic!(
                    "gain of the foes: {holder:?} has lost {gain} of currency {currency} \
                     by block {height}"
                );
            }
        }
    }
}

/// Returns true if a failed instruction forces a return: not who both collected and pays.
fn is_forced(record: &ReturnRecord, gateway: u32, of: Option<&InstructionRecord>) -> bool {
    let is_of_failed = record.from_payable && !record.is_reversal;
    let payer = of.map_or(0, |of| of.gateway.get());
    let house = [GATEWAYS[2], EVERYBODY];
    let is_own = gateway == payer || (house.contains(&gateway) && house.contains(&payer));
    is_of_failed && !(is_own && [gateway, payer].contains(&record.gateway.get()))
}

/// The number of an approval.
const APPROVE: u16 = 1;

fn user(item: &RechargeItem) -> Holder {
    Holder::User(item.user[0])
}

pub fn is_foe(foes: &Coalition, holder: Holder) -> bool {
    match holder {
        Holder::Gateway(id) | Holder::Provider(id) => foes.holds(id),
        Holder::Merchant(id) => foes.holds_merchant(id),
        Holder::User(id) => id < HONEST_USERS_FROM,
        Holder::Rested => true,
        Holder::Bank => false,
    }
}

/// Returns the owner of an account; `None` if it is the scheme's.
pub fn holder_of(key: &AccountKey) -> Option<Holder> {
    let id = u32::try_from(key.owner).unwrap_or_default();
    match key.kind {
        AccountKind::GatewayLiquidity | AccountKind::CashbackOwed => Some(Holder::Gateway(id)),
        AccountKind::FxPosition => Some(Holder::Provider(id)),
        AccountKind::MerchantPayable | AccountKind::CashbackPool => {
            Some(Holder::Merchant(key.owner))
        }
        AccountKind::Fees | AccountKind::Suspense | AccountKind::SchemeSettlement => None,
    }
}
