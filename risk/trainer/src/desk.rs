//! A desk's model: trained on one part of a month, with limits that are set on another.

use risk_engine::{CompiledModel, ModelHead, RiskModel};
use risk_month::SHIFT_DAY;

use crate::boost::{BoostPlan, TrainFault, train};
use crate::logistic::LOG_ODDS_ONE;
use crate::measure::{limit_of_least_error, limit_of_share};
use crate::month_rows::ObservedOrder;
use crate::rows::TrainingRows;

/// The share of orders that a desk may hold, in millionths.
pub const ALERTS_PPM: u64 = 5_000;
/// Days whose orders meet histories that are still empty; nothing is learned of them.
pub const WARM_UP_DAYS: u64 = 3;
/// The days on which limits are set; the days before are trained on.
const LIMIT_DAYS: u64 = 5;

/// Trains a model on a month before its shift, by the labels that came. It holds from the score
/// that misjudges the fewest orders of the last five days, or from a higher one where that would
/// hold more than a desk may; it refuses from odds of 20 to 1.
///
/// # Errors
/// [`TrainFault`] as of [`train`].
pub fn train_desk_model(past: &[ObservedOrder], plan: &BoostPlan) -> Result<RiskModel, TrainFault> {
    let shift = u64::from(SHIFT_DAY);
    let of_days =
        |from: u64, to: u64| past.iter().filter(move |order| (from..to).contains(&order.day()));
    let rows = of_days(WARM_UP_DAYS, shift - LIMIT_DAYS);
    let rows = TrainingRows::new(rows.map(|order| (&order.features, order.is_labelled_fraud())));
    let model = CompiledModel::new(train(&rows, plan)?);
    let known: Vec<(i32, bool)> = of_days(shift - LIMIT_DAYS, shift)
        .map(|order| (model.score(&order.features), order.is_labelled_fraud()))
        .collect();
    let hold_at = limit_of_least_error(&known).max(limit_of_share(&known, ALERTS_PPM));
    let hold_at = i32::try_from(hold_at).unwrap_or(i32::MAX);
    let surely = i32::try_from(3 * LOG_ODDS_ONE).unwrap_or(i32::MAX);
    let head = ModelHead { hold_at, refuse_at: hold_at.max(surely), ..*model.model().head() };
    Ok(RiskModel::new(head, model.model().trees().to_vec())?)
}
