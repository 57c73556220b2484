//! The standing of an order before an item of a batch named it again: so that whoever is
//! late or asks twice hears what became of the first time.

use chain_types::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::recharge::OrderState;

/// An order's standing, for an item that was not applied because the chain knows its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderStanding {
    /// How far the order's own steps have come; what follows a collection, `recharge_order` says.
    /// `not-found`: it is in no block and never will be.
    pub status: OrderState,
    /// True if the item has the content that the chain knows under the id. Absent for operations
    /// that only name an order, and for an order that is not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_content: Option<bool>,
    /// The code of its submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The height of the block that holds its submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// The height of the block that gave it its status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_height: Option<u64>,
    /// True if a new order with a new id may take its place, without anything being charged twice.
    pub new_id_is_safe: bool,
    /// The remedy in one sentence.
    pub remedy: String,
}

impl OrderStanding {
    /// The standing of an order that the chain knows: its status, the outcome and height of its
    /// submission, and the height of its status.
    pub fn known(
        status: OrderState,
        same_content: Option<bool>,
        outcome: Outcome,
        (height, status_height): (u64, u64),
    ) -> Self {
        let is_other = same_content == Some(false);
        Self {
            status,
            same_content,
            code: Some(outcome.0),
            height: Some(height),
            status_height: Some(status_height),
            new_id_is_safe: status == OrderState::Rejected && !is_other,
            remedy: if is_other { OTHER } else { remedy(status) }.to_owned(),
        }
    }

    /// The standing of an order whose time is over and which no block holds.
    pub fn never() -> Self {
        Self {
            status: OrderState::NotFound,
            same_content: None,
            code: None,
            height: None,
            status_height: None,
            new_id_is_safe: true,
            remedy: remedy(OrderState::NotFound).to_owned(),
        }
    }
}

const OTHER: &str = "Another order is in the chain under this id: ask `recharge_order`, and compare \
    it with what was meant. Only another purchase takes a new id.";

/// Returns the remedy for an order in this state.
const fn remedy(status: OrderState) -> &'static str {
    match status {
        OrderState::NotFound => {
            "It is in no block and never will be: make a new order with a new id, and debit the \
             user no second time."
        }
        OrderState::Rejected => {
            "It was rejected, and nothing was booked: mend the cause, and make a new order with a \
             new id."
        }
        OrderState::Reserved => {
            "It is reserved: wait for its collection, and make no other order for it."
        }
        OrderState::Debiting => {
            "Its gateway is debiting the user: only that gateway collects or voids it now. Wait, \
             and make no other order for it."
        }
        OrderState::Held => {
            "It waits for a risk desk: ask `recharge_order` later, and make no other order for it."
        }
        OrderState::Voided | OrderState::Expired | OrderState::Refused => {
            "It ended without a collection: if the user was debited, give that back before a new \
             order is made."
        }
        OrderState::Collected
        | OrderState::Instructed
        | OrderState::Arrived
        | OrderState::Failed
        | OrderState::Returned => {
            "It is settled: nothing needs to be sent again, and no other order is made for it. \
             Whether its gateway may still take it back alone, `recharge_order` says."
        }
    }
}
