//! The auditor's findings: where, what was expected, what the chain says.

use std::fmt;

use chain_types::{Outcome, Rejection};

/// The chain says something else than the rules. Whoever reads it needs no other page to begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("block {height}, {place}: expected {expected}, but the chain says {found}")]
pub struct AuditFinding {
    /// The height of the block.
    pub height: u64,
    /// The part of the block that differs.
    pub place: FindingPlace,
    /// The value that the rules give.
    pub expected: String,
    /// The value that the chain states, or that the books hold.
    pub found: String,
}

/// The part of a block in which a difference was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingPlace {
    /// In the block's header.
    Header,
    /// In the block's certificate.
    Certificate,
    /// In the block's evidence against validators.
    Evidence {
        /// Its place in the block, from zero.
        evidence: usize,
    },
    /// In the list of batches and outcomes, before any item was looked at.
    Batch {
        /// The batch's place in the block, from zero.
        batch: usize,
    },
    /// In the outcome of one item.
    Item {
        /// The batch's place in the block, from zero.
        batch: usize,
        /// The item's place in the batch, from zero.
        item: usize,
        /// The item's kind and the thing that it names, for people.
        subject: String,
    },
    /// In the books after the block: an invariant.
    Books {
        /// The invariant that does not hold.
        invariant: &'static str,
    },
}

impl fmt::Display for FindingPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => formatter.write_str("header"),
            Self::Certificate => formatter.write_str("certificate"),
            Self::Evidence { evidence } => write!(formatter, "evidence {evidence}"),
            Self::Batch { batch } => write!(formatter, "batch {batch}"),
            Self::Item { batch, item, subject } => {
                write!(formatter, "batch {batch}, item {item} ({subject})")
            }
            Self::Books { invariant } => write!(formatter, "books ({invariant})"),
        }
    }
}

/// An outcome in words: its number, its name and, of a rejection, its cause.
pub(crate) fn outcome_words(outcome: Outcome) -> String {
    let code = outcome.0;
    match (code, Rejection::from_code(code)) {
        (_, Some(rejection)) => format!("{code} {} ({})", rejection.name(), rejection.cause()),
        (0, None) => "0 applied".to_owned(),
        (1, None) => "1 repeated".to_owned(),
        (2, None) => "2 held".to_owned(),
        (10..=13, None) => format!("{code} applied, with cashback of tier {}", code - 9),
        (20, None) => "20 applied, cashback refused for the user's month".to_owned(),
        (21, None) => "21 applied, cashback refused for the budget".to_owned(),
        (_, None) => format!("{code}, which is no outcome"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_as_a_sentence() {
        let finding = AuditFinding {
            height: 812,
            place: FindingPlace::Item {
                batch: 3,
                item: 17,
                subject: "recharge of order X".to_owned(),
            },
            expected: outcome_words(Outcome(215)),
            found: outcome_words(Outcome(10)),
        };
        assert_eq!(
            finding.to_string(),
            "block 812, batch 3, item 17 (recharge of order X): expected 215 liquidity-exceeded \
             (The amount would take the collecting gateway below its net debit cap.), but the \
             chain says 10 applied, with cashback of tier 1"
        );
    }

    #[test]
    fn every_outcome_has_words() {
        let rows = [
            (0, "0 applied"),
            (1, "1 repeated"),
            (2, "2 held"),
            (13, "13 applied, with cashback of tier 4"),
            (20, "20 applied, cashback refused for the user's month"),
            (21, "21 applied, cashback refused for the budget"),
            (14, "14, which is no outcome"),
        ];
        for (code, words) in rows {
            assert_eq!(outcome_words(Outcome(code)), words);
        }
    }
}
