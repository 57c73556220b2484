//! The chain's parameters: set at genesis, changed by governance only. Bounds keep a chain from
//! being configured into standstill or into unbounded memory; genesis and governance share them.

use bincode::{Decode, Encode};

use crate::codec;
use crate::hash::{Digest, Domain, hash};

/// The newest protocol version that this code executes, and the one that a chain begins with.
pub const PROTOCOL_VERSION: u16 = 1;

/// The most items of a batch.
pub const BATCH_ITEMS_MAX: u32 = 8_192;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Why a value is no value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {remedy}")]
pub struct ParameterError {
    /// The name of the parameter.
    pub name: &'static str,
    /// The reason for which the value is refused.
    pub problem: &'static str,
    /// The change that makes the value acceptable.
    pub remedy: &'static str,
}

macro_rules! parameters {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr, $low:expr => $high:expr;)*) => {
        /// Parameters that every validator executes under. Times are in milliseconds.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub struct Parameters { $($(#[$doc])* pub $name: $type,)* }

        impl Default for Parameters {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Parameters {
            /// Their names in order: a governance change names one by its place.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)*];

            /// The least and the largest value of each, in the same order.
            pub const BOUNDS: &'static [(u64, u64)] = &[$(($low as u64, $high as u64),)*];

            /// The values, in the same order.
            pub fn values(&self) -> Vec<u64> {
                vec![$(u64::from(self.$name),)*]
            }

            /// The parameters of these values, in the same order; `None` when their number or a
            /// width does not fit. Bounds are [`Self::check`]'s.
            pub fn from_values(values: &[u64]) -> Option<Self> {
                let mut values = values.iter().copied();
                let parameters = Self { $($name: <$type>::try_from(values.next()?).ok()?,)* };
                values.next().is_none().then_some(parameters)
            }
        }
    };
}

parameters! {
    /// How far an order id's time may lie ahead of block time.
    order_skew_ms: u64 = 60_000, SECOND_MS => HOUR_MS;
    /// How long after its id's time an order may commit, and be collected. The duplicate window
    /// holds every order of this span in memory.
    order_validity_ms: u64 = 180_000, 5 * SECOND_MS => HOUR_MS;
    /// How long a settlement window stays open.
    window_ms: u64 = 30_000, SECOND_MS => DAY_MS;
    /// From acceptance to arrival when payer and payee share a currency.
    deadline_domestic_ms: u64 = 180_000, SECOND_MS => 7 * DAY_MS;
    /// From acceptance to arrival across currencies.
    deadline_cross_border_ms: u64 = 300_000, SECOND_MS => 7 * DAY_MS;
    /// The part of the deadline that the collecting gateway may use, from acceptance.
    deadline_collect_ms: u64 = 60_000, SECOND_MS => 7 * DAY_MS;
    /// The least time between two blocks while there is work.
    block_interval_ms: u64 = 100, 10 => 10 * SECOND_MS;
    /// The time between two blocks while there is none: the SLA clock needs blocks.
    heartbeat_ms: u64 = 1_000, 10 => MINUTE_MS;
    /// How far a block's time may lie ahead of a voter's own clock. Less than real clocks differ
    /// by would refuse honest proposals.
    clock_drift_ms: u64 = 5_000, 100 => 5 * MINUTE_MS;
    /// The first round's timeout of each consensus step. Less than a message's journey would time
    /// out every round.
    consensus_timeout_ms: u64 = 600, 50 => 10 * SECOND_MS;
    /// The time that each further round adds to it.
    consensus_timeout_step_ms: u64 = 200, 10 => 10 * SECOND_MS;
    /// The longest timeout of any round.
    consensus_timeout_max_ms: u64 = 3_000, 100 => MINUTE_MS;
    /// How many heights a proposer whose turn failed is passed over.
    proposer_penalty_heights: u64 = 100, 0 => 100_000;
    /// The most batches in a block.
    block_batches_max: u32 = 4_096, 1 => 4_096;
    /// The most items in a block. A full batch must fit, or it could never commit.
    block_items_max: u32 = 65_536, BATCH_ITEMS_MAX => 32 * BATCH_ITEMS_MAX;
    /// The most returns, bounces and consents in a block: each reads the past from disk. A full
    /// batch must fit.
    block_returns_max: u32 = 1_024, 1_024 => 65_536;
    /// The largest amount of one order, in minor units.
    order_amount_max: u64 = 1_000_000_000_000, 1 => 1_000_000_000_000_000;
    /// How long after its id's time an order may be returned.
    return_period_ms: u64 = 90 * DAY_MS, HOUR_MS => 800 * DAY_MS;
    /// The start of the day of limits: minutes east of UTC.
    day_offset_min: u32 = 480, 0 => 1_439;
    /// How long a provider's rate is fresh.
    rate_fresh_ms: u64 = 60_000, SECOND_MS => DAY_MS;
    /// How many fresh rates a reference takes.
    rates_min: u32 = 3, 1 => 100;
    /// How far ahead a quote may be valid.
    quote_valid_max_ms: u64 = 600_000, SECOND_MS => DAY_MS;
    /// How long a transfer waits for its checker.
    transfer_validity_ms: u64 = DAY_MS, MINUTE_MS => 30 * DAY_MS;
    /// How long a governance proposal waits for approvals.
    proposal_validity_ms: u64 = 7 * DAY_MS, MINUTE_MS => 90 * DAY_MS;
    /// How many legal entities of operators approve a change, its maker's among them.
    governance_approvals: u32 = 2, 1 => 100;
    /// How many heights lie at least between a proposal and its activation.
    governance_notice_heights: u64 = 10, 1 => 10_000_000;
    /// How much rounding may cost of a converted amount, in thousandths of it. A payout of zero
    /// costs all.
    rounding_loss_max_per_mille: u32 = 10, 0 => 500;
    /// From how many thousandths on a step of a reference rate waits for confirmation.
    reference_step_per_mille: u32 = 20, 1 => 10_000;
    /// How long the fresh rates have to keep to a new level until the reference follows.
    reference_confirm_ms: u64 = 60_000, SECOND_MS => HOUR_MS;
    /// How long a reservation holds a quote, from its acceptance; thus never longer than that past
    /// the quote's end.
    quote_hold_ms: u64 = 30_000, SECOND_MS => HOUR_MS;
    /// How long after the collection a return is converted back at the order's own rate. Later the
    /// payout currency goes back.
    return_rate_ms: u64 = HOUR_MS, SECOND_MS => 7 * DAY_MS;
    /// The least time that a paying gateway has from the close of a window, however late the orders
    /// were collected.
    payment_least_ms: u64 = 30_000, SECOND_MS => 7 * DAY_MS;
    /// How long past its due time, or past its failure, an instruction waits for its own gateway
    /// before others may move it.
    step_in_ms: u64 = HOUR_MS, MINUTE_MS => 30 * DAY_MS;
    /// How long after an arrival its gateway may say that the money came back. Ten business days
    /// are at most fourteen days, and the chain knows no holidays.
    bounce_period_ms: u64 = 14 * DAY_MS, HOUR_MS => 90 * DAY_MS;
    /// How often in a row a gateway may fail one instruction before each failure is a breach.
    failures_max: u32 = 2, 1 => 100;
    /// How long a reservation holds money, from its acceptance, however late the time of its id is.
    reservation_ms: u64 = 180_000, SECOND_MS => HOUR_MS;
    /// How long after the collection, while its window is open, the collecting gateway alone takes
    /// an order back. What was collected under a grace keeps it. Zero: collected is final.
    reversal_grace_ms: u64 = 0, 0 => 5 * MINUTE_MS;
}

impl Parameters {
    /// The digest that block headers carry.
    pub fn digest(&self) -> Digest {
        hash(Domain::Parameters, &[&codec::encode(self)])
    }

    /// These with another value of the parameter at `index`, checked.
    ///
    /// # Errors
    /// When there is none at this place, or the value is none of it.
    pub fn with(&self, index: u16, value: u64) -> Result<Self, ParameterError> {
        let mut values = self.values();
        let (Some(slot), Some(name)) =
            (values.get_mut(usize::from(index)), Self::NAMES.get(usize::from(index)))
        else {
            let (problem, remedy) = ("no parameter has this number", "see docs/wire-format.md");
            return Err(ParameterError { name: "parameter", problem, remedy });
        };
        *slot = value;
        let out_of_bounds = ParameterError {
            name,
            problem: "the value is out of its bounds",
            remedy: "see chain/types/src/parameters.rs for the bounds",
        };
        let changed = Self::from_values(&values).ok_or(out_of_bounds)?;
        changed.check()?;
        Ok(changed)
    }

    /// Checks every parameter against its bounds, and all of them against one another.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check(&self) -> Result<(), ParameterError> {
        for ((name, value), (low, high)) in Self::NAMES.iter().zip(self.values()).zip(Self::BOUNDS)
        {
            if !(*low..=*high).contains(&value) {
                let problem = "the value is out of its bounds";
                let remedy = "see chain/types/src/parameters.rs for the bounds";
                return Err(ParameterError { name, problem, remedy });
            }
        }
        self.agree()
    }

    /// How long an order takes whose every party uses the time that it has.
    fn punctual_ms(&self) -> u64 {
        self.deadline_collect_ms
            .saturating_add(self.window_ms)
            .saturating_add(self.payment_least_ms)
    }

    /// Checks the parameters against one another.
    ///
    /// # Errors
    /// The first that does not go with another.
    pub fn agree(&self) -> Result<(), ParameterError> {
        let rows = [
            (
                "heartbeat_ms",
                self.heartbeat_ms >= self.block_interval_ms,
                "blocks would come faster without work than with it",
                "make it at least `block_interval_ms`",
            ),
            (
                "window_ms",
                self.window_ms >= self.heartbeat_ms,
                "windows would close more often than blocks are sure to come",
                "make it at least `heartbeat_ms`",
            ),
            (
                "deadline_domestic_ms",
                self.deadline_domestic_ms >= self.punctual_ms(),
                "an order of punctual parties would be late",
                "make it at least `deadline_collect_ms`, `window_ms` and `payment_least_ms` together",
            ),
            (
                "deadline_cross_border_ms",
                self.deadline_cross_border_ms >= self.deadline_domestic_ms,
                "a payment across currencies would have less time than one within",
                "make it at least `deadline_domestic_ms`",
            ),
            (
                "consensus_timeout_max_ms",
                self.consensus_timeout_max_ms >= self.consensus_timeout_ms,
                "the cap lies below the first timeout",
                "make it at least `consensus_timeout_ms`",
            ),
            (
                "return_period_ms",
                self.return_period_ms > self.order_validity_ms,
                "orders could not be returned before they are certain",
                "make it more than `order_validity_ms`",
            ),
            (
                "reservation_ms",
                self.reservation_ms >= self.deadline_collect_ms,
                "reservations would end while their gateway is still in time",
                "make it at least `deadline_collect_ms`",
            ),
        ];
        for (name, holds, problem, remedy) in rows {
            if !holds {
                return Err(ParameterError { name, problem, remedy });
            }
        }
        Ok(())
    }
}
