//! The day's operations: outcomes by code, orders and returns by currency, conversions
//! by pair and provider, and who proposed and signed the day's blocks.

use std::collections::{BTreeMap, BTreeSet};

use chain_state::ReturnRecord;
use chain_types::{
    Amount, BatchKind, Currency, Decision, Height, Outcome, ParticipantId, RechargeItem,
    SettlementDecisionItem, ValidatorId,
};

use super::closing::{Closing, missing};
use super::sheet::{Cell, Sheets};
use crate::statement::StatementFault;
use crate::statement::entries::credited_by;
use crate::statement::walk::{Event, Walk, What, items_of, pair, read};

/// How many, and how much.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) amount: u128,
}

impl Tally {
    pub(super) fn add(&mut self, amount: Amount) {
        self.count += 1;
        self.amount += u128::from(amount.get());
    }

    /// The sum as a cell.
    pub(super) fn cell(&self) -> Cell {
        Cell::Amount(i128::try_from(self.amount).unwrap_or(i128::MAX))
    }
}

/// A provider's conversions of a pair: collected, paid out.
#[derive(Debug, Clone, Copy, Default)]
struct Conversions {
    /// The sums that it got in the collected currency, and gave in the payout currency.
    got: Tally,
    gave: Tally,
    /// The sums that returns gave back, and took back.
    got_back: Tally,
    gave_back: Tally,
}

type Pair = (Currency, Currency, ParticipantId);

/// The figures of the day's blocks.
#[derive(Default)]
pub(super) struct Seen {
    /// Items by kind and outcome.
    outcomes: BTreeMap<(u16, u16), u64>,
    /// Windows about whose settlement a decision was applied.
    pub(super) decided_windows: BTreeSet<u64>,
    /// Blocks that each validator proposed, and certificates that it signed.
    pub(super) validators: BTreeMap<ValidatorId, (u64, u64)>,
    /// The figures of orders, by name and currency.
    orders: BTreeMap<(&'static str, Currency), Tally>,
    /// The figures of instructions, by name and currency.
    pub(super) instructions: BTreeMap<(&'static str, Currency), Tally>,
    conversions: BTreeMap<Pair, Conversions>,
}

impl Seen {
    /// Goes through the day's blocks.
    pub(super) fn of(closing: &Closing<'_>) -> anyhow::Result<Self> {
        let mut seen = Self::default();
        for height in (closing.first.get()..=closing.last.get()).map(Height::new) {
            seen.block(closing, height)?;
        }
        let end = closing.last.next();
        Walk::new(closing.store, closing.state)
            .each(closing.first, end, |event| seen.event(closing, &event))?;
        Ok(seen)
    }

    fn block(&mut self, closing: &Closing<'_>, height: Height) -> Result<(), StatementFault> {
        let store = closing.store;
        let committed = store.block(height)?.ok_or_else(|| missing("a block", height))?;
        let payload = store.payload(height)?.ok_or_else(|| missing("batches", height))?;
        let outcomes = store.outcomes(height)?.ok_or_else(|| missing("outcomes", height))?;
        self.validators.entry(committed.block.header.proposer).or_default().0 += 1;
        for (validator, _) in &committed.certificate.signatures {
            self.validators.entry(*validator).or_default().1 += 1;
        }
        for (bytes, codes) in payload.iter().zip(&outcomes) {
            let (of, items) = items_of(bytes).ok_or_else(|| missing("a batch", height))?;
            for (item, outcome) in items.zip(codes) {
                *self.outcomes.entry((of.kind, outcome.0)).or_default() += 1;
                match BatchKind::from_number(of.kind) {
                    Some(BatchKind::Recharge) => self.submitted(&read(item, height)?, *outcome),
                    Some(BatchKind::SettlementDecision) if outcome.is_applied() => {
                        let word: SettlementDecisionItem = read(item, height)?;
                        if word.decision.get() == Decision::Approve.number() {
                            self.decided_windows.insert(word.window.get());
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn submitted(&mut self, item: &RechargeItem, outcome: Outcome) {
        let figure = match outcome {
            Outcome::REPEATED => "repeated",
            Outcome::HELD => "held",
            _ if outcome.rejection().is_some() => "refused",
            _ if item.is_collected() => "collected-at-once",
            _ => "reserved",
        };
        self.order(figure, item.currency(), item.amount());
    }

    fn order(&mut self, figure: &'static str, currency: Currency, amount: Amount) {
        self.orders.entry((figure, currency)).or_default().add(amount);
    }

    fn instruction(&mut self, figure: &'static str, currency: Currency, amount: Amount) {
        self.instructions.entry((figure, currency)).or_default().add(amount);
    }

    fn event(&mut self, closing: &Closing<'_>, event: &Event) -> Result<(), StatementFault> {
        match &event.what {
            What::Collected { item, payout, cashback } => {
                let (currency, payout_currency) = pair(item);
                self.order("collected", currency, item.amount());
                self.order("payout", payout_currency, *payout);
                if cashback.get() > 0 {
                    self.order("cashback-granted", currency, *cashback);
                }
                if let Some(conversions) = self.conversions_of(item) {
                    conversions.got.add(item.amount());
                    conversions.gave.add(*payout);
                }
            }
            What::Returned { order, record } => self.returned(order, record),
            What::Arrived { instruction, amount } => {
                self.instruction("arrived", instruction.currency, *amount);
            }
            What::Bounced { instruction } => {
                let key =
                    chain_state::AccountKey::payable(instruction.merchant, instruction.currency);
                let height = Height::new(event.at.cause.height);
                let amount = credited_by(closing.store, &key, height, *instruction)?;
                self.instruction("bounced", instruction.currency, amount);
            }
            What::Failed { instruction } => {
                self.instruction("failed", instruction.currency, Amount::new(0));
            }
            What::SteppedIn { instruction, .. } => {
                self.instruction("stepped-in-words", instruction.currency, Amount::new(0));
            }
            What::Reinstructed { instruction } => {
                self.instruction("given-again", instruction.currency, Amount::new(0));
            }
        }
        Ok(())
    }

    fn returned(&mut self, order: &RechargeItem, record: &ReturnRecord) {
        let (currency, payout_currency) = pair(order);
        let (figure, of_payout) = match (record.is_reversal, record.from_payable) {
            (true, _) => ("reversed", "payout-reversed"),
            (false, true) => ("returned-after-failure", "payout-returned-after-failure"),
            (false, false) => ("returned-after-arrival", "payout-returned-after-arrival"),
        };
        self.order(figure, currency, record.amount);
        self.order(of_payout, payout_currency, record.payout);
        if record.cashback.get() > 0 {
            self.order("cashback-taken-back", currency, record.cashback);
        }
        if !record.is_unconverted {
            let (amount, payout) = (record.amount, record.payout);
            if let Some(conversions) = self.conversions_of(order) {
                conversions.got_back.add(payout);
                conversions.gave_back.add(amount);
            }
        }
    }

    fn conversions_of(&mut self, item: &RechargeItem) -> Option<&mut Conversions> {
        let (currency, payout_currency) = pair(item);
        let key = (currency, payout_currency, item.quote()?.provider());
        Some(self.conversions.entry(key).or_default())
    }
}

impl Closing<'_> {
    pub(super) fn orders(&self, sheets: &mut Sheets, seen: &Seen) -> anyhow::Result<()> {
        let mut sheet = sheets.sheet("orders", &["figure", "count", "amount"])?;
        for ((figure, currency), tally) in &seen.orders {
            let cells = [Cell::text(*figure), Cell::Number(tally.count), tally.cell()];
            sheet.line(Some(*currency), &cells)?;
        }
        sheet.end()?;
        let mut sheet = sheets.sheet("outcomes", &["operation", "code", "name", "count"])?;
        for ((kind, code), count) in &seen.outcomes {
            let operation = BatchKind::from_number(*kind).map_or("", BatchKind::name);
            let name = match Outcome(*code).rejection() {
                Some(rejection) => rejection.name(),
                None if Outcome(*code) == Outcome::REPEATED => "repeated",
                None if Outcome(*code) == Outcome::HELD => "held",
                None => "applied",
            };
            let code = Cell::Number(u64::from(*code));
            let cells = [Cell::text(operation), code, Cell::text(name), Cell::Number(*count)];
            sheet.line(None, &cells)?;
        }
        sheet.end()?;
        self.conversions(sheets, seen)
    }

    /// Two lines a pair and provider, one a currency: what the provider got and gave in it.
    fn conversions(&self, sheets: &mut Sheets, seen: &Seen) -> anyhow::Result<()> {
        let columns = &["pair", "provider", "name", "conversions", "returns", "got", "gave"][..];
        let mut sheet = sheets.sheet("conversions", columns)?;
        for ((currency, payout_currency, provider), of) in &seen.conversions {
            let code = rpc_api::money::currency_code;
            let pair = format!("{}/{}", code(*currency), code(*payout_currency));
            for (of_currency, got, gave) in
                [(currency, &of.got, &of.gave_back), (payout_currency, &of.got_back, &of.gave)]
            {
                let cells = [
                    Cell::text(pair.as_str()),
                    Cell::Number(u64::from(provider.get())),
                    Cell::text(self.party(provider.get())),
                    Cell::Number(of.got.count),
                    Cell::Number(of.got_back.count),
                    got.cell(),
                    gave.cell(),
                ];
                sheet.line(Some(*of_currency), &cells)?;
            }
        }
        sheet.end()
    }
}
