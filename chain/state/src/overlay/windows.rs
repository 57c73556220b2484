//! The open window and the instructions of a block in the making.

use chain_types::{Amount, InstructionId, MerchantId, TimeMs, WindowId};

use super::{InstructionOverflow, Overlay, REPORT_POSITIONS_MIN};
use crate::account::AccountKey;
use crate::collected::{Collected, CollectedOrder, Due, DueKey};
use crate::hot_accounts::Slot;
use crate::records::{InstructionRecord, WindowParty, WindowRecord};
use crate::window::{Gross, OpenWindow, Reversal, WindowOpening};

impl<'a> Overlay<'a> {
    /// Closes the window found and opens the next. Before any collection of the block.
    pub fn replace_window(&mut self, closed: WindowRecord, opening: WindowOpening) {
        let is_first = self.window_opening.is_none() && !self.accounts.has_sums();
        assert!(is_first, "a window closes once, and before the block's collections");
        self.windows_closed.push(closed);
        self.window_opening = Some(opening);
    }

    /// The report of a window that this block closes.
    pub fn closed_here(&self, id: WindowId) -> Option<&WindowRecord> {
        self.windows_closed.iter().find(|closed| closed.id == id)
    }

    /// How many positions of reports the block has read so far.
    pub fn positions_read(&self) -> u64 {
        self.positions_read
    }

    /// Counts a report that was read, by its positions; each counts as one of 64 at least.
    pub fn count_report(&mut self, report: &WindowRecord) {
        self.positions_read += (report.positions.len() as u64).max(REPORT_POSITIONS_MIN);
    }

    /// The window to which the block's collections belong.
    pub fn window(&self) -> WindowOpening {
        self.window_opening.unwrap_or(self.state.window_open().opening)
    }

    /// The sums that the block's window had before; `None` when it is new.
    pub(super) fn sums_found(&self) -> Option<&'a OpenWindow> {
        self.window_opening.is_none().then(|| self.state.window_open())
    }

    /// The sum that the block's window has collected so far for a merchant's account.
    fn collected(&mut self, payable: Slot) -> Option<Collected> {
        let found = self.sums_found();
        self.accounts.collected(payable, |account| Some(found?.sums.of(account)?.collected))
    }

    /// Checks that one more order's amount fits the window's instruction for a merchant's
    /// account.
    ///
    /// # Errors
    /// When the sum would pass `u64::MAX`.
    pub fn check_room(
        &mut self,
        payable: Slot,
        order: &CollectedOrder,
    ) -> Result<(), InstructionOverflow> {
        match self.collected(payable) {
            Some(collected) => collected.with(order).map(|_| ()).ok_or(InstructionOverflow),
            None => Ok(()),
        }
    }

    /// Adds a collected order to the window's sum for a merchant's account; [`Self::check_room`]
    /// said that it fits.
    pub fn collect_in_window(&mut self, payable: Slot, order: &CollectedOrder) {
        let sum = match self.collected(payable) {
            Some(collected) => collected.with(order),
            None => Some(Collected::first(order)),
        };
        assert!(sum.is_some(), "the room was not checked");
        if let Some(sum) = sum {
            self.accounts.set_collected(payable, sum);
        }
        let key = self.due_key(payable, order.accepted, self.time, order.is_cross_border);
        let (gateway, deadline) = (order.gateway, order.deadline);
        let first = Due { amount: Amount::new(0), order_count: 0, gateway, deadline };
        // What is collected in this block is in no window before.
        let due = self.accounts.due_mut(payable, key, first);
        due.amount = due.amount.plus(order.amount);
        due.order_count += 1;
    }

    fn due_key(
        &self,
        payable: Slot,
        accepted: TimeMs,
        collected: TimeMs,
        is_cross_border: bool,
    ) -> DueKey {
        let AccountKey { owner, currency, .. } = *self.accounts.key(payable);
        let merchant = MerchantId::new(owner);
        DueKey { merchant, currency, accepted, collected, is_cross_border }
    }

    /// Takes a reversal of an order out of what the window pays to a merchant's account, and out of
    /// what is due with it.
    pub fn reverse_in_window(&mut self, payable: Slot, reversal: &Reversal) {
        let amount = reversal.amount;
        let collected = self.collected(payable);
        let rest = collected
            .and_then(|sum| sum.amount.get().checked_sub(amount.get()).map(|rest| (sum, rest)));
        assert!(rest.is_some(), "more was reversed than the window collected");
        if let Some((sum, rest)) = rest {
            self.accounts.set_collected(payable, Collected { amount: Amount::new(rest), ..sum });
        }
        let Reversal { accepted, collected, is_cross_border, .. } = *reversal;
        let key = self.due_key(payable, accepted, collected, is_cross_border);
        let found = || {
            let account = self.accounts.index(payable)?;
            self.sums_found()?.sums.of(account)?.due(&key).copied()
        };
        let due = self.accounts.due(payable, &key).or_else(found);
        assert!(due.is_some_and(|due| due.amount >= amount), "{key:?}: more went back than is due");
        if let Some(due) = due {
            let order_count = due.order_count - u64::from(reversal.is_whole);
            let amount = due.amount.minus(amount);
            *self.accounts.due_mut(payable, key, due) = Due { amount, order_count, ..due };
        }
    }

    /// Adds a leg of the window's netting: one account's owner owes another's. Both legs are of
    /// one currency.
    pub fn net(&mut self, debtor: Slot, creditor: Slot, amount: u128) {
        let (from, to) = (self.accounts.key(debtor), self.accounts.key(creditor));
        assert_eq!(from.currency, to.currency, "a leg has two currencies");
        self.debit_gross(debtor, amount);
        self.credit_gross(creditor, amount);
    }

    /// Adds a debt of an account's owner to its gross sums of the window. The other side stands in
    /// the window's instructions.
    pub fn debit_gross(&mut self, debtor: Slot, amount: u128) {
        self.gross(debtor).debits += amount;
    }

    /// Adds a claim of an account's owner to its gross sums of the window. The other side stands in
    /// the window's instructions.
    pub fn credit_gross(&mut self, creditor: Slot, amount: u128) {
        self.gross(creditor).credits += amount;
    }

    fn gross(&mut self, slot: Slot) -> &mut Gross {
        let (party, sums) = (WindowParty::of(*self.accounts.key(slot)), self.sums_found());
        let found = || sums.and_then(|sums| sums.legs.get(&party)).copied();
        self.accounts.gross(slot).get_or_insert_with(|| found().unwrap_or_default())
    }

    /// An instruction so far.
    pub fn instruction(&self, id: &InstructionId) -> Option<&InstructionRecord> {
        self.instructions.get(id).or_else(|| self.state.instruction(id))
    }

    /// Records an instruction, new or changed.
    pub fn put_instruction(&mut self, record: InstructionRecord) {
        self.instructions.insert(record.id, record);
    }
}
