//! A model: gradient-boosted trees in one form of bytes, checked before they are used.
//!
//! Everything is little-endian and of fixed width. Two models with the same trees have the same
//! bytes, so the id names what a model does: nodes are numbered level by level, and a leaf has no
//! other fields than its value.

use chain_types::Digest;
use chain_types::hash::{Domain, hash};

use crate::catalogue::{CATALOGUE_VERSION, FEATURES};
use crate::flaw::ModelFlaw;

/// The first bytes of a model.
pub const MODEL_MAGIC: [u8; 8] = *b"SLUICEM1";
/// Bytes before the first tree.
pub const MODEL_HEAD_BYTES: usize = 24;
/// Bytes of a node.
pub const NODE_BYTES: usize = 16;
/// The most trees of a model.
pub const TREES_MAX: usize = 1_024;
/// The most splits on a path.
pub const DEPTH_MAX: usize = 8;
/// The most nodes of a tree: one of the greatest depth that is full.
pub const TREE_NODES_MAX: usize = (1 << (DEPTH_MAX + 1)) - 1;
/// The most bytes of a model.
pub const MODEL_BYTES_MAX: usize = MODEL_HEAD_BYTES + TREES_MAX * (2 + TREE_NODES_MAX * NODE_BYTES);
/// The feature number of a leaf.
pub const LEAF: u16 = u16::MAX;

/// The bias and the limits of a model, which stand before its trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelHead {
    /// The number that is added to every score.
    pub bias: i32,
    /// The least score from which an order is held.
    pub hold_at: i32,
    /// The least score from which an order is refused; not below `hold_at`.
    pub refuse_at: i32,
}

/// A node of a tree: a split, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelNode {
    /// The number of the feature that a split asks for; [`LEAF`] in a leaf.
    pub feature: u16,
    /// The node for values up to the threshold; the next one is for larger values. Zero in a leaf.
    pub child: u16,
    /// A leaf's value, or the mean of a split's leaves as the trainer saw them. From it the reasons
    /// are worked out; the score depends on leaves alone.
    pub value: i32,
    /// The largest value of the feature that leads to `child`. Zero in a leaf.
    pub threshold: i64,
}

/// Trees that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskModel {
    head: ModelHead,
    trees: Vec<Vec<ModelNode>>,
    id: Digest,
}

impl ModelNode {
    /// Returns a leaf of this value.
    pub const fn leaf(value: i32) -> Self {
        Self { feature: LEAF, child: 0, value, threshold: 0 }
    }

    /// Returns true if the node is a leaf.
    pub const fn is_leaf(&self) -> bool {
        self.feature == LEAF
    }
}

impl RiskModel {
    /// Checks trees, and makes a model of them.
    ///
    /// # Errors
    /// [`ModelFlaw`] for the first rule that is broken, by the order of trees and nodes.
    pub fn new(head: ModelHead, trees: Vec<Vec<ModelNode>>) -> Result<Self, ModelFlaw> {
        if trees.is_empty() || trees.len() > TREES_MAX {
            return Err(ModelFlaw::Trees(trees.len()));
        }
        if head.refuse_at < head.hold_at {
            let ModelHead { hold_at, refuse_at, .. } = head;
            return Err(ModelFlaw::Limits { hold_at, refuse_at });
        }
        for (index, nodes) in trees.iter().enumerate() {
            check_tree(index, nodes)?;
        }
        check_sums(head.bias, &trees)?;
        let id = hash(Domain::Model, &[&bytes_of(&head, &trees)]);
        Ok(Self { head, trees, id })
    }

    /// Reads a model from its canonical bytes.
    ///
    /// # Errors
    /// [`ModelFlaw`] for bytes that end early, trail, or break a rule of the form.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelFlaw> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take::<8>()? != MODEL_MAGIC {
            return Err(ModelFlaw::Magic);
        }
        let version = u16::from_le_bytes(reader.take()?);
        if version != CATALOGUE_VERSION {
            return Err(ModelFlaw::FeaturesVersion(version));
        }
        let count = usize::from(u16::from_le_bytes(reader.take()?));
        if count == 0 || count > TREES_MAX {
            return Err(ModelFlaw::Trees(count));
        }
        let head = ModelHead {
            bias: i32::from_le_bytes(reader.take()?),
            hold_at: i32::from_le_bytes(reader.take()?),
            refuse_at: i32::from_le_bytes(reader.take()?),
        };
        let trees = (0..count).map(|tree| reader.tree(tree)).collect::<Result<_, _>>()?;
        match bytes.len() - reader.at {
            0 => Self::new(head, trees),
            trailing => Err(ModelFlaw::Trailing(trailing)),
        }
    }

    /// Returns the canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        bytes_of(&self.head, &self.trees)
    }

    /// Returns the model's id: the digest of its canonical bytes under a tag of its own.
    pub const fn id(&self) -> Digest {
        self.id
    }

    /// Returns bias and limits.
    pub const fn head(&self) -> &ModelHead {
        &self.head
    }

    /// Returns the nodes of each tree.
    pub fn trees(&self) -> &[Vec<ModelNode>] {
        &self.trees
    }
}

/// Bytes that are read field by field.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ModelFlaw> {
        let Some((field, _)) = self.bytes[self.at..].split_first_chunk() else {
            return Err(ModelFlaw::Truncated(self.bytes.len()));
        };
        self.at += N;
        Ok(*field)
    }

    fn tree(&mut self, tree: usize) -> Result<Vec<ModelNode>, ModelFlaw> {
        let nodes = usize::from(u16::from_le_bytes(self.take()?));
        if nodes.is_multiple_of(2) || nodes > TREE_NODES_MAX {
            return Err(ModelFlaw::Nodes { tree, nodes });
        }
        (0..nodes).map(|_| self.node()).collect()
    }

    fn node(&mut self) -> Result<ModelNode, ModelFlaw> {
        Ok(ModelNode {
            feature: u16::from_le_bytes(self.take()?),
            child: u16::from_le_bytes(self.take()?),
            value: i32::from_le_bytes(self.take()?),
            threshold: i64::from_le_bytes(self.take()?),
        })
    }
}

/// Returns the canonical bytes of what was checked.
fn bytes_of(head: &ModelHead, trees: &[Vec<ModelNode>]) -> Vec<u8> {
    let nodes: usize = trees.iter().map(Vec::len).sum();
    let mut bytes = Vec::with_capacity(MODEL_HEAD_BYTES + trees.len() * 2 + nodes * NODE_BYTES);
    bytes.extend(MODEL_MAGIC);
    bytes.extend(CATALOGUE_VERSION.to_le_bytes());
    // At most 1,024 trees of 511 nodes.
    bytes.extend((trees.len() as u16).to_le_bytes());
    bytes.extend(head.bias.to_le_bytes());
    bytes.extend(head.hold_at.to_le_bytes());
    bytes.extend(head.refuse_at.to_le_bytes());
    for tree in trees {
        bytes.extend((tree.len() as u16).to_le_bytes());
        for node in tree {
            bytes.extend(node.feature.to_le_bytes());
            bytes.extend(node.child.to_le_bytes());
            bytes.extend(node.value.to_le_bytes());
            bytes.extend(node.threshold.to_le_bytes());
        }
    }
    bytes
}

/// Checks one tree, node by node.
fn check_tree(tree: usize, nodes: &[ModelNode]) -> Result<(), ModelFlaw> {
    if nodes.len().is_multiple_of(2) || nodes.len() > TREE_NODES_MAX {
        return Err(ModelFlaw::Nodes { tree, nodes: nodes.len() });
    }
    let mut depths = vec![0; nodes.len()];
    // Level by level, each split's children are the next two nodes.
    let mut next = 1;
    for (node, one) in nodes.iter().enumerate() {
        if one.is_leaf() {
            if one.child != 0 || one.threshold != 0 {
                return Err(ModelFlaw::Leaf { tree, node });
            }
            continue;
        }
        if usize::from(one.feature) >= FEATURES {
            return Err(ModelFlaw::UnknownFeature { tree, node, feature: one.feature });
        }
        let child = usize::from(one.child);
        if child <= node {
            return Err(ModelFlaw::Cyclic { tree, node, child });
        }
        let Some([left, right]) = nodes.get(child..).and_then(<[_]>::first_chunk) else {
            return Err(ModelFlaw::ChildRange { tree, node, child });
        };
        if child != next {
            return Err(ModelFlaw::Order { tree, node });
        }
        next += 2;
        let depth = depths[node] + 1;
        if depth > DEPTH_MAX {
            return Err(ModelFlaw::Depth { tree, node: child });
        }
        (depths[child], depths[child + 1]) = (depth, depth);
        let (least, most) = (left.value.min(right.value), left.value.max(right.value));
        if !(least..=most).contains(&one.value) {
            return Err(ModelFlaw::Mean { tree, node });
        }
    }
    // A node that no split names.
    if next == nodes.len() { Ok(()) } else { Err(ModelFlaw::Order { tree, node: next }) }
}

/// Checks that the largest and the least score fit 32 bits.
fn check_sums(bias: i32, trees: &[Vec<ModelNode>]) -> Result<(), ModelFlaw> {
    let (mut least, mut most) = (i64::from(bias), i64::from(bias));
    for tree in trees {
        let leaves = tree.iter().filter(|node| node.is_leaf()).map(|leaf| i64::from(leaf.value));
        least += leaves.clone().min().unwrap_or(0);
        most += leaves.max().unwrap_or(0);
    }
    let outside = [least, most].into_iter().find(|sum| i32::try_from(*sum).is_err());
    outside.map_or(Ok(()), |sum| Err(ModelFlaw::Sum(sum)))
}
