//! From an inquiry to a verdict, by the histories and one model.

use chain_types::{ParticipantId, TimeMs};

use crate::engine::RiskEngine;
use crate::model::ModelHead;
use crate::order::RiskInquiry;
use crate::trees::CompiledModel;
use crate::verdict::{RiskDecision, RiskVerdict};

impl ModelHead {
    /// Returns what becomes of an order with this score.
    pub const fn decide(&self, score: i32) -> RiskDecision {
        if score >= self.refuse_at {
            RiskDecision::Refuse
        } else if score >= self.hold_at {
            RiskDecision::Hold
        } else {
            RiskDecision::Pass
        }
    }
}

/// Returns a desk's verdict at a time, by its clock. Equal histories, models, inquiries and times
/// give equal verdicts.
pub fn judge(
    engine: &RiskEngine,
    model: &CompiledModel,
    inquiry: &RiskInquiry,
    desk: ParticipantId,
    time: TimeMs,
) -> RiskVerdict {
    let features = engine.features(&inquiry.order, &inquiry.private, time);
    let explanation = model.explain(&features);
    RiskVerdict {
        item: inquiry.item,
        model: model.model().id(),
        private: inquiry.private.digest(),
        height: engine.height(),
        time,
        score: explanation.score,
        desk,
        decision: model.model().head().decide(explanation.score),
        reasons: explanation.reasons(),
    }
}
