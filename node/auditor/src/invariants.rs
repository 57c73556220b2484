//! Invariants that hold after every block, whatever was in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::auditor::Auditor;
use crate::books::{Account, Counters, Kind};
use crate::finding::{AuditFinding, FindingPlace};
use crate::instructions::PaymentStatus;

/// The sums over all accounts of a currency.
#[derive(Debug, Default)]
struct TrialBalance {
    debits_pending: u128,
    debits_posted: u128,
    credits_pending: u128,
    credits_posted: u128,
}

impl TrialBalance {
    fn add(&mut self, counters: &Counters) {
        self.debits_pending += counters.debits_pending;
        self.debits_posted += counters.debits_posted;
        self.credits_pending += counters.credits_pending;
        self.credits_posted += counters.credits_posted;
    }
}

impl Auditor {
    /// A finding about the books after the present block.
    pub(crate) fn books_finding(
        &self,
        invariant: &'static str,
        expected: String,
        found: String,
    ) -> AuditFinding {
        AuditFinding {
            height: self.height,
            place: FindingPlace::Books { invariant },
            expected,
            found,
        }
    }

    /// Every invariant of the books.
    ///
    /// # Errors
    /// The first that does not hold.
    pub(crate) fn check_books(&mut self) -> Result<(), AuditFinding> {
        self.check_journal()?;
        self.check_trial_balance()?;
        self.check_bounds()?;
        self.check_payables()?;
        self.check_positions()?;
        self.check_outside()
    }

    /// The four counters say the same balances as the journal.
    fn check_journal(&mut self) -> Result<(), AuditFinding> {
        let Err((account, journaled)) = self.books.fold_journal() else { return Ok(()) };
        let balance = self.books.counters(account).balance();
        let expected = format!("a balance of {journaled} by the journal of {}", words(account));
        Err(self.books_finding("journal", expected, balance.to_string()))
    }

    /// Per currency debits equal credits, pending and posted each.
    fn check_trial_balance(&self) -> Result<(), AuditFinding> {
        let mut currencies = BTreeMap::<u16, TrialBalance>::new();
        for (account, counters) in self.books.accounts() {
            currencies.entry(account.currency).or_default().add(counters);
        }
        for (currency, sums) in currencies {
            for (phase, debits, credits) in [
                ("pending", sums.debits_pending, sums.credits_pending),
                ("posted", sums.debits_posted, sums.credits_posted),
            ] {
                if debits != credits {
                    let expected = format!("{phase} credits of {debits} in currency {currency}");
                    return Err(self.books_finding("trial balance", expected, credits.to_string()));
                }
            }
        }
        Ok(())
    }

    /// No account is past its bound, but as far as a settlement took it there.
    fn check_bounds(&mut self) -> Result<(), AuditFinding> {
        let is_bounded = |kind: Kind| kind != Kind::SchemeSettlement;
        let accounts = self.books.accounts().iter();
        let past: Vec<(Account, i128)> = accounts
            .filter(|(account, counters)| is_bounded(account.kind) && counters.available() < 0)
            .map(|(account, counters)| (*account, counters.available()))
            .collect();
        self.books.keep_floors(&past);
        for (account, available) in past {
            let floor = self.books.floor(account);
            if available < floor {
                let expected = format!("at least {floor} available in {}", words(account));
                return Err(self.books_finding("bounds", expected, available.to_string()));
            }
        }
        Ok(())
    }

    /// Checks each unsettled balance against the windows that are not settled. The sums that
    /// gateways still have to pay to merchants are left out, and so is cashback that they are still
    /// to be credited. Money that failed is still to be paid out of suspense.
    fn check_positions(&self) -> Result<(), AuditFinding> {
        let mut later: BTreeMap<(u8, u64, u16), i128> = BTreeMap::new();
        for key in &self.instructions.open {
            if let Some(instruction) = self.instructions.all.get(key) {
                let payer = match instruction.status {
                    PaymentStatus::Failed { .. } => Account::suspense(key.2),
                    _ => Account::liquidity(instruction.gateway.get(), key.2),
                };
                *later.entry(payer.numbers()).or_default() += i128::from(instruction.left);
            }
        }
        for (account, counters) in self.books.accounts() {
            if account.kind == Kind::CashbackOwed {
                let gateway = Account { kind: Kind::GatewayLiquidity, ..*account }.numbers();
                *later.entry(gateway).or_default() += counters.balance();
            }
        }
        let parties: BTreeSet<(u8, u64, u16)> = self.windows.all_parties().collect();
        let has_position = |kind: Kind| {
            matches!(
                kind,
                Kind::GatewayLiquidity | Kind::FxPosition | Kind::CashbackPool | Kind::Suspense
            )
        };
        let accounts = self.books.accounts().iter();
        let known: BTreeMap<(u8, u64, u16), &Counters> = accounts
            .filter(|(account, _)| has_position(account.kind))
            .map(|(account, counters)| (account.numbers(), counters))
            .collect();
        let keys = known.keys().copied().chain(parties);
        for party in keys {
            let counters = known.get(&party).copied().copied().unwrap_or_default();
            let position = counters.balance() - counters.settled;
            let later = later.get(&party).copied().unwrap_or_default();
            let expected = self.windows.position(party) - later;
            if position != expected {
                let (kind, owner, currency) = party;
                let of = format!("kind {kind} of {owner} in currency {currency}");
                let expected = format!("a position of {expected} of {of}");
                return Err(self.books_finding("positions", expected, position.to_string()));
            }
        }
        Ok(())
    }

    /// Checks that the scheme's bank holds the sum of what is settled, in every currency.
    fn check_outside(&self) -> Result<(), AuditFinding> {
        let mut settled: BTreeMap<u16, i128> = BTreeMap::new();
        for (account, counters) in self.books.accounts() {
            *settled.entry(account.currency).or_default() += counters.settled;
        }
        for (currency, settled) in settled {
            let outside = self.books.counters(Account::settlement(currency)).balance();
            if settled != -outside {
                let expected = format!("settled balances of {} in currency {currency}", -outside);
                return Err(self.books_finding("outside", expected, settled.to_string()));
            }
        }
        Ok(())
    }

    /// Checks that a merchant is owed what its instructions and the open window still have to pay.
    fn check_payables(&self) -> Result<(), AuditFinding> {
        let mut owed: BTreeMap<(u64, u16), u128> = self.windows.all_owed().collect();
        for key in &self.instructions.open {
            if let Some(instruction) = self.instructions.all.get(key) {
                *owed.entry((key.1, key.2)).or_default() += u128::from(instruction.left);
            }
        }
        let payables = self.books.accounts().iter();
        for (account, counters) in
            payables.filter(|(account, _)| account.kind == Kind::MerchantPayable)
        {
            let sum = owed.get(&(account.owner, account.currency)).copied().unwrap_or_default();
            if u128::try_from(counters.balance()) != Ok(sum) {
                let expected = format!("{sum} in {}, as is still to be paid", words(*account));
                let found = format!("{}", counters.balance());
                return Err(self.books_finding("payables", expected, found));
            }
        }
        Ok(())
    }
}

fn words(account: Account) -> String {
    format!("{:?} of {} in currency {}", account.kind, account.owner, account.currency)
}
