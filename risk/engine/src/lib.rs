//! A risk desk's deciding half: features from blocks, trees, and verdicts that can be replayed.
//!
//! Final orders go in, in the order of their blocks. Each changes the histories of its user,
//! merchant, device and network, in bounded memory. An inquiry is answered from these histories by
//! a model of integer trees, with a verdict of 128 bytes and three reasons. Integers only; no
//! clock, socket or file: time arrives as an argument. Whoever has the blocks, the model and the
//! inquiries works out every verdict again. `docs/risk.md` shows features and formats, and ADR 0062
//! says why they are so.

mod catalogue;
mod conflict;
mod decay;
mod engine;
mod flaw;
mod history;
mod judge;
mod key;
mod model;
mod order;
mod replay;
mod sketch;
mod table;
mod trees;
mod verdict;

pub use catalogue::{
    CATALOGUE_VERSION, CHAIN_FEATURES, FEATURES, FeatureRow, FeatureVector, PRIVATE_FEATURES,
    RiskSubject, catalogue,
};
pub use conflict::{ConflictFlaw, VerdictConflict};
pub use engine::{EngineSize, EngineSizeError, LABEL_WEIGHT_Q8_MAX, RiskEngine};
pub use flaw::ModelFlaw;
pub use judge::judge;
pub use model::{
    DEPTH_MAX, LEAF, MODEL_BYTES_MAX, MODEL_HEAD_BYTES, MODEL_MAGIC, ModelHead, ModelNode,
    NODE_BYTES, RiskModel, TREE_NODES_MAX, TREES_MAX,
};
pub use order::{PrivateFeatures, RiskInquiry, RiskOrder};
pub use replay::{RiskEvent, RiskReplay, VerdictDifference};
pub use trees::{CompiledModel, Explanation};
pub use verdict::{
    RiskDecision, RiskVerdict, SIGNED_VERDICT_BYTES, SignedRiskVerdict, VERDICT_BYTES, VerdictError,
};
