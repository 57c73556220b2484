//! Section 5, windows and netting: what is owed of the open window, and the nets of closed ones.

use std::collections::BTreeMap;

use chain_types::OrderId;

use crate::auditor::Auditor;
use crate::books::{Account, Kind, Movement};
use crate::finding::AuditFinding;
use crate::instructions::Instruction;
use crate::orders::Order;
use crate::settlement::Settled;
use crate::sla::Together;

/// A party's sums of a window, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GrossSums {
    /// The sum that it has to pay, in minor units.
    pub debits: u128,
    /// The sum that it is to be paid, in minor units.
    pub credits: u128,
}

impl GrossSums {
    /// Returns the credits less the debits.
    pub fn net(&self) -> i128 {
        let signed = |sum: u128| i128::try_from(sum).unwrap_or(i128::MAX);
        signed(self.credits) - signed(self.debits)
    }
}

/// The report of a closed window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedWindow {
    /// Block time of the block that opened it, in milliseconds since the Unix epoch.
    pub opened_ms: u64,
    /// Block time of the block that closed it.
    pub closed_ms: u64,
    /// The height of its first block.
    pub first_height: u64,
    /// The height of its last block.
    pub last_height: u64,
    /// How many orders were collected in it, reversed ones included.
    pub order_count: u64,
    /// How many instructions were given when it closed.
    pub instruction_count: u64,
    /// Each party's sums, by account kind number, owner and currency.
    pub parties: BTreeMap<(u8, u64, u16), GrossSums>,
    /// By whom it was settled, and with what reference.
    pub settled: Option<Settled>,
}

/// The part of an order of the open window that its merchant is to be paid.
#[derive(Debug, Clone, Copy)]
struct Owed {
    left: u64,
    due: u64,
    with: Together,
}

/// The open window and the closed ones.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    open: u64,
    opened: u64,
    /// When it closes, by the length that held at its opening.
    closes: u64,
    first_height: u64,
    order_count: u64,
    /// By merchant and currency, then by order.
    owed: BTreeMap<(u64, u16), BTreeMap<OrderId, Owed>>,
    /// The gateway that collected the first of orders that are due together, by merchant and
    /// currency.
    first_collectors: BTreeMap<(u64, u16, Together), u32>,
    parties: BTreeMap<(u8, u64, u16), GrossSums>,
    pub(crate) closed: BTreeMap<u64, ClosedWindow>,
    /// The sum of the nets of all closed windows that are not settled.
    unsettled: BTreeMap<(u8, u64, u16), i128>,
}

impl Windows {
    /// Window zero, open from `opened` on for as long as `window_ms`.
    pub(crate) fn new(opened: u64, window_ms: u64) -> Self {
        let (owed, parties, closed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let first_collectors = BTreeMap::new();
        let (open, first_height, order_count, unsettled) = (0, 0, 0, BTreeMap::new());
        let closes = opened.saturating_add(window_ms);
        Self {
            open,
            opened,
            closes,
            first_height,
            order_count,
            owed,
            first_collectors,
            parties,
            closed,
            unsettled,
        }
    }

    /// Returns what a party owes (below zero) or is owed in all windows that are not settled. The
    /// open one counts without its instructions.
    pub(crate) fn position(&self, party: (u8, u64, u16)) -> i128 {
        let closed = self.unsettled.get(&party).copied().unwrap_or_default();
        closed + self.parties.get(&party).map_or(0, GrossSums::net)
    }

    /// Every party that any window ever had.
    pub(crate) fn all_parties(&self) -> impl Iterator<Item = (u8, u64, u16)> {
        self.unsettled.keys().chain(self.parties.keys()).copied()
    }

    /// Marks a window settled: its nets are owed no longer.
    pub(crate) fn settle(&mut self, window: u64, settled: Settled) {
        let Some(report) = self.closed.get_mut(&window) else { return };
        report.settled = Some(settled);
        for (party, gross) in &report.parties {
            *self.unsettled.entry(*party).or_default() -= gross.net();
        }
    }

    /// The number of the open window.
    pub(crate) fn open_id(&self) -> u64 {
        self.open
    }

    /// Returns the sum that a merchant is to be paid of the open window in a currency.
    pub(crate) fn owed_to(&self, merchant: u64, currency: u16) -> u128 {
        self.owed.get(&(merchant, currency)).map_or(0, sum)
    }

    /// Everything that is to be paid of the open window, by merchant and currency.
    pub(crate) fn all_owed(&self) -> impl Iterator<Item = ((u64, u16), u128)> {
        self.owed.iter().map(|(key, owed)| (*key, sum(owed)))
    }

    /// A leg on the debit side of a party.
    pub(crate) fn debit(&mut self, account: Account, amount: u64) {
        if amount > 0 {
            self.parties.entry(account.numbers()).or_default().debits += u128::from(amount);
        }
    }

    /// A leg on the credit side of a party.
    pub(crate) fn credit(&mut self, account: Account, amount: u64) {
        if amount > 0 {
            self.parties.entry(account.numbers()).or_default().credits += u128::from(amount);
        }
    }

    /// A collected order: it is owed, and its legs but the paying gateway's are counted.
    pub(crate) fn collect(&mut self, order: &Order, due: u64) {
        self.order_count += 1;
        let payable = order.payable();
        let owed = self.owed.entry((payable.owner, payable.currency)).or_default();
        let with = Together {
            accepted: order.accepted,
            collected: order.collection.map_or(0, |collection| collection.time),
            is_cross_border: order.fill.is_some(),
        };
        owed.insert(order.item.order_id(), Owed { left: order.payout, due, with });
        let first = (payable.owner, payable.currency, with);
        self.first_collectors.entry(first).or_insert(order.gateway());
        self.debit(order.liquidity(), order.amount());
        if let Some(fill) = order.fill {
            let (currency, payout_currency) = (order.item.currency.get(), payable.currency);
            self.credit(Account::position(fill.provider, currency), order.amount());
            self.debit(Account::position(fill.provider, payout_currency), fill.payout);
        }
    }

    /// A reversal: less is owed of an order, and with nothing left it is in the window no longer.
    pub(crate) fn owe_less(&mut self, key: (u64, u16), order: OrderId, payout: u64) {
        let Some(owed) = self.owed.get_mut(&key) else { return };
        if let Some(of_order) = owed.get_mut(&order) {
            of_order.left -= payout;
        }
        owed.retain(|_, of_order| of_order.left > 0);
    }
}

fn sum(owed: &BTreeMap<OrderId, Owed>) -> u128 {
    owed.values().map(|of_order| u128::from(of_order.left)).sum()
}

/// The net of a currency's parties, for each currency.
fn nets(parties: &BTreeMap<(u8, u64, u16), GrossSums>) -> BTreeMap<u16, i128> {
    let mut nets = BTreeMap::new();
    for ((_, _, currency), gross) in parties {
        *nets.entry(*currency).or_default() += gross.net();
    }
    nets
}

impl Auditor {
    /// Closes the open window when its time has come, before anything else of the block.
    ///
    /// # Errors
    /// The window's nets do not add up to zero.
    pub(crate) fn close_window(&mut self) -> Result<(), AuditFinding> {
        if self.time < self.windows.closes {
            return Ok(());
        }
        let instruction_count = self.instruct();
        self.settle_cashback();
        let (id, opened_ms) = (self.windows.open, self.windows.opened);
        let parties = std::mem::take(&mut self.windows.parties);
        for (currency, net) in nets(&parties) {
            if net != 0 {
                let expected = format!("nets of window {id} in currency {currency} of zero");
                return Err(self.books_finding("window nets", expected, net.to_string()));
            }
        }
        for (party, gross) in &parties {
            *self.windows.unsettled.entry(*party).or_default() += gross.net();
        }
        let report = ClosedWindow {
            opened_ms,
            closed_ms: self.time,
            first_height: self.windows.first_height,
            last_height: self.height - 1,
            order_count: std::mem::take(&mut self.windows.order_count),
            instruction_count,
            parties,
            settled: None,
        };
        self.windows.closed.insert(id, report);
        self.consents.clear();
        (self.windows.open, self.windows.opened) = (id + 1, self.time);
        self.windows.first_height = self.height;
        let window_ms = self.registry.parameters.window_ms;
        self.windows.closes = self.time.saturating_add(window_ms);
        Ok(())
    }

    /// One instruction a merchant and currency with a sum above zero.
    fn instruct(&mut self) -> u64 {
        let window = self.windows.open;
        let mut count = 0;
        let first_collectors = std::mem::take(&mut self.windows.first_collectors);
        for ((merchant, currency), owed) in std::mem::take(&mut self.windows.owed) {
            let Ok(amount) = u64::try_from(sum(&owed)) else {
                unreachable!("216 keeps sums within an amount")
            };
            let Some(due) = owed.values().map(|of_order| of_order.due).min() else { continue };
            let gateway = self.registry.payout_gateway(chain_types::MerchantId::new(merchant));
            self.windows.credit(Account::liquidity(gateway.get(), currency), amount);
            let least = self.time.saturating_add(self.registry.parameters.payment_least_ms);
            let mut instruction = Instruction::new(gateway, amount, due.max(least), self.height);
            let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            instruction.orders = number(owed.len());
            let converted = owed.values().filter(|of_order| of_order.with.is_cross_border);
            instruction.converted = number(converted.count());
            let earliest = owed.values().map(|of_order| of_order.with).min();
            let earliest = earliest.unwrap_or_default();
            instruction.earliest_accepted = earliest.accepted;
            instruction.given_ms = self.time;
            let key = (window, merchant, currency);
            let collector = first_collectors.get(&(merchant, currency, earliest));
            self.clock_close(key, due, (earliest, collector.copied().unwrap_or_default()));
            self.clock_attempt(key, instruction.due_ms);
            self.instructions.add(key, instruction);
            count += 1;
        }
        count
    }

    /// `cashback-owed(A) x → liquidity(A)` for every gateway that is owed cashback.
    fn settle_cashback(&mut self) {
        let accounts = self.books.accounts().iter();
        let owed = accounts.filter(|(account, _)| account.kind == Kind::CashbackOwed);
        let movements: Vec<Movement> = owed
            .filter_map(|(account, counters)| {
                let amount = u128::try_from(counters.balance()).ok().filter(|sum| *sum > 0)?;
                let liquidity = Account { kind: Kind::GatewayLiquidity, ..*account };
                Some(Movement::new(*account, amount, liquidity))
            })
            .collect();
        movements.into_iter().for_each(|movement| self.books.post(movement));
    }
}
