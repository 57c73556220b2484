//! A validator that has signed nothing in this home may be one that lost its disk and, with it, the
//! memory of what it signed. Until it knows better it stays silent: it waits to hear how far a
//! quorum is, and signs nothing for a height that its lost self may have voted on.
//!
//! May it vote on height h? Its lost self can have voted there only if it had committed h - 1.
//! Then a quorum *of the validators who decided h - 1* had precommitted it, and each honest one
//! of those had committed h - 2 before.
//!
//! Now take *any* quorum of those validators that are heard, this one included if it was one.
//! It shares more than a third of their power with the quorum of h - 1. Let at most a third be
//! *forgetful*: this validator, others that lost their disks, and liars that say less than
//! their votes tell of. Then one of those shared is none of them, and said h - 2 or more. So
//! the highest word within any quorum is at least h - 2 where the lost self can have voted, and
//! above it by more than two nothing can be forgotten. Since that holds for every quorum, it
//! holds for the one whose highest word is lowest: that word is taken, and those above it bind
//! nobody.
//!
//! The validators of h itself would not do: governance may have made them others than those who
//! decided h - 1, and quorums of two sets need not meet. A validator that governance has just
//! added is not among those who decided; it counts for nothing then, and waits for a quorum of
//! the others. Who decided the block that a home holds at its start is not known until the next
//! one is committed; a newcomer is silent so long. That costs nothing: what it hears after its
//! start is that block's height at least, but for a third of the power.
//!
//! Whoever says *more* than it has makes no quorum's highest word lower, so it cannot make a
//! key sign twice. Nor can it silence anybody: once the honest that are heard are a quorum with
//! this validator, no word above the highest of theirs is taken.
//!
//! A lost disk is one way to forget; a home that was copied is another, and then the original may
//! still be running. So a newcomer also listens: see `silence`.
//!
//! At the birth of a chain everybody is a newcomer, and a quorum says that it has committed
//! nothing: then nothing is taken to be forgotten. A disk that is lost before the second block is
//! therefore the one case in which a key may sign twice; whoever loses one then should wait for
//! block two. More than a third forgetful at once is what no rule of this kind bears: see
//! record 0008.

use std::collections::BTreeMap;

use chain_types::{Height, ValidatorId, ValidatorSet};

use crate::identity::NodeIndex;

/// How far above the word of a quorum the lost votes may be, in blocks.
const FORGOTTEN_BLOCKS: u64 = 2;

/// The words of peers that a newcomer has heard.
#[derive(Debug)]
pub(crate) struct Newcomer {
    heard: BTreeMap<NodeIndex, Height>,
    /// The validators that decided the committed block, if they are known.
    decided_by: Option<ValidatorSet>,
}

impl Newcomer {
    /// A newcomer that has heard nothing. Block zero is nobody's decision: the validators of block
    /// one stand for those who made it.
    pub fn new(decided_by: Option<ValidatorSet>) -> Self {
        Self { heard: BTreeMap::new(), decided_by }
    }

    /// A block was committed that these validators decided.
    pub fn committed(&mut self, decided_by: &ValidatorSet) {
        self.decided_by = Some(decided_by.clone());
    }

    /// A peer says how far it is. Only the first word counts: later ones are of a chain that this
    /// node has been watching.
    pub fn hear(&mut self, node: NodeIndex, height: Height) {
        self.heard.entry(node).or_insert(height);
    }

    /// The highest height at which votes of `own` may be forgotten: zero at the birth of a chain.
    /// `None` as long as nobody can tell.
    pub fn forgotten_max(&self, own: ValidatorId) -> Option<Height> {
        let said = self.decided_by.as_ref().and_then(|set| self.lowest_quorum(own, set))?;
        // Saturating: the height is a peer's word.
        Some(if said == Height::new(0) { said } else { said.plus(FORGOTTEN_BLOCKS) })
    }

    /// The highest word within that quorum, `own` included, in which it is lowest; `None` while
    /// no quorum is heard. An edge node's word has no power and moves nothing.
    fn lowest_quorum(&self, own: ValidatorId, validators: &ValidatorSet) -> Option<Height> {
        let power = |id| validators.get(id).map_or(0, |validator| u128::from(validator.power));
        let mut ascending: Vec<(Height, u128)> = self
            .heard
            .iter()
            .map(|(node, said)| (*said, power(ValidatorId::new(node.get()))))
            .collect();
        ascending.push((Height::new(0), power(own)));
        ascending.sort_unstable();
        let mut sum = 0;
        ascending.into_iter().find_map(|(said, power)| {
            sum += power;
            validators.is_quorum(sum).then_some(said)
        })
    }
}

#[cfg(test)]
mod tests;
