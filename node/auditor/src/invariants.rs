//! What holds after every block, whatever was in it.

use std::collections::BTreeMap;

use crate::auditor::Auditor;
use crate::books::{Account, Counters, Kind};
use crate::finding::{Finding, Place};

/// What the accounts of a currency add up to.
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
    ) -> Finding {
        Finding { height: self.height, place: Place::Books { invariant }, expected, found }
    }

    /// Every invariant of the books.
    ///
    /// # Errors
    /// The first that does not hold.
    pub(crate) fn check_books(&mut self) -> Result<(), Finding> {
        self.check_journal()?;
        self.check_trial_balance()?;
        self.check_bounds()?;
        self.check_payables()?;
        self.check_residues()
    }

    /// The four counters say the same balances as the journal.
    fn check_journal(&mut self) -> Result<(), Finding> {
        let Err((account, journaled)) = self.books.fold_journal() else { return Ok(()) };
        let balance = self.books.counters(account).balance();
        let expected = format!("a balance of {journaled} by the journal of {}", words(account));
        Err(self.books_finding("journal", expected, balance.to_string()))
    }

    /// Per currency debits equal credits, pending and posted each.
    fn check_trial_balance(&self) -> Result<(), Finding> {
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

    /// No account is past its bound.
    fn check_bounds(&self) -> Result<(), Finding> {
        let is_bounded =
            |kind: Kind| !matches!(kind, Kind::SchemeSettlement | Kind::FxResidue | Kind::Suspense);
        for (account, counters) in self.books.accounts() {
            if is_bounded(account.kind) && counters.available() < 0 {
                let expected = format!("at least 0 available in {}", words(*account));
                let found = format!("{}", counters.available());
                return Err(self.books_finding("bounds", expected, found));
            }
        }
        Ok(())
    }

    /// What a merchant is owed is what its instructions and the open window still have to pay.
    fn check_payables(&self) -> Result<(), Finding> {
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

    /// Rounding cost the scheme at most one minor unit an order that was converted.
    fn check_residues(&self) -> Result<(), Finding> {
        let residues = self.books.accounts().iter();
        for (account, counters) in residues.filter(|(account, _)| account.kind == Kind::FxResidue) {
            let most = self.fx.converted(account.currency);
            if counters.debits_posted > most {
                let expected = format!("at most {most} debited to {}", words(*account));
                let found = counters.debits_posted.to_string();
                return Err(self.books_finding("residue", expected, found));
            }
        }
        Ok(())
    }
}

fn words(account: Account) -> String {
    format!("{:?} of {} in currency {}", account.kind, account.owner, account.currency)
}
