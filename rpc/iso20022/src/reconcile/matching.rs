//! Money against payments. All money of a day is matched before anything is called a break, so that
//! the order of entries is of no meaning.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::hash::sha256;
use jiff::civil::Date;

use super::book::BookedMoney;
use super::report::ReconciliationReport;
use super::{BankBreak, BreakKind, ChainWord, ExpectedPayment, Reconciler, Reconciliation, plain};
use crate::base32;
use crate::ids::{EndToEndId, Obligation, Uetr};
use crate::words::{MoneyDirection, PaymentName};

/// Opens the hashed bytes of a break's id.
const BREAK_TAG: [u8; 16] = *b"sluice:bkbreak:1";
/// Bytes of a hash that an id keeps: 16 characters of base32.
const ID_BYTES: usize = 10;

/// Money of one payment.
#[derive(Debug, Default)]
struct Movements {
    debits: Vec<BookedMoney>,
    credits: Vec<BookedMoney>,
    returns: Vec<BookedMoney>,
}

struct Matching {
    day: Date,
    since: BTreeMap<Box<str>, Date>,
    breaks: BTreeMap<Box<str>, BankBreak>,
    movements: BTreeMap<usize, Movements>,
    /// Amounts of payments that are on their way.
    in_transit: u64,
    entries: u64,
}

pub(super) fn finish(reconciler: Reconciler) -> Reconciliation {
    let Reconciler { day, gateway_accounts, expected, mut carried, explained, mut book } =
        reconciler;
    let findings = book.check(&mut carried.statements);
    let repeated = book.repeated;
    let by_id: BTreeMap<EndToEndId, usize> = (0..expected.len())
        .map(|place| (expected[place].obligation.end_to_end_id(), place))
        .collect();
    let mut by_uetr: BTreeMap<Uetr, usize> = BTreeMap::new();
    for (place, payment) in expected.iter().enumerate() {
        let all = (0..=payment.resends).map(|resend| payment.obligation.uetr(resend));
        by_uetr.extend(all.map(|uetr| (uetr, place)));
    }
    let merchants: BTreeSet<Box<str>> =
        expected.iter().map(|each| plain(&each.merchant_account)).collect();
    let mut matching = Matching {
        day,
        since: carried.breaks.iter().map(|each| (each.id.clone(), each.since)).collect(),
        breaks: BTreeMap::new(),
        movements: BTreeMap::new(),
        in_transit: 0,
        entries: 0,
    };
    let find = |name: &PaymentName| {
        let of_uetr = name.uetr.as_deref().and_then(|text| text.parse().ok());
        let found = named(name).and_then(|id| by_id.get(&id).copied());
        found.or_else(|| of_uetr.and_then(|uetr| by_uetr.get(&uetr).copied()))
    };
    for money in book.monies() {
        matching.entries += 1;
        match find(&money.name) {
            Some(place) => matching.own(money, place, &expected[place], &gateway_accounts),
            None => matching.strange(money, &gateway_accounts, &merchants),
        }
    }
    let matched = matching.judge(&expected);
    for carried in carried.breaks {
        let place = carried.obligation.and_then(|each| by_id.get(&each.end_to_end_id()));
        if is_open(&carried, place.map(|place| &expected[*place])) {
            matching.breaks.entry(carried.id.clone()).or_insert(carried);
        }
    }
    matching.breaks.retain(|id, _| !explained.contains(id));
    let mut breaks: Vec<BankBreak> = matching.breaks.into_values().collect();
    breaks.sort_by(|one, other| (one.kind, &one.id).cmp(&(other.kind, &other.id)));
    carried.breaks = breaks.clone();
    let counts = (expected.len() as u64, matching.entries, repeated, matching.in_transit);
    let report = ReconciliationReport::new(day, counts, &carried, &breaks, &findings);
    Reconciliation { report, breaks, findings, matched, carried }
}

/// The end-to-end id that a name has, if it is one of ours.
fn named(name: &PaymentName) -> Option<EndToEndId> {
    let ids = [&name.end_to_end, &name.transaction];
    ids.into_iter().flatten().find_map(|id| id.parse().ok())
}

/// A break of an earlier day is open until the chain or the bank explains it.
fn is_open(carried: &BankBreak, expected: Option<&ExpectedPayment>) -> bool {
    match (carried.kind, expected) {
        // What is expected is judged anew each day.
        (BreakKind::MissingAtBank, Some(_)) => false,
        (BreakKind::MissingOnChain, Some(expected)) => expected.chain != ChainWord::Arrived,
        (BreakKind::Returned, Some(expected)) => expected.chain != ChainWord::Failed,
        _ => true,
    }
}

impl Matching {
    fn add(&mut self, kind: BreakKind, money: &BookedMoney, expected: Option<&ExpectedPayment>) {
        let obligation = expected.map(|expected| expected.obligation);
        self.insert(BankBreak {
            id: break_id(kind, &money.account, &money.id, obligation),
            kind,
            account: money.account.clone(),
            obligation,
            amount: money.amount,
            currency: money.currency,
            expected: expected.map(|expected| expected.amount),
            reference: money.reference.clone(),
            since: self.day,
        });
    }

    fn insert(&mut self, mut found: BankBreak) {
        found.since = self.since.get(&found.id).copied().unwrap_or(found.since);
        self.breaks.insert(found.id.clone(), found);
    }

    /// Money that names no payment that is expected.
    fn strange(
        &mut self,
        money: BookedMoney,
        gateway_accounts: &BTreeSet<Box<str>>,
        merchants: &BTreeSet<Box<str>>,
    ) {
        let is_known =
            gateway_accounts.contains(&money.account) || merchants.contains(&money.account);
        let kind = match money.direction {
            _ if !is_known => BreakKind::WrongAccount,
            _ if named(&money.name).is_some() => BreakKind::MissingOnChain,
            _ if money.is_charge => BreakKind::Charge,
            MoneyDirection::Credit => BreakKind::UnmatchedCredit,
            MoneyDirection::Debit => BreakKind::UnmatchedDebit,
        };
        self.add(kind, &money, None);
    }

    /// Money that names an expected payment.
    fn own(
        &mut self,
        money: BookedMoney,
        place: usize,
        expected: &ExpectedPayment,
        gateway_accounts: &BTreeSet<Box<str>>,
    ) {
        let is_gateway = gateway_accounts.contains(&money.account);
        let is_merchant = money.account == plain(&expected.merchant_account);
        let is_in_place = match (money.direction, money.is_return) {
            (MoneyDirection::Debit, false) | (MoneyDirection::Credit, true) => is_gateway,
            (MoneyDirection::Credit, false) | (MoneyDirection::Debit, true) => is_merchant,
        };
        let (actual, wanted) = (u128::from(money.amount.get()), u128::from(expected.amount.get()));
        let is_charged = match money.direction {
            MoneyDirection::Credit => actual + money.charges == wanted,
            MoneyDirection::Debit => actual == wanted + money.charges,
        };
        if !is_in_place {
            self.add(BreakKind::WrongAccount, &money, Some(expected));
        } else if money.currency != expected.obligation.instruction.currency {
            self.add(BreakKind::Currency, &money, Some(expected));
        } else if actual != wanted && money.charges > 0 && is_charged {
            self.add(BreakKind::Charge, &money, Some(expected));
        } else if actual != wanted {
            self.add(BreakKind::Amount, &money, Some(expected));
        }
        if !is_in_place {
            return;
        }
        let movements = self.movements.entry(place).or_default();
        match (money.is_return, money.direction) {
            (true, _) => movements.returns.push(money),
            (false, MoneyDirection::Debit) => movements.debits.push(money),
            (false, MoneyDirection::Credit) => movements.credits.push(money),
        }
    }

    /// Holds the money of each payment against the chain's word, and returns what was matched.
    fn judge(
        &mut self,
        expected: &[ExpectedPayment],
    ) -> Vec<(Obligation, MoneyDirection, Box<str>)> {
        let mut movements = std::mem::take(&mut self.movements);
        let mut matched = Vec::new();
        for (place, payment) in expected.iter().enumerate() {
            let moved = movements.remove(&place).unwrap_or_default();
            let both = moved.debits.iter().chain(&moved.credits);
            matched
                .extend(both.map(|money| (payment.obligation, money.direction, money.id.clone())));
            self.judge_one(payment, &moved);
        }
        matched
    }

    fn judge_one(&mut self, payment: &ExpectedPayment, moved: &Movements) {
        let sides =
            [(MoneyDirection::Debit, &moved.debits), (MoneyDirection::Credit, &moved.credits)];
        for (direction, side) in sides {
            let earlier = payment.matched.iter().filter(|(each, _)| *each == direction);
            let known: Vec<&str> = earlier.map(|(_, id)| &**id).collect();
            let fresh = side.iter().filter(|money| !known.contains(&&*money.id));
            // What came back may be paid again.
            let allowed = (1 + moved.returns.len()).saturating_sub(known.len());
            for money in fresh.skip(allowed) {
                self.add(BreakKind::Twice, money, Some(payment));
            }
        }
        let has_money = !moved.debits.is_empty() || !moved.credits.is_empty();
        let paid = moved.credits.first().or(moved.debits.first());
        match (payment.chain, moved.returns.first()) {
            (ChainWord::Arrived | ChainWord::Outstanding, Some(returned)) => {
                self.add(BreakKind::Returned, returned, Some(payment));
            }
            (ChainWord::Arrived, None) if !has_money && payment.matched.is_empty() => {
                self.missing_at_bank(payment);
            }
            (ChainWord::Failed, None) => {
                if let Some(money) = paid {
                    self.add(BreakKind::MissingOnChain, money, Some(payment));
                }
            }
            (ChainWord::Outstanding, None) => match (moved.credits.first(), paid) {
                (Some(credit), _) => self.add(BreakKind::MissingOnChain, credit, Some(payment)),
                (None, Some(_)) => self.in_transit += 1,
                (None, None) => {}
            },
            (ChainWord::Arrived, None) | (ChainWord::Failed, Some(_)) => {}
        }
    }

    fn missing_at_bank(&mut self, payment: &ExpectedPayment) {
        let kind = BreakKind::MissingAtBank;
        let obligation = Some(payment.obligation);
        self.insert(BankBreak {
            id: break_id(kind, "", "", obligation),
            kind,
            account: Box::default(),
            obligation,
            amount: payment.amount,
            currency: payment.obligation.instruction.currency,
            expected: Some(payment.amount),
            reference: Box::default(),
            since: self.day,
        });
    }
}

fn break_id(
    kind: BreakKind,
    account: &str,
    money: &str,
    obligation: Option<Obligation>,
) -> Box<str> {
    let obligation = obligation.map(|each| format!("{} {}", each.chain, each.end_to_end_id()));
    let text = format!("{}\n{account}\n{money}\n{}", kind.name(), obligation.unwrap_or_default());
    base32::encode(&sha256(&[&BREAK_TAG, text.as_bytes()]).bytes()[..ID_BYTES]).into()
}
