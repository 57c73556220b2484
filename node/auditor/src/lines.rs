//! Section 4, lines: how much others may have reserved on an account, and have.

use std::collections::BTreeMap;

use chain_types::{ChainGenesis, LineItem, Outcome, ParticipantId, Rejection, Roles};

use crate::auditor::{Auditor, Verdict};
use crate::orders::{Order, check_spare, refuse_if};

/// Numbers of the kinds of account that lines are on.
const LIQUIDITY: u16 = 1;
const POSITION: u16 = 5;

/// Owner, kind of account, currency, holder.
pub(crate) type LineName = (u32, u16, u16, u32);

/// A line, as long as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StandingLine {
    /// How much may be reserved.
    pub limit: u64,
    /// The sum that is reserved under the line, in minor units.
    pub outstanding: u128,
}

/// Every line that stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(BTreeMap<LineName, StandingLine>);

impl Lines {
    pub(crate) fn new(genesis: &ChainGenesis) -> Self {
        let given = genesis.lines.iter().map(|line| {
            let (key, limit) = (line.key, line.limit.get());
            let kind = key.account.number();
            let name = (key.owner.get(), kind, key.currency.get(), key.holder.get());
            (name, StandingLine { limit, outstanding: 0 })
        });
        Self(given.collect())
    }

    /// Every line that stands, by owner, number of the account's kind, currency and holder.
    pub(crate) const fn all(&self) -> &BTreeMap<LineName, StandingLine> {
        &self.0
    }

    fn set(&mut self, name: LineName, line: StandingLine) {
        if line == StandingLine::default() {
            self.0.remove(&name);
        } else {
            self.0.insert(name, line);
        }
    }
}

/// The debits of an order that its submitter needs a line for, each with the code.
fn needed(order: &Order) -> Vec<(LineName, u64, Rejection)> {
    let holder = order.submitter.get();
    let mut all = vec![(
        (order.gateway(), LIQUIDITY, order.item.currency.get(), holder),
        order.amount(),
        Rejection::LineExceeded,
    )];
    if let Some(fill) = order.fill {
        let name = (fill.provider, POSITION, order.item.payout_currency.get(), holder);
        all.push((name, fill.payout, Rejection::ProviderLineExceeded));
    }
    all.retain(|((owner, ..), ..)| *owner != holder);
    all
}

impl Auditor {
    /// 235 and 236: those whose accounts it is reserved on have agreed to it.
    pub(crate) fn check_lines(&self, order: &Order) -> Result<(), Rejection> {
        for (name, amount, code) in needed(order) {
            let line = self.lines.0.get(&name).copied().unwrap_or_default();
            let would_be = line.outstanding + u128::from(amount);
            refuse_if(would_be > u128::from(line.limit), code)?;
        }
        Ok(())
    }

    /// Counts what an order has reserved.
    pub(crate) fn use_lines(&mut self, order: &Order) {
        for (name, amount, _) in needed(order) {
            let mut line = self.lines.0.get(&name).copied().unwrap_or_default();
            line.outstanding += u128::from(amount);
            self.lines.set(name, line);
        }
    }

    /// Counts it no longer.
    pub(crate) fn free_lines(&mut self, order: &Order) {
        for (name, amount, _) in needed(order) {
            let mut line = self.lines.0.get(&name).copied().unwrap_or_default();
            line.outstanding -= u128::from(amount);
            self.lines.set(name, line);
        }
    }

    /// Judges a `line` by its rules, and applies it.
    pub(crate) fn line(&mut self, item: &LineItem, owner: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let (kind, currency, limit) = (item.account.get(), item.currency.get(), item.limit.get());
        let owns = |wanted, role| kind == wanted && self.registry.has_role(owner, role);
        let is_own = owns(LIQUIDITY, Roles::GATEWAY) || owns(POSITION, Roles::FX_PROVIDER);
        refuse_if(!is_own, Rejection::LineAccountUnsuited)?;
        refuse_if(!self.registry.has_currency(currency), Rejection::CurrencyUnsupported)?;
        let holder = ParticipantId::new(item.holder.get());
        let name = (owner.get(), kind, currency, holder.get());
        let standing = self.lines.0.get(&name).copied();
        let may_hold = self.registry.has_role(holder, Roles::RECHARGE_SERVICE)
            || (kind == POSITION && self.registry.has_role(holder, Roles::GATEWAY));
        let may_hold = may_hold && holder != owner;
        refuse_if(standing.is_none() && !may_hold, Rejection::LineHolderUnsuited)?;
        let before = standing.unwrap_or_default();
        if before.limit == limit {
            return Ok(Outcome::REPEATED);
        }
        let of_owner = (owner.get(), 0, 0, 0)..=(owner.get(), u16::MAX, u16::MAX, u32::MAX);
        let count = self.lines.0.range(of_owner).count();
        let is_full = standing.is_none() && count >= self.registry.bounds.lines;
        refuse_if(is_full, Rejection::LinesTooMany)?;
        self.lines.set(name, StandingLine { limit, ..before });
        Ok(Outcome::APPLIED)
    }

    /// Every line that stands, by owner, number of the account's kind, currency and holder.
    pub fn lines(&self) -> &BTreeMap<(u32, u16, u16, u32), StandingLine> {
        self.lines.all()
    }
}
