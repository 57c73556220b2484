//! Statements: what a merchant's month or a gateway's settlement window is made of, line by line,
//! each with its cause in the chain.
//!
//! They are read from a home's blocks, and held against the ledger: a statement whose lines do not
//! add up to the accounts, or to the window's report, to the unit is not given.

pub(crate) mod entries;
pub mod gateway;
mod life;
pub mod merchant;
mod payout_gateways;
pub mod period;
pub(crate) mod walk;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use chain_store::StoreFault;
use chain_types::{Amount, Currency, Height, WindowId};
use rpc_api::Money;
use serde::Serialize;

/// Why a statement cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum StatementFault {
    /// The home could not be read.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The home does not hold what its own index names.
    #[error("the home names {what} at height {height}, but does not contain it")]
    Missing {
        /// The record that was looked up.
        what: &'static str,
        /// The height at which it should stand.
        height: Height,
    },
    /// The window is open, or does not exist.
    #[error("window {0} is not closed in this home")]
    WindowOpen(WindowId),
    /// The lines do not add up: a bug, or a home that was tampered with.
    #[error("{what} is {expected} in the ledger, but the lines add up to {actual}")]
    Unequal {
        /// The name of the sum.
        what: String,
        /// The sum that the ledger holds.
        expected: String,
        /// The sum that the lines give.
        actual: String,
    },
}

/// The kind of operation that a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// An order was collected.
    Collected,
    /// An instruction's money arrived.
    Arrived,
    /// Money of an order went back while its window was open.
    Reversed,
    /// Money of an order went back later.
    Returned,
    /// A closed window's instruction.
    Instructed,
    /// An instruction could not be paid: what it would have been stands in suspense.
    Failed,
    /// An instruction's money came back after its arrival.
    Bounced,
    /// A failed instruction was given to a gateway again.
    Reinstructed,
}

impl LineKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Arrived => "arrived",
            Self::Reversed => "reversed",
            Self::Returned => "returned",
            Self::Instructed => "instructed",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::Reinstructed => "reinstructed",
        }
    }
}

/// The place of the operation that caused a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// The height of the block.
    pub height: u64,
    /// The batch's place in the block; absent when the block itself caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_index: Option<u32>,
    /// The item's place in the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_index: Option<u32>,
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.batch_index, self.item_index) {
            (Some(batch), Some(item)) => write!(formatter, "{}/{batch}/{item}", self.height),
            _ => write!(formatter, "{}", self.height),
        }
    }
}

fn sum(minor: u128, currency: Currency) -> Money {
    Money::sum(i128::try_from(minor).unwrap_or(i128::MAX), currency)
}

fn wide(amount: Amount) -> u128 {
    u128::from(amount.get())
}

fn signed(minor: u128) -> i128 {
    i128::try_from(minor).unwrap_or(i128::MAX)
}

/// An amount of a cell: major units without the currency, which stands in a column of its own.
pub(crate) fn cell(money: &Money) -> String {
    let text = money.to_string();
    text.split_once(' ').map_or_else(|| text.clone(), |(number, _)| number.to_owned())
}
