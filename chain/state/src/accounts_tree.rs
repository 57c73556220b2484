//! The Merkle tree over accounts: dense leaves in order of creation, depth 32, every absent
//! subtree the precomputed hash of nothing. Any account's counters are provable.

use bincode::{Decode, Encode};
use chain_types::Digest;
use chain_types::hash::{Domain, hash};
use chain_types::merkle::node;

use crate::account::{Account, AccountKey};

/// Levels above the leaves: room for 2^32 accounts.
pub const ACCOUNTS_TREE_DEPTH: usize = 32;

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
}

impl AccountsTree {
    pub(crate) fn new() -> Self {
        let mut empty = [Digest::ZERO; ACCOUNTS_TREE_DEPTH + 1];
        for level in 1..=ACCOUNTS_TREE_DEPTH {
            empty[level] = node(&empty[level - 1], &empty[level - 1]);
        }
        Self { empty, levels: vec![Vec::new(); ACCOUNTS_TREE_DEPTH + 1] }
    }

    pub(crate) fn root(&self) -> Digest {
        self.at(ACCOUNTS_TREE_DEPTH, 0)
    }

    fn at(&self, level: usize, index: u32) -> Digest {
        self.levels[level].get(index as usize).copied().unwrap_or(self.empty[level])
    }

    /// What the tree becomes with these leaves, ascending by index; new ones follow the last.
    pub(crate) fn change(&self, leaves: Vec<(u32, Digest)>) -> TreeChange {
        let mut levels = Vec::with_capacity(ACCOUNTS_TREE_DEPTH + 1);
        let mut below = leaves;
        for level in 0..ACCOUNTS_TREE_DEPTH {
            let mut above: Vec<(u32, Digest)> = Vec::with_capacity(below.len());
            let mut at = 0;
            while let Some(&(index, digest)) = below.get(at) {
                at += 1;
                let parent = if index % 2 == 1 {
                    node(&self.at(level, index - 1), &digest)
                } else if let Some((_, right)) = below.get(at).filter(|next| next.0 == index + 1) {
                    at += 1;
                    node(&digest, right)
                } else {
                    node(&digest, &self.at(level, index + 1))
                };
                above.push((index / 2, parent));
            }
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

/// The digest of the whole state: its accounts, and the running digest of every other write.
pub(crate) fn state_digest(accounts_root: Digest, writes: Digest) -> Digest {
    hash(Domain::State, &[&accounts_root.0, &writes.0])
}

/// Proof that an account had these counters in the state of a digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AccountProof {
    /// The account.
    pub key: AccountKey,
    /// Its counters.
    pub account: Account,
    /// Its place in the order of creation.
    pub index: u32,
    /// From its leaf to the accounts' root: [`ACCOUNTS_TREE_DEPTH`] hashes.
    pub siblings: Vec<Digest>,
    /// The running digest of all other writes.
    pub writes: Digest,
}

impl AccountProof {
    /// The proof of the account of `key`, made anew from all accounts in order of creation and the
    /// running digest of all other writes; `None` when it is not among them.
    pub fn make(
        key: &AccountKey,
        accounts: &[(AccountKey, Account)],
        writes: Digest,
    ) -> Option<Self> {
        let at = accounts.iter().position(|(other, _)| other == key)?;
        let (_, account) = accounts.get(at)?;
        let index = u32::try_from(at).ok()?;
        let leaves = (0_u32..).zip(accounts).map(|(at, (key, account))| (at, account.leaf(key)));
        let mut tree = AccountsTree::new();
        let change = tree.change(leaves.collect());
        tree.apply(&change);
        Some(Self { key: *key, account: *account, index, siblings: tree.prove(index), writes })
    }

    /// Whether the proof leads to the state digest of a block header.
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
