//! Invariants 4 and 5 by an accountant of its own: it reads the committed items and outcomes and
//! keeps sums, with no code of the contracts, and looks at nothing but who pays and who is paid.

use std::collections::BTreeMap;

use chain_types::batch::Items;
use chain_types::operation::{HoldDecisionItem, QuoteItem, RechargeItem};
use chain_types::{Currency, Decision, InstructionId, OrderId, Outcome, QuoteId, VerifiedBatch};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Held,
    Reserved,
    Collected,
}

/// Sums over every committed item.
#[derive(Debug, Default)]
pub struct Books {
    orders: BTreeMap<OrderId, (RechargeItem, Stage)>,
    quotes: BTreeMap<QuoteId, QuoteItem>,
    /// Orders reserved or collected.
    pub accepted: u64,
    /// The most that merchants may be paid for the orders collected, in minor units.
    collected: BTreeMap<Currency, u128>,
    /// The sum that has arrived and not come back, in minor units.
    arrived: BTreeMap<Currency, u128>,
    /// The part of it of each instruction.
    arrived_of: BTreeMap<InstructionId, u128>,
}

impl Books {
    /// A block's batch and its outcomes.
    pub fn read(&mut self, batch: &VerifiedBatch, outcomes: &[Outcome]) -> Result<(), String> {
        match batch.items() {
            Items::Recharge(items) => {
                for (item, outcome) in items.iter().zip(outcomes) {
                    self.submitted(item, *outcome)?;
                }
            }
            Items::Collect(items) => {
                for item in applied(items, outcomes) {
                    self.step(item.order_id(), Stage::Reserved, Stage::Collected)?;
                }
            }
            Items::HoldDecision(items) => {
                for item in applied(items, outcomes) {
                    self.decided(item)?;
                }
            }
            Items::Quote(items) => {
                let quotes = applied(items, outcomes);
                self.quotes.extend(quotes.map(|item| (item.quote_id(), *item)));
            }
            Items::Arrival(items) => {
                for item in applied(items, outcomes) {
                    let (id, amount) = (item.instruction(), u128::from(item.amount.get()));
                    *self.arrived.entry(id.currency).or_default() += amount;
                    self.arrived_of.insert(id, amount);
                }
            }
            Items::Bounce(items) => {
                for item in applied(items, outcomes) {
                    let id = item.instruction();
                    let amount = self.arrived_of.remove(&id).ok_or("a bounce of no arrival")?;
                    *self.arrived.entry(id.currency).or_default() -= amount;
                }
            }
            _ => {}
        }
        self.compare()
    }

    fn submitted(&mut self, item: &RechargeItem, outcome: Outcome) -> Result<(), String> {
        let id = item.order_id();
        if !outcome.is_applied() && outcome != Outcome::HELD {
            return Ok(());
        }
        if self.orders.insert(id, (*item, Stage::Held)).is_some() {
            return Err(format!("order {id} was accepted twice"));
        }
        if outcome == Outcome::HELD { Ok(()) } else { self.booked(id) }
    }

    fn decided(&mut self, item: &HoldDecisionItem) -> Result<(), String> {
        let is_release = item.decision.get() == Decision::Approve.number();
        if is_release { self.booked(OrderId::from_bytes(item.order_id)) } else { Ok(()) }
    }

    /// An order enters the books, in one step or two.
    fn booked(&mut self, id: OrderId) -> Result<(), String> {
        self.accepted += 1;
        self.step(id, Stage::Held, Stage::Reserved)?;
        match self.orders.get(&id) {
            Some((item, _)) if item.is_collected() => {
                self.step(id, Stage::Reserved, Stage::Collected)
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, id: OrderId, from: Stage, to: Stage) -> Result<(), String> {
        let Some((item, stage)) = self.orders.get_mut(&id).filter(|(_, stage)| *stage == from)
        else {
            return Err(format!("order {id} became {to:?} and was not {from:?}"));
        };
        *stage = to;
        if to == Stage::Collected {
            let item = *item;
            let most = self.payout_most(&item).ok_or("a payout without a quote")?;
            *self.collected.entry(item.payout_currency()).or_default() += most;
        }
        Ok(())
    }

    /// The payout of an order, or one minor unit more.
    fn payout_most(&self, item: &RechargeItem) -> Option<u128> {
        let amount = u128::from(item.amount.get());
        let Some(quote) = item.quote() else { return Some(amount) };
        let quote = self.quotes.get(&quote)?;
        let ten = |exponent: u16| 10_u128.pow(u32::from(exponent));
        let raised = ten(item.payout_currency().exponent()?);
        let lowered = ten(item.currency().exponent()?) * ten(quote.scale.get());
        Some(amount * u128::from(quote.mantissa.get()) * raised / lowered + 1)
    }

    fn compare(&self) -> Result<(), String> {
        let collected = |currency| self.collected.get(currency).copied().unwrap_or_default();
        match self.arrived.iter().find(|(currency, sum)| **sum > collected(currency)) {
            None => Ok(()),
            Some((currency, sum)) => {
                Err(format!("{sum} arrived in {currency} of {} collected", collected(currency)))
            }
        }
    }
}

fn applied<'a, T>(items: &'a [T], outcomes: &'a [Outcome]) -> impl Iterator<Item = &'a T> {
    items.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_applied()).map(|(item, _)| item)
}
