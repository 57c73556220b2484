//! A validator that has signed nothing in this home may be one that lost its disk and, with it, the
//! memory of what it signed. Until it knows better it stays silent: it waits to hear how far a
//! quorum is, and signs nothing for a height that its lost self may have voted on.
//!
//! How far could it have been? If it had committed height h, a quorum had precommitted h, and each
//! of those had committed h - 1. The quorum that is heard shares an honest member with that one, so
//! the highest height heard is at least h - 1, and the lost votes are at most for h + 1: two above.
//!
//! At the birth of a chain everybody is a newcomer, and a quorum says that it has committed
//! nothing: then nothing is taken to be forgotten. A disk that is lost before the second block is
//! therefore the one case in which a key may sign twice; whoever loses one then should wait for
//! block two.

use std::collections::BTreeMap;

use chain_types::{Height, ValidatorId, ValidatorSet};

use crate::replica::NodeIndex;

/// What a newcomer has heard.
#[derive(Debug, Default)]
pub(crate) struct Newcomer {
    heard: BTreeMap<NodeIndex, Height>,
}

impl Newcomer {
    /// A peer says how far it is. Only the first word counts: later ones are of a chain that this
    /// node has been watching.
    pub fn hear(&mut self, node: NodeIndex, height: Height) {
        self.heard.entry(node).or_insert(height);
    }

    /// Whether validator `own` may vote on `height`.
    pub fn may_vote(&self, own: ValidatorId, height: Height, validators: &ValidatorSet) -> bool {
        let power = |id| validators.get(id).map_or(0, |validator| u128::from(validator.power));
        let heard: u128 = self.heard.keys().map(|node| power(ValidatorId(node.0))).sum();
        // An edge node's word moves nobody's vote.
        let voters = self.heard.iter().filter(|(node, _)| power(ValidatorId(node.0)) > 0);
        let head = voters.map(|(_, height)| *height).max().unwrap_or_default();
        let forgotten = if head == Height(0) { head } else { head.next().next() };
        validators.is_quorum(heard + power(own)) && height > forgotten
    }
}

#[cfg(test)]
mod tests {
    use chain_types::{SecretKey, Validator};

    use super::*;

    fn validators() -> ValidatorSet {
        let validator = |id: u8| Validator {
            id: ValidatorId(u32::from(id)),
            public_key: SecretKey::from_seed(&[id; 32]).public_key(),
            power: 1,
        };
        ValidatorSet::new((0..4).map(validator).collect())
    }

    fn heard(heights: &[(u32, u64)]) -> Newcomer {
        let mut newcomer = Newcomer::default();
        for (node, height) in heights {
            newcomer.hear(NodeIndex(*node), Height(*height));
        }
        newcomer
    }

    #[test]
    fn it_votes_once_a_quorum_is_heard_and_nothing_can_be_forgotten() {
        type Row<'a> = (&'a str, &'a [(u32, u64)], u64, bool);
        let rows: &[Row<'_>] = &[
            ("alone", &[], 1, false),
            ("one other of four", &[(1, 0)], 1, false),
            ("the birth of the chain", &[(1, 0), (2, 0)], 1, true),
            ("edge nodes are no quorum", &[(7, 0), (8, 0)], 1, false),
            ("an edge node cannot silence", &[(1, 0), (2, 0), (7, 900)], 1, true),
            ("the height that was being decided", &[(1, 40), (2, 39)], 41, false),
            ("the height after it", &[(1, 40), (2, 39)], 42, false),
            ("the first that cannot be forgotten", &[(1, 40), (2, 39)], 43, true),
        ];
        for (what, heights, height, may) in rows {
            let newcomer = heard(heights);
            let said = newcomer.may_vote(ValidatorId(0), Height(*height), &validators());
            assert_eq!(said, *may, "{what}");
        }
    }

    #[test]
    fn only_the_first_word_counts() {
        let mut newcomer = heard(&[(1, 40), (2, 40)]);
        newcomer.hear(NodeIndex(1), Height(90));
        assert!(newcomer.may_vote(ValidatorId(0), Height(43), &validators()));
    }
}
