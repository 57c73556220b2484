//! Section 5, settlement: the banks have moved a window's nets, by maker and checker.

use std::collections::BTreeMap;

use chain_types::hash::{Domain, hash};
use chain_types::{
    Decision, Outcome, ParticipantId, Rejection, SettleWindowItem, SettlementDecisionItem,
};

use crate::auditor::{Auditor, Verdict};
use crate::books::{Account, Kind, Movement};
use crate::orders::{check_spare, refuse_if, repeated};
use crate::windows::ClosedWindow;

/// A settlement that is repeated is recognised for as many windows after it.
const REMEMBERED_WINDOWS: u64 = 1_000;
/// As many positions of reports a block reads before it reads no more reports.
const READ_POSITIONS: usize = 65_536;
/// A report counts as so many positions at least.
const LEAST_POSITIONS: usize = 64;
/// So many settlements may wait when a block begins.
const WAITING: usize = 1_000;
/// In so many runs settled windows may stand when a block begins.
const RUNS: usize = 1_000;

/// The settlement of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The agent that proposed it.
    pub maker: ParticipantId,
    /// The agent or operator that approved it.
    pub checker: ParticipantId,
    /// The banks' reference for the payment outside of the chain.
    pub reference: [u8; 32],
    /// The digest of the window's report.
    pub digest: [u8; 32],
    /// The window that was open then.
    pub in_window: u64,
}

/// A settlement that a maker proposed.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    maker: ParticipantId,
    reference: [u8; 32],
    digest: [u8; 32],
    /// The time of the block that proposed it, in milliseconds.
    proposed: u64,
    refused_by: Option<ParticipantId>,
}

/// The settlements that are proposed, and the counts that bound a block's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settlements {
    waiting: BTreeMap<u64, Waiting>,
    /// The settled windows, as runs without gaps: first and last.
    runs: BTreeMap<u64, u64>,
    waiting_at_start: usize,
    runs_at_start: usize,
    read: usize,
}

impl Settlements {
    pub(crate) fn begin_block(&mut self) {
        (self.waiting_at_start, self.runs_at_start) = (self.waiting.len(), self.runs.len());
        self.read = 0;
    }

    /// Returns true if a window stands beside a settled one.
    fn is_beside(&self, window: u64) -> bool {
        let ends_before = |(_, last): (&u64, &u64)| last + 1 == window;
        let before = self.runs.range(..window).next_back().is_some_and(ends_before);
        before || self.runs.contains_key(&(window + 1))
    }

    fn add(&mut self, window: u64) {
        let last = self.runs.remove(&(window + 1)).unwrap_or(window);
        let before = self.runs.range_mut(..window).next_back();
        match before.filter(|(_, end)| **end + 1 == window) {
            Some((_, end)) => *end = last,
            None => drop(self.runs.insert(window, last)),
        }
    }
}

/// The digest of a report: window, how many parties, and of each kind, owner, currency, debits and
/// credits, in the order of the parties.
fn digest(window: u64, report: &ClosedWindow) -> [u8; 32] {
    let mut bytes = window.to_le_bytes().to_vec();
    bytes.extend((report.parties.len() as u64).to_le_bytes());
    for ((kind, owner, currency), gross) in &report.parties {
        bytes.push(*kind);
        bytes.extend(owner.to_le_bytes());
        bytes.extend(currency.to_le_bytes());
        bytes.extend(gross.debits.to_le_bytes());
        bytes.extend(gross.credits.to_le_bytes());
    }
    hash(Domain::Report, &[&bytes]).bytes()
}

impl Auditor {
    /// The digest of a closed window's report: what maker and checker of its settlement sign.
    pub fn report_digest(&self, window: u64) -> Option<[u8; 32]> {
        self.windows.closed.get(&window).map(|report| digest(window, report))
    }

    /// Judges a `settle-window` by its rules, and applies it.
    pub(crate) fn settle_window(
        &mut self,
        item: &SettleWindowItem,
        maker: ParticipantId,
    ) -> Verdict {
        check_spare(&item.spare)?;
        let window = item.window.get();
        let word = (maker, item.digest, item.reference);
        if let Some(settled) = self.settled(window)? {
            let is_same = (settled.maker, settled.digest, settled.reference) == word;
            let is_recent = self.is_remembered(&settled);
            return repeated(is_recent && is_same, Rejection::WindowSettled);
        }
        let known = self.settlements.waiting.get(&window);
        if let Some(known) = known.filter(|known| known.refused_by.is_none()) {
            let is_same = (known.maker, known.digest, known.reference) == word;
            return repeated(is_same, Rejection::SettlementOpen);
        }
        let are_many = self.settlements.waiting_at_start >= WAITING;
        refuse_if(are_many, Rejection::SettlementsTooMany)?;
        self.read_report(window)?;
        let expected = self.report_digest(window);
        refuse_if(expected != Some(item.digest), Rejection::ReportMismatch)?;
        let (digest, reference, proposed) = (item.digest, item.reference, self.time);
        let waiting = Waiting { maker, reference, digest, proposed, refused_by: None };
        self.settlements.waiting.insert(window, waiting);
        Ok(Outcome::APPLIED)
    }

    /// How a closed window was settled, if it was; 410 for others.
    fn settled(&self, window: u64) -> Result<Option<Settled>, Rejection> {
        let report = self.windows.closed.get(&window).ok_or(Rejection::WindowNotClosed)?;
        Ok(report.settled)
    }

    fn is_remembered(&self, settled: &Settled) -> bool {
        self.windows.open_id() < settled.in_window.saturating_add(REMEMBERED_WINDOWS)
    }

    /// 434: a block reads only so much.
    fn read_report(&mut self, window: u64) -> Result<(), Rejection> {
        let read = &mut self.settlements.read;
        refuse_if(*read >= READ_POSITIONS, Rejection::ReportsTooMany)?;
        let parties = self.windows.closed.get(&window).map_or(0, |report| report.parties.len());
        *read += parties.max(LEAST_POSITIONS);
        Ok(())
    }

    /// Rules of a settlement's decision.
    pub(crate) fn decide_settlement(
        &mut self,
        item: &SettlementDecisionItem,
        checker: ParticipantId,
    ) -> Verdict {
        check_spare(&item.spare)?;
        let decision = Decision::from_number(item.decision.get());
        let decision = decision.ok_or(Rejection::DecisionUnknown)?;
        let window = item.window.get();
        let word = (item.digest, item.reference);
        if let Some(settled) = self.settled(window)? {
            let is_same = (settled.digest, settled.reference) == word
                && (decision, checker) == (Decision::Approve, settled.checker);
            let is_recent = self.is_remembered(&settled);
            return repeated(is_recent && is_same, Rejection::WindowSettled);
        }
        let known = self.settlements.waiting.get(&window).copied();
        let known = known.ok_or(Rejection::SettlementUnknown)?;
        refuse_if((known.digest, known.reference) != word, Rejection::DecisionMismatch)?;
        if let Some(by) = known.refused_by {
            let is_same = (decision, checker) == (Decision::Refuse, by);
            return repeated(is_same, Rejection::SettlementRefused);
        }
        let is_own = self.registry.are_one(checker, known.maker);
        refuse_if(is_own, Rejection::MakerIsChecker)?;
        if decision == Decision::Refuse {
            let refused = Waiting { refused_by: Some(checker), ..known };
            self.settlements.waiting.insert(window, refused);
            return Ok(Outcome::APPLIED);
        }
        let are_many = self.settlements.runs_at_start >= RUNS;
        let is_apart = !self.settlements.is_beside(window);
        refuse_if(are_many && is_apart, Rejection::SettlementGaps)?;
        self.read_report(window)?;
        self.post_nets(window);
        let Waiting { maker, reference, digest, .. } = known;
        let in_window = self.windows.open_id();
        self.windows.settle(window, Settled { maker, checker, reference, digest, in_window });
        self.settlements.waiting.remove(&window);
        self.settlements.add(window);
        Ok(Outcome::APPLIED)
    }

    /// Gateways' and providers' nets come from outside or go there; of all others the scheme's
    /// bank pays, and their settled balance changes.
    fn post_nets(&mut self, window: u64) {
        let Some(report) = self.windows.closed.get(&window) else { return };
        let parties: Vec<_> =
            report.parties.iter().map(|(key, gross)| (*key, gross.net())).collect();
        for ((kind, owner, currency), net) in parties.into_iter().filter(|(_, net)| *net != 0) {
            let kind = match kind {
                1 => Kind::GatewayLiquidity,
                3 => Kind::CashbackPool,
                5 => Kind::FxPosition,
                7 => Kind::Suspense,
                other => unreachable!("account kind {other} is no party"),
            };
            let account = Account { kind, owner, currency };
            if !matches!(kind, Kind::GatewayLiquidity | Kind::FxPosition) {
                self.books.settle(account, net);
                continue;
            }
            let (outside, sum) = (Account::settlement(currency), net.unsigned_abs());
            let movement = if net > 0 {
                Movement::new(account, sum, outside)
            } else {
                Movement::new(outside, sum, account)
            };
            self.books.post(movement);
            self.books.allow_past_bound(account);
        }
    }

    /// Settlements past their time, at the start of a block.
    pub(crate) fn expire_settlements(&mut self) {
        let validity_ms = self.registry.parameters.transfer_validity_ms;
        let now = self.time;
        let is_timely = |known: &Waiting| now <= known.proposed.saturating_add(validity_ms);
        self.settlements.waiting.retain(|_, known| is_timely(known));
    }
}
