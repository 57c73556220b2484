//! Merkle trees after RFC 6962 section 2.1: leaves and nodes are hashed under different
//! prefixes, a tree of n leaves splits at the largest power of two below n, and nothing is
//! duplicated to fill a level.

use crate::hash::{Digest, sha256};

/// The most hashes a proof may hold: enough for 2^32 leaves.
pub const PROOF_HASHES_MAX: usize = 32;

/// The hash of a leaf.
pub fn leaf(bytes: &[u8]) -> Digest {
    sha256(&[&[0], bytes])
}

/// The hash of an inner node.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&[1], &left.0, &right.0])
}

/// The root of a tree whose leaf hashes are `leaves`; the hash of no bytes when there are none.
pub fn root(leaves: &[Digest]) -> Digest {
    if leaves.is_empty() {
        return sha256(&[]);
    }
    // Pairing level by level, an odd last hash rising unchanged, gives RFC 6962's tree.
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        let mut write = 0;
        let mut read = 0;
        while read < level.len() {
            level[write] = match level.get(read + 1) {
                Some(right) => node(&level[read], right),
                None => level[read],
            };
            write += 1;
            read += 2;
        }
        level.truncate(write);
    }
    level[0]
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
            let above = level
                .chunks(2)
                .map(|pair| if pair.len() == 2 { node(&pair[0], &pair[1]) } else { pair[0] })
                .collect();
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
