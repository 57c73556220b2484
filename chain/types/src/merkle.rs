//! Merkle trees after RFC 6962 section 2.1: leaves and nodes are hashed under different
//! prefixes, a tree of n leaves splits at the largest power of two below n, and nothing is
//! duplicated to fill a level.

use crate::hash::{Digest, sha256, sha256_of};
use crate::hash_many::HashMany;

/// The most hashes a proof may hold: enough for 2^32 leaves.
pub const PROOF_HASHES_MAX: usize = 32;

/// The byte before a leaf's bytes.
pub const LEAF_PREFIX: u8 = 0;
/// The byte before an inner node's two hashes.
const NODE_PREFIX: u8 = 1;

/// The hash of a leaf.
pub fn leaf(bytes: &[u8]) -> Digest {
    sha256(&[&[LEAF_PREFIX], bytes])
}

/// The hashes of leaves, all together.
pub fn leaves<'a>(leaves: impl Iterator<Item = &'a [u8]>) -> Vec<Digest> {
    let mut many = HashMany::default();
    for leaf in leaves {
        many.push(|message| {
            message.push(LEAF_PREFIX);
            message.extend_from_slice(leaf);
        });
    }
    many.finish()
}

/// The hash of an inner node.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    let mut message = [NODE_PREFIX; 1 + 32 + 32];
    message[1..33].copy_from_slice(&left.bytes());
    message[33..].copy_from_slice(&right.bytes());
    sha256_of(&message)
}

/// [`node`] of many pairs, all together.
pub fn nodes<'a>(pairs: impl Iterator<Item = (&'a Digest, &'a Digest)>) -> Vec<Digest> {
    let mut many = HashMany::default();
    for (left, right) in pairs {
        many.push(|message| {
            message.push(NODE_PREFIX);
            message.extend_from_slice(&left.bytes());
            message.extend_from_slice(&right.bytes());
        });
    }
    many.finish()
}

/// The root of a tree whose leaf hashes are `leaves`; the hash of no bytes when there are none.
pub fn root(leaves: &[Digest]) -> Digest {
    if leaves.is_empty() {
        return sha256(&[]);
    }
    // Pairing level by level, an odd last hash rising unchanged, gives RFC 6962's tree.
    let mut level = above(leaves);
    while level.len() > 1 {
        level = above(&level);
    }
    level[0]
}

/// The level above one of a tree, which is not empty.
fn above(level: &[Digest]) -> Vec<Digest> {
    let (pairs, odd) = level.as_chunks::<2>();
    let mut above = nodes(pairs.iter().map(|[left, right]| (left, right)));
    above.extend_from_slice(odd);
    above
}

/// All hashes of a tree, for the proofs of several of its leaves, and for a root that follows a
/// changed leaf along one path.
#[derive(Debug, Clone)]
pub struct Tree {
    /// The leaves first, the root last.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree whose leaf hashes are `leaves`.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = Vec::new();
        let mut level = leaves;
        while level.len() > 1 {
            let above = above(&level);
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Self { levels }
    }

    /// Returns the root, as [`root`] gives it.
    pub fn root(&self) -> Digest {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_else(|| root(&[]))
    }

    /// Returns the leaf hashes.
    pub fn leaves(&self) -> &[Digest] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Replaces the hash of leaf `index`, or adds a leaf when that is their number. Anything beyond
    /// is no place of the tree, and changes nothing.
    pub fn put(&mut self, index: usize, leaf: Digest) {
        let mut at = index;
        let mut hash = leaf;
        for depth in 0.. {
            if depth == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[depth];
            let count = level.len();
            match level.get_mut(at) {
                Some(place) => *place = hash,
                None if count == at => level.push(hash),
                None => return,
            }
            if level.len() == 1 {
                return;
            }
            at /= 2;
            hash = match (level.get(2 * at), level.get(2 * at + 1)) {
                (Some(left), Some(right)) => node(left, right),
                (Some(lone), None) => *lone,
                _ => return,
            };
        }
    }

    /// The siblings of leaf `index`, from the leaf upwards; `None` when there is no such leaf.
    pub fn prove(&self, index: usize) -> Option<Vec<Digest>> {
        self.levels.first()?.get(index)?;
        let levels = self.levels.iter().enumerate();
        let siblings = levels.filter_map(|(depth, level)| level.get((index >> depth) ^ 1));
        Some(siblings.copied().collect())
    }
}

/// The siblings of leaf `index`, from the leaf upwards; `None` when there is no such leaf.
pub fn prove(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    Tree::new(leaves.to_vec()).prove(index)
}

/// The root that leaf hash `leaf_hash` at `index` of `count` and its `proof` lead to (RFC 9162
/// section 2.1.3.2); `None` when the proof is not exactly as long as such a tree asks for.
pub fn root_from_proof(
    leaf_hash: Digest,
    index: u64,
    count: u64,
    proof: &[Digest],
) -> Option<Digest> {
    if index >= count || proof.len() > PROOF_HASHES_MAX {
        return None;
    }
    let mut hash = leaf_hash;
    let mut at = index;
    let mut last = count - 1;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}
