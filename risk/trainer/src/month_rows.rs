//! Orders of a month as a desk sees them: with the features of their moment, and their labels
//! later.

use chain_types::{Amount, MerchantId, TimeMs};
use risk_engine::{
    EngineSize, EngineSizeError, FeatureVector, PrivateFeatures, RiskEngine, RiskOrder,
};
use risk_month::{FraudKind, MONTH_START_MS, MonthEvent, MonthOrder, MonthScale, RiskMonth};

const DAY_MS: u64 = 86_400_000;
/// The weight of a label: one order.
const LABEL_WEIGHT_Q8: u16 = 256;

/// An order with its features, and what became known of it.
#[derive(Debug, Clone)]
pub struct ObservedOrder {
    /// The features when the order was made, of what had happened before.
    pub features: FeatureVector,
    /// The time of the order, in milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// The amount in minor units.
    pub amount: u64,
    /// The kind of fraud, which no desk knows.
    pub truth: Option<FraudKind>,
    /// The time of the order's label in milliseconds since the Unix epoch, and true if it says
    /// fraud.
    pub label: Option<(u64, bool)>,
}

impl ObservedOrder {
    /// The day of the month, from zero.
    pub const fn day(&self) -> u64 {
        self.time_ms.saturating_sub(MONTH_START_MS) / DAY_MS
    }

    /// Returns true if a label of fraud came.
    pub fn is_labelled_fraud(&self) -> bool {
        self.label.is_some_and(|(_, is_fraud)| is_fraud)
    }
}

fn risk_order(order: &MonthOrder) -> RiskOrder {
    RiskOrder {
        user: order.user,
        merchant: MerchantId::new(order.merchant),
        device: order.device,
        network: order.network,
        amount: Amount::new(order.amount),
    }
}

/// Plays a month through a desk's histories, and gives its orders in the order of time. The first
/// private feature is the age of the user's identity in days. An order takes about a kilobyte of
/// memory.
///
/// # Errors
/// [`EngineSizeError`] for a month of more users than an engine has places for.
pub fn observe(seed: u64, scale: MonthScale) -> Result<Vec<ObservedOrder>, EngineSizeError> {
    let sets = scale.users.next_power_of_two().ilog2().max(4);
    let mut engine = RiskEngine::new(&EngineSize {
        user_sets_log2: sets - 2,
        merchant_sets_log2: sets - 3,
        device_sets_log2: sets,
        network_sets_log2: sets - 1,
    })?;
    let mut seen: Vec<ObservedOrder> = Vec::new();
    for event in RiskMonth::new(seed, scale) {
        match event {
            MonthEvent::Order(order) => {
                let (facts, time) = (risk_order(&order), TimeMs::new(order.time_ms));
                let mut private = PrivateFeatures::none([0; 32]);
                private.values[0] = i64::from(order.identity_age_days);
                seen.push(ObservedOrder {
                    features: engine.features(&facts, &private, time),
                    time_ms: order.time_ms,
                    amount: order.amount,
                    truth: order.truth,
                    label: None,
                });
                engine.ingest(&facts, time);
            }
            MonthEvent::Label(label) => {
                let facts = risk_order(&label.order);
                let time = TimeMs::new(label.time_ms);
                engine.label(&facts, label.is_fraud, LABEL_WEIGHT_Q8, time);
                // Orders are numbered in the order of time, from zero.
                let at = usize::try_from(label.order.number).unwrap_or(usize::MAX);
                if let Some(order) = seen.get_mut(at) {
                    order.label = Some((label.time_ms, label.is_fraud));
                }
            }
        }
    }
    Ok(seen)
}
