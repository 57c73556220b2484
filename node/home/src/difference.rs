//! The first result of a block that is not as the home holds it.

use chain_types::{BlockHeader, Height, Outcome};
use serde::Serialize;

/// The first result of a block's execution that is not as the home holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what} of height {height}: the home holds {stored}, the rules give {executed}")]
pub struct BlockDifference {
    /// The height of the block.
    pub height: u64,
    /// The field that differs.
    pub what: String,
    /// The field's value in the home.
    pub stored: String,
    /// The value that execution gives, or the rule that the stored value breaks.
    pub executed: String,
}

impl BlockDifference {
    pub(crate) fn new(
        height: Height,
        what: impl Into<String>,
        stored: impl ToString,
        executed: impl ToString,
    ) -> Self {
        let (stored, executed) = (stored.to_string(), executed.to_string());
        Self { height: height.get(), what: what.into(), stored, executed }
    }
}

/// Returns the first field in which two headers of a height differ.
pub(crate) fn header_difference(
    stored: &BlockHeader,
    executed: &BlockHeader,
) -> Option<BlockDifference> {
    let height = stored.height;
    let fields = [
        ("chain id", stored.chain_id.digest(), executed.chain_id.digest()),
        ("parent", stored.parent.digest(), executed.parent.digest()),
        ("batches root", stored.batches_root, executed.batches_root),
        ("evidence root", stored.evidence_root, executed.evidence_root),
        ("results root", stored.results_root, executed.results_root),
        ("state digest", stored.state_digest, executed.state_digest),
        ("records root", stored.records_root, executed.records_root),
        ("parties root", stored.parties_root, executed.parties_root),
        ("validators hash", stored.validators_hash, executed.validators_hash),
        ("next validators hash", stored.next_validators_hash, executed.next_validators_hash),
        ("parameters hash", stored.parameters_hash, executed.parameters_hash),
    ];
    for (what, stored, executed) in fields {
        if stored != executed {
            return Some(BlockDifference::new(height, what, stored, executed));
        }
    }
    // Whatever else a header says.
    let (stored_text, executed_text) = (format!("{stored:?}"), format!("{executed:?}"));
    (stored != executed).then(|| BlockDifference::new(height, "header", stored_text, executed_text))
}

/// Returns the first outcome, or number of outcomes, in which two executions of a block differ.
pub(crate) fn outcome_difference(
    height: Height,
    stored: &[Vec<Outcome>],
    executed: &[Vec<Outcome>],
) -> Option<BlockDifference> {
    for (batch, (stored, executed)) in stored.iter().zip(executed).enumerate() {
        for (item, (stored, executed)) in stored.iter().zip(executed).enumerate() {
            if stored != executed {
                let what = format!("outcome of batch {batch}, item {item}");
                return Some(BlockDifference::new(height, what, stored.0, executed.0));
            }
        }
        if stored.len() != executed.len() {
            let what = format!("outcome count of batch {batch}");
            return Some(BlockDifference::new(height, what, stored.len(), executed.len()));
        }
    }
    (stored.len() != executed.len())
        .then(|| BlockDifference::new(height, "outcome lists", stored.len(), executed.len()))
}

#[cfg(test)]
mod tests {
    use chain_types::parameters::PROTOCOL_VERSION;
    use chain_types::{BlockHash, Digest, TimeMs, WindowId};

    use super::*;

    fn header() -> BlockHeader {
        BlockHeader {
            protocol_version: PROTOCOL_VERSION,
            height: Height::new(7),
            time: TimeMs::new(1),
            ..BlockHeader::default()
        }
    }

    #[test]
    fn a_header_s_difference_is_named_and_none_is_overlooked() {
        let other = Digest::from_bytes([1; 32]);
        let stored = header();
        let rows = [
            ("state digest", BlockHeader { state_digest: other, ..header() }),
            ("results root", BlockHeader { results_root: other, ..header() }),
            ("parent", BlockHeader { parent: BlockHash::new(other), ..header() }),
            ("header", BlockHeader { window: WindowId::new(1), ..header() }),
            ("header", BlockHeader { protocol_version: 2, ..header() }),
        ];
        for (what, executed) in rows {
            let difference = header_difference(&stored, &executed);
            let named = difference.map(|difference| (difference.height, difference.what));
            assert_eq!(named, Some((7, what.to_owned())));
        }
        assert_eq!(header_difference(&stored, &stored), None);
    }

    #[test]
    fn an_outcome_s_difference_is_located() {
        let of = |codes: &[&[u16]]| -> Vec<Vec<Outcome>> {
            codes.iter().map(|batch| batch.iter().map(|code| Outcome(*code)).collect()).collect()
        };
        let stored = of(&[&[0, 0], &[0, 215]]);
        let rows = [
            (of(&[&[0, 0], &[0, 0]]), "outcome of batch 1, item 1"),
            (of(&[&[0], &[0, 215]]), "outcome count of batch 0"),
            (of(&[&[0, 0]]), "outcome lists"),
        ];
        for (executed, what) in rows {
            let difference = outcome_difference(Height::new(7), &stored, &executed);
            assert_eq!(difference.map(|difference| difference.what), Some(what.to_owned()));
        }
        assert_eq!(outcome_difference(Height::new(7), &stored, &stored), None);
    }
}
