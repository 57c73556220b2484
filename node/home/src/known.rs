//! The chain's answers when somebody asks again: a batch that is in it, and orders that it
//! had before an item named them. Who is late or asks twice is answered with the outcome.

use bytes::Bytes;
use chain_state::records::fingerprint;
use chain_state::{Location, OrderRecord, OrderStatus};
use chain_store::ChainStore as _;
use chain_types::{BatchKind, Height, OrderId, Rejection, merkle};
use rpc_api::{BatchReport, ItemOutcome, OrderStanding, OrderState};

use crate::archive::{self, ReadFault};
use crate::orders::Orders;

/// How many orders that left memory one answer looks up: each is a read of the index.
pub const ARCHIVED_MAX: usize = 1_024;

/// An item whose order is looked up.
struct Asked {
    /// Its place among the items that were not applied.
    at: usize,
    order: OrderId,
    /// Its own place in the chain.
    location: Location,
    /// The fingerprint of its content, for the submission of an order.
    content: Option<[u8; 16]>,
    /// True if its order, if no block holds it, can never come.
    is_over: bool,
}

impl Orders {
    /// Adds to a final batch's outcomes what the chain knew of the orders that it did not apply.
    /// `reach` waits until the store has come to a height, and says whether it has: without it an
    /// order that is not found is left unsaid.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn add_standings(
        &self,
        report: &mut BatchReport,
        batch: &[u8],
        reach: impl FnOnce(Height) -> bool,
    ) -> Result<(), ReadFault> {
        let (Some(height), Some(index), Some(outcomes)) =
            (report.height, report.batch_index, report.outcomes.as_mut())
        else {
            return Ok(());
        };
        let place = (Height::new(height), index);
        let asked = asked_of(batch, place, &outcomes.not_applied);
        let mut missing = Vec::new();
        let mut needed = Height::new(0);
        for asked in asked {
            let (record, height) = self.state.recent_order(&asked.order);
            match record {
                Some(record) => tell(&mut outcomes.not_applied, &asked, Some(record)),
                None if missing.len() < ARCHIVED_MAX => {
                    needed = needed.max(height);
                    missing.push(asked);
                }
                None => {}
            }
        }
        // What left memory is in the store once that is as far as the state was.
        if missing.is_empty() || !reach(needed) {
            return Ok(());
        }
        for asked in missing {
            let record = self.store.archived_order(&asked.order)?;
            tell(&mut outcomes.not_applied, &asked, record);
        }
        Ok(())
    }

    /// Returns true if the batch at a place of the chain has these bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn holds(&self, (height, index): (Height, u32), bytes: &Bytes) -> Result<bool, ReadFault> {
        Ok(self.store.batch_bytes(height, index)?.as_ref() == Some(bytes))
    }
}

/// The items of a batch that were not applied and name an order.
fn asked_of(
    batch: &[u8],
    (height, index): (Height, u32),
    not_applied: &[ItemOutcome],
) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (at, outcome) in not_applied.iter().enumerate() {
        let item = outcome.item_index;
        let Some((header, bytes)) = archive::item_of(batch, item) else { break };
        let kind = BatchKind::from_number(header.kind);
        let is_submission = kind == Some(BatchKind::Recharge);
        let names_order = matches!(
            kind,
            Some(
                BatchKind::Recharge
                    | BatchKind::Collect
                    | BatchKind::Debiting
                    | BatchKind::Void
                    | BatchKind::Return
                    | BatchKind::Consent
                    | BatchKind::HoldDecision
            )
        );
        let Some(id) = bytes.first_chunk::<16>().filter(|_| names_order) else { break };
        asked.push(Asked {
            at,
            order: OrderId::from_bytes(*id),
            location: Location { height, batch: index, item },
            content: is_submission.then(|| fingerprint(&merkle::leaf(bytes))),
            is_over: is_submission && outcome.code == Rejection::OrderIdExpired.code(),
        });
    }
    asked
}

/// Says of an item what the chain knew of its order; nothing, if the item itself made it known.
fn tell(outcomes: &mut [ItemOutcome], asked: &Asked, record: Option<OrderRecord>) {
    let Some(outcome) = outcomes.get_mut(asked.at) else { return };
    outcome.standing = match record {
        None => asked.is_over.then(OrderStanding::never),
        Some(record) if record.location == asked.location => None,
        Some(record) => {
            let same = asked.content.map(|content| content == record.fingerprint);
            let heights = (record.location.height.get(), record.status_height.get());
            Some(OrderStanding::known(state_of(record.status), same, record.outcome, heights))
        }
    };
}

/// An order's own status in the interface's words.
pub const fn state_of(status: OrderStatus) -> OrderState {
    match status {
        OrderStatus::Rejected => OrderState::Rejected,
        OrderStatus::Reserved => OrderState::Reserved,
        OrderStatus::Debiting => OrderState::Debiting,
        OrderStatus::Collected => OrderState::Collected,
        OrderStatus::Voided => OrderState::Voided,
        OrderStatus::Expired => OrderState::Expired,
        OrderStatus::Held => OrderState::Held,
        OrderStatus::Refused => OrderState::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(is_over: bool) -> Option<OrderStanding> {
        let (height, order) = (Height::new(7), OrderId::from_bytes([3; 16]));
        let location = Location { height, batch: 0, item: 0 };
        let asked = Asked { at: 0, order, location, content: None, is_over };
        let mut outcomes = [ItemOutcome {
            item_index: 0,
            code: Rejection::OrderIdExpired.code(),
            name: String::new(),
            standing: None,
        }];
        tell(&mut outcomes, &asked, None);
        outcomes.into_iter().find_map(|outcome| outcome.standing)
    }

    #[test]
    fn only_an_order_that_can_never_come_is_told_that_a_new_id_is_safe() {
        assert_eq!(told(true), Some(OrderStanding::never()));
        // It may be in a batch that waits: who made a new one would charge twice.
        assert_eq!(told(false), None);
    }
}
