//! The chain's parameters in JSON.

use chain_types::Parameters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Text;

macro_rules! parameters_report {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The chain's parameters. Their bounds stand in docs/wire-format.md.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub struct ParametersReport {
            /// The largest amount of one order in minor units, as a decimal string.
            #[serde(with = "Text::<u64>")]
            pub order_amount_max: u64,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl ParametersReport {
            /// The report of parameters.
            pub fn new(parameters: &Parameters) -> Self {
                // Destructured, so that a new parameter cannot be forgotten here.
                let Parameters { order_amount_max, $($field,)* } = parameters.clone();
                Self { order_amount_max, $($field,)* }
            }
        }
    };
}

parameters_report! {
    /// How far an order id's time may lie ahead of block time.
    order_skew_ms: u64,
    /// How long after its id's time an order may commit, and be collected.
    order_validity_ms: u64,
    /// How long a settlement window stays open.
    window_ms: u64,
    /// From acceptance to arrival within a currency.
    deadline_domestic_ms: u64,
    /// From acceptance to arrival across currencies.
    deadline_cross_border_ms: u64,
    /// From acceptance to collection.
    deadline_collect_ms: u64,
    /// The least time between two blocks while there is work.
    block_interval_ms: u64,
    /// The time between two blocks while there is none.
    heartbeat_ms: u64,
    /// How far a block's time may lie ahead of a voter's clock.
    clock_drift_ms: u64,
    /// The first round's timeout of each consensus step.
    consensus_timeout_ms: u64,
    /// The time by which each further round of a height waits longer, in milliseconds.
    consensus_timeout_step_ms: u64,
    /// The longest time that a round waits, in milliseconds.
    consensus_timeout_max_ms: u64,
    /// How many heights a proposer whose turn failed is passed over.
    proposer_penalty_heights: u64,
    /// The most batches in a block.
    block_batches_max: u32,
    /// The most items in a block.
    block_items_max: u32,
    /// The most returns in a block.
    block_returns_max: u32,
    /// How long after its id's time an order may be returned.
    return_period_ms: u64,
    /// The beginning of the day of limits, in minutes east of UTC.
    day_offset_min: u32,
    /// How long a provider's rate is fresh.
    rate_fresh_ms: u64,
    /// How many fresh rates a reference takes.
    rates_min: u32,
    /// How far ahead a quote may be valid.
    quote_valid_max_ms: u64,
    /// How long a transfer waits for its checker.
    transfer_validity_ms: u64,
    /// How long a governance proposal waits for approvals.
    proposal_validity_ms: u64,
    /// How many legal entities of operators approve a change, its maker's among them.
    governance_approvals: u32,
    /// How many heights lie at least between a proposal and its activation.
    governance_notice_heights: u64,
    /// How much rounding may cost of a converted amount, in thousandths.
    rounding_loss_max_per_mille: u32,
    /// From how many thousandths on a step of a reference rate waits for confirmation.
    reference_step_per_mille: u32,
    /// How long the fresh rates have to keep to a new level.
    reference_confirm_ms: u64,
    /// How long a reservation holds a quote.
    quote_hold_ms: u64,
    /// How long after the collection a return is converted back at the order's own rate.
    return_rate_ms: u64,
    /// The least time that a paying gateway has from the close of a window.
    payment_least_ms: u64,
    /// After how long others may move what its own gateway leaves alone.
    step_in_ms: u64,
    /// How long after an arrival its money may come back.
    bounce_period_ms: u64,
    /// How often in a row a gateway may fail one instruction.
    failures_max: u32,
    /// How long a reservation holds money.
    reservation_ms: u64,
    /// How long after the collection the collecting gateway alone takes an order back.
    reversal_grace_ms: u64,
}
