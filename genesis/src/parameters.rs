//! The chain's parameters in the genesis file: bounds, and how they must agree. Each bound keeps a
//! chain from being configured into standstill or into unbounded memory.

use std::fmt::Write as _;

use chain_types::Parameters;
use chain_types::batch::BATCH_ITEMS_MAX;

use crate::fault::FieldError;
use crate::table::Table;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

macro_rules! parameters {
    ($($field:ident: $reader:ident, $bounds:expr;)*) => {
        /// Reads and checks the `[parameters]` section. Every parameter is written out, so that
        /// the file, and with it the chain id, says all of them.
        pub(crate) fn read_parameters(mut table: Table) -> Result<Parameters, FieldError> {
            let parameters =
                Parameters { $($field: table.$reader(stringify!($field), $bounds)?,)* };
            agree(&parameters, &table)?;
            table.finish()?;
            Ok(parameters)
        }

        /// Writes the `[parameters]` section.
        pub(crate) fn write_parameters(parameters: &Parameters) -> String {
            // Destructured, so that a new parameter cannot be forgotten here.
            let Parameters { $($field,)* } = parameters;
            let mut text = String::from("[parameters]\n");
            $(let _ = writeln!(text, "{} = {}", stringify!($field), $field);)*
            text
        }
    };
}

parameters! {
    order_skew_ms: number, SECOND_MS..=HOUR_MS;
    // The duplicate window holds every order of this span in memory.
    order_validity_ms: number, 5 * SECOND_MS..=HOUR_MS;
    window_ms: number, SECOND_MS..=DAY_MS;
    deadline_domestic_ms: number, SECOND_MS..=7 * DAY_MS;
    deadline_cross_border_ms: number, SECOND_MS..=7 * DAY_MS;
    deadline_collect_ms: number, SECOND_MS..=7 * DAY_MS;
    block_interval_ms: number, 10..=10 * SECOND_MS;
    heartbeat_ms: number, 10..=MINUTE_MS;
    // Less than real clocks differ by would refuse honest proposals.
    clock_drift_ms: number, 100..=5 * MINUTE_MS;
    // Less than a message's journey would time out every round.
    consensus_timeout_ms: number, 50..=10 * SECOND_MS;
    consensus_timeout_step_ms: number, 10..=10 * SECOND_MS;
    consensus_timeout_max_ms: number, 100..=MINUTE_MS;
    proposer_penalty_heights: number, 0..=100_000;
    block_batches_max: number_u32, 1..=4_096;
    // A full batch must fit, or it could never commit.
    block_items_max: number_u32, BATCH_ITEMS_MAX..=32 * BATCH_ITEMS_MAX;
    order_amount_max: number, 1..=1_000_000_000_000_000;
}

/// Checks the parameters against one another.
fn agree(parameters: &Parameters, table: &Table) -> Result<(), FieldError> {
    let rows = [
        (
            "heartbeat_ms",
            parameters.heartbeat_ms,
            parameters.heartbeat_ms >= parameters.block_interval_ms,
            "blocks would come faster without work than with it",
            "make it at least `block_interval_ms`",
        ),
        (
            "window_ms",
            parameters.window_ms,
            parameters.window_ms >= parameters.heartbeat_ms,
            "windows would close more often than blocks are sure to come",
            "make it at least `heartbeat_ms`",
        ),
        (
            "deadline_domestic_ms",
            parameters.deadline_domestic_ms,
            parameters.deadline_domestic_ms > parameters.window_ms,
            "orders would be late before their window closes",
            "make it more than `window_ms`",
        ),
        (
            "deadline_cross_border_ms",
            parameters.deadline_cross_border_ms,
            parameters.deadline_cross_border_ms >= parameters.deadline_domestic_ms,
            "a payment across currencies would have less time than one within",
            "make it at least `deadline_domestic_ms`",
        ),
        (
            "deadline_collect_ms",
            parameters.deadline_collect_ms,
            parameters.deadline_collect_ms <= parameters.deadline_domestic_ms,
            "the collecting gateway would have more time than the whole order",
            "make it at most `deadline_domestic_ms`",
        ),
        (
            "consensus_timeout_max_ms",
            parameters.consensus_timeout_max_ms,
            parameters.consensus_timeout_max_ms >= parameters.consensus_timeout_ms,
            "the cap lies below the first timeout",
            "make it at least `consensus_timeout_ms`",
        ),
    ];
    for (key, value, holds, problem, remedy) in rows {
        if !holds {
            return Err(FieldError::new(table.field(key), value, problem, remedy));
        }
    }
    Ok(())
}
