//! Verdicts worked out again by an auditor, from blocks, models and inquiries.

use std::collections::BTreeMap;

use chain_types::{Digest, Height, TimeMs};

use crate::engine::{EngineSize, EngineSizeError, RiskEngine};
use crate::judge::judge;
use crate::order::{RiskInquiry, RiskOrder};
use crate::trees::CompiledModel;
use crate::verdict::{RiskDecision, RiskVerdict};

/// One event that a desk saw. Their order is that of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskEvent {
    /// A final order, with its block's time.
    Order(RiskOrder, TimeMs),
    /// A label of an earlier order.
    Label {
        /// The order that is labelled.
        order: RiskOrder,
        /// True if the order was fraud.
        is_fraud: bool,
        /// The weight of the label, in 256ths.
        weight_q8: u16,
        /// The time of the label's block.
        block_time: TimeMs,
    },
    /// The end of a block of this height.
    BlockEnd(Height),
    /// A question, and the verdict that the desk gave.
    Verdict(RiskInquiry, RiskVerdict),
}

/// The first field in which a verdict differs from what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerdictDifference {
    /// The replay has no model of this id.
    #[error("verdict of item {item}: its model {model} is not at hand")]
    Model {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
        /// The id of the model that the verdict names.
        model: Digest,
    },
    /// The verdict is about another item.
    #[error("verdict of item {stated}: the inquiry was about item {item}")]
    Item {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
        /// The Merkle leaf of the item that the verdict names.
        stated: Digest,
    },
    /// The verdict rests on another block than the last one before it.
    #[error("verdict of item {item}: it names height {stated}, and the replay stands at {found}")]
    Height {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
        /// The height that the verdict names.
        stated: Height,
        /// The height of the last block of the replay.
        found: Height,
    },
    /// The verdict rests on other features off the chain.
    #[error("verdict of item {item}: its private features are not those of the inquiry")]
    Private {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
    },
    /// The score is another.
    #[error("verdict of item {item}: it says score {stated}, and the replay gives {found}")]
    Score {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
        /// The score that the verdict states.
        stated: i32,
        /// The score that the replay works out.
        found: i32,
    },
    /// The decision does not follow from the score.
    #[error("verdict of item {item}: it says {stated}, and the replay gives {found}")]
    Decision {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
        /// The decision that the verdict states.
        stated: RiskDecision,
        /// The decision that the replay works out.
        found: RiskDecision,
    },
    /// The reasons are others.
    #[error("verdict of item {item}: it gives reasons {stated:?}, and the replay gives {found:?}")]
    Reasons {
        /// The Merkle leaf of the item that the inquiry is about.
        item: Digest,
        /// The reason codes that the verdict states.
        stated: [u16; 3],
        /// The reason codes that the replay works out.
        found: [u16; 3],
    },
}

/// A desk's work, done again.
#[derive(Debug, Clone)]
pub struct RiskReplay {
    engine: RiskEngine,
    models: BTreeMap<Digest, CompiledModel>,
}

impl RiskReplay {
    /// Begins a replay with the size of the desk's tables, on which evictions depend.
    ///
    /// # Errors
    /// [`EngineSizeError`] for a table that is too large.
    pub fn new(size: &EngineSize, models: Vec<CompiledModel>) -> Result<Self, EngineSizeError> {
        let models = models.into_iter().map(|model| (model.model().id(), model)).collect();
        Ok(Self { engine: RiskEngine::new(size)?, models })
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// [`VerdictDifference`] for a verdict that is not what the replay works out. The replay goes
    /// on with the next event all the same.
    pub fn step(&mut self, event: &RiskEvent) -> Result<(), VerdictDifference> {
        match *event {
            RiskEvent::Order(order, block_time) => self.engine.ingest(&order, block_time),
            RiskEvent::Label { order, is_fraud, weight_q8, block_time } => {
                self.engine.label(&order, is_fraud, weight_q8, block_time);
            }
            RiskEvent::BlockEnd(height) => self.engine.end_block(height),
            RiskEvent::Verdict(ref inquiry, ref verdict) => self.check(inquiry, verdict)?,
        }
        Ok(())
    }

    /// Returns the state that the events led to.
    pub const fn engine(&self) -> &RiskEngine {
        &self.engine
    }

    /// Holds a verdict against what the replay works out.
    fn check(&self, inquiry: &RiskInquiry, stated: &RiskVerdict) -> Result<(), VerdictDifference> {
        let item = inquiry.item;
        if stated.item != item {
            return Err(VerdictDifference::Item { item, stated: stated.item });
        }
        let Some(model) = self.models.get(&stated.model) else {
            return Err(VerdictDifference::Model { item, model: stated.model });
        };
        let found = judge(&self.engine, model, inquiry, stated.desk, stated.time);
        if stated.height != found.height {
            let (stated, found) = (stated.height, found.height);
            return Err(VerdictDifference::Height { item, stated, found });
        }
        if stated.private != found.private {
            return Err(VerdictDifference::Private { item });
        }
        if stated.score != found.score {
            let (stated, found) = (stated.score, found.score);
            return Err(VerdictDifference::Score { item, stated, found });
        }
        if stated.decision != found.decision {
            let (stated, found) = (stated.decision, found.decision);
            return Err(VerdictDifference::Decision { item, stated, found });
        }
        if stated.reasons != found.reasons {
            let (stated, found) = (stated.reasons, found.reasons);
            return Err(VerdictDifference::Reasons { item, stated, found });
        }
        Ok(())
    }
}
