//! Section 11, liquidity: transfers by maker and checker.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    Decision, MerchantId, Outcome, ParticipantId, Rejection, Roles, TimeMs, TransferAction,
    TransferDecisionItem, TransferId, TransferItem,
};

use crate::auditor::{Auditor, Verdict};
use crate::books::{Account, Kind, Movement};
use crate::orders::{check_form, refuse_if, repeated};

/// The status of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferStatus {
    /// It waits for its checker.
    Open,
    /// A checker approved or refused it.
    Decided {
        decision: Decision,
        checker: ParticipantId,
        /// The block time of the decision.
        at: u64,
    },
    /// Its time was over.
    Expired {
        /// The time of the block that noticed.
        at: u64,
    },
}

/// A transfer that was proposed, and what became of it.
#[derive(Debug, Clone, Copy)]
struct Transfer {
    item: TransferItem,
    action: TransferAction,
    account: Account,
    maker: ParticipantId,
    /// The block time at which it was proposed.
    proposed: u64,
    status: TransferStatus,
}

impl Transfer {
    /// `account x → scheme-settlement`.
    fn withdrawal(&self) -> Movement {
        let outside = Account::settlement(self.account.currency);
        Movement::new(self.account, self.item.amount.get(), outside)
    }

    /// `scheme-settlement x → account`.
    fn deposit(&self) -> Movement {
        let outside = Account::settlement(self.account.currency);
        Movement::new(outside, self.item.amount.get(), self.account)
    }
}

/// Every transfer that was accepted for decision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transfers {
    all: BTreeMap<TransferId, Transfer>,
    open: BTreeSet<TransferId>,
}

impl Transfers {
    fn keep(&mut self, transfer: Transfer) {
        let id = transfer.item.transfer_id();
        if transfer.status == TransferStatus::Open {
            self.open.insert(id);
        } else {
            self.open.remove(&id);
        }
        self.all.insert(id, transfer);
    }
}

impl Auditor {
    /// Rules of a transfer's proposal.
    pub(crate) fn transfer(&mut self, item: &TransferItem, maker: ParticipantId) -> Verdict {
        check_form(item.transfer_id().is_uuid_v7(), &item.spare)?;
        let action = TransferAction::from_number(item.action.get());
        let action = action.ok_or(Rejection::ActionUnknown)?;
        self.check_timely(item.transfer_id().time())?;
        if let Some(known) = self.transfers.all.get(&item.transfer_id()) {
            let is_same = known.item == *item && known.maker == maker;
            return repeated(is_same, Rejection::TransferConflict);
        }
        let (amount, currency) = (item.amount.get(), item.currency.get());
        refuse_if(amount == 0 && action != TransferAction::Cap, Rejection::AmountZero)?;
        refuse_if(!self.registry.has_currency(currency), Rejection::CurrencyUnsupported)?;
        let account = self.transfer_account(item, action).ok_or(Rejection::AccountUnsuited)?;
        self.registry.check_foreign_account(maker, account)?;
        let (proposed, status) = (self.time, TransferStatus::Open);
        let transfer = Transfer { item: *item, action, account, maker, proposed, status };
        if action == TransferAction::Withdraw {
            let counters = self.books.counters(account);
            let free = counters.available() - i128::from(counters.net_debit_cap);
            refuse_if(i128::from(amount) > free, Rejection::FundsMissing)?;
            refuse_if(i128::from(amount) > counters.settled, Rejection::UnsettledFunds)?;
            self.books.reserve(transfer.withdrawal());
        }
        self.transfers.keep(transfer);
        Ok(Outcome::APPLIED)
    }

    /// The account that a transfer is about, if its kind and owner suit the action.
    fn transfer_account(&self, item: &TransferItem, action: TransferAction) -> Option<Account> {
        let (owner, currency) = (item.owner.get(), item.currency.get());
        let party = u32::try_from(owner).ok().map(ParticipantId::new);
        let is_empty = |kind| self.books.counters(Account { kind, owner, currency }).balance() == 0;
        let suits = |kind, role| {
            let has_role = party.is_some_and(|id| self.registry.has_role(id, role));
            let has_money = action != TransferAction::Cap && !is_empty(kind);
            has_role
                || (party.is_some_and(|id| self.registry.participant(id).is_some()) && has_money)
        };
        let (kind, is_suited) = match item.account_kind.get() {
            1 => (Kind::GatewayLiquidity, suits(Kind::GatewayLiquidity, Roles::GATEWAY)),
            3 => {
                let is_known = self.registry.merchant(MerchantId::new(owner)).is_some();
                (Kind::CashbackPool, is_known && action != TransferAction::Cap)
            }
            5 => (Kind::FxPosition, suits(Kind::FxPosition, Roles::FX_PROVIDER)),
            _ => return None,
        };
        is_suited.then_some(Account { kind, owner, currency })
    }

    /// Rules of a transfer's decision.
    pub(crate) fn decide_transfer(
        &mut self,
        item: &TransferDecisionItem,
        checker: ParticipantId,
    ) -> Verdict {
        check_form(item.transfer_id().is_uuid_v7(), &item.spare)?;
        let decision = Decision::from_number(item.decision.get());
        let decision = decision.ok_or(Rejection::DecisionUnknown)?;
        let mut transfer = self.known_transfer(item.transfer_id())?;
        let names_it = item.action == transfer.item.action && item.amount == transfer.item.amount;
        refuse_if(!names_it, Rejection::DecisionMismatch)?;
        match transfer.status {
            TransferStatus::Open => {}
            TransferStatus::Expired { .. } => return Err(Rejection::TransferDecided),
            TransferStatus::Decided { decision: before, checker: by, .. } => {
                let is_same = (before, by) == (decision, checker);
                return repeated(is_same, Rejection::TransferDecided);
            }
        }
        let is_one_hand = self.registry.are_one(checker, transfer.maker);
        refuse_if(is_one_hand, Rejection::MakerIsChecker)?;
        self.registry.check_foreign_account(checker, transfer.account)?;
        match decision {
            Decision::Approve => self.approve_transfer(&transfer)?,
            Decision::Refuse => self.release_transfer(&transfer),
        }
        transfer.status = TransferStatus::Decided { decision, checker, at: self.time };
        self.transfers.keep(transfer);
        Ok(Outcome::APPLIED)
    }

    /// 501: remembered while it is open, its id is timely, or its end is not long ago.
    fn known_transfer(&self, id: TransferId) -> Result<Transfer, Rejection> {
        let is_remembered = |transfer: &&Transfer| match transfer.status {
            TransferStatus::Open => true,
            TransferStatus::Decided { at, .. } | TransferStatus::Expired { at } => {
                self.is_within_validity(id.time()) || self.is_within_validity(TimeMs::new(at))
            }
        };
        let found = self.transfers.all.get(&id).filter(is_remembered);
        found.copied().ok_or(Rejection::TransferUnknown)
    }

    fn approve_transfer(&mut self, transfer: &Transfer) -> Result<(), Rejection> {
        match transfer.action {
            TransferAction::Deposit => {
                self.books.post(transfer.deposit());
                self.books.settle(transfer.account, i128::from(transfer.item.amount.get()));
            }
            TransferAction::Withdraw => {
                let amount = i128::from(transfer.item.amount.get());
                let settled = self.books.counters(transfer.account).settled;
                refuse_if(amount > settled, Rejection::UnsettledFunds)?;
                self.books.post_reserved(transfer.withdrawal());
                self.books.settle(transfer.account, -amount);
            }
            TransferAction::Cap => {
                let cap = transfer.item.amount.get();
                let counters = self.books.counters(transfer.account);
                let uncapped = counters.available() - i128::from(counters.net_debit_cap);
                refuse_if(uncapped + i128::from(cap) < 0, Rejection::CapBelowUse)?;
                self.books.set_cap(transfer.account, cap);
            }
        }
        Ok(())
    }

    /// A withdrawal that does not happen is held no longer.
    fn release_transfer(&mut self, transfer: &Transfer) {
        if transfer.action == TransferAction::Withdraw {
            self.books.release(transfer.withdrawal());
        }
    }

    /// Transfers past their time, at the start of a block.
    pub(crate) fn expire_transfers(&mut self) {
        let validity_ms = self.registry.parameters.transfer_validity_ms;
        let open = self.transfers.open.iter().filter_map(|id| self.transfers.all.get(id));
        let is_late =
            |transfer: &&Transfer| self.time > transfer.proposed.saturating_add(validity_ms);
        let late: Vec<Transfer> = open.filter(is_late).copied().collect();
        let status = TransferStatus::Expired { at: self.time };
        for transfer in late {
            self.release_transfer(&transfer);
            self.transfers.keep(Transfer { status, ..transfer });
        }
    }
}
