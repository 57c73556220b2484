//! A gateway's settlement window: what it owes and is owed, line by line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chain_state::{Account, AccountKey, AccountKind, ReturnRecord, State};
use chain_store::{ChainStore, InstructionFilter, PAGE_ITEMS_MAX};
use chain_types::{
    Amount, ChainGenesis, Currency, Height, InstructionId, ParticipantId, RechargeItem, WindowId,
};
use rpc_api::Money;
use rpc_api::money::currency_code;
use serde::Serialize;

use super::life::{Life, Standing};
use super::payout_gateways::PayoutGateways;
use super::walk::{At, Event, Walk, What, pair};
use super::{Cause, LineKind, StatementFault, cell, sum, wide};

/// A gateway's statement of a closed window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayStatement {
    /// The participant id of the gateway.
    pub gateway: u32,
    /// The number of the window.
    pub window: u64,
    /// The block time at which it opened, in milliseconds since 1970 (UTC).
    pub opened_ms: u64,
    /// The block time at which it closed, in milliseconds since 1970 (UTC).
    pub closed_ms: u64,
    /// The height of its first block.
    pub first_height: u64,
    /// The height of its last block.
    pub last_height: u64,
    /// The settlement of the window by the banks; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settlement: Option<PostedSettlement>,
    /// The positions of the gateway, by currency.
    pub positions: Vec<GatewayPosition>,
    /// Everything, in the order of the chain; the window's instructions last.
    pub lines: Vec<GatewayLine>,
}

/// The settlement of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostedSettlement {
    /// The participant id of the agent that proposed it.
    pub agent: u32,
    /// The participant id of the agent that approved it.
    pub checker: u32,
    /// The banks' reference, hexadecimal.
    pub reference: String,
    /// The digest of the window's report, hexadecimal.
    pub digest: String,
    /// When it was posted.
    pub settled_ms: u64,
    /// The block that posted it.
    pub height: u64,
}

/// The debits and credits of a gateway in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayPosition {
    /// The currency: an ISO 4217 code.
    pub currency: String,
    /// How many orders it collected.
    pub order_count: u64,
    /// The sum that it collected from users.
    pub collected: Money,
    /// The sum that it was instructed to pay to merchants.
    pub instructed: Money,
    /// The sum that went back to its users: owed to it, and by it.
    pub returned_to_users: Money,
    /// The sum that it sent back of instructions that it paid or could not pay.
    pub sent_back: Money,
    /// Cashback that it credits to users; owed to it when their instructions arrive.
    pub cashback_granted: Money,
    /// Cashback that returns took back, of its users' orders and by what it returned.
    pub cashback_taken_back: Money,
    /// The sum that it owes.
    pub gross_debits: Money,
    /// The sum that it is owed.
    pub gross_credits: Money,
    /// `gross_credits` less `gross_debits`: below zero, it owes on balance.
    pub net: Money,
    /// The net that the settlement posted, with its sign turned; zero while there is none.
    pub settled_net: Money,
    /// The rest of the net: zero once the window is settled.
    pub unsettled_net: Money,
    /// The liquidity account's balance after the window's settlement, or after its close while
    /// there is none.
    pub balance: Money,
    /// The settled part of that balance; the rest is the gateway's position over all windows.
    pub settled_balance: Money,
}

/// A line of a gateway's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GatewayLine {
    /// The kind of operation.
    pub kind: LineKind,
    /// Block time; of an instruction, of the window's close.
    pub time_ms: u64,
    /// The operation or block that caused it.
    pub cause: Cause,
    /// The order or instruction.
    pub id: String,
    /// The sum that the gateway owes by it.
    pub debit: Money,
    /// The sum that it is owed by it, in the same currency.
    pub credit: Money,
}

#[derive(Default)]
struct Sums {
    order_count: u64,
    collected: u128,
    instructed: u128,
    returned_to_users: u128,
    sent_back: u128,
    granted: u128,
    taken_back: u128,
    debits: u128,
    credits: u128,
}

struct Making<'a> {
    store: &'a dyn ChainStore,
    state: &'a State,
    genesis: &'a ChainGenesis,
    gateway: ParticipantId,
    payout_gateways: PayoutGateways,
    sums: BTreeMap<Currency, Sums>,
    lines: Vec<GatewayLine>,
}

/// The statement of a gateway's window, from the blocks in `store`; `state` is the one after its
/// last block.
///
/// # Errors
/// When the window is not closed, the home cannot be read, or the lines do not add up to the
/// window's report.
pub fn statement(
    store: &dyn ChainStore,
    state: &State,
    genesis: &ChainGenesis,
    gateway: ParticipantId,
    window: WindowId,
) -> Result<GatewayStatement, StatementFault> {
    let open = StatementFault::WindowOpen(window);
    let Some(record) = store.window(window)? else { return Err(open) };
    let (Some(closed), Some(last)) = (record.closed, record.last_height) else { return Err(open) };
    let mut making = Making {
        store,
        state,
        genesis,
        gateway,
        payout_gateways: PayoutGateways::read(store)?,
        sums: BTreeMap::new(),
        lines: Vec::new(),
    };
    Walk::new(store, state).each(record.first_height, last.next(), |event| making.see(&event))?;
    let close = At {
        cause: Cause { height: last.next().get(), batch_index: None, item_index: None },
        time_ms: closed.get(),
    };
    making.instructed(window, close)?;
    making.check(&record)?;
    let settlement = store.window_settlement(window)?;
    let height = settlement.map_or(last.next(), |word| word.location.height);
    let positions = making.sums.iter().map(|(currency, of)| {
        let key = AccountKey::liquidity(gateway, *currency);
        let after = store.account_entry_at(&key, height)?.map(|entry| entry.after);
        Ok(of.report(*currency, settlement.is_some(), &after.unwrap_or_default()))
    });
    let positions = positions.collect::<Result<_, StatementFault>>()?;
    Ok(GatewayStatement {
        gateway: gateway.get(),
        window: window.get(),
        opened_ms: record.opened.get(),
        closed_ms: closed.get(),
        first_height: record.first_height.get(),
        last_height: last.get(),
        settlement: settlement.map(|word| PostedSettlement {
            agent: word.agent.get(),
            checker: word.checker.get(),
            reference: hex::encode(word.reference),
            digest: word.digest.to_string(),
            settled_ms: word.time.get(),
            height: word.location.height.get(),
        }),
        positions,
        lines: making.lines,
    })
}

impl Making<'_> {
    fn see(&mut self, event: &Event) -> Result<(), StatementFault> {
        match &event.what {
            What::Collected { item, cashback, .. } if item.collecting_gateway() == self.gateway => {
                self.collected(event.at, item, *cashback);
            }
            What::Returned { order, record } => self.returned(event.at, order, record),
            _ => {
                if let Some(id) = event.what.instruction() {
                    self.moved(event, id)?;
                }
            }
        }
        Ok(())
    }

    fn collected(&mut self, at: At, item: &RechargeItem, cashback: Amount) {
        let sums = self.sums.entry(item.currency()).or_default();
        sums.order_count += 1;
        sums.collected += wide(item.amount());
        sums.granted += wide(cashback);
        let id = item.order_id().to_string();
        self.line(LineKind::Collected, at, id, item.currency(), item.amount(), Amount::new(0));
    }

    /// A return owes its amount to the gateway that collected, or the payout where it is converted
    /// back no longer; what it was owed of cashback it gives back, less what it has paid before.
    /// What rested on the order is owed by the gateway that sent it back, and later than the window
    /// of the order the payout too.
    fn returned(&mut self, at: At, order: &RechargeItem, record: &ReturnRecord) {
        let (currency, payout_currency) = pair(order);
        let id = order.order_id().to_string();
        let kind = if record.is_reversal { LineKind::Reversed } else { LineKind::Returned };
        if order.collecting_gateway() == self.gateway {
            let (to, credit) = if record.is_unconverted {
                (payout_currency, record.payout)
            } else {
                (currency, record.amount)
            };
            self.sums.entry(to).or_default().returned_to_users += wide(credit);
            let own = record.cashback.minus(record.cashback_set_off);
            self.sums.entry(currency).or_default().taken_back += wide(own);
            self.line(kind, at, id.clone(), to, Amount::new(0), credit);
            // What is only promised moves nothing when it goes.
            let (back, again) = match record.from_payable {
                true => (Amount::new(0), record.cashback_set_off),
                false => (own, Amount::new(0)),
            };
            if back.get() > 0 || again.get() > 0 {
                self.line(kind, at, id.clone(), currency, back, again);
            }
        }
        if record.gateway == self.gateway && record.cashback_rested.get() > 0 {
            self.sums.entry(currency).or_default().taken_back += wide(record.cashback_rested);
            self.line(kind, at, id.clone(), currency, record.cashback_rested, Amount::new(0));
        }
        // What failed stands in suspense; only what had arrived is sent back by its gateway.
        if record.gateway == self.gateway && !record.from_payable {
            self.sums.entry(payout_currency).or_default().sent_back += wide(record.payout);
            self.line(kind, at, id, payout_currency, record.payout, Amount::new(0));
        }
    }

    /// A word about an instruction that changes whom the banks will settle it with.
    fn moved(&mut self, event: &Event, id: InstructionId) -> Result<(), StatementFault> {
        let (before, after) = self.life(id, event)?;
        let (at, text, left) = (event.at, id.to_string(), before.left);
        let (had, has) =
            (before.standing == Standing::Arrived, after.standing == Standing::Arrived);
        for (currency, sum) in before.cashback.iter().filter(|(_, sum)| sum.get() > 0) {
            match (had, has) {
                (false, true) => {
                    self.line(LineKind::Arrived, at, text.clone(), *currency, Amount::new(0), *sum);
                }
                (true, false) => {
                    self.line(LineKind::Bounced, at, text.clone(), *currency, *sum, Amount::new(0));
                }
                _ => {}
            }
        }
        if before.standing != Standing::Failed && after.standing == Standing::Failed {
            let has_arrived = before.standing == Standing::Arrived;
            let kind = if has_arrived { LineKind::Bounced } else { LineKind::Failed };
            if before.gateway == Some(self.gateway) {
                self.line(kind, at, text, id.currency, after.left, Amount::new(0));
            }
        } else if before.standing == Standing::Failed
            && after.standing != Standing::Failed
            && after.gateway == Some(self.gateway)
        {
            self.line(LineKind::Reinstructed, at, text, id.currency, Amount::new(0), left);
        }
        Ok(())
    }

    /// An instruction before and after an event. Goes back to the opening of its window.
    fn life(&self, id: InstructionId, event: &Event) -> Result<(Life, Life), StatementFault> {
        let height = Height::new(event.at.cause.height);
        let missing = StatementFault::Missing { what: "an instruction", height };
        let Some(record) = self.store.instruction(&id)? else { return Err(missing) };
        let window = self.store.window(id.window)?;
        let opened = window.as_ref().map_or(height, |window| window.first_height);
        let last = window.and_then(|window| window.last_height).unwrap_or_default();
        let first = last.next();
        let payer = |height| self.payout_gateways.at(self.genesis, id.merchant, height);
        let waits_ms = self.state.parameters().transfer_validity_ms;
        let mut life = Life::new(payer(first), record.amount);
        Walk::new(self.store, self.state).each(opened, height.next(), |past| {
            if past.at.cause >= event.at.cause {
                return Ok(());
            }
            let is_open = past.at.cause.height <= last.get();
            if let What::Collected { item, cashback, .. } = &past.what {
                let is_its =
                    (item.merchant(), item.payout_currency()) == (id.merchant, id.currency);
                if is_open && is_its && item.collecting_gateway() == self.gateway {
                    life.granted(item.currency(), *cashback);
                }
            } else if let What::Returned { order, record } = &past.what {
                if self.is_of(order, record, id)? {
                    if !is_open {
                        life.returned(record.payout);
                    }
                    if order.collecting_gateway() == self.gateway {
                        life.taken_back(order.currency(), record.cashback);
                    }
                }
            } else if past.what.instruction() == Some(id) {
                life.hear(&past, waits_ms, payer(Height::new(past.at.cause.height)));
            }
            Ok(())
        })?;
        let mut after = life.clone();
        after.hear(event, waits_ms, payer(height));
        Ok((life, after))
    }

    /// Returns true if a return is of an order that the instruction pays out.
    fn is_of(
        &self,
        order: &RechargeItem,
        record: &ReturnRecord,
        id: InstructionId,
    ) -> Result<bool, StatementFault> {
        if order.merchant() != id.merchant || order.payout_currency() != id.currency {
            return Ok(false);
        }
        let recorded = match self.state.order(&record.order) {
            Some(found) => Some(found),
            None => self.store.archived_order(&record.order)?,
        };
        let collected = match recorded {
            Some(found) => self.store.block(found.status_height)?,
            None => None,
        };
        Ok(collected.is_some_and(|block| block.block.header.window == id.window))
    }

    /// Lists the instructions that the window's close gave this gateway.
    fn instructed(&mut self, window: WindowId, close: At) -> Result<(), StatementFault> {
        let mut after = None;
        loop {
            let filter = InstructionFilter::Window(window);
            let page = self.store.instructions(filter, after, PAGE_ITEMS_MAX)?;
            for record in &page {
                let (id, height) = (record.id, Height::new(close.cause.height));
                let to = self.payout_gateways.at(self.genesis, id.merchant, height);
                if to == Some(self.gateway) {
                    self.sums.entry(id.currency).or_default().instructed += wide(record.amount);
                    let text = id.to_string();
                    let kind = LineKind::Instructed;
                    self.line(kind, close, text, id.currency, Amount::new(0), record.amount);
                }
            }
            after = page.last().map(|record| record.id);
            if page.len() < PAGE_ITEMS_MAX {
                return Ok(());
            }
        }
    }

    fn line(
        &mut self,
        kind: LineKind,
        at: At,
        id: String,
        currency: Currency,
        debit: Amount,
        credit: Amount,
    ) {
        let sums = self.sums.entry(currency).or_default();
        sums.debits += wide(debit);
        sums.credits += wide(credit);
        let (debit, credit) = (Money::new(debit, currency), Money::new(credit, currency));
        let (time_ms, cause) = (at.time_ms, at.cause);
        self.lines.push(GatewayLine { kind, time_ms, cause, id, debit, credit });
    }

    /// Holds the lines against the window's own report.
    fn check(&mut self, record: &chain_state::WindowRecord) -> Result<(), StatementFault> {
        let owner = u64::from(self.gateway.get());
        let mut reported: BTreeMap<Currency, (u128, u128)> = BTreeMap::new();
        for position in &record.positions {
            let party = position.party;
            if party.kind == AccountKind::GatewayLiquidity && party.owner == owner {
                let gross = (position.gross_debits, position.gross_credits);
                reported.insert(party.currency, gross);
            }
        }
        for currency in reported.keys() {
            self.sums.entry(*currency).or_default();
        }
        for (currency, sums) in &self.sums {
            let (debits, credits) = reported.get(currency).copied().unwrap_or_default();
            for (what, expected, actual) in
                [("debits", debits, sums.debits), ("credits", credits, sums.credits)]
            {
                if expected != actual {
                    return Err(StatementFault::Unequal {
                        what: format!("the sum of {what} of window {}", record.id),
                        expected: sum(expected, *currency).to_string(),
                        actual: sum(actual, *currency).to_string(),
                    });
                }
            }
        }
        Ok(())
    }
}

impl Sums {
    fn report(&self, currency: Currency, is_settled: bool, after: &Account) -> GatewayPosition {
        let (debits, credits) = (sum(self.debits, currency), sum(self.credits, currency));
        let net = credits.minor - debits.minor;
        let (settled, unsettled) = if is_settled { (-net, 0) } else { (0, net) };
        GatewayPosition {
            currency: currency_code(currency),
            order_count: self.order_count,
            collected: sum(self.collected, currency),
            instructed: sum(self.instructed, currency),
            returned_to_users: sum(self.returned_to_users, currency),
            sent_back: sum(self.sent_back, currency),
            cashback_granted: sum(self.granted, currency),
            cashback_taken_back: sum(self.taken_back, currency),
            net: Money::sum(net, currency),
            settled_net: Money::sum(settled, currency),
            unsettled_net: Money::sum(unsettled, currency),
            balance: Money::sum(after.balance(), currency),
            settled_balance: Money::sum(after.settled, currency),
            gross_debits: debits,
            gross_credits: credits,
        }
    }
}

impl GatewayStatement {
    /// The lines as comma-separated values, and each currency's gross sums and net after them.
    pub fn csv(&self) -> String {
        let mut text = "kind,time_ms,cause,id,currency,debit,credit\n".to_owned();
        for line in &self.lines {
            // Writing into a string does not fail.
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{}",
                line.kind.name(),
                line.time_ms,
                line.cause,
                line.id,
                line.debit.currency,
                cell(&line.debit),
                cell(&line.credit),
            );
        }
        for position in &self.positions {
            let GatewayPosition { currency, gross_debits, gross_credits, net, .. } = position;
            let (debits, credits) = (cell(gross_debits), cell(gross_credits));
            let _ = writeln!(text, "gross,,,,{currency},{debits},{credits}");
            let (owes, owed) = if net.minor < 0 {
                (cell(&Money { minor: net.minor.saturating_neg(), ..net.clone() }), String::new())
            } else {
                (String::new(), cell(net))
            };
            let _ = writeln!(text, "net,,,,{currency},{owes},{owed}");
            if let Some(PostedSettlement { settled_ms, height, digest, .. }) = &self.settlement {
                // The settlement takes back what the net says: together they are nothing.
                let _ = writeln!(
                    text,
                    "settled,{settled_ms},{height},{digest},{currency},{owed},{owes}"
                );
            }
        }
        text
    }
}
