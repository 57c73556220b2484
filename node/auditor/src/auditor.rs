//! The auditor itself: genesis, then block after block.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::registry::RegistryBounds;
use chain_types::{
    BatchId, BlockHeader, ChainGenesis, ChainId, Equivocation, InstructionId, MerchantId, Outcome,
    Rejection, VerifiedBatch, WindowId,
};

use crate::books::{Account, Books, Counters, Movement};
use crate::calendar::Month;
use crate::cashback::{Cashback, Recharges};
use crate::consents::Consents;
use crate::finding::{AuditFinding, FindingPlace};
use crate::fx::Market;
use crate::governance::Proposals;
use crate::headers::Headers;
use crate::instructions::{Instruction, Instructions};
use crate::lines::Lines;
use crate::liquidity::Transfers;
use crate::lists::Lists;
use crate::orders::Orders;
use crate::others_words::Absences;
use crate::registrars::Registrations;
use crate::registry::Registry;
use crate::risk::{DaySum, Risk};
use crate::settlement::Settlements;
use crate::sla::Sla;
use crate::statements::{Statement, StatementKey};
use crate::windows::{ClosedWindow, Windows};

/// An item's outcome, or why it is refused.
pub(crate) type Verdict = Result<Outcome, Rejection>;

/// The periods that were in force up to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PastPeriods {
    /// The time of the block up to which they were in force, in milliseconds.
    until: u64,
    pub(crate) return_ms: u64,
    pub(crate) bounce_ms: u64,
    pub(crate) grace_ms: u64,
}

/// The chain's books and rules a second time. After an [`AuditFinding`] it is of no use: its
/// books and the chain's have parted.
#[derive(Debug, Clone)]
pub struct Auditor {
    pub(crate) chain_id: ChainId,
    /// The height of the last block, or of the one that is looked at.
    pub(crate) height: u64,
    /// Its time, in milliseconds since the Unix epoch.
    pub(crate) time: u64,
    /// The time of the block before it: what is remembered is measured from there.
    pub(crate) time_before: u64,
    pub(crate) registry: Registry,
    pub(crate) headers: Headers,
    pub(crate) books: Books,
    pub(crate) batches: BTreeSet<BatchId>,
    /// Height and validator of every offence that evidence was recorded of.
    pub(crate) caught: BTreeSet<(u64, u32)>,
    pub(crate) orders: Orders,
    pub(crate) windows: Windows,
    pub(crate) instructions: Instructions,
    pub(crate) fx: Market,
    pub(crate) cashback: Cashback,
    pub(crate) risk: Risk,
    pub(crate) lines: Lines,
    pub(crate) transfers: Transfers,
    pub(crate) settlements: Settlements,
    pub(crate) proposals: Proposals,
    pub(crate) lists: Lists,
    pub(crate) registrations: Registrations,
    pub(crate) absences: Absences,
    pub(crate) past_periods: Vec<PastPeriods>,
    /// The consents that parties gave to reversals of the open window's orders.
    pub(crate) consents: Consents,
    pub(crate) sla: Sla,
    pub(crate) statements: BTreeMap<StatementKey, Statement>,
}

impl Auditor {
    /// The books of block zero: opening liquidity and net debit caps.
    pub fn new(genesis: &ChainGenesis) -> Self {
        let mut books = Books::default();
        for line in &genesis.liquidity {
            let account = Account::liquidity(line.gateway.get(), line.currency.get());
            books.set_cap(account, line.net_debit_cap.get());
            if line.opening_liquidity.get() > 0 {
                let outside = Account::settlement(line.currency.get());
                books.post(Movement::new(outside, line.opening_liquidity.get(), account));
                books.settle(account, i128::from(line.opening_liquidity.get()));
            }
        }
        Self {
            chain_id: genesis.chain_id,
            height: 0,
            time: genesis.time.get(),
            time_before: genesis.time.get(),
            registry: Registry::new(genesis),
            headers: Headers::default(),
            books,
            batches: BTreeSet::new(),
            caught: BTreeSet::new(),
            orders: Orders::default(),
            windows: Windows::new(genesis.time.get(), genesis.parameters.window_ms),
            instructions: Instructions::default(),
            fx: Market::default(),
            cashback: Cashback::default(),
            risk: Risk::default(),
            lines: Lines::new(genesis),
            transfers: Transfers::default(),
            settlements: Settlements::default(),
            proposals: Proposals::default(),
            lists: Lists::default(),
            registrations: Registrations::default(),
            absences: Absences::new(),
            past_periods: Vec::new(),
            consents: Consents::default(),
            sla: Sla::default(),
            statements: BTreeMap::new(),
        }
    }

    /// The same books under lower bounds of the registry, for tests that reach them.
    #[must_use]
    pub fn with_bounds(mut self, bounds: RegistryBounds) -> Self {
        self.registry.bounds = bounds;
        self
    }

    /// Looks at the next block: its header, its evidence, its batches in order, and the
    /// outcomes of each.
    ///
    /// # Errors
    /// The first thing that the rules give otherwise, or an invariant that the books no longer
    /// hold.
    pub fn block(
        &mut self,
        header: &BlockHeader,
        evidence: &[Equivocation],
        batches: &[VerifiedBatch],
        outcomes: &[Vec<Outcome>],
    ) -> Result<(), AuditFinding> {
        self.begin(header)?;
        self.check_evidence(header, evidence)?;
        self.close_window()?;
        self.check_window(header)?;
        self.expire_orders();
        self.notice_overdue();
        self.expire_transfers();
        self.expire_settlements();
        self.forget_proposals();
        self.expire_proposals();
        self.expire_lists();
        if outcomes.len() != batches.len() {
            let expected = format!("outcomes of {} batches", batches.len());
            return Err(self.header_finding(expected, format!("of {}", outcomes.len())));
        }
        for (place, (batch, outcomes)) in batches.iter().zip(outcomes).enumerate() {
            self.check_batch(place, batch, outcomes)?;
        }
        let periods = self.periods();
        self.register_said();
        self.take_effect();
        if self.periods() != periods {
            self.past_periods.push(periods);
        }
        self.check_books()
    }

    fn periods(&self) -> PastPeriods {
        let (until, parameters) = (self.time, &self.registry.parameters);
        let (return_ms, bounce_ms) = (parameters.return_period_ms, parameters.bounce_period_ms);
        let grace_ms = parameters.reversal_grace_ms;
        PastPeriods { until, return_ms, bounce_ms, grace_ms }
    }

    /// The grace of reversals that was in force in the block of `time`.
    pub(crate) fn grace_at(&self, time: u64) -> u64 {
        let since = self.past_periods.iter().find(|past| past.until >= time);
        since.map_or(self.registry.parameters.reversal_grace_ms, |past| past.grace_ms)
    }

    /// The longest period that was in force since `began`, `present_ms` among them.
    pub(crate) fn longest_since(
        &self,
        began: u64,
        present_ms: u64,
        of: impl Fn(&PastPeriods) -> u64,
    ) -> u64 {
        let since = self.past_periods.iter().filter(|past| past.until >= began);
        since.map(of).fold(present_ms, u64::max)
    }

    /// The header follows the one before.
    fn begin(&mut self, header: &BlockHeader) -> Result<(), AuditFinding> {
        let (last, before) = (self.height, self.time);
        self.height = header.height.get();
        if header.height.get() != last + 1 {
            let expected = format!("height {}", last + 1);
            return Err(self.header_finding(expected, format!("height {}", header.height)));
        }
        if header.time.get() <= before {
            let expected = format!("a time above {before}");
            return Err(self.header_finding(expected, format!("time {}", header.time)));
        }
        (self.time_before, self.time) = (before, header.time.get());
        self.settlements.begin_block();
        Ok(())
    }

    /// The header names the window that is open after a close.
    fn check_window(&self, header: &BlockHeader) -> Result<(), AuditFinding> {
        let open = self.windows.open_id();
        if header.window.get() == open {
            return Ok(());
        }
        Err(self.header_finding(format!("window {open}"), format!("window {}", header.window)))
    }

    pub(crate) fn header_finding(&self, expected: String, found: String) -> AuditFinding {
        AuditFinding { height: self.height, place: FindingPlace::Header, expected, found }
    }

    /// Every account that was ever used, by kind number, owner and currency. An account that is
    /// missing has counters of zero.
    ///
    /// Kinds: 1 gateway-liquidity, 2 merchant-payable, 3 cashback-pool, 4 cashback-owed,
    /// 5 fx-position, 6 fees, 7 suspense, 8 scheme-settlement.
    pub fn balances(&self) -> BTreeMap<(u8, u64, u16), Counters> {
        let accounts = self.books.accounts().iter();
        accounts.map(|(account, counters)| (account.numbers(), *counters)).collect()
    }

    /// Every closed window, with each party's gross debits and credits.
    pub fn windows(&self) -> BTreeMap<WindowId, &ClosedWindow> {
        let closed = self.windows.closed.iter();
        closed.map(|(id, report)| (WindowId::new(*id), report)).collect()
    }

    /// Every instruction, as it stands.
    pub fn instructions(&self) -> BTreeMap<InstructionId, &Instruction> {
        let id = |(window, merchant, currency): (u64, u64, u16)| InstructionId {
            window: WindowId::new(window),
            merchant: MerchantId::new(merchant),
            currency: chain_types::Currency::new(currency),
        };
        self.instructions.all.iter().map(|(key, instruction)| (id(*key), instruction)).collect()
    }

    /// Returns each user's recharges under each programme, by merchant, currency, user and month.
    pub fn recharges(&self) -> BTreeMap<(u64, u16, [u8; 16], Month), Recharges> {
        self.cashback.uses.clone()
    }

    /// The cashback that is promised, or was owed from its arrival on, on an instruction's orders:
    /// by collecting gateway and currency, in minor units.
    pub fn cashback_of(&self, id: InstructionId) -> Vec<((u32, u16), u64)> {
        self.cashback.of((id.window.get(), id.merchant.get(), id.currency.get()))
    }

    /// The last sum of a day of each user and currency, of those that had a maximum.
    pub fn user_days(&self) -> BTreeMap<([u8; 16], u16), DaySum> {
        self.risk.user_days()
    }

    /// Returns the statement of every merchant's every month.
    pub fn statements(&self) -> &BTreeMap<StatementKey, Statement> {
        &self.statements
    }
}
