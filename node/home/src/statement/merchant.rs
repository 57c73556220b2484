//! A merchant's month: orders collected, what they pay out, arrivals, returns, cashback.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chain_state::{AccountKey, ReturnRecord, State};
use chain_store::ChainStore;
use chain_types::{Amount, Currency, Height, MerchantId};
use rpc_api::Money;
use rpc_api::money::currency_code;
use serde::Serialize;

use super::entries::credited_by;
use super::period::{Blocks, StatementMonth, blocks};
use super::walk::{At, Event, Walk, What, pair};
use super::{Cause, LineKind, StatementFault, cell, signed, sum, wide};

/// A merchant's statement of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MerchantStatement {
    /// The id of the merchant.
    #[serde(with = "rpc_api::text::Text::<u64>")]
    pub merchant: u64,
    /// The month, as `2026-11`.
    pub month: String,
    /// Its time zone: minutes east of UTC.
    pub offset_min: i16,
    /// The first block of the month.
    pub first_height: u64,
    /// The last one that is in the home.
    pub last_height: u64,
    /// True if the month is over.
    pub is_complete: bool,
    /// The sums that users paid, by the currency that was collected.
    pub collections: Vec<Collection>,
    /// The sums owed to the merchant, by the currency that it is paid in.
    pub payables: Vec<Payable>,
    /// Everything, in the order of the chain.
    pub lines: Vec<MerchantLine>,
}

/// The sums that users paid in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collection {
    /// The currency: an ISO 4217 code.
    pub currency: String,
    /// How many orders were collected.
    pub order_count: u64,
    /// The sum that was collected.
    pub collected: Money,
    /// The sum that went back to users.
    pub returned: Money,
    /// The sum of cashback that was granted.
    pub cashback_granted: Money,
    /// Cashback that returns took back.
    pub cashback_taken_back: Money,
}

/// The sums owed to the merchant in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payable {
    /// The currency: an ISO 4217 code.
    pub currency: String,
    /// Owed when the month began.
    pub opening: Money,
    /// The sum that the orders collected in the month pay out.
    pub payout: Money,
    /// The sum that arrived.
    pub arrived: Money,
    /// How many instructions arrived.
    pub arrival_count: u64,
    /// The sum that came back after it had arrived.
    pub bounced: Money,
    /// The sum that returns took from what was owed.
    pub returned: Money,
    /// The sum that paying gateways sent back of what had arrived.
    pub returned_after_arrival: Money,
    /// Owed when the month ended.
    pub closing: Money,
}

/// A line of a merchant's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MerchantLine {
    /// The kind of operation.
    pub kind: LineKind,
    /// The block time, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The operation that caused it.
    pub cause: Cause,
    /// The order or instruction.
    pub id: String,
    /// The sum that users paid or got back; absent for an arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The payout, or the part of it that arrived or was taken back.
    pub payout: Money,
    /// Cashback granted or taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cashback: Option<Money>,
    /// The change of the sum owed to the merchant, with its sign.
    pub payable_change: Money,
}

#[derive(Default)]
struct CollectionSums {
    order_count: u64,
    collected: u128,
    returned: u128,
    granted: u128,
    taken_back: u128,
}

#[derive(Default)]
struct PayableSums {
    payout: u128,
    arrived: u128,
    arrival_count: u64,
    bounced: u128,
    returned: u128,
    returned_after_arrival: u128,
}

struct Making<'a> {
    store: &'a dyn ChainStore,
    merchant: MerchantId,
    collections: BTreeMap<Currency, CollectionSums>,
    payables: BTreeMap<Currency, PayableSums>,
    lines: Vec<MerchantLine>,
}

/// The statement of a merchant's month, from the blocks in `store`; `state` is the one after its
/// last block.
///
/// # Errors
/// When the home cannot be read, or the lines do not add up to the ledger.
pub fn statement(
    store: &dyn ChainStore,
    state: &State,
    merchant: MerchantId,
    month: StatementMonth,
    offset_min: i16,
) -> Result<MerchantStatement, StatementFault> {
    let (begins, ends) = month.bounds(offset_min);
    let Blocks { first, end, is_complete } = blocks(store, begins, ends)?;
    let mut making = Making {
        store,
        merchant,
        collections: BTreeMap::new(),
        payables: BTreeMap::new(),
        lines: Vec::new(),
    };
    // Whoever is still owed something has a payable, also in a month in which nothing happened.
    for currency in state.currencies() {
        if state.account(&AccountKey::payable(merchant, *currency)).is_some() {
            making.payables.entry(*currency).or_default();
        }
    }
    Walk::new(store, state).each(first, end, |event| making.see(&event))?;
    let last = end.minus(1);
    let before = first.minus(1);
    let payables = making.payables.iter().map(|(currency, sums)| {
        let key = AccountKey::payable(merchant, *currency);
        sums.report(*currency, balance(store, &key, before)?, balance(store, &key, last)?)
    });
    Ok(MerchantStatement {
        merchant: merchant.get(),
        month: month.to_string(),
        offset_min,
        first_height: first.get(),
        last_height: last.get(),
        is_complete,
        collections: making.collections.iter().map(|(currency, of)| of.report(*currency)).collect(),
        payables: payables.collect::<Result<_, _>>()?,
        lines: making.lines,
    })
}

/// Returns the balance of an account after the block of a height, in minor units.
fn balance(
    store: &dyn ChainStore,
    key: &AccountKey,
    height: Height,
) -> Result<i128, StatementFault> {
    Ok(store.account_entry_at(key, height)?.map_or(0, |entry| entry.after.balance()))
}

impl Making<'_> {
    fn see(&mut self, event: &Event) -> Result<(), StatementFault> {
        match &event.what {
            What::Collected { item, payout, cashback } if item.merchant() == self.merchant => {
                let (currency, payout_currency) = pair(item);
                let collection = self.collections.entry(currency).or_default();
                collection.order_count += 1;
                collection.collected += wide(item.amount());
                collection.granted += wide(*cashback);
                self.payables.entry(payout_currency).or_default().payout += wide(*payout);
                let mut line = line(LineKind::Collected, event.at, item.order_id().to_string());
                line.amount = Some(Money::new(item.amount(), currency));
                line.payout = Money::new(*payout, payout_currency);
                line.cashback = (cashback.get() > 0).then(|| Money::new(*cashback, currency));
                line.payable_change = line.payout.clone();
                self.lines.push(line);
            }
            What::Arrived { instruction, amount } if instruction.merchant == self.merchant => {
                let payable = self.payables.entry(instruction.currency).or_default();
                payable.arrived += wide(*amount);
                payable.arrival_count += 1;
                let mut line = line(LineKind::Arrived, event.at, instruction.to_string());
                line.payout = Money::new(*amount, instruction.currency);
                line.payable_change = less(*amount, instruction.currency);
                self.lines.push(line);
            }
            What::Bounced { instruction } if instruction.merchant == self.merchant => {
                let currency = instruction.currency;
                let key = AccountKey::payable(self.merchant, currency);
                let height = Height::new(event.at.cause.height);
                let amount = credited_by(self.store, &key, height, *instruction)?;
                self.payables.entry(currency).or_default().bounced += wide(amount);
                let mut line = line(LineKind::Bounced, event.at, instruction.to_string());
                line.payout = Money::new(amount, currency);
                line.payable_change = line.payout.clone();
                self.lines.push(line);
            }
            What::Returned { order, record } if order.merchant() == self.merchant => {
                self.returned(event.at, pair(order), record);
            }
            _ => {}
        }
        Ok(())
    }

    fn returned(
        &mut self,
        at: At,
        (currency, payout_currency): (Currency, Currency),
        record: &ReturnRecord,
    ) {
        let collection = self.collections.entry(currency).or_default();
        collection.returned += wide(record.amount);
        // What the budget gets, or has promised no longer.
        let own = record.cashback.get().saturating_sub(record.cashback_set_off.get());
        let back = Amount::new(own.saturating_add(record.cashback_rested.get()));
        collection.taken_back += wide(back);
        let payable = self.payables.entry(payout_currency).or_default();
        let kind = if record.is_reversal { LineKind::Reversed } else { LineKind::Returned };
        let mut line = line(kind, at, record.order.to_string());
        line.amount = Some(Money::new(record.amount, currency));
        line.payout = Money::new(record.payout, payout_currency);
        line.cashback = (back.get() > 0).then(|| Money::new(back, currency));
        if record.from_payable {
            payable.returned += wide(record.payout);
            line.payable_change = less(record.payout, payout_currency);
        } else {
            payable.returned_after_arrival += wide(record.payout);
            line.payable_change = Money::new(Amount::new(0), payout_currency);
        }
        self.lines.push(line);
    }
}

fn line(kind: LineKind, at: At, id: String) -> MerchantLine {
    let none = Money::new(Amount::new(0), Currency::default());
    MerchantLine {
        kind,
        time_ms: at.time_ms,
        cause: at.cause,
        id,
        amount: None,
        payout: none.clone(),
        cashback: None,
        payable_change: none,
    }
}

fn less(amount: Amount, currency: Currency) -> Money {
    Money::sum(-i128::from(amount.get()), currency)
}

impl CollectionSums {
    fn report(&self, currency: Currency) -> Collection {
        Collection {
            currency: currency_code(currency),
            order_count: self.order_count,
            collected: sum(self.collected, currency),
            returned: sum(self.returned, currency),
            cashback_granted: sum(self.granted, currency),
            cashback_taken_back: sum(self.taken_back, currency),
        }
    }
}

impl PayableSums {
    /// The report, once it is sure that the lines lead from the opening to the closing balance.
    fn report(
        &self,
        currency: Currency,
        opening: i128,
        closing: i128,
    ) -> Result<Payable, StatementFault> {
        let change = signed(self.payout) + signed(self.bounced)
            - signed(self.arrived)
            - signed(self.returned);
        if opening + change != closing {
            return Err(StatementFault::Unequal {
                what: "the payable at the end".to_owned(),
                expected: Money::sum(closing, currency).to_string(),
                actual: Money::sum(opening + change, currency).to_string(),
            });
        }
        Ok(Payable {
            currency: currency_code(currency),
            opening: Money::sum(opening, currency),
            payout: sum(self.payout, currency),
            arrived: sum(self.arrived, currency),
            bounced: sum(self.bounced, currency),
            arrival_count: self.arrival_count,
            returned: sum(self.returned, currency),
            returned_after_arrival: sum(self.returned_after_arrival, currency),
            closing: Money::sum(closing, currency),
        })
    }
}

impl MerchantStatement {
    /// The lines as comma-separated values, between the opening and the closing balances.
    pub fn csv(&self) -> String {
        let mut text = "kind,time_ms,cause,id,amount,currency,payout,payout_currency,cashback,\
                        payable_change\n"
            .to_owned();
        let mut balance = |kind: &str, money: &Money| {
            // Writing into a string does not fail.
            let _ = writeln!(text, "{kind},,,,,,,{},,{}", money.currency, cell(money));
        };
        self.payables.iter().for_each(|payable| balance("opening", &payable.opening));
        for line in &self.lines {
            let amount = line.amount.as_ref();
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{},{}",
                line.kind.name(),
                line.time_ms,
                line.cause,
                line.id,
                amount.map(cell).unwrap_or_default(),
                amount.map(|amount| amount.currency.as_str()).unwrap_or_default(),
                cell(&line.payout),
                line.payout.currency,
                line.cashback.as_ref().map(cell).unwrap_or_default(),
                cell(&line.payable_change),
            );
        }
        for payable in &self.payables {
            let (currency, closing) = (&payable.currency, cell(&payable.closing));
            let _ = writeln!(text, "closing,,,,,,,{currency},,{closing}");
        }
        text
    }
}
