//! Readiness: whether this node may answer for the chain, decided from what it has heard. Peers'
//! connections prove nothing by themselves: only a quorum's word says that this node's head is the
//! chain's.

use chain_types::{Height, ValidatorId};
use node_replica::WaitsFor;

/// How far a node may be below what more than a third of the power says.
const BEHIND_BLOCKS_MAX: u64 = 5;
/// The oldest word of a validator that counts, at least.
const WORD_AGE_MS_MIN: u64 = 5_000;
/// The oldest word of a validator that counts, in heartbeats: it speaks once a heartbeat.
const WORD_AGE_HEARTBEATS: u64 = 3;
/// The highest age of the last block, at least.
const BLOCK_AGE_MS_MIN: u64 = 10_000;
/// The highest age of the last block, in heartbeats.
const BLOCK_AGE_HEARTBEATS: u64 = 10;

/// A validator's last status: how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The height that it said it has committed.
    pub height: Height,
    /// How long ago it said so, on the monotonic clock.
    pub age_ms: u64,
}

/// A validator of the head, as this node knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownValidator {
    /// Its name in the registry.
    pub name: String,
    /// The voting power of the validator.
    pub power: u64,
    /// True if it is this node. What others say under its key does not count.
    pub is_own: bool,
    /// The last word that was heard of it.
    pub word: Option<Word>,
}

/// Everything that readiness depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// A write to the store has failed.
    pub has_failed: bool,
    /// Why this validator signs nothing, if it does not.
    pub silent: Option<String>,
    /// True if the registry of the head names this node.
    pub is_registered: bool,
    /// True if this node had its keys by that registry, and has them no longer.
    pub is_withdrawn: bool,
    /// How many peers are connected.
    pub peers_connected: usize,
    /// The validators of the head, ascending by id.
    pub validators: Vec<KnownValidator>,
    /// True if this node votes.
    pub votes: bool,
    /// The height of the last committed block.
    pub height: Height,
    /// How long ago its block was committed.
    pub block_age_ms: u64,
    /// The parameter of that name.
    pub heartbeat_ms: u64,
    /// The missing part of the next block, in words.
    pub lacks: String,
}

/// Why a node is not ready, one cause each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// Nothing can be promised any more.
    #[error("a write to the store failed")]
    StoreFailed,
    /// It is a validator that does not vote.
    #[error("this validator signs nothing: {0}")]
    Silent(String),
    /// Governance took its keys away.
    #[error(
        "governance gave this node other keys than these: put the registered key files beside the \
         present ones, with .next at the end of their names, and start it again"
    )]
    Withdrawn,
    /// Nobody accepts its connections, and its registry does not name it.
    #[error(
        "not registered, and no peer lets this node in: ask the operators to register its network \
         key"
    )]
    Unregistered,
    /// Nobody accepts its connections.
    #[error(
        "no peer lets this node in: check its network key and the keys and addresses of its peers"
    )]
    NotLetIn,
    /// Too few validators have said lately how far they are.
    #[error(
        "no quorum: heard {heard} of {count} validators within {within_s} s, with power {power} \
         of {total} ({needed} needed)"
    )]
    NoQuorum {
        /// The names of those that were heard.
        heard: String,
        /// How many there are.
        count: usize,
        /// How old a word may be.
        within_s: u64,
        /// The power of those heard.
        power: u128,
        /// The power of all.
        total: u128,
        /// The power of a quorum.
        needed: u128,
    },
    /// Blocks are missing here.
    #[error(
        "behind: at height {height}, while validators with more than a third of the power are at \
         {known}"
    )]
    Behind {
        /// The height of this node.
        height: Height,
        /// The height of the chain.
        known: Height,
    },
    /// The chain, or this node's part of it, stands still.
    #[error("no block for {age_s} s: {lacks}")]
    NoBlock {
        /// The time without a block, in seconds.
        age_s: u64,
        /// The missing part of the next block.
        lacks: String,
    },
}

impl Situation {
    /// The highest height that validators with more than a third of the power say they have
    /// committed: at least one of them is honest.
    pub fn known_height(&self) -> Height {
        let mut words: Vec<(Height, u64)> = self
            .validators
            .iter()
            .filter(|validator| !validator.is_own)
            .filter_map(|validator| Some((validator.word?.height, validator.power)))
            .collect();
        words.sort_unstable_by(|one, other| other.cmp(one));
        let total = self.total_power();
        let mut power = 0;
        let honest = words.into_iter().find(|(_, own_power)| {
            power += u128::from(*own_power);
            power * 3 > total
        });
        honest.map_or(Height::new(0), |(height, _)| height)
    }

    /// Returns true if this node is well below what is known.
    pub fn is_behind(&self) -> bool {
        self.known_height().get() > self.height.get().saturating_add(BEHIND_BLOCKS_MAX)
    }

    /// Why this node is not ready, the gravest cause first; empty when it is.
    pub fn causes(&self) -> Vec<NotReady> {
        let mut causes = Vec::new();
        if self.has_failed {
            causes.push(NotReady::StoreFailed);
        }
        causes.extend(self.silent.clone().map(NotReady::Silent));
        if self.is_withdrawn {
            causes.push(NotReady::Withdrawn);
        }
        let has_others = self.validators.iter().any(|validator| !validator.is_own);
        if has_others && self.peers_connected == 0 {
            let cause =
                if self.is_registered { NotReady::NotLetIn } else { NotReady::Unregistered };
            causes.push(cause);
        } else {
            causes.extend(self.lack_of_quorum());
        }
        if self.is_behind() {
            causes.push(NotReady::Behind { height: self.height, known: self.known_height() });
        }
        let age_ms_max = BLOCK_AGE_MS_MIN.max(self.heartbeat_ms * BLOCK_AGE_HEARTBEATS);
        if self.block_age_ms >= age_ms_max {
            let (age_s, lacks) = (self.block_age_ms / 1_000, self.lacks.clone());
            causes.push(NotReady::NoBlock { age_s, lacks });
        }
        causes
    }

    fn lack_of_quorum(&self) -> Option<NotReady> {
        let age_ms_max = WORD_AGE_MS_MIN.max(self.heartbeat_ms * WORD_AGE_HEARTBEATS);
        let is_heard = |validator: &&KnownValidator| match validator.word {
            _ if validator.is_own => self.votes,
            Some(word) => word.age_ms <= age_ms_max,
            None => false,
        };
        let heard: Vec<_> = self.validators.iter().filter(is_heard).collect();
        let power = heard.iter().map(|validator| u128::from(validator.power)).sum();
        let total = self.total_power();
        let needed = total * 2 / 3 + 1;
        let names = heard.iter().map(|validator| match validator.is_own {
            true => format!("{} (this node)", validator.name),
            false => validator.name.clone(),
        });
        (power < needed).then(|| NotReady::NoQuorum {
            heard: listed(names),
            count: self.validators.len(),
            within_s: age_ms_max / 1_000,
            power,
            total,
            needed,
        })
    }

    fn total_power(&self) -> u128 {
        self.validators.iter().map(|validator| u128::from(validator.power)).sum()
    }
}

/// All causes in one line; `None` when there are none.
pub fn reason(causes: &[NotReady]) -> Option<String> {
    let texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Names in a row, or that there are none.
pub fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Names the messages that the next block waits for: `proposal of node-2`, `precommits of node-2,
/// node-3`.
pub fn waits_for_text(waits_for: &WaitsFor, name: impl Fn(ValidatorId) -> String) -> String {
    let names = listed(waits_for.missing().iter().copied().map(name));
    match waits_for {
        WaitsFor::Work => "work".to_owned(),
        WaitsFor::Proposal(_) => format!("proposal of {names}"),
        WaitsFor::Prevotes(_) => format!("prevotes of {names}"),
        WaitsFor::Precommits(_) => format!("precommits of {names}"),
        WaitsFor::Blocks => "blocks of the validators".to_owned(),
        WaitsFor::Heights => "heights of a quorum".to_owned(),
    }
}

/// Says what the next block lacks, as the end of a sentence: `precommits of node-2, node-3 are
/// missing`.
pub fn lacks_text(waits_for: &WaitsFor, name: impl Fn(ValidatorId) -> String) -> String {
    match waits_for {
        WaitsFor::Work => "nothing is proposed".to_owned(),
        WaitsFor::Prevotes(missing) if missing.is_empty() => "the prevotes differ".to_owned(),
        WaitsFor::Precommits(missing) if missing.is_empty() => "the precommits differ".to_owned(),
        WaitsFor::Proposal(_) => format!("{} is missing", waits_for_text(waits_for, name)),
        WaitsFor::Prevotes(_) | WaitsFor::Precommits(_) => {
            format!("{} are missing", waits_for_text(waits_for, name))
        }
        WaitsFor::Blocks => "no validator sends one".to_owned(),
        WaitsFor::Heights => "a quorum has not said how far it is".to_owned(),
    }
}

#[cfg(test)]
mod tests;
