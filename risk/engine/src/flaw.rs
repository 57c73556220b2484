//! Why bytes are no model: each cause with a number that never changes.

/// The reason why a model is refused. `tree` and `node` count from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelFlaw {
    /// The bytes end within a field.
    #[error("the bytes end early, after {0}: the model was cut")]
    Truncated(usize),
    /// Bytes follow the last tree.
    #[error("{0} bytes follow the last tree: cut them off")]
    Trailing(usize),
    /// The first eight bytes are those of something else.
    #[error("the bytes do not begin with SLUICEM1: they are no risk model")]
    Magic,
    /// The model was made for another list of features.
    #[error("the model names features of version {0}: train it for the version of this program")]
    FeaturesVersion(u16),
    /// A model has 1 to 1,024 trees.
    #[error("{0} trees: a model has 1 to 1,024")]
    Trees(usize),
    /// A tree has an odd number of nodes, 1 to 511.
    #[error("tree {tree} has {nodes} nodes: a tree has an odd number, 1 to 511")]
    Nodes {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// The number of its nodes.
        nodes: usize,
    },
    /// A node asks for a feature that the list does not have.
    #[error("tree {tree}, node {node}: no feature has the number {feature}")]
    UnknownFeature {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
        /// The feature number that was found.
        feature: u16,
    },
    /// A node's child is the node itself or one before it.
    #[error("tree {tree}, node {node}: its child {child} leads back; children follow their parent")]
    Cyclic {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
        /// Index of the first of its two children in the tree, from zero.
        child: usize,
    },
    /// A node's children lie beyond the tree's end.
    #[error("tree {tree}, node {node}: its child {child} is beyond the tree's end")]
    ChildRange {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
        /// Index of the first of its two children in the tree, from zero.
        child: usize,
    },
    /// The children are not numbered level by level, or nodes have no parent.
    #[error("tree {tree}, node {node}: nodes are numbered level by level, two to each split")]
    Order {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
    },
    /// A leaf has a threshold or a child.
    #[error("tree {tree}, node {node}: the threshold and the child of a leaf are zero")]
    Leaf {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
    },
    /// A path has more than eight splits.
    #[error("tree {tree}, node {node}: it lies deeper than 8 splits")]
    Depth {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
    },
    /// The mean of a split is not between those of its children.
    #[error("tree {tree}, node {node}: its mean is not between those of its children")]
    Mean {
        /// Index of the tree in the model, from zero.
        tree: usize,
        /// Index of the node in its tree, from zero.
        node: usize,
    },
    /// The score of some features would not fit 32 bits.
    #[error("the leaves and the bias can add up to {0}, which does not fit 32 bits")]
    Sum(i64),
    /// The score from which orders are refused is below the one from which they are held.
    #[error("orders are refused from score {refuse_at} and held from {hold_at}: hold first")]
    Limits {
        /// The score from which an order is held.
        hold_at: i32,
        /// The score from which it is refused.
        refuse_at: i32,
    },
}

impl ModelFlaw {
    /// Returns the cause's number and its name. Numbers never change.
    pub const fn code(&self) -> (u16, &'static str) {
        match self {
            Self::Truncated(_) => (1, "truncated"),
            Self::Trailing(_) => (2, "trailing"),
            Self::Magic => (3, "magic"),
            Self::FeaturesVersion(_) => (4, "features-version"),
            Self::Trees(_) => (5, "trees"),
            Self::Nodes { .. } => (6, "nodes"),
            Self::UnknownFeature { .. } => (7, "unknown-feature"),
            Self::Cyclic { .. } => (8, "cyclic"),
            Self::ChildRange { .. } => (9, "child-range"),
            Self::Order { .. } => (10, "order"),
            Self::Leaf { .. } => (11, "leaf"),
            Self::Depth { .. } => (12, "depth"),
            Self::Mean { .. } => (13, "mean"),
            Self::Sum(_) => (14, "sum"),
            Self::Limits { .. } => (15, "limits"),
        }
    }
}
