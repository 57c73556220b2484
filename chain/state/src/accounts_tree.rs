//! The Merkle tree over accounts: dense leaves in order of creation, depth 32, every absent
//! subtree the precomputed hash of nothing. Any account's counters are provable: at the head from
//! the tree itself, of the past from the nodes of every fourth level, which the store keeps as each
//! block left them.

use bincode::{Decode, Encode};
use chain_types::Digest;
use chain_types::hash::{Domain, hash};
use chain_types::merkle::{node, nodes};

use crate::account::{Account, AccountKey};

/// Levels above the leaves: room for 2^32 accounts.
pub const ACCOUNTS_TREE_DEPTH: usize = 32;

/// Of the past, the nodes of every so many levels are kept; those between are hashed again.
pub const KEPT_LEVELS: usize = 4;
/// Nodes of a kept level that lie under one node of the next kept level.
const GROUP_NODES: u32 = 1 << KEPT_LEVELS;

/// A node of the tree as a block left it, of a level that is kept: a multiple of [`KEPT_LEVELS`]
/// above the leaves, which follow from the accounts' entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TreeNode {
    /// Levels above the leaves.
    pub level: u8,
    /// The place in its level.
    pub index: u32,
    /// The hash of the node.
    pub digest: Digest,
}

/// The nodes among these that are kept. The root, which is nobody's sibling, is not among them.
fn kept<'a>(
    levels: impl Iterator<Item = impl Iterator<Item = (u32, Digest)> + 'a> + 'a,
) -> impl Iterator<Item = TreeNode> + 'a {
    let numbered = (0_u8..).zip(levels.take(ACCOUNTS_TREE_DEPTH)).step_by(KEPT_LEVELS).skip(1);
    numbered.flat_map(|(level, nodes)| {
        nodes.map(move |(index, digest)| TreeNode { level, index, digest })
    })
}

/// `[n]` is the root of an empty subtree of n levels.
fn empty_subtrees() -> [Digest; ACCOUNTS_TREE_DEPTH + 1] {
    let mut empty = [Digest::ZERO; ACCOUNTS_TREE_DEPTH + 1];
    for level in 1..=ACCOUNTS_TREE_DEPTH {
        empty[level] = node(&empty[level - 1], &empty[level - 1]);
    }
    empty
}

/// The tree's hashes, lowest level first; only what is not empty is held.
#[derive(Debug, Clone)]
pub(crate) struct AccountsTree {
    /// `empty[n]` is the root of an empty subtree of n levels.
    empty: [Digest; ACCOUNTS_TREE_DEPTH + 1],
    levels: Vec<Vec<Digest>>,
}

/// The nodes that new leaves change, by level, each ascending by index. Its last is the root.
#[derive(Debug, Clone)]
pub(crate) struct TreeChange {
    levels: Vec<Vec<(u32, Digest)>>,
    root: Digest,
}

impl TreeChange {
    pub(crate) fn root(&self) -> Digest {
        self.root
    }

    /// The changed nodes that proofs of the past need.
    pub(crate) fn kept(&self) -> impl Iterator<Item = TreeNode> {
        kept(self.levels.iter().map(|nodes| nodes.iter().copied()))
    }
}

impl AccountsTree {
    pub(crate) fn new() -> Self {
        Self { empty: empty_subtrees(), levels: vec![Vec::new(); ACCOUNTS_TREE_DEPTH + 1] }
    }

    pub(crate) fn root(&self) -> Digest {
        self.at(ACCOUNTS_TREE_DEPTH, 0)
    }

    /// All nodes that proofs of the past need: what block zero leaves of its accounts.
    pub(crate) fn kept(&self) -> impl Iterator<Item = TreeNode> {
        kept(self.levels.iter().map(|nodes| (0_u32..).zip(nodes.iter().copied())))
    }

    fn at(&self, level: usize, index: u32) -> Digest {
        self.levels[level].get(index as usize).copied().unwrap_or(self.empty[level])
    }

    /// Returns the tree with these leaves, ascending by index; new ones follow the last.
    pub(crate) fn change(&self, leaves: Vec<(u32, Digest)>) -> TreeChange {
        let mut levels = Vec::with_capacity(ACCOUNTS_TREE_DEPTH + 1);
        let mut below = leaves;
        for level in 0..ACCOUNTS_TREE_DEPTH {
            let mut parents: Vec<u32> = Vec::with_capacity(below.len());
            let mut pairs: Vec<(Digest, Digest)> = Vec::with_capacity(below.len());
            let mut at = 0;
            while let Some(&(index, digest)) = below.get(at) {
                at += 1;
                pairs.push(if index % 2 == 1 {
                    (self.at(level, index - 1), digest)
                } else if let Some((_, right)) = below.get(at).filter(|next| next.0 == index + 1) {
                    at += 1;
                    (digest, *right)
                } else {
                    (digest, self.at(level, index + 1))
                });
                parents.push(index / 2);
            }
            let digests = nodes(pairs.iter().map(|(left, right)| (left, right)));
            let above = parents.into_iter().zip(digests).collect();
            levels.push(std::mem::replace(&mut below, above));
        }
        let root = below.first().map_or_else(|| self.root(), |(_, digest)| *digest);
        levels.push(below);
        TreeChange { levels, root }
    }

    /// Takes a change that was made on this very tree.
    pub(crate) fn apply(&mut self, change: &TreeChange) {
        for (level, changes) in self.levels.iter_mut().zip(&change.levels) {
            for (index, digest) in changes {
                let at = *index as usize;
                assert!(at <= level.len(), "leaf {at} does not follow the last account");
                if at == level.len() {
                    level.push(*digest);
                } else {
                    level[at] = *digest;
                }
            }
        }
        assert_eq!(self.root(), change.root, "the change was made on another tree");
    }

    /// The siblings of leaf `index`, from the leaf upwards.
    pub(crate) fn prove(&self, index: u32) -> Vec<Digest> {
        (0..ACCOUNTS_TREE_DEPTH).map(|level| self.at(level, (index >> level) ^ 1)).collect()
    }
}

/// The place of an account among all: see [`AccountProof::from_kept`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountPlace {
    /// Its place in the order of creation.
    pub index: u32,
    /// How many accounts there are, at the time of the proof or later.
    pub count: u32,
}

/// The digest of the whole state: its accounts, and the running digest of every other write.
pub(crate) fn state_digest(accounts_root: Digest, writes: Digest) -> Digest {
    hash(Domain::State, &[&accounts_root.bytes(), &writes.bytes()])
}

/// Proof that an account had these counters in the state of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AccountProof {
    /// The name of the account.
    pub key: AccountKey,
    /// The counters that the proof is about.
    pub account: Account,
    /// Its place in the order of creation.
    pub index: u32,
    /// From its leaf to the accounts' root: [`ACCOUNTS_TREE_DEPTH`] hashes.
    pub siblings: Vec<Digest>,
    /// The running digest of all other writes.
    pub writes: Digest,
}

impl AccountProof {
    /// The proof of an account of the past from the nodes that are kept: `node_at(level, index)`
    /// says what stood at a place of a kept level after the block, or of level 0, where each
    /// account has its leaf; `None` for nothing yet. Beside
    /// `account` as the block left it, `place` says where the account stands in the order of
    /// creation and of how many at least as late; `writes` is the block's running digest of all
    /// other writes. Asks for at most 15 nodes a kept level that the tree reaches, and makes at
    /// most 120 hashes.
    ///
    /// # Errors
    /// Those of `node_at`.
    pub fn from_kept<E>(
        (key, account): (AccountKey, Account),
        place: AccountPlace,
        writes: Digest,
        mut node_at: impl FnMut(u8, u32) -> Result<Option<Digest>, E>,
    ) -> Result<Self, E> {
        let empty = empty_subtrees();
        let AccountPlace { index, count } = place;
        let mut own = account.leaf(&key);
        let mut siblings = Vec::with_capacity(ACCOUNTS_TREE_DEPTH);
        for level in (0_u8..).step_by(KEPT_LEVELS).take(ACCOUNTS_TREE_DEPTH / KEPT_LEVELS) {
            let (own_index, last) = (index >> level, count.saturating_sub(1) >> level);
            let nothing = empty[usize::from(level)];
            let mut row = Vec::with_capacity(GROUP_NODES as usize);
            for at in (0..GROUP_NODES).map(|at| own_index & !(GROUP_NODES - 1) | at) {
                row.push(match at {
                    at if at == own_index => own,
                    at if at > last => nothing,
                    at => node_at(level, at)?.unwrap_or(nothing),
                });
            }
            let mut at = (own_index % GROUP_NODES) as usize;
            while row.len() > 1 {
                siblings.push(row[at ^ 1]);
                row = row.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect();
                at /= 2;
            }
            own = row[0];
        }
        Ok(Self { key, account, index, siblings, writes })
    }

    /// Returns true if the proof leads to the state digest of a block header.
    pub fn holds(&self, digest: Digest) -> bool {
        if self.siblings.len() != ACCOUNTS_TREE_DEPTH {
            return false;
        }
        let mut hash = self.account.leaf(&self.key);
        for (level, sibling) in self.siblings.iter().enumerate() {
            hash = if self.index >> level & 1 == 1 {
                node(sibling, &hash)
            } else {
                node(&hash, sibling)
            };
        }
        state_digest(hash, self.writes) == digest
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use chain_types::{Currency, MerchantId};

    use super::*;

    fn account_of(number: u32, version: u128) -> (AccountKey, Account) {
        let key = AccountKey::payable(MerchantId::new(u64::from(number)), Currency::new(156));
        (key, Account { credits_posted: version, ..Account::default() })
    }

    /// A tree that grows by blocks, and what is kept of each.
    #[derive(Default)]
    struct Past {
        versions: BTreeMap<u32, Vec<(u64, u128)>>,
        nodes: BTreeMap<(u8, u32, u64), Digest>,
    }

    impl Past {
        fn block(&mut self, tree: &mut AccountsTree, height: u64, accounts: &[u32]) {
            let version = u128::from(height);
            let leaves = accounts.iter().map(|number| {
                let (key, account) = account_of(*number, version);
                (*number, account.leaf(&key))
            });
            let change = tree.change(leaves.collect());
            for node in change.kept() {
                assert_ne!(node.level, 0, "leaves follow from the accounts");
                self.nodes.insert((node.level, node.index, height), node.digest);
            }
            for number in accounts {
                let (key, account) = account_of(*number, version);
                self.nodes.insert((0, *number, height), account.leaf(&key));
                self.versions.entry(*number).or_default().push((height, version));
            }
            tree.apply(&change);
        }

        /// The proof, and how many nodes were asked for.
        fn prove(&self, number: u32, height: u64, count: u32) -> (AccountProof, usize) {
            let versions = self.versions[&number].iter().rev();
            let (_, version) = versions.clone().find(|(at, _)| *at <= height).unwrap();
            let mut asked = 0;
            let node_at = |level, index| -> Result<Option<Digest>, Infallible> {
                asked += 1;
                let range = (level, index, 0)..=(level, index, height);
                Ok(self.nodes.range(range).next_back().map(|(_, digest)| *digest))
            };
            let place = AccountPlace { index: number, count };
            let subject = account_of(number, *version);
            let Ok(proof) = AccountProof::from_kept(subject, place, Digest::ZERO, node_at);
            (proof, asked)
        }
    }

    #[test]
    fn the_past_is_proven_from_what_is_kept_of_it() {
        let (mut tree, mut past) = (AccountsTree::new(), Past::default());
        let blocks: [Vec<u32>; 5] = [
            (0..3).collect(),
            (1..20).collect(),
            vec![0, 17, 19],
            (15..700).collect(),
            vec![16, 256, 699],
        ];
        let mut digests = Vec::new();
        for (height, accounts) in (0_u64..).zip(&blocks) {
            past.block(&mut tree, height, accounts);
            digests.push(state_digest(tree.root(), Digest::ZERO));
        }
        let counts: [u32; 5] = [3, 20, 20, 700, 700];
        for ((height, count), digest) in (0_u64..).zip(counts).zip(&digests) {
            for number in (0..count).filter(|number| number % 7 < 3 || *number > 690) {
                let (proof, _) = past.prove(number, height, 700);
                assert!(proof.holds(*digest), "account {number} at height {height}");
            }
        }
        for number in [0, 15, 16, 255, 256, 699] {
            let (proof, _) = past.prove(number, 4, 700);
            assert_eq!(proof.siblings, tree.prove(number), "as the tree itself proves it");
        }
    }

    #[test]
    fn a_proof_among_forty_thousand_accounts_asks_for_sixty_nodes() {
        let (mut tree, mut past) = (AccountsTree::new(), Past::default());
        past.block(&mut tree, 0, &(0..40_000).collect::<Vec<_>>());
        past.block(&mut tree, 1, &[1, 777, 39_999]);
        for number in [0, 777, 20_000, 39_999] {
            let (proof, asked) = past.prove(number, 1, 40_000);
            assert!(proof.holds(state_digest(tree.root(), Digest::ZERO)));
            assert!(asked <= 4 * 15, "{asked} nodes");
        }
        let kept = past.nodes.range((0, 0, 1)..).filter(|((_, _, height), _)| *height == 1);
        assert!(kept.count() <= 3 * 8, "a block keeps eight nodes an account at most");
    }
}
