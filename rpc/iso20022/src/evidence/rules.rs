//! The decision table: what a set of facts means. The first row that holds decides.

use super::meaning::{HeldCause, Meaning};

/// One thing that follows from a bank's words about a payment. Order and number of the words are of
/// no meaning: a fact is there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The bank has the payment and works on it.
    Pending,
    /// The bank refuses a duplicate: it has the payment.
    Duplicate,
    /// A status has a code that is not known.
    Unclear,
    /// The bank rejects without a reason, or because somebody did not answer in time.
    Doubtful,
    /// The bank rejects for a reason that is not known here.
    UnknownReason,
    /// The bank rejects for a definite reason.
    Rejected,
    /// The bank has cancelled the payment.
    Cancelled,
    /// ACSC, or a booked debit of the gateway's account.
    Settled,
    /// ACCC, or a booked credit of the merchant's account; ACSC where the profile says so.
    Credited,
    /// The money came back.
    Returned,
    /// End-to-end id and UETR are not those of one payment.
    IdsDisagree,
    /// A word or an entry is of another currency.
    OtherCurrency,
    /// A word or an entry is of another amount, or of none.
    OtherAmount,
    /// The merchant was credited less charges.
    ChargesTaken,
    /// An entry is on another account, or in the other direction, than the payment has.
    OtherAccount,
    /// Another amount came back than was paid.
    OtherReturn,
}

/// Every fact, in the order of their bits.
pub const FACTS: [Fact; 16] = [
    Fact::Pending,
    Fact::Duplicate,
    Fact::Unclear,
    Fact::Doubtful,
    Fact::UnknownReason,
    Fact::Rejected,
    Fact::Cancelled,
    Fact::Settled,
    Fact::Credited,
    Fact::Returned,
    Fact::IdsDisagree,
    Fact::OtherCurrency,
    Fact::OtherAmount,
    Fact::ChargesTaken,
    Fact::OtherAccount,
    Fact::OtherReturn,
];

/// A set of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FactSet(u16);

impl FactSet {
    /// Adds a fact; one that is in the set stays.
    pub fn insert(&mut self, fact: Fact) {
        self.0 |= 1 << fact as u16;
    }

    /// Removes a fact, if it is in the set.
    pub(super) fn remove(&mut self, fact: Fact) {
        self.0 &= !(1 << fact as u16);
    }

    /// Returns true if a fact is in the set.
    pub fn contains(self, fact: Fact) -> bool {
        self.0 >> fact as u16 & 1 == 1
    }

    /// Returns true if any of some facts is in the set.
    pub fn contains_any(self, facts: &[Fact]) -> bool {
        facts.iter().any(|fact| self.contains(*fact))
    }

    /// Returns the facts of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if there is no fact in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Fact> for FactSet {
    fn from_iter<T: IntoIterator<Item = Fact>>(facts: T) -> Self {
        let mut set = Self::default();
        facts.into_iter().for_each(|fact| set.insert(fact));
        set
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceRule {
    /// The row holds if each of these lists has a fact of the set.
    pub when: &'static [&'static [Fact]],
    /// The meaning of the set if the row holds.
    pub meaning: Meaning,
    /// The reason of the row.
    pub why: &'static str,
}

/// The table. The first row that holds decides; the last one always holds.
pub const RULES: [EvidenceRule; 20] = [
    EvidenceRule {
        when: &[&[Fact::IdsDisagree]],
        meaning: Meaning::Held(HeldCause::IdsDisagree),
        why: "the bank may speak of another payment",
    },
    EvidenceRule {
        when: &[&[Fact::OtherCurrency]],
        meaning: Meaning::Held(HeldCause::Currency),
        why: "other money than was ordered",
    },
    EvidenceRule {
        when: &[&[Fact::OtherAmount]],
        meaning: Meaning::Held(HeldCause::Amount),
        why: "other money than was ordered",
    },
    EvidenceRule {
        when: &[&[Fact::ChargesTaken]],
        meaning: Meaning::Held(HeldCause::Charges),
        why: "the merchant has less than it is owed",
    },
    EvidenceRule {
        when: &[&[Fact::OtherAccount]],
        meaning: Meaning::Held(HeldCause::Account),
        why: "the money is where it should not be",
    },
    EvidenceRule {
        when: &[&[Fact::OtherReturn]],
        meaning: Meaning::Held(HeldCause::ReturnAmount),
        why: "a part of the money is still out",
    },
    EvidenceRule {
        when: &[
            &[Fact::Rejected, Fact::UnknownReason, Fact::Doubtful],
            &[Fact::Settled, Fact::Credited],
        ],
        meaning: Meaning::Held(HeldCause::BothWords),
        why: "rejected and paid at once: one of them is wrong",
    },
    EvidenceRule {
        when: &[&[Fact::Credited], &[Fact::Returned]],
        meaning: Meaning::Bounced,
        why: "it had arrived and came back",
    },
    EvidenceRule {
        when: &[&[Fact::Credited]],
        meaning: Meaning::Arrived,
        why: "the merchant has the money, also when a cancellation crosses it",
    },
    EvidenceRule {
        when: &[&[Fact::Returned], &[Fact::Cancelled]],
        meaning: Meaning::Recalled,
        why: "it came back because it was recalled",
    },
    EvidenceRule {
        when: &[&[Fact::Returned]],
        meaning: Meaning::Failed,
        why: "it came back before anybody said that it arrived",
    },
    EvidenceRule {
        when: &[&[Fact::Rejected]],
        meaning: Meaning::Failed,
        why: "a definite reason at the lowest level that speaks",
    },
    EvidenceRule {
        when: &[&[Fact::UnknownReason]],
        meaning: Meaning::Held(HeldCause::UnknownReason),
        why: "the code may mean a duplicate: a person decides, and the profile may list it",
    },
    EvidenceRule {
        when: &[&[Fact::Cancelled]],
        meaning: Meaning::Recalled,
        why: "the bank confirms that it is not paid, or that the money comes back",
    },
    EvidenceRule {
        when: &[&[Fact::Settled]],
        meaning: Meaning::Settled,
        why: "the money left the gateway; that it arrived is not said",
    },
    EvidenceRule {
        when: &[&[Fact::Doubtful]],
        meaning: Meaning::Ask,
        why: "doubt is never failure",
    },
    EvidenceRule {
        when: &[&[Fact::Unclear]],
        meaning: Meaning::Ask,
        why: "doubt is never failure",
    },
    EvidenceRule { when: &[&[Fact::Pending]], meaning: Meaning::Wait, why: "the bank works on it" },
    EvidenceRule {
        when: &[&[Fact::Duplicate]],
        meaning: Meaning::Ask,
        why: "the bank has it, and does not say what became of it",
    },
    EvidenceRule { when: &[], meaning: Meaning::Wait, why: "nothing was said; silence is asked" },
];

/// Returns what a set of facts means.
pub fn meaning_of(facts: FactSet) -> Meaning {
    let holds = |rule: &&EvidenceRule| rule.when.iter().all(|any| facts.contains_any(any));
    RULES.iter().find(holds).map_or(Meaning::Wait, |rule| rule.meaning)
}
