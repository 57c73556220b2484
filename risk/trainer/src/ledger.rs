//! The misjudgment ledger of a cohort: mistakes by what is known at an age, and by nothing else.

use crate::month_rows::ObservedOrder;

const DAY_MS: u64 = 86_400_000;

/// The age at which a cohort is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortAge {
    /// Days from each order to the look at it.
    pub days: u64,
}

impl CohortAge {
    /// The ages that the ledger states.
    pub const ALL: [Self; 3] = [Self { days: 7 }, Self { days: 30 }, Self { days: 90 }];
}

/// The counts of a cohort at an age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerCounts {
    /// Orders with a verdict.
    pub inquiries: u64,
    /// Orders that were held, and labelled legitimate since.
    pub false_positives: u64,
    /// Orders that passed, and were labelled fraud since.
    pub false_negatives: u64,
    /// Orders that were labelled fraud since: the mistakes of never flagging.
    pub labelled_frauds: u64,
    /// Orders without a label as yet.
    pub unlabelled: u64,
}

impl LedgerCounts {
    /// Mistakes of both kinds.
    pub const fn misjudged(&self) -> u64 {
        self.false_positives + self.false_negatives
    }
}

/// Counts the mistakes of verdicts at an age. An order is given with true if it was held.
pub fn ledger<'a>(
    verdicts: impl Iterator<Item = (&'a ObservedOrder, bool)>,
    age: CohortAge,
) -> LedgerCounts {
    let mut counts = LedgerCounts::default();
    for (order, is_held) in verdicts {
        counts.inquiries += 1;
        let known_until = order.time_ms.saturating_add(age.days * DAY_MS);
        let Some((_, is_fraud)) = order.label.filter(|(time_ms, _)| *time_ms <= known_until) else {
            counts.unlabelled += 1;
            continue;
        };
        counts.labelled_frauds += u64::from(is_fraud);
        counts.false_positives += u64::from(is_held && !is_fraud);
        counts.false_negatives += u64::from(!is_held && is_fraud);
    }
    counts
}

#[cfg(test)]
mod tests {
    use risk_engine::FeatureVector;

    use super::*;

    fn order(label: Option<(u64, bool)>) -> ObservedOrder {
        let features = FeatureVector::new();
        ObservedOrder { features, time_ms: 1_000, amount: 1, truth: None, label }
    }

    #[test]
    fn a_label_counts_from_its_day_on_and_changes_no_younger_age() {
        let day = |days: u64| 1_000 + days * DAY_MS;
        let verdicts = [
            (order(Some((day(5), true))), false),
            (order(Some((day(7), false))), true),
            (order(Some((day(8), true))), false),
            (order(Some((day(6), true))), true),
            (order(Some((day(6), false))), false),
            (order(None), true),
        ];
        let at = |days| ledger(verdicts.iter().map(|(one, held)| (one, *held)), CohortAge { days });
        let week = at(7);
        assert_eq!((week.false_positives, week.false_negatives, week.unlabelled), (1, 1, 2));
        let month = at(30);
        assert_eq!((month.misjudged(), month.labelled_frauds, month.unlabelled), (3, 3, 1));
        assert_eq!(at(90), month);
    }
}
